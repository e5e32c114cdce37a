"""Results that a database doesn't know: whichever copy of the database a start is made on, none is lost that
another copy names.
"""

from __future__ import annotations

import errno
import logging
import os
import random
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from basicaer.service.config import Config
from basicaer.service.doctor import Verdict
from basicaer.service.doctor._store import store
from basicaer.service.store import DeleteJob, StoredResult, SweepJob

RUNNING, DONE = 4, 6


def back_up(directory: Path, target: Path) -> Path:
    """A copy of the database of a server that runs, as docs/operations.md has it."""
    connection = sqlite3.connect(directory / "jobs.sqlite3")
    connection.execute("VACUUM INTO ?", (str(target),))
    connection.close()
    return target


def restore(directory: Path, backup: Path) -> None:
    for path in directory.glob("jobs.sqlite3*"):
        path.unlink()
    shutil.copy(backup, directory / "jobs.sqlite3")


def finish(its: Any, new_state: Any, number: int, attempt: int = 1) -> None:
    staged = its.store.stage_result(f"job{number:05d}", attempt, [b"m"], [memoryview(content(number))])
    its.write(
        new_state(number, status=DONE, sequence=3, attempt=attempt, final=True, result=staged, sweep_time=1)
    )


def content(number: int) -> bytes:
    return b"result of %d" % number


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


async def read(its: Any, number: int) -> bytes | None:
    stored: StoredResult | None = await its.store.open_result(f"job{number:05d}")
    if stored is None:
        return None
    data = stored.read(0, 100)
    stored.close()
    return data


