"""The jobs of one server: accepts them, decides when each runs, records what becomes of it, and tells its
readers.
"""

from __future__ import annotations

from typing import NamedTuple

from basicaer.service.config import Config
from basicaer.service.execution._interface import Executor
from basicaer.service.store import JobStore
from basicaer.v1 import job_pb2, job_service_pb2

from ._reading import ResultReading
from ._watch import Watch

__all__ = ["JobManager", "Submission"]


class Submission(NamedTuple):
    """An accepted job, and whether an earlier call with the same request id had made it."""

    job: job_pb2.Job
    duplicate: bool


class JobManager:
    """All of the service's behaviour behind the contract's RPCs. Lives on one event loop.

    The messages that it returns are the caller's own, except for those that `PublishedEvent` shares.
    """

    def __init__(self, store: JobStore, executor: Executor, config: Config) -> None: ...

    async def start(self) -> None:
        """Opens the store, takes up the jobs that it holds, and begins to run them.

        Raises:
            DataDirectoryError: Another server uses the store's directory, or it isn't one of ours.
        """

    async def drain(self, grace: float | None = None) -> None:
        """Stops: refuses new jobs, starts none, waits up to `grace` seconds (else `config.drain_grace`) for
        running ones.

        What still runs then is interrupted and stays queued for the next server. At the end all watches end.
        """

    async def close(self) -> None:
        """Drains without grace if that hasn't been done, then closes the store."""

    async def submit(self, spec: job_pb2.JobSpec, request_id: str = "", *, principal: str = "") -> Submission:
        """Accepts a job; when this returns, it survives a crash.

        Raises:
            ServiceError: As SubmitJob's comment lists.
        """
        raise NotImplementedError

    async def validate(self, spec: job_pb2.JobSpec) -> job_pb2.Job:
        """Checks as `submit` does, and stores nothing. The job has no id."""
        raise NotImplementedError

    async def run(
        self,
        spec: job_pb2.JobSpec,
        request_id: str = "",
        *,
        heartbeat_interval: float | None = None,
        principal: str = "",
    ) -> Watch:
        """`submit`, then a watch of what follows, whose last event comes with the result.

        For a duplicate that is final already, the final event is told again.
        """
        raise NotImplementedError

    async def watch(
        self, job_id: str, after_sequence: int | None = None, *, heartbeat_interval: float | None = None
    ) -> Watch:
        """A job's events: those after `after_sequence`, or those still to come when it is None.

        `heartbeat_interval` is in seconds, 30 when None.

        Raises:
            ServiceError: JOB_NOT_FOUND, EVENTS_COMPACTED, OPTION_INVALID.
        """
        raise NotImplementedError

    async def get(self, job_id: str, *, wait: float = 0.0, if_sequence_after: int = 0) -> job_pb2.Job:
        """A job. With `wait`, up to so many seconds later: once it is past `if_sequence_after`, or final."""
        raise NotImplementedError

    async def list_jobs(self, request: job_service_pb2.ListJobsRequest) -> job_service_pb2.ListJobsResponse:
        """A page of jobs, the newest first."""
        raise NotImplementedError

    async def cancel(self, job_id: str, reason: str = "") -> job_pb2.Job:
        """Asks a job to stop. When this returns with `cancel_requested` and no final status, it will be
        CANCELLED.
        """
        raise NotImplementedError

    async def delete(self, job_id: str) -> None:
        """Removes a final job with its events and result."""
        raise NotImplementedError

    async def read_result(self, request: job_service_pb2.ReadResultRequest) -> ResultReading:
        """Opens one part of a result for reading."""
        raise NotImplementedError

    @property
    def queued_jobs(self) -> int:
        """Jobs that wait."""
        raise NotImplementedError

    @property
    def running_jobs(self) -> int:
        """Jobs that run."""
        raise NotImplementedError
