"""A job's life, as the edge sees it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from basicaer.service.callers import Caller
from basicaer.service.errors import JobNotFoundError, ServiceError
from basicaer.v1 import error_reason_pb2 as reasons
from basicaer.v1 import job_pb2
from basicaer.v1.job_service_pb2 import ReadResultRequest

QUEUED, VALIDATING, RUNNING = (
    job_pb2.JOB_STATUS_QUEUED,
    job_pb2.JOB_STATUS_VALIDATING,
    job_pb2.JOB_STATUS_RUNNING,
)
CANCELLED, DONE, ERROR = (
    job_pb2.JOB_STATUS_CANCELLED,
    job_pb2.JOB_STATUS_DONE,
    job_pb2.JOB_STATUS_ERROR,
)


def statuses(events: list[Any]) -> list[int]:
    return [event.event.status.status for event in events]


async def test_run_tells_the_whole_story_and_brings_the_result(start: Any, tools: SimpleNamespace) -> None:
    manager = await start()
    watch = await manager.run(tools.spec(labels={"a": "b"}), "once")
    assert (watch.job.status, watch.job.sequence, watch.duplicate) == (QUEUED, 1, False)
    assert watch.job.labels == {"a": "b"}
    assert watch.job.HasField("queue_position")
    events = await tools.read(watch)
    assert statuses(events) == [RUNNING, DONE]
    assert [event.event.sequence for event in events] == [2, 3]
    assert [event.final for event in events] == [False, True]
    assert watch.result is not None
    assert list(watch.result.programs[0].counts.counts) == [500, 524]
    assert watch.result.job_id == watch.job.job_id
    assert watch.result.etag
    job = await manager.get(watch.job.job_id)
    assert (job.status, job.sequence, job.attempt, job.shots, job.num_programs) == (DONE, 3, 1, 1024, 1)
    assert job.result_size_bytes == watch.result.ByteSize()
    assert job.create_time.ToNanoseconds() <= job.start_time.ToNanoseconds() <= job.end_time.ToNanoseconds()
    assert job.result_expire_time.ToNanoseconds() > job.end_time.ToNanoseconds()


async def test_a_quick_job_tells_the_same_story(
    start: Any, executor: Any, tools: SimpleNamespace, tmp_path: Path
) -> None:
    manager = await start()
    stories = {}
    crashed = await tools.read(await manager.run(tools.spec("quick crash")))
    assert statuses(crashed) == [RUNNING, ERROR]
    assert crashed[-1].event.status.error.reason == reasons.ERROR_REASON_INTERNAL
    for text in ("done", "fail", "array 5000", "inline 9"):
        for prefix in ("", "quick "):
            watch = await manager.run(tools.spec(prefix + text), f"{prefix}{text}")
            assert (watch.job.status, watch.job.sequence, watch.job.attempt) == (QUEUED, 1, 0)
            events = await tools.read(watch)
            job = await manager.get(watch.job.job_id)
            # Told again from the store, it is the same.
            assert await tools.read(await manager.watch(job.job_id, 1)) == events
            stories[prefix, text] = (
                [event.event.status for event in events],
                watch.result and watch.result.programs,
                (job.status, job.sequence, job.attempt, job.error, job.HasField("result_expire_time")),
            )
        assert stories["", text] == stories["quick ", text]
    await manager.close()
    manager = await start()
    again = await manager.run(tools.spec("quick inline 9"), "quick inline 9")
    assert again.duplicate
    assert statuses(await tools.read(again)) == [DONE]
    assert again.result.programs == stories["", "inline 9"][1]
    assert len(list((tmp_path / "data" / "results").iterdir())) == 2


async def test_a_quick_job_waits_like_all_others(start: Any, executor: Any, tools: SimpleNamespace) -> None:
    manager = await start(workers=1)
    first, _ = await manager.submit(tools.spec("hold x"))
    await tools.until(manager, first.job_id, RUNNING)
    quick, _ = await manager.submit(tools.spec("quick done"))
    assert (await manager.get(quick.job_id)).status == QUEUED
    executor.release("x")
    assert (await tools.until(manager, quick.job_id)).status == DONE
    assert executor.order == ["hold x", "done"]


async def test_a_quick_job_that_exists_leaves_nothing_behind(
    start: Any, executor: Any, tools: SimpleNamespace, tmp_path: Path
) -> None:
    manager = await start()
    answers = await asyncio.gather(*(manager.run(tools.spec("quick array 5000"), "same") for _ in range(10)))
    assert sorted(watch.duplicate for watch in answers) == [False] + [True] * 9
    for watch in answers:
        assert statuses(await tools.read(watch))[-1] == DONE
        assert watch.result == answers[0].result
    assert len(list((tmp_path / "data" / "results").iterdir())) == 1
    assert list(manager._registry.live) == []


async def test_a_quick_job_that_can_not_be_stored_is_refused(
    start: Any, tools: SimpleNamespace, tmp_path: Path
) -> None:
    manager = await start()
    (tmp_path / "data" / "results").rmdir()
    with pytest.raises(ServiceError) as caught:
        await manager.submit(tools.spec("quick array 5000"), "same")
    assert caught.value.reason == reasons.ERROR_REASON_STORE_BUSY
    (tmp_path / "data" / "results").mkdir()
    assert not (await manager.submit(tools.spec("quick array 5000"), "same")).duplicate


async def test_validate_stores_nothing(start: Any, executor: Any, tools: SimpleNamespace) -> None:
    manager = await start()
    job = await manager.validate(tools.spec("bytes 7 done"))
    assert (job.job_id, job.required_bytes) == ("", 7)
    with pytest.raises(ServiceError) as caught:
        await manager.validate(tools.spec("invalid"))
    assert caught.value.reason == reasons.ERROR_REASON_PROGRAM_INVALID
    assert not executor.runs


@pytest.mark.parametrize(
    ("text", "fields", "request_id", "reason"),
    [
        ("invalid", {}, "", reasons.ERROR_REASON_PROGRAM_INVALID),
        ("bytes 1001 done", {}, "", reasons.ERROR_REASON_JOB_EXCEEDS_MEMORY),
        ("done", {}, "x" * 129, reasons.ERROR_REASON_OPTION_INVALID),
        ("done", {"labels": {"k" * 64: ""}}, "", reasons.ERROR_REASON_OPTION_INVALID),
        ("done", {"labels": {"k": "v" * 64}}, "", reasons.ERROR_REASON_OPTION_INVALID),
        ("done", {"labels": {"": "v"}}, "", reasons.ERROR_REASON_OPTION_INVALID),
        ("done", {"labels": {str(n): "" for n in range(33)}}, "", reasons.ERROR_REASON_OPTION_INVALID),
    ],
)
async def test_refusals(
    start: Any, tools: SimpleNamespace, text: str, fields: Any, request_id: str, reason: int
) -> None:
    manager = await start()
    with pytest.raises(ServiceError) as caught:
        await manager.submit(tools.spec(text, **fields), request_id)
    assert caught.value.reason == reason
    # The server goes on.
    await tools.read(await manager.run(tools.spec()))


async def test_the_largest_labels_are_taken(start: Any, tools: SimpleNamespace) -> None:
    manager = await start()
    labels = {f"{n}".rjust(63, "k"): "v" * 63 for n in range(32)}
    job, _ = await manager.submit(tools.spec(labels=labels))
    assert dict((await manager.get(job.job_id)).labels) == labels


async def test_a_request_id_makes_one_job(start: Any, executor: Any, tools: SimpleNamespace) -> None:
    manager = await start()
    submissions = await asyncio.gather(*(manager.submit(tools.spec(), "same") for _ in range(50)))
    assert len({job.job_id for job, _ in submissions}) == 1
    assert sorted(duplicate for _, duplicate in submissions) == [False] + [True] * 49
    job_id = submissions[0].job.job_id
    await tools.until(manager, job_id)
    assert executor.runs == {job_id: 1}
    # Other principals have request ids of their own, and none is none.
    others = [await manager.submit(tools.spec(), "same", caller=Caller("another", admin=False))]
    others += [await manager.submit(tools.spec()) for _ in range(2)]
    assert len({job.job_id for job, _ in others} | {job_id}) == 4


async def test_a_request_id_with_another_spec_is_refused(start: Any, tools: SimpleNamespace) -> None:
    manager = await start()
    job, _ = await manager.submit(tools.spec("done"), "same")
    for text in ("array 9", "invalid"):
        with pytest.raises(ServiceError) as caught:
            await manager.submit(tools.spec(text), "same")
        assert caught.value.reason == reasons.ERROR_REASON_REQUEST_ID_REUSED
        assert caught.value.metadata == {"request_id": "same", "job_id": job.job_id}


async def test_the_order_of_labels_does_not_make_another_spec(start: Any, tools: SimpleNamespace) -> None:
    manager = await start()
    keys = [str(n) for n in range(20)]
    first, _ = await manager.submit(tools.spec(labels=dict.fromkeys(keys, "")), "same")
    second = await manager.submit(tools.spec(labels=dict.fromkeys(reversed(keys), "")), "same")
    assert (second.job.job_id, second.duplicate) == (first.job_id, True)


async def test_a_duplicate_run_of_a_final_job_brings_the_result_again(
    start: Any, tools: SimpleNamespace
) -> None:
    manager = await start()
    first = await manager.run(tools.spec(), "same")
    await tools.read(first)
    # From memory, and after a restart from the store.
    for _ in range(2):
        again = await manager.run(tools.spec(), "same")
        assert again.duplicate
        events = await tools.read(again)
        assert statuses(events) == [DONE]
        assert again.result == first.result
        await manager.close()
        manager = await start()


async def test_a_large_result_is_not_sent_along(start: Any, tools: SimpleNamespace) -> None:
    manager = await start()
    for text, sent in (("array 200000", True), ("inline 200000", False), ("inline 9", True)):
        watch = await manager.run(tools.spec(text))
        await tools.read(watch)
        assert (watch.result is not None) == sent


async def test_failures_are_data(start: Any, tools: SimpleNamespace) -> None:
    manager = await start()
    watch = await manager.run(tools.spec("fail"))
    events = await tools.read(watch)
    assert statuses(events) == [RUNNING, ERROR]
    job = await manager.get(watch.job.job_id)
    assert job.error.reason == reasons.ERROR_REASON_SIMULATION_FAILED
    assert events[-1].event.status.error == job.error
    assert watch.result is not None
    assert not watch.result.success


async def test_a_defect_ends_its_job_alone(
    start: Any, tools: SimpleNamespace, caplog: pytest.LogCaptureFixture
) -> None:
    manager = await start()
    watch = await manager.run(tools.spec("crash"))
    assert statuses(await tools.read(watch)) == [RUNNING, ERROR]
    job = await manager.get(watch.job.job_id)
    assert job.error.reason == reasons.ERROR_REASON_INTERNAL
    assert job.job_id in caplog.text
    assert "ZeroDivisionError" in caplog.text
    assert statuses(await tools.read(await manager.run(tools.spec()))) == [RUNNING, DONE]
    with pytest.raises(ServiceError) as caught:
        await manager.read_result(ReadResultRequest(job_id=job.job_id))
    assert caught.value.reason == reasons.ERROR_REASON_RESULT_UNAVAILABLE


async def test_cancel_a_running_job(start: Any, tools: SimpleNamespace) -> None:
    manager = await start()
    job, _ = await manager.submit(tools.spec("hold x"))
    await tools.until(manager, job.job_id, RUNNING)
    asked = await manager.cancel(job.job_id, "superseded")
    assert asked.cancel_requested
    ended = await tools.until(manager, job.job_id)
    assert ended.status == CANCELLED
    assert ended.error.reason == reasons.ERROR_REASON_CANCELLED_BY_USER
    assert ended.error.metadata == {"reason": "superseded"}
    assert await manager.cancel(job.job_id, "again") == ended


async def test_an_acknowledged_cancellation_wins_over_a_finish(
    start: Any, executor: Any, tools: SimpleNamespace
) -> None:
    manager = await start()
    job, _ = await manager.submit(tools.spec("deaf x"))
    await tools.until(manager, job.job_id, RUNNING)
    asked = await manager.cancel(job.job_id)
    assert asked.status == RUNNING
    executor.release("x")
    assert (await tools.until(manager, job.job_id)).status == CANCELLED


async def test_cancel_a_waiting_job(start: Any, executor: Any, tools: SimpleNamespace) -> None:
    manager = await start(workers=1)
    first, _ = await manager.submit(tools.spec("hold x"))
    second, _ = await manager.submit(tools.spec("done"))
    ended = await manager.cancel(second.job_id)
    assert (ended.status, ended.cancel_requested, ended.sequence) == (CANCELLED, True, 2)
    executor.release("x")
    await tools.until(manager, first.job_id)
    assert second.job_id not in executor.runs


async def test_cancel_says_truthfully_what_became_of_a_job(start: Any, tools: SimpleNamespace) -> None:
    """Cancellations race with the ends of small jobs; what CancelJob said must hold."""
    manager = await start()
    for _ in range(40):
        job, _ = await manager.submit(tools.spec("done"))
        said = await manager.cancel(job.job_id)
        ended = await tools.until(manager, job.job_id)
        promised = said.status == CANCELLED or (said.cancel_requested and said.status not in tools.FINAL)
        assert promised == (ended.status == CANCELLED)


async def test_watch_from_cursors(start: Any, tools: SimpleNamespace) -> None:
    manager = await start()
    job, _ = await manager.submit(tools.spec())
    await tools.until(manager, job.job_id)
    for cursor, expected in ((0, [1, 2, 3]), (1, [2, 3]), (2, [3]), (3, []), (None, [])):
        watch = await manager.watch(job.job_id, cursor)
        assert watch.job.status == DONE
        assert [event.event.sequence for event in await tools.read(watch)] == expected
    with pytest.raises(ServiceError) as caught:
        await manager.watch(job.job_id, 4)
    assert caught.value.reason == reasons.ERROR_REASON_EVENTS_COMPACTED
    assert caught.value.metadata == {"after_sequence": "4", "first_sequence": "1", "last_sequence": "3"}
    for interval in (0.0, 0.09, float("inf"), float("nan")):
        with pytest.raises(ServiceError) as caught:
            await manager.watch(job.job_id, heartbeat_interval=interval)
        assert caught.value.reason == reasons.ERROR_REASON_OPTION_INVALID


async def test_all_watchers_share_each_event(start: Any, executor: Any, tools: SimpleNamespace) -> None:
    manager = await start()
    job, _ = await manager.submit(tools.spec("hold x"))
    watches = [await manager.watch(job.job_id, 0) for _ in range(200)]
    gone = [await manager.watch(job.job_id, 0) for _ in range(10)]
    pending = [asyncio.create_task(watch.next()) for watch in gone]
    reading = asyncio.gather(*(tools.read(watch) for watch in watches))
    await tools.until(manager, job.job_id, RUNNING)
    for task, watch in zip(pending, gone, strict=True):
        task.cancel()
        watch.close()
    executor.release("x")
    stories = await reading
    assert statuses(stories[0]) == [QUEUED, RUNNING, DONE]
    assert all(story == stories[0] for story in stories)


async def test_progress_is_coalesced_for_a_slow_reader(
    start: Any, executor: Any, tools: SimpleNamespace
) -> None:
    manager = await start()
    job, _ = await manager.submit(tools.spec("hold x"))
    await tools.until(manager, job.job_id, RUNNING)
    quick = await manager.watch(job.job_id)
    slow = await manager.watch(job.job_id)
    for fraction in (0.25, 0.5, 0.75):
        executor.controls[job.job_id].fraction = fraction
        async with asyncio.timeout(60):
            event = await quick.next()
            while event.event.progress.fraction != fraction:
                event = await quick.next()
        # It repeats the sequence of the last durable event.
        assert event.event.sequence == 2
    assert (await slow.next()).event.progress.fraction == 0.75
    assert (await manager.get(job.job_id)).progress.fraction == 0.75
    executor.release("x")
    assert statuses(await tools.read(slow)) == [DONE]
    quick.close()


async def test_queue_positions_are_told(start: Any, executor: Any, tools: SimpleNamespace) -> None:
    manager = await start(workers=1)
    first, _ = await manager.submit(tools.spec("hold x"))
    await tools.until(manager, first.job_id, RUNNING)
    jobs = [(await manager.submit(tools.spec("hold y"))).job for _ in range(3)]
    assert [job.queue_position for job in jobs] == [0, 1, 2]
    assert (manager.queued_jobs, manager.running_jobs) == (3, 1)
    watch = await manager.watch(jobs[2].job_id)
    await manager.cancel(jobs[0].job_id)
    async with asyncio.timeout(60):
        event = await watch.next()
    assert event.event.queue_position.ahead == 1
    watch.close()


async def test_heartbeats_fill_silence(start: Any, tools: SimpleNamespace) -> None:
    manager = await start()
    job, _ = await manager.submit(tools.spec("hold x"))
    await tools.until(manager, job.job_id, RUNNING)
    watch = await manager.watch(job.job_id, heartbeat_interval=0.1)
    async with asyncio.timeout(60):
        kinds = [(await watch.next()).event for _ in range(3)]
    beats = [event for event in kinds if event.WhichOneof("kind") == "heartbeat"]
    assert len(beats) >= 2
    assert all(beat.sequence == 2 and beat.HasField("time") for beat in beats)
    assert beats[0].heartbeat.interval.ToMilliseconds() == 200
    watch.close()


async def test_long_poll(start: Any, executor: Any, tools: SimpleNamespace) -> None:
    manager = await start()
    job, _ = await manager.submit(tools.spec("hold x"))
    assert (await tools.until(manager, job.job_id, RUNNING)).sequence == 2
    # At once, as it is past the sequence already; after a time, as nothing happens; and as it has ended.
    assert (await manager.get(job.job_id, wait=60, if_sequence_after=1)).sequence == 2
    assert (await manager.get(job.job_id, wait=0.01, if_sequence_after=2)).sequence == 2
    waiting = asyncio.create_task(manager.get(job.job_id, wait=60, if_sequence_after=2))
    executor.release("x")
    assert (await waiting).status == DONE
    assert (await manager.get(job.job_id, wait=60, if_sequence_after=99)).status == DONE
    for wait in (-1.0, 61.0, float("nan")):
        with pytest.raises(ServiceError) as caught:
            await manager.get(job.job_id, wait=wait)
        assert caught.value.reason == reasons.ERROR_REASON_OPTION_INVALID


async def test_unknown_and_deleted_jobs(start: Any, tools: SimpleNamespace) -> None:
    manager = await start()
    job, _ = await manager.submit(tools.spec("hold x"), "r")
    with pytest.raises(ServiceError) as caught:
        await manager.delete(job.job_id)
    assert caught.value.reason == reasons.ERROR_REASON_JOB_NOT_FINAL
    await manager.cancel(job.job_id)
    await tools.until(manager, job.job_id)
    await manager.delete(job.job_id)
    for job_id in (job.job_id, "no such job", ""):
        for call in (
            manager.get(job_id),
            manager.get(job_id, wait=60),
            manager.watch(job_id),
            manager.cancel(job_id),
            manager.delete(job_id),
            manager.read_result(ReadResultRequest(job_id=job_id)),
        ):
            with pytest.raises(JobNotFoundError):
                await call
    # The request id is free again.
    assert not (await manager.submit(tools.spec(), "r")).duplicate


async def test_the_queue_has_a_limit(start: Any, executor: Any, tools: SimpleNamespace) -> None:
    manager = await start(workers=1, max_queued_jobs=2)
    running, _ = await manager.submit(tools.spec("hold x"))
    await tools.until(manager, running.job_id, RUNNING)
    answers = await asyncio.gather(
        *(manager.submit(tools.spec(), f"r{n}") for n in range(5)), return_exceptions=True
    )
    refused = [answer for answer in answers if isinstance(answer, ServiceError)]
    assert len(refused) == 3
    assert all(error.reason == reasons.ERROR_REASON_QUEUE_FULL for error in refused)
    assert refused[0].retry_after
    # The repetition of an accepted call isn't refused.
    assert (await manager.submit(tools.spec(), "r0")).duplicate


async def test_each_principal_has_a_limit(start: Any, executor: Any, tools: SimpleNamespace) -> None:
    manager = await start(workers=1, max_queued_jobs=8, max_queued_jobs_per_principal=2)
    running, _ = await manager.submit(tools.spec("hold x"))
    await tools.until(manager, running.job_id, RUNNING)
    for principal, accepted in (("greedy", 2), ("modest", 2), ("", 4)):
        answers = await asyncio.gather(
            *(manager.submit(tools.spec(), principal=principal) for _ in range(5)), return_exceptions=True
        )
        refused = [answer for answer in answers if isinstance(answer, ServiceError)]
        assert len(refused) == 5 - accepted
        assert {error.reason for error in refused} == {reasons.ERROR_REASON_QUEUE_FULL}
        name = "max_queued_jobs_per_principal" if principal else "max_queued_jobs"
        assert all(name in error.metadata and error.retry_after for error in refused)


async def test_principals_take_turns_after_a_restart_too(
    start: Any, executor: Any, tools: SimpleNamespace
) -> None:
    manager = await start(workers=1)
    running, _ = await manager.submit(tools.spec("hold x"))
    await tools.until(manager, running.job_id, RUNNING)
    ids = {}
    for principal in ("greedy",) * 4 + ("modest",) * 2:
        job, _ = await manager.submit(tools.spec(), principal=principal)
        ids[job.job_id] = principal
    await manager.close()
    executor.release("x")
    executor.runs.clear()
    manager = await start(workers=1)
    for job_id in ids:
        await tools.until(manager, job_id)
    order = [ids[job_id] for job_id in executor.runs if job_id in ids]
    assert order == ["greedy", "modest", "greedy", "modest", "greedy", "greedy"]


async def test_a_job_that_runs_too_long_ends(start: Any, executor: Any, tools: SimpleNamespace) -> None:
    manager = await start(workers=1, max_run_time=0.05)
    late, _ = await manager.submit(tools.spec("hold x"))
    ended = await tools.until(manager, late.job_id)
    assert ended.status == job_pb2.JOB_STATUS_ERROR
    assert ended.error.reason == reasons.ERROR_REASON_TIME_LIMIT_EXCEEDED
    assert ended.error.metadata == {"max_run_time": "0.05"}
    # Its thread is free again.
    following, _ = await manager.submit(tools.spec())
    assert (await tools.until(manager, following.job_id)).status == job_pb2.JOB_STATUS_DONE


async def test_draining_interrupts_and_the_next_server_goes_on(
    start: Any, executor: Any, tools: SimpleNamespace, tmp_path: Path
) -> None:
    manager = await start(workers=1)
    running, _ = await manager.submit(tools.spec("hold x"), "first")
    waiting, _ = await manager.submit(tools.spec("done"))
    await tools.until(manager, running.job_id, RUNNING)
    watch = await manager.watch(running.job_id)
    reading = asyncio.create_task(tools.read(watch))
    await manager.drain(0.0)
    # OK without a final event: watch again.
    assert statuses(await reading) == [QUEUED]
    with pytest.raises(ServiceError) as caught:
        await manager.submit(tools.spec(), "new")
    assert caught.value.reason == reasons.ERROR_REASON_DRAINING
    assert (await manager.submit(tools.spec("hold x"), "first")).duplicate
    await manager.close()
    executor.release("x")
    manager = await start(workers=1)
    watch = await manager.watch(running.job_id, 3)
    events = await tools.read(watch)
    assert statuses(events) == [VALIDATING, RUNNING, DONE]
    assert [event.event.status.attempt for event in events] == [1, 2, 2]
    assert (await tools.until(manager, waiting.job_id)).status == DONE


async def test_draining_lets_running_jobs_finish(start: Any, executor: Any, tools: SimpleNamespace) -> None:
    manager = await start()
    job, _ = await manager.submit(tools.spec("hold x"))
    await tools.until(manager, job.job_id, RUNNING)
    draining = asyncio.create_task(manager.drain(60.0))
    watch = await manager.watch(job.job_id)
    executor.release("x")
    assert statuses(await tools.read(watch)) == [DONE]
    await draining


async def test_a_job_that_does_not_listen_is_left_behind(
    start: Any, executor: Any, tools: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("basicaer.service.jobs._manager._INTERRUPTION", 0.01)
    manager = await start()
    job, _ = await manager.submit(tools.spec("deaf x"))
    await tools.until(manager, job.job_id, RUNNING)
    await manager.close()
    second = tools.ScriptExecutor()
    second.release("x")
    manager = await start(executor=second)
    executor.release("x")
    assert (await tools.until(manager, job.job_id)).status == DONE
    assert second.runs[job.job_id] == 1


async def test_an_evicted_program_is_read_again(start: Any, executor: Any, tools: SimpleNamespace) -> None:
    manager = await start(workers=1, prepared_cache_bytes=150)
    first, _ = await manager.submit(tools.spec("hold x"))
    await tools.until(manager, first.job_id, RUNNING)
    kept, _ = await manager.submit(tools.spec("done"))
    evicted, _ = await manager.submit(tools.spec("done"))
    executor.release("x")
    stories = [statuses(await tools.read(await manager.watch(job.job_id, 1))) for job in (kept, evicted)]
    assert stories == [[RUNNING, DONE], [VALIDATING, RUNNING, DONE]]
    assert executor.prepared == 4
