"""Every RPC of the contract, from outside: a live server, and nothing but the generated stubs."""

from __future__ import annotations

import uuid

import grpc
import numpy as np
import pytest
from basicaer.v1 import job_pb2, job_service_pb2_grpc, result_pb2
from basicaer.v1 import job_service_pb2 as pb

from tests.conftest import ServerProcess
from tests.integration.conftest import Wire

Stub = job_service_pb2_grpc.JobServiceStub


def test_submit_answers_with_the_accepted_job(stub: Stub, wire: Wire) -> None:
    spec = wire.bell(shots=100, seed_simulator=1)
    spec.labels["team"] = "edge"
    spec.metadata.update({"note": "first"})
    response = stub.SubmitJob(pb.SubmitJobRequest(spec=spec, request_id=str(uuid.uuid4())))
    job = response.job
    assert not response.duplicate
    assert job.job_id
    assert (job.status, job.sequence) == (job_pb2.JOB_STATUS_QUEUED, 1)
    assert (job.num_programs, job.shots) == (1, 100)
    assert dict(job.labels) == {"team": "edge"}
    assert job.metadata["note"] == "first"
    assert job.required_bytes > 0
    assert wire.wait_final(stub, job.job_id).status == job_pb2.JOB_STATUS_DONE


def test_a_small_job_is_told_briefly_in_one_message(stub: Stub, wire: Wire) -> None:
    wire.run(stub, wire.bell())  # what the first one compiles or loads isn't small
    request = pb.RunJobRequest(spec=wire.bell(shots=1000, seed_simulator=7), request_id=uuid.uuid4().hex)
    request.brief = True
    (message,) = stub.RunJob(request)
    assert (message.job.status, message.job.sequence) == (job_pb2.JOB_STATUS_DONE, 3)
    assert message.job == stub.GetJob(pb.GetJobRequest(job_id=message.job.job_id)).job
    assert message.event.sequence == 3
    assert message.event.status.status == job_pb2.JOB_STATUS_DONE
    assert sum(message.result.programs[0].counts.counts) == 1000
    assert not message.duplicate
    # All that it went through is there for who asks.
    watched = list(stub.WatchJob(pb.WatchJobRequest(job_id=message.job.job_id, after_sequence=0)))
    assert wire.statuses(watched) == ["QUEUED", "RUNNING", "DONE"]
    (again,) = stub.RunJob(request)
    assert again.duplicate
    message.duplicate = True
    assert again == message


def test_a_long_job_is_streamed_although_brief(stub: Stub, wire: Wire) -> None:
    stream = stub.RunJob(pb.RunJobRequest(spec=wire.endless(), brief=True))
    job = next(stream).job
    assert job.status == job_pb2.JOB_STATUS_QUEUED
    stub.CancelJob(pb.CancelJobRequest(job_id=job.job_id))
    *_, last = stream
    assert last.event.status.status == job_pb2.JOB_STATUS_CANCELLED


def test_a_refusal_is_one_although_brief(stub: Stub, wire: Wire) -> None:
    with wire.fails() as failure:
        list(stub.RunJob(pb.RunJobRequest(spec=job_pb2.JobSpec(backend_name="none"), brief=True)))
    assert failure.code is grpc.StatusCode.NOT_FOUND


def test_a_watch_of_an_ended_job_is_its_snapshot_alone(stub: Stub, wire: Wire) -> None:
    job = wire.run(stub, wire.bell())[0].job
    (message,) = stub.WatchJob(pb.WatchJobRequest(job_id=job.job_id))
    assert message.job.status == job_pb2.JOB_STATUS_DONE
    assert not message.HasField("event")


def test_the_same_request_id_gives_the_same_job(stub: Stub, wire: Wire) -> None:
    request = pb.SubmitJobRequest(spec=wire.bell(), request_id=str(uuid.uuid4()))
    first, second = stub.SubmitJob(request), stub.SubmitJob(request)
    assert second.duplicate
    assert first.job.job_id == second.job.job_id


def test_validate_only_stores_nothing(stub: Stub, wire: Wire) -> None:
    spec = wire.bell()
    spec.labels["only"] = (label := uuid.uuid4().hex)
    job = stub.SubmitJob(pb.SubmitJobRequest(spec=spec, validate_only=True)).job
    assert job.job_id == ""
    assert job.required_bytes > 0
    assert not stub.ListJobs(pb.ListJobsRequest(labels={"only": label})).jobs


