"""qulacs: a QuantumCircuit that its own optimizer has fused, applied to a new QuantumState."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.peers._families import Circuit, Gate
from benchmarks.peers.adapters._base import Adapter, Job, Setting
from benchmarks.peers.adapters._openmp import set_threads

LIGHT = 1
"""Stands for the optimizer's light pass, which merges gates whose qubits another gate's contain."""


class Qulacs(Adapter):
    """Fusion 1 means `optimize_light`; wider ones `optimize` with that block size."""

    package = "qulacs"
    precisions = ("double",)
    fusions = (0, LIGHT, 2, 3, 4)

    def set_up(self) -> None:
        self.qulacs: Any = import_module("qulacs")
        self.gate: Any = import_module("qulacs.gate")
        self.optimizer = self.qulacs.circuit.QuantumCircuitOptimizer()

    def job(self, circuit: Circuit, setting: Setting) -> Job:
        native = self.qulacs.QuantumCircuit(circuit.num_qubits)
        for gate in circuit.gates:
            native.add_gate(self._gate(gate))
        if setting.fusion == LIGHT:
            self.optimizer.optimize_light(native)
        elif setting.fusion:
            self.optimizer.optimize(native, setting.fusion)
        new_state, num_qubits = self.qulacs.QuantumState, circuit.num_qubits
        update = native.update_quantum_state

        def run() -> Any:
            state = new_state(num_qubits)
            update(state)
            return state

        set_threads("qulacs", setting.threads)
        return run

    def amplitudes(self, state: Any) -> Any:
        return state.get_vector()

    def sampling_job(self, circuit: Circuit, shots: int) -> Job:
        run = self.job(circuit, Setting(LIGHT, self.threads))
        return lambda: np.unique(run().sampling(shots), return_counts=True)

    def _gate(self, gate: Gate) -> Any:
        make = self.gate
        match gate:
            case Gate("h" | "x" | "t" | "tdg" | "sx", (qubit,)):
                names = {"h": "H", "x": "X", "t": "T", "tdg": "Tdag", "sx": "sqrtX"}
                return getattr(make, names[gate.name])(qubit)
            case Gate("rx" | "ry" | "rz", (qubit,), (angle,)):
                return getattr(make, f"Rot{gate.name[1].upper()}")(qubit, angle)
            case Gate("cx", (control, target)):
                return make.CNOT(control, target)
            case Gate("cz", (control, target)):
                return make.CZ(control, target)
            case Gate("cp", (control, target), (angle,)):
                phase = make.to_matrix_gate(make.U1(target, angle))
                phase.add_control_qubit(control, 1)
                return phase
            case Gate("swap", (low, high)):
                return make.SWAP(low, high)
            case Gate("rzz", (low, high), (angle,)):
                # Its rotations turn by -angle. Of its ways to write rzz this one is the fastest.
                return make.PauliRotation([low, high], [3, 3], -angle)
            case Gate("unitary", qubits):
                return make.DenseMatrix(list(qubits), gate.matrix)
        raise ValueError(gate.name)


ADAPTER = Qulacs
