"""What has happened to a job: a state machine that alone changes itself.

It takes stimuli and gives back what is to be done; it knows no clock, no lock, no store and no thread, so
every order of events is a plain test. Every update holds the whole state, so one that failed or was left out
is made good by the next.
"""

from __future__ import annotations

import math
from typing import assert_never

from basicaer.service.execution._interface import ExecutionControl
from basicaer.service.jobs.model import states
from basicaer.service.jobs.model.clock import set_timestamp
from basicaer.service.jobs.model.event import PublishedEvent, packed, unpacked
from basicaer.service.jobs.model.refusals import cancelled_error
from basicaer.service.jobs.model.stimuli import (
    Accepted,
    CancelAsked,
    CancelWon,
    CheckStarted,
    Crashed,
    Ended,
    HandedBack,
    Interrupted,
    KeepingTimes,
    Queued,
    Retired,
    Staged,
    Started,
    Stimulus,
    Stopped,
    Stored,
    TimePassed,
    Todo,
    WriteFailed,
)
from basicaer.service.store import JobRecord, StagedResult, UpdateJob
from basicaer.v1 import job_pb2
from basicaer.v1.job_pb2 import JobStatus

__all__ = ["JobMachine"]

_NOTHING = Todo()


class JobMachine:
    """One job. Others only read its attributes; stimuli must come one at a time."""

    __slots__ = (
        "_deadline",
        "_latest",
        "_overdue",
        "_stored",
        "cancel_reason",
        "control",
        "crashes",
        "events",
        "fence",
        "has_parts",
        "head",
        "history",
        "interrupted",
        "result",
        "result_message",
        "settled",
        "sweep_time",
    )

    def __init__(self, job: job_pb2.Job) -> None:
        # The newest state; readers see it once it is committed.
        self.head = job
        # All events that are kept, packed as the store keeps them, and as objects.
        self.events = b""
        self.history: list[PublishedEvent] = []
        # How often a server died that was at it.
        self.crashes = 0
        # Why its caller has asked for its end, if that has happened.
        self.cancel_reason: str | None = None
        # Whether the server is stopping and has asked the attempt to make room.
        self.interrupted = False
        # Whether this server won't move it on any more: it is final, or was given back to the queue at the
        # server's end.
        self.settled = False
        # Of a store that servers share: the fence under which this server has the job.
        self.fence = 0
        self.control: ExecutionControl | None = None
        # With its final status: what the store is to keep, and when the sweeper has something to do.
        self.result: StagedResult | None = None
        self.sweep_time: int | None = None
        # The serialized Result of a job that has become final here, when it is small; and whether parts lie
        # beside it in the store.
        self.result_message: bytes | None = None
        self.has_parts = False
        # When the present attempt has to end, on the monotonic clock, and whether it has taken too long.
        self._deadline = math.inf
        self._overdue = False
        # Whether the store knows of it; until then its changes need no updates.
        self._stored = False
        # The newest update that was asked for.
        self._latest: UpdateJob | None = None

    @classmethod
    def from_record(cls, record: JobRecord, job: job_pb2.Job) -> JobMachine:
        """Return a stored job; `job` is the record's message.

        Raises:
            DecodeError, struct.error: Its events can't be read.
        """
        machine = cls(job)
        machine.crashes = record.crashes
        machine.cancel_reason = record.cancel_reason
        machine.fence = record.fence
        machine.events = record.events
        machine.history = [
            PublishedEvent(event, event.status.status in states.FINAL) for event in unpacked(record.events)
        ]
        machine.settled = machine.final
        machine._stored = True
        return machine

    @property
    def final(self) -> bool:
        """Whether it has come to its end, whoever knows."""
        return self.head.status in states.FINAL

    @property
    def unwanted(self) -> bool:
        """Whether an attempt that hasn't begun must not begin."""
        return self.settled or self.interrupted or self.cancel_reason is not None

    def handle(self, stimulus: Stimulus) -> Todo:
        """Change the state as the stimulus wants it, if it still can.

        Raises:
            RuntimeError: The job can't get that in its state, which is a defect of ours.
        """
        match stimulus:
            case Started():
                return self._start(stimulus)
            case Ended(status, time_ns, keeping, error, staged):
                return self._end(status, time_ns, keeping, error, staged)
            case Accepted(time_ns) | Queued(time_ns):
                self._move(states.QUEUED, time_ns)
                return self._changed()
            case Stored():
                self._stored = True
            case Retired():
                self.control = self.result = self._latest = None
            case TimePassed(now):
                if now > self._deadline and self.control is not None:
                    self._overdue = True
                    return Todo(stop=self.control)
            case CancelAsked():
                return self._cancel(stimulus)
            case CancelWon():
                return self._yield_to_cancel(stimulus)
            case HandedBack(time_ns, keeping):
                return self._hand_back(time_ns, keeping)
            case Stopped(time_ns, keeping, too_late):
                if self._overdue and self.cancel_reason is None:
                    return self._end(states.ERROR, time_ns, keeping, too_late)
                return self._hand_back(time_ns, keeping)
            case Interrupted():
                self.interrupted = True
                return Todo(stop=self.control)
            case CheckStarted(time_ns):
                if self.unwanted:
                    return _NOTHING
                self._move(states.VALIDATING, time_ns)
                return self._changed()
            case WriteFailed(update):
                return self._write_again(update)
            case Crashed():
                self.crashes += 1
            case _:
                assert_never(stimulus)
        return _NOTHING

    def _start(self, started: Started) -> Todo:
        if self.unwanted:
            return _NOTHING
        self._move(states.RUNNING, started.time_ns)
        self.control = started.control
        self._deadline = started.deadline
        # The final state follows in a moment, and holds this one.
        return self._changed(lazy=True)

    def _end(
        self,
        status: JobStatus.ValueType,
        time_ns: int,
        keeping: KeepingTimes,
        error: job_pb2.JobError | None = None,
        staged: Staged | None = None,
    ) -> Todo:
        """Make it final, if it isn't. A cancellation that was acknowledged comes before all else."""
        in_vain = None if staged is None else staged.result
        if self.settled:
            return Todo(discard=in_vain)
        if self.cancel_reason is not None:
            status, error = states.CANCELLED, cancelled_error(self.cancel_reason)
        self._move(status, time_ns, error)
        if keeping.events is not None:
            self.sweep_time = time_ns + keeping.events
        if staged is not None and status != states.CANCELLED:
            in_vain = None
            self._keep(staged, time_ns, keeping)
        return self._changed(discard=in_vain)

    def _keep(self, staged: Staged, time_ns: int, keeping: KeepingTimes) -> None:
        self.result = staged.result
        self.head.result_size_bytes = staged.message_bytes + staged.parts_bytes
        if staged.message is not None:
            self.result_message = staged.message
            self.has_parts = staged.parts_bytes > 0
        if keeping.result is not None:
            expiry = time_ns + keeping.result
            set_timestamp(self.head.result_expire_time, expiry)
            self.sweep_time = expiry if self.sweep_time is None else min(self.sweep_time, expiry)

    def _cancel(self, asked: CancelAsked) -> Todo:
        if self.final:
            return _NOTHING
        if self.cancel_reason is None:
            self.cancel_reason = asked.reason
            self.head.cancel_requested = True
        if asked.waiting and not self.settled:
            return self._end(states.CANCELLED, asked.time_ns, asked.keeping)
        return self._changed(stop=self.control)

    def _yield_to_cancel(self, won: CancelWon) -> Todo:
        if self.cancel_reason is not None:
            # The update that knows of it is on its way.
            return _NOTHING
        self.cancel_reason = won.reason
        self.head.cancel_requested = True
        if not self.final:
            if not self.settled:
                return self._changed(stop=self.control)
            # It was about to be handed back, and is still this server's.
            self.settled = False
            return self._end(states.CANCELLED, won.time_ns, won.keeping)
        in_vain = self.result
        self._take_back_end()
        return self._end(states.CANCELLED, won.time_ns, won.keeping)._replace(discard=in_vain)

    def _take_back_end(self) -> None:
        """Undo an end that couldn't be committed, of which nobody was told."""
        event = self.history.pop().event
        self.events = self.events[: -len(packed(event))]
        head = self.head
        head.sequence -= 1
        head.status = self.history[-1].event.status.status
        for name in ("end_time", "error", "result_size_bytes", "result_expire_time"):
            head.ClearField(name)
        self.result = self.result_message = self.sweep_time = None
        self.has_parts = self.settled = False

    def _hand_back(self, time_ns: int, keeping: KeepingTimes) -> Todo:
        if self.settled:
            return _NOTHING
        if self.cancel_reason is not None:
            return self._end(states.CANCELLED, time_ns, keeping)
        self.settled = True
        if self.head.status == states.QUEUED:
            return _NOTHING
        self._move(states.QUEUED, time_ns)
        return self._changed()

    def _write_again(self, update: UpdateJob) -> Todo:
        if update is not self._latest:
            # A newer one has gone since, and holds it.
            return _NOTHING
        update.error = None
        update.lazy = False
        return Todo(update)

    def _move(self, status: JobStatus.ValueType, time_ns: int, error: job_pb2.JobError | None = None) -> None:
        """Make the next event."""
        head = self.head
        states.check(head.status, status)
        head.status = status
        head.sequence += 1
        final = status in states.FINAL
        if status == states.RUNNING:
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
        self.events += packed(event)
        self.history.append(PublishedEvent(event, final))

    def _changed(
        self,
        *,
        lazy: bool = False,
        stop: ExecutionControl | None = None,
        discard: StagedResult | None = None,
    ) -> Todo:
        """Return what commits the newest state."""
        if not self._stored:
            return Todo(None, stop, discard)
        head = self.head
        self._latest = UpdateJob(
            job_id=head.job_id,
            status=head.status,
            sequence=head.sequence,
            attempt=head.attempt,
            crashes=self.crashes,
            cancel_reason=self.cancel_reason,
            job=head.SerializeToString(),
            events=self.events,
            final=self.final,
            result=self.result,
            sweep_time=self.sweep_time,
            lazy=lazy,
            fence=self.fence,
            released=self.settled and not self.final,
        )
        return Todo(self._latest, stop, discard)
