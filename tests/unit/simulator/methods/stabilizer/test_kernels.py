"""What the kernels do with bits is what numpy does."""

from __future__ import annotations

import numpy as np
import pytest
from basicaer.simulator.methods.stabilizer.kernels._counts import Counter
from basicaer.simulator.methods.stabilizer.kernels._frames import transpose
from basicaer.simulator.methods.stabilizer.kernels._random import seeded, uniform
from hypothesis import given, settings
from hypothesis import strategies as st


@settings(deadline=None)
@given(st.integers(0, 200), st.integers(1, 200), st.integers(0, 2**32))
def test_transposes(count: int, shots: int, seed: int) -> None:
    words = -(-shots // 64)
    bits = np.random.default_rng(seed).integers(0, 2**64, (count, words), dtype=np.uint64)
    out = np.zeros((shots, max(1, -(-count // 64))), dtype=np.uint64)
    transpose(bits, count, shots, out)
    expected = np.unpackbits(bits.view(np.uint8), axis=1, bitorder="little")[:, :shots].T
    found = np.unpackbits(out.view(np.uint8), axis=1, bitorder="little")
    np.testing.assert_array_equal(found[:, :count], expected)
    assert not found[:, count:].any()


@settings(deadline=None)
@given(
    st.lists(st.lists(st.lists(st.integers(0, 3), min_size=3, max_size=3), min_size=1), min_size=1),
    st.integers(0, 60),
)
def test_counts(parts: list[list[list[int]]], shift: int) -> None:
    counter, seen = Counter(), dict[tuple[int, ...], int]()
    for part in parts:
        counter.add(np.array(part, dtype=np.uint64) << np.uint64(shift))
        for row in part:
            seen[tuple(reversed(row))] = seen.get(tuple(reversed(row)), 0) + 1
    words, counts = counter.totals()
    assert [tuple((row >> np.uint64(shift)).tolist()[::-1]) for row in words] == sorted(seen)
    assert counts.tolist() == [seen[key] for key in sorted(seen)]


@pytest.mark.parametrize("number", [0, 1, 2**40])
def test_streams_are_uniform_and_their_own(number: int) -> None:
    key, state = np.array([5, 6], dtype=np.uint64), np.empty(2, dtype=np.uint64)
    seeded(state, key, number)
    first = np.array([uniform(state) for _ in range(20_000)])
    seeded(state, key, number + 1)
    second = np.array([uniform(state) for _ in range(20_000)])
    assert abs(first.mean() - 0.5) < 5 * (1 / 12 / 20_000) ** 0.5
    assert abs(np.corrcoef(first, second)[0, 1]) < 5 / 20_000**0.5
    assert (first > 0).all()
    assert (first < 1).all()
