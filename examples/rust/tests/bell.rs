//! Against the server that `make example-rust` starts, behind a proxy that cuts every second call.

use std::{env, process::Command};

use basicaer_example::{
    Client,
    circuits::{bell, endless, on, superposition},
    counts, info,
    v1::{JobSpec, JobStatus, event::Kind},
};
use tonic::{Code, Status};

fn address(variable: &str) -> String {
    env::var(variable)
        .unwrap_or_else(|_| panic!("{variable} is not set: `make example-rust` starts a server and sets it"))
}

fn connect() -> Result<Client, Status> {
    Client::new(&address("BASICAER_FLAKY_SERVER"))
}

/// Submits a job and watches it to its end, cancelling it once it runs if that is wished.
async fn finish(client: &Client, spec: JobSpec, cancel: bool) -> Result<(String, Vec<JobStatus>), Status> {
    let job_id = client.submit(spec).await?.job_id;
    let mut watch = client.watch(&job_id, 0);
    let mut statuses = vec![];
    while let Some(event) = watch.next().await? {
        let Some(Kind::Status(change)) = event.kind else { continue };
        statuses.push(change.status());
        if cancel && change.status() == JobStatus::Running {
            client.cancel(&job_id, "test").await?;
        }
    }
    Ok((job_id, statuses))
}

#[tokio::test]
async fn bell_gives_equal_bits() -> Result<(), Status> {
    let client = connect()?;
    let (job_id, statuses) = finish(&client, on("qasm_simulator", bell()), false).await?;
    assert_eq!(statuses, [JobStatus::Queued, JobStatus::Running, JobStatus::Done]);
    let result = client.result(&job_id).await?;
    let counts = counts(&result.programs[0]);
    assert_eq!(counts.keys().collect::<Vec<_>>(), ["00", "11"]);
    assert_eq!(counts.values().sum::<u64>(), 1024);
    Ok(())
}

#[tokio::test]
async fn a_state_comes_in_chunks() -> Result<(), Status> {
    let client = connect()?;
    let (job_id, _) = finish(&client, on("statevector_simulator", superposition(17)), false).await?;
    let state = client.state(&job_id, "0/statevector").await?;
    assert_eq!(state.len(), 1 << 17);
    assert!(state.iter().all(|amplitude| (amplitude - (-8.5f64).exp2()).norm() < 1e-12));
    Ok(())
}

#[tokio::test]
async fn cancel_ends_a_running_job() -> Result<(), Status> {
    let (_, statuses) = finish(&connect()?, on("qasm_simulator", endless()), true).await?;
    assert_eq!(statuses, [JobStatus::Queued, JobStatus::Running, JobStatus::Cancelled]);
    Ok(())
}

#[tokio::test]
async fn errors_have_reasons_and_facts() -> Result<(), Status> {
    let error = connect()?.submit(on("no_such_backend", bell())).await.unwrap_err();
    let info = info(&error).expect("the server gives a reason");
    assert_eq!((error.code(), info.reason.as_str()), (Code::NotFound, "BACKEND_NOT_FOUND"));
    assert_eq!(info.metadata["backend_name"], "no_such_backend");
    Ok(())
}

#[test]
fn the_program_runs() {
    let bell = Command::new(env!("CARGO_BIN_EXE_bell")).arg(address("BASICAER_SERVER")).output();
    let output = String::from_utf8(bell.expect("cargo has built it").stdout).expect("it prints text");
    assert!(output.contains("BACKEND_NOT_FOUND"), "{output}");
}
