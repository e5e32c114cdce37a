"""A TCP proxy that misbehaves when told to: it cuts connections, delays bytes, and holds them back."""

from __future__ import annotations

import asyncio
import contextlib
from random import Random

__all__ = ["Proxy"]

_PIECE = 65_536


class Proxy:
    """Listens on a port of its own, and forwards to `target` (HOST:PORT), which may change."""

    def __init__(self) -> None:
        self.target = ""
        self.address = ""
        # Seconds by which each piece of data is late.
        self.delay = 0.0
        self._flows = asyncio.Event()
        self._flows.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listens."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.address = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        """Cuts everything."""
        self._server.close()
        self.cut(Random(0), 1.0)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self, random: Random, share: float) -> None:
        """Resets about this share of the connections, in the middle of whatever they carry."""
        for writer in sorted(self._writers, key=id):
            if random.random() < share:
                writer.transport.abort()

    def hold(self) -> None:
        """Lets nothing through, while connections stay open."""
        self._flows.clear()

    def release(self) -> None:
        """Lets everything through again."""
        self._flows.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        upstream: asyncio.StreamWriter | None = None
        try:
            host, _, port = self.target.rpartition(":")
            back, upstream = await asyncio.open_connection(host, int(port or 1))
            self._writers.add(upstream)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(reader, upstream))
                group.create_task(self._pump(back, writer))
        except* (OSError, asyncio.CancelledError):
            pass
        finally:
            for each in (writer, upstream):
                if each is not None:
                    self._writers.discard(each)
                    each.transport.abort()
            self._tasks.discard(task)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(_PIECE):
            if self.delay:
                await asyncio.sleep(self.delay)
            await self._flows.wait()
            writer.write(data)
            await writer.drain()
        # One side's end is the connection's end.
        with contextlib.suppress(OSError):
            writer.close()
        raise ConnectionResetError
