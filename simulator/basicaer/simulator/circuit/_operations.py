"""The parts of a circuit: registers, variables, blocks of packed instructions, and their operations.

They mirror `circuit.proto` one to one. All are immutable, and none is checked here: `validate` does that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from enum import Enum
from typing import Any

import numpy as np
import numpy.typing as npt
from basicaer.simulator.circuit._channels import Channel
from basicaer.simulator.circuit._expressions import ClassicalType, Expression, Reference
from basicaer.simulator.circuit._given_states import GivenState
from basicaer.simulator.circuit._readout_error import ReadoutError

_EMPTY_INDICES: npt.NDArray[np.uint32] = np.zeros(0, dtype=np.uint32)
_EMPTY_INDICES.flags.writeable = False
_EMPTY_PARAMETERS: npt.NDArray[np.float64] = np.zeros(0, dtype=np.float64)
_EMPTY_PARAMETERS.flags.writeable = False


@dataclass(frozen=True, slots=True)
class Register:
    """A name for the circuit's bits `bits`, the register's least significant first. `size` is `len(bits)`."""

    name: str
    size: int
    bits: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """A classical variable.

    It starts as `value`, and as zero when that is None. An input has no value before `bind` gives it one.
    """

    name: str
    type: ClassicalType
    is_input: bool = False
    value: bool | int | float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Instructions in columns: instruction i applies operation `operations[i]` to its next operands.

    `operations`, `qubits` and `clbits` are uint32, `parameters` is float64 (radians), all of one dimension.
    Anything that numpy converts to these is accepted; an array of the right type is not copied. The columns
    are read-only.

    Parameters that depend on inputs have terms: term j adds `term_factors[j]` (float64) times the variable
    `term_variables[j]` (uint32) to `parameters[term_parameters[j]]` (uint32).
    """

    operations: npt.NDArray[np.uint32] = field(default_factory=lambda: _EMPTY_INDICES)
    qubits: npt.NDArray[np.uint32] = field(default_factory=lambda: _EMPTY_INDICES)
    clbits: npt.NDArray[np.uint32] = field(default_factory=lambda: _EMPTY_INDICES)
    parameters: npt.NDArray[np.float64] = field(default_factory=lambda: _EMPTY_PARAMETERS)
    term_parameters: npt.NDArray[np.uint32] = field(default_factory=lambda: _EMPTY_INDICES)
    term_variables: npt.NDArray[np.uint32] = field(default_factory=lambda: _EMPTY_INDICES)
    term_factors: npt.NDArray[np.float64] = field(default_factory=lambda: _EMPTY_PARAMETERS)

    def __post_init__(self) -> None:
        for name in ("operations", "qubits", "clbits", "term_parameters", "term_variables"):
            values = getattr(self, name)
            if values is not _EMPTY_INDICES:
                object.__setattr__(self, name, _column(values, np.uint32))
        for name in ("parameters", "term_factors"):
            values = getattr(self, name)
            if values is not _EMPTY_PARAMETERS:
                object.__setattr__(self, name, _column(values, np.float64))

    def __len__(self) -> int:
        return len(self.operations)

    def __reduce__(self) -> tuple[Any, ...]:
        """By the constructor: kernels are compiled for columns that can't be written to."""
        return Block, tuple(getattr(self, each.name) for each in fields(self))


def _column(values: npt.ArrayLike, dtype: type[np.generic]) -> npt.NDArray[np.generic]:
    column = np.ascontiguousarray(values, dtype=dtype).reshape(-1).view()
    column.flags.writeable = False
    return column


@dataclass(frozen=True, slots=True, eq=False)
class Initialize:
    """A state to prepare; exactly one field is set.

    `amplitudes` is complex of length 2^k, with the operation's first qubit as the least significant bit.
    `label` has one of 0 1 + - r l for each qubit, the last qubit first. `basis_state` is an index.
    """

    amplitudes: npt.NDArray[np.complex128] | None = None
    label: str | None = None
    basis_state: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Store:
    """The assignment `target = value`."""

    target: Reference
    value: Expression


