"""A server's lease: taken, renewed on a connection of its own, and given up in time when that fails.

The server reckons from the moment at which it asked, by its own monotonic clock, and the database from the
later one at which it answered, by its own. So the server's reckoning is the earlier, whatever either clock
says; and it stops before that, since what it runs needs a moment to stop.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import logging
import time
from collections.abc import Callable

from basicaer.service.store._shared import Load, Member, News
from basicaer.service.store.postgresql._address import Address
from basicaer.service.store.postgresql._session import SERVER_NAME, Connection, connect
from basicaer.service.store.postgresql._tables import REVISIONS, check_tables
from basicaer.service.store.postgresql.sharing import statements as _sql

__all__ = ["Lease"]

_log = logging.getLogger(__name__)

# Parts of a lease: between two renewals, for one of them, and by which it is given up before its end.
_RENEWALS, _PATIENCE, _MARGIN = 1 / 5, 1 / 5, 3 / 20
# For how much of a lease the others may need to renew theirs after the database was away.
_DOUBT = 1 / 2


class Lease:
    """One server's. Lives on the store's loop."""

    def __init__(
        self, address: Address, seconds: float, member: Member, load: Callable[[], Load], news: News
    ) -> None:
        self._address = address
        self._seconds = seconds
        self._length = datetime.timedelta(seconds=seconds)
        self._member = member
        self._load = load
        self._news = news
        self._connection: Connection | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._left = asyncio.Event()
        self._ended = asyncio.Event()
        # When the database couldn't be asked, by the monotonic clock.
        self._away = -seconds
        self.number = self.last_number = 0

    @property
    def doubtful(self) -> bool:
        """Whether the database was away a moment ago."""
        return time.monotonic() - self._away < self._seconds * _DOUBT

    async def run(self) -> None:
        """Keep a lease until `leave`."""
        while not self._left.is_set():
            try:
                async with asyncio.timeout(self._seconds * _PATIENCE):
                    await self._renew()
            except Exception as error:
                if not self.doubtful:
                    _log.warning("the lease can't be renewed: %s", str(error) or type(error).__name__)
                self._away = time.monotonic()
                self._drop()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._seconds * (_RENEWALS if self.number else _RENEWALS / 4)):
                    await self._left.wait()
        self._ended.set()

    async def leave(self) -> None:
        """Give back what has not begun, and the lease."""
        self._left.set()
        await self._ended.wait()
        number, self.number = self.number, 0
        self._stop_timer()
        try:
            if number:
                async with asyncio.timeout(self._seconds * _PATIENCE):
                    connection = await self._connected()
                    await connection.execute(_sql.LET_GO, number)
                    await connection.execute(_sql.LEAVE, number)
        except Exception as error:
            _log.warning("the lease can't be given back, and will end by itself: %s", error)
        self._drop()

    async def _connected(self) -> Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await connect(self._address)
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def _renew(self) -> None:
        connection = await self._connected()
        asked = time.monotonic()
        if self.number:
            kept = await connection.fetchval(_sql.RENEW, self.number, self._length, *self._load())
            if kept is None:
                self._lose("it has ended")
                asked = time.monotonic()
        if not self.number:
            await self._join(connection)
        else:
            self._reckon(asked)
        for number, name in await connection.fetch(_sql.EXPIRED):
            _log.warning("server %s (%s) is gone: its lease has ended", number, name)

    async def _join(self, connection: Connection) -> None:
        member = self._member
        number = await connection.fetchval(_sql.NUMBER, SERVER_NAME)
        asked = time.monotonic()
        who = (number, member.name, member.role, member.address, member.version)
        can = (member.workers, member.memory_bytes, member.max_nodes)
        what = (*can, self._length, REVISIONS[-1])
        if await connection.fetchval(_sql.JOIN, *who, *what) is None:
            await check_tables(connection, self._address)
        self.number = self.last_number = number
        self._reckon(asked)
        _log.info("server %d of the database %s", number, self._address.shown)
        self._news.joined(number)

    def _reckon(self, asked: float) -> None:
        self._stop_timer()
        left = asked + self._seconds * (1 - _MARGIN) - time.monotonic()
        self._timer = asyncio.get_running_loop().call_later(
            max(left, 0.0), self._lose, "it can't be renewed in time"
        )

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _lose(self, why: str) -> None:
        self._stop_timer()
        number, self.number = self.number, 0
        if number:
            _log.error("the lease of server %d is lost: %s; what it runs is stopped", number, why)
            with contextlib.suppress(Exception):
                self._news.lost()
