"""What was lost of a data directory is told at the start, and nothing else is lost by it."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from basicaer.service.errors import DataDirectoryError
from basicaer.service.store import SQLiteStore


def filled(its: Any, new_job: Any, new_state: Any) -> Path:
    """A store with a live job, and one that has a result's file."""
    its.write(new_job(1), new_job(2))
    staged = its.store.stage_result("job00001", 1, [b"message"], [memoryview(b"part")])
    its.write(new_state(1, status=6, sequence=3, final=True, result=staged))
    return Path(its.directory)


def killed(its: Any, target: Path) -> Path:
    """A copy as kill -9 would leave it."""
    shutil.copytree(its.directory, target, ignore=shutil.ignore_patterns("lock", "*-shm"))
    return target


def _replace(path: Path) -> None:
    path.unlink()
    other = SQLiteStore(path.parent / "other")
    other.open(lambda writes: None)
    other.close()
    shutil.copy(path.parent / "other" / path.name, path)


def _empty(path: Path) -> None:
    connection = sqlite3.connect(path)
    for kind, name in connection.execute(
        "SELECT type, name FROM sqlite_master WHERE sql IS NOT NULL"
    ).fetchall():
        connection.execute(f"DROP {kind} IF EXISTS {name}")
    connection.commit()
    connection.close()


def _into_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


LOSSES: dict[str, Callable[[Path], object]] = {
    "missing": Path.unlink,
    "of zero length": lambda path: path.write_bytes(b""),
    "without tables": _empty,
    "a text": lambda path: path.write_text("jobs, jobs, jobs\n" * 500),
    "a directory": _into_directory,
    "cut in its first page": lambda path: os.truncate(path, 3000),
    "another's": _replace,
}


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("marked", [True, False])
def test_a_lost_database_is_told_and_nothing_removed(
    open_store: Any, new_job: Any, new_state: Any, loss: str, marked: bool
) -> None:
    its = open_store()
    directory = filled(its, new_job, new_state)
    its.store.close()
    LOSSES[loss](directory / "jobs.sqlite3")
    if not marked:
        (directory / "store").unlink()
    results = sorted((directory / "results").iterdir())
    assert results
    if (loss, marked) == ("another's", False):
        # Nothing tells that it isn't this directory's: what it doesn't know is set aside.
        open_store(directory)
        assert [path.name for path in (directory / "set-aside").iterdir()] == ["job00001-1"]
        return
    with pytest.raises(DataDirectoryError, match=r"jobs\.sqlite3"):
        SQLiteStore(directory).open(lambda writes: None)
    assert sorted((directory / "results").iterdir()) == results


@pytest.mark.parametrize("shared_memory", [True, False])
def test_a_lost_log_is_told(
    open_store: Any, new_job: Any, new_state: Any, tmp_path: Path, shared_memory: bool
) -> None:
    its = open_store()
    filled(its, new_job, new_state)
    image = killed(its, tmp_path / "image")
    (image / "jobs.sqlite3-wal").unlink()
    if shared_memory:
        shutil.copy(its.directory / "jobs.sqlite3-shm", image)
    for _ in range(2):
        with pytest.raises(DataDirectoryError, match=r"wal is missing.*remove .*store and start again"):
            SQLiteStore(image).open(lambda writes: None)
    assert [path.name for path in (image / "results").iterdir()] == ["job00001-1"]
    # As it says.
    (image / "store").unlink()
    open_store(image)
    assert [path.name for path in (image / "set-aside").iterdir()] == ["job00001-1"]


def test_a_crash_and_an_end_in_order_are_no_loss(
    open_store: Any, new_job: Any, new_state: Any, tmp_path: Path
) -> None:
    its = open_store()
    filled(its, new_job, new_state)
    image = killed(its, tmp_path / "image")
    for _ in range(3):
        its = open_store(image)
        assert [job.job_id for job in its.store.live_jobs()] == ["job00002"]
        its.store.close()
    assert [path.name for path in (image / "results").iterdir()] == ["job00001-1"]


def test_emptied_rows_leave_the_results(open_store: Any, new_job: Any, new_state: Any) -> None:
    its = open_store()
    directory = filled(its, new_job, new_state)
    its.store.close()
    connection = sqlite3.connect(directory / "jobs.sqlite3")
    connection.execute("DELETE FROM jobs")
    connection.commit()
    connection.close()
    open_store(directory)
    assert [path.name for path in (directory / "set-aside").iterdir()] == ["job00001-1"]


def test_damage_is_no_reason_to_remove_a_result(open_store: Any, new_job: Any, new_state: Any) -> None:
    its = open_store()
    directory = filled(its, new_job, new_state)
    its.store.close()
    connection = sqlite3.connect(directory / "jobs.sqlite3")
    connection.execute("UPDATE jobs SET result_file = 'job00001-2' WHERE job_id = 'job00001'")
    connection.commit()
    connection.close()
    # What a crash may leave of others goes.
    (directory / "results" / "job00002-1").write_bytes(b"")
    (directory / "results" / "job00003-1.tmp").write_bytes(b"")
    open_store(directory)
    assert [path.name for path in (directory / "results").iterdir()] == ["job00001-1"]


def test_results_that_are_a_file_are_told(tmp_path: Path) -> None:
    (tmp_path / "results").touch()
    with pytest.raises(DataDirectoryError, match="results is not a directory"):
        SQLiteStore(tmp_path).open(lambda writes: None)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", ["lock", "store", "jobs.sqlite3", "jobs.sqlite3-wal"])
@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_is_told(tmp_path: Path, name: str, make: Callable[[Path], None]) -> None:
    make(tmp_path / name)
    with pytest.raises(DataDirectoryError, match=f"{name} is not a file. Move it away"):
        SQLiteStore(tmp_path).open(lambda writes: None)


def test_everything_is_its_owners_alone(
    open_store: Any, new_job: Any, new_state: Any, tmp_path: Path
) -> None:
    before = os.umask(0)
    try:
        its = open_store(tmp_path / "made" / "data")
        directory = filled(its, new_job, new_state)
        found = {path: stat.S_IMODE(path.stat().st_mode) for path in (directory, *directory.rglob("*"))}
    finally:
        os.umask(before)
    assert len(found) >= 7
    assert {path: oct(mode) for path, mode in found.items() if mode & 0o077} == {}


def test_what_was_open_to_others_is_mended(open_store: Any, new_job: Any, new_state: Any) -> None:
    its = open_store()
    directory = filled(its, new_job, new_state)
    its.store.close()
    (directory / "jobs.sqlite3").chmod(0o644)
    (directory / "results").chmod(0o755)
    open_store(directory)
    for path in (directory / "results", *directory.glob("jobs*")):
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077
