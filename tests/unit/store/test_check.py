"""What `basicaer doctor` finds in a store: each damaged part, whether a server runs on it or not."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from basicaer.service.config import Config
from basicaer.service.doctor import Verdict
from basicaer.service.doctor._store import store
from basicaer.service.store import StoreReport, check_store


def filled(its: Any, new_job: Any, new_state: Any) -> Path:
    """A live job, one with a large spec, one with a large result in its row, and one with a file."""
    its.write(*(new_job(number) for number in range(4)), new_job(4, spec=b"s" * 40_000))
    for number, (message, parts) in enumerate(
        [(b"small", []), (b"m" * 50_000, []), (b"f", [b"p" * 3_000_000])]
    ):
        staged = its.store.stage_result(
            f"job{number:05d}", 1, [message], [memoryview(part) for part in parts]
        )
        its.write(new_state(number, status=6, sequence=3, final=True, result=staged))
    return Path(its.directory)


def found(directory: Path) -> StoreReport:
    report = StoreReport()
    for done, total in check_store(directory, report):
        assert 0 < done <= total
    return report


@pytest.mark.parametrize("running", [True, False])
def test_a_whole_store(open_store: Any, new_job: Any, new_state: Any, running: bool) -> None:
    its = open_store()
    directory = filled(its, new_job, new_state)
    if not running:
        its.store.close()
    before = sorted(path.name for path in directory.iterdir())
    report = found(directory)
    assert (report.jobs, report.structure, report.damaged, report.missing) == (5, [], [], [])
    if running:
        assert sorted(path.name for path in directory.iterdir()) == before
    finding = store(Config(data_dir=directory), lambda done, total: None)
    assert (finding.verdict, finding.seen) == (Verdict.OK, "5 jobs were compared with their checksums")


@pytest.mark.parametrize(
    ("job_id", "change"),
    [
        ("job00000", "UPDATE jobs SET result = x'00' WHERE job_id = 'job00000'"),
        ("job00000", "UPDATE jobs SET principal = CAST(x'ff' AS TEXT) WHERE job_id = 'job00000'"),
        ("job00001", "UPDATE payloads SET data = x'00' WHERE job_id = 'job00001'"),
        ("job00003", "UPDATE jobs SET status = 6 WHERE job_id = 'job00003'"),
        ("job00003", "UPDATE jobs SET spec = NULL WHERE job_id = 'job00003'"),
        ("job00004", "DELETE FROM payloads WHERE kind = 'spec'"),
    ],
)
def test_a_damaged_row(open_store: Any, new_job: Any, new_state: Any, job_id: str, change: str) -> None:
    its = open_store()
    directory = filled(its, new_job, new_state)
    its.store.close()
    connection = sqlite3.connect(directory / "jobs.sqlite3")
    connection.execute(change)
    connection.commit()
    connection.close()
    assert found(directory).damaged == [job_id]
    finding = store(Config(data_dir=directory), lambda done, total: None)
    assert finding.verdict == Verdict.FAILED
    assert job_id in finding.seen


@pytest.mark.parametrize(
    ("job_id", "change"),
    [
        ("job00000", "UPDATE jobs SET result = CAST(result AS TEXT) WHERE job_id = 'job00000'"),
        ("job00001", "UPDATE payloads SET data = CAST(data AS TEXT) WHERE kind = 'result'"),
        ("job00002", "UPDATE jobs SET result_file = x'37' WHERE job_id = 'job00002'"),
        ("job00003", "UPDATE jobs SET spec = CAST(spec AS TEXT) WHERE job_id = 'job00003'"),
        ("job00003", "UPDATE jobs SET job = CAST(job AS TEXT) WHERE job_id = 'job00003'"),
        ("job00004", "UPDATE payloads SET data = CAST(data AS TEXT) WHERE kind = 'spec'"),
        ("job00004", "UPDATE jobs SET spec = 7, spec_sum = 8 WHERE job_id = 'job00004'"),
    ],
)
def test_a_value_of_another_type(
    open_store: Any, new_job: Any, new_state: Any, job_id: str, change: str
) -> None:
    """One bit of a row's header makes a text of bytes, which SQLite itself wouldn't store there."""
    its = open_store()
    directory = filled(its, new_job, new_state)
    its.store.close()
    for statement in (
        "UPDATE sqlite_schema SET sql = replace(sql, 'STRICT', '')",
        change,
        "UPDATE sqlite_schema SET sql = sql || ' STRICT' WHERE name IN ('jobs', 'payloads')",
    ):
        connection = sqlite3.connect(directory / "jobs.sqlite3", isolation_level=None)
        connection.execute("PRAGMA writable_schema = ON")
        assert connection.execute(statement).rowcount
        connection.close()
    report = found(directory)
    assert report.damaged == [job_id]
    assert report.structure
    assert store(Config(data_dir=directory), lambda done, total: None).verdict == Verdict.FAILED


def test_files(open_store: Any, new_job: Any, new_state: Any) -> None:
    its = open_store()
    path = filled(its, new_job, new_state) / "results" / "job00002-1"
    data = bytearray(path.read_bytes())
    data[2_500_000] ^= 1
    path.write_bytes(data)
    assert found(its.directory).damaged == ["job00002"]
    path.unlink()
    assert found(its.directory).missing == ["job00002"]
    finding = store(Config(data_dir=its.directory), lambda done, total: None)
    assert finding.verdict == Verdict.WARNING


@pytest.mark.parametrize("seed", range(30))
def test_damaged_pages_are_told_and_never_a_traceback(
    open_store: Any, new_job: Any, new_state: Any, seed: int
) -> None:
    its = open_store()
    directory = filled(its, new_job, new_state)
    its.store.close()
    path, chance = directory / "jobs.sqlite3", random.Random(seed)
    data = bytearray(path.read_bytes())
    at = chance.randrange(len(data))
    for place in range(at, min(at + chance.choice((1, 1, 20, 300)), len(data))):
        data[place] ^= 1 << chance.randrange(8)
    path.write_bytes(data)
    finding = store(Config(data_dir=directory), lambda done, total: None)
    assert "\n" not in finding.seen
    assert finding.verdict in (Verdict.OK, Verdict.FAILED)


def test_a_directory_without_a_store(tmp_path: Path) -> None:
    for directory in (tmp_path, tmp_path / "nothing"):
        assert store(Config(data_dir=directory), lambda done, total: None).verdict == Verdict.OK
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "job00001-1").touch()
    assert store(Config(data_dir=tmp_path), lambda done, total: None).verdict == Verdict.FAILED
