"""Results in an object store, with a real one: what every store does, and what becomes of objects."""

from __future__ import annotations

import asyncio
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from basicaer.service.errors import DataDirectoryError, ServiceError, StoreBusyError
from basicaer.service.store import DeleteJob, JobStore, Load, Member, SweepJob
from basicaer.service.store.postgresql import PostgreSQLStore, examine_database
from basicaer.service.store.postgresql.objects import results
from basicaer.service.store.postgresql.objects.bucket import Bucket
from basicaer.v1 import error_reason_pb2 as reasons

from tests.postgresql import PostgreSQL
from tests.s3 import S3Server
from tests.traced import traced
from tests.unit.store.conftest import Opened, finish, insert, update
from tests.unit.store.store_contract import StoreContract

MIB = 1 << 20
PLACE = "s3://results/of/the-lab"

OpenObjects = Callable[..., Opened]


class TestWithObjects(StoreContract):
    """A store whose results all lie in objects, but for what fits a row."""

    @pytest.fixture(autouse=True)
    def _servers(self, postgresql: PostgreSQL, s3: S3Server) -> None:
        self.database, self.s3 = postgresql, s3

    def make(self, directory: Path) -> JobStore:
        objects = Bucket(PLACE, self.s3.endpoint)
        return PostgreSQLStore(self.database.url(directory), objects=objects, largest=0)


@pytest.fixture
def open_objects(postgresql: PostgreSQL, s3: S3Server, tmp_path: Path) -> Iterator[OpenObjects]:
    made: list[Opened] = []

    def opens(**options: Any) -> Opened:
        options = {"objects": Bucket(PLACE, s3.endpoint), "largest": MIB, **options}
        made.append(Opened(tmp_path, lambda _: PostgreSQLStore(postgresql.url(tmp_path), **options)))
        return made[-1]

    yield opens
    for opened in made:
        assert opened.store.shared is not None
        asyncio.run(opened.store.shared.leave())
        opened.store.close()


class _News:
    def __init__(self) -> None:
        self.has_lease = threading.Event()

    def joined(self, number: int) -> None:
        self.has_lease.set()

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_: None


async def join(its: Opened) -> None:
    """Gives a store a lease, which it then keeps."""
    member = Member(role="serve", name="test", address="", version="0", workers=1, memory_bytes=1)
    shared: Any = its.store.shared
    news = _News()
    shared.join(member, lambda: Load(0, 0), news)
    async with asyncio.timeout(60):
        await asyncio.to_thread(news.has_lease.wait)


