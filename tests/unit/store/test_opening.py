"""Which directories and files a store opens, and which it leaves alone."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from basicaer.service.errors import DataDirectoryError
from basicaer.service.store import JobFilter, SQLiteStore


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


async def test_a_file_of_the_first_version_keeps_its_jobs(open_store: Any, new_job: Any) -> None:
    its = open_store()
    its.write(new_job(1, principal="p"))
    its.store.close()
    # The second version's one change, taken back.
    _database(its.directory / "jobs.sqlite3", "DROP INDEX jobs_by_principal; PRAGMA user_version = 1;")
    its = open_store()
    (found,) = await its.store.list_jobs(JobFilter(principal="p"), 10, 1 << 30)
    assert found.job_id == "job00001"
