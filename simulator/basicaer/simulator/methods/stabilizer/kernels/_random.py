"""Random numbers of the kernels: each batch of shots has a stream of its own, whose seed is its number.

The generator is xoroshiro128+ (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2021),
seeded by SplitMix64 as they advise.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from basicaer.simulator.methods.statevector.engine.machine._jit import compiled

Words = npt.NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


@compiled
def _mixed(value: np.uint64) -> np.uint64:
    """SplitMix64's output function."""
    value = (value ^ (value >> np.uint64(30))) * _FIRST
    value = (value ^ (value >> np.uint64(27))) * _SECOND
    mixed: np.uint64 = value ^ (value >> np.uint64(31))
    return mixed


@compiled
def seeded(state: Words, key: Words, number: int) -> None:
    """Begin stream `number` of the key, two words."""
    start = _mixed(key[0] + _GOLDEN * np.uint64(number)) ^ key[1]
    state[0] = _mixed(start + _GOLDEN)
    state[1] = _mixed(start + _GOLDEN + _GOLDEN) | np.uint64(1)


@compiled
def word(state: Words) -> np.uint64:
    """64 random bits."""
    first, second = state[0], state[1]
    found: np.uint64 = first + second
    second ^= first
    state[0] = ((first << np.uint64(24)) | (first >> np.uint64(40))) ^ second ^ (second << np.uint64(16))
    state[1] = (second << np.uint64(37)) | (second >> np.uint64(27))
    return found


@compiled
def uniform(state: Words) -> float:
    """Return a number between 0 and 1, neither of them included."""
    return (np.float64(word(state) >> np.uint64(11)) + 0.5) * (1.0 / 9007199254740992.0)
