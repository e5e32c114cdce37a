"""What a seed promises."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from basicaer.simulator import Circuit, ClbitRef, RunResult, program_seed, run

from tests.unit.simulator.shorthand import memory_of


def sampled() -> Circuit:
    circuit = Circuit(3, 3).append("h", [0]).append("ry", [1], [1.0]).append("cx", [1, 2])
    for qubit in range(3):
        circuit.append("measure", [qubit], [], [qubit])
    return circuit


def branched() -> Circuit:
    circuit = sampled()
    circuit.append("x", [0], condition=ClbitRef(1)).append("h", [2]).append("measure", [2], [], [0])
    return circuit


def same(first: RunResult, second: RunResult) -> bool:
    return np.array_equal(first.outcomes, second.outcomes) and np.array_equal(first.counts, second.counts)


@pytest.mark.parametrize("circuit", [sampled(), branched()], ids=["sampled", "branched"])
def test_the_same_seed_gives_the_same_outcomes(circuit: Circuit) -> None:
    first = run(circuit, shots=5000, seed=7, memory=True)
    again = run(circuit, shots=5000, seed=7, memory=True, threads=3)
    assert same(first, again)
    assert np.array_equal(memory_of(first), memory_of(again))
    assert first.seed == again.seed == 7
    assert not same(first, run(circuit, shots=5000, seed=8))


@pytest.mark.parametrize("method", ["sampled", "branched"])
@pytest.mark.parametrize("dtype", [np.complex128, np.complex64])
def test_the_number_of_threads_changes_no_count(method: str, dtype: npt.DTypeLike) -> None:
    """18 qubits have blocks for four threads."""
    rng = np.random.default_rng(4)
    circuit = Circuit(18, 18)
    for _ in range(2):
        for qubit in range(18):
            circuit.append("u", [qubit], rng.uniform(-3, 3, 3).tolist())
        for qubit in range(18):
            circuit.append("cx", [qubit, (qubit + 5) % 18])
        if method == "branched":
            circuit.append("measure", [17], [], [0]).append("reset", [3]).append(
                "h", [17], condition=ClbitRef(0)
            )
    for qubit in range(18):
        circuit.append("measure", [qubit], [], [qubit])
    first, *others = (run(circuit, shots=300, seed=5, dtype=dtype, threads=threads) for threads in (1, 2, 4))
    assert first.method == method
    assert len(first.outcomes) > 100
    assert all(same(first, other) for other in others)


@pytest.mark.parametrize("circuit", [sampled(), branched()], ids=["sampled", "branched"])
def test_what_is_returned_does_not_change_the_counts(circuit: Circuit) -> None:
    plain = run(circuit, shots=5000, seed=7)
    assert same(plain, run(circuit, shots=5000, seed=7, memory=True))
    assert same(plain, run(circuit, shots=5000, seed=7, statevector=True))


def test_a_batch_has_a_stream_for_each_program() -> None:
    first = run(sampled(), shots=5000, seed=program_seed(7, 0))
    second = run(sampled(), shots=5000, seed=program_seed(7, 1))
    assert not same(first, second)
    assert same(first, run(sampled(), shots=5000, seed=7))
    assert second.seed == 7


def test_without_a_seed_the_one_used_is_told() -> None:
    first = run(sampled(), shots=5000)
    assert same(first, run(sampled(), shots=5000, seed=first.seed))
    assert first.seed != run(sampled(), shots=5000).seed


def test_seeds_may_be_larger_than_64_bits() -> None:
    assert run(sampled(), shots=10, seed=2**100).seed == 2**100
