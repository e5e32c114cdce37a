"""A server without an edge, for test_kill.py: accepts jobs without end, and says what it has acknowledged.

Its arguments are the data directory, and the URL of a database if it has one. Each line on stdout is
`accepted JOB_ID` or `final JOB_ID STATUS`.
"""

from __future__ import annotations

import asyncio
import importlib.util
import itertools
import sys
from pathlib import Path

from basicaer.service.config import Config
from basicaer.service.jobs import JobManager
from basicaer.service.store import JobStore, SQLiteStore

_location = importlib.util.spec_from_file_location("tools", Path(__file__).parents[1] / "conftest.py")
assert _location is not None
assert _location.loader is not None
tools = importlib.util.module_from_spec(_location)
_location.loader.exec_module(tools)

PROGRAMS = [
    "done",
    "quick done",
    "quick inline 2000",
    "quick array 3000",
    "fail",
    "array 3000",
    "array 70000",
    "hold never",
    "inline 100000",
]


async def call(manager: JobManager, caller: int) -> None:
    for number in itertools.count():
        program = PROGRAMS[(caller + number) % len(PROGRAMS)]
        watch = await manager.run(tools.spec(program), f"{caller} {number}")
        print("accepted", watch.job.job_id, flush=True)
        if program.startswith("hold"):
            watch.close()
            await manager.cancel(watch.job.job_id)
            watch = await manager.watch(watch.job.job_id)
        events = await tools.read(watch)
        status = events[-1].event.status.status if events else watch.job.status
        print("final", watch.job.job_id, status, flush=True)


async def main(directory: Path, *database: str) -> None:
    store: JobStore = SQLiteStore(directory)
    if database:
        from basicaer.service.store.postgresql import PostgreSQLStore

        store = PostgreSQLStore(*database, lease=tools.LEASE)
    config = Config(data_dir=directory, workers=2, max_memory_bytes=1000)
    manager = JobManager(store, tools.ScriptExecutor(), config)
    await manager.start()
    await asyncio.gather(*(call(manager, caller) for caller in range(8)))


asyncio.run(main(Path(sys.argv[1]), *sys.argv[2:]))
