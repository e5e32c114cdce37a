"""Results arrive whole and undamaged, however often the stream breaks."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import grpc
import numpy as np
import pytest
from basicaer.client import (
    AsyncBasicAerProvider,
    BasicAerJob,
    BasicAerProvider,
    ChecksumError,
    JobTimeoutError,
    ProtocolError,
    ResultError,
    ResultExpiredError,
)
from basicaer.client.transport._chunks import Download, split_chunk
from basicaer.client.transport._retry import Deadline
from basicaer.v1 import job_pb2, job_service_pb2, result_pb2
from hypothesis import given
from hypothesis import strategies as st

STATE = np.exp(1j * np.arange(1 << 15)) / 2**7.5
Chunks = Iterator[job_service_pb2.ReadResultResponse]


def message(*arrays: result_pb2.Array) -> bytes:
    """A result with one program of these arrays."""
    program = result_pb2.ProgramResult(status=job_pb2.JOB_STATUS_DONE, arrays=arrays)
    program.header.num_qubits = 15
    return result_pb2.Result(success=True, programs=[program]).SerializeToString()


LARGE = result_pb2.Array(
    name="statevector", part="0/statevector", dtype="<c16", shape=[STATE.size], size_bytes=STATE.nbytes
)


@pytest.fixture
def job(peer: Any, provider: BasicAerProvider) -> BasicAerJob:
    """A job of the peer that is done, with a large state."""
    peer.on("WatchJob", lambda request, context: iter([peer.first(job_pb2.JOB_STATUS_DONE, 3)]))
    peer.on("ReadResult", lambda request, context: whole(peer, request))
    return BasicAerJob(provider.get_backend("qasm_simulator"), "0199-job")


def whole(peer: Any, request: Any) -> Chunks:
    """What a sound server streams."""
    if request.part == "":
        yield from peer.part(message(LARGE), offset=request.read_offset)
    else:
        assert request.part == "0/statevector"
        yield from peer.part(STATE.tobytes(), "<c16", offset=request.read_offset)


@given(
    offset=st.integers(0, 2**64 - 1),
    data=st.binary(max_size=300),
    crc=st.integers(0, 2**32 - 1),
    before=st.binary(max_size=3),
)
def test_a_chunk_is_read_as_protobuf_reads_it(offset: int, data: bytes, crc: int, before: bytes) -> None:
    chunk = job_service_pb2.ResultChunk(offset=offset, data=data, crc32c=crc)
    raw = job_service_pb2.ReadResultResponse(chunk=chunk).SerializeToString()
    # Fields that a later server may add, one of each wire type, are passed over.
    unknown = b"\x78\x05" + b"\x7a" + bytes([len(before)]) + before + b"\x7d1234" + b"\x7912345678"
    for serialized in (raw, unknown + raw + unknown):
        found = split_chunk(serialized)
        assert found is not None
        assert (found[0], found[1].tobytes(), found[2]) == (offset, data, crc)


def test_a_header_is_no_chunk() -> None:
    header = job_service_pb2.ResultHeader(etag="x", array=result_pb2.Array(dtype="|u1"))
    assert split_chunk(job_service_pb2.ReadResultResponse(header=header).SerializeToString()) is None


@given(st.binary(min_size=1, max_size=40))
def test_random_bytes_are_refused_or_no_chunk(data: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        split_chunk(data)


def test_a_large_state_arrives(job: BasicAerJob) -> None:
    state = job.result().get_statevector()
    assert state.dtype == np.complex128
    np.testing.assert_array_equal(state, STATE)
    state[0] = 7  # writable, and the result's own
    assert job.result().get_statevector()[0] == 7


def test_arrays_can_stay_on_the_server(peer: Any, job: BasicAerJob) -> None:
    result = job.result(arrays=False)
    with pytest.raises(ResultError, match="read_array"):
        result.get_statevector()
    np.testing.assert_array_equal(job.read_array(0, "statevector"), STATE)
    with pytest.raises(ResultError, match="unitary"):
        job.read_array(0, "unitary")
    with pytest.raises(ResultError):
        job.read_array(1, "statevector")


def test_a_broken_stream_is_taken_up_where_it_stopped(peer: Any, job: BasicAerJob) -> None:
    offsets = []

    def breaks(request: Any, context: grpc.ServicerContext) -> Chunks:
        for index, response in enumerate(whole(peer, request)):
            yield response
            if request.part and index == 2:
                offsets.append((request.read_offset, request.etag))
                peer.abort(context, grpc.StatusCode.UNAVAILABLE)

    peer.on("ReadResult", breaks)
    np.testing.assert_array_equal(job.result().get_statevector(), STATE)
    assert offsets[:2] == [(0, ""), (2 << 16, "etag")]


def test_a_stream_that_ends_too_early_is_taken_up_too(peer: Any, job: BasicAerJob) -> None:
    peer.on("ReadResult", lambda request, context: iter(list(whole(peer, request))[:3]))
    np.testing.assert_array_equal(job.result().get_statevector(), STATE)


def test_a_damaged_chunk_is_asked_for_again(peer: Any, job: BasicAerJob) -> None:
    damages = [1]

    def damages_once(request: Any, context: grpc.ServicerContext) -> Chunks:
        for response in whole(peer, request):
            if request.part and response.chunk.offset == 3 << 16 and damages:
                damages.pop()
                response.chunk.data = b"\0" + response.chunk.data[1:]
            yield response

    peer.on("ReadResult", damages_once)
    np.testing.assert_array_equal(job.result().get_statevector(), STATE)
    assert [request.read_offset for request in peer.requests["ReadResult"]][1:] == [0, 3 << 16]


def test_lasting_damage_is_an_error(peer: Any, job: BasicAerJob) -> None:
    def damages(request: Any, context: grpc.ServicerContext) -> Chunks:
        for response in whole(peer, request):
            if request.part and response.HasField("chunk"):
                response.chunk.crc32c ^= 1
            yield response

    peer.on("ReadResult", damages)
    with pytest.raises(ChecksumError) as caught:
        job.result()
    assert caught.value.metadata["part"] == "0/statevector"


def test_a_whole_that_differs_from_its_checksum_is_an_error(peer: Any, job: BasicAerJob) -> None:
    def lies(request: Any, context: grpc.ServicerContext) -> Chunks:
        for response in whole(peer, request):
            if request.part and response.HasField("header"):
                response.header.array.crc32c ^= 1
            yield response

    peer.on("ReadResult", lies)
    with pytest.raises(ChecksumError):
        job.result()


def test_another_result_is_read_from_its_start(peer: Any, job: BasicAerJob) -> None:
    def changes(request: Any, context: grpc.ServicerContext) -> Chunks:
        if not request.part:
            yield from whole(peer, request)
            return
        if request.etag == "old":
            peer.abort(context, grpc.StatusCode.FAILED_PRECONDITION, reason="ETAG_MISMATCH")
        first = len([one for one in peer.requests["ReadResult"] if one.part]) == 1
        if first:
            yield from list(peer.part(bytes(STATE.nbytes), "<c16", etag="old"))[:2]
        else:
            yield from peer.part(STATE.tobytes(), "<c16", offset=request.read_offset, etag="new")

    peer.on("ReadResult", changes)
    np.testing.assert_array_equal(job.result().get_statevector(), STATE)


def test_a_chunk_out_of_its_order_is_an_error(peer: Any, job: BasicAerJob) -> None:
    def jumps(request: Any, context: grpc.ServicerContext) -> Chunks:
        responses = list(whole(peer, request))
        yield from responses if not request.part else [responses[0], responses[2]]

    peer.on("ReadResult", jumps)
    with pytest.raises(ProtocolError, match="order"):
        job.result()


def test_a_size_that_does_not_fit_the_shape_is_an_error(peer: Any, job: BasicAerJob) -> None:
    array = result_pb2.Array(dtype="<c16", shape=[2**40, 2**40], size_bytes=16)
    header = job_service_pb2.ResultHeader(array=array, etag="e")
    peer.on("ReadResult", lambda request, context: iter([job_service_pb2.ReadResultResponse(header=header)]))
    with pytest.raises(ProtocolError, match="shape"):
        job.result()


@pytest.mark.parametrize(
    "array",
    [
        result_pb2.Array(dtype="save", size_bytes=8),
        result_pb2.Array(dtype="<c16", shape=[0, 2**63]),
        result_pb2.Array(dtype="<c16", shape=[1] * 40, size_bytes=16),
        result_pb2.Array(dtype="|u1", size_bytes=2**63),
    ],
)
def test_an_array_that_cannot_be_is_an_error(peer: Any, job: BasicAerJob, array: result_pb2.Array) -> None:
    header = job_service_pb2.ResultHeader(array=array, etag="e")
    peer.on("ReadResult", lambda request, context: iter([job_service_pb2.ReadResultResponse(header=header)]))
    with pytest.raises(ProtocolError):
        job.result()


@pytest.mark.parametrize("data", [b"\xff", b"\x0a\x05"])
def test_a_header_or_a_result_that_cannot_be_read_is_an_error(
    peer: Any, job: BasicAerJob, data: bytes
) -> None:
    with pytest.raises(ProtocolError, match="can't be read"):
        Download("job", "", Deadline(None)).feed(b"\x0a" + data)
    peer.on("ReadResult", lambda request, context: peer.part(data))
    with pytest.raises(ProtocolError, match="can't be read"):
        job.result()


@pytest.mark.parametrize("dtype", ["<c16", "<c8", "<f8", "<u8"])
def test_a_large_array_of_each_type_arrives(peer: Any, job: BasicAerJob, dtype: str) -> None:
    """Probabilities and expectation values are "<f8"."""
    values = np.arange(1 << 15).astype(dtype)
    if dtype == "<f8":
        values /= values.size
    large = result_pb2.Array(name="saved", part="0/saved", dtype=dtype, shape=[values.size])
    large.size_bytes = values.nbytes
    peer.on(
        "ReadResult",
        lambda request, context: (
            peer.part(values.tobytes(), dtype) if request.part else peer.part(message(large))
        ),
    )
    found = job.result().data()["saved"]
    assert found.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(found, values)


def test_an_expired_result_is_an_error_at_once(peer: Any, job: BasicAerJob) -> None:
    peer.on(
        "ReadResult",
        lambda request, context: peer.abort(
            context, grpc.StatusCode.FAILED_PRECONDITION, reason="RESULT_EXPIRED"
        ),
    )
    with pytest.raises(ResultExpiredError):
        job.result()
    assert len(peer.requests["ReadResult"]) == 1


def test_the_deadline_holds_while_reading(peer: Any, job: BasicAerJob) -> None:
    def hangs(request: Any, context: grpc.ServicerContext) -> Chunks:
        yield next(whole(peer, request))
        peer.hang(context)

    peer.on("ReadResult", hangs)
    with pytest.raises(JobTimeoutError):
        job.result(timeout=0.5)


async def test_the_asyncio_twin_reads_the_same(peer: Any, job: BasicAerJob) -> None:
    peer.on("ReadResult", lambda request, context: iter(list(whole(peer, request))[:3]))
    peer.on("GetJob", lambda request, context: job_service_pb2.GetJobResponse(job=peer.job()))
    async with AsyncBasicAerProvider(peer.address) as provider:
        handle = await provider.retrieve_job("0199-job")
        np.testing.assert_array_equal((await handle.result()).get_statevector(), STATE)