async def test_an_older_backup_and_then_the_newer_one(
    open_store: Any, new_job: Any, new_state: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    its = open_store()
    directory = Path(its.directory)
    # Done in both, waiting and running in the older one, unknown to it.
    its.write(new_job(1), new_job(2), new_job(3))
    finish(its, new_state, 1)
    its.write(new_state(3, status=RUNNING))
    older = back_up(directory, tmp_path / "older")
    its.write(new_job(4))
    for number in (2, 3, 4):
        finish(its, new_state, number)
    newer = back_up(directory, tmp_path / "newer")
    its.store.close()

    restore(directory, older)
    with caplog.at_level(logging.WARNING):
        its = open_store()
    assert await read(its, 1) == content(1)
    assert names(directory / "results") == ["job00001-1"]
    assert names(directory / "set-aside") == ["job00002-1", "job00003-1", "job00004-1"]
    (record,) = [record for record in caplog.records if "set-aside" in record.getMessage()]
    assert f"3 results that the database doesn't know were moved to {directory}/set-aside: job00002-1," in (
        record.getMessage()
    )
    finding = store(Config(data_dir=directory), lambda done, total: None)
    assert finding.verdict is Verdict.WARNING
    assert "3 results" in finding.seen
    assert "set-aside" in finding.seen
    its.store.close()

    restore(directory, newer)
    its = open_store()
    for number in (1, 2, 3, 4):
        assert await read(its, number) == content(number)
    assert names(directory / "set-aside") == []
    assert store(Config(data_dir=directory), lambda done, total: None).verdict is Verdict.OK


@pytest.mark.parametrize("seed", range(8))
async def test_copies_of_the_database_in_any_order(
    open_store: Any, new_job: Any, new_state: Any, tmp_path: Path, seed: int
) -> None:
    """Jobs come, end, expire and are deleted; backups are taken and started on. What a copy names and nobody
    has removed is there.
    """
    chance = random.Random(seed)
    its = open_store()
    directory = Path(its.directory)
    # With each copy: its jobs, and whether they are done. A job that ran twice, in two copies, has two
    # results, of which a start on one copy may remove the other's; here none does.
    copies: list[tuple[Path, dict[int, bool]]] = []
    jobs: dict[int, bool] = {}
    removed: set[int] = set()
    ran: set[int] = set()
    count = 0
    for step in range(60):
        waiting = [number for number, done in jobs.items() if not done and number not in ran]
        done = [number for number, done in jobs.items() if done]
        match chance.choice(("insert", "insert", "finish", "finish", "delete", "sweep", "copy", "restore")):
            case "insert":
                count += 1
                its.write(new_job(count))
                jobs[count] = False
            case "finish" if waiting:
                number = chance.choice(waiting)
                finish(its, new_state, number)
                jobs[number] = True
                ran.add(number)
            case "delete" if done:
                number = chance.choice(done)
                its.write(DeleteJob(job_id=f"job{number:05d}"))
                del jobs[number]
                removed.add(number)
            case "sweep" if done:
                number = chance.choice(done)
                its.write(SweepJob(job_id=f"job{number:05d}", events=b"", sweep_time=None, drop_result=True))
                removed.add(number)
            case "copy":
                copies.append((back_up(directory, tmp_path / f"copy{step}"), dict(jobs)))
            case "restore" if copies:
                copies.append((back_up(directory, tmp_path / f"copy{step}"), dict(jobs)))
                its.store.close()
                backup, known = chance.choice(copies)
                restore(directory, backup)
                (directory / "results" / f"job{count + 1:05d}-1.tmp").write_bytes(b"half")
                jobs = dict(known)
                its = open_store()
        assert not list((directory / "results").glob("*.tmp"))
    for backup, known in copies:
        its.store.close()
        restore(directory, backup)
        its = open_store()
        for number, ended in known.items():
            if ended and number not in removed:
                assert await read(its, number) == content(number)


async def test_a_final_job_disowns_other_attempts_alone(
    open_store: Any, new_job: Any, new_state: Any
) -> None:
    its = open_store()
    results = Path(its.directory) / "results"
    its.write(new_job(1), new_job(2))
    finish(its, new_state, 1, attempt=2)
    its.write(new_state(2, status=5, sequence=3, final=True))
    its.store.close()
    for name in ("job00001-1", "job00002-1"):
        (results / name).write_bytes(b"of an attempt that was fenced off")
    for name in ("job00001-notes", "notes", "job00001", "job00003-1"):
        (results / name).write_bytes(b"whatever that is")
    (results / "lost+found").mkdir()
    its = open_store()
    assert names(results) == ["job00001-2", "lost+found"]
    assert names(results.parent / "set-aside") == ["job00001", "job00001-notes", "job00003-1", "notes"]


def test_nothing_that_is_set_aside_is_overwritten(open_store: Any) -> None:
    its = open_store()
    directory = Path(its.directory)
    for number in range(3):
        its.store.close()
        (directory / "results" / "job00001-1").write_bytes(b"%d" % number)
        its = open_store()
    assert names(directory / "set-aside") == ["job00001-1", "job00001-1~2", "job00001-1~3"]
    assert sorted(path.read_bytes() for path in (directory / "set-aside").iterdir()) == [b"0", b"1", b"2"]


def test_names_that_are_no_text_are_set_aside(open_store: Any) -> None:
    its = open_store()
    directory = Path(its.directory)
    its.store.close()
    strange = [os.fsdecode(name) for name in (b"\xff\xfe-1", b"job\n\x1b[2J-1", b"-", b"~")]
    for name in strange:
        (directory / "results" / name).write_bytes(b"whatever that is")
    (directory / "results" / os.fsdecode(b"\xff.tmp")).touch()
    open_store()
    assert names(directory / "results") == []
    assert names(directory / "set-aside") == sorted(strange)


async def test_what_has_the_name_but_not_the_size_stays_aside(
    open_store: Any, new_job: Any, new_state: Any
) -> None:
    its = open_store()
    directory = Path(its.directory)
    its.write(new_job(1))
    finish(its, new_state, 1)
    its.store.close()
    (directory / "set-aside").mkdir()
    (directory / "results" / "job00001-1").unlink()
    (directory / "set-aside" / "job00001-1").write_bytes(b"another's")
    open_store()
    assert names(directory / "results") == []
    assert names(directory / "set-aside") == ["job00001-1"]


@pytest.mark.parametrize("how", ["a file in its place", "another file system", "not even that"])
def test_a_folder_that_cannot_take_them_loses_nothing(
    open_store: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    its = open_store()
    directory = Path(its.directory)
    its.store.close()
    (directory / "results" / "job00001-1").write_bytes(b"result")
    if how == "a file in its place":
        (directory / "set-aside").touch()
    else:
        there = Path.rename

        def rename(path: Path, target: Path) -> Path:
            if target.parent.name == "set-aside":
                raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
            return there(path, target)

        monkeypatch.setattr(Path, "rename", rename)
    if how == "not even that":
        monkeypatch.setattr(shutil, "copy2", _full)
    open_store()
    if how == "another file system":
        assert (directory / "set-aside" / "job00001-1").read_bytes() == b"result"
        assert names(directory / "results") == []
    else:
        assert names(directory / "results") == ["job00001-1"]
        assert "can't be moved" in caplog.text


def _full(path: Path, target: Path) -> None:
    target.write_bytes(b"half")
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


async def test_a_lost_log_leaves_what_it_has_named(
    open_store: Any, new_job: Any, new_state: Any, tmp_path: Path
) -> None:
    its = open_store()
    its.write(new_job(1))
    its.store.close()
    its = open_store()
    its.write(new_job(2))
    for number in (1, 2):
        finish(its, new_state, number)
    image = tmp_path / "image"
    shutil.copytree(its.directory, image, ignore=shutil.ignore_patterns("lock", "*-shm"))
    log = (image / "jobs.sqlite3-wal").rename(tmp_path / "log")
    database = shutil.copy(image / "jobs.sqlite3", tmp_path / "database")
    # As the refusal of a start says.
    (image / "store").unlink()
    its = open_store(image)
    assert [job.job_id for job in its.store.live_jobs()] == ["job00001"]
    assert names(image / "set-aside") == ["job00001-1", "job00002-1"]
    its.store.close()
    # It turns up.
    restore(image, Path(database))
    shutil.copy(log, image / "jobs.sqlite3-wal")
    its = open_store(image)
    for number in (1, 2):
        assert await read(its, number) == content(number)
