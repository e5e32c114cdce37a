"""What statements are read as, and by the names here what expressions are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from basicaer.service.parsing.openqasm3.syntax._expression_tree import (
    Binary,
    Bits,
    Call,
    Cast,
    DurationOf,
    Expression,
    Hardware,
    Index,
    List,
    Measure,
    Name,
    Node,
    Number,
    Range,
    Time,
    TypeNode,
    Unary,
)

__all__ = [
    "Apply",
    "Assign",
    "Barrier",
    "Binary",
    "Bits",
    "Block",
    "Box",
    "Call",
    "Cast",
    "Declare",
    "Def",
    "DurationOf",
    "Evaluate",
    "Expression",
    "Extern",
    "For",
    "GateDef",
    "Hardware",
    "If",
    "Include",
    "Index",
    "Leave",
    "Let",
    "List",
    "Measure",
    "MeasureInto",
    "Modifier",
    "Name",
    "Node",
    "Nothing",
    "Number",
    "Parameter",
    "QubitDeclare",
    "Range",
    "Reset",
    "Return",
    "Statement",
    "Switch",
    "Time",
    "TypeNode",
    "Unary",
    "While",
]


@dataclass(slots=True)
class Nothing(Node):
    """A statement without an effect here, such as a pragma."""


@dataclass(slots=True)
class Include(Node):
    """include "file";"""

    file: str


@dataclass(slots=True)
class QubitDeclare(Node):
    """Qubits, a register of them if it has a size."""

    name: str
    size: Expression | None


@dataclass(slots=True)
class Declare(Node):
    """A classical variable; `how` is "", "const", "input" or "output"."""

    how: str
    type: TypeNode
    name: str
    value: Expression | None


@dataclass(slots=True)
class Let(Node):
    """let name = value;"""

    name: str
    value: Expression


@dataclass(slots=True)
class Modifier(Node):
    """ctrl, negctrl, inv or pow, with what stands in parentheses."""

    word: str
    argument: Expression | None


@dataclass(slots=True)
class Apply(Node):
    """A gate on operands; `time` is how long it is to take."""

    name: str
    modifiers: list[Modifier]
    arguments: list[Expression]
    operands: list[Expression]
    time: Expression | None = None


@dataclass(slots=True)
class GateDef(Node):
    """A gate of the program's own; `native` is the contract's gate that it is known to be, by its text."""

    name: str
    parameters: list[str]
    qubits: list[str]
    body: list[Statement]
    native: str = ""


@dataclass(slots=True)
class Parameter(Node):
    """One of a subroutine's; its type is "qubit" for quantum ones."""

    type: TypeNode
    name: str


@dataclass(slots=True)
class Def(Node):
    """A subroutine."""

    name: str
    parameters: list[Parameter]
    result: TypeNode | None
    body: list[Statement]


@dataclass(slots=True)
class Extern(Node):
    """A function from elsewhere, with its parameters' types; `result` is None without a value."""

    name: str
    parameters: list[TypeNode]
    result: TypeNode | None


@dataclass(slots=True)
class MeasureInto(Node):
    """measure operand -> target; or without a target."""

    operand: Expression
    target: Expression | None


@dataclass(slots=True)
class Assign(Node):
    """target operator= value; the operator is "" for a plain one."""

    target: Expression
    operator: str
    value: Expression


@dataclass(slots=True)
class Reset(Node):
    """reset operand;"""

    operand: Expression


@dataclass(slots=True)
class Barrier(Node):
    """A barrier, or a delay or nop, on qubits: on all without any. `time` is that of a delay."""

    operands: list[Expression]
    time: Expression | None = None
    is_barrier: bool = True


@dataclass(slots=True)
class Block(Node):
    """Statements in braces, which are a scope."""

    body: list[Statement]


@dataclass(slots=True)
class Box(Node):
    """box[time] { … }"""

    time: Expression | None
    body: list[Statement]


@dataclass(slots=True)
class If(Node):
    """if (condition) … else …"""

    condition: Expression
    body: list[Statement]
    otherwise: list[Statement]


@dataclass(slots=True)
class While(Node):
    """while (condition) …"""

    condition: Expression
    body: list[Statement]


@dataclass(slots=True)
class For(Node):
    """for type name in values …"""

    type: TypeNode
    name: str
    values: Expression
    body: list[Statement]


@dataclass(slots=True)
class Switch(Node):
    """switch (target) { case … }; `default` is None without one."""

    target: Expression
    cases: list[tuple[list[Expression], list[Statement]]]
    default: list[Statement] | None


@dataclass(slots=True)
class Leave(Node):
    """break, continue or end."""

    word: str


@dataclass(slots=True)
class Return(Node):
    """return value;"""

    value: Expression | None


@dataclass(slots=True)
class Evaluate(Node):
    """An expression for its effects: a call."""

    value: Expression


Statement: TypeAlias = (
    Nothing
    | Include
    | QubitDeclare
    | Declare
    | Let
    | Apply
    | GateDef
    | Def
    | Extern
    | MeasureInto
    | Assign
    | Reset
    | Barrier
    | Block
    | Box
    | If
    | While
    | For
    | Switch
    | Leave
    | Return
    | Evaluate
)
