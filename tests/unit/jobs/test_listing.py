"""ListJobs: filters, pages, and tokens that belong to their filter."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from basicaer.service.callers import ANYONE
from basicaer.service.errors import ServiceError
from basicaer.service.jobs import JobManager
from basicaer.service.jobs.kept.listing import MOST_PAGE_BYTES, first_page, job_filter, page_token
from basicaer.service.store import JobRecord
from basicaer.v1 import error_reason_pb2 as reasons
from basicaer.v1 import job_pb2
from basicaer.v1.job_service_pb2 import ListJobsRequest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given, settings
from hypothesis import strategies as st

DONE, ERROR = job_pb2.JOB_STATUS_DONE, job_pb2.JOB_STATUS_ERROR
QUEUED, RUNNING = job_pb2.JOB_STATUS_QUEUED, job_pb2.JOB_STATUS_RUNNING


async def pages(manager: JobManager, request: ListJobsRequest) -> list[list[str]]:
    found = []
    while True:
        response = await manager.list_jobs(request)
        found.append([job.job_id for job in response.jobs])
        request.page_token = response.next_page_token
        if not request.page_token:
            return found


async def test_filters_and_pages(start: Any, executor: Any, tools: SimpleNamespace) -> None:
    manager = await start(workers=1)
    jobs = []
    for number in range(20):
        labels = {"parity": str(number % 2), "third": str(number % 3)}
        text = "fail" if number % 4 == 0 else "done"
        backend = "a" if number < 10 else "b"
        job, _ = await manager.submit(tools.spec(text, labels=labels, backend_name=backend))
        await tools.until(manager, job.job_id)
        jobs.append(await manager.get(job.job_id))
    held, _ = await manager.submit(tools.spec("hold x"))
    jobs.append(await tools.until(manager, held.job_id, job_pb2.JOB_STATUS_RUNNING))
    waiting, _ = await manager.submit(tools.spec("hold x"))
    jobs.append(await manager.get(waiting.job_id))

    def expected(test: Any) -> list[str]:
        return [job.job_id for job in reversed(jobs) if test(job)]

    middle = jobs[7].create_time
    cases = [
        (ListJobsRequest(), lambda job: True),
        (ListJobsRequest(statuses=[ERROR]), lambda job: job.status == ERROR),
        (ListJobsRequest(statuses=[QUEUED, RUNNING]), lambda job: job.status in (QUEUED, RUNNING)),
        (ListJobsRequest(labels={"parity": "1"}), lambda job: job.labels.get("parity") == "1"),
        (
            ListJobsRequest(labels={"parity": "1", "third": "0"}, statuses=[DONE]),
            lambda job: (
                job.labels.get("parity") == "1" and job.labels.get("third") == "0" and job.status == DONE
            ),
        ),
        (ListJobsRequest(labels={"parity": "2"}), lambda job: False),
        (ListJobsRequest(backend_name="b"), lambda job: job.backend_name == "b"),
        (
            ListJobsRequest(create_time_from=middle),
            lambda job: job.create_time.ToNanoseconds() >= middle.ToNanoseconds(),
        ),
        (
            ListJobsRequest(create_time_before=middle, labels={"third": "1"}),
            lambda job: (
                job.create_time.ToNanoseconds() < middle.ToNanoseconds() and job.labels.get("third") == "1"
            ),
        ),
    ]
    for request, test in cases:
        for size in (0, 1, 3, 22, 1000):
            paged = ListJobsRequest(page_size=size)
            paged.MergeFrom(request)
            found = await pages(manager, paged)
            assert [job_id for page in found for job_id in page] == expected(test)
            assert all(len(page) == (size or 50) for page in found[:-1])
    # What passes is there too.
    first, second = (await manager.list_jobs(ListJobsRequest(page_size=2))).jobs
    assert (first.queue_position, second.HasField("progress")) == (0, True)


async def test_a_page_has_a_default_and_a_limit(start: Any, tools: SimpleNamespace) -> None:
    manager = await start()
    await asyncio.gather(*(manager.submit(tools.spec()) for _ in range(1005)))
    assert [len(page) for page in await pages(manager, ListJobsRequest(page_size=5000))] == [1000, 5]
    assert len((await manager.list_jobs(ListJobsRequest())).jobs) == 50


@pytest.mark.parametrize(
    "request_",
    [
        ListJobsRequest(page_size=-1),
        ListJobsRequest(statuses=[job_pb2.JobStatus.ValueType(99)]),
        ListJobsRequest(statuses=[job_pb2.JOB_STATUS_UNSPECIFIED]),
    ],
)
async def test_bad_filters(start: Any, request_: ListJobsRequest) -> None:
    manager = await start()
    with pytest.raises(ServiceError) as caught:
        await manager.list_jobs(request_)
    assert caught.value.reason == reasons.ERROR_REASON_OPTION_INVALID


@pytest.mark.parametrize("field", ["create_time_from", "create_time_before"])
@pytest.mark.parametrize(
    ("seconds", "nanos"), [(2**63 - 1, 0), (-(2**63), 0), (253_402_300_800, 0), (0, -1), (0, 10**9)]
)
async def test_what_is_no_time_is_refused(start: Any, field: str, seconds: int, nanos: int) -> None:
    manager = await start()
    request = ListJobsRequest()
    getattr(request, field).CopyFrom(Timestamp(seconds=seconds, nanos=nanos))
    with pytest.raises(ServiceError) as caught:
        await manager.list_jobs(request)
    assert caught.value.reason == reasons.ERROR_REASON_OPTION_INVALID
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("seconds", "later"), [(-62_135_596_800, False), (0, False), (253_402_300_799, True)]
)
async def test_times_beyond_all_jobs(start: Any, tools: SimpleNamespace, seconds: int, later: bool) -> None:
    manager = await start()
    job, _ = await manager.submit(tools.spec())
    time = Timestamp(seconds=seconds)
    everything: list[list[str]] = [[job.job_id]]
    nothing: list[list[str]] = [[]]
    assert await pages(manager, ListJobsRequest(create_time_from=time)) == (nothing if later else everything)
    assert await pages(manager, ListJobsRequest(create_time_before=time)) == (
        everything if later else nothing
    )


def test_tokens_belong_to_their_filter() -> None:
    request = ListJobsRequest(labels={"a": "1", "b": "2"}, page_size=3)
    token = page_token(request, ANYONE, "0199")
    same = ListJobsRequest(labels={"b": "2", "a": "1"}, page_size=7, page_token=token)
    assert job_filter(same, ANYONE).before_job_id == "0199"
    for other in (
        ListJobsRequest(),
        ListJobsRequest(labels={"a": "1"}),
        ListJobsRequest(labels=request.labels, backend_name="x"),
    ):
        other.page_token = token
        with pytest.raises(ServiceError) as caught:
            job_filter(other, ANYONE)
        assert caught.value.reason == reasons.ERROR_REASON_BAD_PAGE_TOKEN


@settings(deadline=None)
@given(st.text(min_size=1, max_size=80))
def test_no_other_text_is_a_token(token: str) -> None:
    with pytest.raises(ServiceError) as caught:
        job_filter(ListJobsRequest(page_token=token), ANYONE)
    assert caught.value.reason == reasons.ERROR_REASON_BAD_PAGE_TOKEN


async def test_a_page_is_cut_by_its_bytes(start: Any, executor: Any, tools: SimpleNamespace) -> None:
    manager = await start(workers=1)
    made = []
    for number in range(90):
        job, _ = await manager.submit(tools.spec("done", metadata={"text": str(number).zfill(16_000)}))
        await tools.until(manager, job.job_id)
        made.append(job.job_id)
    found = []
    request = ListJobsRequest(page_size=1_000)
    while True:
        response = await manager.list_jobs(request)
        assert 1 <= len(response.jobs) <= 1_000
        assert response.ByteSize() <= (1 << 20) + 16_500
        found += [job.job_id for job in response.jobs]
        request.page_token = response.next_page_token
        if not request.page_token:
            break
    assert found == made[::-1]


async def test_a_job_that_is_larger_than_a_page_comes_alone(start: Any, tools: SimpleNamespace) -> None:
    manager = await start(max_metadata_bytes=4 << 20)
    made = []
    for size in (10, 2 << 20, 3 << 20, 10, 10):
        job, _ = await manager.submit(tools.spec("done", metadata={"text": "x" * size}))
        await tools.until(manager, job.job_id)
        made.append(job.job_id)
    assert [len(page) for page in await pages(manager, ListJobsRequest())] == [2, 1, 1, 1]


async def test_metadata_has_a_limit(start: Any, tools: SimpleNamespace) -> None:
    manager = await start()
    with pytest.raises(ServiceError) as caught:
        await manager.submit(tools.spec("done", metadata={"text": "x" * 17_000}))
    assert caught.value.reason == reasons.ERROR_REASON_OPTION_INVALID
    assert caught.value.field == "spec.metadata"
    assert "16,384" in caught.value.message


@given(sizes=st.lists(st.integers(0, 1_500_000), max_size=30), size=st.integers(1, 20))
def test_pages_hold_what_fits(sizes: list[int], size: int) -> None:
    records = [
        JobRecord(str(number), "", 0, 0, 0, 0, None, bytes(taken), b"") for number, taken in enumerate(sizes)
    ]
    page = first_page(records, size)
    taken = sum(sizes[: len(page)])
    assert list(page) == records[: len(page)]
    assert bool(page) == bool(records)
    assert len(page) == 1 or taken <= MOST_PAGE_BYTES
    if len(page) < min(size, len(records)):
        assert taken + len(records[len(page)].job) > MOST_PAGE_BYTES
