"""The asyncio client's only contact with gRPC; the twin of `_transport`."""

# ruff: noqa: ASYNC109 - a timeout here spans retries and reconnects, which asyncio.timeout() around it can't
# see

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from typing import Any, TypeVar

import grpc
import grpc.aio
import numpy as np
import numpy.typing as npt
from basicaer.client import _errors as errors
from basicaer.client import _run_stream
from basicaer.client._channel import ChannelOptions, channel_options
from basicaer.client._chunks import Download
from basicaer.client._retry import Deadline, Retry
from basicaer.client._tracing import trace_metadata
from basicaer.client._watch import Ask, Close, Command, Ended, Failed, Notice, Open, Receive, Reply, WatchFlow
from basicaer.client._wire_errors import error_from_rpc
from basicaer.v1 import job_pb2, job_service_pb2, job_service_pb2_grpc, result_pb2

__all__ = ["AsyncTransport", "Connection"]

Q = TypeVar("Q")
R = TypeVar("R")


class AsyncTransport:
    """A connection to one server, for the tasks of one event loop, in which the first call makes it."""

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
        self._address = address
        self._credentials = credentials
        self._options = channel_options(address, options)
        self._closed = asyncio.Event()
        self._channel: grpc.aio.Channel | None = None
        self._stub: job_service_pb2_grpc.JobServiceAsyncStub | None = None
        self._read_result: Any = None
        # The streams of submissions that go on.
        self._runs: set[asyncio.Task[None]] = set()

    @property
    def stub(self) -> job_service_pb2_grpc.JobServiceAsyncStub:
        """The calls of the service."""
        self._check_open()
        if self._stub is None:
            self._channel = (
                grpc.aio.insecure_channel(self._address, self._options)
                if self._credentials is None
                else grpc.aio.secure_channel(self._address, self._credentials, self._options)
            )
            self._stub = job_service_pb2_grpc.JobServiceStub(self._channel)
            self._read_result = self._channel.unary_stream(
                "/basicaer.v1.JobService/ReadResult",
                request_serializer=job_service_pb2.ReadResultRequest.SerializeToString,
            )
        return self._stub

    async def close(self) -> None:
        """Ends every call, and wakes whoever pauses between two of them."""
        self._closed.set()
        for run in self._runs:
            run.cancel()
        if self._runs:
            await asyncio.wait(self._runs)
        if self._channel is not None:
            await self._channel.close()

    async def call(
        self, method: grpc.aio.UnaryUnaryMultiCallable[Q, R], request: Q, timeout: float | None = None
    ) -> R:
        """Calls, and repeats the call while the server is away, for `timeout` seconds or the default.

        Raises: the error of the last try.
        """
        retry = Retry(Deadline(self.timeout if timeout is None else timeout))
        metadata = trace_metadata()
        while True:
            try:
                return await self._unless_closed(
                    lambda: method(request, timeout=retry.timeout(), metadata=metadata)
                )
            except grpc.RpcError as error:
                await self._pause(retry.pause(self._translate(error)))

    async def submit(
        self, request: job_service_pb2.SubmitJobRequest, timeout: float | None = None
    ) -> tuple[job_pb2.Job, Connection | None]:
        """Submits a job by RunJob; for the rest see the sync client's.

        Raises: the error of the last try.
        """
        retry = Retry(Deadline(self.timeout if timeout is None else timeout))
        while len(self._runs) < _run_stream.RUN_STREAMS:
            connection = Connection(self)
            await connection.run(request, self._runs)
            try:
                reply = await connection.receive(retry.deadline.within(_run_stream.PATIENCE))
            except asyncio.CancelledError:
                connection.drop()
                raise
            if isinstance(reply, job_service_pb2.WatchJobResponse) and reply.HasField("job"):
                return reply.job, connection
            await connection.close()
            if not isinstance(reply, Failed) or isinstance(reply.error, errors.ProtocolError):
                break
            self._check_open()
            retry.timeout()
            await self._pause(retry.pause(reply.error))
        return (await self.call(self.stub.SubmitJob, request, retry.timeout())).job, None

    async def watch(
        self, flow: WatchFlow, connection: Connection | None = None
    ) -> AsyncGenerator[Notice, None]:
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
                        await connection.open(request, timeout)
                    case Ask(request, timeout):
                        await connection.ask(request, timeout)
                    case Receive(timeout):
                        reply = await connection.receive(timeout)
                        self._check_open()
                    case Close():
                        await connection.close()
                    case notice:
                        yield notice
        finally:
            steps.close()
            await connection.close()

    async def read(self, job_id: str, part: str, deadline: Deadline) -> npt.NDArray[np.generic]:
        """Reads a part of a result, across as many breaks as the deadline allows."""
        download = Download(job_id, part, deadline, self.max_outage)
        while not download.complete:
            failure: errors.BasicAerError | None = None
            try:
                await self._unless_closed(lambda: self._read_some(download))
            except grpc.RpcError as error:
                failure = self._translate(error)
            except errors.ChecksumError as error:
                failure = error
            if not download.complete:
                await self._pause(download.failed(failure))
        return download.array()

    async def _read_some(self, download: Download) -> None:
        """Reads from one stream until it ends or fails."""
        assert self.stub is not None  # makes the channel
        call = self._read_result(download.request(), timeout=download.timeout())
        try:
            async for message in call:
                download.feed(message)
        finally:
            call.cancel()

    async def _unless_closed(self, begin: Callable[[], Awaitable[R]]) -> R:
        """Awaits a call; a cancellation by `close`, and not with its task, becomes our own error."""
        self._check_open()
        try:
            return await begin()
        except (asyncio.CancelledError, grpc.aio.UsageError):
            task = asyncio.current_task()
            if task is None or not task.cancelling():
                self._check_open()
            raise

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._closed.wait()
        except TimeoutError:
            pass
        self._check_open()

    def _check_open(self) -> None:
        if self._closed.is_set():
            raise errors.ClientClosedError("The provider is closed.")

    def _translate(self, error: grpc.RpcError) -> errors.BasicAerError:
        self._check_open()
        return error_from_rpc(error)


