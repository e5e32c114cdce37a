"""Blocks out of plain lists, what a test has asked a run for, and what tests of random circuits share."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt
from basicaer.simulator import Block, Literal, Observable, RunResult
from basicaer.simulator.methods.statevector._state import Amplitudes
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

__all__ = ["RANDOM", "SETTINGS", "TRUE", "block_of", "close", "memory_of", "observables", "statevector_of"]

TRUE = Literal(True)
RANDOM = st.randoms(use_true_random=False)
SETTINGS = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)


def block_of(*columns: Any) -> Block:
    """A block of columns that numpy has to convert."""
    return Block(*columns)


def memory_of(result: RunResult) -> npt.NDArray[np.uint64]:
    """Each shot's outcome, of a run with `memory=True`."""
    assert result.memory is not None
    return result.memory


def statevector_of(result: RunResult) -> Amplitudes:
    """The last shot's state, of a run with `statevector=True`."""
    assert result.statevector is not None
    return result.statevector


def close(first: npt.ArrayLike, second: npt.ArrayLike) -> bool:
    """Whether all numbers are the same but for rounding."""
    return np.allclose(first, second, atol=1e-9)


def observables(random: Random, width: int, count: int) -> tuple[Observable, ...]:
    """Sums of three random Pauli strings each, for `width` qubits."""
    return tuple(
        Observable(
            tuple("".join(random.choice("IIXYZZ") for _ in range(width)) for _ in range(3)),
            tuple(random.uniform(-2, 2) for _ in range(3)),
        )
        for _ in range(count)
    )
