"""Writes in groups: their order, and what fails alone when the disk or a lock is in the way."""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from basicaer.service.errors import StoreBusyError
from basicaer.v1 import error_reason_pb2 as reasons


def test_writes_come_back_in_order_and_in_groups(open_store: Any, new_job: Any) -> None:
    its = open_store()
    with locked(its.directory):
        # The writer waits for the lock with the first; the rest becomes one group.
        writes = [new_job(number) for number in range(200)]
        for write in writes:
            its.store.write(write)
    assert its.committed.wait(200) == writes
    assert len(its.committed.groups) < 200


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Holds the database's lock, as another program might."""
    connection = sqlite3.connect(directory / "jobs.sqlite3", isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


@contextmanager
def full_disk(limit: int) -> Iterator[None]:
    """Lets no file of this process grow beyond a size."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_locked_store_is_busy_and_recovers(open_store: Any, new_job: Any) -> None:
    its = open_store(busy_timeout=0.01)
    with locked(its.directory):
        for write in its.write(*(new_job(number) for number in range(3))):
            assert isinstance(write.error, StoreBusyError)
            assert write.error.retry_after
        # Readers don't mind.
        assert await its.store.find("job00000") is None
    (write,) = its.write(new_job(1))
    assert write.error is None


async def test_a_full_disk_fails_what_does_not_fit_and_nothing_else(
    open_store: Any, new_job: Any, new_state: Any
) -> None:
    its = open_store()
    its.write(new_job(0))
    log = (its.directory / "jobs.sqlite3-wal").stat().st_size
    with full_disk(log + (1 << 19)):
        with locked(its.directory):
            writes = [
                new_job(1),
                new_job(2, spec=b"x" * (1 << 20)),
                new_job(3),
                new_state(0, job=b"y" * (1 << 20)),
                new_job(4),
            ]
            for write in writes:
                its.store.write(write)
        its.committed.wait(5)
        assert [write.error is None for write in writes] == [True, False, True, False, True]
        assert isinstance(writes[1].error, StoreBusyError)
        with pytest.raises(StoreBusyError):
            its.store.stage_result("job00001", 1, [b""], [memoryview(bytes(1 << 22))])
        assert list((its.directory / "results").iterdir()) == []
    assert [record.job_id for record in its.store.live_jobs()] == [f"job{n:05d}" for n in (0, 1, 3, 4)]
    assert (await its.store.find("job00000")).job == b"job"
    (write,) = its.write(writes[3])
    its.store.close()
    its = open_store()
    assert len((await its.store.find("job00000")).job) == 1 << 20


def test_a_wrong_write_fails_alone(open_store: Any, new_job: Any) -> None:
    """A statement that breaks a constraint takes none of its group with it, nor half of itself."""
    its = open_store()
    with locked(its.directory):
        writes = [
            new_job(1, labels={"k": "v"}),
            new_job(1, labels={"other": "v"}),
            new_job(2, labels={"k": None}),
            new_job(3, labels={"k": "v"}),
        ]
        for write in writes:
            its.store.write(write)
    its.committed.wait(4)
    assert [write.error and write.error.reason for write in writes] == [
        None,
        reasons.ERROR_REASON_INTERNAL,
        reasons.ERROR_REASON_INTERNAL,
        None,
    ]
    assert [record.job_id for record in its.store.live_jobs()] == ["job00001", "job00003"]
