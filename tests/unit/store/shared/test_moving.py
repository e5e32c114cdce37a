"""Jobs of a data directory become those of a database, whatever happens on the way."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from basicaer.service.access import TokenStore, migrate_tokens, open_tokens
from basicaer.service.errors import DataDirectoryError
from basicaer.service.store import (
    JobFilter,
    JobRecord,
    JobStore,
    MoveReport,
    SQLiteStore,
    StagedResult,
    StoredResult,
)
from basicaer.service.store.moving.move import move_store
from basicaer.service.store.postgresql import PostgreSQLStore, examine_database
from basicaer.service.store.postgresql.objects.bucket import Bucket
from basicaer.v1 import job_pb2

from tests.postgresql import PostgreSQL
from tests.s3 import S3Server
from tests.unit.store.conftest import Opened, finish, insert, update

MIB = 1 << 20
PART = bytes(range(251)) * (5 * MIB // 502)
MESSAGE = PART[::-1][: MIB + 100]

Move = Callable[..., MoveReport]


def job(number: int, **fields: Any) -> bytes:
    return job_pb2.Job(job_id=f"job{number:05d}", **fields).SerializeToString()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A data directory with jobs of every kind."""
    directory = tmp_path / "data"
    its = Opened(directory)
    stage = its.store.stage_result
    parts = [memoryview(PART), memoryview(b"x")]
    text = "a\0b é \U0001f980"
    labels = {"a": "b", text: text}
    its.write(
        insert(
            1, job=job(1, labels=labels, required_bytes=77), labels=labels, request_id=text, principal=text
        ),
        insert(2, job=job(2), spec=PART),
        *(insert(number, job=job(number), principal="p", request_id=f"r{number}") for number in range(3, 9)),
        update(3, job=job(3)),
        update(4, job=job(4), status=2, cancel_reason=text, crashes=2),
        finish(update, 5, job=job(5), result=StagedResult(b"small", None, 0), sweep_time=5),
        finish(update, 6, job=job(6), result=stage("job00006", 1, [MESSAGE], [memoryview(PART)])),
        finish(update, 7, job=job(7), result=stage("job00007", 1, [b"m"], parts)),
        finish(update, 8, job=job(8), result=StagedResult(MESSAGE[:MIB], None, 0)),
    )
    its.store.close()
    return directory


@pytest.fixture
def move(source: Path, postgresql: PostgreSQL) -> Move:
    def moves(objects: Bucket | None = None, largest: int = 64 * MIB) -> MoveReport:
        report = MoveReport()
        seen = [0.0]
        move_store(
            source, postgresql.url(source), objects, largest, report, lambda done, _: seen.append(done)
        )
        assert seen == sorted(seen)
        assert seen[-1] == 1.0 or report.skipped or report.there
        return report

    return moves


@pytest.fixture
def target(source: Path, postgresql: PostgreSQL) -> Iterator[Callable[..., JobStore]]:
    """Opens the database."""
    made: list[JobStore] = []

    def opens(**options: Any) -> JobStore:
        made.append(PostgreSQLStore(postgresql.url(source), **options))
        made[-1].open(lambda _: None)
        return made[-1]

    yield opens
    for store in made:
        store.close()


async def contents(store: JobStore, number: int) -> tuple[Any, ...]:
    """A job, its spec and its result."""
    job_id = f"job{number:05d}"
    record = await store.find(job_id)
    assert isinstance(record, JobRecord)
    fields = [getattr(record, name) for name in record.__slots__ if name not in ("fence", "owned")]
    result: StoredResult | None = await store.open_result(job_id)
    read = None if result is None else (result.message, result.read(0, 2 * len(PART)))
    if result is not None:
        result.close()
    return (fields, store.load_spec(job_id), read)


async def all_of(store: JobStore) -> list[tuple[Any, ...]]:
    return [await contents(store, number) for number in range(1, 9)]


def until_moved(source: Path) -> SQLiteStore:
    """The data directory, opened against its note."""
    (source / "moved").unlink(missing_ok=True)
    store = SQLiteStore(source)
    store.open(lambda _: None)
    return store


async def test_everything_is_there(
    source: Path, move: Move, target: Any, postgresql: PostgreSQL, tmp_path: Path
) -> None:
    report = move()
    assert (report.moved, report.there, report.skipped) == (8, 0, [])
    store = target()
    text = "a\0b é \U0001f980"
    with pytest.raises(DataDirectoryError, match="basicaer migrate"):
        SQLiteStore(source).open(lambda _: None)
    old = until_moved(source)
    assert await all_of(store) == await all_of(old)
    for principal, request_id in ((text, text), ("p", "r7"), ("p", "none")):
        assert await store.find_request(principal, request_id) == await old.find_request(
            principal, request_id
        )
    listed = await store.list_jobs(JobFilter(principal=text, labels={"a": "b", text: text}), 5, MIB)
    assert [record.job_id for record in listed] == ["job00001"]
    assert [record.job_id for record in await store.due_jobs(5, 9)] == ["job00005"]
    old.close()
    schema = postgresql.url(source).rpartition("=")[2]
    # Whom it will be given to: what ran goes to those that look for what is left of others.
    rows = postgresql.run(
        f"SELECT convert_from(job_id, 'UTF8'), owner, turn IS NOT NULL, required_bytes FROM {schema}.jobs"
        " WHERE status < 5 ORDER BY job_id"
    )
    assert rows.split() == ["job00001||t|77", "job00002||t|0", "job00003|0|t|0", "job00004||t|0"]


