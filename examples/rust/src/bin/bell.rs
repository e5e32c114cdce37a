//! Runs a Bell pair on a BasicAer server, reads a state vector, cancels a job, and reads a typed error:
//!
//!     cargo run -- 127.0.0.1:50051

use std::{env, process::ExitCode};

use basicaer_example::{
    Client,
    circuits::{bell, endless, on, superposition},
    counts, info,
};
use tonic::Status;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let address = env::args().nth(1).unwrap_or_else(|| "127.0.0.1:50051".into());
    match run(address).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", error.message());
            ExitCode::FAILURE
        }
    }
}

async fn run(address: String) -> Result<(), Status> {
    let client = Client::new(&address)?.on_retry(move |failure| {
        eprintln!("{address}: {}; trying again for half a minute", failure.message());
    });

    let job = client.submit(on("qasm_simulator", bell())).await?;
    let mut watch = client.watch(&job.job_id, 0);
    while let Some(event) = watch.next().await? {
        println!("{} {:?}", event.sequence, event.kind);
    }
    let result = client.result(&job.job_id).await?;
    println!("{:?}", counts(&result.programs[0]));

    let job = client.submit(on("statevector_simulator", superposition(3))).await?;
    let mut watch = client.watch(&job.job_id, 0);
    while watch.next().await?.is_some() {}
    println!("{:?}", client.state(&job.job_id, "0/statevector").await?);

    let job = client.submit(on("qasm_simulator", endless())).await?;
    let job = client.cancel(&job.job_id, "only an example").await?;
    println!("to be cancelled: {}", job.cancel_requested);

    let Err(error) = client.submit(on("no_such_backend", bell())).await else { return Ok(()) };
    let Some(info) = info(&error) else { return Err(error) };
    println!("{} {:?}", info.reason, info.metadata);
    Ok(())
}
