"""Flips bits of a database at rest: `python -m tests.chaos.bits DATABASE SEED [JOB]`.

With a job, one bit of one value in its row or payload, as an update of SQL; without, some bits of the file's
pages. It ends without closing the database, as a server that is killed does: the last one to close it would
remove the log, which a server then misses.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import sys
from pathlib import Path
from random import Random
from typing import Any, NoReturn

__all__ = ["damage_pages", "damage_row"]

# A payload's kind is held by a CHECK, and a row's number isn't part of any answer.
_KEPT = {"jobs": {"row", "number"}, "payloads": {"row", "kind"}}


def damage_row(connection: sqlite3.Connection, job_id: str, random: Random) -> bool:
    """Flips a bit in one value of a job's row or payload; False when it has no such row."""
    connection.text_factory = bytes
    tables = [
        table
        for table in _KEPT
        if connection.execute(f"SELECT 1 FROM {table} WHERE job_id = ?", (job_id,)).fetchone()
    ]
    if not tables:
        return False
    table = random.choice(tables)
    cursor = connection.execute(f"SELECT rowid AS row, * FROM {table} WHERE job_id = ?", (job_id,))
    row = dict(zip((column[0] for column in cursor.description), cursor.fetchone(), strict=True))
    name = random.choice(
        [name for name, value in row.items() if value not in (None, b"") and name not in _KEPT[table]]
    )
    value: Any = row[name]
    mark = "CAST(? AS TEXT)" if _type_of(connection, table, name) == "TEXT" else "?"
    while True:
        damaged = value ^ 1 << random.randrange(40) if isinstance(value, int) else _flip(value, random)
        # With some bits it is another row's value, which SQL refuses where there may be one alone.
        with contextlib.suppress(sqlite3.IntegrityError):
            connection.execute(f"UPDATE {table} SET {name} = {mark} WHERE rowid = ?", (damaged, row["row"]))
            return True


def damage_pages(connection: sqlite3.Connection, database: Path, random: Random) -> None:
    """Flips one bit or several of a database's file."""
    # A frame of the log that is damaged ends it, as one that was never written does.
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(database.read_bytes())
    for _ in range(random.choice((1, 1, 8, 64))):
        content[random.randrange(len(content))] ^= 1 << random.randrange(8)
    database.write_bytes(content)


def _type_of(connection: sqlite3.Connection, table: str, name: str) -> str:
    for _, column, kind, *_ in connection.execute(f"PRAGMA table_info({table})"):
        if column.decode() == name:
            return str(kind.decode())
    raise LookupError(name)


def _flip(value: bytes, random: Random) -> bytes:
    damaged = bytearray(value)
    damaged[random.randrange(len(damaged))] ^= 1 << random.randrange(8)
    return bytes(damaged)


def _main(database: Path, seed: str, job_id: str | None = None) -> NoReturn:
    connection = sqlite3.connect(database, isolation_level=None)
    if job_id is None:
        damage_pages(connection, database, Random(seed))
    else:
        damage_row(connection, job_id, Random(seed))
    os._exit(0)


if __name__ == "__main__":
    _main(Path(sys.argv[1]), *sys.argv[2:])
