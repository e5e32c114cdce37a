"""A state vector, and everything that is done to it besides gates: set, measure, collapse, prepare, read.

Only this module and `_engine.py` know how the amplitudes are stored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias, cast

import numpy as np
import numpy.typing as npt
from basicaer.simulator._control import RunControl
from basicaer.simulator._errors import SimulationFailed
from basicaer.simulator.methods.interface import QuantumState
from basicaer.simulator.methods.statevector.engine._readout import (
    add_weights,
    collapse,
    draw,
    flip,
    sum_of_squares,
)
from basicaer.simulator.methods.statevector.engine.machine._pages import zeros

ComplexDType: TypeAlias = "np.dtype[np.complex128] | np.dtype[np.complex64]"
Amplitudes: TypeAlias = "npt.NDArray[np.complex128 | np.complex64]"
Floats: TypeAlias = "npt.NDArray[np.float64]"
Indices: TypeAlias = "npt.NDArray[np.int64]"

BLOCK_BITS = 18
"""Work is done in blocks of 2^18 amplitudes, between which the run can be cancelled. Sums are taken block by
block in this size too, so that they do not depend on the number of threads."""


_MOST_BITS = 56
"""No address space holds more amplitudes."""


class State(QuantumState):
    """The amplitudes of `num_qubits` qubits, qubit 0 being the index's least significant bit.

    The norm stays what it was at the start but for rounding, until `collapse` makes it 1. Methods that take a
    `RunControl` raise `SimulationCancelled` between blocks of work; the state is then of no use.
    """

    __slots__ = ("_amplitudes", "_room", "_size", "dtype", "num_qubits")

    def __init__(self, num_qubits: int, amplitudes: Amplitudes) -> None:
        self.num_qubits = num_qubits
        self.dtype = cast("ComplexDType", amplitudes.dtype)
        self._amplitudes: Amplitudes | None = amplitudes
        self._size = num_qubits
        self._room: Amplitudes | None = None

    @classmethod
    def zero(cls, num_qubits: int, dtype: ComplexDType, size: int = 0) -> State:
        """All qubits in 0. Memory is taken when it is first needed, with room to `widen` to `size` qubits.

        Raises `SimulationFailed` when that is more than any machine holds.
        """
        check_size(max(num_qubits, size))
        state = cls(num_qubits, np.empty(0, dtype=dtype))
        state._amplitudes = None
        state._size = max(num_qubits, size)
        return state

    @property
    def is_fresh(self) -> bool:
        """Whether all qubits are in 0 because nothing has touched the state yet."""
        return self._amplitudes is None

    @property
    def amplitudes(self) -> Amplitudes:
        """The 2^num_qubits amplitudes, which may be written to."""
        if self._amplitudes is None:
            self._amplitudes = self.new_memory()
            self._amplitudes[0] = 1.0
        return self._amplitudes

    def new_memory(self) -> Amplitudes:
        """2^num_qubits zeros for `adopt`, of which no page is touched yet."""
        self._room = zeros(1 << self._size, self.dtype)
        return self._room[: 1 << self.num_qubits]

    def adopt(self, amplitudes: Amplitudes) -> None:
        """Take `amplitudes` for the state's own."""
        self._amplitudes = amplitudes

    @classmethod
    def identity(cls, num_qubits: int, dtype: ComplexDType) -> State:
        """Return the identity matrix of `num_qubits` qubits, row by row, as a state of twice as many qubits.

        The row is the more significant half of the index, so a gate on qubit `num_qubits + q` of the state
        multiplies the matrix from the left with that gate on qubit q.
        """
        check_size(2 * num_qubits)
        amplitudes: Amplitudes = np.zeros(1 << 2 * num_qubits, dtype=dtype)
        amplitudes[:: (1 << num_qubits) + 1] = 1.0
        return cls(2 * num_qubits, amplitudes)

    @classmethod
    def of(
        cls, amplitudes: npt.NDArray[np.complexfloating], dtype: ComplexDType, control: RunControl
    ) -> State:
        """Return a copy of 2^n amplitudes of any shape, in row-major order."""
        source = amplitudes.reshape(1, -1)
        return cls(source.size.bit_length() - 1, _copied(source, np.empty(source.shape, dtype), control))

    def copy(self, control: RunControl, size: int = 0) -> State:
        """Return an independent state with the same amplitudes, with room as `zero` has it."""
        if self.is_fresh:
            return State.zero(self.num_qubits, self.dtype, size)
        if self.num_qubits <= BLOCK_BITS and size <= self.num_qubits:
            return State(self.num_qubits, self.amplitudes.copy())
        source = self.amplitudes.reshape(1, -1)
        if size <= self.num_qubits:
            return State(self.num_qubits, _copied(source, np.empty_like(source), control))
        state = State.zero(self.num_qubits, self.dtype, size)
        state.adopt(_copied(source, state.new_memory().reshape(1, -1), control))
        return state

    def widen(self, size: int, qubits: Sequence[int], ones: Sequence[int], control: RunControl) -> None:
        """Make the state one of `size` qubits, in which its own have the numbers `qubits`, which ascend.

        The others are in 0, but for `ones`. When there is room for it, it takes no more memory.
        """
        count, amplitudes = self.num_qubits, self.amplitudes
        room = self._room
        if room is None or len(room) < 1 << size or room.ctypes.data != amplitudes.ctypes.data:
            room = zeros(1 << size, self.dtype)
            _copied(amplitudes.reshape(1, -1), room[: 1 << count].reshape(1, -1), control)
        held = set(qubits)
        for place in range(size):
            if place not in held:
                _insert_bit(room, count, place, place in ones, control)
                count += 1
        self.num_qubits, self._amplitudes = size, room

    def to_array(self) -> Amplitudes:
        """Return the amplitudes as one array, which the state gives up: it must not be used afterwards."""
        return self.amplitudes

    @property
    def _reals(self) -> Floats:
        """The amplitudes as reals: real and imaginary parts in turn."""
        view: Floats = self.amplitudes.view(np.float64 if self.dtype == np.complex128 else np.float32)
        return view

    def _parts(self, control: RunControl) -> Iterator[tuple[int, int]]:
        """Ranges of at most 2^BLOCK_BITS amplitudes that make up the state, with a check before each.

        For every qubit, a range has whole groups of 2^(qubit + 1) amplitudes, or lies within one value of it.
        """
        size = 1 << min(self.num_qubits, BLOCK_BITS)
        for low in range(0, 1 << self.num_qubits, size):
            control.check()
            yield low, low + size

    def scale(self, factor: complex, control: RunControl) -> None:
        """Multiply every amplitude by `factor`."""
        for block in _blocks(self.amplitudes.reshape(1, -1), control):
            block *= factor

    def weights(self, qubits: Sequence[int], control: RunControl) -> Floats:
        """Return the sums of the squared magnitudes for each value of `qubits`, which ascend.

        The array has shape (2^k,); the first qubit is the least significant bit of its index.
        """
        if not qubits:
            return np.array([sum(self.block_weights(control).tolist())])
        sums, reals, places = np.zeros(1 << len(qubits)), self._reals, np.array(qubits, dtype=np.int64)
        for low, high in self._parts(control):
            add_weights(reals, places, low, high, sums)
        return sums

    def collapse(self, values: Mapping[int, int], weight: float, control: RunControl) -> None:
        """Project qubits on `values`, whose weight `weights` gave, and make the norm 1."""
        mask = sum(1 << qubit for qubit in values)
        value = sum(bit << qubit for qubit, bit in values.items())
        reals, factor = self._reals, weight**-0.5
        for low, high in self._parts(control):
            collapse(reals, mask, value, factor, low, high)

    def flip(self, qubit: int, control: RunControl) -> None:
        """Exchange 0 and 1 of `qubit`."""
        reals, size = self._reals, 1 << self.num_qubits >> 1
        for low in range(0, size, 1 << BLOCK_BITS):
            control.check()
            flip(reals, qubit, low, min(low + (1 << BLOCK_BITS), size))

    def prepare(
        self, qubits: Sequence[int], amplitudes: npt.NDArray[np.complex128], control: RunControl
    ) -> None:
        """Give `qubits`, which are all in 0, the state `amplitudes` of 2^k; the first is the least
        significant bit.
        """
        size, width = self.num_qubits, len(qubits)
        axes = [size - 1 - qubit for qubit in reversed(qubits)]
        spectators = [axis for axis in range(size) if axis not in set(axes)]
        view = self.amplitudes.reshape((2,) * size)
        # One axis for each qubit in the state's order; a spectator's axis has the length 1.
        factors = amplitudes.astype(self.amplitudes.dtype).reshape((2,) * width).transpose(np.argsort(axes))
        factors = factors.reshape([1 if axis in set(spectators) else 2 for axis in range(size)])
        at_zero = tuple(slice(1) if axis in set(axes) else slice(None) for axis in range(size))
        small = width <= BLOCK_BITS
        # What is multiplied is overwritten, so it is copied: block by block, or as a whole when it is little.
        whole = None if small else view[at_zero].copy()
        fixed = (spectators if small else list(range(size)))[: max(0, size - BLOCK_BITS)]
        for bits in np.ndindex((2,) * len(fixed)):
            control.check()
            place = [slice(None)] * size
            for axis, bit in zip(fixed, bits, strict=True):
                place[axis] = slice(bit, bit + 1)
            out = view[tuple(place)]
            rest = out[at_zero].copy() if whole is None else whole[_cut(place, whole.shape)]
            np.multiply(factors[_cut(place, factors.shape)], rest, out=out)

    def block_weights(self, control: RunControl) -> Floats:
        """Return the sum of the squared magnitudes of each block of 2^BLOCK_BITS consecutive amplitudes."""
        parts = self._parts(control)
        return np.array([sum_of_squares(self._reals, low, high) for low, high in parts], dtype=np.float64)

    def draw(self, number: int, before: float, points: Floats) -> tuple[Indices, Indices]:
        """Which amplitudes of one such block sorted `points` fall on, and how many on each.

        A point falls on the first amplitude up to which the squared magnitudes sum to more, those before the
        block having the sum `before`.
        """
        low = number << BLOCK_BITS
        high = min(low + (1 << BLOCK_BITS), 1 << self.num_qubits)
        room = min(len(points), high - low) + 1
        found, counts = np.empty(room, np.int64), np.empty(room, np.int64)
        written = draw(self._reals, low, high, before, points, 0, len(points), found, counts)
        return found[:written], counts[:written]

    def block_squares(self, number: int) -> Floats:
        """Return the squared magnitudes of the amplitudes of one such block."""
        start = number << BLOCK_BITS
        return _squares(self.amplitudes[start : start + (1 << BLOCK_BITS)])