def stage(its: Opened, number: int, size: int, attempt: int = 1) -> Any:
    data = memoryview(bytes(range(251)) * (size // 251 + 1))[:size]
    return its.store.stage_result(f"job{number:05d}", attempt, [b"message"], [data[:-5], data[-5:]])


async def sweep(its: Opened) -> None:
    assert its.store.shared is not None
    await its.store.shared.remove_strays()


def reason_of(error: BaseException) -> int:
    assert isinstance(error, ServiceError)
    return error.reason


async def test_only_what_is_large_lies_in_objects(open_objects: OpenObjects, s3: S3Server) -> None:
    its = open_objects()
    its.write(insert(1), finish(update, 1, result=stage(its, 1, MIB)))
    assert s3.objects() == []
    staged = stage(its, 2, 2 * results._PART_BYTES + 17)
    assert staged.file_bytes == 2 * results._PART_BYTES + 17
    its.write(insert(2), finish(update, 2, result=staged))
    keys = s3.objects()
    assert [key.split("/")[:2] for key in keys] == [["of", "the-lab"]] * 3
    assert [(s3.bucket / key).stat().st_size for key in keys] == [results._PART_BYTES] * 2 + [17]
    result = await its.store.open_result("job00002")
    assert result is not None
    wanted = bytes(range(251)) * (3 * results._PART_BYTES // 251)
    for offset, size in (
        (0, 5),
        (MIB - 1, 2),
        (results._PART_BYTES - 3, 9 * MIB),
        (staged.file_bytes - 4, 9),
    ):
        assert result.read(offset, size) == wanted[offset : min(offset + size, staged.file_bytes)]


async def test_objects_go_with_their_job_at_the_next_sweep(open_objects: OpenObjects, s3: S3Server) -> None:
    its = open_objects()
    await join(its)
    for number in (1, 2, 3):
        its.write(insert(number), finish(update, number, result=stage(its, number, 2 * MIB)))
    result = await its.store.open_result("job00001")
    assert result is not None
    its.write(DeleteJob(job_id="job00001"))
    its.write(SweepJob(job_id="job00002", events=b"", sweep_time=None, drop_result=True))
    await sweep(its)
    assert len(s3.objects()) == 1
    with pytest.raises(ServiceError) as caught:
        result.read(0, 10)
    assert reason_of(caught.value) == reasons.ERROR_REASON_RESULT_EXPIRED
    kept = await its.store.open_result("job00003")
    assert kept is not None
    assert len(kept.read(0, 3 * MIB)) == 2 * MIB


async def test_a_result_that_is_not_committed_leaves_no_object(
    open_objects: OpenObjects, s3: S3Server
) -> None:
    its = open_objects()
    await join(its)
    its.write(insert(1), insert(2))
    staged = stage(its, 1, 2 * MIB)
    other = stage(its, 2, 2 * MIB)
    await sweep(its)
    assert len(s3.objects()) == 2
    its.store.discard_result(staged)
    its.write(finish(update, 2, result=other))
    # It is its job's by now.
    its.store.discard_result(other)
    its.write(update(1))
    await sweep(its)
    assert len(s3.objects()) == 1


async def test_objects_of_a_server_that_is_gone_are_removed(
    open_objects: OpenObjects, s3: S3Server, postgresql: PostgreSQL, tmp_path: Path
) -> None:
    its, other = open_objects(), open_objects()
    await join(its)
    await join(other)
    schema = postgresql.url(tmp_path).rpartition("=")[2]
    its.write(insert(1))
    staged = stage(its, 1, 2 * MIB)
    shared: Any = its.store.shared
    postgresql.run(f"UPDATE {schema}.jobs SET owner = {shared.number}, fence = 1")
    postgresql.run(f"DELETE FROM {schema}.servers WHERE number = {shared.number}")
    # As long as its job has no other hands, it may still be committed.
    await sweep(other)
    assert len(s3.objects()) == 1
    assert other.store.shared is not None
    (claim,) = await other.store.shared.orphans(9)
    await sweep(other)
    assert s3.objects() == []
    (late,) = its.write(finish(update, 1, result=staged, fence=1))
    assert not late.applied
    its.write(finish(update, 1, fence=claim.fence))


async def test_a_server_that_lost_its_lease_amid_a_result_stops_writing(
    open_objects: OpenObjects, s3: S3Server, postgresql: PostgreSQL, tmp_path: Path
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    class Slow(Bucket):
        async def put(self, key: str, data: bytes) -> None:
            begun.set()
            await asyncio.to_thread(go_on.wait)
            await super().put(key, data)

    its, other = open_objects(objects=Slow(PLACE, s3.endpoint)), open_objects()
    await join(its)
    await join(other)
    schema = postgresql.url(tmp_path).rpartition("=")[2]
    staging = asyncio.create_task(asyncio.to_thread(stage, its, 1, 2 * MIB))
    await asyncio.to_thread(begun.wait)
    shared: Any = its.store.shared
    postgresql.run(f"DELETE FROM {schema}.servers WHERE number = {shared.number}")
    await sweep(other)
    go_on.set()
    with pytest.raises(StoreBusyError):
        await staging
    # The one that it was at when its lease ended is looked for again.
    assert len(s3.objects()) == 1
    postgresql.run(f"UPDATE {schema}.objects SET remove_time = remove_time - interval '1 hour'")
    await sweep(other)
    assert s3.objects() == []
    assert postgresql.run(f"SELECT count(*) FROM {schema}.objects") == "0"


async def test_when_the_object_store_is_away_the_rest_goes_on(
    open_objects: OpenObjects, s3: S3Server
) -> None:
    its = open_objects()
    await join(its)
    its.write(insert(1), finish(update, 1, result=stage(its, 1, 2 * MIB)), insert(2), insert(3))
    s3.stop()
    with pytest.raises(StoreBusyError, match="object store s3://results/of/the-lab"):
        await asyncio.to_thread(stage, its, 2, 2 * MIB)
    result = await its.store.open_result("job00001")
    assert result is not None
    with pytest.raises(StoreBusyError):
        await asyncio.to_thread(result.read, 0, 1)
    its.write(DeleteJob(job_id="job00001"))
    with pytest.raises(StoreBusyError):
        await sweep(its)
    (write,) = its.write(finish(update, 3, result=stage(its, 3, MIB)))
    assert write.applied
    s3.start()
    its.write(finish(update, 2, result=await asyncio.to_thread(stage, its, 2, 2 * MIB)))
    await sweep(its)
    assert len(s3.objects()) == 1


@pytest.mark.parametrize("damage", ["a bit", "an end", "a part", "the sums"])
async def test_damage_is_not_answered(
    damage: str, open_objects: OpenObjects, s3: S3Server, postgresql: PostgreSQL, tmp_path: Path
) -> None:
    its = open_objects()
    its.write(insert(1), finish(update, 1, result=stage(its, 1, 3 * MIB)))
    (key,) = s3.objects()
    path = s3.bucket / key
    if damage == "a bit":
        data = bytearray(path.read_bytes())
        data[2 * MIB + 1] ^= 1
        path.write_bytes(data)
    elif damage == "an end":
        path.write_bytes(path.read_bytes()[:-1])
    elif damage == "a part":
        path.unlink()
    else:
        schema = postgresql.url(tmp_path).rpartition("=")[2]
        postgresql.run(f"UPDATE {schema}.objects SET sums = set_byte(sums, 3, get_byte(sums, 3) # 1)")

    async def read() -> None:
        result = await its.store.open_result("job00001")
        assert result is not None
        await asyncio.to_thread(result.read, 2 * MIB + 5, 10)
        await asyncio.to_thread(result.read, 3 * MIB - 1, 1)

    with pytest.raises(ServiceError) as caught:
        await read()
    assert reason_of(caught.value) in (
        reasons.ERROR_REASON_CHECKSUM_MISMATCH,
        reasons.ERROR_REASON_STORE_BUSY,
    )
    if damage != "an end":
        assert reason_of(caught.value) == reasons.ERROR_REASON_CHECKSUM_MISMATCH


async def test_without_an_object_store(
    open_objects: OpenObjects, postgresql: PostgreSQL, tmp_path: Path
) -> None:
    its, plain = open_objects(), open_objects(objects=None)
    with pytest.raises(ServiceError) as caught:
        stage(plain, 1, 2 * MIB)
    assert reason_of(caught.value) == reasons.ERROR_REASON_RESULT_TOO_LARGE
    assert caught.value.metadata == {
        "result_bytes": str(2 * MIB),
        "most_bytes": str(MIB),
        "setting": "object_store",
    }
    its.write(insert(1), finish(update, 1, result=stage(its, 1, 2 * MIB)))
    with pytest.raises(StoreBusyError, match="--object-store"):
        await plain.store.open_result("job00001")
    found = await asyncio.to_thread(examine_database, postgresql.url(tmp_path), lambda *_: None)
    assert found.damaged == []
    await sweep(plain)


def test_an_object_store_that_can_not_be_used_is_told_at_the_start(
    open_objects: OpenObjects, s3: S3Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(DataDirectoryError, match="AWS_SECRET_ACCESS_KEY"):
        open_objects()
    # One that is away may come back.
    s3.stop()
    open_objects()
    assert "jobs with large results wait" in caplog.text


def test_a_large_result_takes_little_memory_beside_itself(open_objects: OpenObjects) -> None:
    its = open_objects()
    data = memoryview(bytearray(160 * MIB))
    with traced():
        staged = its.store.stage_result("job00001", 1, [b"message"], [data])
        _, peak = tracemalloc.get_traced_memory()
    assert staged.file_bytes == 160 * MIB
    assert peak < (results._IN_FLIGHT + 4) * results._PART_BYTES
