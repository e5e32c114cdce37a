"""The store with real files: what is committed, what is refused, and what survives."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from basicaer.service.errors import DataDirectoryError, ServiceError
from basicaer.service.store import JobStore, SQLiteStore, SweepJob
from basicaer.v1 import error_reason_pb2 as reasons

from tests.unit.store.conftest import Opened, finish
from tests.unit.store.store_contract import StoreContract


class TestSQLiteStore(StoreContract):
    def make(self, directory: Path) -> JobStore:
        return SQLiteStore(directory)

    def test_a_second_server_is_refused(self, its: Opened) -> None:
        second = self.make(its.directory)
        with pytest.raises(DataDirectoryError, match="Another server"):
            second.open(lambda writes: None)
        its.store.close()
        second.open(lambda writes: None)
        second.close()


async def test_large_specs_and_results_lie_beside_their_rows(
    open_store: Any, new_job: Any, new_state: Any
) -> None:
    its = open_store()
    for number, size in enumerate((32 * 1024, 32 * 1024 + 1, 1 << 20, (1 << 20) + 1)):
        data = bytes([number]) * size
        its.write(new_job(number, spec=data))
        its.write(new_state(number))
        assert its.store.load_spec(f"job{number:05d}") == data
        staged = its.store.stage_result(f"job{number:05d}", 1, [data], [])
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
    staged = its.store.stage_result("job00001", 3, [message], [memoryview(b"first"), memoryview(b"second")])
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


async def test_leftover_files_are_removed_at_the_start(open_store: Any, new_job: Any, new_state: Any) -> None:
    its = open_store()
    its.write(new_job(1), new_job(2))
    kept = its.store.stage_result("job00001", 1, [b""], [memoryview(b"kept")])
    its.store.stage_result("job00002", 1, [b""], [memoryview(b"never committed")])
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
    staged = its.store.stage_result("job00001", 1, [b"m"], [memoryview(b"part")])
    its.write(finish(new_state, 1, result=staged))
    its.store.discard_result(staged)
    with pytest.raises(ServiceError) as caught:
        await its.store.open_result("job00001")
    assert caught.value.reason == reasons.ERROR_REASON_CHECKSUM_MISMATCH
