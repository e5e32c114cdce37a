"""Depolarized layers on peers whose packages are no part of this environment: qsim and qulacs.

`--packages` of the command names a folder that has them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import numpy as np
from basicaer.simulator.circuit._gate_table import GATES

from benchmarks.peers.methods._gate_lists import Gate


def _matrix(parameters: Sequence[float]) -> Any:
    return GATES["u"].matrix(*parameters)


def qsim(size: int, gates: Sequence[Gate], probability: float, shots: int, threads: int) -> Callable[[], Any]:
    """Return what has qsim run shots by trajectories, in single precision."""
    cirq, qsimcirq = import_module("cirq"), import_module("qsimcirq")
    qubits = cirq.LineQubit.range(size)
    circuit = cirq.Circuit()
    for name, places, parameters in gates:
        own = [qubits[place] for place in places]
        # As Aer has it: with this probability nothing is known of the qubits any more.
        whole = probability * (1.0 - 4.0 ** -len(own))
        circuit.append(cirq.CNOT(*own) if name == "cx" else cirq.MatrixGate(_matrix(parameters)).on(*own))
        circuit.append(cirq.depolarize(whole, n_qubits=len(own)).on(*own))
    circuit.append(cirq.measure(*qubits, key="m"))
    simulator = qsimcirq.QSimSimulator(
        qsimcirq.QSimOptions(max_fused_gate_size=3, cpu_threads=threads), seed=1
    )
    return lambda: simulator.run(circuit, repetitions=shots)


def qulacs(size: int, gates: Sequence[Gate], probability: float, shots: int) -> Callable[[], Any]:
    """Return what has qulacs run shots by trajectories, on as many threads as OMP_NUM_THREADS says."""
    own = import_module("qulacs")
    circuit = own.QuantumCircuit(size)
    for name, places, parameters in gates:
        if name == "cx":
            circuit.add_gate(own.gate.CNOT(*places))
            circuit.add_gate(own.gate.TwoQubitDepolarizingNoise(*places, probability * 15 / 16))
        else:
            circuit.add_gate(own.gate.DenseMatrix(places[0], np.asarray(_matrix(parameters))))
            circuit.add_gate(own.gate.DepolarizingNoise(places[0], probability * 3 / 4))
    simulator = own.NoiseSimulator(circuit, own.QuantumState(size))
    return lambda: simulator.execute(shots)
