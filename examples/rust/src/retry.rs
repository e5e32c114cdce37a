use std::{sync::Arc, time::Duration};

use tonic::{Code, Status};
use tonic_types::StatusExt;

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// In a row; about half a minute.
const MAX_FAILURES: u32 = 20;

/// Is told of a failure before the first of the tries that follow it.
pub(crate) type OnRetry = Option<Arc<dyn Fn(&Status) + Send + Sync>>;

/// Grows the pause between tries, with jitter, so that the clients of a restarted server don't all return at once.
pub(crate) struct Backoff {
    on_retry: OnRetry,
    failures: u32,
}

impl Backoff {
    pub(crate) fn new(on_retry: OnRetry) -> Self {
        Self { on_retry, failures: 0 }
    }

    /// Returns when it is time for another try; gives back the error that another try can't mend.
    pub(crate) async fn wait(&mut self, error: Status) -> Result<(), Status> {
        // CANCELLED says that the server's limit of waiting calls was reached: our own ends no call by an error.
        let passing = matches!(error.code(), Code::Unavailable | Code::Cancelled);
        if !passing || self.failures == MAX_FAILURES {
            return Err(error);
        }
        if let (0, Some(tell)) = (self.failures, &self.on_retry) {
            tell(&error);
        }
        let longest = LONGEST_PAUSE.min(FIRST_PAUSE * 2u32.saturating_pow(self.failures));
        self.failures += 1;
        let asked = error.get_details_retry_info().and_then(|info| info.retry_delay);
        let jitter = longest.mul_f64(0.5 + 0.5 * fastrand::f64());
        tokio::time::sleep(asked.unwrap_or_default() + jitter).await;
        Ok(())
    }

    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

/// Calls until the call succeeds or fails for good. Only for calls that may be repeated.
pub(crate) async fn retry<R>(
    on_retry: OnRetry,
    mut call: impl AsyncFnMut() -> Result<R, Status>,
) -> Result<R, Status> {
    let mut backoff = Backoff::new(on_retry);
    loop {
        match call().await {
            Ok(response) => return Ok(response),
            Err(error) => backoff.wait(error).await?,
        }
    }
}
