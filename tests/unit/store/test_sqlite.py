"""The store with real files: what is committed, what is refused, and what survives."""

from __future__ import annotations

import resource
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from basicaer.service.errors import DataDirectoryError, ServiceError, StoreBusyError
from basicaer.service.store import (
    Barrier,
    DeleteJob,
    JobFilter,
    SQLiteStore,
    StagedResult,
    SweepJob,
)
from basicaer.v1 import error_reason_pb2 as reasons


def finish(new_state: Any, number: int, **fields: Any) -> Any:
    return new_state(number, **{"status": 6, "sequence": 3, "final": True, **fields})


async def test_a_job_from_its_insertion_to_its_end(open_store: Any, new_job: Any, new_state: Any) -> None:
    its = open_store()
    store = its.store
    its.write(new_job(1, labels={"a": "b"}, request_id="r", spec=b"s" * 10))
    record = await store.find("job00001")
    assert (record.status, record.sequence, record.attempt, record.job) == (2, 1, 0, b"job")
    assert store.load_spec("job00001") == b"s" * 10
    its.write(new_state(1, cancel_reason="because", crashes=2))
    assert await store.find("job00001") == store.live_jobs()[0]
    assert (await store.find("job00001")).cancel_reason == "because"
    its.write(finish(new_state, 1, result=StagedResult(b"result", None, 0)))
    assert store.live_jobs() == []
    # What was to be run isn't needed any more.
    assert store.load_spec("job00001") is None
    assert (await store.open_result("job00001")).message == b"result"
    (write,) = its.write(DeleteJob(job_id="job00001"))
    assert write.applied
    assert await store.find("job00001") is None
    assert await store.list_jobs(JobFilter(labels={"a": "b"}), 10) == []
    (write,) = its.write(DeleteJob(job_id="job00001"))
    assert not write.applied
    assert its.write(new_job(2, request_id="r"))[0].existing is None


async def test_large_specs_and_results_lie_beside_their_rows(
    open_store: Any, new_job: Any, new_state: Any
) -> None:
    its = open_store()
    for number, size in enumerate((32 * 1024, 32 * 1024 + 1, 1 << 20, (1 << 20) + 1)):
        data = bytes([number]) * size
        its.write(new_job(number, spec=data))
        its.write(new_state(number))
        assert its.store.load_spec(f"job{number:05d}") == data
        staged = its.store.stage_result(f"job{number:05d}", 1, data, [])
        assert (staged.file is None) == (size <= 1 << 20)
        its.write(finish(new_state, number, result=staged))
        stored = await its.store.open_result(f"job{number:05d}")
        assert stored.message == data
        stored.close()
    connection = sqlite3.connect(its.directory / "jobs.sqlite3")
    assert connection.execute("SELECT kind, count(*) FROM payloads GROUP BY kind").fetchall() == [
        ("result", 2)
    ]
    connection.close()


async def test_parts_lie_in_one_file(open_store: Any, new_job: Any, new_state: Any) -> None:
    its = open_store()
    its.write(new_job(1))
    message = b"m" * ((1 << 20) + 5)
    staged = its.store.stage_result("job00001", 3, message, [memoryview(b"first"), memoryview(b"second")])
    its.write(finish(new_state, 1, attempt=3, result=staged))
    for _ in range(2):
        stored = await its.store.open_result("job00001")
        assert (stored.message, stored.read(0, 5), stored.read(5, 6)) == (message, b"first", b"second")
        assert stored.read(11, 10**9) == message
        stored.close()
        stored.close()
        its.store.close()
        its = open_store()
    its.write(SweepJob(job_id="job00001", events=b"", sweep_time=None, drop_result=True))
    assert await its.store.open_result("job00001") is None
    assert list((its.directory / "results").iterdir()) == []


async def test_a_request_id_is_taken_once(open_store: Any, new_job: Any) -> None:
    its = open_store()
    writes = its.write(
        new_job(1, request_id="r", request_hash=b"1"),
        new_job(2, request_id="r", request_hash=b"2"),
        new_job(3, request_id="r", principal="p"),
        new_job(4),
        new_job(5),
    )
    assert [write.existing and write.existing.job_id for write in writes] == [
        None,
        "job00001",
        None,
        None,
        None,
    ]
    assert writes[1].existing.request_hash == b"1"
    assert await its.store.find("job00002") is None
    assert await its.store.find_request("", "r") == writes[1].existing
    assert (await its.store.find_request("p", "r")).job_id == "job00003"
    assert await its.store.find_request("", "s") is None


