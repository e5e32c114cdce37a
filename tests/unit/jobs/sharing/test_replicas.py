"""Several servers on one database, in one process: any of them answers for what all of them do."""

from __future__ import annotations

import asyncio
import math
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from basicaer.service.callers import Caller
from basicaer.service.errors import JobNotFoundError, ServiceError
from basicaer.service.jobs._shares import Share
from basicaer.service.jobs.sharing import following
from basicaer.service.jobs.sharing.following import Following
from basicaer.v1 import error_reason_pb2 as reasons
from basicaer.v1 import job_pb2, result_pb2
from basicaer.v1.job_service_pb2 import ListJobsRequest, ReadResultRequest

from tests.postgresql import PostgreSQL

QUEUED = job_pb2.JOB_STATUS_QUEUED
VALIDATING = job_pb2.JOB_STATUS_VALIDATING
RUNNING = job_pb2.JOB_STATUS_RUNNING
CANCELLED = job_pb2.JOB_STATUS_CANCELLED
DONE = job_pb2.JOB_STATUS_DONE

pytestmark = pytest.mark.shared


def statuses(events: Any) -> list[int]:
    return [event.event.status.status for event in events]


async def test_one_accepts_and_another_runs(start: Any, tools: SimpleNamespace) -> None:
    accepts, runs = tools.ScriptExecutor(), tools.ScriptExecutor()
    first = await start(executor=accepts, run_jobs=False)
    second = await start(executor=runs)
    watch = await first.run(tools.spec("hold x"))
    job_id = watch.job.job_id
    assert (await tools.until(second, job_id, RUNNING)).status == RUNNING
    for control in runs.controls.values():
        control.fraction = 0.5
    async with asyncio.timeout(10):
        while (event := await watch.next()) is None or event.event.WhichOneof("kind") != "progress":
            pass
        assert event.event.progress.fraction == 0.5
        assert (await first.get(job_id)).progress.fraction == 0.5
    runs.release("x")
    events = await tools.read(watch)
    assert statuses(events)[-1] == DONE
    assert watch.result is not None
    assert result_pb2.Result.FromString(watch.result).job_id == job_id
    assert (accepts.runs[job_id], runs.runs[job_id]) == (0, 1)
    # Both tell it the same.
    stories = [await tools.read(await manager.watch(job_id, 0)) for manager in (first, second)]
    assert [event.event for event in stories[0]] == [event.event for event in stories[1]]
    assert [event.event.sequence for event in stories[0]] == list(range(1, len(stories[0]) + 1))
    reading = await first.read_result(ReadResultRequest(job_id=job_id))
    assert await reading.next() is not None
    reading.close()


async def test_quick_jobs_run_where_they_come_in(start: Any, tools: SimpleNamespace) -> None:
    accepts = tools.ScriptExecutor()
    first = await start(executor=accepts, run_jobs=False)
    watch = await first.run(tools.spec("quick done"))
    assert statuses(await tools.read(watch)) == [RUNNING, DONE]
    assert accepts.runs[watch.job.job_id] == 1
    async with asyncio.timeout(10):
        members: Any = ()
        while not members:
            await asyncio.sleep(0.05)
            members = await first.members()
    assert [member.workers for member in members] == [0]


async def test_a_request_id_is_one_job_everywhere(start: Any, tools: SimpleNamespace) -> None:
    managers = [await start(executor=tools.ScriptExecutor()) for _ in range(3)]
    answers = await asyncio.gather(
        *(
            manager.submit(tools.spec("quick done" if n % 2 else "done"), f"r{n}")
            for n in range(20)
            for manager in managers
        )
    )
    assert len({answer.job.job_id for answer in answers}) == 20
    assert sum(not answer.duplicate for answer in answers) == 20
    with pytest.raises(ServiceError) as caught:
        await managers[0].submit(tools.spec("fail"), "r0")
    assert caught.value.reason == reasons.ERROR_REASON_REQUEST_ID_REUSED
    for answer in answers:
        assert (await tools.until(managers[1], answer.job.job_id)).status == DONE


async def test_whose_jobs_wait_is_known_everywhere(start: Any, tools: SimpleNamespace) -> None:
    ada, ben, admin = Caller("token:ada", False), Caller("token:ben", False), Caller("token:root", True)
    first, second = [await start(executor=tools.ScriptExecutor(), run_jobs=False) for _ in range(2)]
    for caller in (ada, ada, ben):
        job = (await first.submit(tools.spec("hold x"), caller=caller)).job
        assert job.principal == caller.principal
        assert (await second.get(job.job_id, caller=admin)).principal == caller.principal
    everybody = [Share("token:ada", 2, 0), Share("token:ben", 1, 0)]
    # They count now and then.
    for manager in (first, second):
        async with asyncio.timeout(60):
            seen: Any = ()
            while seen != everybody:
                await asyncio.sleep(0.05)
                seen = manager.shares(admin)
    assert second.shares(ben) == everybody[1:]


