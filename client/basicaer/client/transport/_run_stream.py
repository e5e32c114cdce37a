"""What the stream of a submission is to both clients: a watch of the new job, with the result at its end."""

from __future__ import annotations

from basicaer.client.transport._watch import HEARTBEAT, duration
from basicaer.v1 import job_pb2, job_service_pb2

__all__ = ["AHEAD", "PATIENCE", "RUN_STREAMS", "run_request", "take_in", "watch_message"]

# Messages that a stream may be ahead of its reader; beyond it the server holds back, and coalesces progress.
AHEAD = 16
# Streams of submitted jobs that may wait for somebody to look at them; further jobs come without one.
RUN_STREAMS = 64
# After so many seconds without a word, a stream is taken for one that something on the way holds back.
PATIENCE = 2.0


def run_request(request: job_service_pb2.SubmitJobRequest) -> job_service_pb2.RunJobRequest:
    """Return the request that submits the same job, and watches it."""
    return job_service_pb2.RunJobRequest(
        spec=request.spec,
        request_id=request.request_id,
        heartbeat_interval=duration(HEARTBEAT),
        brief=True,
    )


def watch_message(message: job_service_pb2.RunJobResponse) -> job_service_pb2.WatchJobResponse:
    """Return a run's message as a watch's, which has no result. Beside a job, an event tells nothing new."""
    part = {"job": message.job} if message.HasField("job") else {"event": message.event}
    return job_service_pb2.WatchJobResponse(**part)


def take_in(job: job_pb2.Job, event: job_pb2.Event) -> None:
    """Change a job to what an event says that it has become."""
    if event.HasField("status") and event.sequence > job.sequence:
        job.sequence, job.status = event.sequence, event.status.status
        job.attempt = event.status.attempt
        if event.status.HasField("error"):
            job.error.CopyFrom(event.status.error)
