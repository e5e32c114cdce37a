"""A job in memory: what has happened to it, and how much of that its readers may see yet.

Two sides use an entry. Whoever moves the job on (a thread that runs it, or the loop for a cancellation) holds
`lock`, changes the *head*, and hands an update to the store. When the update is committed, the loop
*publishes* it: only then do readers see it. Every update holds the whole state, so one that failed or was
left out is made good by the next.
"""

from __future__ import annotations

import math
import struct
import threading
from typing import TYPE_CHECKING

from basicaer.service.execution._interface import ExecutionControl, PreparedJob
from basicaer.service.store import JobRecord, StagedResult, UpdateJob
from basicaer.service.telemetry import TraceContext
from basicaer.v1 import job_pb2
from basicaer.v1.job_pb2 import JobStatus

from . import _states
from ._clock import set_timestamp

if TYPE_CHECKING:
    from ._watch import Watch

__all__ = ["JobEntry", "PublishedEvent", "last_event"]

_LENGTH = struct.Struct("<I")


class PublishedEvent:
    """An event, made once and shared by all of a job's readers. Readers must not change `event`."""

    __slots__ = ("encoded", "event", "final")

    def __init__(self, event: job_pb2.Event, final: bool) -> None:
        self.event = event
        # Whether it is the event with the job's final status, after which a stream ends.
        self.final = final
        # For the edge: its serialized WatchJobResponse, so that 10,000 watchers cost one serialization.
        self.encoded: bytes | None = None


