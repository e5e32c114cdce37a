"""What servers tell each other: lines of NOTIFY, sent after the commits that they tell of, on a connection
that listens too.

Sent within a transaction, a NOTIFY takes a lock of the whole database at the commit. Sent afterwards, it can
be lost: with its sender, or with a connection. So news are only ever a reason to look; who follows jobs looks
by itself, too, when it was told that something may be missed, and now and then.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import logging
from collections.abc import Iterable, Mapping

from basicaer.service.store._shared import News
from basicaer.service.store.postgresql._address import Address
from basicaer.service.store.postgresql._session import Connection, connect
from basicaer.service.store.postgresql.sharing import statements as _sql

__all__ = ["Bell", "changed_line"]

_log = logging.getLogger(__name__)

# Of a NOTIFY's text, whose limit is 8,000.
_MOST = 7_900
# Between two tries to connect, and between two looks whether the connection is there (seconds).
_RETRY, _LOOK = 0.5, 2.0
# What each line begins with.
_CHANGED, _WAITING, _PASSING = "c", "w", "p"


def changed_line(job_id: str) -> str:
    """Return what tells of one job that has changed."""
    return f"{_CHANGED} {job_id}"


class Bell:
    """Tells and hears. Lives on the store's loop."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._channel = f"basicaer_{address.schema}"[:63]
        self._connection: Connection | None = None
        self._news: News | None = None
        self._changed: dict[str, None] = {}
        self._progress: dict[str, bytes] = {}
        self._waiting = False
        self._wake = asyncio.Event()
        self._closing = False
        self._ended = asyncio.Event()

    @property
    def channel(self) -> str:
        """What the lines are sent to."""
        return self._channel

    def tell_changed(self, job_ids: Iterable[str]) -> None:
        """Let other servers know, soon, that jobs have changed."""
        self._changed.update(dict.fromkeys(job_ids))
        self._wake.set()

    def tell_waiting(self) -> None:
        """Let all servers know that more jobs wait."""
        self._waiting = True
        self._wake.set()

    def tell_progress(self, progress: Mapping[str, bytes]) -> None:
        """Let other servers know how far jobs are."""
        self._progress.update(progress)
        self._wake.set()

    async def run(self, news: News) -> None:
        """Tell and hear until `close`."""
        self._news = news
        while not self._closing:
            try:
                await self._connected()
                await self._send()
            except Exception as error:
                _log.debug("news can't be told: %s", error)
                self._drop()
                await asyncio.sleep(_RETRY)
                continue
            self._wake.clear()
            if not (self._changed or self._progress or self._waiting or self._closing):
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK):
                        await self._wake.wait()
        self._ended.set()

    async def close(self) -> None:
        """Tell what is still to be told, then let go."""
        self._closing = True
        self._wake.set()
        await self._ended.wait()
        try:
            if self._connection is not None and not self._connection.is_closed():
                await self._send()
        except Exception as error:
            _log.debug("the last news can't be told: %s", error)
        self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def _connected(self) -> Connection:
        connection = self._connection
        if connection is not None and not connection.is_closed():
            return connection
        self._connection = connection = await connect(self._address)
        # What is told isn't kept, so its commits needn't be on a disk.
        await connection.execute("SET synchronous_commit = off")
        await connection.add_listener(self._channel, self._hear)
        connection.add_termination_listener(lambda _: self._wake.set())
        assert self._news is not None
        self._news.missed()
        return connection

    async def _send(self) -> None:
        if not (self._changed or self._progress or self._waiting):
            return
        changed, self._changed = self._changed, {}
        progress, self._progress = self._progress, {}
        waiting, self._waiting = self._waiting, False
        texts = _packed(
            [
                *([_WAITING] if waiting else ()),
                *map(changed_line, changed),
                *(f"{_PASSING} {job_id} {_text(data)}" for job_id, data in progress.items()),
            ]
        )
        try:
            await (await self._connected()).execute(_sql.NOTIFY, self._channel, texts)
        except BaseException:
            self._changed = {**changed, **self._changed}
            self._waiting = self._waiting or waiting
            raise

    def _hear(self, connection: Connection, pid: int, channel: str, payload: object) -> None:
        # What a connection has brought that was given up since is missed, and looked for with the next one.
        own = self._connection
        if own is None or own is not connection:
            return
        assert self._news is not None
        if pid == own.get_server_pid():
            return
        changed = []
        for line in str(payload).splitlines():
            kind, _, rest = line.partition(" ")
            if kind == _CHANGED:
                changed.append(rest)
            elif kind == _WAITING:
                self._news.waiting()
            elif kind == _PASSING:
                job_id, _, data = rest.partition(" ")
                self._news.passing(job_id, base64.b64decode(data))
        if changed:
            self._news.changed(changed)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _packed(lines: Iterable[str]) -> list[str]:
    """Return texts of some lines each, none of which is too long."""
    texts: list[str] = []
    for line in lines:
        if texts and len(texts[-1]) + len(line) < _MOST:
            texts[-1] += "\n" + line
        elif len(line) <= _MOST:
            texts.append(line)
    return texts
