"""The one connection that writes, made anew when it is lost.

It holds a lock of its server's own. So what was sent on a lost connection is decided, either way, once the
lock is taken again.
"""

from __future__ import annotations

import logging
import random
from typing import TypeAlias

import asyncpg
from basicaer.service import process_name
from basicaer.service.errors import DataDirectoryError
from basicaer.service.store.postgresql._address import Address
from basicaer.service.store.postgresql._tables import check_tables, migrate

__all__ = [
    "LEAST_VERSION",
    "SERVER_NAME",
    "Connection",
    "Session",
    "connect",
    "new_pool",
]

_log = logging.getLogger(__name__)

Connection: TypeAlias = asyncpg.Connection

# "BsAe", as SQLite's files have it.
_LOCK = 0x42734165
LEAST_VERSION = 15
# How long one waits for a connection, for an answer, and for the end of the connection before (seconds).
_CONNECT_TIMEOUT = 3.0
_ANSWER_TIMEOUT = 10.0
_LOCK_TIMEOUT = 3
# Connections for reads and large results, beside the writer's.
_POOLED = 4

# The database notices by itself when this machine is gone, and lets go of the lock then.
SERVER_NAME = process_name()[:54]
"""This process, as others see it in the database."""
_SETTINGS = {
    "application_name": f"basicaer {SERVER_NAME}",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "idle_in_transaction_session_timeout": "60s",
    "jit": "off",
    # Each statement finds its rows by an index. A plan that is kept mustn't be one for tables that were
    # empty.
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    # Nor does a page of a list need to be sorted: there is an index in its order.
    "enable_sort": "off",
}

_END_OLD = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND application_name = $2
"""


async def connect(address: Address) -> Connection:
    """Return a connection whose statements see our schema.

    Raises:
        Exception: It can't be made; whatever asyncpg, the network or the URL say.
    """
    return await asyncpg.connect(
        address.url,
        timeout=_CONNECT_TIMEOUT,
        command_timeout=_ANSWER_TIMEOUT,
        server_settings={**_SETTINGS, "search_path": address.schema},
    )


async def new_pool(address: Address) -> asyncpg.Pool:
    """Return connections for reads and large results, which are made when they are needed, and made anew.

    Raises:
        Exception: As `connect`.
    """
    return await asyncpg.create_pool(
        address.url,
        min_size=1,
        max_size=_POOLED,
        timeout=_CONNECT_TIMEOUT,
        command_timeout=_ANSWER_TIMEOUT,
        server_settings={**_SETTINGS, "search_path": address.schema},
    )


class Session:
    """The writer's connection. Lives on the store's loop."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._connection: Connection | None = None
        self._key = random.SystemRandom().getrandbits(31)
        self._pid = 0

    async def open(self) -> None:
        """Connect, and make the tables or bring them up to date.

        Raises:
            DataDirectoryError: It can't be done; says what to do.
        """
        shown = self._address.shown
        try:
            connection = await connect(self._address)
        except Exception as error:
            cause = str(error).strip() or type(error).__name__
            raise DataDirectoryError(
                f"The database {shown} can't be reached: {cause}. Look after --database, and after the"
                " database itself."
            ) from error
        try:
            await self._check(connection)
            await self._lock(connection)
            await migrate(connection, self._address)
        except (asyncpg.PostgresError, OSError, asyncpg.InterfaceError) as error:
            connection.terminate()
            raise DataDirectoryError(f"The database {shown} can't be used: {error}.") from error
        except BaseException:
            connection.terminate()
            raise
        self._keep(connection)

    async def get(self) -> Connection:
        """Return the connection, made anew if it was lost; what the one before was sent is decided then.

        Raises:
            Exception: It can't be made now.
        """
        connection = self._connection
        if connection is not None and not connection.is_closed():
            return connection
        connection = await connect(self._address)
        try:
            await self._check(connection)
            await check_tables(connection, self._address)
            # Where the network was cut, the database may still wait for the connection before.
            await connection.execute(_END_OLD, self._pid, _SETTINGS["application_name"])
            await self._lock(connection)
        except BaseException:
            connection.terminate()
            raise
        _log.warning("connected with the database %s again", self._address.shown)
        self._keep(connection)
        return connection

    def drop(self) -> None:
        """Break the connection off, if there is one: nobody knows what its last statement has done."""
        if self._connection is not None:
            self._connection.terminate()

    def _keep(self, connection: Connection) -> None:
        self._connection = connection
        self._pid = connection.get_server_pid()

    async def close(self) -> None:
        """Let go of everything."""
        if self._connection is not None and not self._connection.is_closed():
            try:
                await self._connection.close(timeout=_CONNECT_TIMEOUT)
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                self._connection.terminate()

    async def _check(self, connection: Connection) -> None:
        version = connection.get_server_version().major
        if version < LEAST_VERSION:
            raise DataDirectoryError(
                f"The database {self._address.shown} is PostgreSQL {version}; {LEAST_VERSION} or newer is"
                " needed."
            )
        if await connection.fetchval("SHOW synchronous_commit") == "off":
            # What is acknowledged is on the disk, whatever the database's default is.
            await connection.execute("SET synchronous_commit = on")

    async def _lock(self, connection: Connection) -> None:
        await connection.execute(f"SET lock_timeout = '{_LOCK_TIMEOUT}s'")
        await connection.execute("SELECT pg_advisory_lock($1::integer, $2::integer)", _LOCK, self._key)
        await connection.execute("SET lock_timeout = 0")
