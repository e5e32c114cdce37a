"""Responses that are put together from bytes are the ones that protobuf would have made."""

from __future__ import annotations

from basicaer.service.doors.encoding import read_result_response, run_job_response, watch_job_response
from basicaer.service.jobs import PublishedEvent
from basicaer.v1 import job_pb2, result_pb2
from basicaer.v1 import job_service_pb2 as pb
from hypothesis import example, given
from hypothesis import strategies as st

EVENTS = st.builds(
    job_pb2.Event,
    sequence=st.integers(0, 2**64 - 1),
    progress=st.builds(job_pb2.Progress, fraction=st.floats(0, 1), shots_done=st.integers(0, 2**63 - 1)),
)
RESULTS = st.none() | st.builds(result_pb2.Result, job_id=st.text(max_size=200), success=st.booleans())


@given(offset=st.integers(0, 2**64 - 1), data=st.binary(max_size=300), crc32c=st.integers(0, 2**32 - 1))
@example(offset=127, data=b"", crc32c=0)
@example(offset=128, data=bytes(3 << 20), crc32c=2**32 - 1)
def test_a_chunk(offset: int, data: bytes, crc32c: int) -> None:
    message = pb.ReadResultResponse.FromString(read_result_response(offset, data, crc32c))
    assert message.WhichOneof("kind") == "chunk"
    assert message.chunk == pb.ResultChunk(offset=offset, data=data, crc32c=crc32c)


@given(event=EVENTS, result=RESULTS)
def test_an_event(event: job_pb2.Event, result: result_pb2.Result | None) -> None:
    published = PublishedEvent(event, final=False)
    encoded_result = None if result is None else result.SerializeToString()
    run = pb.RunJobResponse.FromString(run_job_response(published, encoded_result))
    assert run == pb.RunJobResponse(event=event, result=result)
    encoded = watch_job_response(published)
    assert pb.WatchJobResponse.FromString(encoded) == pb.WatchJobResponse(event=event)
    assert watch_job_response(published) is encoded
