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
from basicaer.v1 import job_pb2, result_pb2
from basicaer.v1.job_service_pb2 import ReadResultRequest

QUEUED = job_pb2.JOB_STATUS_QUEUED
RUNNING = job_pb2.JOB_STATUS_RUNNING
CANCELLED = job_pb2.JOB_STATUS_CANCELLED
DONE = job_pb2.JOB_STATUS_DONE
ERROR = job_pb2.JOB_STATUS_ERROR


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
    result = result_pb2.Result.FromString(watch.result)
    assert list(result.programs[0].counts.counts) == [500, 524]
    assert result.job_id == watch.job.job_id
    assert result.etag
    job = await manager.get(watch.job.job_id)
    assert (job.status, job.sequence, job.attempt, job.shots, job.num_programs) == (DONE, 3, 1, 1024, 1)
    assert job.result_size_bytes == len(watch.result)
    assert job.create_time.ToNanoseconds() <= job.start_time.ToNanoseconds() <= job.end_time.ToNanoseconds()
    assert job.result_expire_time.ToNanoseconds() > job.end_time.ToNanoseconds()


async def test_a_brief_run_of_a_quick_job_tells_its_end(start: Any, tools: SimpleNamespace) -> None:
    manager = await start()
    for text, status in (("quick done", DONE), ("quick fail", ERROR), ("quick array 5000", DONE)):
        watch = await manager.run(tools.spec(text), text, brief=True)
        assert (watch.job.status, watch.job.sequence, watch.duplicate) == (status, 3, False)
        assert not watch.over
        assert statuses(await tools.read(watch)) == [status]
        assert watch.over
        assert watch.result is not None
    watch = await manager.run(tools.spec("hold x"), brief=True)
    assert (watch.job.status, watch.job.sequence) == (QUEUED, 1)
    await manager.cancel(watch.job.job_id)
    assert statuses(await tools.read(watch))[-1] == CANCELLED


async def test_a_quick_job_tells_the_same_story(
    start: Any, executor: Any, tools: SimpleNamespace, stored_results: Any
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
            again = await tools.read(await manager.watch(job.job_id, 1))
            assert [event.event for event in again] == [event.event for event in events]
            stories[prefix, text] = (
                [event.event.status for event in events],
                watch.result and result_pb2.Result.FromString(watch.result).programs,
                (job.status, job.sequence, job.attempt, job.error, job.HasField("result_expire_time")),
            )
        assert stories["", text] == stories["quick ", text]
    await manager.close()
    manager = await start()
    again = await manager.run(tools.spec("quick inline 9"), "quick inline 9")
    assert again.duplicate
    assert statuses(await tools.read(again)) == [DONE]
    assert result_pb2.Result.FromString(again.result).programs == stories["", "inline 9"][1]
    assert stored_results() == 2


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
    start: Any, executor: Any, tools: SimpleNamespace, stored_results: Any
) -> None:
    manager = await start()
    answers = await asyncio.gather(*(manager.run(tools.spec("quick array 5000"), "same") for _ in range(10)))
    assert sorted(watch.duplicate for watch in answers) == [False] + [True] * 9
    for watch in answers:
        assert statuses(await tools.read(watch))[-1] == DONE
        assert watch.result == answers[0].result
    assert stored_results() == 1
    assert list(manager._registry.live) == []


@pytest.mark.embedded
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
    assert not result_pb2.Result.FromString(watch.result).success


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
