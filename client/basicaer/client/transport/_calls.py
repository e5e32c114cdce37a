# Made of _async_calls.py by `make blocking`; edit that.

"""What is asked of a server as long as it takes: calls that are repeated, waits that resume, whole results.

How one call is made, and how its replies are waited for, is a transport's own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator
from typing import Any, TypeVar

import grpc
import numpy as np
import numpy.typing as npt
from basicaer.client import _errors as errors
from basicaer.client._wire_errors import error_from_rpc
from basicaer.client.transport import _run_stream
from basicaer.client.transport._chunks import Download
from basicaer.client.transport._retry import Deadline, Retry
from basicaer.client.transport._tracing import trace_metadata
from basicaer.client.transport._watch import (
    Ask,
    Close,
    Command,
    Failed,
    Notice,
    Open,
    Receive,
    Reply,
    WatchFlow,
)
from basicaer.v1 import job_pb2, job_service_pb2, job_service_pb2_grpc, result_pb2

__all__ = ["Calls", "Subscription"]

Q = TypeVar("Q")
R = TypeVar("R")


class Subscription(ABC):
    """One stream or long poll at a time, whose replies wait in an inbox until the flow asks for them."""

    # That of a submitted job, if it came with the final event.
    result: result_pb2.Result | None = None

    @abstractmethod
    def latest(self, job: job_pb2.Job) -> job_pb2.Job:
        """Return a run's job as its stream has told of it by now; what was taken in doesn't come again."""

    @abstractmethod
    def open(self, request: job_service_pb2.WatchJobRequest, timeout: float | None) -> None:
        """Begin a stream."""

    @abstractmethod
    def ask(self, request: job_service_pb2.GetJobRequest, timeout: float) -> None:
        """Begin a long poll."""

    @abstractmethod
    def receive(self, timeout: float | None) -> Reply:
        """Return the next reply of the present call; None after `timeout` seconds."""

    @abstractmethod
    def close(self) -> None:
        """Drop the present call, and whatever it still says."""

    @abstractmethod
    def drop(self) -> None:
        """Let the present call end, without waiting for that."""

    @abstractmethod
    def ender(self) -> Callable[[], object]:
        """Return what ends the present call, for the garbage collector to call."""


class Calls(ABC):
    """A connection's calls. `timeout` is for each with its repetitions, `max_outage` for waits (seconds)."""

    timeout: float | None
    max_outage: float | None

    @property
    @abstractmethod
    def stub(self) -> job_service_pb2_grpc.JobServiceStub:
        """The calls of the service."""

    @abstractmethod
    def check(self) -> None:
        """Make sure that the connection is open, and that this caller may use it.

        Raises:
            ClientClosedError: The provider is closed.
        """

    @abstractmethod
    def _check_caller(self) -> None:
        """Make sure that this caller may use the connection, open or closed."""

    @abstractmethod
    def _subscription(self) -> Subscription:
        """Return one that has no call yet."""

    @abstractmethod
    def _run(self, request: job_service_pb2.SubmitJobRequest) -> Subscription | None:
        """Submit a job and begin the stream of its events; None when too many streams go on."""

    @abstractmethod
    def _reader(self) -> Any:
        """Return the call ReadResult, whose messages stay bytes."""

    @abstractmethod
    def _unless_closed(self, begin: Callable[[], R]) -> R:
        """Make a call; what gRPC raises because `close` came is our own error."""

    @abstractmethod
    def _pause(self, seconds: float) -> None:
        """Wait between two calls, no longer than until `close`.

        Raises:
            ClientClosedError: It came.
        """

    def call(self, method: grpc.UnaryUnaryMultiCallable[Q, R], request: Q, timeout: float | None = None) -> R:
        """Call, and repeat the call while the server is away, for `timeout` seconds or the default.

        Raises:
            BasicAerError: That of the last try.
        """
        retry = Retry(Deadline(self.timeout if timeout is None else timeout))
        metadata = trace_metadata()
        while True:
            try:
                return self._unless_closed(
                    lambda: method(request, timeout=retry.timeout(), metadata=metadata)
                )
            except grpc.RpcError as error:
                self._pause(retry.pause(self._translate(error)))

    def submit(
        self, request: job_service_pb2.SubmitJobRequest, timeout: float | None = None
    ) -> tuple[job_pb2.Job, Subscription | None]:
        """Submit a job by RunJob; return it as it was accepted, and the stream of its events.

        The job comes without a stream, by SubmitJob, when many streams wait or streams don't get through. All
        tries together take at most `timeout` seconds or the default; the request's id makes them one job.

        Raises:
            BasicAerError: That of the last try.
        """
        retry = Retry(Deadline(self.timeout if timeout is None else timeout))
        while (subscription := self._run(request)) is not None:
            try:
                reply = subscription.receive(retry.deadline.within(_run_stream.PATIENCE))
            except BaseException:
                subscription.drop()
                raise
            if isinstance(reply, job_service_pb2.WatchJobResponse) and reply.HasField("job"):
                return reply.job, subscription
            subscription.close()
            if not isinstance(reply, Failed) or isinstance(reply.error, errors.ProtocolError):
                break
            self.check()
            retry.timeout()
            self._pause(retry.pause(reply.error))
        answer = self.call(self.stub.SubmitJob, request, retry.timeout())
        return answer.job, None

    def watch(
        self, flow: WatchFlow, subscription: Subscription | None = None
    ) -> Generator[Notice, None, None]:
        """Yield a flow's notices. Closing the iterator closes the stream, never the job.

        `subscription` has the stream that a flow with `begun` goes on with.
        """
        subscription = subscription or self._subscription()
        steps: Generator[Command, Reply, None] = flow.run()
        reply: Reply = None
        try:
            while True:
                # The iterator may have been begun by another one.
                self._check_caller()
                try:
                    command = steps.send(reply)
                except StopIteration:
                    return
                reply = None
                match command:
                    case Open(request, timeout):
                        subscription.open(request, timeout)
                    case Ask(request, timeout):
                        subscription.ask(request, timeout)
                    case Receive(timeout):
                        reply = subscription.receive(timeout)
                        self.check()
                    case Close():
                        subscription.close()
                    case notice:
                        yield notice
        finally:
            steps.close()
            subscription.close()

    def read(self, job_id: str, part: str, deadline: Deadline) -> npt.NDArray[np.generic]:
        """Read a part of a result, across as many breaks as the deadline allows."""
        download = Download(job_id, part, deadline, self.max_outage)
        while not download.complete:
            failure: errors.BasicAerError | None = None
            try:
                self._unless_closed(lambda: self._read_some(download))
            except grpc.RpcError as error:
                failure = self._translate(error)
            except errors.ChecksumError as error:
                failure = error
            if not download.complete:
                self._pause(download.failed(failure))
        return download.array()

    def _read_some(self, download: Download) -> None:
        """Read from one stream until it ends or fails."""
        call = self._reader()(download.request(), timeout=download.timeout())
        try:
            for message in call:
                download.feed(message)
        finally:
            call.cancel()

    def _translate(self, error: grpc.RpcError) -> errors.BasicAerError:
        self.check()
        return error_from_rpc(error)
