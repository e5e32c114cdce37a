"""BasicAer's own simulator, through its public interface alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.peers._families import Circuit
from benchmarks.peers.adapters._base import Adapter, Dynamic, Job, Setting


class BasicAer(Adapter):
    """From the packed circuit, as jobs carry it, to the array of amplitudes. The planner is in the timer."""

    package = "basicaer"

    def set_up(self) -> None:
        from basicaer import simulator

        self.simulator = simulator

    def settings(self, num_qubits: int) -> list[Setting]:
        # It decides by itself how to fuse, and how many of its threads a circuit is worth.
        return [Setting(0, self.threads)]

    def job(self, circuit: Circuit, setting: Setting) -> Job:
        packed = self.packed(circuit)
        statevector, dtype, threads = self.simulator.statevector, self.dtype, setting.threads
        return lambda: statevector(packed, dtype=dtype, threads=threads)

    def amplitudes(self, state: Any) -> Any:
        return state

    def sampling_job(self, circuit: Circuit, shots: int) -> Job:
        measured = self.packed(circuit, circuit.num_qubits)
        for qubit in range(circuit.num_qubits):
            measured.append("measure", [qubit], clbits=[qubit])
        run, dtype, threads = self.simulator.run, self.dtype, self.threads
        return lambda: run(measured, shots=shots, seed=1, dtype=dtype, threads=threads)

    def dynamic_job(self, program: Dynamic) -> Job:
        simulator, data = self.simulator, range(program.data)
        register = simulator.Register("parities", program.data, tuple(data))
        circuit = simulator.Circuit(2 * program.data, program.data, classical_registers=[register])
        conditions = [
            simulator.Binary(
                simulator.BinaryOperator.EQUAL,
                simulator.RegisterRef(0),
                simulator.Literal(1 << qubit | 1 << (qubit - 1) % program.data),
            )
            for qubit in data
        ]
        for _ in range(program.rounds):
            for qubit in data:
                circuit.append("rx", [qubit], [program.angle])
            for index in data:
                ancilla = program.data + index
                circuit.append("cx", [index, ancilla])
                circuit.append("cx", [(index + 1) % program.data, ancilla])
                circuit.append("measure", [ancilla], clbits=[index])
                circuit.append("reset", [ancilla])
            for qubit in data:
                circuit.append("x", [qubit], condition=conditions[qubit])
        run, dtype, threads = simulator.run, self.dtype, self.threads
        return lambda: run(circuit, shots=program.shots, seed=1, dtype=dtype, threads=threads)

    def packed(self, circuit: Circuit, num_clbits: int = 0) -> Any:
        """Return the circuit as jobs carry it."""
        gates: list[tuple[Any, ...]] = []
        for name, qubits, params, matrix in circuit.gates:
            fields = {} if matrix is None else {"matrix": np.ascontiguousarray(matrix)}
            gates.append((name, qubits, params, (), fields))
        packed = self.simulator.Circuit.from_gates(circuit.num_qubits, gates, num_clbits=num_clbits)
        _ = packed.body  # packs the columns now, as they are in a job that has arrived
        return packed


ADAPTER = BasicAer
