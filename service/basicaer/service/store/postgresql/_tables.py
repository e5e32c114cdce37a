"""The tables: who makes them, brings them up to date while servers use them, and may use them.

Servers of two versions share a database while it is upgraded. So the tables tell since which revision a
server may use them, and each server tells its revision with its lease: a migration that earlier ones don't
get along with is refused while they run.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import NamedTuple

import asyncpg
from basicaer.service.errors import DataDirectoryError
from basicaer.service.store.postgresql._address import Address

__all__ = ["REVISIONS", "Tables", "check_tables", "migrate", "tables_of"]

# The same for the tables as _session's for a server.
_LOCK = 0x42734166
# For how long another server may be at them, or use them; and for how long others wait behind a statement
# that changes them, much less than a lease (seconds).
_TIMEOUT = 60
_PATIENCE = 1
_PAUSE = 0.2

_MIGRATIONS = Path(__file__).parent / "migrations"
REVISIONS = tuple(sorted(path.stem for path in _MIGRATIONS.glob("*.sql")))

# By JSON, since early revisions have no such column.
_TABLES = "SELECT revision, coalesce(to_jsonb(store) ->> 'compatible_since', '') FROM store"
_EARLIER = """
SELECT name, version FROM servers WHERE lease_until > clock_timestamp() AND revision COLLATE "C" < $1
ORDER BY number
"""


class Tables(NamedTuple):
    """Which tables there are."""

    revision: str
    # The first revision whose servers may use them.
    compatible_since: str

    @property
    def later(self) -> bool:
        """Whether a later version has made them."""
        return self.revision not in REVISIONS

    @property
    def usable(self) -> bool:
        """Whether this version may use them, once they are up to date."""
        return not self.later or "" < self.compatible_since <= REVISIONS[-1]


async def tables_of(connection: asyncpg.Connection) -> Tables | None:
    """Return which tables there are; None when there are none."""
    if await connection.fetchval("SELECT to_regclass('store')") is None:
        return None
    return Tables(*await connection.fetchrow(_TABLES))


async def check_tables(connection: asyncpg.Connection, address: Address) -> None:
    """See that this version may still use the tables.

    Raises:
        DataDirectoryError: It may not.
    """
    tables = await tables_of(connection)
    if tables is not None and not tables.usable:
        raise _too_late(tables, address)


async def migrate(connection: asyncpg.Connection, address: Address) -> None:
    """Bring the tables up to date, in one transaction.

    Raises:
        DataDirectoryError: They are of a later version, or servers of an earlier one run that can't go on
            with those of this one.
    """
    tables = await tables_of(connection)
    if tables is not None and (tables.revision == REVISIONS[-1] or (tables.later and tables.usable)):
        return
    # One server makes them.
    await connection.execute(f"SET lock_timeout = '{_TIMEOUT}s'")
    key = "pg_advisory_lock($1::integer, hashtext($2))"
    await connection.execute(f"SELECT {key}", _LOCK, address.schema, timeout=_TIMEOUT)
    try:
        until = time.monotonic() + _TIMEOUT
        while True:
            try:
                await _make(connection, address)
                return
            except asyncpg.LockNotAvailableError:
                # Somebody reads long; whoever came after us has waited as long as we have.
                if time.monotonic() > until:
                    raise
            await asyncio.sleep(_PAUSE)
    finally:
        if not connection.is_closed():
            unlock = key.replace("lock", "unlock", 1)
            await connection.execute(f"SELECT {unlock}", _LOCK, address.schema)
            await connection.execute("SET lock_timeout = 0")


async def _make(connection: asyncpg.Connection, address: Address) -> None:
    if await connection.fetchval("SELECT to_regnamespace($1)", address.schema) is None:
        await connection.execute(f"CREATE SCHEMA {address.schema}")
    tables = await tables_of(connection)
    if tables is not None:
        if not tables.usable:
            raise _too_late(tables, address)
        if tables.later or tables.revision == REVISIONS[-1]:
            return
    async with connection.transaction():
        await connection.execute(f"SET LOCAL lock_timeout = '{_PATIENCE}s'")
        if tables is None:
            await connection.execute(
                "CREATE TABLE store (revision text NOT NULL, epoch bigint NOT NULL, server text NOT NULL);"
                " INSERT INTO store VALUES ('', 0, '')"
            )
        for name in REVISIONS:
            if tables is None or name > tables.revision:
                await connection.execute((_MIGRATIONS / f"{name}.sql").read_text(encoding="utf-8"))
        await connection.execute("UPDATE store SET revision = $1", REVISIONS[-1])
        since = await connection.fetchval("SELECT compatible_since FROM store")
        earlier = [f"{name} ({version})" for name, version in await connection.fetch(_EARLIER, since)]
        if earlier:
            raise DataDirectoryError(
                f"The database {address.shown} is used by servers of an earlier version, which can't go on"
                f" with the tables of this one: {', '.join(earlier)}. Stop them first."
            )


def _too_late(tables: Tables, address: Address) -> DataDirectoryError:
    return DataDirectoryError(
        f"The database {address.shown} was written by a later version of BasicAer (revision"
        f" {tables.revision}, this one knows {REVISIONS[-1]}); start that version, or bring back a backup"
        " from before it."
    )
