use std::{sync::Arc, time::Duration};

use tonic::{
    Code, Status,
    transport::{Channel, Endpoint},
};
use tonic_types::{ErrorInfo, StatusExt};
use uuid::Uuid;

use crate::{
    retry::{OnRetry, retry},
    v1::{CancelJobRequest, Job, JobSpec, SubmitJobRequest, job_service_client::JobServiceClient},
    watch::Watch,
};

/// A connection to one server. Cloning is cheap and shares it.
#[derive(Clone)]
pub struct Client {
    pub(crate) jobs: JobServiceClient<Channel>,
    pub(crate) on_retry: OnRetry,
}

impl Client {
    /// Makes a client of the server at HOST:PORT. It connects with the first call.
    pub fn new(address: &str) -> Result<Self, Status> {
        let endpoint = Endpoint::from_shared(format!("http://{address}"))
            .map_err(|error| {
                let message = format!("{address:?} is not HOST:PORT of a server: {error}");
                Status::new(Code::InvalidArgument, message)
            })?
            // Finds out within a minute and a half that a server is gone without a word.
            .http2_keep_alive_interval(Duration::from_secs(60))
            .keep_alive_timeout(Duration::from_secs(30));
        Ok(Self { jobs: JobServiceClient::new(endpoint.connect_lazy()), on_retry: None })
    }

    /// Lets `tell` know when a call has failed and will be tried again, for about half a minute.
    pub fn on_retry(mut self, tell: impl Fn(&Status) + Send + Sync + 'static) -> Self {
        self.on_retry = Some(Arc::new(tell));
        self
    }

    /// Submits a job under a new request id.
    pub async fn submit(&self, spec: JobSpec) -> Result<Job, Status> {
        self.submit_as(spec, Uuid::new_v4().to_string()).await
    }

    /// Submits a job, as often as it takes: the request id makes sure that there is only one.
    pub async fn submit_as(&self, spec: JobSpec, request_id: String) -> Result<Job, Status> {
        let request = SubmitJobRequest { spec: Some(spec), request_id, validate_only: false };
        let response =
            retry(self.on_retry.clone(), async || self.jobs.clone().submit_job(request.clone()).await)
                .await?;
        job_of(response.into_inner().job)
    }

    /// Begins to watch a job's events after a sequence, 0 for all.
    pub fn watch(&self, job_id: impl Into<String>, after_sequence: u64) -> Watch {
        Watch::new(self.jobs.clone(), self.on_retry.clone(), job_id.into(), after_sequence)
    }

    /// Asks for a job to be stopped and returns it as it stands then.
    pub async fn cancel(&self, job_id: &str, reason: &str) -> Result<Job, Status> {
        let request = CancelJobRequest { job_id: job_id.into(), reason: reason.into() };
        let response =
            retry(self.on_retry.clone(), async || self.jobs.clone().cancel_job(request.clone()).await)
                .await?;
        job_of(response.into_inner().job)
    }
}

/// Returns the reason and the facts that the server gave for a failed call; none for a call that never reached it.
pub fn info(status: &Status) -> Option<ErrorInfo> {
    status.get_details_error_info().filter(|info| info.domain == "basicaer.dev")
}

fn job_of(job: Option<Job>) -> Result<Job, Status> {
    job.ok_or_else(|| Status::internal("the server answered without a job: is it a BasicAer server?"))
}