async def test_it_can_be_begun_again(source: Path, move: Move, target: Any, postgresql: PostgreSQL) -> None:
    move()
    schema = postgresql.url(source).rpartition("=")[2]
    postgresql.run(f"DELETE FROM {schema}.jobs WHERE job_id = 'job00006'")
    postgresql.run(f"DELETE FROM {schema}.chunks WHERE job_id = 'job00006'")
    store = target()
    # Servers have gone on with one meanwhile.
    postgresql.run(f"UPDATE {schema}.jobs SET fence = 5 WHERE job_id = 'job00003'")
    report = move()
    assert (report.moved, report.there, report.skipped) == (1, 7, [])
    record = await store.find("job00003")
    assert isinstance(record, JobRecord)
    assert record.fence == 5
    old = until_moved(source)
    assert await contents(store, 6) == await contents(old, 6)
    old.close()


@pytest.mark.parametrize(
    ("number", "statement", "why"),
    [
        (1, "UPDATE jobs SET events = x'00' WHERE job_id = 'job00001'", "it is damaged"),
        (2, "UPDATE payloads SET data = x'00' WHERE job_id = 'job00002'", "its programs are damaged"),
        (5, "UPDATE jobs SET result = x'00' WHERE job_id = 'job00005'", "its result is damaged"),
        (6, "bit", "can't be read"),
        (7, "file", "is missing"),
    ],
)
def test_what_is_damaged_stays(
    number: int, statement: str, why: str, source: Path, move: Move, target: Any, postgresql: PostgreSQL
) -> None:
    path = source / "results" / f"job{number:05d}-1"
    if statement == "bit":
        data = bytearray(path.read_bytes())
        data[2 * MIB] ^= 4
        path.write_bytes(data)
    elif statement == "file":
        path.unlink()
    else:
        with sqlite3.connect(source / "jobs.sqlite3", isolation_level=None) as connection:
            assert connection.execute(statement).rowcount == 1
        connection.close()
    report = move()
    assert [job_id for job_id, _ in report.skipped] == [f"job{number:05d}"]
    assert why in report.skipped[0][1]
    assert report.moved == 7
    found = examine_database(postgresql.url(source), lambda *_: None)
    assert (found.jobs, found.damaged) == (7, [])


def test_a_request_id_that_is_taken(source: Path, move: Move, target: Any) -> None:
    store = target()
    store.write(insert(99, principal="p", request_id="r5"))
    report = move()
    assert report.skipped == [("job00005", "its request id 'r5' is another job's in the database")]
    assert report.moved == 7


def test_what_is_not_a_store_to_move(source: Path, move: Move, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    with pytest.raises(DataDirectoryError, match="no jobs"):
        move_store(empty, "postgresql://db/x", None, MIB, MoveReport(), lambda *_: None)
    assert not empty.exists()
    server = SQLiteStore(source)
    server.open(lambda _: None)
    with pytest.raises(DataDirectoryError, match="Another server"):
        move()
    server.close()
    with sqlite3.connect(source / "jobs.sqlite3", isolation_level=None) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0002'")
    connection.close()
    with pytest.raises(DataDirectoryError, match="revision 0002"):
        move()


async def test_large_results_go_to_the_object_store(
    source: Path, move: Move, target: Any, s3: S3Server, postgresql: PostgreSQL
) -> None:
    report = move(largest=2 * MIB)
    assert [job_id for job_id, _ in report.skipped] == ["job00006", "job00007"]
    assert all("--object-store" in why for _, why in report.skipped)
    objects = Bucket("s3://results/moved", s3.endpoint)
    report = move(objects, largest=2 * MIB)
    assert (report.moved, report.there, report.skipped) == (2, 6, [])
    assert len(s3.objects()) == 2
    store = target(objects=objects)
    old = until_moved(source)
    assert await all_of(store) == await all_of(old)
    old.close()
    # What a move has left behind is kept for a day, and then removed.
    schema = postgresql.url(source).rpartition("=")[2]
    postgresql.run(f"DELETE FROM {schema}.jobs WHERE job_id = 'job00006'")
    assert store.shared is not None
    await store.shared.remove_strays()
    assert len(s3.objects()) == 2
    postgresql.run(f"UPDATE {schema}.objects SET create_time = create_time - interval '2 days'")
    await store.shared.remove_strays()
    assert len(s3.objects()) == 1


def test_tokens_come_too(source: Path, postgresql: PostgreSQL) -> None:
    url = postgresql.url(source)
    assert migrate_tokens(source, url) == 0
    assert not (source / "tokens.sqlite3").exists()
    with TokenStore(source) as old:
        ada, _ = old.create("ada", "user", None)
        old.create("ben", "admin", 60.0)
        assert migrate_tokens(source, url) == 2
        old.used({ada.token_id: 5.0})
        old.revoke("ada")
        assert migrate_tokens(source, url) == 2
        with open_tokens(url, source) as new:
            states = {token.name: token.state(0.0) for token in new.tokens()}
            assert states == {"ada": "revoked", "ben": "valid"}
            assert {token.token_id for token in new.tokens()} == {token.token_id for token in old.tokens()}
            # One that was revoked there stays so.
            new.revoke("ben")
        assert migrate_tokens(source, url) == 2
        with open_tokens(url, source) as new:
            assert {token.state(0.0) for token in new.tokens()} == {"revoked"}
