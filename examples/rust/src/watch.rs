use tonic::{Status, Streaming, transport::Channel};

use crate::{
    retry::{Backoff, OnRetry},
    v1::{
        Event, JobStatus, WatchJobRequest, WatchJobResponse, event::Kind,
        job_service_client::JobServiceClient,
    },
};

/// A job's events, up to the final one. Dropping it ends the watch, never the job.
///
/// When the stream breaks it goes on after the last event that it saw, so each change of status comes exactly once.
pub struct Watch {
    jobs: JobServiceClient<Channel>,
    job_id: String,
    cursor: u64,
    stream: Option<Streaming<WatchJobResponse>>,
    finished: bool,
    backoff: Backoff,
}

impl Watch {
    pub(crate) fn new(
        jobs: JobServiceClient<Channel>,
        on_retry: OnRetry,
        job_id: String,
        cursor: u64,
    ) -> Self {
        Self { jobs, job_id, cursor, stream: None, finished: false, backoff: Backoff::new(on_retry) }
    }

    /// Returns the next event; none after the final one.
    pub async fn next(&mut self) -> Result<Option<Event>, Status> {
        while !self.finished {
            match self.receive().await {
                Ok(message) => {
                    let Some(event) = self.take(message) else { continue };
                    return Ok(Some(event));
                }
                Err(error) => self.reconnect_after(error).await?,
            }
        }
        Ok(None)
    }

    /// Returns the next message of the stream, which is opened if there is none.
    async fn receive(&mut self) -> Result<WatchJobResponse, Status> {
        if self.stream.is_none() {
            let request = WatchJobRequest {
                job_id: self.job_id.clone(),
                after_sequence: Some(self.cursor),
                heartbeat_interval: None,
            };
            self.stream = Some(self.jobs.watch_job(request).await?.into_inner());
        }
        let stream = self.stream.as_mut().expect("it was opened above");
        let message = stream.message().await?;
        let message = message.ok_or_else(|| Status::unavailable("the stream ended before the job did"))?;
        match &message.event {
            Some(event) if is_durable(event) && event.sequence > self.cursor + 1 => {
                Err(Status::unavailable(format!("event {} came after event {}", event.sequence, self.cursor)))
            }
            _ => Ok(message),
        }
    }

    /// Moves the cursor; returns the message's event unless it was seen before.
    fn take(&mut self, message: WatchJobResponse) -> Option<Event> {
        if let Some(job) = message.job {
            self.finished = is_final(job.status()) && job.sequence <= self.cursor;
        }
        let event = message.event?;
        if let Some(Kind::Status(change)) = &event.kind {
            if event.sequence <= self.cursor {
                return None;
            }
            self.cursor = event.sequence;
            self.finished = is_final(change.status());
            self.backoff.reset();
        }
        Some(event)
    }

    async fn reconnect_after(&mut self, error: Status) -> Result<(), Status> {
        self.stream = None;
        let waited = self.backoff.wait(error).await;
        self.finished = waited.is_err();
        waited
    }
}

fn is_durable(event: &Event) -> bool {
    matches!(event.kind, Some(Kind::Status(_)))
}

fn is_final(status: JobStatus) -> bool {
    matches!(status, JobStatus::Cancelled | JobStatus::Done | JobStatus::Error)
}
