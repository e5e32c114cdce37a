"""The waiting flow without a network: whatever a stream does, every durable event comes once and in order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import pytest
from basicaer.client import (
    CallTimeoutError,
    JobEvent,
    JobStatus,
    JobTimeoutError,
    ProtocolError,
    ServerUnavailableError,
    TransportError,
)
from basicaer.client.transport._retry import Backoff, Deadline, Retry
from basicaer.client.transport._watch import Ask, Close, Ended, Failed, Open, Receive, Reply, Tick, WatchFlow
from basicaer.v1 import job_pb2, job_service_pb2
from hypothesis import given
from hypothesis import strategies as st

Status: TypeAlias = job_pb2.JobStatus.ValueType
LIVE = [job_pb2.JOB_STATUS_QUEUED, job_pb2.JOB_STATUS_VALIDATING, job_pb2.JOB_STATUS_RUNNING]
FINAL = [job_pb2.JOB_STATUS_DONE, job_pb2.JOB_STATUS_ERROR, job_pb2.JOB_STATUS_CANCELLED]

begins = st.lists(st.sampled_from(LIVE), min_size=1, max_size=6)
ends = st.sampled_from(FINAL)
histories = st.tuples(begins, ends).map(lambda parts: [*parts[0], parts[1]])
# What befalls each connection: after how many messages it ends, how, and whether one is lost before.
faults = st.lists(
    st.tuples(st.integers(0, 4), st.sampled_from(["failed", "ended", "silent"]), st.booleans()), max_size=12
)


def event(sequence: int, status: Status) -> job_service_pb2.WatchJobResponse:
    """A stream's message of a durable event."""
    change = job_pb2.StatusChange(status=status)
    return job_service_pb2.WatchJobResponse(event=job_pb2.Event(sequence=sequence, status=change))


class World:
    """A server with one job, which moves on by one event with each connection, and a network with faults."""

    def __init__(self, history: list[Status], trouble: list[tuple[int, str, bool]]) -> None:
        self.history = history
        self.trouble = trouble
        self.now = 1
        self.replies: Iterator[Reply] = iter(())

    def job(self) -> job_pb2.Job:
        return job_pb2.Job(job_id="x", status=self.history[self.now - 1], sequence=self.now)

    def stream(self, request: job_service_pb2.WatchJobRequest) -> Iterator[Reply]:
        after = request.after_sequence if request.HasField("after_sequence") else self.now
        snapshot = job_service_pb2.WatchJobResponse(job=self.job())
        if not self.trouble:
            self.now = len(self.history)
        messages: list[Reply] = [snapshot]
        messages += [event(number, self.history[number - 1]) for number in range(after + 1, self.now + 1)]
        if not self.trouble:
            yield from messages
            yield Ended()
            return
        length, end, loses = self.trouble.pop(0)
        if loses and len(messages) > 2:
            del messages[1]
        yield from messages[:length]
        last: dict[str, Reply] = {
            "failed": Failed(ServerUnavailableError("away")),
            "ended": Ended(),
            "silent": None,
        }
        yield last[end]

    def move_on(self) -> None:
        self.now = min(self.now + 1, len(self.history))


def follow(world: World, flow: WatchFlow) -> list[JobEvent]:
    """Runs the flow in the world; returns its events."""
    events = []
    steps = flow.run()
    command = next(steps)
    while True:
        reply: Reply = None
        match command:
            case Open(request):
                world.move_on()
                world.replies = world.stream(request)
            case Ask(request):
                world.move_on()
                world.replies = iter([job_service_pb2.GetJobResponse(job=world.job())])
            case Close():
                world.replies = iter(())
            case Receive():
                reply = next(world.replies, None)
                if reply is None:
                    reply = Failed(TransportError("silent"))
            case JobEvent():
                events.append(command)
        try:
            command = steps.send(reply)
        except StopIteration:
            return events


def flow_from(after: int | None) -> WatchFlow:
    return WatchFlow("x", Deadline(None), after_sequence=after, backoff=Backoff(0.0, 0.0))


@given(histories, faults)
def test_events_come_once_in_order_and_end_with_the_final_one(
    history: list[Status], trouble: list[tuple[int, str, bool]]
) -> None:
    events = follow(World(history, trouble), flow_from(0))
    sequences = [event.sequence for event in events]
    assert sequences == sorted(set(sequences))
    assert sequences[-1] == len(history)
    for one in events:
        assert one.status is not None
        assert one.status.name == job_pb2.JobStatus.Name(history[one.sequence - 1]).removeprefix(
            "JOB_STATUS_"
        )


