"""The table of tokens, which the access layer reads and writes: rows, without what they mean."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from basicaer.service.errors import StoreBusyError
from basicaer.service.store.postgresql._address import Address
from basicaer.service.store.postgresql._errors import service_error
from basicaer.service.store.postgresql._loop import Loop
from basicaer.service.store.postgresql._session import Connection, Session
from basicaer.service.vital import Vital

__all__ = ["TokenTable"]

_log = logging.getLogger(__name__)

_T = TypeVar("_T")

# Between two looks at the table, and how old what was seen may be (seconds): the two make the second within
# which a revocation counts everywhere.
_LOOK, _FRESH = 0.3, 0.8
_SEEN = "SELECT token_id, digest, name, role, create_time, expire_time, revoke_time, last_used FROM tokens"


class TokenTable:
    """A connection with the table, on a thread of its own. Thread-safe."""

    def __init__(self, database: str, vital: Vital | None = None) -> None:
        """Open it, and make the tables when they aren't there.

        Raises:
            ValueError: `database` is no URL of one.
            DataDirectoryError: It can't be used.
        """
        self._loop = Loop(vital or Vital())
        self._session = Session(Address.of(database))
        self._seen: dict[str, Sequence[Any]] = {}
        self._seen_at = 0.0
        self._following: Any = None
        try:
            self._loop.call(self._session.open())
        except BaseException:
            self._loop.stop()
            raise

    def rows(self) -> Sequence[Sequence[Any]]:
        """Return all rows: the id, the digest, the name, the role, and four times.

        Raises:
            ServiceError: STORE_BUSY.
        """
        return self.run(lambda connection: connection.fetch(_SEEN))

    def run(self, query: Callable[[Connection], Awaitable[_T]]) -> _T:
        """Run a query, and wait for it.

        Raises:
            ServiceError: STORE_BUSY.
        """
        return self._loop.call(self._query(query))

    def follow(self) -> None:
        """Keep what `seen` returns fresh, from now on."""
        self._loop.call(self._look())
        self._following = self._loop.start(self._keep_looking())

    def seen(self, token_id: str) -> Sequence[Any] | None:
        """Return a row as it was a moment ago.

        Raises:
            StoreBusyError: The database doesn't answer, so nobody knows what was revoked since.
        """
        if time.monotonic() - self._seen_at > _FRESH:
            raise StoreBusyError("tokens: the database doesn't answer")
        return self._seen.get(token_id)

    def close(self) -> None:
        """Let go of it."""
        if self._following is not None:
            self._following.cancel()
        self._loop.call(self._session.close())
        self._loop.stop()

    async def _query(self, query: Callable[[Connection], Awaitable[_T]]) -> _T:
        try:
            return await query(await self._session.get())
        except Exception as error:
            raise service_error(error) from error

    async def _look(self) -> None:
        asked = time.monotonic()
        rows = await self._query(lambda connection: connection.fetch(_SEEN))
        self._seen = {row[0]: row for row in rows}
        self._seen_at = asked

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(_LOOK)
            try:
                await self._look()
            except Exception as error:
                _log.debug("tokens can't be looked at: %s", error)
