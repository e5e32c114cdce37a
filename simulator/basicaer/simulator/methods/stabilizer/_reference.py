"""The reference shot: outcomes that are possible together, with no noise, and what saves see of its state.

Outcomes that are random are 0, so that the counts of a seed don't depend on stim's random numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from basicaer.simulator._control import RunControl
from basicaer.simulator.circuit._operations import Save, SaveKind
from basicaer.simulator.methods.stabilizer import _rows as rows
from basicaer.simulator.methods.stabilizer._saves import VALUES
from basicaer.simulator.methods.stabilizer._shots import Shots
from basicaer.simulator.methods.stabilizer._stim import stim
from basicaer.simulator.methods.stabilizer.kernels._frames import evaluate

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Seen = npt.NDArray[Any]

_NAMES = ("X", "Y", "Z", "H", "S", "SQRT_X", "CX", "CZ", "SWAP", "M", "R")
"""stim's names of the codes up to RESET."""

_PART = 200_000
"""So many rows at most are simulated between two looks at whether the run is cancelled."""

_SMALL = 256
"""Of so many qubits at most our own tableau takes less time than its way to stim and back."""

_MANY = 16
"""So many gates of one qubit at least in a row are brought together."""

_ALL = (1 << 64) - 1


def reference(program: rows.Rows, borders: list[int], control: RunControl) -> tuple[Bytes, list[Seen]]:
    """For each row the reference's outcome, or whether it comes by; and for each save the values that it
    sees.

    Rows from one of `borders` to the next are alike. Of expectation values there is one for each product of
    all observables; of probabilities 2^k; of a tableau the tableau.
    """
    reads = any(save.kind is SaveKind.STABILIZER or save.kind in VALUES for save, _ in program.saves)
    if program.num_qubits <= _SMALL and not reads:
        found = Shots(program).trace(control)
        control.check()
        return found
    conditional = np.isin(program.codes, (rows.IF, rows.STORE, rows.SAVE)).any()
    if conditional or len(program.codes) > _PART:
        walk = _Walk(program, control)
        walk.go(borders)
        return walk.bits, walk.values
    bits = np.zeros(len(program.codes), dtype=np.uint8)
    bits[program.codes == rows.MEASURE] = _whole(program).reference_sample()
    return bits, []


def _whole(program: rows.Rows) -> Any:
    """Return the gates, measurements and resets of a program as stim's circuit.

    Where each of many qubits in turn has a gate, gates of a kind come together: stim reads lines, and most of
    these would have one gate.
    """
    held = program.codes <= rows.RESET
    codes, first, second = program.codes[held], program.first[held], program.second[held]
    single = codes <= rows.SX
    for start, stop in pairwise([0, *(np.flatnonzero(single[1:] != single[:-1]) + 1).tolist(), len(codes)]):
        if stop - start < _MANY or not single[start]:
            continue
        if len(np.unique(first[start:stop])) == stop - start:
            order = start + np.argsort(codes[start:stop], kind="stable")
            codes[start:stop], first[start:stop] = codes[order], first[order]
    borders = [0, *(np.flatnonzero(codes[1:] != codes[:-1]) + 1).tolist()]
    if len(codes):
        borders.append(len(codes))
    return _circuit(codes, first, second, borders)


def circuit_of(program: rows.Rows, borders: list[int]) -> Any:
    """Return the gates, measurements and resets among rows, as stim's circuit."""
    return _circuit(program.codes, program.first, program.second, borders)


def _circuit(codes: Ints, first: Ints, second: Ints, borders: list[int]) -> Any:
    return stim().Circuit("\n".join(_lines(codes, first, second, borders)))


def _lines(codes: Ints, first: Ints, second: Ints, borders: list[int]) -> Iterator[str]:
    low, high = borders[0], borders[-1]
    singles = first[low:high].tolist()
    others = np.where(np.isin(codes[low:high], rows.TWO_QUBITS), second[low:high], 0)
    pairs = np.stack([first[low:high], others], axis=1).reshape(-1).tolist()
    kinds = codes[borders[:-1]].tolist()
    names = _numbers(max(pairs, default=0).bit_length())
    for code, start, stop in zip(kinds, borders, borders[1:], strict=False):
        if code > rows.RESET:
            continue
        begin, end = start - low, stop - low
        targets = pairs[2 * begin : 2 * end] if code in rows.TWO_QUBITS else singles[begin:end]
        yield f"{_NAMES[code]} {' '.join([names[target] for target in targets])}"


@lru_cache(maxsize=4)
def _numbers(bits: int) -> tuple[str, ...]:
    """Return the numbers below 2^bits as texts: to look one up takes a third of the time to write it."""
    return tuple(map(str, range(1 << bits)))


