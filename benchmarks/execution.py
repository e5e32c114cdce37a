"""What the executor takes for a small job, and long programs: `python -m benchmarks.execution`.

The times are of the processor and not of the clock, the least of several rounds. Below 0.15 ms for "Bell,
checked and run" the service reaches its share of the bare rate.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from basicaer.client.conversion.from_qiskit import circuit_to_proto
from basicaer.service.config import Config
from basicaer.service.execution import ThreadExecutor
from basicaer.v1 import circuit_pb2, job_pb2
from qiskit import QuantumCircuit, qasm2

ROUNDS = 5
LONG = 100_000
# How often what is short is done in a round.
MANY, FEW = 1000, 200

BELL = circuit_pb2.Circuit(
    num_qubits=2,
    num_clbits=2,
    operations=[circuit_pb2.Operation(name=name) for name in ("h", "cx", "measure")],
    body=circuit_pb2.Block(operations=[0, 1, 2, 2], qubits=[0, 0, 1, 0, 1], clbits=[0, 1]),
)
BELL_TEXT = 'include "qelib1.inc"; qreg q[2]; creg c[2]; h q[0]; cx q[0],q[1]; measure q -> c;'


def long_circuit(gates: int) -> QuantumCircuit:
    """Return a random circuit of 20 qubits of h, rz and cx."""
    source = random.Random(1)
    circuit = QuantumCircuit(20, 20)
    for number in range(gates):
        first, second = source.sample(range(20), 2)
        if number % 4 == 0:
            circuit.h(first)
        elif number % 4 == 1:
            circuit.rz(source.random(), first)
        else:
            circuit.cx(first, second)
    return circuit


def report(name: str, times: int, work: Callable[[int], object]) -> None:
    """Print the processor's time of one call of `work`, which gets the number of the call."""
    best = float("inf")
    for turn in range(ROUNDS):
        started = time.process_time()
        for number in range(times):
            work(turn * times + number)
        best = min(best, (time.process_time() - started) / times)
    print(f"{name:<52} {best * 1e6:12.1f} µs", flush=True)


def spec_of(program: job_pb2.Program) -> job_pb2.JobSpec:
    """Return a job of one program with 1,024 shots."""
    return job_pb2.JobSpec(
        backend_name="qasm_simulator", programs=[program], options=job_pb2.RunOptions(shots=1024)
    )


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        executor = ThreadExecutor(Config(data_dir=Path(folder)))
    executor.warm_up()

    def named(number: int) -> job_pb2.JobSpec:
        """Return a job whose program was never seen before."""
        spec = spec_of(job_pb2.Program(circuit=BELL))
        spec.programs[0].circuit.name = str(number)
        return spec

    def run(spec: job_pb2.JobSpec) -> None:
        prepared = executor.prepare(spec)
        executor.execute(prepared, prepared.new_control(), job_id="benchmark")

    bell = spec_of(job_pb2.Program(circuit=BELL))
    prepared = executor.prepare(bell)
    report("Bell, checked and run", MANY, lambda _: run(bell))
    report("  checked, as it was before", MANY, lambda _: executor.prepare(bell))
    report("  run", MANY, lambda _: executor.execute(prepared, prepared.new_control(), job_id="benchmark"))
    report("Bell, never seen before, checked and run", FEW, lambda number: run(named(number)))
    report(
        "Bell as OpenQASM 2, never seen before, checked",
        FEW,
        lambda number: executor.prepare(spec_of(job_pb2.Program(openqasm2=f"{BELL_TEXT}//{number}"))),
    )
    circuit = long_circuit(LONG)
    message, text = circuit_to_proto(circuit), qasm2.dumps(circuit)
    report(f"{LONG:,} gates: QuantumCircuit to message", 1, lambda _: circuit_to_proto(circuit))
    report(
        f"{LONG:,} gates: message checked",
        1,
        lambda _: executor.prepare(spec_of(job_pb2.Program(circuit=message))),
    )
    report(
        f"{LONG:,} gates: OpenQASM 2 checked",
        1,
        lambda _: executor.prepare(spec_of(job_pb2.Program(openqasm2=text))),
    )
    executor.close()


if __name__ == "__main__":
    main()
