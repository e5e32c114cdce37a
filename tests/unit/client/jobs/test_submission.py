"""A submission is made once, however often it has to be sent, and what is wrong with it is known at once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import grpc
import numpy as np
import pytest
from basicaer.client import (
    BasicAerJob,
    BasicAerProvider,
    Circuit,
    CircuitError,
    JobError,
    JobStatus,
    OptionInvalidError,
    ProgramInvalidError,
    ProgramTooLargeError,
    QueueFullError,
    ResultTooLargeError,
    ServerUnavailableError,
)
from basicaer.v1 import circuit_pb2, job_pb2, job_service_pb2

BELL = "OPENQASM 2.0; qreg q[2];"


@pytest.fixture
def backend(peer: Any, provider: BasicAerProvider) -> Any:
    """The peer's backend; the peer accepts what is submitted."""
    answer = job_service_pb2.SubmitJobResponse(job=peer.job())
    peer.on("SubmitJob", lambda request, context: answer)
    return provider.get_backend("qasm_simulator")


def test_a_retry_has_the_request_id_of_the_first_try(peer: Any, backend: Any) -> None:
    failures = [
        (grpc.StatusCode.UNAVAILABLE, "DRAINING"),
        (grpc.StatusCode.CANCELLED, ""),
        (grpc.StatusCode.UNAVAILABLE, ""),
    ]

    def submit(request: Any, context: grpc.ServicerContext) -> job_service_pb2.SubmitJobResponse:
        if failures:
            code, reason = failures.pop(0)
            peer.abort(context, code, reason=reason, retry_after=0.01)
        return job_service_pb2.SubmitJobResponse(job=peer.job(), duplicate=True)

    peer.on("SubmitJob", submit)
    assert backend.run(BELL).job_id() == "0199-job"
    ids = {request.request_id for request in peer.requests["SubmitJob"]}
    assert len(peer.requests["SubmitJob"]) == 4
    assert len(ids) == 1
    assert ids != {""}


def test_the_callers_request_id_is_kept(peer: Any, backend: Any) -> None:
    backend.run(BELL, request_id="mine")
    assert peer.requests["SubmitJob"][0].request_id == "mine"


def test_retries_end_with_the_time(peer: Any, backend: Any) -> None:
    peer.on("SubmitJob", lambda request, context: peer.abort(context, grpc.StatusCode.UNAVAILABLE, "away"))
    with pytest.raises(ServerUnavailableError, match="away"):
        backend.run(BELL, timeout=1.5)


def test_a_delay_longer_than_the_time_left_is_not_waited_for(peer: Any, backend: Any) -> None:
    peer.on(
        "SubmitJob",
        lambda request, context: peer.abort(
            context, grpc.StatusCode.UNAVAILABLE, reason="DRAINING", retry_after=60.0
        ),
    )
    with pytest.raises(ServerUnavailableError) as caught:
        backend.run(BELL, timeout=30.0)
    assert caught.value.retry_after == pytest.approx(60.0)
    assert len(peer.requests["SubmitJob"]) == 1


@pytest.mark.parametrize(
    ("code", "reason", "kind"),
    [
        (grpc.StatusCode.INVALID_ARGUMENT, "PROGRAM_INVALID", ProgramInvalidError),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "PROGRAM_TOO_LARGE", ProgramTooLargeError),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "RESULT_TOO_LARGE", ResultTooLargeError),
    ],
)
def test_a_refusal_is_raised_by_run_and_not_retried(
    peer: Any, backend: Any, code: Any, reason: str, kind: Any
) -> None:
    peer.on("SubmitJob", lambda request, context: peer.abort(context, code, reason=reason))
    with pytest.raises(kind):
        backend.run(BELL)
    assert len(peer.requests["SubmitJob"]) == 1