def test_run_streams_the_whole_life_of_a_job(stub: Stub, wire: Wire) -> None:
    messages = wire.run(stub, wire.bell(shots=1000, seed_simulator=7))
    assert messages[0].HasField("job")
    assert not any(message.HasField("job") for message in messages[1:])
    assert wire.statuses(messages) == ["RUNNING", "DONE"]
    assert [message.event.sequence for message in messages if message.event.HasField("status")] == [2, 3]
    assert [message.HasField("result") for message in messages[:-1]] == [False] * (len(messages) - 1)
    counts = messages[-1].result.programs[0].counts
    assert list(counts.outcomes) == [0, 3]
    assert sum(counts.counts) == 1000


def test_run_again_with_the_same_request_id_tells_the_end_again(stub: Stub, wire: Wire) -> None:
    request_id = str(uuid.uuid4())
    first = wire.run(stub, wire.bell(), request_id)
    again = wire.run(stub, wire.bell(), request_id)
    assert again[0].duplicate
    assert again[0].job.job_id == first[0].job.job_id
    assert wire.statuses(again) == ["DONE"]
    assert again[-1].result == first[-1].result


@pytest.mark.parametrize(
    ("after", "expected"),
    [(None, []), (0, ["QUEUED", "RUNNING", "DONE"]), (1, ["RUNNING", "DONE"]), (2, ["DONE"]), (3, [])],
)
def test_watch_replays_what_follows_the_cursor(
    stub: Stub, wire: Wire, after: int | None, expected: list[str]
) -> None:
    job_id = wire.run(stub, wire.bell())[0].job.job_id
    messages = list(stub.WatchJob(pb.WatchJobRequest(job_id=job_id, after_sequence=after)))
    assert messages[0].job.status == job_pb2.JOB_STATUS_DONE
    assert wire.statuses(messages) == expected


def test_a_silent_watch_beats(stub: Stub, wire: Wire) -> None:
    job = wire.submit(stub, wire.endless())
    wire.wait_running(stub, job.job_id)
    beats = 0
    stream = stub.WatchJob(pb.WatchJobRequest(job_id=job.job_id, heartbeat_interval=wire.seconds(0.1)))
    for message in stream:
        if message.event.HasField("heartbeat"):
            beats += 1
            assert message.event.sequence == 2
            assert message.event.heartbeat.interval.ToTimedelta().total_seconds() >= 0.1
        if beats == 3:
            stub.CancelJob(pb.CancelJobRequest(job_id=job.job_id))
            beats += 1
    assert beats >= 4
    assert wire.wait_final(stub, job.job_id).status == job_pb2.JOB_STATUS_CANCELLED


def test_get_waits_until_the_job_moves_on(stub: Stub, wire: Wire) -> None:
    job = wire.submit(stub, wire.endless())
    wire.wait_running(stub, job.job_id)
    waiting = stub.GetJob.future(
        pb.GetJobRequest(job_id=job.job_id, wait=wire.seconds(30), if_sequence_after=2)
    )
    stub.CancelJob(pb.CancelJobRequest(job_id=job.job_id, reason="enough"))
    found = waiting.result(timeout=30).job
    assert (found.status, found.sequence) == (job_pb2.JOB_STATUS_CANCELLED, 3)
    assert found.error.metadata["reason"] == "enough"


def test_get_returns_at_once_when_the_wait_is_over(stub: Stub, wire: Wire) -> None:
    job = wire.submit(stub, wire.endless())
    wire.wait_running(stub, job.job_id)
    request = pb.GetJobRequest(job_id=job.job_id, wait=wire.seconds(0.05), if_sequence_after=2)
    assert stub.GetJob(request).job.status == job_pb2.JOB_STATUS_RUNNING
    stub.CancelJob(pb.CancelJobRequest(job_id=job.job_id))


def test_list_pages_newest_first_and_filters(stub: Stub, wire: Wire) -> None:
    label = uuid.uuid4().hex
    made = []
    for number in range(5):
        spec = wire.bell()
        spec.labels.update({"batch": label, "number": str(number)})
        made.append(wire.run(stub, spec)[0].job.job_id)
    found: list[str] = []
    request = pb.ListJobsRequest(page_size=2, labels={"batch": label})
    pages = 0
    while True:
        page = stub.ListJobs(request)
        pages += 1
        found += [job.job_id for job in page.jobs]
        request.page_token = page.next_page_token
        if not page.next_page_token:
            break
    assert found == made[::-1]
    assert pages == 3
    one = stub.ListJobs(pb.ListJobsRequest(labels={"batch": label, "number": "3"}))
    assert [job.job_id for job in one.jobs] == [made[3]]
    none = stub.ListJobs(pb.ListJobsRequest(labels={"batch": label}, statuses=[job_pb2.JOB_STATUS_ERROR]))
    assert not none.jobs
    other = stub.ListJobs(pb.ListJobsRequest(labels={"batch": label}, backend_name="unitary_simulator"))
    assert not other.jobs


