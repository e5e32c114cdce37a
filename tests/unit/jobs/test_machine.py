"""A job's state machine alone: stimuli in every order, a store that fails at will, servers that die.

What is modelled around it is what `Mover`, the runner and the store do: updates are committed in the order in
which they were given out, or fail and are told as failed; an attempt that was told to stop may end in any
way, and late.
"""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from basicaer.service.jobs.model import states
from basicaer.service.jobs.model.event import unpacked
from basicaer.service.jobs.model.machine import JobMachine
from basicaer.service.jobs.model.stimuli import (
    Accepted,
    CancelAsked,
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
from basicaer.v1 import error_reason_pb2 as reasons
from basicaer.v1 import job_pb2
from basicaer.v1.job_pb2 import JobStatus
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

KEEPINGS = st.builds(KeepingTimes, st.none() | st.integers(0, 100), st.none() | st.integers(0, 100))
TOO_LATE = job_pb2.JobError(reason=reasons.ERROR_REASON_TIME_LIMIT_EXCEEDED, message="Too late.")
FAILED = job_pb2.JobError(reason=reasons.ERROR_REASON_SIMULATION_FAILED, message="It failed.")
DEADLINE = 100.0


class Control:
    """Told to stop, or not."""

    def cancel(self) -> None:
        raise AssertionError("the machine only says that it is to be told")

    def progress(self) -> job_pb2.Progress:
        return job_pb2.Progress()


class Machine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.machine = JobMachine(job_pb2.Job(job_id="one", status=job_pb2.JOB_STATUS_INITIALIZING))
        self.time = 1_000
        # What the store has, and what it was given since, in order; and what it couldn't commit.
        self.record: JobRecord | None = None
        self.pending: list[UpdateJob] = []
        self.failed: list[UpdateJob] = []
        # Whether a thread is at it: it reads its programs, or runs it.
        self.checking = False
        self.control: Control | None = None
        self.told_to_stop = False
        # What became of each result that was staged.
        self.staged: set[str] = set()
        self.discarded: list[str] = []
        # What was acknowledged to its caller, by the commit of the update that holds it.
        self.acknowledged: str | None = None
        self.as_final: list[bytes] = []

    @property
    def status(self) -> JobStatus.ValueType:
        return self.machine.head.status

    @property
    def busy(self) -> bool:
        return self.checking or self.control is not None

    def now(self) -> int:
        self.time += 1
        return self.time

    def handle(self, stimulus: Stimulus) -> Todo:
        """As `Mover` does it."""
        before = self.machine.head.sequence
        todo = self.machine.handle(stimulus)
        if todo.update is not None:
            assert self.record is not None
            self.holds_everything(todo.update)
            self.pending.append(todo.update)
        elif self.record is not None:
            # What changes is always to be stored.
            assert self.machine.head.sequence == before
        if todo.stop is not None:
            assert todo.stop is self.machine.control
            self.told_to_stop = True
        if todo.discard is not None:
            assert todo.discard.file is not None
            self.discarded.append(todo.discard.file)
        return todo

    def holds_everything(self, update: UpdateJob) -> None:
        machine, head = self.machine, self.machine.head
        assert update.job == head.SerializeToString()
        assert (update.job_id, update.status) == (head.job_id, head.status)
        assert (update.sequence, update.attempt) == (head.sequence, head.attempt)
        assert (update.crashes, update.cancel_reason) == (machine.crashes, machine.cancel_reason)
        assert (update.events, update.final) == (machine.events, machine.final)
        assert (update.result, update.sweep_time) == (machine.result, machine.sweep_time)

    # A job comes in, with an attempt before it is stored, or without one

    @initialize(at_once=st.booleans(), fails=st.booleans(), keeping=KEEPINGS)
    def arrives(self, at_once: bool, fails: bool, keeping: KeepingTimes) -> None:
        assert self.machine.handle(Accepted(self.now())) == Todo()
        if at_once:
            assert self.machine.handle(Started(self.now())) == Todo()
            ended = Ended(*self.outcome(fails), keeping, FAILED if fails else None, self.stage())
            assert self.machine.handle(ended) == Todo()
        assert self.machine.handle(Stored()) == Todo()
        self.record = self.recorded()

    def recorded(self) -> JobRecord:
        head = self.machine.head
        return JobRecord(
            job_id=head.job_id,
            principal="",
            status=head.status,
            sequence=head.sequence,
            attempt=head.attempt,
            crashes=self.machine.crashes,
            cancel_reason=self.machine.cancel_reason,
            job=head.SerializeToString(),
            events=self.machine.events,
        )

    def outcome(self, fails: bool) -> tuple[JobStatus.ValueType, int]:
        return (states.ERROR if fails else states.DONE), self.now()

    def stage(self) -> Staged:
        name = f"result {len(self.staged)}"
        self.staged.add(name)
        return Staged(StagedResult(None, name, 3, 10), b"abc", 3, 7)

    # A thread takes it from the queue, and is at it until it says otherwise

    @precondition(lambda self: self.status == states.QUEUED and not self.busy)
    @rule()
    def is_checked_again(self) -> None:
        unwanted = self.machine.unwanted
        self.checking = self.handle(CheckStarted(self.now())).update is not None
        assert self.checking == (not unwanted)

    @precondition(lambda self: self.control is None and (self.checking or self.status == states.QUEUED))
    @rule()
    def starts(self) -> None:
        unwanted, control = self.machine.unwanted, Control()
        update = self.handle(Started(self.now(), control, DEADLINE)).update
        assert (update is not None) == (not unwanted)
        if update is not None:
            assert update.lazy
            self.checking, self.control, self.told_to_stop = False, control, False

    @precondition(lambda self: self.control is not None)
    @rule(fails=st.booleans(), keeping=KEEPINGS, with_result=st.booleans())
    def ends(self, fails: bool, keeping: KeepingTimes, with_result: bool) -> None:
        staged = self.stage() if with_result else None
        self.control = None
        open_still = not self.machine.settled
        cancelled = self.machine.cancel_reason is not None
        status, now = self.outcome(fails)
        todo = self.handle(Ended(status, now, keeping, FAILED if fails else None, staged))
        assert (todo.update is not None) == open_still
        if open_still:
            assert self.status == (states.CANCELLED if cancelled else status)
        if staged is not None:
            kept = open_still and not cancelled
            assert (self.machine.result is staged.result) == kept
            assert (todo.discard is staged.result) == (not kept)

    @precondition(lambda self: self.checking)
    @rule(keeping=KEEPINGS)
    def is_refused(self, keeping: KeepingTimes) -> None:
        self.checking = False
        self.handle(Ended(states.ERROR, self.now(), keeping, FAILED))

    @precondition(lambda self: self.control is not None and self.told_to_stop)
    @rule(keeping=KEEPINGS)
    def stops(self, keeping: KeepingTimes) -> None:
        self.control = None
        self.handle(Stopped(self.now(), keeping, TOO_LATE))
        assert self.machine.settled
        if self.status == states.ERROR:
            assert self.machine.head.error in (TOO_LATE, FAILED)

    @precondition(lambda self: self.busy or self.machine.unwanted)
    @rule(keeping=KEEPINGS)
    def is_handed_back(self, keeping: KeepingTimes) -> None:
        self.checking = False
        self.handle(HandedBack(self.now(), keeping))
        assert self.machine.settled
        assert self.status in {states.QUEUED, *states.FINAL}

    # Its caller and the server meanwhile

    @rule(reason=st.sampled_from(["", "why"]), keeping=KEEPINGS)
    def is_cancelled(self, reason: str, keeping: KeepingTimes) -> None:
        was_final, first = self.machine.final, self.machine.cancel_reason is None
        waiting = self.status == states.QUEUED and not self.busy
        todo = self.handle(CancelAsked(reason, self.now(), keeping, waiting))
        assert (todo.update is None) == was_final
        if was_final:
            return
        assert self.machine.head.cancel_requested
        assert self.machine.cancel_reason == reason or not first
        assert self.control is None or todo.stop is self.control

    @rule()
    def is_interrupted(self) -> None:
        todo = self.handle(Interrupted())
        assert self.machine.unwanted
        assert self.control is None or todo.stop is self.control

    @rule(now=st.floats(0, 2 * DEADLINE))
    def time_passes(self, now: float) -> None:
        todo = self.handle(TimePassed(now))
        if self.control is not None:
            assert (todo.stop is not None) == (now > DEADLINE)

    # The store

    @precondition(lambda self: self.pending)
    @rule(fails=st.booleans())
    def is_committed(self, fails: bool) -> None:
        update = self.pending.pop(0)
        if fails:
            self.failed.append(update)
            return
        assert self.record is not None
        # What is stored never goes back.
        assert update.sequence >= self.record.sequence
        assert update.attempt >= self.record.attempt
        assert update.crashes >= self.record.crashes
        if self.acknowledged is not None:
            assert update.cancel_reason == self.acknowledged
        self.acknowledged = update.cancel_reason
        self.record = JobRecord(
            job_id=update.job_id,
            principal="",
            status=update.status,
            sequence=update.sequence,
            attempt=update.attempt,
            crashes=update.crashes,
            cancel_reason=update.cancel_reason,
            job=update.job,
            events=update.events,
        )
        if update.final:
            assert self.handle(Retired()) == Todo()

    @precondition(lambda self: self.failed)
    @rule()
    def is_written_again(self) -> None:
        update = self.failed.pop(0)
        newest = update.sequence == self.machine.head.sequence
        again = self.handle(WriteFailed(update)).update
        assert again is None or (again is update and newest and not again.lazy and again.error is None)

    @rule(keeping=KEEPINGS)
    def is_found_by_another_server(self, keeping: KeepingTimes) -> None:
        """After kill -9: what wasn't committed has never been, and a result that was staged is swept."""
        record = self.record
        assert record is not None
        self.pending, self.failed, self.checking, self.control = [], [], False, None
        machine = self.machine = JobMachine.from_record(record, job_pb2.Job.FromString(record.job))
        self.as_final = self.as_final if machine.final else []
        assert machine.settled == machine.final
        assert not machine.interrupted
        if machine.final:
            return
        interrupted = machine.head.status in (states.VALIDATING, states.RUNNING)
        if interrupted:
            self.handle(Crashed())
            assert machine.crashes == record.crashes + 1
        if machine.cancel_reason is not None:
            self.handle(Ended(states.CANCELLED, self.now(), keeping))
        elif interrupted:
            self.handle(Queued(self.now()))

    # What can't be

    @precondition(lambda self: not self.machine.unwanted and self.status == states.QUEUED)
    @rule(stimulus=st.sampled_from(["accepted", "done"]), keeping=KEEPINGS)
    def nonsense_changes_nothing(self, stimulus: str, keeping: KeepingTimes) -> None:
        before, events = self.machine.head.SerializeToString(), self.machine.events
        nonsense: dict[str, Stimulus] = {"accepted": Accepted(1), "done": Ended(states.DONE, 1, keeping)}
        with pytest.raises(RuntimeError, match="a job can't go from"):
            self.machine.handle(nonsense[stimulus])
        assert (self.machine.head.SerializeToString(), self.machine.events) == (before, events)
        assert not self.machine.settled

    # What must hold

    @invariant()
    def its_story_is_whole(self) -> None:
        machine, head = self.machine, self.machine.head
        events = unpacked(machine.events)
        assert [published.event for published in machine.history] == events
        assert [event.sequence for event in events] == list(range(1, head.sequence + 1))
        statuses = [event.status.status for event in events]
        for status, following in itertools.pairwise(statuses):
            assert following in states.TRANSITIONS[status]
        if statuses:
            assert statuses[-1] == head.status
        assert statuses.count(states.RUNNING) == head.attempt
        assert [published.final for published in machine.history] == [
            status in states.FINAL for status in statuses
        ]

    @invariant()
    def an_end_is_the_end(self) -> None:
        machine, head = self.machine, self.machine.head
        if not machine.final:
            return
        assert machine.settled
        self.as_final.append(head.SerializeToString())
        assert self.as_final[0] == self.as_final[-1]
        if machine.cancel_reason is not None:
            assert head.status == states.CANCELLED
            assert head.error.metadata.get("reason", "") == machine.cancel_reason
        assert head.HasField("error") == (head.status != states.DONE)
        if head.result_size_bytes:
            assert head.status != states.CANCELLED

    @invariant()
    def nothing_is_left_behind(self) -> None:
        assert len(self.discarded) == len(set(self.discarded))

    def teardown(self) -> None:
        """However much has failed, the newest state reaches the store once it works."""
        while self.pending or self.failed:
            while self.failed:
                self.is_written_again()
            while self.pending:
                Machine.is_committed(self, False)
        if self.record is not None:
            recorded: Any = self.recorded()
            assert self.record == recorded


def test_machine() -> None:
    run_state_machine_as_test(
        Machine, settings=settings(max_examples=200, stateful_step_count=30, deadline=None)
    )
