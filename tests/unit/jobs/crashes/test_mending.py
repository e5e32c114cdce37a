"""A bit that flips at rest, in any column of any table: after the next start no answer is another one, no job
runs twice, none is missing from a list, and no result's file is removed.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from basicaer.service.callers import Caller
from basicaer.service.errors import ServiceError
from basicaer.service.jobs import JobManager
from basicaer.v1 import error_reason_pb2 as reasons
from basicaer.v1 import job_pb2, job_service_pb2

ADA, BOB = Caller("ada", False, None, ""), Caller("bob", False, None, "")
pytestmark = pytest.mark.embedded

MISMATCH = reasons.ERROR_REASON_CHECKSUM_MISMATCH
TEXTS = ("hold x", "done", "array 100", "inline 300", "inline 40000", "fail")
STATUSES = {
    "cancelled": job_pb2.JOB_STATUS_CANCELLED,
    "done": job_pb2.JOB_STATUS_DONE,
    "error": job_pb2.JOB_STATUS_ERROR,
}
COLUMNS = [
    *(
        ("jobs", name)
        for name in (
            "number",
            "job_id",
            "principal",
            "request_id",
            "request_hash",
            "backend_name",
            "create_time",
            "status",
            "sequence",
            "attempt",
            "crashes",
            "cancel_reason",
            "sweep_time",
            "result_file",
            "message_size",
            "job",
            "events",
            "spec",
            "result",
            "file_bytes",
            "origin_sum",
            "state_sum",
            "spec_sum",
            "result_sum",
        )
    ),
    *(("labels", name) for name in ("key", "value", "job_id")),
    *(("payloads", name) for name in ("job_id", "kind", "data")),
    ("store", "store_id"),
    ("alembic_version", "version_num"),
]
# What a job is found by; damage to these alone is mended, so that nothing at all is different.
MENDED = {name for table, name in COLUMNS if table == "jobs"} - {"job", "events", "spec", "result"}


def spec(tools: SimpleNamespace, number: int) -> job_pb2.JobSpec:
    its: job_pb2.JobSpec = tools.spec(TEXTS[number])
    its.labels.update({"number": str(number), "group": "all"})
    return its


def owner(number: int) -> Caller:
    # Bob has one job only: no other row knows his name.
    return BOB if number == 2 else ADA


async def make(start: Any, executor: Any, tools: SimpleNamespace, directory: Path) -> list[str]:
    manager = await start(data_dir=directory, workers=1)
    jobs = []
    for number in range(len(TEXTS)):
        job, _ = await manager.submit(spec(tools, number), f"request {number}", caller=owner(number))
        jobs.append(job.job_id)
    await tools.until(manager, jobs[0], job_pb2.JOB_STATUS_RUNNING)
    await manager.cancel(jobs[1], "no need", caller=ADA)
    executor.release("x")
    for job_id in jobs:
        await tools.until(manager, job_id)
    await manager.close()
    return jobs


def damage(directory: Path, table: str, column: str, chance: random.Random, bits: int = 1) -> None:
    """Flips bits of one value, as a disk does: constraints of the table's own don't matter."""
    connection = sqlite3.connect(directory / "jobs.sqlite3", isolation_level=None)
    connection.text_factory = bytes
    connection.execute("PRAGMA ignore_check_constraints = ON")
    found = connection.execute(
        f"SELECT {column}, typeof({column}) FROM {table} WHERE length({column}) > 0 GROUP BY 1"
    ).fetchall()
    if found:
        value, kind = chance.choice(found)
        changed: Any
        if kind == b"integer":
            changed = value ^ (1 << chance.randrange(62))
        else:
            data = bytearray(value)
            for place in chance.sample(range(len(data)), min(bits, len(data))):
                data[place] ^= 1 << chance.randrange(8)
            changed = bytes(data)
        as_text = "CAST(? AS TEXT)" if kind == b"text" else "?"
        key = "CAST(? AS TEXT)" if kind == b"text" else "?"
        where = f"WHERE {column} = {key}"
        if table in ("jobs", "labels"):
            # One row of those that have the value.
            row = "rowid" if table == "jobs" else "(key, value, job_id)"
            name = "rowid" if table == "jobs" else "key, value, job_id"
            where = f"WHERE {row} = (SELECT {name} FROM {table} {where} LIMIT 1)"
        connection.execute(f"UPDATE {table} SET {column} = {as_text} {where}", (changed, value))
    connection.close()


async def told(manager: JobManager, tools: SimpleNamespace, jobs: list[str]) -> dict[tuple[str, str], Any]:
    """What callers can ask, or the reason why it isn't told."""
    answers: dict[tuple[str, str], Any] = {}

    async def ask(what: str, job_id: str, call: Any) -> None:
        try:
            answers[what, job_id] = await call
        except ServiceError as error:
            answers[what, job_id] = error.reason

    async def read(job_id: str, caller: Caller) -> bytes:
        reading = await manager.read_result(job_service_pb2.ReadResultRequest(job_id=job_id), caller=caller)
        pieces = []
        while (chunk := await reading.next()) is not None:
            pieces.append(chunk.data)
        reading.close()
        return b"".join(pieces)

    async def again(number: int) -> tuple[str, bool]:
        job, existing = await manager.submit(spec(tools, number), f"request {number}", caller=owner(number))
        return job.job_id, existing

    for number, job_id in enumerate(jobs):
        await ask("get", job_id, manager.get(job_id, caller=owner(number)))
        await ask("read", job_id, read(job_id, owner(number)))
        await ask("again", job_id, again(number))
    filters: dict[str, dict[str, Any]] = {
        "all": {},
        "backend": {"backend_name": "script"},
        **{f"number {number}": {"labels": {"number": str(number)}} for number in range(len(jobs))},
        "group": {"labels": {"group": "all"}},
        **{name: {"statuses": [status]} for name, status in STATUSES.items()},
    }
    for caller in (ADA, BOB):
        for name, asked in filters.items():
            listed = await manager.list_jobs(job_service_pb2.ListJobsRequest(**asked), caller=caller)
            for job in listed.jobs:
                answers[f"{caller.principal} {name}", job.job_id] = (
                    MISMATCH if job.error.reason == MISMATCH else job
                )
    return answers


