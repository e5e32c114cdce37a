"""What every `CommittedFeed` must do. A feed's tests are a class that inherits this one and makes the feed,
with a store that commits when it is told to.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

import pytest
from basicaer.service.errors import ServiceError, StoreBusyError
from basicaer.service.jobs.events.interface import CommittedFeed
from basicaer.service.jobs.model import states
from basicaer.service.jobs.model.entry import JobEntry
from basicaer.service.jobs.model.mover import Mover
from basicaer.service.jobs.model.recipients import Recipients
from basicaer.service.jobs.model.stimuli import Accepted, Ended, KeepingTimes, Started, Stored
from basicaer.service.store import Barrier, ExistingJob, InsertJob, UpdateJob
from basicaer.v1 import job_pb2

FOR_EVER = KeepingTimes(None, None)


class Listener:
    """Notes what it is told, as (what, job id, sequence)."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, int]] = []
        self.broken = False

    def waiting(self, entries: Sequence[JobEntry]) -> None:
        self.told += [("waiting", entry.job_id, 0) for entry in entries]

    def committed(self, entry: JobEntry, write: InsertJob | UpdateJob) -> None:
        if self.broken:
            self.broken = False
            raise ZeroDivisionError("a defect")
        self.told.append(("committed", entry.job_id, write.sequence))

    def refused(self, entry: JobEntry, write: InsertJob) -> None:
        self.told.append(("refused", entry.job_id, write.sequence))

    def lost(self, entry: JobEntry, write: UpdateJob, error: ServiceError) -> None:
        self.told.append(("lost", entry.job_id, write.sequence))


class Bench(Protocol):
    """A feed, and the store behind it."""

    feed: CommittedFeed
    mover: Mover
    # Whether the store has been heard to commit, or not to, in the order of the news.
    storing: list[bool]

    def insert(self, write: InsertJob) -> None:
        """Hands a new job to the store."""

    async def commit(self, *, busy: bool = False, damaged: bool = False, exists: bool = False) -> None:
        """Commits what was handed over, or fails to, or finds the rows damaged or the request ids known; and
        waits until that was told.
        """


def insertion(entry: JobEntry, future: asyncio.Future[None] | None = None) -> InsertJob:
    """A job that comes in, as the intake hands it over."""
    machine = entry.machine
    write = InsertJob(
        job_id=entry.job_id,
        principal="",
        request_id=None,
        request_hash=b"",
        backend_name="",
        create_time=1,
        status=machine.head.status,
        labels={},
        job=machine.head.SerializeToString(),
        events=machine.events,
        spec=b"",
        sequence=machine.head.sequence,
        attempt=machine.head.attempt,
        final=machine.final,
        tag=Recipients(entry, future),
    )
    machine.handle(Stored())
    return write


def job(name: str) -> JobEntry:
    """A job that was accepted."""
    entry = JobEntry(job_pb2.Job(job_id=name, status=job_pb2.JOB_STATUS_INITIALIZING))
    entry.machine.handle(Accepted(1))
    return entry


EXISTING = ExistingJob("other", b"")


