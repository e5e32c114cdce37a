"""kill -9 in the middle of everything: whatever a caller was told is there for the next server."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from basicaer.service.store import SQLiteStore
from basicaer.v1 import job_pb2, result_pb2
from basicaer.v1.job_service_pb2 import ListJobsRequest, ReadResultRequest

from tests.postgresql import PostgreSQL


def run_and_kill(arguments: list[str], lines: int) -> list[list[str]]:
    """Kills a server once it has said so many lines; all that it said, as words."""
    command = [sys.executable, str(Path(__file__).with_name("killed_server.py")), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = [process.stdout.readline().split() for _ in range(lines)]
        process.kill()
        said += [
            line.split() for line in process.stdout.read().splitlines(keepends=True) if line.endswith("\n")
        ]
    return said


@pytest.mark.parametrize("lines", [1, 50, 700])
async def test_what_was_acknowledged_survives(
    start: Any,
    executor: Any,
    tools: SimpleNamespace,
    new_store: Any,
    postgresql: PostgreSQL,
    tmp_path: Path,
    lines: int,
) -> None:
    directory = tmp_path / "data"
    embedded = new_store is SQLiteStore
    settings = {} if embedded else {"sweep_interval": 0.5}
    said = run_and_kill([str(directory), *(() if embedded else (postgresql.url(directory),))], lines)
    accepted = {words[1] for words in said if words[0] == "accepted"}
    final = {words[1]: int(words[2]) for words in said if words[0] == "final"}
    assert accepted

    # Those that were to be cancelled, but weren't yet, come to their end.
    executor.release("never")
    manager = await start(data_dir=directory, **settings)
    owners: set[str] = set()
    if embedded:
        owners = {path.name.split("-")[0] for path in (directory / "results").iterdir()}
    for job_id in accepted:
        job = await tools.until(manager, job_id)
        assert job.status == final.get(job_id, job.status)
        assert job.attempt <= 2
        if job.status != job_pb2.JOB_STATUS_DONE:
            continue
        reading = await manager.read_result(ReadResultRequest(job_id=job_id))
        chunk = await reading.next()
        reading.close()
        assert chunk is not None
        for array in result_pb2.Result.FromString(chunk.data).programs[0].arrays:
            reading = await manager.read_result(ReadResultRequest(job_id=job_id, part=array.part))
            data = b""
            # Reading a part to its end checks its checksum.
            while (chunk := await reading.next()) is not None:
                data += chunk.data
            reading.close()
            assert data == tools.array_bytes(array.size_bytes)
    # What was staged is either a result's or was removed.
    known = {job.job_id for job in (await manager.list_jobs(ListJobsRequest(page_size=1000))).jobs}
    assert owners <= known
    schema = postgresql.url(directory).rpartition("=")[2]
    chunks = f"SELECT DISTINCT convert_from(job_id, 'UTF8') FROM {schema}.chunks"
    async with asyncio.timeout(60):
        # Once the killed server's lease has ended.
        while not embedded:
            if set(postgresql.run(chunks).splitlines()) <= known:
                break
            await asyncio.sleep(0.2)
