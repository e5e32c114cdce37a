//! Generates the contract's types and stubs from `protos/`. The compiler is written in Rust, so no `protoc` is needed.

use std::{env, error::Error, fs, path::PathBuf};

use prost::Message;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=../../protos/basicaer/v1");
    let files = protox::compile(["basicaer/v1/job_service.proto"], ["../../protos"])?;
    // The conformance runner turns JSON into messages with it.
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("contract.binpb"), files.encode_to_vec())?;
    tonic_prost_build::configure().build_server(false).compile_fds(files)?;
    Ok(())
}