class Connection:
    """One stream or long poll at a time; its replies wait in an inbox until the flow asks for them."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport
        self._inbox: asyncio.Queue[Reply] = asyncio.Queue(_run_stream.AHEAD)
        self._task: asyncio.Task[None] | None = None
        self.result: result_pb2.Result | None = None

    async def run(self, request: job_service_pb2.SubmitJobRequest, running: set[asyncio.Task[None]]) -> None:
        """Submits a job and begins the stream of its events, which is among `running` until it is over.

        With the final event comes `result`, if it's small.
        """
        begin = functools.partial(
            self._transport.stub.RunJob, _run_stream.run_request(request), metadata=trace_metadata()
        )
        task = await self._begin(functools.partial(self._drain, begin))
        running.add(task)
        task.add_done_callback(running.discard)

    def latest(self, job: job_pb2.Job) -> job_pb2.Job:
        """Returns a run's job as its stream has told of it by now; what was taken in doesn't come again."""
        found = job_pb2.Job()
        found.CopyFrom(job)
        while not self._inbox.empty():
            reply = self._inbox.get_nowait()
            if not isinstance(reply, job_service_pb2.WatchJobResponse):
                self._inbox.put_nowait(reply)  # the stream's end, after which nothing comes
                break
            _run_stream.take_in(found, reply.event)
        return found

    async def open(self, request: job_service_pb2.WatchJobRequest, timeout: float | None) -> None:
        """Begins a stream."""
        begin = functools.partial(self._transport.stub.WatchJob, request, timeout=timeout)
        await self._begin(functools.partial(self._drain, begin))

    async def ask(self, request: job_service_pb2.GetJobRequest, timeout: float) -> None:
        """Begins a long poll."""
        begin = functools.partial(self._transport.stub.GetJob, request, timeout=timeout)
        await self._begin(functools.partial(self._answer, begin))

    async def receive(self, timeout: float | None) -> Reply:
        """Returns the next reply of the present call; None after `timeout` seconds."""
        if not self._inbox.empty():
            return self._inbox.get_nowait()
        try:
            async with asyncio.timeout(timeout):
                return await self._inbox.get()
        except TimeoutError:
            return None

    async def close(self) -> None:
        """Drops the present call, and whatever it still says."""
        task = self._task
        self.drop()
        if task is not None:
            await asyncio.wait([task])

    def drop(self) -> None:
        """Lets the present call end by itself, soon."""
        task, self._task = self._task, None
        self._inbox = asyncio.Queue(_run_stream.AHEAD)
        if task is not None and not task.get_loop().is_closed():
            task.cancel()

    async def _begin(self, work: Callable[[asyncio.Queue[Reply]], Awaitable[None]]) -> asyncio.Task[None]:
        """Lets a task do the work of a call, whose replies go into the inbox."""
        await self.close()
        self._task = asyncio.create_task(self._guard(work, self._inbox))
        return self._task

    async def _guard(
        self, work: Callable[[asyncio.Queue[Reply]], Awaitable[None]], inbox: asyncio.Queue[Reply]
    ) -> None:
        """Runs a call whose failure is a reply like any other."""
        try:
            await self._transport._unless_closed(lambda: work(inbox))
        except grpc.RpcError as error:
            await inbox.put(Failed(error_from_rpc(error)))
        except errors.BasicAerError as error:
            await inbox.put(Failed(error))

    async def _drain(self, begin: Callable[[], Any], inbox: asyncio.Queue[Reply]) -> None:
        """Moves a stream's messages to the inbox, a few ahead of the reader."""
        call = begin()
        try:
            async for message in call:
                if isinstance(message, job_service_pb2.RunJobResponse):
                    if message.HasField("result"):
                        self.result = message.result
                    await inbox.put(_run_stream.watch_message(message))
                else:
                    await inbox.put(message)
        finally:
            call.cancel()
        await inbox.put(Ended())

    async def _answer(self, begin: Callable[[], Any], inbox: asyncio.Queue[Reply]) -> None:
        await inbox.put(await begin())
