"""How the blocking client calls and listens: by threads."""

from __future__ import annotations

import functools
import queue
import threading
from collections.abc import Callable, Generator
from typing import Any, TypeVar

import grpc
from basicaer.client import _errors as errors
from basicaer.client._times import given_seconds
from basicaer.client._wire_errors import error_from_rpc
from basicaer.client.transport import _run_stream
from basicaer.client.transport._calls import Calls, Subscription
from basicaer.client.transport._channel import ChannelOptions, new_channel
from basicaer.client.transport._ends import close_at_exit, close_channel, soon
from basicaer.client.transport._retry import Deadline
from basicaer.client.transport._tracing import trace_metadata
from basicaer.client.transport._watch import (
    Ended,
    Failed,
    Reply,
)
from basicaer.v1 import job_pb2, job_service_pb2, job_service_pb2_grpc

__all__ = ["ThreadSubscription", "Transport", "finished"]

R = TypeVar("R")


class Transport(Calls):
    """A connection to one server, for any number of threads."""

    def __init__(
        self,
        address: str,
        timeout: float,
        max_outage: float | None,
        credentials: grpc.ChannelCredentials | None,
        options: ChannelOptions,
    ) -> None:
        self.timeout = given_seconds("timeout", timeout)
        self.max_outage = given_seconds("max_outage", max_outage)
        self._closed = threading.Event()
        self._run_streams = threading.Semaphore(_run_stream.RUN_STREAMS)
        self._channel = new_channel(address, credentials, options)
        self._stub = job_service_pb2_grpc.JobServiceStub(self._channel)
        self._read_result: Any = self._channel.unary_stream(
            "/basicaer.v1.JobService/ReadResult",
            request_serializer=job_service_pb2.ReadResultRequest.SerializeToString,
        )
        close_at_exit(self)

    @property
    def stub(self) -> job_service_pb2_grpc.JobServiceStub:
        return self._stub

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed.is_set()

    def close(self) -> None:
        """End every call, and wake whoever pauses between two of them."""
        self._closed.set()
        close_channel(self._channel)

    def _check_caller(self) -> None:
        # Any thread may go on with what another one began.
        pass

    def _subscription(self) -> Subscription:
        return ThreadSubscription(self)

    def _run(self, request: job_service_pb2.SubmitJobRequest) -> Subscription | None:
        if not self._run_streams.acquire(blocking=False):
            return None
        subscription = ThreadSubscription(self)
        subscription.run(request, self._run_streams.release)
        return subscription

    def _reader(self) -> Any:
        return self._read_result

    def _unless_closed(self, begin: Callable[[], R]) -> R:
        """Begin a call; a closed channel's bare ValueError becomes the client's own error."""
        self.check()
        try:
            return begin()
        except ValueError:
            self.check()
            raise

    def _pause(self, seconds: float) -> None:
        self._closed.wait(seconds)
        self.check()

    def check(self) -> None:
        """Make sure that the connection is open.

        Raises:
            ClientClosedError: The provider is closed.
        """
        if self._closed.is_set():
            raise errors.ClientClosedError("The provider is closed.")


class ThreadSubscription(Subscription):
    """At most one stream or long poll at a time, whose replies wait in an inbox until the flow asks for them.

    A helper thread drains the stream, so how long the flow waits for a reply never depends on the server.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._inbox: queue.SimpleQueue[tuple[int, Reply]] = queue.SimpleQueue()
        self._generation = 0
        self._permits = threading.Semaphore(0)
        self._cancel: Callable[[], object] = _nothing

    def run(self, request: job_service_pb2.SubmitJobRequest, ended: Callable[[], object]) -> None:
        """Submit a job and begin the stream of its events; `ended` is called when that is over.

        With the final event comes `result`, if it's small. Of a channel that was closed, the stream fails.
        """
        run = _run_stream.run_request(request)
        metadata = trace_metadata()
        try:
            call = self._transport._unless_closed(lambda: self._transport.stub.RunJob(run, metadata=metadata))
        except BaseException:
            ended()
            raise
        self._begin(self._events(call), call.cancel, ended)

    def latest(self, job: job_pb2.Job) -> job_pb2.Job:
        """Return a run's job as its stream has told of it by now; what was taken in doesn't come again."""
        found = job_pb2.Job()
        found.CopyFrom(job)
        while not self._inbox.empty():
            generation, reply = self._inbox.get()
            if not isinstance(reply, job_service_pb2.WatchJobResponse):
                self._inbox.put((generation, reply))  # the stream's end, after which nothing comes
                break
            self._permits.release()
            _run_stream.take_in(found, reply.event)
        return found

    def open(self, request: job_service_pb2.WatchJobRequest, timeout: float | None) -> None:
        """Begin a stream."""
        self.close()
        stub = self._transport.stub
        call = self._transport._unless_closed(lambda: stub.WatchJob(request, timeout=timeout))
        self._begin(call, call.cancel, _nothing)

    def ask(self, request: job_service_pb2.GetJobRequest, timeout: float) -> None:
        """Begin a long poll."""
        self.close()
        stub, generation = self._transport.stub, self._generation
        future = self._transport._unless_closed(lambda: stub.GetJob.future(request, timeout=timeout))
        self._cancel = future.cancel

        def answered(call: grpc.Future[job_service_pb2.GetJobResponse]) -> None:
            try:
                self._inbox.put((generation, call.result()))
            except grpc.RpcError as error:
                self._inbox.put((generation, Failed(error_from_rpc(error))))
            except grpc.FutureCancelledError:
                pass

        future.add_done_callback(answered)

    def receive(self, timeout: float | None) -> Reply:
        """Return the next reply of the present call; None after `timeout` seconds."""
        until = Deadline(timeout)
        while True:
            try:
                generation, reply = self._inbox.get(timeout=until.remaining())
            except queue.Empty:
                return None
            if generation == self._generation:
                self._permits.release()
                return reply

    def close(self) -> None:
        """Drop the present call, and whatever it still says."""
        self._generation += 1
        self._cancel()
        self._cancel = _nothing

    def drop(self) -> None:
        self.close()

    def ender(self) -> Callable[[], object]:
        """Return what ends the present call, for the garbage collector to call."""
        return functools.partial(soon(), self.close)

    def _begin(self, messages: Any, cancel_call: Callable[[], object], ended: Callable[[], object]) -> None:
        """Let a thread drain a stream until it ends or the connection is closed."""
        permits = threading.Semaphore(_run_stream.AHEAD)
        self._permits = permits

        def cancel() -> None:
            cancel_call()
            permits.release()

        self._cancel = cancel
        threading.Thread(
            target=self._drain,
            args=(messages, permits, self._generation, ended),
            name="basicaer-watch",
            daemon=True,
        ).start()

    def _events(self, call: Any) -> Generator[job_service_pb2.WatchJobResponse, None, None]:
        """Yield a run's messages as a watch's, and keep the result."""
        for message in call:
            if message.HasField("result"):
                self.result = message.result
            yield _run_stream.watch_message(message)

    def _drain(
        self, messages: Any, permits: threading.Semaphore, generation: int, ended: Callable[[], object]
    ) -> None:
        """Move a stream's messages to the inbox, a few ahead of the reader."""
        try:
            for message in messages:
                self._inbox.put((generation, message))
                permits.acquire()
            self._inbox.put((generation, Ended()))
        except grpc.RpcError as error:
            self._inbox.put((generation, Failed(error_from_rpc(error))))
        finally:
            ended()


def _nothing() -> None:
    """Stands for what there is no need to do."""


def finished(answer: object) -> None:
    """Do nothing: what a callback has returned is no work that is left."""
