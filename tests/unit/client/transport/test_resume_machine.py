"""Random troubles of a wait against a model: a server moves on, repeats, compacts and restarts, a network
drops and delays, and the caller's time runs out.

The flow is driven without a network and on a clock of its own, one reply at a time; test_resume_twins.py lets
both clients wait over a real one.
"""

from __future__ import annotations

from typing import Any

from basicaer.client import (
    BasicAerError,
    CallCancelledError,
    EventsCompactedError,
    JobEvent,
    JobTimeoutError,
    ProtocolError,
    ServerError,
    ServerUnavailableError,
    TransportError,
)
from basicaer.client.transport._retry import Backoff, Deadline
from basicaer.client.transport._watch import (
    FAULTS,
    Ask,
    Close,
    Ended,
    Failed,
    Open,
    Receive,
    Reply,
    Tick,
    WatchFlow,
)
from basicaer.v1 import job_pb2, job_service_pb2
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.clock import Clock

QUEUED, RUNNING = job_pb2.JOB_STATUS_QUEUED, job_pb2.JOB_STATUS_RUNNING
FINAL = (job_pb2.JOB_STATUS_DONE, job_pb2.JOB_STATUS_ERROR, job_pb2.JOB_STATUS_CANCELLED)
LIVE = (QUEUED, job_pb2.JOB_STATUS_VALIDATING, RUNNING)
MAX_OUTAGE = 30.0
# So often streams may fail, and nothing be left out; where they fail more often, the flow does with GetJob.
PATIENCE = 5


def live(self: Waits) -> bool:
    """Whether the wait goes on."""
    return self.outcome is None


def open_(self: Waits) -> bool:
    """Whether a call is under way, so that something may come."""
    return self.outcome is None and self.call is not None


def watching(self: Waits) -> bool:
    """Whether that call is a stream."""
    return self.outcome is None and isinstance(self.call, Open)


