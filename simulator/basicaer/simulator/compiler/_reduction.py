"""What a gate does to qubits that are known to be in a basis state, and what is left of it for the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from basicaer.simulator.circuit._gate_table import GATES
from basicaer.simulator.circuit._gates import GateSpec, Matrices
from basicaer.simulator.circuit._layout import qubits_of
from basicaer.simulator.circuit._operations import Operation

LIVE = -1
"""A qubit's value when it isn't known to be in a basis state."""

Pattern: TypeAlias = tuple[int, ...]
"""The values of an instruction's qubits: 0, 1 or LIVE."""

_MOST_TARGETS = 5


class Effect(NamedTuple):
    """The values of an instruction's qubits before and after it. `is_void` says that a control forbids it."""

    before: Pattern
    after: Pattern
    is_void: bool


class Reduction:
    """The gates of a table, as they act on known qubits. `operations` are those that go behind the table.

    Without `has_parameters`, nothing is said of a gate that has any, but that a control may forbid it.
    """

    def __init__(self, table: Sequence[Operation], has_parameters: bool) -> None:
        self._table = table
        self._has_parameters = has_parameters
        self._effects: dict[tuple[int, Pattern], Effect] = {}
        self._pieces: dict[tuple[object, ...], tuple[tuple[int, tuple[int, ...]], ...]] = {}
        self._flip: int | None = None
        self.operations: list[Operation] = []

    def always_mixes(self, index: int) -> bool:
        """Whether an operation takes its only qubit out of every basis state."""
        operation = self._table[index]
        spec = GATES.get(operation.name)
        if operation.condition is not None or (spec is None and operation.matrix is None):
            return False
        if qubits_of(operation) != 1:
            return False
        is_open = spec is not None and spec.num_parameters > 0 and not self._has_parameters
        return is_open or bool(_support(operation).all())

    def effect(self, index: int, before: Pattern) -> Effect:
        """Return what an instruction of plain operation `index` does to qubits of which some are known."""
        key = (index, before)
        effect = self._effects.get(key)
        if effect is None:
            effect = self._effects[key] = self._effect(self._table[index], before)
        return effect

    def _effect(self, operation: Operation, before: Pattern) -> Effect:
        targets = num_targets(operation)
        controls = len(before) - targets
        state = _control_state(operation, controls)
        if any(value not in (LIVE, state >> place & 1) for place, value in enumerate(before[:controls])):
            return Effect(before, before, True)
        spec = GATES.get(operation.name)
        if spec is not None and spec.num_parameters and not self._has_parameters:
            return Effect(before, (LIVE,) * len(before), False)
        outer, inner = before[:controls], before[controls:]
        known = [place for place, value in enumerate(inner) if value != LIVE]
        after = list(inner)
        if known and targets > _MOST_TARGETS:
            after = [LIVE] * targets
        elif known:
            mask = sum(1 << place for place in known)
            bits = sum(inner[place] << place for place in known)
            support = _support(operation)
            columns = np.arange(1 << targets) & mask == bits
            reached = np.flatnonzero(support[:, columns].any(axis=1)) & mask
            moves = bool((reached != reached[0]).any())
            if moves or (LIVE in outer and int(reached[0]) != bits):
                after = [LIVE] * targets
            else:
                for place in known:
                    after[place] = int(reached[0]) >> place & 1
        return Effect(before, (*outer, *after), False)

    def flip(self) -> int:
        """Return the number of an operation that exchanges 0 and 1."""
        if self._flip is None:
            self._flip = self._added(Operation("x", 1))
        return self._flip

    def pieces(
        self, index: int, effect: Effect, parameters: tuple[float, ...]
    ) -> tuple[tuple[int, tuple[int, ...]], ...]:
        """Return what is left for the qubits that weren't known: operations, with the places of their
        qubits.
        """
        key = (index, effect, parameters)
        found = self._pieces.get(key)
        if found is None:
            found = self._pieces[key] = tuple(self._made(self._table[index], effect, parameters))
        return found

    def _made(
        self, operation: Operation, effect: Effect, parameters: tuple[float, ...]
    ) -> Iterator[tuple[int, tuple[int, ...]]]:
        if effect.is_void:
            return
        after = effect.after
        # What becomes live has a wire, on which the gate acts as it does.
        before = tuple(LIVE if new == LIVE else old for old, new in zip(effect.before, after, strict=True))
        targets = num_targets(operation)
        first = len(before) - targets
        state = _control_state(operation, first)
        controls = [place for place in range(first) if before[place] == LIVE]
        wanted = [state >> place & 1 for place in controls]
        rest = [place for place in range(first, len(before)) if before[place] == LIVE]
        matrix = _part(_matrix(operation, parameters), before[first:], after[first:])
        if not rest:
            factor = complex(matrix[0, 0])
            if factor == 1.0:
                return
            if controls:
                # A phase under controls is a phase of the last of them.
                on = wanted.pop()
                rest = [controls.pop()]
                matrix = np.diag([1.0, factor] if on else [factor, 1.0]).astype(np.complex128)
        made = Operation(
            "unitary",
            len(controls) + len(rest),
            num_controls=len(controls),
            control_state=sum(bit << place for place, bit in enumerate(wanted)) if controls else None,
            matrix=np.ascontiguousarray(matrix, dtype=np.complex128),
        )
        yield self._added(made), (*controls, *rest)

    def _added(self, operation: Operation) -> int:
        self.operations.append(operation)
        return len(self._table) + len(self.operations) - 1


def num_targets(operation: Operation) -> int:
    """How many qubits of a gate's instruction are not controls."""
    if operation.matrix is not None:
        return len(operation.matrix).bit_length() - 1
    return GATES[operation.name].num_targets


def _control_state(operation: Operation, controls: int) -> int:
    """Return the bits on which all controls act: the extra ones come first, the gate's own ones act on 1."""
    own = controls - operation.num_controls
    state = operation.control_state
    if state is None:
        state = (1 << operation.num_controls) - 1
    return state | ((1 << own) - 1) << operation.num_controls


def _matrix(operation: Operation, parameters: tuple[float, ...]) -> Matrices:
    """Return the matrix on the targets."""
    if operation.matrix is not None:
        return np.asarray(operation.matrix, dtype=np.complex128)
    values = np.array(parameters, dtype=np.float64).reshape(1, -1)
    matrix: Matrices = GATES[operation.name].target_matrices(values)[0]
    return matrix


def _part(matrix: Matrices, before: Pattern, after: Pattern) -> Matrices:
    """Return the part of a matrix that leads from known values to known values, on the qubits that aren't
    known.
    """
    index = np.arange(len(matrix))
    mask = sum(1 << place for place, value in enumerate(before) if value != LIVE)
    start = sum(value << place for place, value in enumerate(before) if value != LIVE)
    stop = sum(value << place for place, value in enumerate(after) if before[place] != LIVE)
    return matrix[np.ix_(index & mask == stop, index & mask == start)]


def _support(operation: Operation) -> npt.NDArray[np.bool_]:
    """Which entries of the matrix on the targets can differ from 0."""
    if operation.matrix is not None:
        entries: npt.NDArray[np.bool_] = np.asarray(operation.matrix) != 0.0
        return entries
    return _spec_support(GATES[operation.name])


@cache
def _spec_support(spec: GateSpec) -> npt.NDArray[np.bool_]:
    # No entry of a gate of the table is 0 at these parameters, unless it always is.
    values = np.linspace(0.4, 1.3, max(spec.num_parameters, 1))[None, : spec.num_parameters]
    found: npt.NDArray[np.bool_] = np.abs(spec.target_matrices(values)[0]) > 0.0
    return found