@given(histories, faults.map(lambda trouble: trouble[:6]))
def test_as_long_as_streams_work_at_last_no_event_is_missing(
    history: list[Status], trouble: list[tuple[int, str, bool]]
) -> None:
    events = follow(World(history, trouble), flow_from(0))
    assert [event.sequence for event in events] == list(range(1, len(history) + 1))


@given(histories, faults)
def test_a_wait_ends_with_the_final_status(
    history: list[Status], trouble: list[tuple[int, str, bool]]
) -> None:
    events = follow(World(history, trouble), flow_from(None))
    assert events[-1].status is not None
    assert events[-1].status.final
    assert not any(event.status.final for event in events[:-1] if event.status)


@given(histories, st.data())
def test_a_cursor_begins_after_what_was_seen(history: list[Status], data: st.DataObject) -> None:
    after = data.draw(st.integers(0, len(history)))
    events = follow(World(history, []), flow_from(after))
    assert [event.sequence for event in events] == list(range(after + 1, len(history) + 1))


def test_a_long_poll_that_does_not_wait_is_not_asked_in_a_circle() -> None:
    steps = flow_from(None).run()
    answer = job_service_pb2.GetJobResponse(
        job=job_pb2.Job(job_id="x", status=job_pb2.JOB_STATUS_RUNNING, sequence=2)
    )
    commands = [next(steps)]
    while len([command for command in commands if isinstance(command, Ask)]) < 2:
        reply: Reply = None
        if isinstance(commands[-1], Receive):
            asked = any(isinstance(command, Ask) for command in commands)
            reply = answer if asked else Failed(ProtocolError("UNIMPLEMENTED"))
        commands.append(steps.send(reply))
    assert isinstance(steps.send(None), Receive)
    pause = steps.send(answer)  # at once, and with nothing new
    assert isinstance(pause, Receive)
    assert pause.timeout
    steps.close()


def test_ticks_come_while_a_status_lasts_and_the_deadline_ends_them() -> None:
    flow = WatchFlow("x", Deadline(0.2), tick=0.01, backoff=Backoff(0.0, 0.0))
    steps = flow.run()
    snapshot = job_service_pb2.WatchJobResponse(
        job=job_pb2.Job(job_id="x", status=job_pb2.JOB_STATUS_RUNNING, sequence=2)
    )
    notices = []
    reply: Reply = None
    command = next(steps)
    with pytest.raises(JobTimeoutError):  # noqa: PT012 - the loop that the deadline ends
        while True:
            if isinstance(command, Tick | JobEvent):
                notices.append(command.status)
            reply = snapshot if isinstance(command, Receive) and not notices else None
            command = steps.send(reply)
    assert len(notices) > 3
    assert set(notices) == {JobStatus.RUNNING}


def test_a_heartbeat_that_promises_an_age_of_silence_is_not_believed() -> None:
    steps = flow_from(None).run()
    beat = job_service_pb2.WatchJobResponse(event=job_pb2.Event(heartbeat=job_pb2.Heartbeat()))
    beat.event.heartbeat.interval.seconds = 2**63 - 1
    next(steps)
    steps.send(None)
    receive = steps.send(beat)
    assert isinstance(receive, Receive)
    assert receive.timeout is not None
    assert receive.timeout < 4000.0
    steps.close()


@given(st.integers(1, 40))
def test_pauses_grow_stay_bounded_and_keep_to_the_servers_wish(count: int) -> None:
    backoff = Backoff(0.05, 2.0)
    pauses = [backoff.pause() for _ in range(count)]
    assert all(0.025 <= pause <= 2.0 for pause in pauses)
    assert backoff.pause(at_least=7.0) >= 7.0
    backoff.reset()
    assert backoff.pause() <= 0.05


def test_a_deadline_is_shared_and_never_negative() -> None:
    assert Deadline(None).remaining() is None
    assert Deadline(None).within(3.0) == 3.0
    assert Deadline(-1).remaining() == 0.0
    assert Deadline(-1).expired
    assert Deadline(60).within(None) is not None
    assert (Deadline(0).for_reading().remaining() or 0) > 0
    soon = Deadline(60)
    assert soon.for_reading() is soon


def test_a_retry_that_runs_out_of_time_tells_what_it_waited_for() -> None:
    retry = Retry(Deadline(60))
    away = ServerUnavailableError("away")
    retry.pause(away)
    with pytest.raises(ServerUnavailableError) as caught:
        retry.pause(CallTimeoutError("no answer"))
    assert caught.value is away
    with pytest.raises(CallTimeoutError):
        Retry(Deadline(60)).pause(CallTimeoutError("no answer"))


def test_a_retry_gives_up_on_what_does_not_pass() -> None:
    error = TransportError("no")
    with pytest.raises(TransportError) as caught:
        Retry(Deadline(60)).pause(error)
    assert caught.value is error
