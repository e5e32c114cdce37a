"""What is read from a chain: amplitudes, samples, and expectation values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from basicaer.simulator._control import RunControl
from basicaer.simulator.circuit._operations import Observable
from basicaer.simulator.methods.interface import Expectations, Floats
from basicaer.simulator.methods.matrix_product_state._chain import Chain, Tensor

Words = npt.NDArray[np.uint64]
Counts = npt.NDArray[np.int64]

_PREFIX_BYTES = 1 << 26
_PAULIS: dict[str, Tensor] = {
    "X": np.array([[0, 1], [1, 0]], dtype=np.complex128),
    "Y": np.array([[0, -1j], [1j, 0]]),
    "Z": np.array([[1, 0], [0, -1]], dtype=np.complex128),
}


def amplitudes(state: Chain, control: RunControl) -> Tensor:
    """Return all amplitudes, of shape (2^num_qubits,)."""
    if not state.num_qubits:
        return np.ones(1, dtype=np.complex128)
    found = state.tensors[0].reshape(2, -1)
    for tensor in state.tensors[1:]:
        control.check()
        found = (found @ tensor.reshape(len(tensor), -1)).reshape(-1, tensor.shape[2])
    axes = [state.sites[qubit] for qubit in reversed(range(state.num_qubits))]
    return np.ascontiguousarray(found.reshape((2,) * state.num_qubits).transpose(axes)).reshape(-1)


def chosen_amplitudes(state: Chain, basis_states: Sequence[int], control: RunControl) -> Tensor:
    """Return the amplitudes of some basis states, in their order."""
    found = np.ones((len(basis_states), 1), dtype=np.complex128)
    for site, tensor in enumerate(state.tensors):
        control.check()
        qubit = state.wires[site]
        bits = np.array([number >> qubit & 1 for number in basis_states], dtype=np.bool_)
        following = np.empty((len(found), tensor.shape[2]), dtype=np.complex128)
        for bit in (0, 1):
            own = bits == bit
            following[own] = found[own] @ tensor[:, bit]
        found = following
    return found[:, 0]


def sample(
    state: Chain, shots: int, generator: np.random.Generator, control: RunControl
) -> tuple[Words, Counts]:
    """Draw basis states: distinct ones as words of 64 bits, the least significant first, and how often each
    was drawn.

    Sites are drawn from left to right, for all shots that agree so far at once. `state` is not changed.
    """
    state = state.copy(control)
    width = max(1, -(-state.num_qubits // 64))
    if not state.num_qubits:
        return np.zeros((1, width), dtype=np.uint64), np.array([shots])
    state.move(0)
    largest = max(tensor.shape[2] for tensor in state.tensors)
    most = max(256, _PREFIX_BYTES // (64 * largest))
    rows, counts = [], []
    # A group of shots has few enough prefixes; groups wait with what they have drawn so far.
    norm = float(np.linalg.norm(state.tensors[0]))
    waiting = [
        (
            0,
            np.full((1, 1), 1.0 / norm, dtype=np.complex128),
            np.zeros((1, width), np.uint64),
            np.array([shots]),
        )
    ]
    while waiting:
        site, vectors, words, times = waiting.pop()
        while site < state.num_qubits:
            control.check()
            if len(vectors) > most:
                for part in np.array_split(np.arange(len(vectors)), -(-len(vectors) // (most // 2))):
                    waiting.append((site, vectors[part], words[part], times[part]))
                break
            vectors, words, times = _drawn(state, site, vectors, words, times, generator)
            site += 1
        else:
            rows.append(words)
            counts.append(times)
    return np.concatenate(rows), np.concatenate(counts)


def _drawn(
    state: Chain, site: int, vectors: Tensor, words: Words, times: Counts, generator: np.random.Generator
) -> tuple[Tensor, Words, Counts]:
    """Return the prefixes one site longer, from those that end before `site`."""
    tensor = state.tensors[site]
    left, _, right = tensor.shape
    both = (vectors @ tensor.reshape(left, 2 * right)).reshape(len(vectors), 2, right)
    weights = np.einsum("vbr,vbr->vb", both.real, both.real) + np.einsum("vbr,vbr->vb", both.imag, both.imag)
    ones = generator.binomial(times, np.clip(weights[:, 1] / weights.sum(axis=1), 0.0, 1.0))
    zeros = times - ones
    of_0, of_1 = np.flatnonzero(zeros), np.flatnonzero(ones)
    chosen = np.concatenate([of_0, of_1])
    bits = np.repeat([0, 1], [len(of_0), len(of_1)])
    found = both[chosen, bits] / np.sqrt(weights[chosen, bits])[:, None]
    words = words[chosen]
    qubit = state.wires[site]
    words[len(of_0) :, qubit >> 6] |= np.uint64(1 << (qubit & 63))
    return found, words, np.concatenate([zeros[of_0], ones[of_1]])


class PauliSums(Expectations[Chain]):
    """Observables as sums of products: each with its qubits' letters."""

    __slots__ = ("_factors", "_owners", "_products", "_size")

    def __init__(self, observables: Sequence[Observable], qubits: Sequence[int], num_qubits: int) -> None:
        factors: dict[tuple[tuple[int, str], ...], dict[int, float]] = {}
        for number, observable in enumerate(observables):
            for pauli, factor in zip(observable.paulis, observable.coefficients, strict=True):
                held, sign = [], 1.0
                for qubit, letter in zip(qubits, reversed(pauli), strict=True):
                    if letter == "I":
                        continue
                    if qubit < num_qubits:
                        held.append((qubit, letter))
                    elif letter != "Z":
                        sign = 0.0
                    elif qubit > num_qubits:
                        # It isn't held, and in 1.
                        sign = -sign
                own = factors.setdefault(tuple(sorted(held)), {})
                own[number] = own.get(number, 0.0) + sign * factor
        self._size = len(observables)
        self._products = list(factors)
        self._factors = [list(each.values()) for each in factors.values()]
        self._owners = [list(each) for each in factors.values()]

    def values(self, state: Chain, control: RunControl, threads: int | None = 1) -> Floats:
        state = state.copy(control)
        found = np.zeros(self._size)
        spans = [
            (min((state.sites[qubit] for qubit, _ in product), default=0), number)
            for number, product in enumerate(self._products)
        ]
        for _, number in sorted(spans):
            control.check()
            value = _expected(state, dict(self._products[number]))
            for owner, factor in zip(self._owners[number], self._factors[number], strict=True):
                found[owner] += factor * value
        return found


def _expected(state: Chain, letters: dict[int, str]) -> float:
    """Return the expectation value of a product, times the state's squared norm; its centre may move."""
    sites = {state.sites[qubit]: letter for qubit, letter in letters.items()}
    if not sites:
        return float(np.linalg.norm(state.tensors[state.centre]) ** 2) if state.num_qubits else 1.0
    first, last = min(sites), max(sites)
    state.move(min(max(state.centre, first), last))
    found: Tensor = np.eye(state.tensors[first].shape[0], dtype=np.complex128)
    for site in range(first, last + 1):
        tensor = state.tensors[site]
        left, _, right = tensor.shape
        turned = np.matmul(_PAULIS[sites[site]], tensor) if site in sites else tensor
        half = (found @ turned.reshape(left, 2 * right)).reshape(2 * left, right)
        found = tensor.reshape(2 * left, right).conj().T @ half
    return float(np.trace(found).real)
