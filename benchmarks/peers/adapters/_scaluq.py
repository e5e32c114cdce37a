"""scaluq: a Circuit that its own optimizer has fused, applied to a new StateVector."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.peers._families import Circuit, Gate
from benchmarks.peers.adapters._base import Adapter, Job, Setting


class Scaluq(Adapter):
    """One thread means its serial execution space, which starts no parallel regions."""

    package = "scaluq"
    fusions = (0, 2, 3, 4)

    def settings(self, num_qubits: int) -> list[Setting]:
        # Matrices, which fusion makes, belong to the parallel space and do not run in the serial one.
        return [each for each in super().settings(num_qubits) if each.threads > 1 or not each.fusion]

    def set_up(self) -> None:
        self.scaluq: Any = import_module("scaluq")
        self.kind = "f64" if self.precision == "double" else "f32"

    def job(self, circuit: Circuit, setting: Setting) -> Job:
        library = getattr(self.scaluq.default, self.kind)
        states = getattr(self.scaluq.host_serial, self.kind) if setting.threads == 1 else library
        native = library.Circuit()
        for gate in circuit.gates:
            native.add_gate(_gate(library, states, gate))
        if setting.fusion:
            native.optimize(setting.fusion)
        new_state, num_qubits, update = states.StateVector, circuit.num_qubits, native.update_quantum_state

        def run() -> Any:
            state = new_state(num_qubits)
            update(state)
            return state

        return run

    def amplitudes(self, state: Any) -> Any:
        return np.asarray(state.get_amplitudes(), dtype=self.dtype)


def _gate(library: Any, states: Any, gate: Gate) -> Any:
    """`states` is the execution space; gates with a matrix belong to one."""
    make = library.gate
    match gate:
        case Gate("h" | "x" | "t" | "tdg" | "sx", (qubit,)):
            names = {"h": "H", "x": "X", "t": "T", "tdg": "Tdag", "sx": "SqrtX"}
            return getattr(make, names[gate.name])(qubit)
        case Gate("rx" | "ry" | "rz", (qubit,), (angle,)):
            return getattr(make, gate.name.upper())(qubit, angle)
        case Gate("cx", (control, target)):
            return make.CX(control, target)
        case Gate("cz", (control, target)):
            return make.CZ(control, target)
        case Gate("cp", (control, target), (angle,)):
            return make.U1(target, angle, controls=[control])
        case Gate("swap", (low, high)):
            return make.Swap(low, high)
        case Gate("rzz", (low, high), (angle,)):
            return make.PauliRotation(library.PauliOperator([low, high], [3, 3]), angle)
        case Gate("unitary", qubits):
            return states.gate.DenseMatrix(list(qubits), gate.matrix, is_unitary=True)
    raise ValueError(gate.name)


ADAPTER = Scaluq
