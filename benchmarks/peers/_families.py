"""The seven families of circuits, each as one neutral list of gates that every program is given.

Gates: h, x, sx, t, tdg, rx, ry, rz (θ), cx, cz, cp (λ), swap, rzz (θ) and unitary (a 4x4 matrix whose least
significant bit is the first qubit). Angles are in radians. Qubit 0 is the least significant bit of a state's
index. A circuit is a function of its family, size and seed alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.complex128]

ANSATZ_LAYERS = 20
SUPREMACY_DEPTH = 20
ISING_STEPS = 50
GROVER_ITERATIONS = 2


class Gate(NamedTuple):
    """One gate; `matrix` is set for `unitary` alone."""

    name: str
    qubits: tuple[int, ...]
    params: tuple[float, ...] = ()
    matrix: Matrix | None = None


class Circuit(NamedTuple):
    """A circuit without measurements, as every adapter gets it."""

    family: str
    num_qubits: int
    gates: list[Gate]


def qft(n: int, _random: np.random.Generator) -> Iterator[Gate]:
    """Return the quantum Fourier transform with its final swaps."""
    for target in reversed(range(n)):
        yield Gate("h", (target,))
        for control in reversed(range(target)):
            yield Gate("cp", (control, target), (math.pi / 2 ** (target - control),))
    for low in range(n // 2):
        yield Gate("swap", (low, n - 1 - low))


def qv(n: int, random: np.random.Generator) -> Iterator[Gate]:
    """n layers, each of Haar-random gates on random pairs (Cross et al., 2019)."""
    for _ in range(n):
        order = random.permutation(n)
        for low, high in zip(order[::2], order[1::2], strict=False):
            yield Gate("unitary", (int(low), int(high)), matrix=haar(random, 4))


def ansatz(n: int, random: np.random.Generator) -> Iterator[Gate]:
    """Layers of rx, ry, rz on each qubit and a ring of CX, as variational algorithms use them."""
    for _ in range(ANSATZ_LAYERS):
        for qubit in range(n):
            for name in ("rx", "ry", "rz"):
                yield Gate(name, (qubit,), (float(random.uniform(-math.pi, math.pi)),))
        for qubit in range(n):
            yield Gate("cx", (qubit, (qubit + 1) % n))


def ghz(n: int, _random: np.random.Generator) -> Iterator[Gate]:
    """Return the GHZ state, by a chain of CX."""
    yield Gate("h", (0,))
    for qubit in range(n - 1):
        yield Gate("cx", (qubit, qubit + 1))


def toffoli(n: int, _random: np.random.Generator) -> Iterator[Gate]:
    """Two Grover iterations; each phase flip is a cascade of Toffolis up to the last ancilla, and back.

    About half of the qubits are data and the others ancillas. Toffolis are decomposed into h, t, tdg and cx
    (Nielsen and Chuang, figure 4.9). The searched bit string has alternating ones and zeros.
    """
    data = range((n + 2) // 2)
    ancillas = range(len(data), n)
    yield from (Gate("h", (qubit,)) for qubit in data)
    for _ in range(GROVER_ITERATIONS):
        zeros = [Gate("x", (qubit,)) for qubit in data[::2]]
        yield from [*zeros, *_phase_flip(data, ancillas), *zeros]
        ends = [Gate(name, (qubit,)) for name in ("h", "x") for qubit in data]
        yield from [*ends, *_phase_flip(data, ancillas), *reversed(ends)]


def supremacy(n: int, random: np.random.Generator) -> Iterator[Gate]:
    """Random sx, ry or t on each qubit, and CZ on one of four patterns of a grid's edges, in turn."""
    columns = math.isqrt(n - 1) + 1
    yield from (Gate("h", (qubit,)) for qubit in range(n))
    for layer in range(SUPREMACY_DEPTH):
        for qubit in range(n):
            choice = random.integers(3)
            yield (
                Gate("sx", (qubit,)),
                Gate("ry", (qubit,), (math.pi / 2,)),
                Gate("t", (qubit,)),
            )[choice]
        step = (1, columns)[layer % 2]
        for qubit in range(n - step):
            row, column = divmod(qubit, columns)
            if step == 1 and column == columns - 1:
                continue
            if (row + column + layer // 2) % 2 == 0:
                yield Gate("cz", (qubit, qubit + step))


def ising(n: int, _random: np.random.Generator) -> Iterator[Gate]:
    """Trotter steps of the Ising chain in a transverse field."""
    for _ in range(ISING_STEPS):
        yield from (Gate("rzz", (qubit, qubit + 1), (0.1,)) for qubit in range(n - 1))
        yield from (Gate("rx", (qubit,), (0.15,)) for qubit in range(n))


FAMILIES: dict[str, Callable[[int, np.random.Generator], Iterator[Gate]]] = {
    function.__name__: function for function in (qft, qv, ansatz, ghz, toffoli, supremacy, ising)
}


def product(n: int, random: np.random.Generator) -> Iterator[Gate]:
    """One ry on each qubit: a state that costs nothing, for measuring shots. Not one of the families."""
    for qubit in range(n):
        yield Gate("ry", (qubit,), (float(random.uniform(0.3, 0.7)) * math.pi,))


def circuit(family: str, num_qubits: int, *, seed: int = 20_26, scrambled: bool = False) -> Circuit:
    """Return the circuit of `family` on `num_qubits` qubits.

    With `scrambled` it begins with a random ry and rz on each qubit, so that comparing states also finds
    wrong qubit orders in the families whose state is symmetric.
    """
    random = np.random.default_rng([seed, num_qubits, *family.encode()])
    gates = list({**FAMILIES, "product": product}[family](num_qubits, random))
    if scrambled:
        angles = random.uniform(-math.pi, math.pi, (num_qubits, 2)).tolist()
        prefix = [
            Gate(name, (qubit,), (angle,))
            for qubit, pair in enumerate(angles)
            for name, angle in zip(("ry", "rz"), pair, strict=True)
        ]
        gates = prefix + gates
    return Circuit(family, num_qubits, gates)


def haar(random: np.random.Generator, size: int) -> Matrix:
    """Return a Haar-random unitary of shape (size, size), by the QR decomposition of Mezzadri (2007)."""
    gaussian = random.normal(size=(size, size)) + 1j * random.normal(size=(size, size))
    unitary, triangle = np.linalg.qr(gaussian)
    phases = np.diagonal(triangle) / np.abs(np.diagonal(triangle))
    return np.ascontiguousarray(unitary * phases, dtype=np.complex128)


def _phase_flip(data: range, ancillas: range) -> list[Gate]:
    """-1 on the state in which all of `data` are ones; the ancillas begin and end as zeros."""
    cascade: list[list[Gate]] = []
    carry = data[0]
    for qubit, ancilla in zip(data[1:], ancillas, strict=False):
        cascade.append(_toffoli(qubit, carry, ancilla))
        carry = ancilla
    up = [gate for part in cascade for gate in part]
    down = [gate for part in reversed(cascade) for gate in part]
    return [*up, Gate("cz", (carry, data[-1])), *down]


def _toffoli(a: int, b: int, c: int) -> list[Gate]:
    return [
        Gate("h", (c,)),
        Gate("cx", (b, c)),
        Gate("tdg", (c,)),
        Gate("cx", (a, c)),
        Gate("t", (c,)),
        Gate("cx", (b, c)),
        Gate("tdg", (c,)),
        Gate("cx", (a, c)),
        Gate("t", (b,)),
        Gate("t", (c,)),
        Gate("h", (c,)),
        Gate("cx", (a, b)),
        Gate("t", (a,)),
        Gate("tdg", (b,)),
        Gate("cx", (a, b)),
    ]
