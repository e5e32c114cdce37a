"""What is wrong with a text, or doubtful, as a client of the contract gets it from a server."""

from __future__ import annotations

import copy
import pickle
import uuid

import grpc
import pytest
from basicaer.client import BasicAerProvider, Circuit, Diagnostics, ProgramInvalidError
from basicaer.service.parsing import LANGUAGES
from basicaer.v1 import diagnostic_pb2, job_pb2, job_service_pb2_grpc
from basicaer.v1 import job_service_pb2 as pb
from google.rpc import error_details_pb2, status_pb2

from tests.conftest import ServerProcess

Stub = job_service_pb2_grpc.JobServiceStub

WRONG = 'OPENQASM 3.0;\ninclude "stdgates.inc";\nqubit[2] q\nh q[5];\nfoo q[0];\n'
DOUBTFUL = 'OPENQASM 3.0;\ninclude "stdgates.inc";\nqubit q; bit c;\nrx(1/2) q;\nc = measure q;\n'
# Longer than what is parsed on the spot.
LONG = "// \n" * 20_000


def spec(*texts: str, field: str = "openqasm3") -> job_pb2.JobSpec:
    programs = [LANGUAGES[field].program(text) for text in texts]
    return job_pb2.JobSpec(
        backend_name="qasm_simulator", programs=programs, options=job_pb2.RunOptions(shots=10)
    )


def refused(
    stub: Stub, asked: job_pb2.JobSpec
) -> tuple[diagnostic_pb2.Diagnostics, error_details_pb2.ErrorInfo]:
    """What the status of a refusal tells."""
    with pytest.raises(grpc.RpcError) as caught:
        stub.SubmitJob(pb.SubmitJobRequest(spec=asked, validate_only=True))
    assert isinstance(caught.value, grpc.Call)
    trailers = dict(caught.value.trailing_metadata())
    told, info = diagnostic_pb2.Diagnostics(), error_details_pb2.ErrorInfo()
    for detail in status_pb2.Status.FromString(trailers["grpc-status-details-bin"]).details:
        detail.Unpack(told)
        detail.Unpack(info)
    return told, info


@pytest.mark.parametrize("padding", ["", LONG], ids=["short", "long"])
def test_a_status_tells_all_mistakes(stub: Stub, padding: str) -> None:
    told, info = refused(stub, spec(DOUBTFUL, WRONG + padding))
    assert [(each.line, each.column, each.end_column, each.message) for each in told.diagnostics] == [
        (3, 11, 12, "expected ';' behind a declaration, not 'h'"),
        (4, 5, 6, "index 5 is out of range"),
        (5, 1, 4, "the gate 'foo' isn't declared"),
    ]
    assert {each.program_index for each in told.diagnostics} == {1}
    # As it was before there were several.
    assert dict(info.metadata) == {"program_index": "1", "line": "3", "column": "11"}


def test_a_status_tells_as_many_as_there_is_room_for(stub: Stub) -> None:
    names = [f"{'n' * 60}{number}" for number in range(40)]
    told, _ = refused(stub, spec("".join(f"{name} = {'1' * 30};\n" for name in names)))
    assert [each.line for each in told.diagnostics] == list(range(1, len(told.diagnostics) + 1))
    assert 10 < len(told.diagnostics) < 40
    assert len(told.diagnostics) + told.left_out == 40


def test_openqasm2_is_told_alike(stub: Stub) -> None:
    text = 'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[2];\ncxx q[0],q[1];\n'
    told, _ = refused(stub, spec(text, field="openqasm2"))
    (only,) = told.diagnostics
    assert (only.severity, only.line, only.column, only.end_column) == (
        diagnostic_pb2.SEVERITY_ERROR,
        4,
        1,
        4,
    )
    assert only.hint == "did you mean 'cx'?"


@pytest.mark.parametrize("padding", ["", LONG], ids=["short", "long"])
def test_a_job_keeps_its_warnings(stub: Stub, padding: str) -> None:
    asked = spec("qubit q; bit c; c = measure q;", DOUBTFUL + padding)
    checked = stub.SubmitJob(pb.SubmitJobRequest(spec=asked, validate_only=True)).job
    accepted = stub.SubmitJob(pb.SubmitJobRequest(spec=asked, request_id=uuid.uuid4().hex)).job
    stored = stub.GetJob(pb.GetJobRequest(job_id=accepted.job_id)).job
    for job in (checked, accepted, stored):
        (warning,) = job.warnings
        assert warning.severity == diagnostic_pb2.SEVERITY_WARNING
        assert (warning.program_index, warning.line, warning.column) == (1, 4, 5)
        assert warning.message == "1 / 2 divides integers, which gives 0"


def test_the_client_has_them(server: ServerProcess) -> None:
    with BasicAerProvider(server.address) as provider:
        backend = provider.get_backend("qasm_simulator")
        with pytest.raises(ProgramInvalidError) as caught:
            backend.run(WRONG)
        found = caught.value.diagnostics
        assert (caught.value.line, caught.value.column) == (3, 11)
        assert [each.line for each in found.errors] == [3, 4, 5]
        assert backend.check(WRONG) == found
        assert str(found[1]) == "4:5: error: index 5 is out of range; there are 2, from 0 on"
        assert backend.check(DOUBTFUL).warnings == list(backend.check(DOUBTFUL))
        job = backend.run(DOUBTFUL, shots=10)
        assert provider.retrieve_job(job.job_id()).warnings() == job.warnings() == backend.check(DOUBTFUL)
        assert [each.hint for each in job.warnings()] == ["write 1.0 / 2"]
        # A circuit has no text.
        with pytest.raises(ProgramInvalidError, match="can't run measure"):
            provider.get_backend("unitary_simulator").check(Circuit(1, 1).measure([0], [0]))


def test_diagnostics_are_copied_whole() -> None:
    found = Diagnostics([], left_out=3)
    assert copy.copy(found).left_out == pickle.loads(pickle.dumps(found)).left_out == 3
