"""Runs jobs in a process of their own, and tells how much memory each took: the other side of test_peaks.py.

It reads a number of bytes (4, little-endian) and a serialized JobSpec at a time from its standard input, and
answers with a line: what the job said it needs and what it took, in bytes, or "refused".
"""

from __future__ import annotations

import ctypes
import gc
import sys
import tempfile
from pathlib import Path

from basicaer.service.config import Config
from basicaer.service.errors import ServiceError
from basicaer.service.execution import ThreadExecutor
from basicaer.service.store.sqlite._files import ResultFiles
from basicaer.v1 import job_pb2

BUDGET = 384 << 20
_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
# Resets the high-water mark of the resident memory (proc(5)).
_RESET = "5"


def _memory(field: str) -> int:
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(field + ":"))
    return int(line.split()[1]) * 1024


def _measured(executor: ThreadExecutor, files: ResultFiles, data: bytes) -> str:
    spec = job_pb2.JobSpec.FromString(data)
    gc.collect()
    # What was freed before must not be what this job lives on.
    ctypes.CDLL(None).malloc_trim(0)
    _CLEAR.write_text(_RESET)
    before = _memory("VmRSS")
    try:
        prepared = executor.prepare(spec)
    except ServiceError as error:
        return f"refused: {error.message[:200]}"
    if prepared.required_bytes > BUDGET:
        return "refused"
    outcome = executor.execute(prepared, prepared.new_control(), job_id="measured")
    assert outcome.result is not None
    pieces = [part.data for part in outcome.parts]
    files.write("result", [*pieces, outcome.result.SerializeToString(), *outcome.entries])
    files.remove("result")
    return f"{prepared.required_bytes} {_memory('VmHWM') - before}"


def main() -> None:
    """Answers until its input ends."""
    with tempfile.TemporaryDirectory() as directory:
        config = Config(data_dir=Path(directory), max_memory_bytes=BUDGET)
        executor = ThreadExecutor(config)
        executor.warm_up()
        files = ResultFiles(Path(directory) / "results")
        while head := sys.stdin.buffer.read(4):
            data = sys.stdin.buffer.read(int.from_bytes(head, "little"))
            print(_measured(executor, files, data), flush=True)
        executor.close()


if __name__ == "__main__":
    main()
