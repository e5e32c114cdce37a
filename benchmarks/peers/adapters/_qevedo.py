"""qevedo-simulator: its state vector as bytes, which numpy then views without the copy that it offers."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.peers._families import Circuit
from benchmarks.peers.adapters._base import Adapter, Job, Setting, UnsupportedError


class Qevedo(Adapter):
    """It fuses by itself."""

    package = "qevedo-simulator"
    precisions = ("double",)

    def set_up(self) -> None:
        self.simulator: Any = import_module("qevedo.simulator")
        self.statevector: Any = import_module("qevedo.simulator._native").statevector_bytes

    def job(self, circuit: Circuit, setting: Setting) -> Job:
        native = self._circuit(circuit)
        statevector = self.statevector
        return lambda: np.frombuffer(statevector(native, threads=setting.threads), dtype=np.complex128)

    def amplitudes(self, state: Any) -> Any:
        return state

    def sampling_job(self, circuit: Circuit, shots: int) -> Job:
        native = self._circuit(circuit)
        native.measure_all()
        run, threads, precision = self.simulator.run, self.threads, self.precision
        return lambda: (
            run(native, shots, backend="statevector", seed=1, precision=precision, threads=threads).counts
        )

    def _circuit(self, circuit: Circuit) -> Any:
        native = self.simulator.Circuit(circuit.num_qubits)
        for gate in circuit.gates:
            if gate.matrix is not None:
                native.unitary(gate.matrix.tolist(), list(gate.qubits))
            else:
                native.gate(gate.name, list(gate.qubits), list(gate.params))
        if native.gate_count != len(circuit.gates):
            raise UnsupportedError(f"kept {native.gate_count} of {len(circuit.gates)} gates")
        return native


ADAPTER = Qevedo