class Waits(RuleBasedStateMachine):
    """One wait. `history` are the job's durable statuses so far, `told` those that the caller knows of."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.running = self.clock.running()
        self.running.__enter__()
        self.history = [QUEUED]
        self.compacted = 0
        self.told: list[JobEvent] = []
        # How the wait ended: None as long as it goes on, "done", or its error.
        self.outcome: BasicAerError | str | None = None
        self.call: Open | Ask | None = None
        # How long the flow still waits for what comes next.
        self.left = 0.0
        # What the stream has sent, its snapshot included; and how often streams have failed.
        self.snapshot_sent = False
        self.position = 0
        self.failures = 0
        self.streams_refused = False
        self.contact = self.clock.now
        self.faults = 0

    @initialize(
        after=st.none() | st.integers(0, 1),
        strict=st.booleans(),
        timeout=st.none() | st.floats(1.0, 120.0),
        tick=st.none() | st.floats(0.5, 30.0),
        no_streams=st.sampled_from([False, False, True]),
    )
    def begin(
        self, after: int | None, strict: bool, timeout: float | None, tick: float | None, no_streams: bool
    ) -> None:
        self.after = after
        self.strict = strict and after is not None
        self.until = None if timeout is None else self.clock.now + timeout
        self.tick = tick
        flow = WatchFlow(
            "x",
            Deadline(timeout),
            after_sequence=after,
            strict=self.strict,
            tick=tick,
            max_outage=MAX_OUTAGE,
            backoff=Backoff(0.05, 2.0, lambda low, high: high),
        )
        self.steps = flow.run()
        self.resume(None)
        if no_streams:
            self.refuse_streams()

    def resume(self, reply: Reply) -> None:
        """Gives the flow a reply, and follows it to the next time that it wants one."""
        try:
            command = self.steps.send(reply)
            while not isinstance(command, Receive):
                self.obey(command)
                command = self.steps.send(None)
        except StopIteration:
            self.outcome = "done"
        except BasicAerError as error:
            self.outcome = error
        else:
            self.check_receive(command)
        self.check_outcome()

    def obey(self, command: Any) -> None:
        match command:
            case Open(request, timeout):
                assert not self.streams_refused, "a stream was tried again where there are none"
                assert (timeout is None) == (self.until is None)
                self.call, self.snapshot_sent = command, False
                self.position = request.after_sequence if request.HasField("after_sequence") else -1
                assert not request.HasField("after_sequence") or request.after_sequence >= self.last_told()
            case Ask(request):
                self.call = command
                assert request.if_sequence_after == self.last_told()
            case Close():
                self.call = None
            case JobEvent():
                self.hear(command)
            case Tick():
                assert self.tick is not None
                assert command.status is self.told[-1].status

    def hear(self, event: JobEvent) -> None:
        """Once, in order, and as it was; and nothing is left out that could be had."""
        if event.status is None:
            assert event.sequence <= len(self.history)
            return
        assert self.outcome is None
        assert event.sequence > self.last_told(), "an event was told again"
        assert event.sequence <= len(self.history), "an event that isn't durable was told"
        name = job_pb2.JobStatus.Name(self.history[event.sequence - 1]).removeprefix("JOB_STATUS_")
        assert event.status.name == name
        if self.told or self.after is not None:
            follows = event.sequence == self.last_told() + 1
            assert follows or self.may_leave_out(), f"{event.sequence} came after {self.last_told()}"
        assert not any(one.status is not None and one.status.final for one in self.told)
        self.told.append(event)

    def last_told(self) -> int:
        return self.told[-1].sequence if self.told else self.after or 0

    def may_leave_out(self) -> bool:
        return self.compacted > self.last_told() or self.streams_refused or self.failures > PATIENCE

    # What the server and the network do

    def event(self, number: int) -> job_service_pb2.WatchJobResponse:
        """The stream's message of a durable event."""
        self.contact = self.clock.now
        change = job_pb2.StatusChange(status=self.history[number - 1])
        return job_service_pb2.WatchJobResponse(event=job_pb2.Event(sequence=number, status=change))

    @rule(status=st.sampled_from((*LIVE, *LIVE, *FINAL)))
    def move_on(self, status: job_pb2.JobStatus.ValueType) -> None:
        if self.outcome is None and self.history[-1] not in FINAL:
            self.history.append(status)

    @precondition(live)
    @rule()
    def compact(self) -> None:
        if self.history[-1] in FINAL:
            self.compacted = len(self.history) - 1

    @precondition(open_)
    @rule()
    def deliver(self) -> None:
        """What comes next on the call, if anything does."""
        job = job_pb2.Job(job_id="x", status=self.history[-1], sequence=len(self.history))
        if isinstance(self.call, Ask):
            self.call, self.contact = None, self.clock.now
            self.resume(job_service_pb2.GetJobResponse(job=job))
        elif not self.snapshot_sent and 0 <= self.position < self.compacted:
            self.fail(EventsCompactedError("gone", reason="EVENTS_COMPACTED"))
        elif not self.snapshot_sent:
            self.contact = self.clock.now
            self.snapshot_sent = True
            self.position = len(self.history) if self.position < 0 else self.position
            self.resume(job_service_pb2.WatchJobResponse(job=job))
        elif self.position < len(self.history):
            self.position += 1
            self.resume(self.event(self.position))
        elif self.history[-1] in FINAL:
            self.end()

    @rule(
        statuses=st.lists(st.sampled_from((*LIVE, *LIVE, *LIVE, *FINAL)), max_size=3), count=st.integers(1, 4)
    )
    def go_on(self, statuses: list[int], count: int) -> None:
        """For a while all is well: the flow has its call, the job moves on, and what there is arrives."""
        for _ in range(10):
            if self.outcome is None and self.call is None:
                self.wait(1.0)
        for status in statuses:
            self.move_on(status)
        for _ in range(count):
            if self.outcome is None and self.call is not None:
                self.deliver()

    @precondition(watching)
    @rule(back=st.integers(0, 3))
    def repeat(self, back: int) -> None:
        """An event comes once more."""
        if self.snapshot_sent and self.position - back > 0:
            self.resume(self.event(self.position - back))

    @precondition(watching)
    @rule()
    def lose(self) -> None:
        """A message is lost, and the next one comes."""
        if self.snapshot_sent and self.position + 1 < len(self.history):
            self.failures += 1
            self.position += 2
            self.resume(self.event(self.position))

    @precondition(watching)
    @rule(kind=st.sampled_from(["heartbeat", "progress", "queue_position"]), seconds=st.integers(0, 2**40))
    def pass_on(self, kind: str, seconds: int) -> None:
        if self.snapshot_sent:
            event = job_pb2.Event(sequence=self.position)
            getattr(event, kind).SetInParent()
            if kind == "heartbeat":
                event.heartbeat.interval.seconds = seconds
            self.contact = self.clock.now
            self.resume(job_service_pb2.WatchJobResponse(event=event))

    @precondition(open_)
    @rule(
        kind=st.sampled_from([ServerUnavailableError, CallCancelledError, TransportError]),
        delay=st.sampled_from([None, 0.0, 5.0]),
        after=st.sampled_from([0.0, 1.0, 60.0]),
    )
    def drop(self, kind: type[BasicAerError], delay: float | None, after: float) -> None:
        self.clock.pass_by(min(after, 0.9 * self.left))
        away = self.clock.now - self.contact > MAX_OUTAGE
        self.fail(kind("scripted", retry_after=delay))
        assert self.outcome is not None or not away, "the server is away for too long, and the wait goes on"

    @precondition(open_)
    @rule()
    def fault(self) -> None:
        self.faults += 1
        self.fail(ServerError("a defect", reason="INTERNAL"))

    @precondition(watching)
    @rule()
    def refuse_streams(self) -> None:
        self.streams_refused = True
        self.fail(ProtocolError("UNIMPLEMENTED"))

    @precondition(watching)
    @rule()
    def end(self) -> None:
        """The stream ends with OK: after the final event, or since the server is stopping."""
        self.failures += 1
        self.call = None
        self.resume(Ended())

    def fail(self, error: BasicAerError) -> None:
        self.failures += 1
        self.call = None
        self.resume(Failed(error))

    @precondition(live)
    @rule(share=st.sampled_from([0.3, 1.0, 1.0]))
    def wait(self, share: float) -> None:
        """Nothing comes for as long as the flow is ready to wait, or a part of that time."""
        if share == 1.0:
            call = self.call
            self.clock.pass_by(self.left)
            self.resume(None)
            # Silence is one of a stream's failures, if it lasts.
            self.failures += call is not self.call
        else:
            # What comes next then comes late.
            self.clock.pass_by(share * self.left)
            self.left *= 1 - share

    # What must hold

    def check_receive(self, receive: Receive) -> None:
        """The flow never waits beyond the caller's time, nor without an end."""
        assert receive.timeout is not None
        self.left = receive.timeout
        if self.until is not None:
            assert self.clock.now < self.until, "the time is over, and the wait goes on"
            assert self.left <= self.until - self.clock.now + 1e-6
        if self.tick is not None and self.told:
            assert self.left <= self.tick + 1e-6

    def check_outcome(self) -> None:
        """It ends with the durable final status, or with an error at the time when that was due."""
        match self.outcome:
            case None:
                return
            case "done":
                if self.after is not None and self.after >= len(self.history):
                    return
                assert self.told
                assert self.told[-1].status is not None
                assert self.told[-1].status.final
                assert self.told[-1].sequence == len(self.history)
            case JobTimeoutError():
                assert self.until is not None
                assert self.clock.now >= self.until
            case EventsCompactedError():
                assert self.strict
                assert self.compacted > self.last_told()
            case ServerError():
                assert self.faults >= FAULTS
            case TransportError():
                assert self.clock.now - self.contact >= MAX_OUTAGE
            case ProtocolError():
                assert self.streams_refused
            case _:
                raise AssertionError(f"the wait ended with {self.outcome!r}")

    @invariant()
    def told_is_durable(self) -> None:
        sequences = [event.sequence for event in self.told]
        assert sequences == sorted(set(sequences))

    def teardown(self) -> None:
        """Where all is well again, the wait ends with the final status."""
        try:
            if self.outcome is None and self.history[-1] not in FINAL:
                self.history.append(FINAL[0])
            for _ in range(1000):
                if self.outcome is not None:
                    break
                if self.call is not None:
                    self.deliver()
                else:
                    self.wait(1.0)
            assert self.outcome is not None, "the wait never ends"
        finally:
            self.running.__exit__(None, None, None)
            self.steps.close()


def test_waits() -> None:
    run_state_machine_as_test(
        Waits,
        settings=settings(
            max_examples=400,
            stateful_step_count=50,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