async def test_jobs_are_shared_out(start: Any, tools: SimpleNamespace) -> None:
    executors = [tools.ScriptExecutor() for _ in range(3)]
    managers = [await start(executor=executor) for executor in executors]
    jobs = [(await managers[n % 3].submit(tools.spec("hold x"))).job for n in range(6)]
    for job in jobs:
        await tools.until(managers[0], job.job_id, RUNNING)
    assert [len(executor.order) for executor in executors] == [2, 2, 2]
    for executor in executors:
        executor.release("x")
    for job in jobs:
        assert (await tools.until(managers[1], job.job_id)).attempt == 1


class News:
    """What servers are told of what others did; nothing else lets them look after that."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._heard = threading.Semaphore(0)
        monkeypatch.setattr(following, "_LOOK", math.inf)
        monkeypatch.setattr(Following, "missed", self._heard.release)

    async def heard_by(self, servers: int) -> None:
        """Wait until so many hear them."""
        for _ in range(servers):
            assert await asyncio.to_thread(self._heard.acquire, timeout=60)


@pytest.mark.parametrize("waits", [False, True])
async def test_a_cancel_holds_from_anywhere(
    start: Any, tools: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, waits: bool
) -> None:
    """All are told at once, rather than when they next look."""
    news = News(monkeypatch)
    runs = tools.ScriptExecutor()
    first = await start(executor=tools.ScriptExecutor(), run_jobs=False)
    second = await start(executor=runs, workers=1)
    await news.heard_by(2)
    running = (await second.submit(tools.spec("hold x"))).job
    await tools.until(second, running.job_id, RUNNING)
    job = (await second.submit(tools.spec("hold y"))).job if waits else running
    watches = [await manager.watch(job.job_id) for manager in (first, second)]
    answer = await first.cancel(job.job_id, "enough")
    assert answer.cancel_requested
    assert (answer.status == CANCELLED) == waits
    ends = [(await tools.read(watch))[-1] for watch in watches]
    assert statuses(ends) == [CANCELLED] * 2
    assert ends[0].event.status.error.metadata["reason"] == "enough"
    # Again is no harm, nor is it from another one.
    assert (await second.cancel(job.job_id)).status == CANCELLED


async def test_a_cancel_comes_before_an_end_that_is_not_committed(
    start: Any, tools: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has the job hears nothing, and wants to end it as DONE."""
    runs = tools.ScriptExecutor()
    first = await start(executor=tools.ScriptExecutor(), run_jobs=False)
    second = await start(executor=runs)
    monkeypatch.setattr(second._registry, "heard", lambda record: None)
    job = (await first.submit(tools.spec("hold x"))).job
    await tools.until(second, job.job_id, RUNNING)
    assert (await first.cancel(job.job_id, "enough")).cancel_requested
    runs.release("x")
    ended = await tools.until(first, job.job_id)
    assert (ended.status, ended.sequence) == (CANCELLED, 4)
    assert not ended.HasField("result_expire_time")
    stories = [await tools.read(await manager.watch(job.job_id, 0)) for manager in (first, second)]
    assert [statuses(story) for story in stories] == [[QUEUED, VALIDATING, RUNNING, CANCELLED]] * 2


async def test_a_deleted_job_is_gone_everywhere(start: Any, tools: SimpleNamespace) -> None:
    managers = [await start(executor=tools.ScriptExecutor()) for _ in range(2)]
    job = (await managers[0].submit(tools.spec())).job
    for manager in managers:
        assert (await tools.until(manager, job.job_id)).status == DONE
    await managers[1].delete(job.job_id)
    for manager in managers:
        with pytest.raises(JobNotFoundError):
            await manager.get(job.job_id)
        assert not (await manager.list_jobs(ListJobsRequest())).jobs


async def test_positions_and_turns_are_everyones(start: Any, tools: SimpleNamespace) -> None:
    runs = tools.ScriptExecutor()
    first = await start(executor=tools.ScriptExecutor(), run_jobs=False)
    second = await start(executor=runs, workers=1)
    running = (await second.submit(tools.spec("hold x"))).job
    await tools.until(second, running.job_id, RUNNING)
    greedy, modest = Caller("greedy", admin=False), Caller("modest", admin=False)
    jobs = [(await first.submit(tools.spec(f"hold g{n}"), caller=greedy)).job for n in range(3)]
    jobs.append((await second.submit(tools.spec("hold m0"), caller=modest)).job)
    assert [(await first.get(job.job_id)).queue_position for job in jobs] == [0, 2, 3, 1]
    watch = await second.watch(jobs[2].job_id)
    await first.cancel(jobs[0].job_id)
    async with asyncio.timeout(5):
        while (event := await watch.next()) is None or event.event.queue_position.ahead != 2:
            pass
    watch.close()
    runs.release_all()
    for job in jobs:
        await tools.until(first, job.job_id)
    assert runs.order == ["hold x", "hold m0", "hold g1", "hold g2"]


