"""Both clients, over a real network that breaks as hypothesis likes: one submission, each status told once,
in order, an end that is the job's, and not a call after it.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import grpc
import pytest
from basicaer.client import (
    AsyncBasicAerProvider,
    BasicAerProvider,
    JobStatus,
    JobTimeoutError,
)
from basicaer.client.transport import _retry, _watch
from basicaer.v1 import job_pb2, job_service_pb2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Status: TypeAlias = job_pb2.JobStatus.ValueType
FINAL = [job_pb2.JOB_STATUS_DONE, job_pb2.JOB_STATUS_ERROR, job_pb2.JOB_STATUS_CANCELLED]
LIVE = [job_pb2.JOB_STATUS_QUEUED, job_pb2.JOB_STATUS_VALIDATING, job_pb2.JOB_STATUS_RUNNING]
BELL = "OPENQASM 2.0; qreg q[2];"
CODES = {
    "away": grpc.StatusCode.UNAVAILABLE,
    "cut": grpc.StatusCode.CANCELLED,
    "broken": grpc.StatusCode.INTERNAL,
}
# So many statuses in any order, then the end: at most as many as there are kinds, so that none comes twice.
histories = st.tuples(st.permutations(LIVE), st.sampled_from(FINAL)).map(lambda parts: [*parts[0], parts[1]])
# What befalls a submission: it breaks before or after the job was accepted, or it doesn't.
submissions = st.lists(st.sampled_from(["before", "after"]), max_size=2)
# What befalls a stream: after so many messages it ends like this. Too few for streams to be given up.
streams = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from([*CODES, "stops", "repeats", "hangs"])), max_size=2
)


@dataclass
class Server:
    """What the peer does: one job, which moves on as its events are sent."""

    peer: Any
    history: list[Status]
    submissions: list[str]
    streams: list[tuple[int, str]]
    now: int = 1
    # The request ids under which a job was accepted.
    accepted: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.peer.requests.clear()
        self.peer.on("RunJob", self.run)
        self.peer.on("SubmitJob", self.submit)
        self.peer.on("WatchJob", self.watch)
        self.peer.on("GetJob", lambda request, context: job_service_pb2.GetJobResponse(job=self.job()))

    def job(self) -> job_pb2.Job:
        job: job_pb2.Job = self.peer.job(self.history[self.now - 1], self.now)
        return job

    def accept(self, request: Any, context: grpc.ServicerContext) -> job_pb2.Job:
        trouble = self.submissions.pop(0) if self.submissions else ""
        if trouble != "before":
            self.accepted.add(request.request_id)
        if trouble:
            self.peer.abort(context, grpc.StatusCode.UNAVAILABLE, retry_after=0.001)
        return self.job()

    def submit(self, request: Any, context: grpc.ServicerContext) -> Any:
        return job_service_pb2.SubmitJobResponse(job=self.accept(request, context))

    def run(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        yield job_service_pb2.RunJobResponse(job=self.accept(request, context))
        for message in self.messages(1, context):
            yield job_service_pb2.RunJobResponse(event=message.event)

    def watch(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        after = request.after_sequence if request.HasField("after_sequence") else self.now
        yield job_service_pb2.WatchJobResponse(job=self.job())
        yield from self.messages(after, context)

    def messages(self, after: int, context: grpc.ServicerContext) -> Iterator[Any]:
        length, ending = self.streams.pop(0) if self.streams else (len(self.history), "stops")
        for number in range(after + 1, min(after + length, len(self.history)) + 1):
            self.now = max(self.now, number)
            for _ in range(2 if ending == "repeats" else 1):
                yield self.peer.event(self.history[number - 1], number)
        if ending in CODES:
            self.peer.abort(context, CODES[ending])
        if ending == "hangs":
            self.peer.hang(context)

    def check(self, told: list[JobStatus], ended: JobStatus) -> None:
        """Whether a wait has told of each live status at most once, in order, and ended as the job did."""
        names = [job_pb2.JobStatus.Name(status).removeprefix("JOB_STATUS_") for status in self.history]
        places = [names.index(status.name) for status in told]
        assert places == sorted(set(places)), f"told {told} of {names}"
        assert len(names) - 1 not in places
        assert ended.name == names[-1]
        assert len(self.accepted) == 1
        ids = {
            call.request_id for name in ("RunJob", "SubmitJob") for call in self.peer.requests.get(name, ())
        }
        assert ids == self.accepted

    def calls(self) -> int:
        return sum(map(len, self.peer.requests.values()))


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    short = functools.partial(_retry.Backoff, 0.001, 0.004)
    monkeypatch.setattr(_retry, "Backoff", short)
    monkeypatch.setattr(_watch, "Backoff", short)


def limit(troubles: list[tuple[int, str]]) -> float:
    """How long each wait may take (seconds): a stream that hangs is to outlast it."""
    return 0.1 if any(ending == "hangs" for _, ending in troubles) else 30.0


small = settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@small
@given(histories, submissions, streams)
def test_the_blocking_client(
    peer: Any, history: list[Status], troubles: list[str], breaks: list[tuple[int, str]]
) -> None:
    server = Server(peer, history, list(troubles), list(breaks))
    told: list[JobStatus] = []
    with BasicAerProvider(peer.address, timeout=10.0, max_outage=20.0) as provider:
        job = provider.get_backend("qasm_simulator").run(BELL)
        while True:
            try:
                job.wait_for_final_state(limit(breaks), 60, lambda *call: told.append(call[1]))
            except JobTimeoutError:
                assert "hangs" in [ending for _, ending in breaks]
                # The next wait tells of where the job stands, again.
                told.clear()
            else:
                break
        calls = server.calls()
        server.check(told, job.status())
        server.now, server.streams = 1, list(breaks)
        if limit(breaks) > 1.0:
            events = [event.sequence for event in job.events() if event.status is not None]
            assert events == list(range(1, len(history) + 1))
            calls = server.calls()
    assert server.calls() == calls


@small
@given(histories, submissions, streams)
def test_the_asyncio_client(
    peer: Any, history: list[Status], troubles: list[str], breaks: list[tuple[int, str]]
) -> None:
    server = Server(peer, history, list(troubles), list(breaks))

    async def use() -> int:
        told: list[JobStatus] = []
        async with AsyncBasicAerProvider(peer.address, timeout=10.0, max_outage=20.0) as provider:
            job = await (await provider.get_backend("qasm_simulator")).run(BELL)
            while True:
                try:
                    await job.wait_for_final_state(limit(breaks), 60, lambda *call: told.append(call[1]))
                except JobTimeoutError:
                    assert "hangs" in [ending for _, ending in breaks]
                    told.clear()
                else:
                    break
            calls = server.calls()
            server.check(told, await job.status())
            server.now, server.streams = 1, list(breaks)
            if limit(breaks) > 1.0:
                events = [event.sequence async for event in job.events() if event.status is not None]
                assert events == list(range(1, len(history) + 1))
                calls = server.calls()
        return calls

    assert asyncio.run(use()) == server.calls()
