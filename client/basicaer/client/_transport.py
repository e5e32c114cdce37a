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
from basicaer.client import _run_stream
from basicaer.client._channel import ChannelOptions, channel_options
from basicaer.client._chunks import Download
from basicaer.client._retry import Deadline, Retry
from basicaer.client._tracing import trace_metadata
from basicaer.client._watch import (
    Ask,
    Close,
    Command,
    Ended,
    Failed,
    Notice,
    Open,
    Receive,
    Reply,
    WatchFlow,
)
from basicaer.client._wire_errors import error_from_rpc
from basicaer.v1 import job_pb2, job_service_pb2, job_service_pb2_grpc, result_pb2

__all__ = ["Connection", "Transport"]

Q = TypeVar("Q")
R = TypeVar("R")


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
        self._run_streams = threading.Semaphore(_run_stream.RUN_STREAMS)
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
        metadata = trace_metadata()
        while True:
            try:
                return self._start(lambda: method(request, timeout=retry.timeout(), metadata=metadata))
            except grpc.RpcError as error:
                self._pause(retry.pause(self._translate(error)))

    def submit(
        self, request: job_service_pb2.SubmitJobRequest, timeout: float | None = None
    ) -> tuple[job_pb2.Job, Connection | None]:
        """Submits a job by RunJob; returns it as it was accepted, and the stream of its events.

        The job comes without a stream, by SubmitJob, when many streams wait or streams don't get through. All
        tries together take at most `timeout` seconds or the default; the request's id makes them one job.

        Raises: the error of the last try.
        """
        retry = Retry(Deadline(self.timeout if timeout is None else timeout))
        while self._run_streams.acquire(blocking=False):
            connection = Connection(self)
            connection.run(request, self._run_streams.release)
            reply = connection.receive(retry.deadline.within(_run_stream.PATIENCE))
            if isinstance(reply, job_service_pb2.WatchJobResponse) and reply.HasField("job"):
                return reply.job, connection
            connection.close()
            if not isinstance(reply, Failed) or isinstance(reply.error, errors.ProtocolError):
                break
            self._check_open()
            retry.timeout()
            self._pause(retry.pause(reply.error))
        return self.call(self.stub.SubmitJob, request, retry.timeout()).job, None

    def watch(self, flow: WatchFlow, connection: Connection | None = None) -> Generator[Notice, None, None]:
        """Yields a flow's notices. Closing the iterator closes the stream, never the job.

        `connection` has the stream that a flow with `begun` goes on with.
        """
        connection = connection or Connection(self)
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


class Connection:
    """At most one stream or long poll at a time, whose replies wait in an inbox until the flow asks for them.

    A helper thread drains the stream, so how long the flow waits for a reply never depends on the server.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._inbox: queue.SimpleQueue[tuple[int, Reply]] = queue.SimpleQueue()
        self._generation = 0
        self._permits = threading.Semaphore(0)
        self._cancel: Callable[[], object] = _nothing
        self.result: result_pb2.Result | None = None

    def run(self, request: job_service_pb2.SubmitJobRequest, ended: Callable[[], object]) -> None:
        """Submits a job and begins the stream of its events; `ended` is called when that is over.

        With the final event comes `result`, if it's small. Of a channel that was closed, the stream fails.
        """
        run = _run_stream.run_request(request)
        metadata = trace_metadata()
        try:
            call = self._transport._start(lambda: self._transport.stub.RunJob(run, metadata=metadata))
        except BaseException:
            ended()
            raise
        self._begin(self._events(call), call.cancel, ended)

    def latest(self, job: job_pb2.Job) -> job_pb2.Job:
        """Returns a run's job as its stream has told of it by now; what was taken in doesn't come again."""
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
        """Begins a stream."""
        self.close()
        stub = self._transport.stub
        call = self._transport._start(lambda: stub.WatchJob(request, timeout=timeout))
        self._begin(call, call.cancel, _nothing)

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

    def _begin(self, messages: Any, cancel_call: Callable[[], object], ended: Callable[[], object]) -> None:
        """Lets a thread drain a stream until it ends or the connection is closed."""
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
        """Yields a run's messages as a watch's, and keeps the result."""
        for message in call:
            if message.HasField("result"):
                self.result = message.result
            yield _run_stream.watch_message(message)

    def _drain(
        self, messages: Any, permits: threading.Semaphore, generation: int, ended: Callable[[], object]
    ) -> None:
        """Moves a stream's messages to the inbox, a few ahead of the reader."""
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
