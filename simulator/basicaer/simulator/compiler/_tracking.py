"""Follows the qubits of a large circuit that are known to be in a basis state, from |0…0⟩ on.

A flip or a phase leaves such a qubit in a basis state; a control on it is decided at once. A qubit that stays
so to the end needs no amplitudes: its gates become phases, and gates on others lose what depended on it.
Whatever is under classical control makes the qubits that it acts on *live*, and so does what isn't understood
here: to hold more qubits than needed is only slower.

Qubits that are live at any time are held all the time, so nothing changes for the gates that act on them
alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from basicaer.simulator.circuit._circuit import Circuit
from basicaer.simulator.circuit._layout import NO_EFFECT, Layout, acting, owners_of
from basicaer.simulator.circuit._operations import Initialize, Operation
from basicaer.simulator.compiler._reduction import LIVE, Effect, Pattern, Reduction

Mask = npt.NDArray[np.bool_]

_MOST_STEPS = 1 << 13
"""A longer search is given up, and every qubit that a gate acts on is held."""


class Piece(NamedTuple):
    """What becomes of a gate: operation `operation` of the longer table, on `qubits`."""

    operation: int
    qubits: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Tracked:
    """What is known of the qubits that aren't held, by the numbers of the outermost block's instructions.

    `ones` has the measurements of such a qubit in 1, and `saved_ones` for each save those of its qubits that
    are in 1; `final_ones` are in 1 at the end. `replaced` has what is done instead of an instruction on such
    qubits, with `operations` behind those of the circuit's table.
    """

    ones: frozenset[int] = frozenset()
    saved_ones: dict[int, tuple[int, ...]] = field(default_factory=dict)
    final_ones: tuple[int, ...] = ()
    replaced: dict[int, tuple[Piece, ...]] = field(default_factory=dict)
    operations: tuple[Operation, ...] = ()


NOTHING_TRACKED = Tracked()


def track(circuit: Circuit, layout: Layout, active: Mask, *, has_parameters: bool) -> tuple[Mask, Tracked]:
    """Which qubits have to be held, and what is known of the others. `active` are those that gates act on."""
    tracker = _Tracker(circuit, layout, active, has_parameters)
    tracker.walk()
    return tracker.live, tracker.tracked()


class _Nested(NamedTuple):
    """What the blocks of an operation do with qubits: change them, or look at them."""

    acts: frozenset[int]
    looks: frozenset[int]
    sees_all: bool


class _Tracker:
    def __init__(self, circuit: Circuit, layout: Layout, active: Mask, has_parameters: bool) -> None:
        self._table = circuit.operations
        self._block = circuit.body
        self._layout = layout
        self._offsets = layout.offsets(circuit.body)
        self._active = active
        self._values = [0] * circuit.num_qubits
        self._ones: set[int] = set()
        self._reduction = Reduction(self._table, has_parameters)
        self._nested = _nested_uses(self._table, layout)
        self._gates: list[tuple[int, int, list[int], Effect]] = []
        self._measured: list[tuple[int, int]] = []
        self._saved: dict[int, tuple[int, ...]] = {}
        self._steps = 0

    @property
    def live(self) -> Mask:
        """Which qubits are live at the end."""
        return np.array([value == LIVE for value in self._values], dtype=np.bool_)

    def walk(self) -> None:
        """Follow the outermost block."""
        block, starts = self._block, self._offsets.qubits
        numbers = self._candidates()
        for number in numbers:
            self._steps += 1
            if self._steps > _MOST_STEPS:
                self._enliven(np.flatnonzero(self._active).tolist())
                return
            index = int(block.operations[number])
            self._take(number, index, block.qubits[starts[number] : starts[number + 1]].tolist())

    def tracked(self) -> Tracked:
        """Return what is known, once it is clear which qubits are live."""
        values = self._values
        replaced: dict[int, tuple[Piece, ...]] = {}
        for number, index, qubits, effect in self._gates:
            if all(values[qubit] == LIVE for qubit in qubits):
                continue
            first = self._offsets.parameters[number : number + 2]
            parameters = tuple(self._block.parameters[first[0] : first[1]].tolist())
            pieces = [
                Piece(operation, tuple(qubits[place] for place in places))
                for operation, places in self._reduction.pieces(index, effect, parameters)
            ]
            # A qubit that is known as yet, but live later, has a wire: it is flipped there.
            pieces.extend(
                Piece(self._reduction.flip(), (qubit,))
                for qubit, before, after in zip(qubits, effect.before, effect.after, strict=True)
                if LIVE not in (before, after) and after != before and values[qubit] == LIVE
            )
            replaced[number] = tuple(pieces)
        return Tracked(
            frozenset(number for number, qubit in self._measured if values[qubit] != LIVE),
            {
                number: tuple(qubit for qubit in ones if values[qubit] != LIVE)
                for number, ones in self._saved.items()
            },
            tuple(sorted(self._ones)),
            replaced,
            tuple(self._reduction.operations),
        )

    def _candidates(self) -> list[int]:
        """Return the instructions that may meet a known qubit, in order."""
        block, starts = self._block, self._offsets.qubits
        count = len(block)
        owners = owners_of(starts)
        mixing = np.array(
            [self._reduction.always_mixes(index) for index in range(len(self._table))], dtype=np.bool_
        )
        mixes = mixing[block.operations][owners]
        first = np.full(len(self._values), count, dtype=np.int64)
        chosen, holders = block.qubits[mixes], owners[mixes]
        first[chosen[::-1]] = holders[::-1]
        wanted = np.zeros(count, dtype=np.bool_)
        wanted[owners[(owners <= first[block.qubits]) & self._active[block.qubits]]] = True
        flows = np.array([nested is not None for nested in self._nested], dtype=np.bool_)
        looks = np.array([operation.save is not None for operation in self._table], dtype=np.bool_)
        wanted |= flows[block.operations] | looks[block.operations]
        return [int(number) for number in np.flatnonzero(wanted)]

    def _take(self, number: int, index: int, qubits: list[int]) -> None:
        """Follow one instruction."""
        operation, nested, values = self._table[index], self._nested[index], self._values
        if nested is not None:
            self._flow(nested)
        elif operation.name in NO_EFFECT:
            return
        elif operation.condition is not None:
            self._under_condition(operation, qubits)
        elif operation.name == "measure":
            if values[qubits[0]] == 1:
                self._measured.append((number, qubits[0]))
        elif operation.name == "reset":
            if values[qubits[0]] == 1:
                self._set(qubits[0], 0)
        elif operation.save is not None:
            ones = self._ones if operation.save.is_whole else self._ones.intersection(qubits)
            self._steps += len(ones)
            if ones:
                self._saved[number] = tuple(sorted(ones))
        elif operation.initialize is not None:
            self._initialize(operation.initialize, qubits)
        elif operation.parameter_expressions or operation.channel or operation.set_state:
            self._enliven(qubits)
        elif qubits:
            pattern: Pattern = tuple([values[qubit] for qubit in qubits])
            if max(pattern) == LIVE == min(pattern):
                return
            effect = self._reduction.effect(index, pattern)
            for qubit, value in zip(qubits, effect.after, strict=True):
                if value != values[qubit]:
                    self._set(qubit, value)
            self._gates.append((number, index, qubits, effect))

    def _initialize(self, initialize: Initialize, qubits: list[int]) -> None:
        """Known qubits may get a new basis state; a live one stays live."""
        letters = initialize.label
        if initialize.basis_state is not None:
            letters = f"{initialize.basis_state:0{len(qubits)}b}" if qubits else ""
        if letters is None:
            self._enliven(qubits)
            return
        for qubit, letter in zip(qubits, reversed(letters), strict=True):
            if self._values[qubit] != LIVE:
                self._set(qubit, int(letter) if letter in "01" else LIVE)

    def _under_condition(self, operation: Operation, qubits: list[int]) -> None:
        if operation.name in ("measure", "reset", "save"):
            is_whole = operation.save is not None and operation.save.is_whole
            self._enliven(sorted(self._ones if is_whole else self._ones.intersection(qubits)))
        else:
            self._enliven(qubits)

    def _flow(self, nested: _Nested) -> None:
        """Compile what is nested once, for qubits that are in 0 or live."""
        self._steps += len(nested.acts)
        self._enliven(sorted(nested.acts))
        self._enliven(sorted(self._ones if nested.sees_all else self._ones & nested.looks))

    def _enliven(self, qubits: Sequence[int]) -> None:
        for qubit in qubits:
            self._set(qubit, LIVE)

    def _set(self, qubit: int, value: int) -> None:
        self._values[qubit] = value
        if value == 1:
            self._ones.add(qubit)
        else:
            self._ones.discard(qubit)


def _nested_uses(table: Sequence[Operation], layout: Layout) -> list[_Nested | None]:
    """For each operation with blocks, what they do; those of nested blocks come from operations before it."""
    found: list[_Nested | None] = []
    acts = acting(table)
    for operation in table:
        blocks = operation.blocks()
        if not blocks:
            found.append(None)
            continue
        changed: set[int] = set()
        looked: set[int] = set()
        sees_all = False
        for _, block in blocks:
            changes = acts[block.operations].repeat(layout.qubits[block.operations])
            changed.update(block.qubits[changes].tolist())
            looked.update(block.qubits[~changes].tolist())
            for index in np.unique(block.operations).tolist():
                inner, save = found[index], table[index].save
                sees_all |= save is not None and save.is_whole
                if inner is not None:
                    changed |= inner.acts
                    looked |= inner.looks
                    sees_all |= inner.sees_all
        found.append(_Nested(frozenset(changed), frozenset(looked), sees_all))
    return found
