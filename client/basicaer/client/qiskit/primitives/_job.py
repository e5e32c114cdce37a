"""A job of the native primitives: Qiskit's interface over the client's own job."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from basicaer.client._times import time_from_message
from basicaer.client.jobs._handles import Itself
from basicaer.client.jobs._provider import BasicAerBackend as PlainBackend
from basicaer.client.jobs._provider import BasicAerJob
from basicaer.client.qiskit._backend import BasicAerBackend
from basicaer.client.qiskit._errors import translated
from basicaer.client.results._result import Result
from qiskit.primitives import BasePrimitiveJob, PrimitiveResult
from qiskit.providers import JobStatus

__all__ = ["BasicAerPrimitiveJob"]

R = TypeVar("R")


class BasicAerPrimitiveJob(Itself, BasePrimitiveJob, Generic[R]):
    """What `run` of a primitive returns; all of its PUBs are one job of the server.

    A copy of it is itself; a pickled one is its id, its backend and its PUBs.
    """

    def __init__(
        self,
        backend: BasicAerBackend | PlainBackend,
        job: BasicAerJob,
        read: Callable[[Result], PrimitiveResult[R]],
    ) -> None:
        """Take the backend and the client's job, and how its result is read."""
        super().__init__(job.job_id())
        self._backend = backend
        self._job = job
        self._read = read
        self._primitive_result: PrimitiveResult[R] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._backend, self._job, self._read)

    def backend(self) -> BasicAerBackend | PlainBackend:
        """Return the backend that the job runs on."""
        return self._backend

    def result(self, timeout: float | None = None) -> PrimitiveResult[R]:
        """Wait for the job, without polling, and return one entry for each PUB.

        Raises:
            JobTimeoutError: After `timeout` seconds.
            JobError: With the server's cause when the job failed or was cancelled.
        """
        if self._primitive_result is None:
            with translated():
                self._primitive_result = self._read(self._job.result(timeout))
        return self._primitive_result

    def metrics(self) -> dict[str, Any]:
        """Return what the job took, under the names of IBM Runtime's where it has one.

        "timestamps" says when it was created, began to run and finished (text in ISO 8601, None as long as it
        hasn't); "usage" for how many seconds it ran; "num_circuits", "required_bytes", "result_size_bytes"
        and "attempt" are those of the server's job.
        """
        with translated():
            job = self._job._fetch()
            created, begun, ended = (
                time_from_message(getattr(job, name)) if job.HasField(name) else None
                for name in ("create_time", "start_time", "end_time")
            )
        return {
            "timestamps": {
                "created": created and created.isoformat(),
                "running": begun and begun.isoformat(),
                "finished": ended and ended.isoformat(),
            },
            "usage": {"seconds": (ended - begun).total_seconds() if begun and ended else 0.0},
            "num_circuits": job.num_programs,
            "required_bytes": job.required_bytes,
            "result_size_bytes": job.result_size_bytes,
            "attempt": job.attempt,
        }

    def status(self) -> JobStatus:
        """Return where the job stands, as Qiskit's JobStatus."""
        with translated():
            return JobStatus[self._job.status().name]

    def done(self) -> bool:
        """Return whether the job is DONE."""
        with translated():
            return self._job.done()

    def running(self) -> bool:
        """Return whether the job is RUNNING."""
        with translated():
            return self._job.running()

    def cancelled(self) -> bool:
        """Return whether the job is CANCELLED."""
        with translated():
            return self._job.cancelled()

    def in_final_state(self) -> bool:
        """Return whether the job is CANCELLED, DONE or ERROR."""
        with translated():
            return self._job.in_final_state()

    def cancel(self) -> bool:
        """Ask for the job to be stopped; return True only if it is, or will be, CANCELLED."""
        with translated():
            return self._job.cancel()

    def wait_for_final_state(self, timeout: float | None = None) -> None:
        """Wait until the job is CANCELLED, DONE or ERROR, and raise for none of these.

        Raises:
            JobTimeoutError: After `timeout` seconds.
        """
        with translated():
            self._job.wait_for_final_state(timeout)
