"""MindQuantum's mqvector: its C++ simulator given the C++ gates, without the Python checks around it."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.peers._families import Circuit, Gate
from benchmarks.peers.adapters._base import Adapter, Job, Setting
from benchmarks.peers.adapters._openmp import set_threads


class MindQuantum(Adapter):
    """It has no fusion."""

    package = "mindquantum"
    note = "its C++ mqvector, called directly"

    def set_up(self) -> None:
        vector: Any = import_module("mindquantum._mq_vector")
        self.simulator = (vector.double if self.precision == "double" else vector.float).mqvector
        self.gates: Any = import_module("mindquantum.core.gates")
        parameters: Any = import_module("mindquantum.core.parameterresolver")
        self.no_parameters = parameters.ParameterResolver()

    def job(self, circuit: Circuit, setting: Setting) -> Job:
        # The Python gates own what the C++ ones point to, so they are kept in the closure.
        gates = [self._gate(gate) for gate in circuit.gates]
        native = [gate.get_cpp_obj() for gate in gates]
        new_state, num_qubits, parameters = self.simulator, circuit.num_qubits, self.no_parameters

        def run(keep: Any = gates) -> Any:
            state = new_state(num_qubits)
            state.apply_circuit(native, parameters)
            return state

        set_threads("mindquantum", setting.threads)
        return run

    def amplitudes(self, state: Any) -> Any:
        return np.asarray(state.get_qs())

    def _gate(self, gate: Gate) -> Any:
        make = self.gates
        match gate:
            case Gate("h" | "x" | "t" | "sx", (qubit,)):
                return getattr(make, gate.name.upper()).on(qubit)
            case Gate("tdg", (qubit,)):
                return make.T.hermitian().on(qubit)
            case Gate("rx" | "ry" | "rz", (qubit,), (angle,)):
                return getattr(make, gate.name.upper())(angle).on(qubit)
            case Gate("cx", (control, target)):
                return make.X.on(target, control)
            case Gate("cz", (control, target)):
                return make.Z.on(target, control)
            case Gate("cp", (control, target), (angle,)):
                return make.PhaseShift(angle).on(target, control)
            case Gate("swap", (low, high)):
                return make.SWAP.on([low, high])
            case Gate("rzz", (low, high), (angle,)):
                return make.Rzz(angle).on([low, high])
            case Gate("unitary", qubits):
                return make.UnivMathGate("unitary", gate.matrix).on(list(qubits))
        raise ValueError(gate.name)


ADAPTER = MindQuantum
