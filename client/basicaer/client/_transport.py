"""The sync client's only contact with gRPC: calls, streams of events, and parts of results."""

from __future__ import annotations

import functools
import queue
import threading
from collections.abc import Callable, Generator
from typing import Any, TypeVar

import grpc
import numpy as np
import numpy.typing as npt
from basicaer.client import _errors as errors
from basicaer.client._channel import ChannelOptions, channel_options
from basicaer.client._chunks import Download
from basicaer.client._retry import Deadline, Retry
from basicaer.client._watch import Ask, Close, Command, Ended, Failed, Notice, Open, Receive, Reply, WatchFlow
from basicaer.client._wire_errors import error_from_rpc
from basicaer.v1 import job_service_pb2, job_service_pb2_grpc

__all__ = ["Transport"]

Q = TypeVar("Q")
R = TypeVar("R")

# Messages that a stream may be ahead of its reader; beyond it the server holds back, and coalesces progress.
_AHEAD = 16


class Transport:
    """A connection to one server, for any number of threads."""

    def __init__(
        self,
        address: str,
        timeout: float,
        max_outage: float | None,
        credentials: grpc.ChannelCredentials | None,
        options: ChannelOptions,
    ) -> None:
        self.timeout = timeout
        self.max_outage = max_outage
        self._closed = threading.Event()
        settings = channel_options(address, options)
        self._channel = (
            grpc.insecure_channel(address, settings)
            if credentials is None
            else grpc.secure_channel(address, credentials, settings)
        )
        self.stub = job_service_pb2_grpc.JobServiceStub(self._channel)
        self._read_result: Any = self._channel.unary_stream(
            "/basicaer.v1.JobService/ReadResult",
            request_serializer=job_service_pb2.ReadResultRequest.SerializeToString,
        )

    def close(self) -> None:
        """Ends every call, and wakes whoever pauses between two of them."""
        self._closed.set()
        self._channel.close()

    def call(self, method: grpc.UnaryUnaryMultiCallable[Q, R], request: Q, timeout: float | None = None) -> R:
        """Calls, and repeats the call while the server is away, for `timeout` seconds or the default.

        Raises: the error of the last try.
        """
        retry = Retry(Deadline(self.timeout if timeout is None else timeout))
        while True:
            try:
                return self._start(lambda: method(request, timeout=retry.timeout()))
            except grpc.RpcError as error:
                self._pause(retry.pause(self._translate(error)))

    def watch(self, flow: WatchFlow) -> Generator[Notice, None, None]:
        """Yields a flow's notices. Closing the iterator closes the stream, never the job."""
        connection = _Connection(self)
        steps: Generator[Command, Reply, None] = flow.run()
        reply: Reply = None
        try:
            while True:
                try:
                    command = steps.send(reply)
                except StopIteration:
                    return
                reply = None
                match command:
                    case Open(request, timeout):
                        connection.open(request, timeout)
                    case Ask(request, timeout):
                        connection.ask(request, timeout)
                    case Receive(timeout):
                        reply = connection.receive(timeout)
                        self._check_open()
                    case Close():
                        connection.close()
                    case notice:
                        yield notice
        finally:
            steps.close()
            connection.close()

    def read(self, job_id: str, part: str, deadline: Deadline) -> npt.NDArray[np.generic]:
        """Reads a part of a result, across as many breaks as the deadline allows."""
        download = Download(job_id, part, deadline, self.max_outage)
        while not download.complete:
            begin = functools.partial(self._read_result, download.request(), timeout=download.timeout())
            call = self._start(begin)
            failure: errors.BasicAerError | None = None
            try:
                for message in call:
                    download.feed(message)
            except grpc.RpcError as error:
                failure = self._translate(error)
            except errors.ChecksumError as error:
                failure = error
            finally:
                call.cancel()
            if not download.complete:
                self._pause(download.failed(failure))
        return download.array()

    def _start(self, begin: Callable[[], R]) -> R:
        """Begins a call; a closed channel's bare ValueError becomes the client's own error."""
        self._check_open()
        try:
            return begin()
        except ValueError:
            self._check_open()
            raise

    def _pause(self, seconds: float) -> None:
        self._closed.wait(seconds)
        self._check_open()

    def _check_open(self) -> None:
        if self._closed.is_set():
            raise errors.ClientClosedError("The provider is closed.")

    def _translate(self, error: grpc.RpcError) -> errors.BasicAerError:
        self._check_open()
        return error_from_rpc(error)


class _Connection:
    """At most one stream or long poll at a time, whose replies wait in an inbox until the flow asks for them.

    A helper thread drains the stream, so how long the flow waits for a reply never depends on the server.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._inbox: queue.SimpleQueue[tuple[int, Reply]] = queue.SimpleQueue()
        self._generation = 0
        self._permits = threading.Semaphore(0)
        self._cancel: Callable[[], object] = _nothing

    def open(self, request: job_service_pb2.WatchJobRequest, timeout: float | None) -> None:
        """Begins a stream."""
        self.close()
        stub = self._transport.stub
        call = self._transport._start(lambda: stub.WatchJob(request, timeout=timeout))
        permits = threading.Semaphore(_AHEAD)
        self._permits = permits

        def cancel() -> None:
            call.cancel()
            permits.release()

        self._cancel = cancel
        threading.Thread(
            target=self._drain, args=(call, permits, self._generation), name="basicaer-watch", daemon=True
        ).start()

    def ask(self, request: job_service_pb2.GetJobRequest, timeout: float) -> None:
        """Begins a long poll."""
        self.close()
        stub, generation = self._transport.stub, self._generation
        future = self._transport._start(lambda: stub.GetJob.future(request, timeout=timeout))
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
        """Returns the next reply of the present call; None after `timeout` seconds."""
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
        """Drops the present call, and whatever it still says."""
        self._generation += 1
        self._cancel()
        self._cancel = _nothing

    def _drain(self, call: Any, permits: threading.Semaphore, generation: int) -> None:
        """Moves a stream's messages to the inbox, a few ahead of the reader."""
        try:
            for message in call:
                self._inbox.put((generation, message))
                permits.acquire()
            self._inbox.put((generation, Ended()))
        except grpc.RpcError as error:
            self._inbox.put((generation, Failed(error_from_rpc(error))))


def _nothing() -> None:
    """Stands for the cancelling of no call."""
