"""What a job on a server can be asked: the members of Qiskit's BasicAerJob, and more."""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import AsyncGenerator, Callable
from typing import Any, Self

import numpy.typing as npt
from basicaer.client import _errors as errors
from basicaer.client._diagnostics import Diagnostics, diagnostics_from_message
from basicaer.client._status import JobEvent, JobStatus, Progress, status_from_message
from basicaer.client.jobs import _base, _requests
from basicaer.client.results._result import Result
from basicaer.client.transport._async_calls import AsyncSubscription
from basicaer.client.transport._async_transport import AsyncTransport, finished
from basicaer.client.transport._retry import GLANCE, Deadline
from basicaer.client.transport._tracing import submission_span
from basicaer.v1 import job_pb2, job_service_pb2, result_pb2

__all__ = ["AsyncJobCalls"]


class AsyncJobCalls(_base.JobBase):
    """A job's methods: all but `backend`, whose type this module needn't know."""

    def __init__(
        self,
        transport: AsyncTransport,
        backend: _base.BackendBase,
        job_id: str | None,
        result: Result | None,
        **metadata: Any,
    ) -> None:
        super().__init__(backend, job_id, result, **metadata)
        self._transport = transport
        # The stream that came with the submission, until a wait takes it; a list, since its pop is atomic.
        self._streams: list[AsyncSubscription] = []
        self._inline: result_pb2.Result | None = None

    async def submit(self, timeout: float | None = None) -> None:
        """Submit a job that `backend.new_job()` made.

        Raises:
            JobError: The job was submitted already.
            BasicAerError: As by `backend.run()`.
        """
        request = self._to_submit()
        with submission_span(request.spec.backend_name):
            job, stream = await self._transport.submit(request, timeout)
        self._accept(job)
        if stream is not None:
            self._streams.append(stream)
            # Nobody can wait for a job whose handle is gone.
            weakref.finalize(self, stream.ender()).atexit = False

    async def status(self) -> JobStatus:
        """Return where the job stands."""
        known = self._known_status()
        if known is not None:
            return known
        job = await self._fetch()
        return status_from_message(job.status)

    async def done(self) -> bool:
        """Return whether the job is DONE."""
        return await self.status() is JobStatus.DONE

    async def running(self) -> bool:
        """Return whether the job is RUNNING."""
        return await self.status() is JobStatus.RUNNING

    async def cancelled(self) -> bool:
        """Return whether the job is CANCELLED."""
        return await self.status() is JobStatus.CANCELLED

    async def in_final_state(self) -> bool:
        """Return whether the job is CANCELLED, DONE or ERROR."""
        status = await self.status()
        return status.final

    async def cancel(self, reason: str = "") -> bool:
        """Ask for the job to be stopped; return True only if it is, or will be, CANCELLED."""
        known = self._known_status()
        if known is not None:
            return known is JobStatus.CANCELLED
        request = _requests.cancel_request(self.job_id(), reason)
        answer = await self._transport.call(self._transport.stub.CancelJob, request)
        return self._cancelled_by(answer.job)

    async def wait_for_final_state(
        self,
        timeout: float | None = None,
        wait: float = 5,
        callback: Callable[[str, JobStatus, Self], object] | None = None,
    ) -> None:
        """Wait until the job is CANCELLED, DONE or ERROR, and raise for none of these.

        `callback(job_id, status, job)` is called at once on each change to a status that isn't final, and at
        least every `wait` seconds, whatever the network does; what it returns is awaited if it can be. An
        exception of it ends the wait and reaches the caller.

        Raises:
            JobTimeoutError: After `timeout` seconds, reconnects included; with 0, at once for a live job.
        """
        await self._wait(Deadline(timeout), wait, callback)

    async def result(self, timeout: float | None = None, *, arrays: bool = True) -> Result:
        """Wait for the job, and return its result, which is read once and kept.

        Without `arrays`, large arrays stay on the server, to be read one by one with `read_array`.

        Raises:
            JobTimeoutError: After `timeout` seconds.
            JobFailedError: With the server's cause.
            JobCancelledError: With the server's cause.
        """
        deadline = Deadline(timeout)
        if self._result is None:
            await self._wait(deadline)
            self._check_done()
            result = await self._read_result(deadline.for_reading(), arrays)
            if not arrays:
                return result
            self._result = result
        return self._result

    async def partial_result(self, timeout: float | None = None) -> Result:
        """Wait for the job, and return what there is, even if some of its programs failed.

        Raises:
            JobTimeoutError: After `timeout` seconds.
            ResultUnavailableError: No program ran.
        """
        deadline = Deadline(timeout)
        await self._wait(deadline)
        return self._result or await self._read_result(deadline.for_reading(), arrays=True)

    async def read_array(self, experiment: int, name: str, timeout: float | None = None) -> npt.NDArray[Any]:
        """Return one array of a final job's result: "statevector", "unitary" or "memory" of an experiment.

        Raises:
            ResultError: There is none.
            ResultNotReadyError: The job isn't final.
            JobTimeoutError: After `timeout` seconds.
        """
        deadline = Deadline(timeout)
        array = _base.part_of(await self._read_message(deadline), experiment, name)
        found: npt.NDArray[Any] = await self._transport.read(self.job_id(), array.part, deadline)
        return found

    async def events(
        self, after_sequence: int | None = None, *, timeout: float | None = None
    ) -> AsyncGenerator[JobEvent, None]:
        """Yield what happens to the job up to its final event, across restarts of the server.

        Every change of status comes exactly once, from the first one or from the one after `after_sequence`.

        Raises:
            JobTimeoutError: After `timeout` seconds.
            EventsCompactedError: Those after `after_sequence` are no longer kept (without it, the stream
                begins with the oldest that is).
        """
        flow = self._flow(Deadline(timeout), after_sequence or 0, strict=after_sequence is not None)
        async with contextlib.aclosing(self._transport.watch(flow)) as notices:
            async for notice in notices:
                self._note(notice)
                if isinstance(notice, JobEvent):
                    yield notice

    async def progress(self) -> Progress | None:
        """Return how far the job is; None unless it's running."""
        return None if self._final else _base.progress_of(await self._fetch())

    async def queue_position(self) -> int | None:
        """Return how many jobs are ahead of it; None unless it waits."""
        return None if self._final else _base.queue_position_of(await self._fetch())

    async def labels(self) -> dict[str, str]:
        """Return the labels that the job was submitted with."""
        return dict((self._job or await self._fetch()).labels)

    async def warnings(self) -> Diagnostics:
        """Return what is doubtful in the texts of the job's programs."""
        return diagnostics_from_message((self._job or await self._fetch()).warnings)

    async def error(self) -> errors.JobError | None:
        """Return why the job failed or was cancelled, as the error that `result` raises; None otherwise."""
        if self._final is None:
            await self._fetch()
        return self._final.error if self._final else None

    async def delete(self) -> None:
        """Remove the final job, its events and its result from the server.

        Raises:
            JobNotFinalError: The job isn't final.
        """
        await self._transport.call(
            self._transport.stub.DeleteJob, job_service_pb2.DeleteJobRequest(job_id=self.job_id())
        )

    async def _fetch(self, timeout: float | None = None) -> job_pb2.Job:
        answer = await self._transport.call(self._transport.stub.GetJob, self._get_request(), timeout)
        return self._accept(answer.job)

    async def _wait(
        self,
        deadline: Deadline,
        wait: float = 5,
        callback: Callable[[str, JobStatus, Self], object] | None = None,
    ) -> None:
        """Wait until `_final` is known, or needn't be since the result is there."""
        tick = _base.tick_of(wait) if callback else None
        if self._known_status() is not None and self._job_id is not None:
            return
        if deadline.expired:
            try:
                await self._fetch(GLANCE)
            except errors.TransportError as error:
                raise self._timeout_error() from error
            if self._final is None:
                raise self._timeout_error()
            return
        self._transport.check()
        stream = self._stream()
        begun = self._begun(stream.latest(self._job)) if stream and self._job else None
        flow = self._flow(deadline, None, tick=tick, begun=begun)
        async with contextlib.aclosing(self._transport.watch(flow, stream)) as notices:
            async for notice in notices:
                status = self._note(notice)
                if callback is not None and status is not None and not status.final:
                    await finished(callback(self.job_id(), status, self))
        self._inline = stream.result if stream else None

    def _stream(self) -> AsyncSubscription | None:
        """Take the stream that the job was submitted by, if nobody has."""
        try:
            return self._streams.pop()
        except IndexError:
            return None

    async def _read_message(self, deadline: Deadline) -> result_pb2.Result:
        if self._final is not None and (stream := self._stream()) is not None:
            # The job had ended by the time it was accepted, and its result came along.
            self._inline = stream.result
        if self._inline is not None:
            return self._inline
        data = await self._transport.read(self.job_id(), "", deadline)
        return _base.result_from_bytes(data.tobytes())

    async def _read_result(self, deadline: Deadline, arrays: bool) -> Result:
        message = await self._read_message(deadline)
        parts: dict[str, npt.NDArray[Any] | None] = dict.fromkeys(_base.large_parts(message))
        if arrays:
            for part in parts:
                parts[part] = await self._transport.read(self.job_id(), part, deadline)
        return Result(message, parts, self._circuit_metadata)
