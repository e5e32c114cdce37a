"""Rows that aren't what was stored: no answer differs from the true one without being an error, and no other
job suffers.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from basicaer.service.callers import Caller
from basicaer.service.errors import ServiceError
from basicaer.v1 import error_reason_pb2 as reasons
from basicaer.v1 import job_pb2, job_service_pb2

pytestmark = pytest.mark.embedded

ADA = Caller("ada", False, None, "")
MISMATCH = reasons.ERROR_REASON_CHECKSUM_MISMATCH
LIST = job_service_pb2.ListJobsRequest
COLUMNS = (
    "principal",
    "request_hash",
    "backend_name",
    "create_time",
    "status",
    "sequence",
    "attempt",
    "crashes",
    "result_file",
    "message_size",
    "job",
    "events",
    "result",
    "file_bytes",
    "origin_sum",
    "state_sum",
    "result_sum",
)


LIVE = ("spec", "spec_sum", "job", "status", "events", "attempt", "cancel_reason")


async def make(start: Any, executor: Any, tools: SimpleNamespace, directory: Path) -> list[str]:
    """A store with final jobs of each kind; their ids."""
    manager = await start(data_dir=directory, workers=1)
    texts = ("hold x", "done", "array 100", "inline 300", "fail")
    jobs = [(await manager.submit(tools.spec(text), text, caller=ADA)).job.job_id for text in texts]
    await tools.until(manager, jobs[0], job_pb2.JOB_STATUS_RUNNING)
    await manager.cancel(jobs[1], "no need", caller=ADA)
    executor.release("x")
    for job_id in jobs:
        await tools.until(manager, job_id)
    await manager.close()
    return jobs


def flip(directory: Path, column: str, chance: random.Random) -> str | None:
    """Flips a bit, or some bytes, of a column in one row; the job's id, or None when no row has a value."""
    connection = sqlite3.connect(directory / "jobs.sqlite3", isolation_level=None)
    connection.text_factory = bytes
    try:
        found = connection.execute(
            f"SELECT number, job_id, {column}, typeof({column}) FROM jobs WHERE {column} IS NOT NULL"
            f" AND {column} NOT IN ('', x'')"
        ).fetchall()
        if not found:
            return None
        number, job_id, value, kind = chance.choice(found)
        if kind == b"integer":
            changed: Any = value ^ (1 << chance.randrange(63))
        else:
            changed = bytearray(value)
            at = chance.randrange(len(changed))
            for place in range(at, min(len(changed), at + chance.choice((1, 1, 9)))):
                changed[place] ^= 1 << chance.randrange(8)
            changed = bytes(changed)
        value = "CAST(? AS TEXT)" if kind == b"text" else "?"
        connection.execute(f"UPDATE jobs SET {column} = {value} WHERE number = ?", (changed, number))
        return str(job_id, "ascii")
    finally:
        connection.close()


async def answers(manager: Any, tools: SimpleNamespace, job_ids: list[str]) -> dict[tuple[str, str], Any]:
    """All that can be asked of jobs, or the reason why it isn't told."""
    told: dict[tuple[str, str], Any] = {}

    async def ask(what: str, job_id: str, call: Any) -> None:
        try:
            told[what, job_id] = await call()
        except ServiceError as error:
            told[what, job_id] = error.reason

    async def read(job_id: str) -> bytes:
        request = job_service_pb2.ReadResultRequest(job_id=job_id)
        reading = await manager.read_result(request, caller=ADA)
        pieces = []
        while (chunk := await reading.next()) is not None:
            pieces.append(chunk.data)
        reading.close()
        return b"".join(pieces)

    async def events(job_id: str) -> list[Any]:
        watch = await manager.watch(job_id, 0, caller=ADA)
        return [published.event for published in await tools.read(watch)]

    for job_id in job_ids:
        await ask("get", job_id, lambda job_id=job_id: manager.get(job_id, caller=ADA))
        await ask("watch", job_id, lambda job_id=job_id: events(job_id))
        await ask("read", job_id, lambda job_id=job_id: read(job_id))
        await ask("cancel", job_id, lambda job_id=job_id: manager.cancel(job_id, caller=ADA))
    listed = await manager.list_jobs(LIST(), caller=ADA)
    for job in listed.jobs:
        told["list", job.job_id] = MISMATCH if job.error.reason == MISMATCH else job
    return told