class FeedContract:
    """The tests."""

    def make(self) -> Bench:
        """A feed that isn't open, on an empty store."""
        raise NotImplementedError

    async def opened(self) -> tuple[Bench, Listener]:
        bench, listener = self.make(), Listener()
        await bench.feed.open(listener)
        return bench, listener

    async def live(self, name: str) -> tuple[Bench, Listener, JobEntry]:
        """With a job that is committed."""
        bench, listener = await self.opened()
        entry = job(name)
        bench.insert(insertion(entry))
        await bench.commit()
        listener.told.clear()
        return bench, listener, entry

    async def test_a_new_job_may_run_before_its_readers_hear_of_it(self) -> None:
        bench, listener = await self.opened()
        entry, future = job("a"), asyncio.get_running_loop().create_future()
        bench.insert(insertion(entry, future))
        assert listener.told == []
        await bench.commit()
        assert listener.told == [("waiting", "a", 0), ("committed", "a", 1)]
        assert future.result() is None

    async def test_a_job_that_has_run_already_does_not_wait(self) -> None:
        bench, listener = await self.opened()
        entry = job("a")
        entry.machine.handle(Started(1))
        entry.machine.handle(Ended(states.DONE, 2, FOR_EVER))
        bench.insert(insertion(entry))
        await bench.commit()
        assert listener.told == [("committed", "a", 3)]

    @pytest.mark.parametrize("why", ["busy", "exists"])
    async def test_a_job_that_is_not_stored_is_none(self, why: str) -> None:
        bench, listener = await self.opened()
        future = asyncio.get_running_loop().create_future()
        bench.insert(insertion(job("a"), future))
        await bench.commit(busy=why == "busy", exists=why == "exists")
        assert listener.told == [("refused", "a", 1)]
        if why == "exists":
            # Its caller looks at whose the request id is.
            assert future.result() is None
        else:
            assert isinstance(future.exception(), StoreBusyError)

    async def test_states_come_in_their_order_once_they_are_durable(self) -> None:
        bench, listener, entry = await self.live("a")
        bench.mover.move(entry, Started(2))
        bench.mover.move(entry, Ended(states.DONE, 3, FOR_EVER))
        assert listener.told == []
        await bench.commit()
        assert listener.told[-1] == ("committed", "a", 3)
        assert [what for what, _, _ in listener.told] == ["committed"] * len(listener.told)
        assert listener.told == sorted(listener.told)

    async def test_an_update_that_fails_comes_again(self) -> None:
        bench, listener, entry = await self.live("a")
        bench.mover.move(entry, Started(2))
        await bench.commit(busy=True)
        assert listener.told == []
        await self.told(bench, listener, ("committed", "a", 2))

    async def test_a_newer_update_makes_a_failed_one_needless(self) -> None:
        bench, listener, entry = await self.live("a")
        bench.mover.move(entry, Started(2))
        await bench.commit(busy=True)
        bench.mover.move(entry, Ended(states.DONE, 3, FOR_EVER))
        await bench.commit()
        assert listener.told == [("committed", "a", 3)]
        await asyncio.sleep(1.1)
        await bench.commit()
        assert listener.told == [("committed", "a", 3)]

    async def told(self, bench: Bench, listener: Listener, what: tuple[str, str, int]) -> None:
        """Waits until this, and no other thing, is told."""
        async with asyncio.timeout(60):
            while not listener.told:
                await asyncio.sleep(0.05)
                await bench.commit()
        assert listener.told == [what]

    async def test_a_job_whose_row_is_damaged_is_lost(self) -> None:
        bench, listener, entry = await self.live("a")
        future = asyncio.get_running_loop().create_future()
        bench.mover.move(entry, Started(2), future=future)
        await bench.commit(damaged=True)
        assert listener.told == [("lost", "a", 2)]
        assert isinstance(future.exception(), ServiceError)

    async def test_what_fails_to_be_told_holds_up_nobody(self) -> None:
        bench, listener, entry = await self.live("a")
        others = asyncio.get_running_loop().create_future()
        mine = asyncio.get_running_loop().create_future()
        listener.broken = True
        bench.mover.move(entry, Started(2), future=mine)
        bench.insert(insertion(job("b"), others))
        await bench.commit()
        assert isinstance(mine.exception(), ServiceError)
        assert others.result() is None
        assert listener.told == [("waiting", "b", 0), ("committed", "b", 1)]

    async def test_a_write_without_a_job_is_waited_for(self) -> None:
        bench, listener = await self.opened()
        waiting = asyncio.create_task(bench.feed.commit(Barrier()))
        await asyncio.sleep(0)
        assert not waiting.done()
        await bench.commit()
        assert isinstance(await waiting, Barrier)
        assert listener.told == []

    async def test_whether_the_store_commits_is_told_when_that_changes(self) -> None:
        bench, _, entry = await self.live("a")
        bench.mover.move(entry, Started(2))
        await bench.commit(busy=True)
        assert bench.storing == [False]
        bench.mover.move(entry, Ended(states.DONE, 3, FOR_EVER))
        await bench.commit()
        assert bench.storing == [False, True]
