//! Submits circuits to a BasicAer server, watches the jobs, and reads what they gave.
//!
//! It is an example to start from: everything that it knows is in `protos/basicaer/v1`.

pub mod circuits;
mod client;
mod outputs;
mod result;
mod retry;
mod watch;

pub use client::{Client, info};
pub use outputs::{Outcome, Value, outputs};
pub use result::counts;
pub use watch::Watch;

/// The contract's generated types, with the descriptor that they come from.
pub mod v1 {
    #![allow(clippy::all)] // generated
    tonic::include_proto!("basicaer.v1");
    pub const DESCRIPTOR: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/contract.binpb"));
}