async def test_final_states_and_later_attempts_are_fences(
    open_store: Any, new_job: Any, new_state: Any
) -> None:
    its = open_store()
    its.write(new_job(1), new_job(2))
    first, late, again, end, after = its.write(
        new_state(1, attempt=2, job=b"second"),
        new_state(1, attempt=1, job=b"late"),
        new_state(1, attempt=2, sequence=3, job=b"more"),
        finish(new_state, 1, attempt=2, job=b"end"),
        finish(new_state, 1, attempt=3, job=b"after", result=StagedResult(b"x", None, 0)),
    )
    assert [write.applied for write in (first, late, again, end, after)] == [True, False, True, True, False]
    assert (await its.store.find("job00001")).job == b"end"
    assert await its.store.open_result("job00001") is None
    assert [write.applied for write in its.write(new_state(3), DeleteJob(job_id="job00002"))] == [
        False,
        False,
    ]


def test_a_lazy_update_that_became_needless_is_left_out(
    open_store: Any, new_job: Any, new_state: Any
) -> None:
    its = open_store()
    its.write(new_job(1), new_job(2))
    lazy = [new_state(number, lazy=True) for number in (1, 2)]
    end = finish(new_state, 1)
    for write in (*lazy, end):
        its.store.write(write)
    came = its.committed.wait(2)
    # Job 2's may have come with job 1's end or after it; job 1's never comes.
    assert lazy[0] not in came
    assert {id(write) for write in came} == {id(end), id(lazy[1])}


async def test_lazy_updates_are_committed_at_the_end(open_store: Any, new_job: Any, new_state: Any) -> None:
    its = open_store()
    its.write(new_job(1))
    its.store.write(new_state(1, lazy=True))
    its.store.close()
    its = open_store()
    assert (await its.store.find("job00001")).status == 4


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
            its.store.stage_result("job00001", 1, b"", [memoryview(bytes(1 << 22))])
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


def test_a_barrier_comes_back_after_all_before_it(open_store: Any, new_job: Any) -> None:
    its = open_store()
    barrier = Barrier()
    writes = its.write(new_job(1), new_job(2), barrier)
    assert writes[-1] is barrier


def test_a_listener_that_fails_does_not_stop_the_store(
    tmp_path: Path, new_job: Any, caplog: pytest.LogCaptureFixture
) -> None:
    called = threading.Semaphore(0)

    def listener(writes: Any) -> None:
        called.release()
        raise ValueError("a defect")

    store = SQLiteStore(tmp_path)
    store.open(listener)
    for number in range(2):
        store.write(new_job(number))
        assert called.acquire(timeout=60)
    store.close()
    assert "a defect" in caplog.text


async def test_due_jobs(open_store: Any, new_job: Any, new_state: Any) -> None:
    its = open_store()
    its.write(*(new_job(number) for number in range(4)))
    its.write(*(finish(new_state, n, sweep_time=at) for n, at in enumerate((30, 10, None, 20))))
    assert [record.job_id for record in await its.store.due_jobs(20, 10)] == ["job00001", "job00003"]
    assert len(await its.store.due_jobs(100, 2)) == 2
    its.write(SweepJob(job_id="job00001", events=b"less", sweep_time=None, drop_result=False))
    assert [record.job_id for record in await its.store.due_jobs(20, 10)] == ["job00003"]
    assert (await its.store.find("job00001")).events == b"less"


def test_a_second_store_is_refused(open_store: Any) -> None:
    its = open_store()
    with pytest.raises(DataDirectoryError, match=r"Another server \(process \d+\) uses"):
        SQLiteStore(its.directory).open(lambda writes: None)
    its.store.close()
    its.store.close()
    open_store().store.close()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: path.write_bytes(b"not a database at all" * 100), "can't be used"),
        (lambda path: _database(path, "CREATE TABLE theirs (x)"), "another program"),
        (
            lambda path: _database(
                path, "PRAGMA application_id = 0x42734165; CREATE TABLE jobs (x);PRAGMA user_version = 99"
            ),
            "later version",
        ),
    ],
)
def test_what_is_not_our_database_is_left_alone(tmp_path: Path, make: Any, message: str) -> None:
    path = tmp_path / "jobs.sqlite3"
    make(path)
    before = path.read_bytes()
    with pytest.raises(DataDirectoryError, match=message):
        SQLiteStore(tmp_path).open(lambda writes: None)
    assert path.read_bytes() == before
    # The lock was let go of.
    path.unlink()
    store = SQLiteStore(tmp_path)
    store.open(lambda writes: None)
    store.close()


