"""What the clients submit, each with the one result that its seed gives."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from basicaer.client import Circuit
from basicaer.service.config import Config
from basicaer.service.execution import ThreadExecutor
from basicaer.v1 import job_pb2, result_pb2

from tests.integration.conftest import Wire
from tests.outcomes import whole

__all__ = ["Program", "endless", "essence", "programs"]

_SEEDS = 4
# Amplitudes that don't fit in a message: the result's array lies in a file.
_FILE_QUBITS = 15


@dataclass(frozen=True)
class Program:
    """A spec, and what its result must hold. `weight` is how often it is chosen."""

    name: str
    spec: job_pb2.JobSpec
    weight: int
    expected: tuple[Any, ...] = ()
    parts: tuple[str, ...] = field(default=())


def essence(result: result_pb2.Result) -> tuple[Any, ...]:
    """What of a result depends on program and seed alone."""
    return tuple(
        (
            tuple(zip(program.counts.outcomes, program.counts.counts, strict=True)),
            tuple((array.part, array.size_bytes, array.crc32c) for array in program.arrays),
        )
        for program in result.programs
    )


def endless() -> job_pb2.JobSpec:
    """A job that ends by its cancellation alone."""
    return Wire.endless(seed_simulator=1)


def _ghz(qubits: int) -> str:
    lines = ["OPENQASM 2.0;", 'include "qelib1.inc";', f"qreg q[{qubits}];", f"creg c[{qubits}];", "h q[0];"]
    lines += [f"cx q[{n}],q[{n + 1}];" for n in range(qubits - 1)]
    return "\n".join([*lines, "measure q -> c;"])


def _slow() -> Circuit:
    """Shots that are run one by one: it takes a while, so it is often RUNNING when its server dies."""
    circuit = Circuit(8, 8)
    for _ in range(3):
        for qubit in range(8):
            circuit.h(qubit)
            circuit.measure(qubit, qubit)
            circuit.reset(qubit)
    return circuit


def _several(seed: int) -> job_pb2.JobSpec:
    spec = Wire.bell(seed_simulator=seed, shots=100)
    for qubits in (3, 4):
        spec.programs.add(openqasm2=_ghz(qubits))
    return spec


def _of_circuit(circuit: Circuit, **options: Any) -> job_pb2.JobSpec:
    spec = Wire.bell(**options)
    spec.programs[0].circuit.CopyFrom(circuit.to_message())
    return spec


def programs() -> list[Program]:
    """All programs, each run once by itself, without a server, to know its result."""
    kinds = (
        ("bell", 60, partial(Wire.bell, shots=200)),
        ("ghz", 12, partial(Wire.qasm, _ghz(5), shots=100)),
        ("several", 6, None),
        ("slow", 4, partial(_of_circuit, _slow(), shots=100)),
    )
    made = []
    for seed in range(_SEEDS):
        for name, weight, make in kinds:
            spec = make(seed_simulator=seed) if make else _several(seed)
            made.append(Program(f"{name}-{seed}", spec, weight))
    made.append(Program("state", Wire.state(_FILE_QUBITS), 4))
    with tempfile.TemporaryDirectory() as directory:
        executor = ThreadExecutor(Config(data_dir=Path(directory)))
        return [_run(executor, program) for program in made]


def _run(executor: ThreadExecutor, program: Program) -> Program:
    prepared = executor.prepare(program.spec)
    outcome = whole(executor.execute(prepared, prepared.new_control(), job_id=program.name))
    assert outcome.result is not None
    parts = tuple(part.part for part in outcome.parts)
    return Program(program.name, program.spec, program.weight, essence(outcome.result), parts)