def check_size(bits: int) -> None:
    """Raise `SimulationFailed` when no machine holds 2^bits amplitudes."""
    if bits > _MOST_BITS:
        raise SimulationFailed(
            f"2^{bits} amplitudes are more than any machine holds; use fewer qubits, or ask for counts,"
            " probabilities or expectation values of some of them"
        )


def _insert_bit(
    amplitudes: Amplitudes, num_qubits: int, place: int, value: bool, control: RunControl
) -> None:
    """Give the first 2^num_qubits `amplitudes` one more qubit, number `place`, with the given value.

    The next 2^num_qubits ones are 0 and take what moves there: the upper half of what is left at a time, so
    that nothing is overwritten that is still to be read.
    """
    rows, columns = 1 << num_qubits - place, 1 << place
    source = amplitudes[: 1 << num_qubits].reshape(rows, columns)
    target = amplitudes[: 2 << num_qubits].reshape(rows, 2, columns)
    stop = rows
    while stop > 1:
        start = stop >> 1
        for new, old in zip(
            _blocks(target[start:stop, int(value)], control),
            _blocks(source[start:stop], control),
            strict=True,
        ):
            new[...] = old
        stop = start
    if value:
        target[0, 1] = source[0]
    for block in _blocks(target[: rows + 1 >> 1, int(not value)], control):
        block[...] = 0.0


