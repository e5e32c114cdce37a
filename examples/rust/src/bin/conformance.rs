//! Puts the Rust client behind the protocol of `tests/conformance/README.md`: one JSON object a line, in and out.

use std::{
    env,
    error::Error,
    io::{self, BufRead, Write},
};

use basicaer_example::{
    Client, Outcome, Value as Typed, counts, info, outputs,
    v1::{self, JobSpec, JobStatus, event::Kind},
};
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage};
use serde_json::{Value, json};
use tonic::{Code, Status};
use tonic_types::ErrorInfo;

type Reply = Result<Value, Box<dyn Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = env::args().nth(1).ok_or("give the server's HOST:PORT")?;
    let runner = Runner { client: Client::new(&address)?, pool: DescriptorPool::decode(v1::DESCRIPTOR)? };
    for line in io::stdin().lock().lines() {
        let reply = match runner.answer(&serde_json::from_str(&line?)?).await {
            Ok(reply) => reply,
            Err(error) => json!({"error": failure(error.downcast_ref::<Status>().ok_or(error.to_string())?)}),
        };
        writeln!(io::stdout(), "{reply}")?;
    }
    Ok(())
}

struct Runner {
    client: Client,
    pool: DescriptorPool,
}

impl Runner {
    async fn answer(&self, request: &Value) -> Reply {
        let text = |name: &str| request[name].as_str().unwrap_or_default();
        let job_id = text("job_id");
        match text("op") {
            "encode" => {
                let name = text("message");
                let bytes = recode(name, &self.parse(name, &request["json"])?)?;
                Ok(json!({"hex": bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()}))
            }
            "decode" => {
                let name = text("message");
                let bytes = recode(name, &bytes_of(text("hex"))?)?;
                let descriptor =
                    self.pool.get_message_by_name(&format!("basicaer.v1.{name}")).ok_or("no such message")?;
                Ok(
                    json!({"json": serde_json::to_value(DynamicMessage::decode(descriptor, bytes.as_slice())?)?}),
                )
            }
            "submit" => {
                let spec = JobSpec::decode(self.parse("JobSpec", &request["spec"])?.as_slice())?;
                let job = match request["request_id"].as_str() {
                    Some(id) => self.client.submit_as(spec, id.into()).await?,
                    None => self.client.submit(spec).await?,
                };
                Ok(json!({"job_id": job.job_id}))
            }
            "watch" => {
                self.watch(job_id, request["after_sequence"].as_u64().unwrap_or(0), text("until")).await
            }
            "counts" => {
                let result = self.client.result(job_id).await?;
                Ok(json!({"counts": result.programs.iter().map(counts).collect::<Vec<_>>()}))
            }
            "outputs" => {
                let result = self.client.result(job_id).await?;
                let programs: Result<Vec<_>, Status> = result.programs.iter().map(outputs).collect();
                let seen = |outcomes: &Vec<Outcome>| outcomes.iter().map(outcome).collect::<Vec<_>>();
                Ok(json!({"outputs": programs?.iter().map(seen).collect::<Vec<_>>()}))
            }
            "methods" => {
                let result = self.client.result(job_id).await?;
                Ok(json!({"methods": result.programs.iter().map(method).collect::<Vec<_>>()}))
            }
            "state" => {
                let state = self.client.state(job_id, text("part")).await?;
                let at = request["at"].as_array().into_iter().flatten().filter_map(Value::as_u64);
                let chosen: Vec<_> = at.map(|index| state[index as usize]).map(|a| [a.re, a.im]).collect();
                Ok(json!({"shape": [state.len()], "amplitudes": chosen}))
            }
            "cancel" => {
                let job = self.client.cancel(job_id, text("reason")).await?;
                let otherwise = matches!(job.status(), JobStatus::Done | JobStatus::Error);
                Ok(json!({"cancelled": job.cancel_requested && !otherwise}))
            }
            other => Err(format!("there is no operation {other:?}").into()),
        }
    }

    async fn watch(&self, job_id: &str, after_sequence: u64, until: &str) -> Reply {
        let mut events = vec![];
        let mut watch = self.client.watch(job_id, after_sequence);
        while let Some(event) = watch.next().await? {
            let Some(Kind::Status(change)) = event.kind else { continue };
            let status = change.status().as_str_name().trim_start_matches("JOB_STATUS_");
            events.push(json!({"sequence": event.sequence, "status": status}));
            if status == until {
                break;
            }
        }
        Ok(json!({ "events": events }))
    }

    /// Turns JSON into a message's bytes.
    fn parse(&self, name: &str, json: &Value) -> Result<Vec<u8>, Box<dyn Error>> {
        let descriptor =
            self.pool.get_message_by_name(&format!("basicaer.v1.{name}")).ok_or("no such message")?;
        Ok(DynamicMessage::deserialize(descriptor, json)?.encode_to_vec())
    }
}

/// Reads a message with its generated type, and writes it again.
fn recode(name: &str, bytes: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    macro_rules! one_of {
        ($($message:ident),* $(,)?) => {
            match name {
                $(stringify!($message) => Ok(v1::$message::decode(bytes)?.encode_to_vec()),)*
                _ => Err(format!("add {name} to the messages of recode()").into()),
            }
        };
    }
    one_of!(
        CancelJobRequest,
        Circuit,
        DeleteJobRequest,
        Diagnostics,
        Event,
        GetJobRequest,
        GetServerInfoResponse,
        Inputs,
        Job,
        JobSpec,
        ListJobsRequest,
        Operation,
        Program,
        ProgramHeader,
        ProgramResult,
        ReadResultRequest,
        ReadResultResponse,
        Result,
        RunJobRequest,
        RunOptions,
        SubmitJobRequest,
        WatchJobRequest,
    )
}

fn method(program: &v1::ProgramResult) -> Value {
    let name = program.simulation_method().as_str_name().trim_start_matches("SIMULATION_METHOD_");
    json!({"method": name, "reason": program.reason})
}

fn outcome(seen: &Outcome) -> Value {
    let values = seen.values.iter().map(|(name, value)| (name.clone(), plain(value)));
    json!({"values": values.collect::<serde_json::Map<_, _>>(), "count": seen.count})
}

/// A value as the protocol has it: integers as text, which JSON's numbers don't hold.
fn plain(value: &Typed) -> Value {
    match value {
        Typed::Bits(text) => json!(text),
        Typed::Bool(truth) => json!(truth),
        Typed::Int(number) => json!(number.to_string()),
        Typed::Uint(number) => json!(number.to_string()),
        Typed::Float(number) => json!(number),
        Typed::Complex(number) => json!([number.re, number.im]),
        Typed::Array(elements) => elements.iter().map(plain).collect(),
    }
}

fn bytes_of(hex: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let pairs = (0..hex.len()).step_by(2).map(|start| u8::from_str_radix(&hex[start..start + 2], 16));
    Ok(pairs.collect::<Result<_, _>>()?)
}

fn failure(status: &Status) -> Value {
    let info = info(status).unwrap_or_else(|| ErrorInfo::new("", "", []));
    json!({
        "code": code_name(status.code()),
        "reason": info.reason,
        "metadata": info.metadata,
        "message": status.message(),
    })
}

/// The name of a code as the gRPC specification writes it.
fn code_name(code: Code) -> String {
    let mut name = String::new();
    for letter in format!("{code:?}").chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}
