"""qsim through qsimcirq: its C++ simulator given a circuit that was translated from Cirq beforehand."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.peers._families import Circuit, Gate
from benchmarks.peers.adapters._base import Adapter, Job, Setting, UnsupportedError


class Qsim(Adapter):
    """Single precision only. Its fuser takes a greatest width; all useful ones are tried."""

    package = "qsimcirq"
    precisions = ("single",)
    fusions = (2, 3, 4, 5)
    note = "translated from Cirq outside of the timer; denormals are zeros"

    def set_up(self) -> None:
        self.cirq: Any = import_module("cirq")
        self.qsimcirq: Any = import_module("qsimcirq")

    def job(self, circuit: Circuit, setting: Setting) -> Job:
        options = self._options(circuit, setting)
        simulate = self.qsimcirq.qsim.qsim_simulate_fullstate
        return lambda: simulate(options, 0)

    def amplitudes(self, state: Any) -> Any:
        return state.view(np.complex64)

    def sampling_job(self, circuit: Circuit, shots: int) -> Job:
        # Its Python then spends seconds on a list of booleans for each shot, which is not charged to it.
        options = self._options(circuit, Setting(3, self.threads))
        sample = self.qsimcirq.qsim.qsim_sample_final
        return lambda: sample(options, shots)

    def _options(self, circuit: Circuit, setting: Setting) -> dict[str, Any]:
        """Return what its C++ functions take: the translated circuit, a seed, and the options."""
        cirq = self.cirq
        qubits = cirq.LineQubit.range(circuit.num_qubits)
        native = cirq.Circuit(self._operation(gate, qubits) for gate in circuit.gates)
        if len(native.all_qubits()) != circuit.num_qubits:
            raise UnsupportedError("the circuit leaves a qubit without gates")
        options = self.qsimcirq.QSimOptions(
            max_fused_gate_size=setting.fusion, cpu_threads=setting.threads, denormals_are_zeros=True
        ).as_dict()
        # Cirq's first qubit is the most significant one.
        translated, _ = self.qsimcirq.QSimCircuit(native).translate_cirq_to_qsim(list(reversed(qubits)))
        return {**options, "c": translated, "s": 1}

    def _operation(self, gate: Gate, qubits: list[Any]) -> Any:
        cirq = self.cirq
        targets = [qubits[qubit] for qubit in gate.qubits]
        if gate.matrix is not None:
            # Swapping the two qubits of Qiskit's order gives Cirq's.
            return cirq.MatrixGate(gate.matrix).on(*reversed(targets))
        if gate.params:
            angle = gate.params[0]
            make = {
                "rx": cirq.rx,
                "ry": cirq.ry,
                "rz": cirq.rz,
                "cp": lambda value: cirq.CZPowGate(exponent=value / np.pi),
                "rzz": lambda value: cirq.ZZPowGate(exponent=value / np.pi, global_shift=-0.5),
            }
            return make[gate.name](angle).on(*targets)
        fixed = {
            "h": cirq.H,
            "x": cirq.X,
            "sx": cirq.X**0.5,
            "t": cirq.T,
            "tdg": cirq.T**-1,
            "cx": cirq.CX,
            "cz": cirq.CZ,
            "swap": cirq.SWAP,
        }
        return fixed[gate.name].on(*targets)


ADAPTER = Qsim
