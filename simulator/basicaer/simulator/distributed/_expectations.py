"""Expectation values of a spread state: products that flip far qubits need the parts of two ranks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from basicaer.simulator._control import RunControl
from basicaer.simulator.circuit._operations import Observable
from basicaer.simulator.distributed._state import Floats, SpreadState
from basicaer.simulator.methods.interface import Expectations
from basicaer.simulator.methods.statevector._observables import PauliSums
from basicaer.simulator.methods.statevector._state import State
from basicaer.simulator.methods.statevector.engine._expectation import FLIP, OWNER, SIGNS

__all__ = ["SpreadPauliSums"]

_CHUNK_BITS = 16
"""Amplitudes that two ranks give each other at a time: 1 MiB in double precision."""


class SpreadPauliSums(Expectations[SpreadState]):
    """Observables on some of a state's qubits, with numbers as `PauliSums` takes them."""

    __slots__ = ("_observables", "_qubits")

    def __init__(self, observables: Sequence[Observable], qubits: Sequence[int]) -> None:
        self._observables = observables
        self._qubits = qubits

    def values(self, state: SpreadState, control: RunControl, threads: int | None = 1) -> Floats:
        """See `Expectations.values`. It takes two chunks of amplitudes beside."""
        n, local = state.num_qubits, state.local
        bits = [int(state.bits[qubit]) if qubit < n else qubit for qubit in self._qubits]
        groups, products, weights = PauliSums(self._observables, bits, n).tables
        # Far signs are constants of a part.
        near, own = _with_signs(products, weights, local, state.number)
        inside = groups[:, FLIP] < 1 << local
        sums = PauliSums.of_tables(len(self._observables), groups[inside], near, own)
        found = sums.values(state.part, control, threads)
        chunk = min(local, _CHUNK_BITS)
        # Those with equal upper bits share what is exchanged.
        uppers = groups[:, FLIP] >> chunk
        for upper in np.unique(uppers[~inside]).tolist():
            sums = PauliSums.of_tables(len(self._observables), groups[uppers == upper], near, own)
            found += _of_pairs(state, sums, len(found), (upper, chunk), control)
        return state.total(found, control)


def _with_signs(
    products: npt.NDArray[np.int64], weights: Floats, bits: int, above: int
) -> tuple[npt.NDArray[np.int64], Floats]:
    """Return products and their weights for amplitudes whose indices have the bits `above` from `bits` on."""
    signs = products[:, SIGNS]
    odd = np.bitwise_count(signs & above << bits) % 2 == 1
    return np.column_stack([signs & (1 << bits) - 1, products[:, OWNER]]), np.where(odd, -weights, weights)


def _of_pairs(
    state: SpreadState, sums: PauliSums, count: int, key: tuple[int, int], control: RunControl
) -> Floats:
    """Return what products contribute to `count` observables that exchange amplitudes with another part.

    Chunk m of one part is exchanged with chunk m ^ inner of the other. Each such pair is added up by one of
    the two ranks: where the top bit of m, in the part with the smaller number, is 0, by that part's.
    """
    groups, products, weights = sums.tables
    upper, chunk = key
    shift = state.local - chunk
    far, inner = upper >> shift, upper & (1 << shift) - 1
    other = state.rank_of(state.number ^ far)
    is_first = state.number < state.number ^ far
    size, half = 1 << chunk, 1 << shift >> 1
    # Beside each other they are one state, in which the flip has one bit more.
    both = np.empty(2 * size, dtype=state.dtype)
    flips = groups.copy()
    flips[:, FLIP] = groups[:, FLIP] & size - 1 | size
    chunks = state.part.amplitudes.reshape(-1, size)
    found = np.zeros(count)
    for number in range(max(1, half)):
        control.check()
        mine, given = (number, number ^ half) if is_first else (number ^ half ^ inner, number ^ inner)
        both[:size] = chunks[mine]
        state.transport.trade(other, chunks[given], both[size:], control)
        if half or is_first:
            its = _with_signs(products, weights, chunk, mine)
            found += PauliSums.of_tables(count, flips, *its).values(State(chunk + 1, both), control)
    return found