class _Walk:
    """A simulation row by row, for programs in which outcomes are read or states are looked at."""

    def __init__(self, program: rows.Rows, control: RunControl) -> None:
        self.bits = np.zeros(len(program.codes), dtype=np.uint8)
        self.values: list[Seen] = [np.zeros(0)] * len(program.saves)
        self._program = program
        self._control = control
        self._memory = program.initial.astype(np.uint64).reshape(-1, 1) * np.uint64(_ALL)
        depth = int(np.diff(program.expression_starts).max(initial=0)) + 1
        self._stack = np.zeros((depth, 1), dtype=np.uint64)
        self._simulator = stim().TableauSimulator(seed=0)
        if program.num_qubits:
            self._simulator.set_num_qubits(program.num_qubits)
        self._held = [True]

    def go(self, borders: list[int]) -> None:
        """Take the shot through all rows."""
        program = self._program
        waiting: list[int] = []
        for start, stop in pairwise(borders):
            code = int(program.codes[start])
            if code <= rows.SWAP or rows.PAULI_1 <= code <= rows.CONFUSE:
                if self._held[-1]:
                    self.bits[start:stop] = 1
                    if not waiting:
                        waiting.append(start)
                    waiting.append(stop)
                continue
            self._do(waiting)
            waiting = []
            self._step(code, start, stop)
        self._do(waiting)

    def _do(self, borders: list[int]) -> None:
        self._control.check()
        if borders:
            self._simulator.do(circuit_of(self._program, borders))

    def _step(self, code: int, start: int, stop: int) -> None:
        """Take the shot through rows that are no gates."""
        program, number = self._program, int(self._program.extra[start])
        if code == rows.MEASURE:
            for row in range(start, stop):
                outcome = self._look(int(program.first[row]))
                self.bits[row] = outcome
                self._memory[program.second[row]] = _ALL if outcome else 0
        elif code == rows.RESET:
            for row in range(start, stop):
                qubit = int(program.first[row])
                if self._look(qubit):
                    self._simulator.x(qubit)
        elif code == rows.IF:
            self._held.append(self._held[-1] and bool(self._evaluated(number)[0, 0]))
        elif code == rows.ELSE:
            self._held[-1] = self._held[-2] and not self._held[-1]
        elif code == rows.END:
            self._held.pop()
        elif code == rows.STORE and self._held[-1]:
            values = self._evaluated(number)
            place = int(program.first[start])
            targets = program.lists[program.list_starts[place] : program.list_starts[place + 1]]
            self._memory[targets] = values[: len(targets)].copy()
        elif code == rows.SAVE:
            self.values[number] = self._seen(*program.saves[number])

    def _look(self, qubit: int) -> int:
        """Measure, and return the outcome, 0 where it is random."""
        expected = self._simulator.peek_z(qubit)
        if expected == 0:
            self._simulator.postselect_z(qubit, desired_value=False)
        return int(expected < 0)

    def _evaluated(self, number: int) -> npt.NDArray[np.uint64]:
        program = self._program
        start, stop = program.expression_starts[number : number + 2].tolist()
        evaluate(program.expressions, start, stop, self._memory, self._stack)
        return self._stack

    def _seen(self, save: Save, qubits: tuple[int, ...]) -> npt.NDArray[Any]:
        if save.kind in VALUES:
            return probabilities(self._simulator, qubits)
        if save.kind is SaveKind.STABILIZER:
            return tableau(self._simulator)
        size = self._program.num_qubits
        values = []
        for observable in save.observables:
            for pauli in observable.paulis:
                letters = dict(zip(qubits, reversed(pauli), strict=True))
                string = stim().PauliString(size)
                for qubit, letter in letters.items():
                    string[qubit] = "_" if letter == "I" else letter
                values.append(float(self._simulator.peek_observable_expectation(string)))
        return np.array(values)


def tableau(simulator: Any) -> npt.NDArray[np.uint8]:
    """Return the tableau of a state of n qubits, of shape (2 n, 2 n + 1), as `RunResult.saved` has it."""
    x_x, x_z, z_x, z_z, x_signs, z_signs = simulator.current_inverse_tableau().inverse().to_numpy()
    rows = [np.column_stack([x_x, x_z, x_signs]), np.column_stack([z_x, z_z, z_signs])]
    return np.concatenate(rows).astype(np.uint8)


def probabilities(simulator: Any, qubits: tuple[int, ...]) -> Floats:
    """How likely each value of `qubits` is in a state: all of those that are possible are equally likely."""
    found = np.zeros(1 << len(qubits))

    def go(state: Any, place: int, value: int, weight: float) -> None:
        for k in range(place, len(qubits)):
            expected = state.peek_z(qubits[k])
            if expected == 0:
                other = state.copy()
                other.postselect_z(qubits[k], desired_value=True)
                go(other, k + 1, value | 1 << k, weight / 2)
                state.postselect_z(qubits[k], desired_value=False)
                weight /= 2
            elif expected < 0:
                value |= 1 << k
        found[value] += weight

    go(simulator.copy(), 0, 0, 1.0)
    return found
