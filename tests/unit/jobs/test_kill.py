"""kill -9 in the middle of everything: whatever a caller was told is there for the next server."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from basicaer.v1 import job_pb2, result_pb2
from basicaer.v1.job_service_pb2 import ListJobsRequest, ReadResultRequest


def run_and_kill(directory: Path, lines: int) -> list[list[str]]:
    """Kills a server once it has said so many lines; all that it said, as words."""
    command = [sys.executable, str(Path(__file__).with_name("killed_server.py")), str(directory)]
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
    start: Any, executor: Any, tools: SimpleNamespace, tmp_path: Path, lines: int
) -> None:
    directory = tmp_path / "data"
    said = run_and_kill(directory, lines)
    accepted = {words[1] for words in said if words[0] == "accepted"}
    final = {words[1]: int(words[2]) for words in said if words[0] == "final"}
    assert accepted

    # Those that were to be cancelled, but weren't yet, come to their end.
    executor.release("never")
    manager = await start(data_dir=directory)
    files = {path.name for path in (directory / "results").iterdir()}
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
    # A file is either a result's or was removed.
    known = await manager.list_jobs(ListJobsRequest(page_size=1000))
    assert {name.split("-")[0] for name in files} <= {job.job_id for job in known.jobs}
