"""Attempts whose machine is gone, and jobs that are too large for whoever looks for jobs."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from basicaer.v1 import job_pb2

QUEUED = job_pb2.JOB_STATUS_QUEUED
RUNNING = job_pb2.JOB_STATUS_RUNNING
CANCELLED = job_pb2.JOB_STATUS_CANCELLED
DONE = job_pb2.JOB_STATUS_DONE
ERROR = job_pb2.JOB_STATUS_ERROR

pytestmark = pytest.mark.shared


async def test_a_lost_attempt_starts_anew(start: Any, tools: SimpleNamespace) -> None:
    executor = tools.ScriptExecutor()
    manager = await start(executor=executor)
    watch = await manager.run(tools.spec("lost 2"))
    events = [event.event.status for event in await tools.read(watch)]
    assert [event.attempt for event in events if event.status == RUNNING] == [1, 2, 3]
    assert [event.status for event in events].count(QUEUED) >= 2
    assert events[-1].status == DONE
    assert executor.runs[watch.job.job_id] == 3


async def test_a_job_that_is_always_lost_ends(start: Any, tools: SimpleNamespace) -> None:
    executor = tools.ScriptExecutor()
    manager = await start(executor=executor, max_attempts=2)
    watch = await manager.run(tools.spec("lost 100"))
    events = [event.event.status for event in await tools.read(watch)]
    assert events[-1].status == ERROR
    job = await manager.get(watch.job.job_id)
    assert job.error.metadata["attempt"] == "2"
    assert "2 attempts" in job.error.message
    assert executor.runs[watch.job.job_id] == 2


async def test_nobody_takes_what_never_fits(start: Any, tools: SimpleNamespace) -> None:
    small, large = tools.ScriptExecutor(), tools.ScriptExecutor()
    small.largest = 500
    first = await start(executor=small)
    too_large = (await first.submit(tools.spec("bytes 900 done"))).job
    fits = (await first.submit(tools.spec("bytes 500 done"))).job
    assert (await tools.until(first, fits.job_id)).status == DONE
    assert (await first.get(too_large.job_id)).status == QUEUED
    await start(executor=large)
    assert (await tools.until(first, too_large.job_id)).status == DONE
    assert (small.runs[too_large.job_id], large.runs[too_large.job_id]) == (0, 1)
