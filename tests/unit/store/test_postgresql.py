"""The store over PostgreSQL, with a real one: what every store does, and what only this one has to."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from basicaer.service.errors import DataDirectoryError, ServiceError, StoreBusyError
from basicaer.service.store import DamagedJob, DeleteJob, JobFilter, JobRecord, JobStore
from basicaer.service.store.postgresql import PostgreSQLStore, _sql, examine_database
from basicaer.v1 import error_reason_pb2 as reasons

from tests.database_proxy import DatabaseProxy
from tests.postgresql import PostgreSQL
from tests.unit.store.conftest import Opened, finish, insert, update
from tests.unit.store.store_contract import StoreContract

OpenDatabase = Callable[..., Opened]


class TestPostgreSQLStore(StoreContract):
    @pytest.fixture(autouse=True)
    def _database(self, postgresql: PostgreSQL) -> None:
        self.database = postgresql

    def make(self, directory: Path) -> JobStore:
        return PostgreSQLStore(self.database.url(directory))


@pytest.fixture
def schema(postgresql: PostgreSQL, tmp_path: Path) -> str:
    """The schema of `open_database`."""
    return postgresql.url(tmp_path).rpartition("=")[2]


@pytest.fixture
def open_database(postgresql: PostgreSQL, tmp_path: Path) -> Iterator[OpenDatabase]:
    made: list[Opened] = []

    def opens(url: str = "", **options: Any) -> Opened:
        made.append(Opened(tmp_path, lambda _: PostgreSQLStore(url or postgresql.url(tmp_path), **options)))
        return made[-1]

    yield opens
    for opened in made:
        opened.store.close()


@pytest.fixture
def proxy(postgresql: PostgreSQL) -> Iterator[DatabaseProxy]:
    made = DatabaseProxy(postgresql.folder)
    yield made
    made.close()


async def test_a_commit_whose_answer_was_lost_is_asked_for(
    postgresql: PostgreSQL, proxy: DatabaseProxy, open_database: OpenDatabase, tmp_path: Path
) -> None:
    its = open_database(proxy.url(postgresql.url(tmp_path)))
    # From here on the statement is known, and takes one answer.
    its.write(insert(1, labels={"a": "b"}))
    proxy.lose_answer.set()
    (write,) = its.write(insert(2, labels={"a": "b"}, request_id="r"))
    assert (write.error, write.existing) == (None, None)
    (write,) = its.write(insert(3, labels={"a": "b"}, request_id="r"))
    assert write.existing is not None
    assert write.existing.job_id == "job00002"
    assert [record.job_id for record in its.store.live_jobs()] == ["job00001", "job00002"]
    its.write(finish(update, 2))
    proxy.lose_answer.set()
    (end,) = its.write(finish(update, 1))
    assert (end.error, end.applied) == (None, True)
    # Another end is still none.
    (late,) = its.write(finish(update, 1, job=b"other"))
    assert not late.applied
    record = await its.store.find("job00001")
    assert isinstance(record, JobRecord)
    assert record.job == b"job running"


async def test_a_commit_that_cannot_be_asked_for(
    postgresql: PostgreSQL, proxy: DatabaseProxy, open_database: OpenDatabase, tmp_path: Path
) -> None:
    """Callers are told that there is no job. One that a repeated call would find stays; others go."""
    its = open_database(proxy.url(postgresql.url(tmp_path)))
    its.write(insert(1, labels={"a": "b"}))
    proxy.shut.set()
    proxy.lose_answer.set()
    (nameless,) = its.write(insert(2, labels={"a": "b"}))
    assert isinstance(nameless.error, StoreBusyError)
    assert nameless.error.retry_after
    proxy.shut.clear()
    its.write(insert(3, labels={"a": "b"}, request_id="three"))
    assert [record.job_id for record in its.store.live_jobs()] == ["job00001", "job00003"]
    proxy.shut.set()
    proxy.lose_answer.set()
    (named,) = its.write(insert(4, labels={"a": "b"}, request_id="four"))
    assert isinstance(named.error, StoreBusyError)
    proxy.shut.clear()
    (again,) = its.write(insert(5, labels={"a": "b"}, request_id="four"))
    assert again.existing is not None
    assert [record.job_id for record in its.store.live_jobs()] == ["job00001", "job00003", "job00004"]


def test_what_cannot_be_reached(tmp_path: Path) -> None:
    store = PostgreSQLStore(f"postgresql://basicaer:secret@/jobs?host={tmp_path}")
    with pytest.raises(DataDirectoryError, match=r"jobs at .* can't be reached") as caught:
        store.open(lambda writes: None)
    assert "secret" not in str(caught.value)
    store.close()


def test_a_later_version_is_left_alone(
    postgresql: PostgreSQL, open_database: OpenDatabase, tmp_path: Path, schema: str
) -> None:
    open_database().store.close()
    postgresql.run(f"UPDATE {schema}.store SET revision = '9999_later'")
    # One that says that it goes with this version is used, and stays what it is.
    open_database().store.close()
    assert not examine_database(postgresql.url(tmp_path), lambda done, total: None).unknown
    assert postgresql.run(f"SELECT revision FROM {schema}.store").strip() == "9999_later"
    postgresql.run(f"UPDATE {schema}.store SET compatible_since = '9999_later'")
    with pytest.raises(DataDirectoryError, match="later version"):
        open_database()
    found = examine_database(postgresql.url(tmp_path), lambda done, total: None)
    assert found.unknown


PARTS = {
    "job": "UPDATE jobs SET job = job || 'x' WHERE job_id = 'job00001'",
    "principal": "UPDATE jobs SET principal = '\\xff' WHERE job_id = 'job00001'",
    "status": "UPDATE jobs SET status = 5 WHERE job_id = 'job00001'",
    "events": "UPDATE jobs SET events = '' WHERE job_id = 'job00001'",
    "result": "UPDATE jobs SET result = result || 'x' WHERE job_id = 'job00001'",
    "a chunk": "UPDATE chunks SET data = overlay(data placing 'x' from 7) WHERE job_id = 'job00001'",
    "a chunk's place": "UPDATE chunks SET number = number + 1 WHERE job_id = 'job00001'",
    "no chunks": "DELETE FROM chunks WHERE job_id = 'job00001'",
    "spec": "UPDATE jobs SET spec = spec || 'x' WHERE job_id = 'job00002'",
}


@pytest.mark.parametrize("part", PARTS)
async def test_damage_is_one_jobs_alone(
    postgresql: PostgreSQL, open_database: OpenDatabase, tmp_path: Path, schema: str, part: str
) -> None:
    its = open_database()
    its.write(*(insert(number, request_id=str(number)) for number in range(4)))
    for number in (0, 1):
        staged = its.store.stage_result(f"job{number:05d}", 1, [b"message"], [memoryview(b"part" * 10)])
        its.write(finish(update, number, result=staged))
    postgresql.run(f"SET search_path = {schema}; {PARTS[part]}")

    async def told(number: int) -> bool:
        job_id = f"job{number:05d}"
        whole = not isinstance(await its.store.find(job_id), DamagedJob)
        try:
            await its.store.find_request("", str(number))
            its.store.load_spec(job_id)
            result = await its.store.open_result(job_id)
            if result is not None:
                whole = whole and result.read_checked(0, 40) == b"part" * 10
        except ServiceError as error:
            return error.reason != reasons.ERROR_REASON_CHECKSUM_MISMATCH
        return whole

    bad = 2 if part == "spec" else 1
    assert [await told(number) for number in range(4)] == [number != bad for number in range(4)]
    assert len(await its.store.list_jobs(JobFilter(), 10, 1 << 20)) == 4
    found = await asyncio.to_thread(examine_database, postgresql.url(tmp_path), lambda done, total: None)
    assert (found.jobs, found.damaged) == (4, [f"job{bad:05d}"])


async def test_a_result_that_is_removed_while_it_is_read(open_database: OpenDatabase) -> None:
    its = open_database()
    its.write(insert(1))
    staged = its.store.stage_result("job00001", 1, [b""], [memoryview(bytes(3 << 20))])
    its.write(finish(update, 1, result=staged))
    result = await its.store.open_result("job00001")
    assert result is not None
    assert result.read(0, 10) == bytes(10)
    its.store.discard_result(staged)
    its.write(update(9))
    # It is committed, so nobody can discard it.
    assert result.read(2 << 20, 10) == bytes(10)
    its.write(DeleteJob(job_id="job00001"))
    with pytest.raises(ServiceError) as caught:
        result.read(1 << 20, 10)
    assert caught.value.reason == reasons.ERROR_REASON_RESULT_EXPIRED


def test_the_lists_use_an_index(postgresql: PostgreSQL, open_database: OpenDatabase, schema: str) -> None:
    """Whatever is asked for, no list sorts or reads all jobs before its first one."""
    its = open_database()
    jobs = [insert(n, principal=str(n % 3), labels={"k": "v", "n": str(n % 5)}) for n in range(300)]
    its.write(*jobs, *(finish(update, number) for number in range(0, 300, 2)))
    postgresql.run(f"ANALYZE {schema}.jobs; ANALYZE {schema}.labels")
    for job_filter in (
        JobFilter(),
        JobFilter(from_job_id="job00100", before_job_id="job00200"),
        JobFilter(statuses=(2,)),
        JobFilter(statuses=(2, 4, 6)),
        JobFilter(principal="1"),
        JobFilter(principal="1", statuses=(2, 6)),
        JobFilter(labels={"k": "v"}),
        JobFilter(labels={"k": "v", "n": "3"}, principal="1", statuses=(2,)),
    ):
        statement, arguments = _sql.list_jobs(job_filter, 10)
        plan = its.store._call(  # type: ignore[attr-defined]  # it is PostgreSQL's
            lambda connection, statement=statement, arguments=arguments: connection.fetch(
                f"EXPLAIN {statement}", *arguments
            )
        )
        text = "\n".join(row[0] for row in plan)
        assert "Sort  " not in text, text
        assert "Seq Scan" not in text, text


def test_nothing_acknowledged_is_lost_when_the_database_crashes(new_postgresql: PostgreSQL) -> None:
    """Writers go on while it is killed and started again; what was told them is what is there."""
    its = Opened(Path("any"), lambda _: PostgreSQLStore(new_postgresql.base_url))
    done: dict[str, Any] = {}
    went_down = threading.Event()

    def submit(caller: int) -> None:
        for number in range(caller, 30_000, 4):
            write = insert(number, request_id=str(number))
            done[write.job_id] = write
            its.store.write(write)
            if went_down.is_set() and number > 2_000:
                return

    threads = [threading.Thread(target=submit, args=(caller,)) for caller in range(4)]
    for thread in threads:
        thread.start()
    its.committed.wait(500)
    new_postgresql.stop(signal.SIGQUIT)
    new_postgresql.start()
    went_down.set()
    for thread in threads:
        thread.join()
    its.committed.wait(len(done) - 500)
    # The last is after all doubts.
    (write,) = its.write(insert(40_000))
    assert write.error is None
    told = {job_id for job_id, write in done.items() if write.error is None} | {"job40000"}
    there = {record.job_id for record in its.store.live_jobs()}
    assert told <= there
    # Of those that were refused, a repeated call finds whatever is there.
    assert there - told <= {job_id for job_id, write in done.items() if write.error is not None}
    its.store.close()
    its.store = PostgreSQLStore(new_postgresql.base_url)
    its.store.open(its.committed)
    assert {record.job_id for record in its.store.live_jobs()} == there
    its.store.close()
