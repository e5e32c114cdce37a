"""What the executor takes for variational steps, and for sweeps of many rows: `python -m benchmarks.sweeps`.

The times are of the processor and not of the clock, the least of several rounds.
"""

from __future__ import annotations

import random
import tempfile
from functools import partial
from pathlib import Path

from basicaer.client import Circuit, Observable, Program
from basicaer.service.config import Config
from basicaer.service.execution import ThreadExecutor
from basicaer.v1 import job_pb2

from benchmarks.execution import report, spec_of

QUBITS = 12
LAYERS = 4
PRODUCTS = 100
ROWS = 1000
# How often a step is done in a round.
STEPS = 100


def ansatz(num_qubits: int, layers: int) -> Circuit:
    """Layers of ry and rz on each qubit, with an input each, and a chain of cx."""
    circuit = Circuit(num_qubits)
    for layer in range(layers):
        for qubit in range(num_qubits):
            circuit.ry(circuit.add_input(f"y{layer}.{qubit}"), qubit)
            circuit.rz(circuit.add_input(f"z{layer}.{qubit}"), qubit)
        for qubit in range(num_qubits - 1):
            circuit.cx(qubit, qubit + 1)
    return circuit


def observable(num_qubits: int, letters: str) -> Observable:
    """Return a sum of random products of some letters."""
    source = random.Random(1)
    return {"".join(source.choices(letters, k=num_qubits)): source.uniform(-1, 1) for _ in range(PRODUCTS)}


def sweep(circuit: Circuit, rows: int, *observables: Observable) -> job_pb2.Program:
    """Return a program of random values for the circuit's inputs."""
    source = random.Random(2)
    inputs = {variable.name: [source.uniform(-3, 3) for _ in range(rows)] for variable in circuit.variables}
    return Program(circuit, inputs, observables).to_message()


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        executor = ThreadExecutor(Config(data_dir=Path(folder)))
    executor.warm_up()

    def prepare(spec: job_pb2.JobSpec, _: int) -> None:
        executor.prepare(spec)

    def run(spec: job_pb2.JobSpec, _: int) -> None:
        prepared = executor.prepare(spec)
        executor.execute(prepared, prepared.new_control(), job_id="benchmark")

    circuit, small = ansatz(QUBITS, LAYERS), ansatz(4, 1)
    step = f"a step of {2 * QUBITS * LAYERS} values, {PRODUCTS}"
    rows = f"{ROWS:,} rows of 4 qubits,"
    for name, times, program in (
        (f"{step} random products", STEPS, sweep(circuit, 1, observable(QUBITS, "IXYZ"))),
        (f"{step} diagonal products", STEPS, sweep(circuit, 1, observable(QUBITS, "IZ"))),
        (f"{rows} estimated", 1, sweep(small, ROWS, observable(4, "IXYZ"))),
        (f"{rows} 1,024 shots", 1, sweep(small.measure_all(), ROWS)),
    ):
        spec = spec_of(program)
        report(name, times, partial(run, spec))
        report("  checked alone", times, partial(prepare, spec))


if __name__ == "__main__":
    main()