@dataclass(frozen=True, slots=True, eq=False)
class IfElse:
    """A choice between two blocks. `condition` is of type bool or bit."""

    condition: Expression
    then_block: Block
    else_block: Block | None = None


@dataclass(frozen=True, slots=True, eq=False)
class WhileLoop:
    """A loop that runs while `condition`, of type bool or bit, holds before a turn."""

    condition: Expression
    body: Block


@dataclass(frozen=True, slots=True, eq=False)
class ForLoop:
    """A loop over the integers `values`. `variable` is the index of the variable that takes each, or None."""

    values: range | tuple[int, ...]
    body: Block
    variable: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One case of a switch: the values that select it, and whether it fits every value."""

    values: tuple[int, ...]
    body: Block
    is_default: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class SwitchCase:
    """A choice by value. The first case that fits is run, without falling through."""

    target: Expression
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class Observable:
    """A Hermitian operator on k qubits: the sum of `coefficients[i]` times the product `paulis[i]`.

    A product has one letter of I X Y Z for each qubit, the last qubit first.
    """

    paulis: tuple[str, ...]
    coefficients: tuple[float, ...]


class SaveKind(Enum):
    """What `Save` keeps of a state."""

    STATEVECTOR = "statevector"
    AMPLITUDES = "amplitudes"
    AMPLITUDES_SQUARED = "amplitudes_squared"
    PROBABILITIES = "probabilities"
    EXPECTATION_VALUES = "expectation_values"
    EXPECTATION_VALUE_VARIANCE = "expectation_value_variance"
    DENSITY_MATRIX = "density_matrix"
    DETECTORS = "detectors"
    UNITARY = "unitary"
    STABILIZER = "stabilizer"
    SUPEROPERATOR = "superoperator"
    MATRIX_PRODUCT_STATE = "matrix_product_state"


SINGLE = frozenset(
    {
        SaveKind.STATEVECTOR,
        SaveKind.AMPLITUDES,
        SaveKind.UNITARY,
        SaveKind.STABILIZER,
        SaveKind.SUPEROPERATOR,
        SaveKind.MATRIX_PRODUCT_STATE,
    }
)
"""What is kept of one shot, as it has no mean; of all other kinds it is the mean over shots."""


@dataclass(frozen=True, slots=True, eq=False)
class Save:
    """Keeps something of the state under `label`, which is unique in the circuit.

    The state vector is that of the whole circuit, and so are the amplitudes of its `basis_states`, and their
    squared magnitudes. Probabilities are those of the instruction's qubits, the first of which is the least
    significant bit, and so is a density matrix; `observables`, for expectation values, act on them. With a
    variance there is one. The circuit's unitary matrix so far is there for `unitary` alone, and the tableau
    of a stabilizer state, a superoperator and a matrix product state for the methods of these.

    `per_shot` keeps it for each shot, each time that one comes by. `conditional` keeps it for each value that
    the circuit's classical bits have then. `unnormalized` keeps the sum over shots in place of the mean.
    `as_dict` and `as_operator` are for those who show it, and change nothing.

    `detectors` are lists of classical bits, which the instruction reads. Each gives one bit a shot: whether
    the parity of its bits differs from that of a shot without noise.
    """

    label: str
    kind: SaveKind
    observables: tuple[Observable, ...] = ()
    detectors: tuple[tuple[int, ...], ...] = ()
    basis_states: tuple[int, ...] = ()
    per_shot: bool = False
    conditional: bool = False
    unnormalized: bool = False
    as_dict: bool = False
    as_operator: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether it looks at all of the circuit's qubits, and not at the instruction's."""
        return self.kind in SINGLE or self.kind is SaveKind.AMPLITUDES_SQUARED

    @property
    def needs_outcomes(self) -> bool:
        """Whether what is kept depends on outcomes of other qubits too: it isn't a mean over them."""
        is_single = self.kind in SINGLE or self.kind is SaveKind.EXPECTATION_VALUE_VARIANCE
        return is_single or self.per_shot or self.conditional

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the arrays that it gives."""
        if self.kind is SaveKind.MATRIX_PRODUCT_STATE:
            return (self.label, bonds_label(self.label), weights_label(self.label))
        return (self.label, outcomes_label(self.label)) if self.conditional else (self.label,)


def outcomes_label(label: str) -> str:
    """Return the label of the array with the classical bits' values of a conditional save."""
    return f"{label}.outcomes"