def test_a_full_queue_is_waited_for_as_long_as_there_is_time(peer: Any, backend: Any) -> None:
    def full(request: Any, context: Any) -> Any:
        if len(peer.requests["SubmitJob"]) < 3:
            peer.abort(context, grpc.StatusCode.RESOURCE_EXHAUSTED, reason="QUEUE_FULL", retry_after=0.01)
        return job_service_pb2.SubmitJobResponse(job=peer.job())

    peer.on("SubmitJob", full)
    assert backend.run(BELL).job_id() == "0199-job"
    assert len({request.request_id for request in peer.requests["SubmitJob"]}) == 1
    peer.on(
        "SubmitJob",
        lambda request, context: peer.abort(
            context, grpc.StatusCode.RESOURCE_EXHAUSTED, reason="QUEUE_FULL", retry_after=60.0
        ),
    )
    with pytest.raises(QueueFullError):
        backend.run(BELL, timeout=30.0)


def test_a_job_is_submitted_once(peer: Any, backend: Any) -> None:
    job = backend.new_job(BELL, shots=5, metadata={"a": [1, {"b": None}]})
    assert job.status() is JobStatus.INITIALIZING
    assert not job.in_final_state()
    with pytest.raises(JobError):
        job.job_id()
    assert not job.cancel()
    assert "SubmitJob" not in peer.requests
    job.submit()
    assert job.job_id() == "0199-job"
    with pytest.raises(JobError, match="already"):
        job.submit()
    with pytest.raises(JobError, match="already"):
        BasicAerJob(backend, "x").submit()
    assert len(peer.requests["SubmitJob"]) == 1
    assert job.metadata == {"a": [1, {"b": None}]}


def test_metadata_may_have_any_names(peer: Any, backend: Any) -> None:
    metadata = {"backend": 1, "job_id": 2, "result": 3, "self": 4}
    assert backend.run(BELL, metadata=metadata).metadata == metadata


def test_a_failed_submission_may_be_repeated_with_the_same_id(peer: Any, backend: Any) -> None:
    job = backend.new_job(BELL)
    peer.on("SubmitJob", lambda request, context: peer.abort(context, grpc.StatusCode.UNAVAILABLE))
    with pytest.raises(ServerUnavailableError):
        job.submit(timeout=1.0)
    peer.on("SubmitJob", lambda request, context: job_service_pb2.SubmitJobResponse(job=peer.job()))
    job.submit()
    assert len({request.request_id for request in peer.requests["SubmitJob"]}) == 1


def test_every_kind_of_program_is_sent(peer: Any, backend: Any) -> None:
    circuit = Circuit(1).h(0)
    message = circuit_pb2.Circuit(num_qubits=3)
    backend.run([circuit, BELL, message, job_pb2.Program(openqasm2="x")])
    programs = peer.requests["SubmitJob"][0].spec.programs
    assert programs[0].circuit == circuit.to_message()
    assert programs[1].openqasm2 == BELL
    assert programs[2].circuit.num_qubits == 3
    assert programs[3].openqasm2 == "x"
    backend.run(circuit)
    assert len(peer.requests["SubmitJob"][1].spec.programs) == 1


def test_a_qiskit_circuit_is_converted(peer: Any, backend: Any) -> None:
    qiskit = pytest.importorskip("qiskit")
    circuit = qiskit.QuantumCircuit(2, name="bell")
    circuit.h(0)
    circuit.cx(0, 1)
    backend.run(circuit)
    backend.run([circuit, circuit])
    one, two = peer.requests["SubmitJob"]
    assert [operation.name for operation in one.spec.programs[0].circuit.operations] == ["h", "cx"]
    assert len(two.spec.programs) == 2


@pytest.mark.parametrize("programs", [[], 3, [None], b"OPENQASM 2.0;", [[BELL]]])
def test_what_is_no_program_is_refused(backend: Any, programs: Any) -> None:
    with pytest.raises(CircuitError):
        backend.run(programs)


