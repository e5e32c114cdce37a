"""Writes what the client and the docs have of the simulator's table of gates.

    python client/generate_gates.py          writes the files again
    python client/generate_gates.py --check  tells which of them are stale, and exits with 1 if any is

The client needs neither the simulator nor numba, so it has its own copy: the shapes by which it refuses a
gate where it is written, and a method for each gate. `make gates` writes both, and `make lint` checks it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from basicaer.simulator import GATES, GateSpec

ROOT = Path(__file__).parents[1]
LINE_LENGTH = 110
# What begins a gate's description with a capital letter only because it begins it.
_LOWERED = ("A", "An", "The", "Two")

SHAPES_HEAD = '''\
"""How many qubits and parameters each gate takes, so that a wrong one is refused where it's written.

Made from the simulator's table of gates by `make gates`: change that.
"""

from __future__ import annotations

__all__ = ["GATE_SHAPES", "OPEN_SHAPES", "QISKIT_SHAPES"]
'''

METHODS_HEAD = '''\
"""A circuit's gates as methods, with Qiskit's names and order of arguments.

Angles are in radians. Where a method takes `Qubits`, a number is one qubit, and a sequence or a register
applies the gate to each; several sequences go in step.

Made from the simulator's table of gates by `make gates`: change that.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Self

from basicaer.client.circuit._values import Expression

__all__ = ["GateMethods", "Parameter", "Qubits"]

Qubits = int | Sequence[int]
Parameter = float | Expression


class GateMethods(ABC):
    """One method for each standard gate. Each changes the circuit and returns it."""

    @abstractmethod
    def _each(self, name: str, parameters: Sequence[Parameter], *operands: Qubits) -> Self:
        """Append a gate for each step of the operands."""

    @abstractmethod
    def append(self, name: str, qubits: Sequence[int], parameters: Sequence[Parameter] = ()) -> Self:
        """Append one instruction."""
'''

PAGE_HEAD = """\
# The gates

<!-- Made from the simulator's table of gates by `make gates`: change that. -->

What every server knows, natively and by each of these names; `ListBackends` tells the same. Conventions are
Qiskit's: angles are in radians, the first qubit is the least significant bit of a matrix's index, and
controls come before targets. Every gate takes further controls (`num_controls` and `control_state` of an
operation).

| gate | qubits | parameters | what it is |
| --- | --- | --- | --- |
"""


def records() -> list[GateSpec]:
    """Every gate once, in the table's order."""
    return list(dict.fromkeys(GATES.values()))


def shapes() -> str:
    """Return the client's module of shapes."""
    tables: list[tuple[str, str, str, Callable[[GateSpec], bool]]] = [
        (
            "The gates that a gate of that name in Qiskit's library is.",
            "QISKIT_SHAPES",
            "",
            lambda spec: spec.is_qiskits and not spec.any_controls,
        ),
        (
            "All gates: qubits and parameters.",
            "GATE_SHAPES",
            "    **QISKIT_SHAPES,\n",
            lambda spec: not spec.is_qiskits and not spec.any_controls,
        ),
        (
            "Gates with any number of controls: the least qubits, and the parameters.",
            "OPEN_SHAPES",
            "",
            lambda spec: spec.any_controls,
        ),
    ]
    parts = [SHAPES_HEAD]
    for comment, name, first, is_in in tables:
        lines = [f'    "{s.name}": ({s.num_qubits}, {s.num_parameters}),\n' for s in records() if is_in(s)]
        entries = first + "".join(lines)
        parts.append(f"\n# {comment}\n{name}: dict[str, tuple[int, int]] = {{\n{entries}}}\n")
    return "".join(parts)


def methods() -> str:
    """Return the client's module of methods."""
    return METHODS_HEAD + "".join(_method(spec) for spec in records() if spec.is_method)


def _method(spec: GateSpec) -> str:
    angles, operands = spec.angle_arguments, spec.operand_arguments
    if spec.any_controls:
        kinds = {name: "Sequence[int]" if name == "controls" else "int" for name in operands}
        qubits = ", ".join(f"*{name}" if name == "controls" else name for name in operands)
        listed = f", {_tuple(angles)}" if angles else ""
        call = f'self.append("{spec.name}", [{qubits}]{listed})'
    else:
        kinds = dict.fromkeys(operands, "Qubits")
        name = f'"{spec.name}"'
        call = f"self._each({', '.join([name, _tuple(angles), *operands])})"
    arguments = ["self", *(f"{name}: Parameter" for name in angles)]
    arguments += [f"{name}: {kind}" for name, kind in kinds.items()]
    head = f"    def {spec.name}({', '.join(arguments)}) -> Self:"
    if len(head) > LINE_LENGTH:
        lines = "".join(f"        {argument},\n" for argument in arguments)
        head = f"    def {spec.name}(\n{lines}    ) -> Self:"
    return f'\n{head}\n        """Append {_named(spec)}"""\n        return {call}\n'


def _named(spec: GateSpec) -> str:
    """Return a gate's name and what it is, for the middle of a sentence."""
    if spec.doc.startswith(f"{spec.name}("):
        return spec.doc
    first, space, rest = spec.doc.partition(" ")
    return f"{spec.name}: {first.lower() if first in _LOWERED else first}{space}{rest}"


def _tuple(names: Iterable[str]) -> str:
    listed = list(names)
    return f"({', '.join(listed)}{',' if len(listed) == 1 else ''})"


def page() -> str:
    """Return the page of docs."""
    lines = []
    for spec in records():
        names = ", ".join(f"`{name}`" for name in (spec.name, *spec.aliases))
        qubits = f"{spec.num_qubits} or more" if spec.any_controls else str(spec.num_qubits)
        lines.append(f"| {names} | {qubits} | {spec.num_parameters} | {spec.doc} |\n")
    return PAGE_HEAD + "".join(lines)


FILES: dict[str, Callable[[], str]] = {
    "client/basicaer/client/circuit/_gates.py": shapes,
    "client/basicaer/client/circuit/_gate_methods.py": methods,
    "docs/gates.md": page,
}


def stale() -> list[str]:
    """Return the files that aren't what the table makes of them."""
    return [
        name
        for name, make in FILES.items()
        if not (ROOT / name).is_file() or (ROOT / name).read_text(encoding="utf-8") != make()
    ]


def main() -> None:
    """Write or checks the files."""
    found = stale()
    if "--check" in sys.argv[1:]:
        for name in found:
            print(f"{name} is stale: run 'make gates'", file=sys.stderr)
        sys.exit(bool(found))
    for name in found:
        (ROOT / name).write_text(FILES[name](), encoding="utf-8")


if __name__ == "__main__":
    main()
