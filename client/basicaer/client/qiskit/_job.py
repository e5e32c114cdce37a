"""A server's job as Qiskit's JobV1."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, Any

from basicaer.client import _errors as errors
from basicaer.client._job import BasicAerJob as PlainJob
from basicaer.client._status import JobEvent
from basicaer.client._status import JobStatus as PlainStatus
from basicaer.client.qiskit import _notebook
from basicaer.client.qiskit._errors import both, translated
from basicaer.client.qiskit._result import qiskit_result
from qiskit.providers import JobStatus, JobV1
from qiskit.result import Result

if TYPE_CHECKING:
    from basicaer.client.qiskit._backend import BasicAerBackend

__all__ = ["BasicAerJob"]


class BasicAerJob(JobV1):  # type: ignore[misc]  # Qiskit has no types
    """A job on a server. Any thread may use it, and none of its methods polls.

    Every method that asks the server may raise QiskitError when that can't be reached, which says nothing
    about the job.
    """

    def __init__(
        self, backend: BasicAerBackend, job: PlainJob, metadata: Sequence[Any] | None = None
    ) -> None:
        """Takes the client's job, and the circuits' metadata, one for each experiment, where it's known."""
        super().__init__(backend, job.job_id(), **job.metadata)
        self._client = job
        self._circuit_metadata = metadata
        self._qiskit_result: Result | None = None

    @property
    def client(self) -> PlainJob:
        """The same job without Qiskit: events, single arrays, labels, deletion."""
        return self._client

    def submit(self) -> None:
        """Does nothing but raise JobError, since `backend.run` has submitted the job."""
        with translated():
            raise errors.JobError("The job was submitted already.")

    def status(self) -> JobStatus:
        """Returns where the job stands."""
        with translated():
            return _status(self._client.status())

    def cancel(self) -> bool:
        """Asks for the job to be stopped; returns True only if it is, or will be, CANCELLED."""
        with translated():
            return self._client.cancel()

    def wait_for_final_state(
        self,
        timeout: float | None = None,
        wait: float = 5,
        callback: Callable[[str, JobStatus, BasicAerJob], object] | None = None,
    ) -> None:
        """Waits until the job is CANCELLED, DONE or ERROR, and raises for none of these.

        `callback(job_id, status, job)` is called at once on each change to a status that isn't final, and at
        least every `wait` seconds.

        Raises: JobTimeoutError after `timeout` seconds.
        """
        called = None
        if callback is not None:

            def called(job_id: str, status: PlainStatus, job: PlainJob) -> None:
                callback(job_id, _status(status), self)

        with translated():
            self._client.wait_for_final_state(timeout, wait, called)

    def result(self, timeout: float | None = None) -> Result:
        """Waits for the job, and returns its result, which is read once and kept.

        When only some of the circuits failed, there is a result of the others: its `success` is False, and
        its `status` and that of each failed experiment tell the cause.

        Raises: JobTimeoutError after `timeout` seconds; JobError with the server's cause when the job was
        cancelled, or no circuit of it succeeded.
        """
        if self._qiskit_result is None:
            with translated():
                self._qiskit_result = qiskit_result(
                    self._read(timeout),
                    self._circuit_metadata,
                    counts="memory" in self.backend()._option_names,
                )
        return self._qiskit_result

    def _read(self, timeout: float | None) -> Any:
        try:
            return self._client.result(timeout)
        except errors.JobFailedError as failure:
            try:
                partial = self._client.partial_result(timeout)
            except errors.PreconditionError:
                raise failure from None
            if not any(experiment.success for experiment in partial.results):
                raise
            return partial

    def error_message(self) -> str | None:
        """Returns why the job failed or was cancelled; None when it did neither."""
        with translated():
            error = self._client.error()
        return None if error is None else both(error).message

    def queue_position(self) -> int | None:
        """Returns how many jobs are ahead of it; None unless it waits."""
        with translated():
            return self._client.queue_position()

    def events(self, timeout: float | None = None) -> Generator[JobEvent, None, None]:
        """Yields what happens to the job up to its final event: changes of status, progress, its place.

        Raises: JobTimeoutError after `timeout` seconds.
        """
        with translated():
            yield from self._client.events(timeout=timeout)

    def _repr_html_(self) -> str:
        view = _notebook.current_view(self)
        return view.markup(str(self.backend()), self.job_id())

    def _ipython_display_(self) -> None:
        """Shows the job in a notebook, where it stays up to date."""
        _notebook.show_live(self)

    def __repr__(self) -> str:
        return f"<BasicAerJob({str(self.backend())!r}, {self.job_id()!r})>"


def _status(status: PlainStatus) -> JobStatus:
    return JobStatus[status.name]
