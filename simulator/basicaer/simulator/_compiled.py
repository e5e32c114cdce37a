"""A circuit that was checked once and is run many times."""

from __future__ import annotations

from basicaer.simulator._circuit import Circuit
from basicaer.simulator._program import Program, compile_circuit
from basicaer.simulator._validation import validate


class CompiledCircuit:
    """A valid circuit, with what its runs have in common; every function that runs circuits takes it as well.

    It is as the circuit was when it was made; what is appended afterwards is not seen. Threads may share it.

    `max_instructions` is that of `validate`. Raises `CircuitError` when the circuit is not valid.
    """

    __slots__ = ("_programs", "circuit")

    def __init__(self, circuit: Circuit, *, max_instructions: int | None = None) -> None:
        validate(circuit, max_instructions=max_instructions)
        self.circuit = Circuit(
            circuit.num_qubits,
            circuit.num_clbits,
            name=circuit.name,
            global_phase=circuit.global_phase,
            metadata=circuit.metadata,
            quantum_registers=circuit.quantum_registers,
            classical_registers=circuit.classical_registers,
            variables=circuit.variables,
            operations=circuit.operations,
            body=circuit.body,
        )
        self._programs: dict[tuple[bool, bool, int | None], Program] = {}

    def program(self, *, from_zero: bool, as_matrix: bool = False, threads: int | None = None) -> Program:
        """The circuit's program, see `compile_circuit`; one whose plans are for so many threads."""
        key = (from_zero, as_matrix, threads)
        program = self._programs.get(key)
        if program is None:
            program = compile_circuit(self.circuit, from_zero=from_zero, as_matrix=as_matrix)
            # Two threads may both have compiled it; the first one's program is used by both from now on.
            program = self._programs.setdefault(key, program)
        return program


def compiled(circuit: Circuit | CompiledCircuit) -> CompiledCircuit:
    """The circuit itself, or a new circuit's compiled form. Raises `CircuitError`."""
    return circuit if isinstance(circuit, CompiledCircuit) else CompiledCircuit(circuit)
