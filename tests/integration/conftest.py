"""What integration tests share: specs, and errors as callers of any language see them."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from basicaer.v1 import circuit_pb2, job_pb2, job_service_pb2, job_service_pb2_grpc
from google.protobuf import duration_pb2
from google.rpc import error_details_pb2, status_pb2

from tests.conftest import ServerProcess

COMMAND = [sys.executable, "-m", "basicaer.service.cli"]
EXAMPLES = Path(__file__).parents[2] / "examples" / "shell"
BELL = """OPENQASM 2.0;
include "qelib1.inc";
qreg q[2];
creg c[2];
h q[0];
cx q[0], q[1];
measure q -> c;
"""


# Takes a parser process half a minute.
LONG = BELL + "gate own(t) a { rz(t) a; x a; }\n" + "".join(f"own({n}) q[0];\n" for n in range(500_000))


@dataclass
class Failure:
    """A failed call: the code, and what its details say. Filled in when `Wire.fails` is left."""

    code: grpc.StatusCode = grpc.StatusCode.OK
    message: str = ""
    reason: str = ""
    metadata: dict[str, str] | None = None
    fields: tuple[str, ...] = ()
    retry_after: float | None = None
    details_size: int = 0


class Wire:
    """Makes requests and reads failures."""

    @staticmethod
    def bell(**options: Any) -> job_pb2.JobSpec:
        """A Bell pair as a packed circuit."""
        circuit = circuit_pb2.Circuit(
            name="bell",
            num_qubits=2,
            num_clbits=2,
            operations=[circuit_pb2.Operation(name=name) for name in ("h", "cx", "measure")],
            body=circuit_pb2.Block(operations=[0, 1, 2, 2], qubits=[0, 0, 1, 0, 1], clbits=[0, 1]),
        )
        return Wire._spec(job_pb2.Program(circuit=circuit), options)

    @staticmethod
    def qasm(text: str = BELL, **options: Any) -> job_pb2.JobSpec:
        """OpenQASM 2 text."""
        return Wire._spec(job_pb2.Program(openqasm2=text), options)

    @staticmethod
    def endless(qubits: int = 1, **options: Any) -> job_pb2.JobSpec:
        """A program that runs until it is cancelled."""
        forever = circuit_pb2.Expression(
            type=circuit_pb2.ClassicalType(kind=circuit_pb2.CLASSICAL_KIND_BOOL),
            literal=circuit_pb2.Literal(bool_value=True),
        )
        flips = circuit_pb2.Block(operations=[0] * qubits, qubits=range(qubits))
        loop = circuit_pb2.WhileLoop(condition=forever, body=flips)
        circuit = circuit_pb2.Circuit(
            name="endless",
            num_qubits=qubits,
            num_clbits=1,
            operations=[
                circuit_pb2.Operation(name="x"),
                circuit_pb2.Operation(name="while_loop", while_loop=loop),
                circuit_pb2.Operation(name="measure"),
            ],
            body=circuit_pb2.Block(operations=[1, 2], qubits=[0], clbits=[0]),
        )
        return Wire._spec(job_pb2.Program(circuit=circuit), {"shots": 1, **options})

    @staticmethod
    def state(qubits: int) -> job_pb2.JobSpec:
        """An even superposition, whose result is a state of 2^qubits amplitudes."""
        circuit = circuit_pb2.Circuit(
            num_qubits=qubits,
            operations=[circuit_pb2.Operation(name="h")],
            body=circuit_pb2.Block(operations=[0] * qubits, qubits=range(qubits)),
        )
        spec = Wire._spec(job_pb2.Program(circuit=circuit), {})
        spec.backend_name = "statevector_simulator"
        return spec

    @staticmethod
    def _spec(program: job_pb2.Program, options: dict[str, Any]) -> job_pb2.JobSpec:
        return job_pb2.JobSpec(
            backend_name="qasm_simulator", programs=[program], options=job_pb2.RunOptions(**options)
        )

    @staticmethod
    def until(condition: Callable[[], Any], limit: float = 60.0) -> Any:
        """What a condition gives as soon as that is something, within so many seconds."""
        deadline = time.monotonic() + limit
        while not (found := condition()):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        return found

    @staticmethod
    def wait_parsing(server: ServerProcess) -> int:
        """The server's parser process as soon as it is at a text: for longer than its start takes."""

        def busy() -> int | None:
            for process in server.parsers():
                fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
                if int(fields[11]) + int(fields[12]) > 1.5 * os.sysconf("SC_CLK_TCK"):
                    return process
            return None

        return int(Wire.until(busy))

    @staticmethod
    def seconds(number: float) -> duration_pb2.Duration:
        """A time on the wire."""
        duration = duration_pb2.Duration()
        duration.FromNanoseconds(int(number * 1e9))
        return duration

    @staticmethod
    def statuses(messages: list[Any]) -> list[str]:
        """The names of the statuses in a stream's events."""
        return [
            job_pb2.JobStatus.Name(message.event.status.status).removeprefix("JOB_STATUS_")
            for message in messages
            if message.event.HasField("status")
        ]

    @staticmethod
    @contextlib.contextmanager
    def fails() -> Iterator[Failure]:
        """A call that must fail; what is yielded then tells how it did."""
        failure = Failure()
        with pytest.raises(grpc.RpcError) as caught:
            yield failure
        error: Any = caught.value
        failure.code, failure.message = error.code(), error.details()
        trailers = dict(error.trailing_metadata() or ())
        data = trailers.get("grpc-status-details-bin", b"")
        failure.details_size = len(data)
        for detail in status_pb2.Status.FromString(data).details:
            info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
            retry = error_details_pb2.RetryInfo()
            if detail.Unpack(info):
                assert info.domain == "basicaer.dev"
                failure.reason, failure.metadata = info.reason, dict(info.metadata)
            elif detail.Unpack(bad):
                failure.fields = tuple(violation.field for violation in bad.field_violations)
            elif detail.Unpack(retry):
                failure.retry_after = retry.retry_delay.ToTimedelta().total_seconds()

    @staticmethod
    def run(
        stub: job_service_pb2_grpc.JobServiceStub, spec: job_pb2.JobSpec, request_id: str = ""
    ) -> list[job_service_pb2.RunJobResponse]:
        """All messages of RunJob."""
        return list(stub.RunJob(job_service_pb2.RunJobRequest(spec=spec, request_id=request_id)))

    @staticmethod
    def submit(stub: job_service_pb2_grpc.JobServiceStub, spec: job_pb2.JobSpec) -> job_pb2.Job:
        """An accepted job."""
        return stub.SubmitJob(job_service_pb2.SubmitJobRequest(spec=spec)).job

    @staticmethod
    def wait(
        stub: job_service_pb2_grpc.JobServiceStub, job_id: str, until: Callable[[job_pb2.Job], bool]
    ) -> job_pb2.Job:
        """The job as soon as it is as wished, by watching it."""
        job = stub.GetJob(job_service_pb2.GetJobRequest(job_id=job_id)).job
        while not until(job):
            request = job_service_pb2.GetJobRequest(
                job_id=job_id, wait=Wire.seconds(20), if_sequence_after=job.sequence
            )
            job = stub.GetJob(request).job
        return job

    @staticmethod
    def wait_running(stub: job_service_pb2_grpc.JobServiceStub, job_id: str) -> job_pb2.Job:
        """The job as soon as it runs."""
        return Wire.wait(stub, job_id, lambda job: job.status == job_pb2.JOB_STATUS_RUNNING)

    @staticmethod
    def wait_final(stub: job_service_pb2_grpc.JobServiceStub, job_id: str) -> job_pb2.Job:
        """The job as soon as it has ended."""
        final = (job_pb2.JOB_STATUS_DONE, job_pb2.JOB_STATUS_ERROR, job_pb2.JOB_STATUS_CANCELLED)
        return Wire.wait(stub, job_id, lambda job: job.status in final)


@pytest.fixture(scope="session")
def wire() -> Wire:
    """Requests and failures; see `Wire`."""
    return Wire()


@pytest.fixture
def stub(server: ServerProcess) -> Iterator[job_service_pb2_grpc.JobServiceStub]:
    """A stub of the shared server."""
    with server.stub() as made:
        yield made