class JobEntry:
    """A job that is live or was read lately. See the module for who may touch what."""

    __slots__ = (
        "cancel_reason",
        "closed",
        "committed",
        "compacted",
        "control",
        "crashes",
        "deadline",
        "events",
        "has_parts",
        "head",
        "history",
        "interrupted",
        "job_id",
        "latest",
        "lock",
        "overdue",
        "overtaken",
        "passing",
        "passing_version",
        "position",
        "prepared",
        "principal",
        "required_bytes",
        "result_message",
        "settled",
        "status",
        "told_position",
        "trace",
        "visible",
        "watchers",
    )

    def __init__(self, job: job_pb2.Job, principal: str = "") -> None:
        self.job_id = job.job_id
        # Whose it is; never changes.
        self.principal = principal
        self.required_bytes = job.required_bytes
        # The call that submitted it, when that is traced; what an earlier server accepted has none.
        self.trace: TraceContext | None = None
        self.lock = threading.Lock()

        # Under the lock: the newest state.
        self.head = job
        # All events that are kept, packed as the store keeps them, and as objects.
        self.events = b""
        self.history: list[PublishedEvent] = []
        self.crashes = 0
        self.cancel_reason: str | None = None
        # Whether the server is stopping and has asked the attempt to make room.
        self.interrupted = False
        # Whether this server won't move it on any more: it is final, or was given back to the queue at the
        # end.
        self.settled = False
        # When the present attempt has to end, on the monotonic clock, and whether it has taken too long.
        self.deadline = math.inf
        self.overdue = False
        # The newest update that was handed to the store.
        self.latest: UpdateJob | None = None
        self.control: ExecutionControl | None = None
        self.prepared: PreparedJob | None = None

        # The scheduler's, under its lock: how many jobs are ahead, and how many went past it while it was the
        # first.
        self.position = 0
        self.overtaken = 0

        # The loop's: what readers see. `committed` is the sequence of the last event that may be told,
        # `compacted` that of the last one that is not kept any more.
        self.committed = 0
        self.compacted = 0
        self.status: JobStatus.ValueType = job.status
        self.visible = b""
        # The serialized Result of a job that has become final here, when it is small; and whether parts lie
        # beside it in the store.
        self.result_message: bytes | None = None
        self.has_parts = False
        # The newest passing event and its number; a reader that has seen that number has nothing new to see.
        self.passing: PublishedEvent | None = None
        self.passing_version = 0
        self.told_position = 0
        self.watchers: set[Watch] | None = None
        # Whether streams end without a final event, since the server stops or the job was deleted.
        self.closed = False

    @classmethod
    def from_record(cls, record: JobRecord) -> JobEntry:
        """A stored job, all of whose events may be told."""
        entry = cls(job_pb2.Job.FromString(record.job), record.principal)
        entry.crashes = record.crashes
        entry.cancel_reason = record.cancel_reason
        entry.events = record.events
        entry.history = [
            PublishedEvent(event, event.status.status in _states.FINAL) for event in _unpack(record.events)
        ]
        entry.committed = record.sequence
        entry.compacted = record.sequence - len(entry.history)
        entry.visible = record.job
        entry.settled = entry.final
        return entry

    @property
    def final(self) -> bool:
        """Whether readers see a final status."""
        return self.status in _states.FINAL

    def move(self, status: JobStatus.ValueType, time_ns: int, error: job_pb2.JobError | None = None) -> None:
        """Makes the head's next event. Call it with the lock held."""
        head = self.head
        _states.check(head.status, status)
        head.status = status
        head.sequence += 1
        final = status in _states.FINAL
        if status == _states.RUNNING:
            head.attempt += 1
            set_timestamp(head.start_time, time_ns)
        elif final:
            self.settled = True
            set_timestamp(head.end_time, time_ns)
            if error is not None:
                head.error.CopyFrom(error)
        event = job_pb2.Event(
            sequence=head.sequence,
            status=job_pb2.StatusChange(status=status, attempt=head.attempt, error=error),
        )
        set_timestamp(event.time, time_ns)
        data = event.SerializeToString()
        self.events += _LENGTH.pack(len(data)) + data
        self.history.append(PublishedEvent(event, final))

    def update(
        self,
        tag: object = None,
        *,
        lazy: bool = False,
        result: StagedResult | None = None,
        sweep_time: int | None = None,
    ) -> UpdateJob:
        """The update that commits the head. Call it, and hand it to the store, with the lock held."""
        head = self.head
        self.latest = UpdateJob(
            job_id=self.job_id,
            status=head.status,
            sequence=head.sequence,
            attempt=head.attempt,
            crashes=self.crashes,
            cancel_reason=self.cancel_reason,
            job=head.SerializeToString(),
            events=self.events,
            final=head.status in _states.FINAL,
            result=result,
            sweep_time=sweep_time,
            lazy=lazy,
            tag=tag,
        )
        return self.latest

    def publish(self, sequence: int, status: int, job: bytes) -> None:
        """Shows readers a committed state, and wakes them. On the loop."""
        if sequence < self.committed:
            return
        self.status = JobStatus.ValueType(status)
        self.visible = job
        if sequence > self.committed:
            self.committed = sequence
            self.passing = None
            self.wake()

    def publish_passing(self, event: job_pb2.Event) -> None:
        """Shows readers an event that isn't kept, instead of the one before. On the loop."""
        self.passing = PublishedEvent(event, False)
        self.passing_version += 1
        self.wake()

    def wake(self) -> None:
        """Lets all watches look again. On the loop."""
        if self.watchers:
            for watch in self.watchers:
                watch.wake()

    def snapshot(self) -> job_pb2.Job:
        """The job as readers may see it now; the caller's own. On the loop."""
        job = job_pb2.Job.FromString(self.visible)
        if self.status == _states.QUEUED:
            job.queue_position = self.position
        elif self.status == _states.RUNNING and self.control is not None:
            job.progress.CopyFrom(self.control.progress())
        return job


def _unpack(packed: bytes) -> list[job_pb2.Event]:
    events = []
    offset = 0
    while offset < len(packed):
        (size,) = _LENGTH.unpack_from(packed, offset)
        offset += _LENGTH.size
        events.append(job_pb2.Event.FromString(packed[offset : offset + size]))
        offset += size
    return events


def last_event(packed: bytes) -> bytes:
    """Packed events without all but the last one."""
    offset = last = 0
    while offset < len(packed):
        last = offset
        (size,) = _LENGTH.unpack_from(packed, offset)
        offset += _LENGTH.size + size
    return packed[last:]