@pytest.mark.parametrize("column", COLUMNS)
async def test_a_damaged_row_is_one_jobs(
    start: Any,
    executor: Any,
    tools: SimpleNamespace,
    tmp_path: Path,
    column: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    jobs = await make(start, executor, tools, tmp_path / "made")
    shutil.copytree(tmp_path / "made", tmp_path / "true")
    manager = await start(data_dir=tmp_path / "true")
    true = await answers(manager, tools, jobs)
    await manager.close()
    for turn in range(6):
        image = tmp_path / f"image{turn}"
        shutil.copytree(tmp_path / "made", image)
        manager = await start(data_dir=image)
        # Under the running server: what is found at a start is mended where that can be, see test_mending.py.
        damaged = flip(image, column, random.Random(f"{column}{turn}"))
        assert damaged is not None
        told = await answers(manager, tools, jobs)
        for (what, job_id), answer in true.items():
            if job_id == damaged:
                # One whose owner or status is damaged may not be in the list at all.
                missing = (what, job_id) not in told and what == "list"
                assert missing or told[what, job_id] in (MISMATCH, answer), (turn, what)
            else:
                assert told[what, job_id] == answer, (turn, what, job_id)
        assert MISMATCH in [told[what, damaged] for what in ("get", "read", "watch", "cancel")]
        # It can be removed, by whoever may do all if need be; and nothing stands in the way of the rest.
        await manager.delete(damaged)
        left = (await manager.list_jobs(LIST())).jobs
        assert sorted(job.job_id for job in left) == sorted(set(jobs) - {damaged})
        await manager.close()
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize(
    "column", ["spec", "spec_sum", "job", "status", "events", "attempt", "cancel_reason"]
)
async def test_a_damaged_live_job_isnt_run(
    start: Any, executor: Any, tools: SimpleNamespace, tmp_path: Path, column: str
) -> None:
    manager = await start(workers=1)
    await manager.submit(tools.spec("deaf x"), caller=ADA)
    damaged, _ = await manager.submit(tools.spec("done"), caller=ADA)
    other, _ = await manager.submit(tools.spec("array 10"), caller=ADA)
    image = tools.crash_image(tmp_path / "data", tmp_path / "image")
    connection = sqlite3.connect(image / "jobs.sqlite3")
    value = {"spec": "x'0a00'", "job": "x'0a03'", "events": "x'ff'", "cancel_reason": "'stop'"}
    connection.execute(
        f"UPDATE jobs SET {column} = {value.get(column, f'{column} + 1')} WHERE job_id = ?", (damaged.job_id,)
    )
    connection.commit()
    connection.close()
    # Its log went into the database, which looks as if it were lost: as the message says.
    (image / "store").unlink()
    again = tools.ScriptExecutor()
    again.release("x")
    manager = await start(data_dir=image, executor=again, workers=1)
    assert (await tools.until(manager, other.job_id)).status == job_pb2.JOB_STATUS_DONE
    if column.startswith("spec"):
        ended = await tools.until(manager, damaged.job_id)
        assert (ended.status, ended.error.reason) == (job_pb2.JOB_STATUS_ERROR, MISMATCH)
    elif column in ("status", "attempt"):
        # The job's own message tells them.
        assert (await tools.until(manager, damaged.job_id)).status == job_pb2.JOB_STATUS_DONE
        assert again.runs[damaged.job_id] == 1
        return
    else:
        with pytest.raises(ServiceError) as caught:
            await manager.get(damaged.job_id, caller=ADA)
        assert caught.value.reason == MISMATCH
        stranger = Caller("eve", False)
        with pytest.raises(ServiceError) as caught:
            await manager.get(damaged.job_id, caller=stranger)
        assert caught.value.reason == reasons.ERROR_REASON_JOB_NOT_FOUND
    assert damaged.job_id not in again.runs


async def test_damaged_jobs_are_swept(
    start: Any, tools: SimpleNamespace, executor: Any, tmp_path: Path
) -> None:
    jobs = await make(start, executor, tools, tmp_path / "data")
    for job_id in jobs:
        connection = sqlite3.connect(tmp_path / "data" / "jobs.sqlite3")
        connection.execute("UPDATE jobs SET job = x'00' WHERE job_id = ?", (job_id,))
        connection.commit()
        connection.close()
    manager = await start(event_retention=0.001, result_retention=0.001, job_retention=0.001)
    for _ in range(600):
        left = (await manager.list_jobs(LIST())).jobs
        if not left:
            break
        await asyncio.sleep(0.05)
    assert not left
