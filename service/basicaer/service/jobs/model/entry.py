"""A job in memory: what has happened to it, and how much of that its readers may see yet.

Two sides use an entry. Whoever moves the job on (a thread that runs it, or the loop for a cancellation) gives
`machine` a stimulus, by `Mover`. When what that leads to is committed, the loop *publishes* it: only then do
readers see it. All but `machine` and what says otherwise is the loop's.
"""

from __future__ import annotations

import threading
from typing import Protocol

from basicaer.service.errors import ServiceError
from basicaer.service.execution._interface import PreparedJob
from basicaer.service.jobs.model import states
from basicaer.service.jobs.model.event import PublishedEvent
from basicaer.service.jobs.model.machine import JobMachine
from basicaer.service.store import JobRecord
from basicaer.service.telemetry import TraceContext
from basicaer.v1 import job_pb2
from basicaer.v1.job_pb2 import JobStatus

__all__ = ["JobEntry", "Watcher"]

# About what a finished job holds in memory beside its messages.
_OWN_BYTES = 4096


class Watcher(Protocol):
    """A reader of a job."""

    def wake(self) -> None:
        """Lets it look again."""

    def move_to(self, entry: JobEntry) -> None:
        """Lets it go on with another object of the same job."""


class JobEntry:
    """A job that is live or was read lately. See the module for who may use what."""

    __slots__ = (
        "closed",
        "committed",
        "compacted",
        "elsewhere",
        "held",
        "job_id",
        "lock",
        "lost",
        "machine",
        "nodes",
        "passing",
        "passing_version",
        "position",
        "prepared",
        "principal",
        "required_bytes",
        "spent",
        "status",
        "told_position",
        "trace",
        "visible",
        "watchers",
    )

    def __init__(self, job: job_pb2.Job, principal: str = "", trace: TraceContext | None = None) -> None:
        # What never changes: among it whose it is, and the call that submitted it, when that is traced; what
        # an earlier server accepted has none.
        self.job_id = job.job_id
        self.principal = principal
        self.nodes = job.nodes or 1
        # On all of these.
        self.required_bytes = job.required_bytes
        self.trace = trace

        # Whoever gives the machine a stimulus holds the lock, but for a job of which nobody knows yet.
        self.lock = threading.Lock()
        self.machine = JobMachine(job)

        # Passed on from whoever has checked the job to the queue, and from there to who runs it.
        self.prepared: PreparedJob | None = None
        # How many jobs are ahead, as the queue has said last.
        self.position = 0

        # What readers see. `committed` is the sequence of the last event that may be told, `compacted` that
        # of the last one that is not kept any more.
        self.committed = 0
        self.compacted = 0
        self.status: JobStatus.ValueType = job.status
        self.visible = b""
        # The newest passing event and its number; a reader that has seen that number has nothing new to see.
        self.passing: PublishedEvent | None = None
        self.passing_version = 0
        self.told_position = 0
        self.watchers: set[Watcher] | None = None
        # Whether streams end without a final event, since the server stops.
        self.closed = False
        # Why nothing more can be told of it, if that is so.
        self.lost: ServiceError | None = None

        # Of a store that servers share: whether this server has the job, or has had it; in the latter case a
        # thread may still be at it, and the object is not for another attempt. And how far another server is
        # with it.
        self.held = False
        self.spent = False
        self.elsewhere: job_pb2.Progress | None = None

    @classmethod
    def from_record(cls, record: JobRecord, job: job_pb2.Job) -> JobEntry:
        """Return a stored job, all of whose events may be told; `job` is the record's message.

        Raises:
            DecodeError, struct.error: Its events can't be read.
        """
        entry = cls(job, record.principal)
        entry.machine = JobMachine.from_record(record, job)
        entry.committed = record.sequence
        entry.compacted = record.sequence - len(entry.machine.history)
        entry.visible = record.job
        return entry

    def read_again(self, record: JobRecord, job: job_pb2.Job) -> None:
        """Show readers what another server has made of it; nobody moves it on here.

        Raises:
            DecodeError, struct.error: Its events can't be read.
        """
        if record.sequence < self.committed:
            return
        machine = JobMachine.from_record(record, job)
        machine.settled = True
        compacted = record.sequence - len(machine.history)
        with self.lock:
            if record.sequence == self.committed and compacted > self.compacted:
                # Its readers may not be that far.
                machine.history = self.machine.history
                compacted = self.compacted
            self.machine = machine
        self.compacted = compacted
        if record.status != states.QUEUED:
            self.prepared = None
        self.publish(record.sequence, record.status, record.job)

    @property
    def final(self) -> bool:
        """Whether readers see a final status."""
        return self.status in states.FINAL

    @property
    def size_bytes(self) -> int:
        """About how much memory it holds when it has ended."""
        machine = self.machine
        messages = len(self.visible) + len(machine.events) + len(machine.result_message or b"")
        return _OWN_BYTES + messages

    def event_after(self, sequence: int) -> PublishedEvent:
        """Return the durable event after the one of this sequence, which is kept and committed."""
        return self.machine.history[sequence - self.compacted]

    def publish(self, sequence: int, status: int, job: bytes) -> None:
        """Show readers a committed state, and wake them."""
        if sequence < self.committed:
            return
        self.status = JobStatus.ValueType(status)
        self.visible = job
        if sequence > self.committed:
            self.committed = sequence
            self.passing = None
            self.wake()

    def publish_passing(self, event: job_pb2.Event) -> None:
        """Show readers an event that isn't kept, instead of the one before."""
        self.passing = PublishedEvent(event, False)
        self.passing_version += 1
        self.wake()

    def lose(self, error: ServiceError) -> None:
        """End all streams with an error, since nothing more can be told."""
        self.lost = error
        self.wake()

    def close(self) -> None:
        """End all streams without a final event."""
        self.closed = True
        self.wake()

    def wake(self) -> None:
        """Lets all watches look again."""
        if self.watchers:
            for watch in self.watchers:
                watch.wake()

    def attach(self, watch: Watcher) -> None:
        """Wakes this watch too from now on."""
        if self.watchers is None:
            self.watchers = {watch}
        else:
            self.watchers.add(watch)

    def detach(self, watch: Watcher) -> None:
        """Forgets a watch."""
        if self.watchers is not None:
            self.watchers.discard(watch)

    def accepted(self, message: bytes) -> job_pb2.Job:
        """Return the job as it was when it was accepted, whatever has become of it in the meantime; the
        caller's own. `message` is the serialized Job of then.
        """
        job = job_pb2.Job.FromString(message)
        job.principal = self.principal
        job.queue_position = self.position
        return job

    def snapshot(self) -> job_pb2.Job:
        """Return the job as readers may see it now; the caller's own."""
        job = job_pb2.Job.FromString(self.visible)
        job.principal = self.principal
        if self.status == states.QUEUED:
            job.queue_position = self.position
        elif self.status == states.RUNNING:
            if (control := self.machine.control) is not None:
                job.progress.CopyFrom(control.progress())
            elif self.elsewhere is not None:
                job.progress.CopyFrom(self.elsewhere)
        return job
