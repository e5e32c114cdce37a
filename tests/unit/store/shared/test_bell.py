"""What servers tell each other, while connections come and go."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path

from basicaer.service.store.postgresql._address import Address
from basicaer.service.store.postgresql.sharing.bell import Bell

from tests.postgresql import PostgreSQL

# Of another server.
PID = 1


class Heard:
    def __init__(self) -> None:
        self.listening = threading.Semaphore(0)
        self.waits = 0

    def changed(self, job_ids: Sequence[str]) -> None: ...

    def passing(self, job_id: str, progress: bytes) -> None: ...

    def waiting(self) -> None:
        self.waits += 1

    def missed(self) -> None:
        self.listening.release()

    def joined(self, number: int) -> None: ...

    def lost(self) -> None: ...


async def test_news_of_a_connection_that_was_given_up(postgresql: PostgreSQL, tmp_path: Path) -> None:
    """What it had brought may be handed over after its end. It is left to the next one's catch-up."""
    bell, heard = Bell(Address.of(postgresql.url(tmp_path))), Heard()
    running = asyncio.create_task(bell.run(heard))
    assert await asyncio.to_thread(heard.listening.acquire, timeout=60)
    old = bell._connection
    assert old is not None
    bell._hear(old, PID, bell.channel, "w")
    assert heard.waits == 1
    bell._drop()
    bell._hear(old, PID, bell.channel, "w")
    bell.tell_waiting()
    assert await asyncio.to_thread(heard.listening.acquire, timeout=60)
    bell._hear(old, PID, bell.channel, "w")
    assert heard.waits == 1
    await bell.close()
    await running