@pytest.mark.parametrize(("table", "column"), COLUMNS)
async def test_a_bit_that_flips_at_rest(
    start: Any, executor: Any, tools: SimpleNamespace, tmp_path: Path, table: str, column: str
) -> None:
    jobs = await make(start, executor, tools, tmp_path / "made")
    shutil.copytree(tmp_path / "made", tmp_path / "true")
    manager = await start(data_dir=tmp_path / "true")
    true = await told(manager, tools, jobs)
    await manager.close()
    files = {path.name for path in (tmp_path / "true" / "results").iterdir()}
    assert files
    assert MISMATCH not in true.values()
    for turn in range(6):
        image = tmp_path / f"image{turn}"
        shutil.copytree(tmp_path / "made", image)
        damage(image, table, column, random.Random(f"{table}{column}{turn}"))
        other = tools.ScriptExecutor()
        other.release_all()
        manager = await start(data_dir=image, executor=other)
        answers = await told(manager, tools, jobs)
        await manager.close()
        different = {asked: answers.get(asked) for asked in true if answers.get(asked) != true[asked]}
        assert answers.keys() == true.keys(), turn
        if table not in ("jobs", "payloads") or (table == "jobs" and column in MENDED):
            assert different == {}, turn
        assert set(different.values()) <= {MISMATCH}, turn
        assert len({job_id for _, job_id in different}) <= 1, turn
        assert {path.name for path in (image / "results").iterdir()} == files
        assert not other.runs


async def test_what_cant_be_known_makes_no_second_job(
    start: Any, executor: Any, tools: SimpleNamespace, tmp_path: Path
) -> None:
    jobs = await make(start, executor, tools, tmp_path / "data")
    connection = sqlite3.connect(tmp_path / "data" / "jobs.sqlite3")
    connection.execute("UPDATE jobs SET principal = 'xyz' WHERE principal = 'bob'")
    connection.commit()
    connection.close()
    other = tools.ScriptExecutor()
    other.release_all()
    manager = await start(data_dir=tmp_path / "data", executor=other)
    for text in ("request 2", "request 2"):
        with pytest.raises(ServiceError) as caught:
            await manager.submit(spec(tools, 2), text, caller=BOB)
        assert caught.value.reason == MISMATCH
    assert not other.runs
    # Nobody else is in its way, in the same group of writes too.
    assert (await manager.submit(spec(tools, 3), "request 3", caller=ADA))[0].job_id == jobs[3]
    assert not (await manager.submit(spec(tools, 3), "request 9", caller=BOB))[1]
    # As the message says.
    await manager.delete(jobs[2])
    job, existing = await manager.submit(spec(tools, 2), "request 2", caller=BOB)
    assert not existing
    assert job.job_id not in jobs


async def test_a_name_that_another_job_has_is_known_again(
    start: Any, executor: Any, tools: SimpleNamespace, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    jobs = await make(start, executor, tools, tmp_path / "data")
    connection = sqlite3.connect(tmp_path / "data" / "jobs.sqlite3")
    connection.execute(
        "UPDATE jobs SET principal = 'xyz', request_id = 'lost', backend_name = 'none', create_time = 5,"
        " status = 1, attempt = 77, job_id = 'gone' WHERE job_id = ?",
        (jobs[3],),
    )
    connection.commit()
    connection.close()
    manager = await start(data_dir=tmp_path / "data")
    assert (await manager.get(jobs[3], caller=ADA)).status == job_pb2.JOB_STATUS_DONE
    assert await manager.submit(spec(tools, 3), "request 3", caller=ADA) is not None
    assert [line for line in caplog.messages if jobs[3] in line and "was mended" in line]
    assert len((await manager.list_jobs(job_service_pb2.ListJobsRequest(), caller=ADA)).jobs) == 5