def test_options_go_onto_the_wire(peer: Any, backend: Any) -> None:
    backend.run(
        BELL,
        shots=np.int64(7),
        memory=True,
        seed_simulator=2**64 - 1,
        initial_statevector=[1, 0],
        initial_unitary=np.eye(2),
        chop_threshold=0.5,
        precision="single",
        max_parallel_threads=2,
        max_run_time=1.5,
        nodes=4,
        labels={"a": "b"},
        metadata={"n": np.int64(3), "f": 0.5, "l": [True, None]},
    )
    spec = peer.requests["SubmitJob"][0].spec
    options = spec.options
    assert (options.shots, options.memory, options.seed_simulator) == (7, True, 2**64 - 1)
    assert options.initial_statevector.data == np.array([1, 0], "<c16").tobytes()
    assert list(options.initial_unitary.shape) == [2, 2]
    assert (options.chop_threshold, options.precision) == (0.5, job_pb2.PRECISION_SINGLE)
    assert options.max_parallel_threads == 2
    assert options.max_run_time.ToMilliseconds() == 1500
    assert options.nodes == 4
    assert dict(spec.labels) == {"a": "b"}
    assert spec.metadata["n"] == 3


def test_what_is_left_out_is_left_to_the_server(peer: Any, backend: Any) -> None:
    backend.run(BELL)
    assert peer.requests["SubmitJob"][0].spec.options == job_pb2.RunOptions()


def test_the_backends_options_are_those_of_later_runs(peer: Any, backend: Any) -> None:
    backend.set_options(shots=5, memory=True)
    assert backend.options.shots == 5
    backend.run(BELL)
    backend.run(BELL, shots=6, memory=False)
    one, two = (request.spec.options for request in peer.requests["SubmitJob"])
    assert (one.shots, one.memory) == (5, True)
    assert (two.shots, two.memory) == (6, False)
    with pytest.raises(OptionInvalidError, match="shots"):
        backend.set_options(shot=5)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("shots", 2**63),
        ("shots", 1.5),
        ("shots", "many"),
        ("shots", True),
        ("seed_simulator", -1),
        ("seed_simulator", 2**64),
        ("initial_statevector", [[1, 0]]),
        ("initial_statevector", "up"),
        ("initial_unitary", [1, 0]),
        ("chop_threshold", "small"),
        ("precision", "half"),
        ("max_parallel_threads", -1),
        ("nodes", -1),
        ("nodes", 1.5),
        ("max_run_time", "long"),
        ("max_run_time", float("inf")),
        ("max_run_time", float("nan")),
    ],
)
def test_what_the_wire_cant_hold_is_refused_with_its_field(
    peer: Any, backend: Any, name: str, value: Any
) -> None:
    with pytest.raises(OptionInvalidError) as caught:
        backend.run(BELL, **{name: value})
    assert caught.value.field == f"options.{name}"
    assert caught.value.reason == "OPTION_INVALID"
    assert "SubmitJob" not in peer.requests


def test_metadata_that_cant_be_sent_stays_with_the_job(backend: Any) -> None:
    metadata = {"a": object(), "b": [1, {"c": 1j}], "d": [1, {"e": "f"}]}
    job = backend.new_job(BELL, metadata=metadata)
    assert job.metadata == metadata
    assert job._request.spec.metadata == {"d": [1, {"e": "f"}]}


def test_jobs_come_page_by_page(peer: Any, provider: BasicAerProvider) -> None:
    def page(request: Any, context: grpc.ServicerContext) -> job_service_pb2.ListJobsResponse:
        start = int(request.page_token or "0")
        jobs = [peer.job(job_id=f"job-{start + i}") for i in range(2)]
        token = str(start + 2) if start < 4 else ""
        return job_service_pb2.ListJobsResponse(jobs=jobs, next_page_token=token)

    peer.on("ListJobs", page)
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    jobs = provider.jobs(
        status=[JobStatus.QUEUED, JobStatus.ERROR],
        labels={"a": "b"},
        backend_name="qasm_simulator",
        created_after=moment,
        page_size=2,
    )
    assert next(jobs).job_id() == "job-0"
    assert len(peer.requests["ListJobs"]) == 1
    assert [job.job_id() for job in jobs] == [f"job-{i}" for i in range(1, 6)]
    for request in peer.requests["ListJobs"]:
        assert list(request.statuses) == [job_pb2.JOB_STATUS_QUEUED, job_pb2.JOB_STATUS_ERROR]
        assert dict(request.labels) == {"a": "b"}
        assert request.create_time_from.ToDatetime(tzinfo=UTC) == moment
        assert request.page_size == 2
    assert len(list(provider.jobs(limit=3))) == 3
    assert list(provider.jobs(limit=0)) == []
