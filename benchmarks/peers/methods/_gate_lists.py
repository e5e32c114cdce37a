"""Gates of the circuits that methods are measured on."""

from __future__ import annotations

import math
import random
from typing import TypeAlias

import numpy as np

Gate: TypeAlias = tuple[str, tuple[int, ...], tuple[float, ...]]


def cliffords(size: int, layers: int) -> list[Gate]:
    """Layers of random gates on each qubit, and of CX on random pairs."""
    source, found = random.Random(1), list[Gate]()
    for _ in range(layers):
        found.extend((source.choice(("h", "s", "sx", "x")), (qubit,), ()) for qubit in range(size))
        order = source.sample(range(size), size)
        found.extend(("cx", (a, b), ()) for a, b in zip(order[::2], order[1::2], strict=False))
    return found


def ghz(size: int) -> list[Gate]:
    """Return a chain of CX."""
    return [("h", (0,), ()), *(("cx", (qubit, qubit + 1), ()) for qubit in range(size - 1))]


def tebd(size: int, steps: int) -> list[Gate]:
    """Return the transverse Ising chain, step by step."""
    found = list[Gate]()
    for _ in range(steps):
        for parity in (0, 1):
            found.extend(("rzz", (i, i + 1), (-0.4,)) for i in range(parity, size - 1, 2))
        found.extend(("rx", (i,), (-0.4,)) for i in range(size))
    return found


def qaoa(size: int, layers: int = 3) -> list[Gate]:
    """QAOA on a ring."""
    source = np.random.default_rng(1)
    found: list[Gate] = [("h", (i,), ()) for i in range(size)]
    for _ in range(layers):
        cost, mixer = source.uniform(0.3, 1.0, 2).tolist()
        found.extend(("rzz", (i, (i + 1) % size), (cost,)) for i in range(size))
        found.extend(("rx", (i,), (mixer,)) for i in range(size))
    return found


def brickwork(size: int, layers: int, scale: float) -> list[Gate]:
    """Layers of random rotations, and of weak interactions of neighbours."""
    source, found = np.random.default_rng(2), list[Gate]()
    for layer in range(layers):
        found.extend(("ry", (i,), (float(source.uniform(0, math.tau)),)) for i in range(size))
        found.extend(
            ("rzz", (i, i + 1), (float(source.uniform(-scale, scale)),))
            for i in range(layer % 2, size - 1, 2)
        )
    return found


def layers(size: int, count: int) -> list[Gate]:
    """Layers of random rotations, and of CX of neighbours."""
    source, found = np.random.default_rng(1), list[Gate]()
    for layer in range(count):
        for qubit in range(size):
            angles = tuple(source.uniform(0, math.tau, 3).tolist())
            found.append(("u", (qubit,), angles))
        found.extend(("cx", (qubit, qubit + 1), ()) for qubit in range(layer % 2, size - 1, 2))
    return found