async def test_large_jobs_wait_for_a_bounded_number(start: Any, tools: SimpleNamespace) -> None:
    runs = tools.ScriptExecutor()
    first = await start(executor=tools.ScriptExecutor(), run_jobs=False)
    await start(executor=runs, workers=3, max_overtakes=2)
    holds = (await first.submit(tools.spec("bytes 600 hold x"))).job
    await tools.until(first, holds.job_id, RUNNING)
    large = (await first.submit(tools.spec("bytes 900 hold large"))).job
    small = [(await first.submit(tools.spec(f"bytes 100 hold s{n}"))).job for n in range(4)]
    for job in small[:2]:
        assert (await tools.until(first, job.job_id, RUNNING)).status == RUNNING
    runs.release("s0")
    await tools.until(first, small[0].job_id)
    await asyncio.sleep(0.8)
    assert (await first.get(small[2].job_id)).status == QUEUED
    for name in ("s1", "x"):
        runs.release(name)
    assert (await tools.until(first, large.job_id, RUNNING)).status == RUNNING
    runs.release_all()
    for job in (large, *small):
        assert (await tools.until(first, job.job_id)).status == DONE


async def test_jobs_over_nodes_wait_for_who_has_so_many(start: Any, tools: SimpleNamespace) -> None:
    one, four = tools.ScriptExecutor(), tools.ScriptExecutor()
    four.largest, four.max_nodes = 300, 4
    first = await start(executor=one)
    # What the second gives on a node, more than that, and on more nodes than it has.
    spread = (await first.submit(tools.spec("nodes 2 bytes 300 hold spread"))).job
    large = (await first.submit(tools.spec("nodes 2 bytes 301 done"))).job
    many = (await first.submit(tools.spec("nodes 8 bytes 10 done"))).job
    alone = (await first.submit(tools.spec("bytes 301 done"))).job
    assert (spread.nodes, spread.required_bytes) == (2, 600)
    assert (await tools.until(first, alone.job_id)).status == DONE
    await start(executor=four)
    assert (await tools.until(first, spread.job_id, RUNNING)).status == RUNNING
    four.release("spread")
    assert (await tools.until(first, spread.job_id)).status == DONE
    assert (one.runs[spread.job_id], four.runs[spread.job_id]) == (0, 1)
    # Neither takes them, and they keep nobody.
    after = (await first.submit(tools.spec("done"))).job
    assert (await tools.until(first, after.job_id)).status == DONE
    for job in (large, many):
        assert (await first.get(job.job_id)).status == QUEUED
        await first.cancel(job.job_id)


@pytest.mark.parametrize("lease", [3_600.0])
async def test_a_drained_server_hands_its_jobs_over(start: Any, tools: SimpleNamespace) -> None:
    """At once: nobody waits for the end of its lease."""
    executors = [tools.ScriptExecutor() for _ in range(2)]
    first = await start(executor=executors[0])
    job = (await first.submit(tools.spec("hold x"))).job
    await tools.until(first, job.job_id, RUNNING)
    second = await start(executor=executors[1])
    watch = await second.watch(job.job_id, 0)
    await first.close()
    executors[1].release("x")
    assert statuses(await tools.read(watch)) == [QUEUED, RUNNING, QUEUED, VALIDATING, RUNNING, DONE]
    assert (await second.get(job.job_id)).attempt == 2
    assert len(await second.members()) == 1


async def test_who_lost_its_lease_writes_nothing(
    start: Any, tools: SimpleNamespace, postgresql: PostgreSQL, tmp_path: Path
) -> None:
    """The lease ends by another's hand, amid a run that doesn't listen."""
    executors = [tools.ScriptExecutor() for _ in range(2)]
    first = await start(executor=executors[0])
    job = (await first.submit(tools.spec("deaf x"))).job
    await tools.until(first, job.job_id, RUNNING)
    second = await start(executor=executors[1])
    schema = postgresql.url(tmp_path / "data").rpartition("=")[2]
    watch = await first.watch(job.job_id)
    postgresql.run(f"DELETE FROM {schema}.servers WHERE number = (SELECT min(number) FROM {schema}.servers)")
    async with asyncio.timeout(20):
        while not executors[1].runs[job.job_id] and executors[0].runs[job.job_id] < 2:
            await watch.next()
    executors[0].release("x")
    executors[1].release("x")
    ended = await tools.until(second, job.job_id)
    assert (ended.status, ended.attempt) == (DONE, 2)
    reading = await second.read_result(ReadResultRequest(job_id=job.job_id))
    chunk = await reading.next()
    reading.close()
    assert chunk is not None
    story = await tools.read(await second.watch(job.job_id, 0))
    assert [event.event.sequence for event in story] == list(range(1, len(story) + 1))
    assert statuses(story).count(DONE) == 1
    # It has another lease by now, and goes on.
    assert statuses(await tools.read(await first.run(tools.spec())))[-1] == DONE