def _database(path: Path, script: str) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(script)
    connection.close()


def test_a_directory_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataDirectoryError, match="can't be made"):
        SQLiteStore(tmp_path / "file" / "data").open(lambda writes: None)


async def test_leftover_files_are_removed_at_the_start(open_store: Any, new_job: Any, new_state: Any) -> None:
    its = open_store()
    its.write(new_job(1), new_job(2))
    kept = its.store.stage_result("job00001", 1, b"", [memoryview(b"kept")])
    its.store.stage_result("job00002", 1, b"", [memoryview(b"never committed")])
    its.write(finish(new_state, 1, result=kept))
    (its.directory / "results" / "job00003-1.tmp").write_bytes(b"half")
    its.store.close()
    its = open_store()
    assert [path.name for path in (its.directory / "results").iterdir()] == [kept.file]
    stored = await its.store.open_result("job00001")
    assert stored.read(0, 9) == b"kept"
    stored.close()


async def test_a_missing_file_is_data_loss(open_store: Any, new_job: Any, new_state: Any) -> None:
    its = open_store()
    its.write(new_job(1))
    staged = its.store.stage_result("job00001", 1, b"m", [memoryview(b"part")])
    its.write(finish(new_state, 1, result=staged))
    its.store.discard_result(staged)
    with pytest.raises(ServiceError) as caught:
        await its.store.open_result("job00001")
    assert caught.value.reason == reasons.ERROR_REASON_CHECKSUM_MISMATCH


def test_the_lists_use_an_index(open_store: Any, new_job: Any) -> None:
    """Whatever is asked for, no list sorts or reads all jobs before its first one."""
    from basicaer.service.store import _sql

    its = open_store()
    connection = sqlite3.connect(its.directory / "jobs.sqlite3")
    filters = [
        JobFilter(),
        JobFilter(before_job_id="x", from_job_id="a"),
        JobFilter(statuses=(7,)),
        JobFilter(statuses=(2, 4, 6), before_job_id="x"),
        JobFilter(labels={"a": "b"}),
        JobFilter(labels={"a": "b", "c": "d"}, statuses=(6, 7), before_job_id="x"),
        JobFilter(principal="p"),
        JobFilter(principal="p", statuses=(7,), before_job_id="x"),
        JobFilter(principal="p", statuses=(2, 7), backend_name="b", create_time_from=1),
        JobFilter(principal="p", labels={"a": "b"}),
    ]
    statements = [_sql.list_jobs(each, 10) for each in filters]
    statements += [(_sql.LIVE_JOBS, []), (_sql.DUE_JOBS, [0, 10])]
    for statement, arguments in statements:
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", arguments)]
        text = "; ".join(plan)
        assert "USING INDEX" in text or "USING PRIMARY KEY" in text or "USING COVERING INDEX" in text, text
        if statement != _sql.LIVE_JOBS:
            assert "TEMP B-TREE" not in text, text
        if "principal = ?" in statement and "labels" not in statement:
            # Others' jobs cost nothing.
            assert "jobs_by_principal (principal=?" in text, text
    connection.close()


async def test_a_principals_list_has_its_own_jobs_alone(open_store: Any, new_job: Any) -> None:
    its = open_store()
    its.write(*(new_job(number, principal="pq"[number % 2], labels={"a": "b"}) for number in range(6)))
    for more in ({}, {"statuses": (2,)}, {"labels": {"a": "b"}}, {"backend_name": "script"}):
        found = await its.store.list_jobs(JobFilter(principal="q", **more), 10)
        assert [(record.job_id, record.principal) for record in found] == [
            (f"job{number:05d}", "q") for number in (5, 3, 1)
        ]
    assert len(await its.store.list_jobs(JobFilter(), 10)) == 6
    assert not await its.store.list_jobs(JobFilter(principal=""), 10)


async def test_a_file_of_the_first_version_keeps_its_jobs(open_store: Any, new_job: Any) -> None:
    its = open_store()
    its.write(new_job(1, principal="p"))
    its.store.close()
    # The second version's one change, taken back.
    _database(its.directory / "jobs.sqlite3", "DROP INDEX jobs_by_principal; PRAGMA user_version = 1;")
    its = open_store()
    (found,) = await its.store.list_jobs(JobFilter(principal="p"), 10)
    assert found.job_id == "job00001"