def bonds_label(label: str) -> str:
    """Return the label of the array with the bonds of a matrix product state that is saved."""
    return f"{label}.bonds"


def weights_label(label: str) -> str:
    """Return the label of the array with its singular values."""
    return f"{label}.weights"


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """One distinct operation: a gate, a measurement, noise, or a structure of control flow.

    `num_qubits` counts the extra controls, which are the first of the qubits; it may be 0 for a name of fixed
    width, as `num_clbits` may for measure and readout_error, and `num_parameters` for a name with a fixed
    number of them. `control_state` has bit k for extra control k, and None means all ones. `matrix` is
    complex128 of shape (2^k, 2^k), or None; one that can be written to is copied.
    """

    name: str
    num_qubits: int = 0
    num_clbits: int = 0
    num_parameters: int = 0
    num_controls: int = 0
    control_state: int | None = None
    condition: Expression | None = None
    parameter_expressions: tuple[Expression, ...] = ()
    matrix: npt.NDArray[np.complex128] | None = None
    initialize: Initialize | None = None
    store: Store | None = None
    if_else: IfElse | None = None
    while_loop: WhileLoop | None = None
    for_loop: ForLoop | None = None
    switch_case: SwitchCase | None = None
    label: str = ""
    unit: str = ""
    save: Save | None = None
    channel: Channel | None = None
    readout: ReadoutError | None = None
    set_state: GivenState | None = None

    def __post_init__(self) -> None:
        matrix = self.matrix
        if isinstance(matrix, np.ndarray) and matrix.flags.writeable:
            matrix = matrix.copy()
            matrix.flags.writeable = False
            object.__setattr__(self, "matrix", matrix)

    def __reduce__(self) -> tuple[Any, ...]:
        """By the constructor, which keeps the matrix from being written to."""
        return Operation, tuple(getattr(self, each.name) for each in fields(self))

    def blocks(self) -> Sequence[tuple[str, Block]]:
        """Return the nested blocks, each with its name in a `CircuitError.path`."""
        found: list[tuple[str, Block]] = []
        if self.if_else is not None:
            found.append(("then_block", self.if_else.then_block))
            if self.if_else.else_block is not None:
                found.append(("else_block", self.if_else.else_block))
        if self.while_loop is not None:
            found.append(("while_body", self.while_loop.body))
        if self.for_loop is not None:
            found.append(("for_body", self.for_loop.body))
        if self.switch_case is not None:
            found.extend((f"case_{number}", case.body) for number, case in enumerate(self.switch_case.cases))
        return found

    def with_blocks(self, change: Callable[[Block], Block]) -> Operation:
        """Return the operation with `change` applied to each of its nested blocks; itself without any."""
        if not self.blocks():
            return self
        choice, loop, turns, switch = self.if_else, self.while_loop, self.for_loop, self.switch_case
        if choice is not None:
            other = None if choice.else_block is None else change(choice.else_block)
            choice = replace(choice, then_block=change(choice.then_block), else_block=other)
        if loop is not None:
            loop = replace(loop, body=change(loop.body))
        if turns is not None:
            turns = replace(turns, body=change(turns.body))
        if switch is not None:
            cases = tuple(replace(case, body=change(case.body)) for case in switch.cases)
            switch = replace(switch, cases=cases)
        return replace(self, if_else=choice, while_loop=loop, for_loop=turns, switch_case=switch)
