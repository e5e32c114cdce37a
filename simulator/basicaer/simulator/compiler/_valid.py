"""A circuit that was checked once and is run many times."""

from __future__ import annotations

from typing import Any

from basicaer.simulator.circuit._circuit import Circuit
from basicaer.simulator.compiler._program import StepProgram, compile_circuit
from basicaer.simulator.compiler._steps import gate_steps
from basicaer.simulator.compiler._validation import validate
from basicaer.simulator.compiler._wires import Wires, find_wires

_MADE_AGAIN = {"_programs", "_computed"}
"""What has functions made for one circuit, which no other process has."""


class Runnable:
    """What has a program for each way to run it, compiled when it is first needed. Threads may share it."""

    __slots__ = ("_programs", "_wires", "circuit", "is_noisy")

    def __init__(self) -> None:
        self.circuit: Circuit
        self.is_noisy: bool
        """Whether a channel or a readout error is among the circuit's operations."""
        self._programs: dict[tuple[bool, bool, bool, int | None], StepProgram] = {}
        self._wires: dict[tuple[bool, bool], Wires] = {}

    def wires(self, *, from_zero: bool, as_matrix: bool = False) -> Wires:
        """Return the qubits that are held, see `find_wires`."""
        key = (from_zero, as_matrix)
        wires = self._wires.get(key)
        if wires is None:
            wires = self._wires.setdefault(key, self._find_wires(from_zero, as_matrix))
        return wires

    def _find_wires(self, from_zero: bool, as_matrix: bool) -> Wires:
        return find_wires(self.circuit, from_zero=from_zero, as_matrix=as_matrix, has_parameters=True)

    def program(
        self,
        *,
        from_zero: bool,
        as_matrix: bool = False,
        mixed: bool = False,
        threads: int | None = None,
    ) -> StepProgram:
        """Return the program, see `compile_circuit`; one whose plans are for so many threads.

        For a matrix, `from_zero` says that it begins as the identity.
        """
        key = (from_zero, as_matrix, mixed, threads)
        program = self._programs.get(key)
        if program is None:
            # Two threads may both compile it; the first one's program is used by both from now on.
            program = self._programs.setdefault(key, self._compile(from_zero, as_matrix, mixed, threads))
        return program

    def __getstate__(self) -> dict[str, Any]:
        """All but the programs, which are compiled again; their plans are kept."""
        names = {name for kind in type(self).__mro__ for name in getattr(kind, "__slots__", ())}
        state = {name: getattr(self, name) for name in sorted(names - _MADE_AGAIN) if hasattr(self, name)}
        # The dictionary may grow meanwhile.
        programs = list(self._programs.items())
        state["plans"] = {key: [step.plans for step in gate_steps(found.steps)] for key, found in programs}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        plans = state.pop("plans")
        for name, value in state.items():
            setattr(self, name, value)
        self._programs = {}
        for (from_zero, as_matrix, mixed, threads), found in plans.items():
            program = self.program(from_zero=from_zero, as_matrix=as_matrix, mixed=mixed, threads=threads)
            for step, own in zip(gate_steps(program.steps), found, strict=True):
                step.plans.update(own)

    def _compile(self, from_zero: bool, as_matrix: bool, mixed: bool, threads: int | None) -> StepProgram:
        """Make what `program` keeps."""
        wires = self.wires(from_zero=from_zero, as_matrix=as_matrix)
        return compile_circuit(self.circuit, wires, from_zero=from_zero, as_matrix=as_matrix, mixed=mixed)


class ValidCircuit(Runnable):
    """A valid circuit, with what its runs have in common; every function that runs circuits takes it as well.

    It is as the circuit was when it was made; what is appended afterwards is not seen. Threads may share it.

    `max_instructions` is that of `validate`. Raises `CircuitError` when the circuit is not valid.
    """

    __slots__ = ()

    def __init__(self, circuit: Circuit, *, max_instructions: int | None = None) -> None:
        super().__init__()
        validate(circuit, max_instructions=max_instructions)
        self.circuit = circuit.replaced()
        self.is_noisy = any(op.channel is not None or op.readout is not None for op in circuit.operations)


def validated(circuit: Circuit | ValidCircuit) -> ValidCircuit:
    """Return a circuit that was checked as it is, and another one checked. Raises `CircuitError`."""
    return circuit if isinstance(circuit, ValidCircuit) else ValidCircuit(circuit)
