"""Rows that draw: each with its probabilities, by frames and shot by shot, and within conditions too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import pytest
from basicaer.simulator import RunControl
from basicaer.simulator.methods.stabilizer import _rows as rows
from basicaer.simulator.methods.stabilizer._builder import RowsBuilder
from basicaer.simulator.methods.stabilizer._frames import Frames
from basicaer.simulator.methods.stabilizer._shots import Shots

Runner: TypeAlias = Callable[[rows.Rows], Any]

SHOTS = 40_000
RUNNERS = [
    pytest.param(lambda program: Frames(program, RunControl()), id="frames"),
    pytest.param(Shots, id="shots"),
]


def frequencies(runner: Runner, builder: RowsBuilder, size: int) -> Any:
    """How often each value of the first `size` bits was seen, of three qubits and four bits."""
    program = builder.finished(3, 4, [0] * 4)
    key = np.array([17, 4], dtype=np.uint64)
    words = np.concatenate(list(runner(program).batches(SHOTS, key, RunControl())))
    return np.bincount(words[:, 0].astype(np.int64) & (1 << size) - 1, minlength=1 << size) / SHOTS


def assert_near(found: Any, expected: Any) -> None:
    deviation = np.sqrt(np.maximum(expected * (1.0 - expected), 0.0) / SHOTS)
    np.testing.assert_array_less(np.abs(found - expected), 5 * deviation + 1e-9)


def random_table(size: int, seed: int) -> Any:
    table = np.random.default_rng(seed).random(size) ** 3
    table[size // 3] = 0.0
    return table / table.sum()


def flipped(table: Any, width: int) -> Any:
    """How likely each set of flips is of qubits in 0: the operators with an X or a Y on them."""
    found = np.zeros(1 << width)
    for index, weight in enumerate(table):
        found[sum((index >> 2 * place & 1) << place for place in range(width))] += weight
    return found


@pytest.mark.parametrize("runner", RUNNERS)
@pytest.mark.parametrize("width", [1, 2, 3])
@pytest.mark.parametrize("turned", [False, True])
def test_pauli_channels(runner: Runner, width: int, turned: bool) -> None:
    table = random_table(1 << 2 * width, width)
    builder = RowsBuilder()
    number = builder.table(table)
    # Between two H an X becomes a Z, and the other way round.
    for qubit in range(width * turned):
        builder.row(rows.H, qubit)
    if width == 3:
        builder.row(rows.PAULI_MANY, builder.list_of([0, 1, 2]), 0, number)
    else:
        builder.row(rows.PAULI_1 if width == 1 else rows.PAULI_2, 0, width - 1, number)
    for qubit in range(width * turned):
        builder.row(rows.H, qubit)
    for qubit in range(width):
        builder.row(rows.MEASURE, qubit, qubit)
    if turned:
        index = np.arange(len(table))
        lows = sum(1 << 2 * place for place in range(width))
        table = table[(index & lows) << 1 | index >> 1 & lows]
    assert_near(frequencies(runner, builder, width), flipped(table, width))


@pytest.mark.parametrize("runner", RUNNERS)
@pytest.mark.parametrize("true", [0, 1, 2, 3])
def test_bits_that_are_misread_together(runner: Runner, true: int) -> None:
    matrix = np.stack([random_table(4, seed) for seed in range(4)])
    builder = RowsBuilder()
    for qubit in range(2):
        if true >> qubit & 1:
            builder.row(rows.X, qubit)
        builder.row(rows.MEASURE, qubit, qubit)
    builder.row(rows.CONFUSE, builder.list_of([0, 1]), 0, builder.table(matrix.reshape(-1)))
    assert_near(frequencies(runner, builder, 2), matrix[true])


@pytest.mark.parametrize("runner", RUNNERS)
@pytest.mark.parametrize("table", [(0.9, 0.1, 0.3, 0.7), (1.0, 0.0, 0.5, 0.5), (0.0, 1.0, 1.0, 0.0)])
def test_a_bit_that_is_misread(runner: Runner, table: tuple[float, ...]) -> None:
    builder = RowsBuilder()
    builder.row(rows.H, 0)
    builder.row(rows.MEASURE, 0, 0)
    builder.row(rows.FLIP, 0, 0, builder.table(np.array(table)))
    builder.row(rows.MEASURE, 0, 1)
    # Told 0 or 1 in the lower bit, true in the upper one.
    expected = np.array([table[0], table[1], table[2], table[3]]) / 2.0
    assert_near(frequencies(runner, builder, 2), expected)


@pytest.mark.parametrize("runner", RUNNERS)
def test_noise_within_conditions(runner: Runner) -> None:
    builder = RowsBuilder()
    error = builder.table(np.array([0.6, 0.4, 0.0, 0.0]))
    wrong = builder.table(np.array([0.8, 0.2, 0.2, 0.8]))
    builder.row(rows.H, 0)
    builder.row(rows.MEASURE, 0, 0)
    builder.row(rows.MEASURE, 2, 2)

    def then() -> None:
        builder.row(rows.PAULI_1, 1, 0, error)
        builder.row(rows.FLIP, 2, 2, wrong)

    def otherwise() -> None:
        builder.row(rows.X, 1)

    builder.choice((rows.PUSH, 0), then, otherwise)
    builder.row(rows.MEASURE, 1, 1)
    expected = np.zeros(8)
    expected[0b010] = 0.5
    expected[0b001], expected[0b011] = 0.5 * 0.6 * 0.8, 0.5 * 0.4 * 0.8
    expected[0b101], expected[0b111] = 0.5 * 0.6 * 0.2, 0.5 * 0.4 * 0.2
    assert_near(frequencies(runner, builder, 3), expected)
