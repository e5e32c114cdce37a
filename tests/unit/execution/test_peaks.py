"""No job takes more memory than it said: the peak of its process, as the kernel measures it, for specs of
every kind near the limits.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from basicaer.client import Channel, Circuit
from basicaer.v1 import circuit_pb2 as pb
from basicaer.v1 import job_pb2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.execution.measured import BUDGET

# What Python, malloc and numba's threads keep for themselves, whatever is run.
SLACK = 16 << 20
# Large blocks come from the system and go back to it at once. By itself, malloc takes them from the heap
# after some were freed, where they leave holes: what a job took would depend on those before it.
HEAP = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": str(128 << 10), "MALLOC_TRIM_THRESHOLD_": "0"}

Measure = Callable[[job_pb2.JobSpec], str]


@pytest.fixture(scope="module")
def measure() -> Iterator[Measure]:
    """Runs a spec in the other process."""
    command = [sys.executable, "-m", "tests.unit.execution.measured"]
    environment = {**os.environ, **HEAP}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        stdin, stdout = process.stdin, process.stdout

        def ask(spec: job_pb2.JobSpec) -> str:
            data = spec.SerializeToString()
            stdin.write(len(data).to_bytes(4, "little") + data)
            stdin.flush()
            return stdout.readline().decode().strip()

        yield ask
        stdin.close()


def circuit(
    qubits: int, *, measured: bool, inputs: bool, name: int, saves: Sequence[str], label: int, branched: bool
) -> pb.Circuit:
    """A layer of rotations by half a turn, what it saves, and measurements of all qubits."""
    measured |= branched
    made = pb.Circuit(name="n" * name, num_qubits=qubits, num_clbits=qubits if measured else 0)
    layer = range(qubits)
    block = pb.Block(operations=[0] * qubits, qubits=layer, parameters=[1.5707963] * qubits)
    made.operations.add(name="ry")
    if inputs:
        made.variables.add(
            name="theta", type=pb.ClassicalType(kind=pb.CLASSICAL_KIND_FLOAT, width=64), input=True
        )
        block.term_parameters.extend(layer)
        block.term_variables.extend([0] * qubits)
        block.term_factors.extend([1.0] * qubits)
    if measured:
        made.operations.add(name="measure")
        for _ in range(1 + branched):
            block.operations.extend([1] * qubits)
            block.qubits.extend(layer)
            block.clbits.extend(layer)
            if branched:
                # Shots part, since what was measured is rotated again.
                block.operations.append(0)
                block.qubits.append(0)
                block.parameters.append(1.0)
    for number, kind in enumerate(saves):
        save = pb.Save(label="s" * label + str(number))
        if kind == "expectation_value":
            save.expectation_value.CopyFrom(pb.Observable(paulis=["Z" * qubits], coefficients=[1.0]))
        else:
            getattr(save, kind).SetInParent()
        block.operations.append(len(made.operations))
        block.qubits.extend(layer)
        made.operations.add(name="save", num_qubits=qubits, save=save)
    made.body.CopyFrom(block)
    return made


@dataclass(frozen=True)
class Wanted:
    """A job of some hundred MiB, in words."""

    backend: str
    qubits: int
    shots: int
    repeated: int
    observables: int
    name: int
    saves: tuple[str, ...]
    measured: bool
    inputs: bool
    branched: bool
    memory: bool
    single: bool

    def spec(self) -> job_pb2.JobSpec:
        """The job itself."""
        estimated = self.observables > 0
        program = job_pb2.Program(
            circuit=circuit(
                self.qubits,
                measured=self.measured,
                inputs=self.inputs,
                name=self.name,
                saves=() if estimated else self.saves,
                label=100,
                branched=self.branched and not estimated,
            )
        )
        if self.inputs:
            program.inputs.CopyFrom(job_pb2.Inputs(names=["theta"], values=[1.5] * self.repeated))
        if estimated:
            program.estimation.observables.extend(
                pb.Observable(paulis=["Z" * self.qubits], coefficients=[1.0]) for _ in range(self.observables)
            )
        return job_pb2.JobSpec(
            backend_name=self.backend,
            programs=[program] * (1 if self.inputs else self.repeated),
            options=job_pb2.RunOptions(
                shots=min(self.shots, 100) if self.branched else self.shots,
                memory=self.memory,
                seed_simulator=1,
                precision=job_pb2.PRECISION_SINGLE if self.single else job_pb2.PRECISION_DOUBLE,
            ),
        )


JOBS = st.builds(
    Wanted,
    backend=st.sampled_from(("qasm_simulator", "statevector_simulator")),
    qubits=st.integers(1, 20),
    shots=st.sampled_from((1, 1_000, 1_000_000)),
    repeated=st.sampled_from((1, 3, 30, 300)),
    observables=st.sampled_from((0, 0, 1, 200)),
    name=st.sampled_from((1, 1_000, 200_000)),
    saves=st.lists(st.sampled_from(("statevector", "probabilities", "expectation_value")), max_size=2).map(
        tuple
    ),
    measured=st.booleans(),
    inputs=st.booleans(),
    branched=st.booleans(),
    memory=st.booleans(),
    single=st.booleans(),
)


def plain(qubits: int, **fields: Any) -> pb.Circuit:
    """A circuit without anything special but for what is given."""
    nothing = {"measured": True, "inputs": False, "name": 1, "saves": [], "label": 1, "branched": False}
    return circuit(qubits, **{**nothing, **fields})


def sweep(rows: int, made: pb.Circuit, **options: Any) -> job_pb2.JobSpec:
    """A program for so many rows of inputs."""
    program = job_pb2.Program(circuit=made, inputs=job_pb2.Inputs(names=["theta"], values=[1.5] * rows))
    return job_pb2.JobSpec(
        backend_name="qasm_simulator", programs=[program], options=job_pb2.RunOptions(**options)
    )


def batch(programs: int, made: pb.Circuit, **options: Any) -> job_pb2.JobSpec:
    """The same circuit many times."""
    return job_pb2.JobSpec(
        backend_name="qasm_simulator",
        programs=[job_pb2.Program(circuit=made)] * programs,
        options=job_pb2.RunOptions(**options),
    )


def named(programs: int, name: int, **options: Any) -> job_pb2.JobSpec:
    """Programs that differ by their names alone, so that each is checked and compiled for itself."""
    spec = batch(0, plain(5), **options)
    for number in range(programs):
        spec.programs.add(circuit=plain(5)).circuit.name = f"{number:0{name}}"
    return spec


def metadata(made: pb.Circuit, entries: int) -> pb.Circuit:
    """The circuit with many small facts, which take 20 times their bytes as messages."""
    made.metadata.update({f"{number}": number for number in range(entries)})
    return made


def noisy(places: int, probability: float, shots: int) -> job_pb2.JobSpec:
    """A job whose shots have errors that are drawn beforehand."""
    flip = Channel.pauli({"I": 1.0 - probability, "X": probability})
    made = Circuit(4, 4)
    for place in range(places):
        made.ry(0.5, place % 4).channel(flip, place % 4)
    return batch(1, made.measure(range(4), range(4)).to_message(), shots=shots)


EXAMPLES = (
    noisy(8, 0.5, 200_000),
    noisy(100, 0.3, 3_000),
    sweep(200, plain(1, inputs=True, name=1 << 20), shots=1),
    sweep(3_000, plain(1, inputs=True, name=1 << 20), shots=1),
    sweep(200, metadata(plain(1, inputs=True), 50_000), shots=1),
    sweep(300, plain(2, inputs=True, saves=["probabilities"], label=100), shots=1),
    sweep(20, plain(18, inputs=True), shots=200_000, memory=True),
    batch(20, plain(20), shots=1_000_000),
    batch(1_000, plain(12), shots=10_000),
    batch(1, plain(70), shots=1_000),
    named(1_000, 20, shots=1),
    named(300, 200_000, shots=1_000),
)


@pytest.mark.parametrize("spec", EXAMPLES, ids=range(len(EXAMPLES)))
def test_what_took_more_than_it_said(measure: Measure, spec: job_pb2.JobSpec) -> None:
    check(measure(spec))


@settings(
    max_examples=12,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(wanted=JOBS)
def test_no_job_takes_more_than_it_says(measure: Measure, wanted: Wanted) -> None:
    check(measure(wanted.spec()))


def check(answer: str) -> None:
    assert answer
    if answer.startswith("refused"):
        return
    needed, taken = map(int, answer.split())
    assert needed <= BUDGET
    assert taken <= needed + SLACK
