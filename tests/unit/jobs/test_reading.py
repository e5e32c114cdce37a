"""Results, read in parts and ranges, from memory, from the database and from files."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import google_crc32c
import pytest
from basicaer.service.errors import ServiceError
from basicaer.service.jobs import JobManager, ResultReading
from basicaer.v1 import error_reason_pb2 as reasons
from basicaer.v1 import job_pb2, result_pb2
from basicaer.v1.job_service_pb2 import ReadResultRequest

# One that stays in memory, one that goes into the database only, one with parts in a file.
SOURCES = ["inline 1000", "inline 150000", "array 1000", "array 3000001"]


async def collect(reading: ResultReading) -> bytes:
    data = b""
    offset = None
    while (chunk := await reading.next()) is not None:
        assert chunk.crc32c == google_crc32c.value(chunk.data)
        assert offset is None or chunk.offset == offset
        offset = chunk.offset + len(chunk.data)
        data += chunk.data
    reading.close()
    return data


async def finished(manager: JobManager, tools: SimpleNamespace, text: str) -> str:
    watch = await manager.run(tools.spec(text))
    await tools.read(watch)
    return str(watch.job.job_id)


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("text", SOURCES)
async def test_every_part_reads_back(start: Any, tools: SimpleNamespace, text: str, restart: bool) -> None:
    manager = await start()
    job_id = await finished(manager, tools, text)
    if restart:
        await manager.close()
        manager = await start()
    reading = await manager.read_result(ReadResultRequest(job_id=job_id))
    header = reading.header.array
    message = await collect(reading)
    assert (header.name, header.part, header.dtype, list(header.shape)) == (
        "result",
        "result",
        "|u1",
        [len(message)],
    )
    assert (header.size_bytes, header.crc32c) == (len(message), google_crc32c.value(message))
    result = result_pb2.Result.FromString(message)
    assert result.etag == reading.header.etag
    expected = tools.array_bytes(int(text.split()[1]))
    total = len(message)
    for described in result.programs[0].arrays:
        reading = await manager.read_result(
            ReadResultRequest(job_id=job_id, part=described.part, etag=result.etag)
        )
        assert not reading.header.array.data
        assert reading.header.array.shape == described.shape
        assert await collect(reading) == expected
        total += 0 if described.data else described.size_bytes
    assert (await manager.get(job_id)).result_size_bytes == total


@pytest.mark.parametrize("text", SOURCES)
async def test_ranges(start: Any, tools: SimpleNamespace, text: str) -> None:
    manager = await start()
    job_id = await finished(manager, tools, text)
    expected = tools.array_bytes(int(text.split()[1]))
    size = len(expected)
    for offset, limit, chunk in ((0, 10, 3), (7, 0, 0), (size - 1, 5, 1), (size, 0, 0), (1, size, 777_777)):
        request = ReadResultRequest(
            job_id=job_id, part="0/second", read_offset=offset, read_limit=limit, chunk_size=chunk
        )
        assert await collect(await manager.read_result(request)) == expected[offset:][: limit or size]
    for request, reason in (
        (ReadResultRequest(read_offset=size + 1), reasons.ERROR_REASON_READ_OFFSET_OUT_OF_RANGE),
        (ReadResultRequest(chunk_size=(3 << 20) + 1), reasons.ERROR_REASON_OPTION_INVALID),
        (ReadResultRequest(etag="other"), reasons.ERROR_REASON_ETAG_MISMATCH),
    ):
        request.job_id, request.part = job_id, "0/second"
        with pytest.raises(ServiceError) as caught:
            await manager.read_result(request)
        assert caught.value.reason == reason
    with pytest.raises(ServiceError) as caught:
        await manager.read_result(ReadResultRequest(job_id=job_id, part="0/third"))
    assert caught.value.reason == reasons.ERROR_REASON_PART_NOT_FOUND
    assert caught.value.metadata["available"] == "result, 0/first, 0/second"


async def test_chunks_have_the_asked_size(start: Any, tools: SimpleNamespace) -> None:
    manager = await start()
    job_id = await finished(manager, tools, "array 3000001")
    reading = await manager.read_result(ReadResultRequest(job_id=job_id, part="0/first"))
    sizes = []
    while (chunk := await reading.next()) is not None:
        sizes.append(len(chunk.data))
    reading.close()
    assert sizes == [1 << 20, 1 << 20, 3000001 - (2 << 20)]


async def test_not_ready_and_none(start: Any, tools: SimpleNamespace) -> None:
    manager = await start()
    job, _ = await manager.submit(tools.spec("hold x"))
    await tools.until(manager, job.job_id, job_pb2.JOB_STATUS_RUNNING)
    with pytest.raises(ServiceError) as caught:
        await manager.read_result(ReadResultRequest(job_id=job.job_id))
    assert caught.value.reason == reasons.ERROR_REASON_RESULT_NOT_READY
    assert caught.value.metadata["status"] == "RUNNING"
    await manager.cancel(job.job_id)
    await tools.until(manager, job.job_id)
    with pytest.raises(ServiceError) as caught:
        await manager.read_result(ReadResultRequest(job_id=job.job_id))
    assert caught.value.reason == reasons.ERROR_REASON_RESULT_UNAVAILABLE
    assert caught.value.metadata["status"] == "CANCELLED"


@pytest.mark.embedded
async def test_damage_is_found(start: Any, tools: SimpleNamespace, tmp_path: Path) -> None:
    manager = await start()
    job_id = await finished(manager, tools, "array 3000001")
    (file,) = (tmp_path / "data" / "results").iterdir()
    with file.open("r+b") as stream:
        stream.seek(2_000_000)
        stream.write(b"\xff\x00\xff")
    reading = await manager.read_result(ReadResultRequest(job_id=job_id, part="0/first"))
    with pytest.raises(ServiceError) as caught:
        await collect(reading)
    assert caught.value.reason == reasons.ERROR_REASON_CHECKSUM_MISMATCH
    await collect(await manager.read_result(ReadResultRequest(job_id=job_id, part="0/second")))
    # A range is never answered wrong either, though its part's checksum says nothing about it.
    for offset, damaged in ((0, False), (1_999_000, True), (2_500_000, False)):
        request = ReadResultRequest(job_id=job_id, part="0/first", read_offset=offset, read_limit=2_000)
        reading = await manager.read_result(request)
        if not damaged:
            assert await collect(reading) == tools.array_bytes(3000001)[offset : offset + 2_000]
            continue
        with pytest.raises(ServiceError) as caught:
            await collect(reading)
        assert caught.value.reason == reasons.ERROR_REASON_CHECKSUM_MISMATCH
    with file.open("r+b") as stream:
        stream.truncate(5_000_000)
    with pytest.raises(ServiceError) as caught:
        await manager.read_result(ReadResultRequest(job_id=job_id, part="0/second"))
    assert caught.value.reason == reasons.ERROR_REASON_CHECKSUM_MISMATCH
    file.unlink()
    with pytest.raises(ServiceError) as caught:
        await manager.read_result(ReadResultRequest(job_id=job_id, part="0/first"))
    assert caught.value.reason == reasons.ERROR_REASON_CHECKSUM_MISMATCH


@pytest.mark.embedded
async def test_a_reading_outlives_its_result(start: Any, tools: SimpleNamespace, tmp_path: Path) -> None:
    manager = await start()
    job_id = await finished(manager, tools, "array 3000001")
    reading = await manager.read_result(ReadResultRequest(job_id=job_id, part="0/first"))
    first = await reading.next()
    assert first is not None
    await manager.delete(job_id)
    assert not list((tmp_path / "data" / "results").iterdir())
    assert first.data + await collect(reading) == tools.array_bytes(3000001)


@pytest.mark.embedded
async def test_closing_in_the_middle_gives_the_file_back(
    start: Any, tools: SimpleNamespace, tmp_path: Path
) -> None:
    manager = await start()
    job_id = await finished(manager, tools, "array 3000001")
    (file,) = (tmp_path / "data" / "results").iterdir()

    def is_open() -> bool:
        return any(link.resolve() == file for link in Path("/proc/self/fd").iterdir() if link.exists())

    readings = [
        await manager.read_result(ReadResultRequest(job_id=job_id, part="0/first")) for _ in range(20)
    ]
    for reading in readings:
        await reading.next()
    assert is_open()
    for reading in readings:
        reading.close()
    # Those that read ahead give it back when that has ended; the manager's readers end before close returns.
    await manager.close()
    assert not is_open()