def beside_identity(
    matrix: Amplitudes, num_qubits: int, qubits: Sequence[int], control: RunControl
) -> Amplitudes:
    """Return the matrix on `num_qubits` qubits that is `matrix` on `qubits`, and the identity on the
    others.
    """
    size = 1 << num_qubits
    whole: Amplitudes = np.zeros((size, size), dtype=matrix.dtype)
    rows = np.zeros(len(matrix), dtype=np.int64)
    for place, qubit in enumerate(qubits):
        rows |= (np.arange(len(matrix)) >> place & 1) << qubit
    mask = sum(1 << qubit for qubit in qubits)
    each = max(1, (1 << BLOCK_BITS) // len(matrix))
    for others in range(size):
        if others & mask:
            continue
        for start in range(0, len(matrix), each):
            control.check()
            part = slice(start, start + each)
            whole[np.ix_(rows[part] | others, rows | others)] = matrix[part]
    return whole


def _copied(source: npt.NDArray[np.complexfloating], copy: Amplitudes, control: RunControl) -> Amplitudes:
    """`copy`, filled with `source`, as one column."""
    for new, old in zip(_blocks(copy, control), _blocks(source, control), strict=True):
        new[...] = old
    return copy.reshape(-1)


def _cut(place: list[slice], shape: tuple[int, ...]) -> tuple[slice, ...]:
    """Return the part of a broadcast array that meets `place`."""
    return tuple(part if length > 1 else slice(None) for part, length in zip(place, shape, strict=True))


def _squares(amplitudes: Amplitudes) -> Floats:
    real = amplitudes.real.astype(np.float64)
    imag = amplitudes.imag.astype(np.float64)
    real *= real
    imag *= imag
    real += imag
    return real


def _blocks(rows: Amplitudes, control: RunControl) -> Iterator[Amplitudes]:
    """Return views of at most 2^BLOCK_BITS elements that make up the two-dimensional `rows`, with a check
    before each.
    """
    columns_each = min(rows.shape[1], 1 << BLOCK_BITS)
    rows_each = max(1, (1 << BLOCK_BITS) // columns_each)
    for row in range(0, rows.shape[0], rows_each):
        for column in range(0, rows.shape[1], columns_each):
            control.check()
            yield rows[row : row + rows_each, column : column + columns_each]
