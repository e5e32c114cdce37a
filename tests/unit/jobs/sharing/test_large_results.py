"""Jobs whose results are too large for the database."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from basicaer.service.errors import ServiceError
from basicaer.service.execution._acceptance import accept
from basicaer.service.store import JobStore
from basicaer.service.store.postgresql import PostgreSQLStore
from basicaer.service.store.postgresql.objects.bucket import Bucket
from basicaer.v1 import error_reason_pb2 as reasons
from basicaer.v1 import job_pb2
from basicaer.v1.job_service_pb2 import ReadResultRequest

from tests.postgresql import PostgreSQL
from tests.s3 import S3Server

pytestmark = pytest.mark.shared

RUNNING, DONE, ERROR = job_pb2.JOB_STATUS_RUNNING, job_pb2.JOB_STATUS_DONE, job_pb2.JOB_STATUS_ERROR
MOST = 4096


@pytest.fixture
def objects() -> Bucket | None:
    """Where larger ones lie."""
    return None


@pytest.fixture
def new_store(
    request: pytest.FixtureRequest, postgresql: PostgreSQL, objects: Bucket | None
) -> Callable[[Path], JobStore]:
    return lambda directory: PostgreSQLStore(
        postgresql.url(directory), lease=3.0, objects=objects, largest=MOST
    )


async def test_one_that_shows_at_its_end_fails_with_the_setting(start: Any, tools: SimpleNamespace) -> None:
    manager = await start()
    ended = [
        await tools.until(manager, (await manager.submit(tools.spec(text))).job.job_id)
        for text in (f"surprise {MOST}", f"surprise {MOST // 2}")
    ]
    assert [job.status for job in ended] == [ERROR, DONE]
    assert ended[0].error.reason == reasons.ERROR_REASON_RESULT_TOO_LARGE
    assert "--object-store" in ended[0].error.message
    assert ended[0].error.metadata["setting"] == "object_store"


def test_one_that_is_known_is_refused(tools: SimpleNamespace) -> None:
    executor = tools.ScriptExecutor()

    def check(text: str, most: int | None) -> job_pb2.Job:
        spec = tools.spec(text)
        job, _ = accept(
            spec,
            lambda: executor.prepare(spec),
            max_memory_bytes=9,
            max_metadata_bytes=9,
            most_result_bytes=most,
        )
        return job

    for text, most in ((f"array {MOST // 2}", MOST), (f"array {MOST}", None), (f"surprise {MOST}", MOST)):
        assert check(text, most).required_bytes == 1
    with pytest.raises(ServiceError) as caught:
        check(f"array {MOST // 2 + 1}", MOST)
    assert caught.value.reason == reasons.ERROR_REASON_RESULT_TOO_LARGE
    assert caught.value.metadata["result_bytes"] == str(MOST + 2)


class TestWithObjects:
    @pytest.fixture
    def objects(self, s3: S3Server) -> Bucket:
        return Bucket("s3://results", s3.endpoint)

    async def test_jobs_wait_with_their_result_and_others_go_on(
        self, start: Any, tools: SimpleNamespace, s3: S3Server
    ) -> None:
        manager = await start(sweep_interval=0.05)
        s3.stop()
        job = (await manager.submit(tools.spec(f"surprise {MOST}"))).job
        await tools.until(manager, job.job_id, RUNNING)
        small = (await manager.submit(tools.spec("array 5"))).job
        assert (await tools.until(manager, small.job_id)).status == DONE
        assert (await manager.get(job.job_id)).status == RUNNING
        s3.start()
        ended = await tools.until(manager, job.job_id)
        assert (ended.status, ended.attempt) == (DONE, 1)
        reading = await manager.read_result(ReadResultRequest(job_id=job.job_id, part="0/second"))
        data = b""
        while (chunk := await reading.next()) is not None:
            data += chunk.data
        reading.close()
        assert data == tools.array_bytes(MOST)
        await manager.delete(job.job_id)
        async with asyncio.timeout(60):
            await asyncio.to_thread(until_gone, s3)


def until_gone(s3: S3Server) -> None:
    while s3.objects():
        time.sleep(0.05)
