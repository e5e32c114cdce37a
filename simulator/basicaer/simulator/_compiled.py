"""A circuit that was checked once and is run many times."""

from __future__ import annotations

import abc

from basicaer.simulator._circuit import Circuit
from basicaer.simulator._program import Program, compile_circuit
from basicaer.simulator._validation import validate


class Programs(abc.ABC):
    """What has a program for each way to run it, compiled when it is first needed. Threads may share it."""

    __slots__ = ("_programs",)

    def __init__(self) -> None:
        self._programs: dict[tuple[bool, bool, int | None], Program] = {}

    def program(self, *, from_zero: bool, as_matrix: bool = False, threads: int | None = None) -> Program:
        """The program, see `compile_circuit`; one whose plans are for so many threads."""
        key = (from_zero, as_matrix, threads)
        program = self._programs.get(key)
        if program is None:
            # Two threads may both compile it; the first one's program is used by both from now on.
            program = self._programs.setdefault(key, self._compile(from_zero, as_matrix, threads))
        return program

    @abc.abstractmethod
    def _compile(self, from_zero: bool, as_matrix: bool, threads: int | None) -> Program:
        """Make what `program` keeps."""


class CompiledCircuit(Programs):
    """A valid circuit, with what its runs have in common; every function that runs circuits takes it as well.

    It is as the circuit was when it was made; what is appended afterwards is not seen. Threads may share it.

    `max_instructions` is that of `validate`. Raises `CircuitError` when the circuit is not valid.
    """

    __slots__ = ("circuit",)

    def __init__(self, circuit: Circuit, *, max_instructions: int | None = None) -> None:
        super().__init__()
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

    def _compile(self, from_zero: bool, as_matrix: bool, threads: int | None) -> Program:
        return compile_circuit(self.circuit, from_zero=from_zero, as_matrix=as_matrix)


def compiled(circuit: Circuit | CompiledCircuit) -> CompiledCircuit:
    """The circuit itself, or a new circuit's compiled form. Raises `CircuitError`."""
    return circuit if isinstance(circuit, CompiledCircuit) else CompiledCircuit(circuit)
