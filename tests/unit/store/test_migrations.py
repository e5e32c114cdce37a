"""Files of earlier and later versions: brought up to date with all that they hold, or refused."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from basicaer.service.errors import DataDirectoryError
from basicaer.service.store import SQLiteStore
from basicaer.service.store.sqlite import migrations
from basicaer.service.store.sqlite._schema import REVISIONS

JOBS = [
    # A job that waits, one with its result in the row, one with a file.
    ("job00001", 2, b"spec", None, None),
    ("job00002", 6, None, b"result", None),
    ("job00003", 6, None, b"result", "job00003-1"),
]


def make_old(directory: Path) -> Path:
    """A data directory as 0.1.0 left it."""
    (directory / "results").mkdir(parents=True)
    (directory / "results" / "job00003-1").write_bytes(b"part")
    path = directory / "jobs.sqlite3"
    connection = sqlite3.connect(path)
    connection.executescript(Path(__file__).with_name("schema_0001.sql").read_text())
    connection.executemany(
        "INSERT INTO jobs (job_id, principal, request_hash, backend_name, create_time, status, sequence,"
        " attempt, crashes, message_size, job, events, spec, result, result_file)"
        " VALUES (?, '', x'00', 'script', 1, ?, 1, 0, 0, 0, x'01', x'02', ?, ?, ?)",
        JOBS,
    )
    connection.commit()
    connection.close()
    return path


def tables(path: Path) -> dict[str, tuple[Any, ...]]:
    """What a schema says, without its wording."""
    connection = sqlite3.connect(path)
    names = connection.execute("SELECT name, type, sql FROM sqlite_master").fetchall()
    found = {
        name: (
            kind,
            sorted(connection.execute(f"PRAGMA table_xinfo({name})"), key=str) if kind == "table" else "",
            connection.execute(f"PRAGMA index_xinfo({name})").fetchall() if kind == "index" else "",
            "STRICT" in (sql or ""),
        )
        for name, kind, sql in names
    }
    found["marks"] = tuple(
        connection.execute(f"PRAGMA {mark}").fetchone()
        for mark in ("application_id", "user_version", "auto_vacuum", "journal_mode")
    )
    found["revision"] = tuple(connection.execute("SELECT * FROM alembic_version"))
    connection.close()
    return found


async def test_an_old_file_keeps_what_it_holds(open_store: Any, tmp_path: Path) -> None:
    make_old(tmp_path / "data")
    its = open_store(tmp_path / "data")
    assert [record.job_id for record in its.store.live_jobs()] == ["job00001"]
    assert its.store.load_spec("job00001") == b"spec"
    for job_id, _, _, result, _ in JOBS[1:]:
        stored = await its.store.open_result(job_id)
        assert stored.message == result
        stored.close()
    stored = await its.store.open_result("job00003")
    assert (stored.read(0, 9), stored.read_checked(1, 9)) == (b"part", b"art")
    stored.close()
    assert [job.job_id for job in await its.store.oldest_files(9)] == ["job00003"]


async def test_an_upgraded_file_is_as_a_new_one(open_store: Any, tmp_path: Path) -> None:
    old = make_old(tmp_path / "old")
    open_store(tmp_path / "old").store.close()
    open_store(tmp_path / "new").store.close()
    assert tables(old) == tables(tmp_path / "new" / "jobs.sqlite3")


def test_the_revisions_are_those_of_the_folder() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    scripts = ScriptDirectory.from_config(config)
    assert [script.revision for script in scripts.walk_revisions()][::-1] == list(REVISIONS)


def test_a_failed_upgrade_changes_nothing(tmp_path: Path) -> None:
    path = make_old(tmp_path / "data")
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE jobs_with_files (theirs)")
    connection.commit()
    before = list(connection.iterdump())
    connection.close()
    with pytest.raises(DataDirectoryError, match="jobs_with_files"):
        SQLiteStore(tmp_path / "data").open(lambda writes: None)
    connection = sqlite3.connect(path)
    assert list(connection.iterdump()) == before
    connection.close()


@pytest.mark.parametrize(
    "later", ["UPDATE alembic_version SET version_num = '0099'", "DROP TABLE alembic_version"]
)
def test_a_later_file_is_refused(open_store: Any, later: str) -> None:
    its = open_store()
    its.store.close()
    connection = sqlite3.connect(its.directory / "jobs.sqlite3")
    connection.executescript(f"{later}; PRAGMA user_version = 99;")
    connection.close()
    with pytest.raises(DataDirectoryError, match=r"later version of BasicAer .revision 0099, this one knows"):
        SQLiteStore(its.directory).open(lambda writes: None)


def test_a_start_loads_alembic_only_for_an_old_file(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from basicaer.service.store import SQLiteStore\n"
        f"store = SQLiteStore(Path({str(tmp_path / 'data')!r}))\n"
        "store.open(lambda writes: None); store.close()\n"
        "sys.exit('alembic' in sys.modules or 'sqlalchemy' in sys.modules)"
    )
    for _ in range(2):
        subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
