"""Bytes of the database's file that changed: an answer is the true one, or an error, or the log tells that
the file is damaged; and a start says what is wrong.
"""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Any

import pytest
from basicaer.service.errors import DataDirectoryError, ServiceError
from basicaer.service.store import DamagedJob, JobFilter, SQLiteStore, StagedResult

JOBS = [f"job{number:05d}" for number in range(40)]


async def ask(store: SQLiteStore) -> dict[tuple[str, str], Any]:
    """What the store says of each job; None for what it refuses to say."""
    told: dict[tuple[str, str], Any] = {}
    for job_id in JOBS:
        try:
            record = await store.find(job_id)
            told["job", job_id] = None if isinstance(record, DamagedJob) else record or "gone"
        except ServiceError:
            told["job", job_id] = None
        try:
            result = await store.open_result(job_id)
            told["result", job_id] = "gone" if result is None else result.message
        except ServiceError:
            told["result", job_id] = None
    try:
        listed = await store.list_jobs(JobFilter(principal="ada"), 100, 1 << 30)
    except ServiceError:
        return told
    for record in listed:
        if not isinstance(record, DamagedJob):
            told["list", record.job_id] = record
    return told


@pytest.mark.parametrize("seed", range(40))
async def test_damaged_pages(
    open_store: Any, new_job: Any, new_state: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture, seed: int
) -> None:
    its = open_store()
    its.write(*(new_job(number, principal="ada", labels={"n": str(number)}) for number in range(len(JOBS))))
    ends = [
        new_state(number, status=6, sequence=3, final=True, result=StagedResult(b"%d" % number * 99, None, 0))
        for number in range(len(JOBS) - 5)
    ]
    its.write(*ends)
    true = await ask(its.store)
    its.store.close()
    image = tmp_path / "image"
    shutil.copytree(its.directory, image)
    path, chance = image / "jobs.sqlite3", random.Random(seed)
    data = bytearray(path.read_bytes())
    at = chance.randrange(len(data))
    for place in range(at, min(at + chance.choice((1, 1, 1, 20)), len(data))):
        data[place] ^= 1 << chance.randrange(8)
    path.write_bytes(data)
    store = SQLiteStore(image)
    try:
        store.open(lambda writes: None)
    except DataDirectoryError:
        # In one line that says how to go on.
        return
    told = await ask(store)
    store.live_jobs()
    store.close()
    for key, answer in told.items():
        assert answer in (None, true[key]) or "is damaged" in caplog.text, key
