"""Qibo with the qibojit backend (numba): the backend's execution of a circuit that Qibo has fused."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.peers._families import Circuit, Gate
from benchmarks.peers.adapters._base import Adapter, Job, Setting

_NAMES = {
    "h": "H",
    "x": "X",
    "sx": "SX",
    "t": "T",
    "tdg": "TDG",
    "rx": "RX",
    "ry": "RY",
    "rz": "RZ",
    "cx": "CNOT",
    "cz": "CZ",
    "cp": "CU1",
    "swap": "SWAP",
    "rzz": "RZZ",
}


class Qibojit(Adapter):
    """Qubit 0 is the most significant bit."""

    package = "qibojit"
    fusions = (0, 2, 3, 4)

    def set_up(self) -> None:
        self.qibo: Any = import_module("qibo")
        self.qibo.set_backend("qibojit", platform="numba")
        self.backend = self.qibo.get_backend()
        self.backend.set_dtype(np.dtype(self.dtype).name)

    def job(self, circuit: Circuit, setting: Setting) -> Job:
        native = self.qibo.Circuit(circuit.num_qubits)
        for gate in circuit.gates:
            native.add(self._gate(gate, circuit.num_qubits))
        if setting.fusion:
            native = native.fuse(max_qubits=setting.fusion)
        self.backend.set_threads(setting.threads)
        execute = self.backend.execute_circuit
        return lambda: execute(native)

    def amplitudes(self, state: Any) -> Any:
        return np.asarray(state.state())

    def _gate(self, gate: Gate, num_qubits: int) -> Any:
        qubits = [num_qubits - 1 - qubit for qubit in gate.qubits]
        if gate.matrix is not None:
            return self.qibo.gates.Unitary(gate.matrix, *qubits[::-1])
        return getattr(self.qibo.gates, _NAMES[gate.name])(*qubits, *gate.params)


ADAPTER = Qibojit