def test_cancel_is_idempotent(stub: Stub, wire: Wire) -> None:
    job = wire.submit(stub, wire.endless())
    wire.wait_running(stub, job.job_id)
    answer = stub.CancelJob(pb.CancelJobRequest(job_id=job.job_id)).job
    assert answer.cancel_requested
    final = wire.wait_final(stub, job.job_id)
    assert final.status == job_pb2.JOB_STATUS_CANCELLED
    assert stub.CancelJob(pb.CancelJobRequest(job_id=job.job_id)).job.status == final.status


def test_cancel_leaves_a_final_job_as_it_is(stub: Stub, wire: Wire) -> None:
    job_id = wire.run(stub, wire.bell())[0].job.job_id
    job = stub.CancelJob(pb.CancelJobRequest(job_id=job_id)).job
    assert job.status == job_pb2.JOB_STATUS_DONE
    assert not job.cancel_requested


def test_delete_removes_the_job(stub: Stub, wire: Wire) -> None:
    job_id = wire.run(stub, wire.bell())[0].job.job_id
    stub.DeleteJob(pb.DeleteJobRequest(job_id=job_id))
    with wire.fails() as failure:
        stub.GetJob(pb.GetJobRequest(job_id=job_id))
    assert failure.reason == "JOB_NOT_FOUND"


def test_a_small_result_is_read_as_one_message(stub: Stub, wire: Wire) -> None:
    messages = wire.run(stub, wire.bell())
    stream = list(stub.ReadResult(pb.ReadResultRequest(job_id=messages[0].job.job_id)))
    header = stream[0].header
    assert header.array.dtype == "|u1"
    data = b"".join(message.chunk.data for message in stream[1:])
    assert len(data) == header.array.size_bytes
    assert result_pb2.Result.FromString(data) == messages[-1].result


def test_a_state_is_read_in_chunks_from_any_offset(stub: Stub, wire: Wire) -> None:
    qubits = 17
    messages = wire.run(stub, wire.state(qubits))
    job_id = messages[0].job.job_id
    # More than 256 KiB are read apart, though the last message may describe them.
    assert not any(array.data for program in messages[-1].result.programs for array in program.arrays)
    read = pb.ReadResultRequest(job_id=job_id, part="0/statevector")
    header, *chunks = list(stub.ReadResult(read))
    array = header.header.array
    assert (array.dtype, list(array.shape), array.size_bytes) == ("<c16", [2**qubits], 16 * 2**qubits)
    assert [message.chunk.offset for message in chunks] == [0, 1 << 20]
    data = b"".join(message.chunk.data for message in chunks)
    assert np.allclose(np.frombuffer(data, "<c16"), 2 ** (-qubits / 2))

    read.read_offset, read.read_limit, read.chunk_size = 1000, 100_000, 4096
    read.etag = header.header.etag
    _, *chunks = list(stub.ReadResult(read))
    assert {len(message.chunk.data) for message in chunks[:-1]} == {4096}
    assert b"".join(message.chunk.data for message in chunks) == data[1000:101_000]


def test_an_empty_range_gives_the_header_alone(stub: Stub, wire: Wire) -> None:
    job_id = wire.run(stub, wire.bell())[0].job.job_id
    header = next(iter(stub.ReadResult(pb.ReadResultRequest(job_id=job_id)))).header
    request = pb.ReadResultRequest(job_id=job_id, read_offset=header.array.size_bytes)
    assert len(list(stub.ReadResult(request))) == 1


def test_server_info_tells_version_limits_and_load(server: ServerProcess, stub: Stub, wire: Wire) -> None:
    info = stub.GetServerInfo(pb.GetServerInfoRequest())
    assert info.version
    assert info.start_time.seconds > 0
    assert info.workers > 0
    assert info.limits.max_inline_result_bytes == 256 * 1024
    assert info.limits.max_memory_bytes > 0
    assert info.limits.result_retention.seconds > 0
    job = wire.submit(stub, wire.endless())
    wire.wait_running(stub, job.job_id)
    assert stub.GetServerInfo(pb.GetServerInfoRequest()).running_jobs >= 1
    stub.CancelJob(pb.CancelJobRequest(job_id=job.job_id))


def test_backends_come_by_name_with_gates_and_options(stub: Stub) -> None:
    backends = stub.ListBackends(pb.ListBackendsRequest()).backends
    names = [backend.name for backend in backends]
    assert names == [
        "basic_simulator",
        "qasm_simulator",
        "statevector_simulator",
        "unitary_simulator",
    ]
    for backend in backends:
        assert {"h", "cx", "ccx", "u", "rz"} <= {gate.name for gate in backend.gates}
        assert backend.options
        assert backend.max_qubits >= 10
        assert backend.description
