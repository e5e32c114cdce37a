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
from basicaer.simulator.methods.statevector.engine._expectation import (
    BLOCK,
    FLIP,
    OWNER,
    SIGNS,
    START,
    STOP,
    add_expectation_values,
)

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
        signs = products[:, SIGNS]
        odd = np.bitwise_count(signs & (state.number << local)) % 2 == 1
        own = np.where(odd, -weights, weights)
        near = np.column_stack([signs & (1 << local) - 1, products[:, OWNER]])
        found = np.zeros(len(self._observables))
        inside = groups[:, FLIP] < 1 << local
        _add_own(state, groups[inside], near, own, found, control)
        chunk = min(local, _CHUNK_BITS)
        # Those with equal upper bits share what is exchanged.
        uppers = groups[:, FLIP] >> chunk
        for upper in np.unique(uppers[~inside]).tolist():
            _add_pairs(state, groups[uppers == upper], near, own, found, (upper, chunk), control)
        return state.total(found, control)


def _add_own(
    state: SpreadState,
    groups: npt.NDArray[np.int64],
    products: npt.NDArray[np.int64],
    weights: Floats,
    found: Floats,
    control: RunControl,
) -> None:
    """Add what products contribute that stay within a part."""
    if not len(groups):
        return
    reals = _reals(state.part.amplitudes)
    total = 1 << state.local
    step = min(total, 1 << 18)
    for low in range(0, total, step):
        control.check()
        space = np.empty(min(total, BLOCK))
        add_expectation_values(reals, groups, products, weights, low, low + step, space, found, control.flag)
    control.check()


def _add_pairs(
    state: SpreadState,
    groups: npt.NDArray[np.int64],
    products: npt.NDArray[np.int64],
    weights: Floats,
    found: Floats,
    key: tuple[int, int],
    control: RunControl,
) -> None:
    """Add the same of products that exchange amplitudes with another part.

    Chunk m of one part is exchanged with chunk m ^ inner of the other. Each such pair is added up by one of
    the two ranks: where the top bit of m, in the part with the smaller number, is 0, by that part's.
    """
    upper, chunk = key
    shift = state.local - chunk
    far, inner = upper >> shift, upper & (1 << shift) - 1
    other = state.rank_of(state.number ^ far)
    is_first = state.number < state.number ^ far
    size, half = 1 << chunk, 1 << shift >> 1
    # Beside each other they are one state, in which the flip has one bit more.
    both = np.empty(2 * size, dtype=state.dtype)
    tables = groups.copy()
    tables[:, FLIP] = groups[:, FLIP] & size - 1 | size
    used = np.concatenate([np.arange(start, stop) for start, stop in groups[:, START : STOP + 1].tolist()])
    within = products.copy()
    within[:, SIGNS] &= size - 1
    chunks = state.part.amplitudes.reshape(-1, size)
    space = np.empty(min(size, BLOCK))
    for number in range(max(1, half)):
        control.check()
        mine, given = (number, number ^ half) if is_first else (number ^ half ^ inner, number ^ inner)
        both[:size] = chunks[mine]
        state.transport.trade(other, chunks[given], both[size:], control)
        if half or is_first:
            signed = weights.copy()
            odd = np.bitwise_count(products[used, SIGNS] & mine << chunk) % 2 == 1
            signed[used[odd]] *= -1.0
            add_expectation_values(
                _reals(both), tables, within, signed, 0, 2 * size, space, found, control.flag
            )


def _reals(amplitudes: npt.NDArray[np.complexfloating]) -> npt.NDArray[np.floating]:
    return amplitudes.view(np.float64 if amplitudes.dtype.itemsize == 16 else np.float32)
