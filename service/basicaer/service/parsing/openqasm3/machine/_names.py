"""Names and what they stand for.

A variable's value is followed as long as it is known: then it is no part of the circuit at all. What only a
run knows lies in the circuit's memory.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from basicaer.service.parsing._faults import ProgramFault, Where
from basicaer.service.parsing.openqasm3.machine._emitter import Place
from basicaer.service.parsing.openqasm3.syntax import _tree as tree
from basicaer.service.parsing.openqasm3.values._types import Constant, Type, Value

__all__ = [
    "Alias",
    "Array",
    "Poison",
    "PoisonedError",
    "Qubits",
    "Scope",
    "Symbol",
    "Variable",
    "zero",
]


@dataclass(slots=True, eq=False)
class Variable:
    """A classical variable of one value.

    `known` is what it holds, if that is known; it is `dirty` while the circuit's memory doesn't have it yet.
    """

    name: str
    type: Type
    known: Constant | None = None
    place: Place | None = None
    is_shown: bool = False
    # Where results show it, if that is another place.
    result: Place | None = None
    is_constant: bool = False
    is_global: bool = False
    dirty: bool = False


@dataclass(slots=True, eq=False)
class Array:
    """An array of variables, in row-major order."""

    type: Type
    elements: list[Variable]
    is_constant: bool = False


@dataclass(slots=True, eq=False)
class Alias:
    """A name for bits of variables, each with its place there; `is_one` for a single one."""

    bits: tuple[tuple[Variable, int], ...]
    is_one: bool = False

    @property
    def variables(self) -> list[Variable]:
        """The variables, each once."""
        return list(dict.fromkeys(variable for variable, _ in self.bits))


@dataclass(slots=True, eq=False)
class Qubits:
    """Qubits by their numbers; `is_one` for a name that stands for a single one."""

    numbers: tuple[int, ...]
    is_one: bool = False


@dataclass(slots=True, eq=False)
class Poison:
    """What a name stands for whose declaration is wrong, or its value: then it is the variable's that is
    `held`.
    """

    held: Variable | Array | None = None


class PoisonedError(ProgramFault):
    """A mistake that follows from another one, which is told already."""

    def __init__(self) -> None:
        super().__init__("it follows from another mistake", where=Where(0, 0))


Symbol: TypeAlias = Variable | Array | Alias | Qubits | Value | Poison | tree.GateDef | tree.Def | tree.Extern


def zero(type_: Type) -> Constant:
    """Return what a variable holds that was given nothing."""
    if type_.is_truth:
        return False
    if type_.kind in ("float", "duration"):
        return 0.0
    return 0j if type_.kind == "complex" else 0


@dataclass(slots=True)
class Scope:
    """Names of a block, and the block around it. A subroutine's begins anew with what is global."""

    outer: Scope | None
    names: dict[str, Symbol] = field(default_factory=dict)
    is_subroutine: bool = False

    def find(self, name: str) -> Symbol | None:
        """Return what a name stands for here.

        Raises:
            PoisonedError: For something that is wrong.
        """
        found = self.look(name)
        if isinstance(found, Poison):
            raise PoisonedError
        return found

    def look(self, name: str) -> Symbol | None:
        """Return what a name stands for here, right or wrong."""
        scope: Scope | None = self
        hides = False
        while scope is not None:
            found = scope.names.get(name)
            # Of what is global, a subroutine sees what can't change.
            if found is not None and not (
                hides
                and scope.outer is None
                and isinstance(found, Variable | Array | Alias | Qubits)
                and not (isinstance(found, Variable | Array) and found.is_constant)
            ):
                return found
            if scope.is_subroutine:
                hides = True
                while scope.outer is not None:
                    scope = scope.outer
                continue
            scope = scope.outer
        return None
