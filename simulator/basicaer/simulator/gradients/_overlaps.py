"""Sums over two states, by as many threads as are allowed; their number makes no difference to the sums."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from basicaer.simulator._control import RunControl
from basicaer.simulator.gradients._kernels import add_pair_transitions, add_products, add_transition
from basicaer.simulator.gradients._slices import Site
from basicaer.simulator.methods.statevector._observables import PauliSums
from basicaer.simulator.methods.statevector.engine.machine._helpers import share

__all__ = ["applied", "single_transitions", "site_transition"]

# What one thread does at once, in amplitudes, and how many of them a transform takes.
_PART, _BLOCK = 1 << 16, 1 << 10

_State = npt.NDArray[np.complex128]


def applied(sums: PauliSums, state: _State, threads: int, control: RunControl) -> _State:
    """Return an observable applied to a state of shape (2^n,). Raises `SimulationCancelled`."""
    found = np.zeros_like(state)
    step = min(len(state), _PART)

    def add(part: int) -> None:
        control.check()
        space = np.empty(min(step, _BLOCK))
        add_products(state, *sums.tables, part * step, (part + 1) * step, space, found)

    share(len(state) // step, add, threads)
    return found


def single_transitions(
    right: _State, left: _State, qubits: Sequence[int], threads: int, control: RunControl
) -> npt.NDArray[np.complex128]:
    """Return how two states overlap on single qubits, of shape (len(qubits), 2, 2).

    Entry (i, j) of a qubit is the sum of right times the conjugate of left over all values of the other
    qubits, where the qubit is i on the right and j on the left. Raises `SimulationCancelled`.
    """
    pairs = len(right) // 2
    step = min(pairs, _PART // 2)
    wanted = np.array(qubits, dtype=np.int64)
    parts = np.zeros((pairs // step, len(qubits), 8))

    def add(part: int) -> None:
        control.check()
        own = np.zeros((len(qubits), 8))
        add_pair_transitions(right, left, wanted, part * step, (part + 1) * step, own)
        parts[part] = own

    share(len(parts), add, threads)
    found: npt.NDArray[np.complex128] = parts.sum(axis=0).view(np.complex128).reshape(-1, 2, 2)
    return found


def site_transition(
    right: _State, left: _State, site: Site, threads: int, control: RunControl
) -> npt.NDArray[np.complex128]:
    """Return how two states overlap on a gate's targets, where its controls are as it wants them.

    Of shape (2^t, 2^t), as of `single_transitions`; of a diagonal gate the diagonal alone. Raises
    `SimulationCancelled`.
    """
    values = np.arange(1 << len(site.targets), dtype=np.int64)
    offsets = np.zeros_like(values)
    for bit, target in enumerate(site.targets):
        offsets |= (values >> bit & 1) << target
    fixed = sum((site.gate.state >> bit & 1) << control for bit, control in enumerate(site.controls))
    places = np.array(sorted((*site.controls, *site.targets)), dtype=np.int64)
    bases = len(right) >> len(places)
    step = min(bases, _PART)
    parts = np.zeros((bases // step, len(values), len(values)), dtype=np.complex128)
    diagonal = site.gate.is_diagonal

    def add(part: int) -> None:
        control.check()
        own = np.zeros(parts.shape[1:], dtype=np.complex128)
        add_transition(right, left, places, fixed, offsets, diagonal, part * step, (part + 1) * step, own)
        parts[part] = own

    share(len(parts), add, threads)
    found: npt.NDArray[np.complex128] = parts.sum(axis=0)
    return found
