"""Stores whose writes can be waited for."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from basicaer.service.store import InsertJob, JobStore, SQLiteStore, UpdateJob, Write


class Committed:
    """A listener that keeps the groups which it is given."""

    def __init__(self) -> None:
        self.groups: list[list[Write]] = []
        self._writes: queue.SimpleQueue[Write] = queue.SimpleQueue()

    def __call__(self, writes: Sequence[Write]) -> None:
        self.groups.append(list(writes))
        for write in writes:
            self._writes.put(write)

    def wait(self, count: int = 1) -> list[Write]:
        """The next so many writes, in the order in which they came back."""
        return [self._writes.get(timeout=60) for _ in range(count)]


class Opened:
    def __init__(self, directory: Path, make: Callable[..., JobStore] = SQLiteStore, **options: Any) -> None:
        self.directory = directory
        self.committed = Committed()
        self.store = make(directory, **options)
        self.store.open(self.committed)

    def write(self, *writes: Any) -> list[Any]:
        """Hands writes over and waits until all are back."""
        for write in writes:
            self.store.write(write)
        return self.committed.wait(len(writes))


def insert(number: int, **fields: Any) -> InsertJob:
    """A new job; jobs with higher numbers have higher ids."""
    defaults: dict[str, Any] = {
        "job_id": f"job{number:05d}",
        "principal": "",
        "request_id": None,
        "request_hash": b"hash",
        "backend_name": "script",
        "create_time": number,
        "status": 2,
        "labels": {},
        "job": b"job",
        "events": b"events",
        "spec": b"spec",
    }
    return InsertJob(**{**defaults, **fields})


def update(number: int, **fields: Any) -> UpdateJob:
    """A new state of the job that `insert(number)` made."""
    defaults: dict[str, Any] = {
        "job_id": f"job{number:05d}",
        "status": 4,
        "sequence": 2,
        "attempt": 1,
        "crashes": 0,
        "cancel_reason": None,
        "job": b"job running",
        "events": b"events more",
    }
    return UpdateJob(**{**defaults, **fields})


def finish(new_state: Any, number: int, **fields: Any) -> Any:
    """The end of the job that `insert(number)` made."""
    return new_state(number, **{"status": 6, "sequence": 3, "final": True, **fields})


@pytest.fixture
def open_store(tmp_path: Path) -> Iterator[Callable[..., Opened]]:
    made: list[Opened] = []

    def opens(directory: Path | None = None, **options: Any) -> Opened:
        made.append(Opened(directory or tmp_path / "data", **options))
        return made[-1]

    yield opens
    for opened in made:
        opened.store.close()


@pytest.fixture
def new_job() -> Callable[..., InsertJob]:
    return insert


@pytest.fixture
def new_state() -> Callable[..., UpdateJob]:
    return update
