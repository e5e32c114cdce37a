"""An executor with the default settings, small circuits, and short ways to ask it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from basicaer.service.config import Config
from basicaer.service.execution import ExecutionOutcome, ThreadExecutor
from basicaer.v1 import circuit_pb2, job_pb2
from google.protobuf import json_format

from tests.outcomes import whole

GIB = 1024**3

Spec = Callable[..., job_pb2.JobSpec]
Run = Callable[..., ExecutionOutcome]


def circuit(**fields: Any) -> circuit_pb2.Circuit:
    """A circuit of two qubits and two classical bits, with fields as in JSON."""
    return json_format.ParseDict({"numQubits": 2, "numClbits": 2, **fields}, circuit_pb2.Circuit())


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(data_dir=tmp_path, max_memory_bytes=4 * GIB, max_shots=100_000)


@pytest.fixture
def executor(config: Config) -> Iterator[ThreadExecutor]:
    made = ThreadExecutor(config)
    yield made
    made.close()


@pytest.fixture
def make_spec() -> Spec:
    """`make_spec(program, ..., backend="qasm_simulator", **options)`: text is OpenQASM 2."""

    def make(
        *programs: str | circuit_pb2.Circuit, backend: str = "qasm_simulator", **options: Any
    ) -> job_pb2.JobSpec:
        return job_pb2.JobSpec(
            backend_name=backend,
            programs=[
                job_pb2.Program(openqasm2=program)
                if isinstance(program, str)
                else job_pb2.Program(circuit=program)
                for program in programs
            ],
            options=job_pb2.RunOptions(**options),
        )

    return make


@pytest.fixture
def run(executor: ThreadExecutor, make_spec: Spec) -> Run:
    """Prepares and executes what `make_spec` makes of the arguments."""

    def run_it(*programs: str | circuit_pb2.Circuit, **options: Any) -> ExecutionOutcome:
        prepared = executor.prepare(make_spec(*programs, **options))
        return whole(executor.execute(prepared, prepared.new_control(), job_id="test"))

    return run_it
