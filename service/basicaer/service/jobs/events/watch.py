"""A job's events as one reader sees them: an object of a few hundred bytes, without a task or a queue of its
own.

A watch is a cursor into its job's events. Passing events needn't be queued either: the job holds the newest
alone, with a number, so a reader that was slow finds just that one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from basicaer.service.errors import ServiceError, option_invalid
from basicaer.service.jobs.model.clock import set_timestamp
from basicaer.service.jobs.model.entry import JobEntry
from basicaer.service.jobs.model.event import PublishedEvent
from basicaer.v1 import error_reason_pb2, job_pb2

__all__ = ["DEFAULT_HEARTBEAT", "Watch", "first_cursor", "follow", "heartbeat_seconds"]

DEFAULT_HEARTBEAT = 30.0
"""Of a watch that asks for none, in seconds."""
_MIN_HEARTBEAT = 0.1


class Watch:
    """The events of one job after a cursor.

    Call `next` until it returns None, then `close`; closing early is fine and never touches the job.
    """

    __slots__ = (
        "_cursor",
        "_heartbeat",
        "_load_result",
        "_loop",
        "_passing_version",
        "_silent_since",
        "_timer",
        "_waiter",
        "duplicate",
        "entry",
        "job",
        "result",
    )

    def __init__(
        self,
        entry: JobEntry,
        job: job_pb2.Job,
        cursor: int,
        *,
        heartbeat: float | None,
        duplicate: bool = False,
        load_result: Callable[[JobEntry], Awaitable[bytes | None]] | None = None,
    ) -> None:
        """Begins after the event `cursor`. `heartbeat` is in seconds; None for no heartbeats."""
        # The job as it was when the watch began; the stream's first message.
        self.job = job
        # Only for JobManager.run: whether an earlier call with the same request id had made the job.
        self.duplicate = duplicate
        # Only for JobManager.run: set when the final event is returned, if there is a Result of at most
        # `Config.max_inline_result_bytes`, serialized. Its large arrays are parts to be read.
        self.result: bytes | None = None
        self.entry = entry
        self._cursor = cursor
        self._heartbeat = heartbeat
        self._load_result = load_result
        self._loop = asyncio.get_running_loop()
        self._silent_since = self._loop.time()
        # What passed before is in the snapshot.
        self._passing_version = entry.passing_version
        self._timer: asyncio.TimerHandle | None = None
        self._waiter: asyncio.Future[None] | None = None
        entry.attach(self)

    async def next(self) -> PublishedEvent | None:
        """Wait for the next event: a durable one, progress, a queue position, or a heartbeat after silence.

        Durable events come in order, each exactly once; of passing ones a slow reader gets the newest alone.
        Returns None at the end: after the final event, or without it when the server is stopping.
        """
        while True:
            # It may have been moved.
            entry = self.entry
            if self._cursor < entry.compacted:
                raise _compacted(entry, self._cursor)
            if self._cursor < entry.committed:
                published = entry.event_after(self._cursor)
                self._cursor += 1
                if published.final and self._load_result is not None:
                    self.result = await self._load_result(entry)
                self._silent_since = self._loop.time()
                return published
            if entry.lost is not None:
                raise entry.lost
            if self.over:
                return None
            if self._passing_version != entry.passing_version:
                self._passing_version = entry.passing_version
                if entry.passing is not None:
                    self._silent_since = self._loop.time()
                    return entry.passing
            if self._heartbeat is not None:
                silence = self._loop.time() - self._silent_since
                if silence >= self._heartbeat:
                    self._silent_since = self._loop.time()
                    return _heartbeat(self._cursor, self._heartbeat)
                if self._timer is None:
                    self._timer = self._loop.call_later(self._heartbeat - silence, self._ring)
            self._waiter = self._loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None

    @property
    def over(self) -> bool:
        """Whether nothing more will be told."""
        entry = self.entry
        told = self._cursor >= entry.committed and entry.lost is None
        return told and (entry.final or entry.closed)

    def farewell(self) -> PublishedEvent:
        """Return a last event for who needs one, that tells nothing: a heartbeat."""
        return _heartbeat(self._cursor, self._heartbeat or DEFAULT_HEARTBEAT)

    def wake(self) -> None:
        """Lets a waiting `next` look again."""
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def move_to(self, entry: JobEntry) -> None:
        """Goes on with another object of the same job."""
        self.entry.detach(self)
        self.entry = entry
        self._passing_version = entry.passing_version
        entry.attach(self)
        self.wake()

    def close(self) -> None:
        """Forgets the watch. Idempotent."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.entry.detach(self)

    def _ring(self) -> None:
        # It may be early, since events don't move the timer; `next` then sets it anew.
        self._timer = None
        self.wake()


def _heartbeat(sequence: int, interval: float) -> PublishedEvent:
    event = job_pb2.Event(sequence=sequence)
    set_timestamp(event.time, time.time_ns())
    # A reader should allow for a missed beat before it gives the stream up.
    event.heartbeat.interval.FromNanoseconds(round(interval * 2e9))
    return PublishedEvent(event, False)


def heartbeat_seconds(interval: float | None) -> float:
    """Return the interval of a watch's heartbeats, as its caller wishes.

    Raises:
        ServiceError: OPTION_INVALID.
    """
    if interval is None:
        return DEFAULT_HEARTBEAT
    if not _MIN_HEARTBEAT <= interval < float("inf"):
        raise option_invalid(
            "heartbeat_interval", f"heartbeat_interval is at least {_MIN_HEARTBEAT} s, not {interval:g} s."
        )
    return interval


def first_cursor(entry: JobEntry, after_sequence: int | None) -> int:
    """Where a watch begins: after the event that its caller has seen, or else now.

    Raises:
        ServiceError: EVENTS_COMPACTED.
    """
    cursor = entry.committed if after_sequence is None else after_sequence
    if not entry.compacted <= cursor <= entry.committed:
        raise _compacted(entry, cursor)
    return cursor


def _compacted(entry: JobEntry, cursor: int) -> ServiceError:
    return ServiceError(
        error_reason_pb2.ERROR_REASON_EVENTS_COMPACTED,
        f"The events after {cursor} aren't there: the job's events {entry.compacted + 1} to"
        f" {entry.committed} are. Watch it without a cursor.",
        metadata={
            "after_sequence": str(cursor),
            "first_sequence": str(entry.compacted + 1),
            "last_sequence": str(entry.committed),
        },
    )


async def follow(watch: Watch, *, past: int | None = None) -> None:
    """Wait for a job's end, or, when `past` is given, for an event of a higher sequence; or for the server's
    end. Then the watch is closed, and its entry is what has the job by now.
    """
    try:
        while not watch.entry.final and (past is None or watch.entry.committed <= past):
            if await watch.next() is None:
                return
    finally:
        watch.close()
