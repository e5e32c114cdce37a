"""A stream's messages as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html).

The id of a durable event is its sequence: so what EventSource sends when it connects again, `Last-Event-ID`,
is `after_sequence`. The job itself, which comes first, has the id that nothing after it is lost by.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import lru_cache

from basicaer.service.doors.http._documents import document
from basicaer.service.doors.http._exchange import Exchange
from basicaer.v1 import job_pb2
from basicaer.v1 import job_service_pb2 as pb

__all__ = ["EVENT_STREAM", "FINAL", "EventStream", "WatchStream", "broken", "watch_frame"]

EVENT_STREAM = "text/event-stream"
# A quiet second before EventSource connects again.
_FIRST = b"retry: 1000\n"
_HEARTBEAT = b": heartbeat\n\n"
FINAL = (job_pb2.JOB_STATUS_CANCELLED, job_pb2.JOB_STATUS_DONE, job_pb2.JOB_STATUS_ERROR)
"""The statuses of jobs that have ended."""
_HEADERS = [
    ("content-type", EVENT_STREAM),
    # Proxies that gather what they pass on would hold events back.
    ("x-accel-buffering", "no"),
]


@lru_cache(maxsize=1024)
def watch_frame(message: bytes) -> bytes:
    """Return a WatchJobResponse as an event. All of a job's watchers get the same bytes, made once."""
    return _frame(pb.WatchJobResponse.FromString(message))


def broken(told: bytes) -> bytes:
    """Return the event that tells of a problem after which the stream ends."""
    return b"event: problem\ndata: " + told + b"\n\n"


def _frame(message: pb.WatchJobResponse | pb.RunJobResponse) -> bytes:
    event = message.event
    if event.HasField("heartbeat"):
        return _HEARTBEAT
    identity = b"id: %d\n" % event.sequence if event.HasField("status") else b""
    return identity + b"data: " + document(message) + b"\n\n"


class EventStream:
    """Where a method writes its messages, serialized, which go on as events."""

    def __init__(self, exchange: Exchange, answered: Callable[[], None]) -> None:
        self.peer = exchange.peer_host
        self.write: Callable[[bytes], Awaitable[None]] = self._write_first
        self._exchange = exchange
        self._answered = answered

    async def _begin(self) -> None:
        self._answered()
        await self._exchange.start(200, _HEADERS)
        await self._exchange.write(_FIRST)

    async def _write_first(self, message: bytes) -> None:
        self.write = self._write
        await self._begin()
        await self._write(message)

    async def _write(self, message: bytes) -> None:
        await self._exchange.write(_frame(pb.RunJobResponse.FromString(message)))


class WatchStream(EventStream):
    """The same for WatchJob."""

    def __init__(self, exchange: Exchange, answered: Callable[[], None], request: pb.WatchJobRequest) -> None:
        super().__init__(exchange, answered)
        self._after = request.after_sequence if request.HasField("after_sequence") else None

    async def _write_first(self, message: bytes) -> None:
        self.write = self._write
        job = pb.WatchJobResponse.FromString(message).job
        again = "last-event-id" in self._exchange.headers
        if again and job.status in FINAL and job.sequence == self._after:
            # All was told. EventSource would connect again after any other end.
            self._answered()
            await self._exchange.start(204, [])
            await self._exchange.finish()
            return
        await self._begin()
        cursor = job.sequence if self._after is None else self._after
        await self._exchange.write(b"id: %d\n" % cursor + watch_frame(message))

    async def _write(self, message: bytes) -> None:
        await self._exchange.write(watch_frame(message))
