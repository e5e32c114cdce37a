"""PennyLane's lightning.qubit, at its own C++ state vector's methods: no tape, no device, no transforms."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.peers._families import Circuit, Gate
from benchmarks.peers.adapters._base import Adapter, Job, Setting

_NAMES = {
    "h": "Hadamard",
    "x": "PauliX",
    "sx": "SX",
    "t": "T",
    "tdg": "T",
    "rx": "RX",
    "ry": "RY",
    "rz": "RZ",
    "cx": "CNOT",
    "cz": "CZ",
    "cp": "ControlledPhaseShift",
    "swap": "SWAP",
    "rzz": "IsingZZ",
}


class Lightning(Adapter):
    """It has no fusion. Wire 0 is the most significant bit.

    The gates of its wheel (0.45.0) run on one thread, whatever OMP_NUM_THREADS and LQ_ENABLE_KERNEL_OMP say:
    no thread is started, and its processor time is the same with two. So there is one setting.
    """

    package = "pennylane_lightning"
    note = "its C++ state vector, called directly; its wheel uses one thread"

    def settings(self, num_qubits: int) -> list[Setting]:
        return [Setting(0, 1)]

    def set_up(self) -> None:
        ops: Any = import_module("pennylane_lightning.lightning_qubit_ops")
        self.state = ops.StateVectorC128 if self.precision == "double" else ops.StateVectorC64

    def job(self, circuit: Circuit, setting: Setting) -> Job:
        calls = [self._call(gate, circuit.num_qubits) for gate in circuit.gates]
        new_state, num_qubits = self.state, circuit.num_qubits

        def run() -> Any:
            state = new_state(num_qubits)
            for method, arguments in calls:
                method(state, *arguments)
            return state

        return run

    def amplitudes(self, state: Any) -> Any:
        result = np.zeros(state.size(), dtype=self.dtype)
        state.getState(result)
        return result

    def _call(self, gate: Gate, num_qubits: int) -> tuple[Any, tuple[Any, ...]]:
        wires = [num_qubits - 1 - qubit for qubit in gate.qubits]
        if gate.matrix is not None:
            return self.state.applyMatrix, (gate.matrix.astype(self.dtype), wires[::-1], False)
        return getattr(self.state, _NAMES[gate.name]), (wires, gate.name == "tdg", list(gate.params))


ADAPTER = Lightning
