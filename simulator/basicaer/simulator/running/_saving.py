"""Collects what a run's `save` instructions keep: means over the shots that reach them, the state of one, or
what each shot had.

What is kept for each shot hangs on its branch, as a trail: shots that part later share what they had before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, TypeAlias

import numpy as np
import numpy.typing as npt
from basicaer.simulator._control import RunControl
from basicaer.simulator._outcomes import Counts, Words, in_order, int_to_words, num_words
from basicaer.simulator.circuit._operations import (
    SINGLE,
    Save,
    SaveKind,
    bonds_label,
    outcomes_label,
    weights_label,
)
from basicaer.simulator.compiler._program import StepProgram
from basicaer.simulator.compiler._steps import SaveStep
from basicaer.simulator.methods.interface import Method, S
from basicaer.simulator.running._branches import Branch, Trail, latest_first

_Key: TypeAlias = tuple[str, int | None]
_Order: TypeAlias = npt.NDArray[np.int64]


class Saved(Generic[S]):
    """The saved arrays of one run of a program by `method`; `phase` is the circuit's, as a factor.

    `generator` says which of the shots with the same outcome has its state kept.
    """

    def __init__(
        self,
        method: Method[S],
        phase: complex,
        program: StepProgram,
        generator: np.random.Generator,
        threads: int | None,
    ) -> None:
        self._method = method
        self._phase = phase
        self._wires = program.wires
        self._width = num_words(program.num_clbits)
        self._generator = generator
        self._threads = threads
        self._saves = program.saves
        # What is kept by labels, and for conditional saves by the classical bits' values.
        self._found: dict[_Key, npt.NDArray[Any]] = {}
        self._weights: dict[_Key, int] = {}
        # Arrays that belong to others.
        self._beside: dict[str, npt.NDArray[Any]] = {}
        self._ends: list[tuple[Trail | None, Words, Counts]] = []
        self._kept_end = -1
        self.is_per_shot = any(save.per_shot for save in program.saves)

    def add(self, step: SaveStep, branch: Branch[S], state: S, control: RunControl) -> None:
        """Take what `step` keeps of the state of a branch's shots."""
        save = step.save
        # What a branch comes by again, it has counted before it parted from another; its trail is lost.
        if branch.replay and not save.per_shot:
            return
        clbits = branch.memory.clbits if save.conditional else None
        if save.per_shot:
            branch.trail = ((save.label, self._value(step, state, control), clbits), branch.trail)
            return
        key = (save.label, clbits)
        before = self._weights.get(key, 0)
        if save.kind in SINGLE:
            if save.conditional:
                total = before + branch.shots
                is_wanted = not before or int(self._generator.integers(total)) < branch.shots
            else:
                # That of the last shot, if it comes by.
                is_wanted = branch.is_kept or not before or save.kind is SaveKind.UNITARY
            if is_wanted:
                # The array before it goes first, so that there are never two.
                self._found.pop(key, None)
                self._found[key] = self._value(step, state, control)
        else:
            values = self._value(step, state, control) * branch.shots
            if before:
                self._found[key] += values
            else:
                self._found[key] = values
        self._weights[key] = before + branch.shots

    def end(self, branch: Branch[S], words: Words, counts: Counts, *, is_kept: bool) -> None:
        """Note that a branch has ended, its shots with these outcomes of shape (k, words)."""
        if is_kept:
            self._kept_end = len(self._ends)
        self._ends.append((branch.trail, words, counts))

    def shots(self, permutation: npt.NDArray[np.int64], kept: Words | None) -> tuple[Words, _Order]:
        """Return the outcome of each shot, and which branch it belongs to.

        The order is that of the distinct outcomes as often as they were seen, changed by `permutation`; the
        last shot is one of the kept branch with the outcome `kept`, unless that is None.
        """
        words = np.concatenate([words for _, words, _ in self._ends])
        counts = np.concatenate([counts for _, _, counts in self._ends])
        owners = np.repeat(np.arange(len(self._ends)), [len(counts) for _, _, counts in self._ends])
        order = in_order(words)
        chosen = np.repeat(order, counts[order])[permutation]
        rows, ends = words[chosen], owners[chosen]
        if kept is not None:
            its = (rows == kept).all(axis=1) & (ends == self._kept_end)
            last = int(np.flatnonzero(its)[0])
            for column in (rows, ends):
                column[[last, -1]] = column[[-1, last]]
        return rows, ends

    def arrays(self, ends: _Order | None) -> dict[str, npt.NDArray[Any]]:
        """Return the arrays by label; `ends` has each shot's branch. What no shot has reached isn't there."""
        found: dict[str, npt.NDArray[Any]] = dict(self._beside)
        for save in self._saves:
            if save.per_shot:
                if ends is not None:
                    found.update(self._listed(save, ends))
                continue
            keys = [key for key in self._found if key[0] == save.label]
            for key in keys:
                if save.kind not in SINGLE and not save.unnormalized:
                    self._found[key] /= self._weights[key]
            if not save.conditional:
                found.update((key[0], self._found[key]) for key in keys)
            elif keys:
                keys.sort(key=lambda key: key[1] or 0)
                found[save.label] = np.stack([self._found.pop(key) for key in keys])
                found[outcomes_label(save.label)] = self._words([key[1] or 0 for key in keys])
        return found

    def _listed(self, save: Save, ends: _Order) -> dict[str, npt.NDArray[Any]]:
        """Return what a save has kept of each shot, in their order, each time that one came by."""
        values: list[npt.NDArray[Any]] = []
        clbits: list[int] = []
        numbers: dict[int, int] = {}
        places: list[list[int]] = []
        for trail, _, _ in self._ends:
            own: list[int] = []
            for entry in reversed(latest_first(trail)):
                label, value, bits = entry
                if label != save.label:
                    continue
                # Branches share entries that they have in common.
                number = numbers.setdefault(id(entry), len(values))
                if number == len(values):
                    values.append(value)
                    clbits.append(bits or 0)
                own.append(number)
            places.append(own)
        if not values:
            return {}
        lengths = np.array([len(own) for own in places], dtype=np.int64)
        starts = np.cumsum(lengths) - lengths
        flat = np.array([number for own in places for number in own], dtype=np.int64)
        times = lengths[ends]
        within = np.arange(int(times.sum())) - np.repeat(np.cumsum(times) - times, times)
        index = flat[np.repeat(starts[ends], times) + within]
        found = {save.label: np.stack(values)[index]}
        if save.conditional:
            found[outcomes_label(save.label)] = self._words(clbits)[index]
        return found

    def _words(self, outcomes: Sequence[int]) -> Words:
        rows = [int_to_words(outcome, 64 * self._width) for outcome in outcomes]
        return np.stack(rows)

    def _value(self, step: SaveStep, state: S, control: RunControl) -> npt.NDArray[Any]:
        method, wires = self._method, self._wires
        match step.save.kind:
            case SaveKind.STATEVECTOR:
                return method.statevector(
                    state, wires.num_qubits, wires.qubits.tolist(), step.ones, self._phase, control
                )
            case SaveKind.AMPLITUDES | SaveKind.AMPLITUDES_SQUARED:
                return self._amplitudes(step, state, control)
            case SaveKind.PROBABILITIES:
                return method.probabilities(state, step.qubits, control)
            case SaveKind.DENSITY_MATRIX:
                return method.density_matrix(state, step.qubits, control)
            case SaveKind.EXPECTATION_VALUES:
                return step.expectations(method, state.num_qubits).values(state, control, self._threads)
            case SaveKind.MATRIX_PRODUCT_STATE:
                chain = method.chain(state, wires.num_qubits, wires.qubits.tolist(), step.ones, control)
                label = step.save.label
                self._beside[bonds_label(label)], self._beside[weights_label(label)] = chain[1:]
                # Each amplitude is a product with the first tensor.
                chain.tensors[: 2 * int(chain.bonds[min(1, len(chain.bonds) - 1)])] *= self._phase
                return chain.tensors
            case SaveKind.SUPEROPERATOR:
                return method.superoperator(state, control)
            case SaveKind.UNITARY:
                return method.unitary(state, wires.num_qubits, wires.qubits.tolist(), self._phase, control)
            case SaveKind.DETECTORS | SaveKind.STABILIZER:
                raise AssertionError(f"a method that has no {step.save.kind.value} was chosen")
            case SaveKind.EXPECTATION_VALUE_VARIANCE:
                mean, square = (
                    step.expectations(method, state.num_qubits).values(state, control, self._threads).tolist()
                )
                # Rounding may leave a little less than nothing.
                return np.array([mean, max(0.0, square - mean * mean)])

    def _amplitudes(self, step: SaveStep, state: S, control: RunControl) -> npt.NDArray[Any]:
        save, wires = step.save, self._wires
        places, chosen = placed(save.basis_states, wires.qubits.tolist(), step.ones, wires.num_qubits)
        if save.kind is SaveKind.AMPLITUDES:
            own: npt.NDArray[Any] = self._method.amplitudes(state, chosen, control) * self._phase
        else:
            own = self._method.amplitudes_squared(state, chosen, control)
        found = np.zeros(len(save.basis_states), dtype=own.dtype)
        found[places] = own
        return found


def placed(
    basis_states: Sequence[int], qubits: Sequence[int], ones: Sequence[int], num_qubits: int
) -> tuple[list[int], list[int]]:
    """Return which basis states a state of `qubits` may have, where `ones` of the others are in 1 and the
    rest in 0, and their numbers there.
    """
    if len(qubits) == num_qubits:
        return list(range(len(basis_states))), list(basis_states)
    held = sum(1 << qubit for qubit in qubits)
    wanted = sum(1 << qubit for qubit in ones)
    places = [place for place, number in enumerate(basis_states) if number & ~held == wanted & ~held]
    numbers = [
        sum((basis_states[place] >> qubit & 1) << wire for wire, qubit in enumerate(qubits))
        for place in places
    ]
    return places, numbers
