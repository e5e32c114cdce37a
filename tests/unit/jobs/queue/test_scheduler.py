"""The order of jobs: first come, first served, within memory, and nobody waits for ever."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from basicaer.service.jobs.model.entry import JobEntry
from basicaer.service.jobs.queue.local import LocalQueue
from basicaer.service.jobs.queue.scheduler import Scheduler
from basicaer.v1 import job_pb2
from hypothesis import given, settings
from hypothesis import strategies as st

MEMORY = 100


class Bench:
    """A scheduler whose jobs run until the test ends them, and say when they start."""

    def __init__(self, workers: int = 2, **settings: int) -> None:
        self.started: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.gates: dict[str, threading.Event] = {}
        self.idle = threading.Event()
        options: dict[str, Any] = {
            "max_memory_bytes": MEMORY,
            "max_overtakes": 3,
            "prepared_cache_bytes": 100,
            **settings,
        }
        waiting = LocalQueue(options.pop("max_overtakes"))
        self.scheduler = Scheduler(self._run, waiting, workers=workers, **options)
        self.scheduler.start()

    def _run(self, entry: JobEntry) -> None:
        self.started.put(entry.job_id)
        self.gates[entry.job_id].wait(60)

    def entry(self, name: str, size: int = 1, weight: int = 0, principal: str = "") -> JobEntry:
        job = job_pb2.Job(job_id=name, required_bytes=size, status=job_pb2.JOB_STATUS_QUEUED)
        entry = JobEntry(job, principal)
        entry.prepared = SimpleNamespace(size_bytes=weight)
        self.gates[name] = threading.Event()
        return entry

    def add(self, name: str, size: int = 1) -> JobEntry:
        entry = self.entry(name, size)
        self.scheduler.add([entry])
        return entry

    def starts(self) -> str:
        return self.started.get(timeout=60)

    def nothing_starts(self) -> bool:
        # Starts are handed out within `add`, and on a job's end before its thread takes another step.
        return self.started.empty()

    def end(self, name: str) -> None:
        self.gates[name].set()

    def end_and_wait(self, name: str) -> None:
        """When this returns, what can start has been handed to a thread."""
        self.end(name)
        while any(entry.job_id == name for entry in self.scheduler.running()):
            self.gates[name].wait(60)

    def close(self) -> None:
        self.scheduler.stop(self.idle.set)
        for gate in self.gates.values():
            gate.set()
        assert self.idle.wait(60)


@pytest.fixture
def bench() -> Any:
    made = []

    def make(workers: int = 2, **settings: int) -> Bench:
        made.append(Bench(workers, **settings))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_first_come_first_served(bench: Callable[..., Bench]) -> None:
    its = bench(workers=1)
    for name in "abc":
        its.add(name)
    assert [entry.position for entry in its.scheduler.waiting()] == [0, 1]
    for name in "abc":
        assert its.starts() == name
        its.end(name)


def test_as_many_at_once_as_workers(bench: Callable[..., Bench]) -> None:
    its = bench(workers=2)
    for name in "abc":
        its.add(name)
    assert {its.starts(), its.starts()} == {"a", "b"}
    assert (its.scheduler.running_count, its.scheduler.waiting_count) == (2, 1)
    its.end("b")
    assert its.starts() == "c"


def test_a_job_waits_until_its_memory_is_free(bench: Callable[..., Bench]) -> None:
    its = bench(workers=3)
    its.add("a", 60)
    assert its.starts() == "a"
    its.add("b", 41)
    assert its.scheduler.waiting_count == 1
    its.end("a")
    assert its.starts() == "b"


def test_small_jobs_overtake_a_large_one_a_bounded_number_of_times(bench: Callable[..., Bench]) -> None:
    its = bench(workers=2, max_overtakes=3)
    its.add("long", 10)
    assert its.starts() == "long"
    its.add("large", 95)
    for number in range(5):
        its.add(f"small{number}", 5)
    for number in range(3):
        assert its.starts() == f"small{number}"
        its.end(f"small{number}")
    # A thread is free, and so is memory for small3, but the large one has waited long enough.
    its.end("long")
    # What is left beside it is enough for the next one.
    assert {its.starts(), its.starts()} == {"large", "small3"}
    assert [entry.job_id for entry in its.scheduler.running()] == ["large", "small3"]
    assert its.scheduler.waiting_count == 1
    its.end("large")
    assert its.starts() == "small4"


def test_removing_the_first_lets_the_next_start(bench: Callable[..., Bench]) -> None:
    its = bench(workers=2, max_overtakes=0)
    its.add("long", 10)
    assert its.starts() == "long"
    large = its.add("large", 95)
    its.add("small", 5)
    assert its.scheduler.waiting_count == 2
    assert its.scheduler.remove(large)
    assert its.starts() == "small"
    assert not its.scheduler.remove(large)


def test_the_newest_programs_are_dropped_when_too_many_wait(bench: Callable[..., Bench]) -> None:
    its = bench(workers=1, prepared_cache_bytes=100)
    its.add("running")
    entries = [its.entry(name, weight=40) for name in "abcd"]
    for entry in entries[:3]:
        its.scheduler.add([entry])
    assert [entry.prepared is not None for entry in entries[:3]] == [True, True, False]
    # What is taken out makes room.
    its.scheduler.remove(entries[0])
    its.scheduler.add([entries[3]])
    assert entries[3].prepared is not None


def test_after_stop_nothing_starts(bench: Callable[..., Bench]) -> None:
    its = bench(workers=1)
    its.add("a")
    its.add("b")
    assert its.starts() == "a"
    its.scheduler.stop(its.idle.set)
    assert not its.idle.is_set()
    its.end("a")
    assert its.idle.wait(60)
    assert its.nothing_starts()
    assert [entry.job_id for entry in its.scheduler.waiting()] == ["b"]


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(1, MEMORY), max_size=30), st.integers(1, 4), st.integers(0, 5))
def test_every_job_runs_within_memory_and_overtaken_boundedly(
    sizes: list[int], workers: int, max_overtakes: int
) -> None:
    """Ends jobs in the order of their starts, and follows who went past whom."""
    its = Bench(workers, max_overtakes=max_overtakes)
    try:
        for number, size in enumerate(sizes):
            its.add(str(number), size)
        order: list[int] = []
        running: list[int] = []
        while len(order) < len(sizes):
            # In the order in which they were handed out; the threads may begin in another.
            now = [int(entry.job_id) for entry in its.scheduler.running()]
            if started := [number for number in now if number not in order]:
                order += started
                running += started
                assert sum(sizes[number] for number in running) <= MEMORY
            elif running:
                its.end_and_wait(str(running.pop(0)))
            else:
                # No thread has begun yet.
                its.starts()
        assert sorted(order) == list(range(len(sizes)))
        for place, number in enumerate(order):
            # By those that went past the first, while that was itself or one before it.
            overtakers = sum(1 for other in order[:place] if other > number)
            assert overtakers <= max_overtakes * (number + 1)
    finally:
        its.close()


def test_principals_take_turns(bench: Any) -> None:
    its = bench(workers=1)
    its.add("running")
    assert its.starts() == "running"
    names = ["a1", "a2", "a3", "b1", "c1", "b2"]
    for name in names:
        its.scheduler.add([its.entry(name, principal=name[0])])
    expected = ["a1", "b1", "c1", "a2", "b2", "a3"]
    assert [entry.job_id for entry in its.scheduler.waiting()] == expected
    assert [its.scheduler.waiting_of(name) for name in "abcd"] == [3, 2, 1, 0]
    assert its.scheduler.waiting_by_principal() == {"a": 3, "b": 2, "c": 1}
    for before, name in zip(["running", *expected], expected, strict=False):
        its.end(before)
        assert its.starts() == name


def test_a_newcomer_is_told_how_many_are_ahead(bench: Any) -> None:
    its = bench(workers=1)
    its.add("running")
    entries = [its.entry(name, principal=name[0]) for name in ("a1", "a2", "a3", "b1", "b2")]
    for entry in entries:
        its.scheduler.add([entry])
    assert [entry.position for entry in entries] == [0, 1, 2, 1, 3]


def test_a_large_job_is_not_overtaken_for_ever_by_other_principals(bench: Any) -> None:
    its = bench(workers=2, max_overtakes=2)
    its.add("half", 60)
    assert its.starts() == "half"
    its.scheduler.add([its.entry("large", 90, principal="a")])
    for number in range(4):
        its.scheduler.add([its.entry(f"small{number}", 10, principal="b")])
    for number in range(2):
        assert its.starts() == f"small{number}"
        its.end_and_wait(f"small{number}")
    assert its.nothing_starts()
    its.end("half")
    assert its.starts() == "large"
