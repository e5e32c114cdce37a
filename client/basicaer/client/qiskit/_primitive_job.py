"""A job of the native primitives: Qiskit's interface over the client's own job."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from basicaer.client._job import BasicAerJob
from basicaer.client._result import Result
from basicaer.client.qiskit._errors import translated
from qiskit.primitives import BasePrimitiveJob, PrimitiveResult
from qiskit.providers import JobStatus

__all__ = ["BasicAerPrimitiveJob"]

R = TypeVar("R")


class BasicAerPrimitiveJob(BasePrimitiveJob, Generic[R]):  # type: ignore[misc]  # Qiskit has no types
    """What `run` of a primitive returns; all of its PUBs are one job of the server."""

    def __init__(self, job: BasicAerJob, read: Callable[[Result], PrimitiveResult[R]]) -> None:
        """Takes the client's job, and how its result is read."""
        super().__init__(job.job_id())
        self._job = job
        self._read = read
        self._primitive_result: PrimitiveResult[R] | None = None

    def result(self, timeout: float | None = None) -> PrimitiveResult[R]:
        """Waits for the job, without polling, and returns one entry for each PUB.

        Raises: JobTimeoutError after `timeout` seconds; JobError with the server's cause when the job failed
        or was cancelled.
        """
        if self._primitive_result is None:
            with translated():
                self._primitive_result = self._read(self._job.result(timeout))
        return self._primitive_result

    def status(self) -> JobStatus:
        """Returns where the job stands, as Qiskit's JobStatus."""
        with translated():
            return JobStatus[self._job.status().name]

    def done(self) -> bool:
        """Returns whether the job is DONE."""
        with translated():
            return self._job.done()

    def running(self) -> bool:
        """Returns whether the job is RUNNING."""
        with translated():
            return self._job.running()

    def cancelled(self) -> bool:
        """Returns whether the job is CANCELLED."""
        with translated():
            return self._job.cancelled()

    def in_final_state(self) -> bool:
        """Returns whether the job is CANCELLED, DONE or ERROR."""
        with translated():
            return self._job.in_final_state()

    def cancel(self) -> bool:
        """Asks for the job to be stopped; returns True only if it is, or will be, CANCELLED."""
        with translated():
            return self._job.cancel()

    def wait_for_final_state(self, timeout: float | None = None) -> None:
        """Waits until the job is CANCELLED, DONE or ERROR, and raises for none of these.

        Raises: JobTimeoutError after `timeout` seconds.
        """
        with translated():
            self._job.wait_for_final_state(timeout)
