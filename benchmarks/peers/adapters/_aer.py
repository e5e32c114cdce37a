"""Qiskit Aer: `AerSimulator.run` of a circuit that ends with `save_statevector`, without transpiling."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from benchmarks.peers._families import Circuit
from benchmarks.peers.adapters._base import Adapter, Dynamic, Job, Setting


class Aer(Adapter):
    """Fusion is Aer's own, during the run; width 0 leaves it off."""

    package = "qiskit-aer"
    fusions = (5, 4, 3, 2, 0)

    def set_up(self) -> None:
        self.qiskit: Any = import_module("qiskit")
        self.aer: Any = import_module("qiskit_aer")

    def job(self, circuit: Circuit, setting: Setting) -> Job:
        native = self._circuit(circuit)
        native.save_statevector()
        simulator = self._simulator(setting)
        return lambda: simulator.run(native, shots=1).result().data(0)["statevector"]

    def amplitudes(self, state: Any) -> Any:
        return state.data

    def sampling_job(self, circuit: Circuit, shots: int) -> Job:
        native = self._circuit(circuit)
        native.measure_all()
        simulator = self._simulator(Setting(5, self.threads))
        return lambda: simulator.run(native, shots=shots, seed_simulator=1).result().data(0)["counts"]

    def dynamic_job(self, program: Dynamic) -> Job:
        data, ancillas = range(program.data), range(program.data, 2 * program.data)
        qubits = self.qiskit.QuantumRegister(2 * program.data)
        parities = self.qiskit.ClassicalRegister(program.data)
        native = self.qiskit.QuantumCircuit(qubits, parities)
        for _ in range(program.rounds):
            for qubit in data:
                native.rx(program.angle, qubit)
            for index, ancilla in enumerate(ancillas):
                native.cx(index, ancilla)
                native.cx((index + 1) % program.data, ancilla)
                native.measure(ancilla, index)
                native.reset(ancilla)
            for qubit in data:
                neighbours = 1 << qubit | 1 << (qubit - 1) % program.data
                with native.if_test((parities, neighbours)):
                    native.x(qubit)
        # Its branching, as ours, keeps one state for the shots that agree so far. It is off by default.
        branching = {"shot_branching_enable": True, "max_parallel_shots": 0} if program.tuned else {}
        simulator = self.aer.AerSimulator(
            method="statevector",
            precision=self.precision,
            max_parallel_threads=self.threads,
            **branching,
        )
        return lambda: simulator.run(native, shots=program.shots, seed_simulator=1).result().data(0)["counts"]

    def _simulator(self, setting: Setting) -> Any:
        fusion = {"fusion_max_qubit": setting.fusion, "fusion_threshold": 1} if setting.fusion else {}
        return self.aer.AerSimulator(
            method="statevector",
            precision=self.precision,
            fusion_enable=bool(setting.fusion),
            max_parallel_threads=setting.threads,
            **fusion,
        )

    def _circuit(self, circuit: Circuit) -> Any:
        native = self.qiskit.QuantumCircuit(circuit.num_qubits)
        for gate in circuit.gates:
            if gate.matrix is not None:
                native.unitary(gate.matrix, list(gate.qubits))
            else:
                getattr(native, gate.name)(*gate.params, *gate.qubits)
        return native


ADAPTER = Aer
