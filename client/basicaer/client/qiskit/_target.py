"""What a backend runs natively, as the Target that `transpile` reads.

It has no width and no coupling, so that a circuit keeps its qubits; and it names every gate of the simulator,
so that almost nothing is rewritten.
"""

from __future__ import annotations

import copy
from collections.abc import Container
from typing import Any

from basicaer.client.conversion._saves import SAVE_NAMES
from basicaer.client.conversion._sets import SET_NAMES
from qiskit.circuit import Barrier, Gate, Instruction, controlflow, library
from qiskit.circuit import __dict__ as _circuit_module
from qiskit.transpiler import Target

__all__ = ["Device", "build_target", "coupling_of", "split_names"]

# Instructions of any width, given to the target as classes.
_WIDE_GATES = {
    "unitary": library.UnitaryGate,
    "mcx": library.MCXGate,
    "mcphase": library.MCPhaseGate,
    "diagonal": library.DiagonalGate,
    "multiplexer": library.UCGate,
    "pauli": library.PauliGate,
}
_WIDE_DYNAMIC = {"initialize": library.Initialize}
_CONTROL_FLOW = {
    "if_else": "IfElseOp",
    "while_loop": "WhileLoopOp",
    "for_loop": "ForLoopOp",
    "switch_case": "SwitchCaseOp",
    "break_loop": "BreakLoopOp",
    "continue_loop": "ContinueLoopOp",
    "box": "BoxOp",
}
_DYNAMIC = ("measure", "reset")
# Aer's, and Qiskit's Kraus operators.
_NOISE = ("kraus", "superop", "quantum_channel", "roerror", "qerror_loc")


def build_target(
    description: str, gates: set[str], *, unitary_only: bool, only: Container[str] | None = None
) -> Target:
    """Return the target of a backend that knows these gates.

    One for matrices measures and resets nothing. Of gates, those of any width included, `only` some may be
    wanted: then the others are rewritten.
    """
    target = Target(description=description, num_qubits=None)
    for name, instruction in library.get_standard_gate_name_mapping().items():
        wanted = name in gates and (only is None or name in only)
        if wanted or name == "delay" or (name in _DYNAMIC and not unitary_only):
            target.add_instruction(instruction, name=name)
    for name, kind in _WIDE_GATES.items():
        if only is None or name in only:
            target.add_instruction(kind, name=name)
    target.add_instruction(Barrier, name="barrier")
    if unitary_only:
        for name in ("save_unitary", "set_unitary"):
            target.add_instruction(Instruction, name=name)
        return target
    for name, kind in {**_WIDE_DYNAMIC, **_instructions()}.items():
        target.add_instruction(kind, name=name)
    return target


class Device:
    """A device that is simulated: its name, and its target with what a simulator has beside its gates."""

    def __init__(self, name: str, target: Target, description: str | None) -> None:
        self.name = name
        self.description = description
        self._own = target
        self._whole: Target | None = None

    @property
    def target(self) -> Target:
        """The target, made when it is first asked for: it is large."""
        if self._whole is None:
            whole = copy.deepcopy(self._own)
            for name, kind in {**_instructions(), **_WIDE_DYNAMIC}.items():
                if name not in whole.operation_names:
                    whole.add_instruction(kind, name=name)
            self._whole = whole
        return self._whole

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.name, self._own, self.description)


def split_names(target: Target) -> tuple[list[str], list[str]]:
    """Return the names of a target's gates, and those of its other instructions."""
    names = sorted(target.operation_names)
    gates = [name for name in names if _is_gate(target.operation_from_name(name))]
    return gates, [name for name in names if name not in gates]


def coupling_of(target: Target) -> list[list[int]] | None:
    """Return the pairs of qubits that a target couples; None where it couples all."""
    found = target.build_coupling_map()
    return None if found is None else [list(pair) for pair in found.get_edges()]


def _is_gate(operation: Any) -> bool:
    return issubclass(operation if isinstance(operation, type) else operation.base_class, Gate)


def _instructions() -> dict[str, Any]:
    """Return what a backend does beside gates, wherever it runs shots."""
    others = dict.fromkeys((*SAVE_NAMES, *SET_NAMES, *_NOISE), Instruction)
    return {**_control_flow(), **_stores(), **others}


def _control_flow() -> dict[str, Any]:
    """Control flow's classes by name, those that this version of Qiskit has."""
    return {
        name: found for name, kind in _CONTROL_FLOW.items() if (found := getattr(controlflow, kind, None))
    }


def _stores() -> dict[str, Any]:
    """`Store`, from Qiskit 1 on."""
    return {"store": _circuit_module["Store"]} if "Store" in _circuit_module else {}
