"""The `SharedStore` of servers on one database: who has which job, and what they tell each other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Protocol, TypeVar

from basicaer.service.store._interface import DamagedJob, JobRecord, UpdateJob
from basicaer.service.store._shared import Capacity, Claim, Front, Load, Member, News, Seen, Waiting
from basicaer.service.store._sums import no_result_sum, state_sum, updated_sum
from basicaer.service.store.postgresql._address import Address
from basicaer.service.store.postgresql._loop import Loop
from basicaer.service.store.postgresql._rows import columns, record, text
from basicaer.service.store.postgresql._session import Connection
from basicaer.service.store.postgresql.sharing import statements as _sql
from basicaer.service.store.postgresql.sharing.bell import Bell, changed_line
from basicaer.service.store.postgresql.sharing.lease import Lease
from basicaer.service.vital import Vital

__all__ = ["Sharing"]

_T = TypeVar("_T")


class _Query(Protocol):
    """Runs a query on one of the readers' connections, and waits for it on the caller's loop."""

    async def __call__(
        self, query: Callable[[Connection], Awaitable[_T]], /, *, once: bool = False
    ) -> _T: ...


class Sharing:
    """A `SharedStore`, as long as its store is open."""

    def __init__(
        self,
        address: Address,
        lease: float,
        read: _Query,
        loop: Callable[[], Loop],
        vital: Vital,
        sweep_objects: Callable[[], Coroutine[Any, Any, None]],
    ) -> None:
        """`lease` is in seconds; `loop` gives the store's, once it is open; `sweep_objects` removes
        results in an object store that are nobody's.
        """
        self._sweep_objects = sweep_objects
        self._open_loop = loop
        self._address = address
        self._seconds = lease
        self._read = read
        self._vital = vital
        self._lease: Lease | None = None
        self.bell = Bell(address)

    @property
    def _loop(self) -> Loop:
        return self._open_loop()

    @property
    def number(self) -> int:
        return 0 if self._lease is None else self._lease.number

    @property
    def last_number(self) -> int:
        """Under which number this server has, or had, its lease last."""
        return 0 if self._lease is None else self._lease.last_number

    @property
    def doubtful(self) -> bool:
        return self._lease is not None and self._lease.doubtful

    def join(self, member: Member, load: Callable[[], Load], news: News) -> None:
        self._lease = lease = Lease(self._address, self._seconds, member, load, news)
        self._vital.thread("store-lease", lambda: self._follow(lease.run()))
        self._vital.thread("store-news", lambda: self._follow(self.bell.run(news)))

    def _follow(self, work: Any) -> None:
        """Wait for a task that goes on until the store is closed."""
        future: Future[None] = self._loop.start(work)
        try:
            future.result()
        except BaseException:
            if not future.cancelled():
                raise

    async def leave(self) -> None:
        if self._lease is not None:
            await self._loop.wait(self._lease.leave())
            await self._loop.wait(self.bell.close())

    async def members(self) -> Sequence[Member]:
        rows = await self._read(lambda connection: connection.fetch(_sql.MEMBERS))
        return [Member(**dict(row)) for row in rows]

    async def claim(self, capacity: Capacity, free_bytes: int, most: int) -> Sequence[Claim]:
        number = self.number
        if not number or most <= 0:
            return ()
        # One whose answer is lost is found by `mine`.
        return await self._read(
            lambda connection: _claims(connection, _sql.CLAIM, number, *capacity, free_bytes, most), once=True
        )

    async def orphans(self, most: int) -> Sequence[Claim]:
        number = self.number
        if not number:
            return ()
        return await self._read(lambda connection: _claims(connection, _sql.ORPHANS, number, most), once=True)

    async def mine(self) -> Sequence[Claim]:
        number = self.number
        if not number:
            return ()
        return await self._read(lambda connection: _claims(connection, _sql.MINE, number))

    async def release(self, claims: Collection[tuple[str, int]]) -> None:
        if claims:
            rows = columns((job_id.encode(), fence) for job_id, fence in claims)
            await self._read(lambda connection: connection.execute(_sql.RELEASE, *rows))
            self._loop.soon(self.bell.tell_waiting)

    async def front(self, capacity: Capacity) -> Front | None:
        row = await self._read(lambda connection: connection.fetchrow(_sql.FRONT, *capacity))
        return None if row is None else Front(text(row[0]), row[1])

    async def amend(self, seen: JobRecord, update: UpdateJob) -> bool:
        return await self._read(lambda connection: self._amend(connection, seen, update))

    async def _amend(self, connection: Connection, seen: JobRecord, update: UpdateJob) -> bool:
        job_id = update.job_id
        seen_sum = state_sum(
            job_id,
            seen.status,
            seen.sequence,
            seen.attempt,
            seen.crashes,
            seen.cancel_reason,
            seen.job,
            seen.events,
        )
        reason = None if update.cancel_reason is None else update.cancel_reason.encode()
        arguments: list[object] = [job_id.encode(), seen.fence, seen.sequence, seen_sum, seen.owned]
        arguments += [update.status, update.sequence, update.attempt, update.crashes, reason]
        arguments += [update.job, update.events, updated_sum(update)]
        statement = _sql.AMEND
        if update.final:
            statement = _sql.AMEND_END
            arguments += [update.sweep_time, no_result_sum(job_id)]
        async with connection.transaction():
            if await connection.fetchval(statement, *arguments) is None:
                return False
            # Rare enough to be told within: what is acknowledged is then told, whoever dies.
            await connection.execute(_sql.TELL_CHANGED, self.bell.channel, changed_line(job_id))
        return True

    async def newer(self, seen: Mapping[str, Seen]) -> tuple[Sequence[JobRecord | DamagedJob], set[str]]:
        if not seen:
            return (), set()
        rows = columns((job_id.encode(), *known) for job_id, known in seen.items())
        found = await self._read(lambda connection: connection.fetch(_sql.NEWER, *rows))
        return [record(row[2:]) for row in found if not row[1]], {text(row[0]) for row in found if row[1]}

    async def positions(self, job_ids: Collection[str]) -> Mapping[str, int]:
        keys = [job_id.encode() for job_id in job_ids]
        found = await self._read(lambda connection: connection.fetch(_sql.POSITIONS, keys))
        return {text(job_id): position for job_id, position in found}

    async def waiting(self) -> Waiting:
        found = await self._read(lambda connection: connection.fetch(_sql.WAITING))
        of = {text(principal): count for principal, count in found}
        return Waiting(sum(of.values()), of)

    async def remove_strays(self) -> None:
        await self._read(lambda connection: connection.execute(_sql.STRAY_CHUNKS))
        await self._loop.wait(self._sweep_objects())

    def tell_progress(self, progress: Mapping[str, bytes]) -> None:
        self._loop.soon(lambda: self.bell.tell_progress(progress))


async def _claims(connection: Connection, statement: str, *arguments: object) -> list[Claim]:
    rows = await connection.fetch(statement, *arguments)
    claims = []
    # The statement's rows come in any order.
    for *row, fence, turn in rows:
        found = record([*row, fence, 0])
        claims.append((turn, row[0], Claim(found, found.job_id, fence)))
    return [claim for _, _, claim in sorted(claims, key=lambda one: (one[0] or 0, one[1]))]
