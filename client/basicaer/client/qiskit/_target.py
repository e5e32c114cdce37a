"""What a backend runs natively, as the Target that `transpile` reads.

It has no width and no coupling, so that a circuit keeps its qubits; and it names every gate of the simulator,
so that almost nothing is rewritten.
"""

from __future__ import annotations

from typing import Any

from basicaer.client._qiskit_saves import SAVE_NAMES
from qiskit.circuit import Barrier, Instruction, controlflow, library
from qiskit.circuit import __dict__ as _circuit_module
from qiskit.transpiler import Target

__all__ = ["build_target"]

# Instructions of any width, given to the target as classes.
_WIDE_GATES = {"unitary": library.UnitaryGate, "mcx": library.MCXGate, "mcphase": library.MCPhaseGate}
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


def build_target(description: str, gates: set[str], *, unitary_only: bool) -> Target:
    """Returns the target of a backend that knows these gates.

    One for matrices measures and resets nothing.
    """
    target = Target(description=description, num_qubits=None)
    for name, instruction in library.get_standard_gate_name_mapping().items():
        if name in gates or name == "delay" or (name in _DYNAMIC and not unitary_only):
            target.add_instruction(instruction, name=name)
    for name, kind in _WIDE_GATES.items():
        target.add_instruction(kind, name=name)
    target.add_instruction(Barrier, name="barrier")
    if unitary_only:
        return target
    for name, kind in {**_WIDE_DYNAMIC, **_control_flow(), **_stores()}.items():
        target.add_instruction(kind, name=name)
    for name in SAVE_NAMES:
        target.add_instruction(Instruction, name=name)
    return target


def _control_flow() -> dict[str, Any]:
    """Control flow's classes by name, those that this version of Qiskit has."""
    return {
        name: found for name, kind in _CONTROL_FLOW.items() if (found := getattr(controlflow, kind, None))
    }


def _stores() -> dict[str, Any]:
    """`Store`, from Qiskit 1 on."""
    return {"store": _circuit_module["Store"]} if "Store" in _circuit_module else {}
