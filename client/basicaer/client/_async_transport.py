"""The asyncio client's only contact with gRPC; the twin of `_transport`."""

# ruff: noqa: ASYNC109 - a timeout here spans retries and reconnects, which asyncio.timeout() around it can't
# see

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from typing import Any, TypeVar

import grpc
import grpc.aio
import numpy as np
import numpy.typing as npt
from basicaer.client import _errors as errors
from basicaer.client._channel import ChannelOptions, channel_options
from basicaer.client._chunks import Download
from basicaer.client._retry import Deadline, Retry
from basicaer.client._tracing import trace_metadata
from basicaer.client._watch import Ask, Close, Command, Ended, Failed, Notice, Open, Receive, Reply, WatchFlow
from basicaer.client._wire_errors import error_from_rpc
from basicaer.v1 import job_service_pb2, job_service_pb2_grpc

__all__ = ["AsyncTransport"]

Q = TypeVar("Q")
R = TypeVar("R")

# As in the sync client: messages that a stream may be ahead of its reader.
_AHEAD = 16


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

    async def watch(self, flow: WatchFlow) -> AsyncGenerator[Notice, None]:
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


class _Connection:
    """One stream or long poll at a time; its replies wait in an inbox until the flow asks for them."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport
        self._inbox: asyncio.Queue[Reply] = asyncio.Queue(_AHEAD)
        self._task: asyncio.Task[None] | None = None

    async def open(self, request: job_service_pb2.WatchJobRequest, timeout: float | None) -> None:
        """Begins a stream."""
        await self._begin(self._drain(request, timeout))

    async def ask(self, request: job_service_pb2.GetJobRequest, timeout: float) -> None:
        """Begins a long poll."""
        await self._begin(self._answer(request, timeout))

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
        task, self._task = self._task, None
        self._inbox = asyncio.Queue(_AHEAD)
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def _begin(self, work: Any) -> None:
        await self.close()
        self._task = asyncio.create_task(self._guard(work, self._inbox))

    async def _guard(self, work: Any, inbox: asyncio.Queue[Reply]) -> None:
        """Runs a call whose failure is a reply like any other."""
        try:
            await self._transport._unless_closed(lambda: work)
        except grpc.RpcError as error:
            await inbox.put(Failed(error_from_rpc(error)))
        except errors.BasicAerError as error:
            await inbox.put(Failed(error))

    async def _drain(self, request: job_service_pb2.WatchJobRequest, timeout: float | None) -> None:
        """Moves a stream's messages to the inbox, a few ahead of the reader."""
        inbox = self._inbox
        call = self._transport.stub.WatchJob(request, timeout=timeout)
        try:
            async for message in call:
                await inbox.put(message)
        finally:
            call.cancel()
        await inbox.put(Ended())

    async def _answer(self, request: job_service_pb2.GetJobRequest, timeout: float) -> None:
        inbox = self._inbox
        await inbox.put(await self._transport.stub.GetJob(request, timeout=timeout))
