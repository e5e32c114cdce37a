"""What a disk may do to us: bytes that change, files that end early, no room, and a sync that fails."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from basicaer.service.errors import ServiceError
from basicaer.service.store import UpdateJob
from basicaer.v1 import error_reason_pb2 as reasons

MIB = 1 << 20
DATA = bytes(range(256)) * (MIB // 256) * 2 + b"tail"
MESSAGE = b"m" * (MIB + 5)


@pytest.fixture
def stored(open_store: Any, new_job: Any, new_state: Any) -> tuple[Any, Path]:
    """A store, and the file of a job's result in it: two MiB of parts, and a large message."""
    its = open_store()
    its.write(new_job(1))
    staged = its.store.stage_result("job00001", 1, [MESSAGE], [memoryview(DATA)])
    update: UpdateJob = new_state(1, status=6, sequence=3, final=True, result=staged)
    its.write(update)
    return its.store, its.directory / "results" / staged.file


@pytest.mark.parametrize(
    ("offset", "size"), [(0, 10), (MIB - 1, 2), (5, 2 * MIB), (2 * MIB, 4), (0, len(DATA))]
)
async def test_any_range_is_what_was_stored(stored: Any, offset: int, size: int) -> None:
    result = await stored[0].open_result("job00001")
    assert (
        result.read_checked(offset, size)
        == result.read(offset, size)
        == (DATA + MESSAGE)[offset : offset + size]
    )
    assert result.message == MESSAGE
    result.close()


@pytest.mark.parametrize("place", [0, MIB - 1, MIB, 2 * MIB - 1])
async def test_a_flipped_bit_is_found_in_its_own_block(stored: Any, place: int) -> None:
    store, path = stored
    data = bytearray(path.read_bytes())
    data[place] ^= 4
    path.write_bytes(data)
    result = await store.open_result("job00001")
    for block in range(2):
        if block == place // MIB:
            with pytest.raises(ServiceError) as caught:
                result.read_checked(block * MIB + 7, 9)
            assert caught.value.reason == reasons.ERROR_REASON_CHECKSUM_MISMATCH
            assert caught.value.metadata["offset"] == str(block * MIB)
        else:
            assert result.read_checked(block * MIB + 7, 9) == DATA[7:16]
    result.close()


@pytest.mark.parametrize("size", [0, 5, MIB, len(DATA) + 1, len(DATA) + len(MESSAGE) + 3, -1])
async def test_a_torn_file_is_data_loss(stored: Any, size: int) -> None:
    store, path = stored
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ServiceError) as caught:
        await store.open_result("job00001")
    assert caught.value.reason == reasons.ERROR_REASON_CHECKSUM_MISMATCH


async def test_a_damaged_message_is_data_loss(stored: Any) -> None:
    store, path = stored
    data = bytearray(path.read_bytes())
    data[len(DATA) + 9] ^= 1
    path.write_bytes(data)
    with pytest.raises(ServiceError) as caught:
        await store.open_result("job00001")
    assert caught.value.reason == reasons.ERROR_REASON_CHECKSUM_MISMATCH


SYNCS = """
import os, queue, sys
from pathlib import Path
from basicaer.service.errors import StoreBusyError
from basicaer.service.store import InsertJob, SQLiteStore
from tests.chaos.faults import fail_syncs

committed = queue.SimpleQueue()
store = SQLiteStore(Path(sys.argv[1]))
store.open(lambda writes: [committed.put(write) for write in writes])

def insert(number):
    store.write(InsertJob(job_id=f"job{number}", principal="", request_id=None, request_hash=b"", labels={},
                          backend_name="x", create_time=number, status=2, job=b"", events=b"", spec=b""))
    return committed.get(timeout=60).error

assert insert(1) is None
fail_syncs()
assert isinstance(insert(2), StoreBusyError)
try:
    store.stage_result("job1", 1, [b""], [memoryview(b"part")])
except StoreBusyError:
    os._exit(0)
"""


def test_a_failed_sync_is_a_failed_commit(tmp_path: Path, open_store: Any) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SYNCS, str(tmp_path / "data")],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "job1" in [record.job_id for record in open_store(tmp_path / "data").store.live_jobs()]
    assert not list((tmp_path / "data" / "results").iterdir())
