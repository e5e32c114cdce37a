"""How the asyncio client calls and listens: by tasks of the event loop that used it first."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import grpc
import grpc.aio
from basicaer.client import _errors as errors
from basicaer.client._times import given_seconds
from basicaer.client._wire_errors import error_from_rpc
from basicaer.client.transport import _run_stream
from basicaer.client.transport._async_calls import AsyncCalls, AsyncSubscription
from basicaer.client.transport._channel import ChannelOptions, channel_options
from basicaer.client.transport._ends import CLOSE_LIMIT
from basicaer.client.transport._tracing import trace_metadata
from basicaer.client.transport._watch import (
    Ended,
    Failed,
    Reply,
)
from basicaer.v1 import job_pb2, job_service_pb2, job_service_pb2_grpc

__all__ = ["AsyncTransport", "TaskSubscription", "finished"]

R = TypeVar("R")


class AsyncTransport(AsyncCalls):
    """A connection to one server, for the tasks of one event loop, in which the first call makes it."""

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
        self._address = address
        self._credentials = credentials
        self._options = channel_options(address, options)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = asyncio.Event()
        self._channel: grpc.aio.Channel | None = None
        self._stub: job_service_pb2_grpc.JobServiceAsyncStub | None = None
        self._read_result: Any = None
        # The streams of submissions that go on.
        self._runs: set[asyncio.Task[None]] = set()

    @property
    def stub(self) -> job_service_pb2_grpc.JobServiceAsyncStub:
        """The calls of the service."""
        self.check()
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
        """End every call, and wake whoever pauses between two of them.

        In another loop than that of the calls, their own loop does so, if it still runs.
        """
        loop = self._loop
        if loop is None or loop is asyncio.get_running_loop():
            await self._end()
        elif loop.is_running():
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._end(), loop))
        else:
            # Nobody is left who could pause or call.
            self._closed.set()

    async def _end(self) -> None:
        self._closed.set()
        for run in self._runs:
            run.cancel()
        if self._runs:
            await asyncio.wait(self._runs, timeout=CLOSE_LIMIT)
        if self._channel is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._channel.close(), CLOSE_LIMIT)

    def _subscription(self) -> AsyncSubscription:
        return TaskSubscription(self)

    async def _run(self, request: job_service_pb2.SubmitJobRequest) -> AsyncSubscription | None:
        if len(self._runs) >= _run_stream.RUN_STREAMS:
            return None
        subscription = TaskSubscription(self)
        await subscription.run(request, self._runs)
        return subscription

    def _reader(self) -> Any:
        assert self.stub is not None  # makes the channel
        return self._read_result

    async def _unless_closed(self, begin: Callable[[], Awaitable[R]]) -> R:
        """Await a call; a cancellation by `close`, and not with its task, becomes our own error."""
        self.check()
        try:
            return await begin()
        except (asyncio.CancelledError, grpc.aio.UsageError):
            task = asyncio.current_task()
            if task is None or not task.cancelling():
                self.check()
            raise

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._closed.wait()
        except TimeoutError:
            pass
        self.check()

    def check(self) -> None:
        """Make sure that this is the event loop of the calls before, to which gRPC's channel belongs.

        Raises:
            EventLoopError: It is another one.
            ClientClosedError: The provider is closed.
        """
        if self._closed.is_set():
            raise errors.ClientClosedError("The provider is closed.")
        self._check_caller()

    def _check_caller(self) -> None:
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._loop = loop
        elif self._loop is not loop:
            state = "is closed" if self._loop.is_closed() else "is another one"
            raise errors.EventLoopError(
                f"This provider belongs to the event loop that used it first, which {state}. Make an "
                "AsyncBasicAerProvider in each loop, so in each asyncio.run(), and find a job again there "
                "with provider.retrieve_job(job_id)."
            )


class TaskSubscription(AsyncSubscription):
    """One stream or long poll at a time; its replies wait in an inbox until the flow asks for them."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport
        self._inbox: asyncio.Queue[Reply] = asyncio.Queue(_run_stream.AHEAD)
        self._task: asyncio.Task[None] | None = None

    async def run(self, request: job_service_pb2.SubmitJobRequest, running: set[asyncio.Task[None]]) -> None:
        """Submit a job and begin the stream of its events, which is among `running` until it is over.

        With the final event comes `result`, if it's small.
        """
        begin = functools.partial(
            self._transport.stub.RunJob, _run_stream.run_request(request), metadata=trace_metadata()
        )
        task = await self._begin(functools.partial(self._drain, begin))
        running.add(task)
        task.add_done_callback(running.discard)

    def latest(self, job: job_pb2.Job) -> job_pb2.Job:
        """Return a run's job as its stream has told of it by now; what was taken in doesn't come again."""
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
        """Begin a stream."""
        begin = functools.partial(self._transport.stub.WatchJob, request, timeout=timeout)
        await self._begin(functools.partial(self._drain, begin))

    async def ask(self, request: job_service_pb2.GetJobRequest, timeout: float) -> None:
        """Begin a long poll."""
        begin = functools.partial(self._transport.stub.GetJob, request, timeout=timeout)
        await self._begin(functools.partial(self._answer, begin))

    async def receive(self, timeout: float | None) -> Reply:
        """Return the next reply of the present call; None after `timeout` seconds."""
        if not self._inbox.empty():
            return self._inbox.get_nowait()
        try:
            async with asyncio.timeout(timeout):
                return await self._inbox.get()
        except TimeoutError:
            return None

    async def close(self) -> None:
        """Drop the present call, and whatever it still says."""
        task = self._task
        self.drop()
        if task is not None and task.get_loop() is asyncio.get_running_loop():
            await asyncio.wait([task])

    def ender(self) -> Callable[[], None]:
        """Return what ends the present call, for the garbage collector to call."""
        return self.drop

    def drop(self) -> None:
        """Let the present call end by itself, soon. Any thread may call this."""
        task, self._task = self._task, None
        self._inbox = asyncio.Queue(_run_stream.AHEAD)
        if task is None:
            return
        # The loop may have been closed, or be so by another thread at this moment.
        with contextlib.suppress(RuntimeError):
            task.get_loop().call_soon_threadsafe(task.cancel)

    async def _begin(self, work: Callable[[asyncio.Queue[Reply]], Awaitable[None]]) -> asyncio.Task[None]:
        """Let a task do the work of a call, whose replies go into the inbox."""
        await self.close()
        self._task = asyncio.create_task(self._guard(work, self._inbox))
        return self._task

    async def _guard(
        self, work: Callable[[asyncio.Queue[Reply]], Awaitable[None]], inbox: asyncio.Queue[Reply]
    ) -> None:
        """Run a call whose failure is a reply like any other."""
        try:
            await self._transport._unless_closed(lambda: work(inbox))
        except grpc.RpcError as error:
            await inbox.put(Failed(error_from_rpc(error)))
        except errors.BasicAerError as error:
            await inbox.put(Failed(error))

    async def _drain(self, begin: Callable[[], Any], inbox: asyncio.Queue[Reply]) -> None:
        """Move a stream's messages to the inbox, a few ahead of the reader."""
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


async def finished(answer: object) -> None:
    """Await what a callback has returned, if that can be."""
    if inspect.isawaitable(answer):
        await answer
