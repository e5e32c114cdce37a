"""The plain way gives the compiled kernels' results to the last bit; only small calls go it."""

from __future__ import annotations

import subprocess
from typing import Any

import numpy as np
import pytest
from basicaer.simulator import (
    Circuit,
    Observable,
    RunResult,
    Save,
    SaveKind,
    compiling_apart,
    run,
    waiting_for_kernels,
)
from basicaer.simulator.methods.statevector import _background as background
from basicaer.simulator.methods.statevector import _observables, _plain, _state
from basicaer.simulator.methods.statevector._interpreted import interpreted, is_exact
from basicaer.simulator.methods.statevector.engine._arrays import Columns
from basicaer.simulator.methods.statevector.engine._matrices import parametric
from basicaer.simulator.methods.statevector.engine.blocks import _run
from basicaer.simulator.methods.statevector.engine.planning import _compile
from basicaer.simulator.methods.statevector.engine.planning._compile import lower_columns
from basicaer.simulator.methods.statevector.engine.planning._planner import plan
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.simulator.engine.planned import random_gates

pytestmark = pytest.mark.skipif(not is_exact(), reason="here Python rounds products and sums at once")

_CALLS = (
    *((_compile, "lower_columns"), (_compile, "plan"), (_run, "execute")),
    *((_state, name) for name in ("add_weights", "collapse", "draw", "flip", "sum_of_squares")),
    *((_observables, name) for name in ("add_expectation_values", "add_probabilities")),
)


def _circuit(generator: np.random.Generator, n: int, count: int, *, measures: bool) -> Circuit:
    """Gates on n qubits, perhaps some behind outcomes, and then all kinds of reading."""
    circuit = Circuit(n, n)
    for name, qubits, parameters, *_ in random_gates(generator, n, count):
        circuit.append(name, qubits, parameters)
    if measures:
        circuit.append("measure", [0], [], [0]).append("ry", [n - 1], [0.3]).append("reset", [0])
        circuit.append("h", [0])
    paulis = tuple("".join(generator.choice(list("IXYZ"), n)) for _ in range(3))
    values = Save("values", SaveKind.EXPECTATION_VALUES, (Observable(paulis, (1.0, -0.5, 0.25)),))
    circuit.append("save", range(n), save=values)
    circuit.append("save", range(n // 2 + 1), save=Save("weights", SaveKind.PROBABILITIES))
    for qubit in range(n):
        circuit.append("measure", [qubit], [], [qubit])
    return circuit


def _bits(result: RunResult) -> list[Any]:
    arrays = [result.outcomes, result.counts, result.statevector, *result.saved.values()]
    return [None if array is None else array.tobytes() for array in arrays]


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 10**6),
    st.integers(1, 7),
    st.integers(0, 25),
    st.sampled_from(["c16", "c8"]),
    st.booleans(),
)
def test_a_run_is_the_same_to_the_last_bit(
    seed: int, num_qubits: int, count: int, dtype: str, measures: bool
) -> None:
    generator = np.random.default_rng(seed)
    circuit = _circuit(generator, num_qubits, count, measures=measures)

    def bits() -> list[Any]:
        return _bits(run(circuit, shots=50, seed=seed, method="statevector", dtype=dtype, statevector=True))

    compiled = bits()
    with pytest.MonkeyPatch.context() as patch:
        for module, name in _CALLS:
            patch.setattr(module, name, interpreted(getattr(module, name)))
        assert bits() == compiled


def test_tiny_numbers_are_flushed_as_compiled_code_does() -> None:
    circuit = Circuit(2)
    for _ in range(3):
        circuit.append("rx", [0], [1e-120]).append("cx", [0, 1]).append("ry", [1], [1e-100])

    def state() -> bytes:
        kept = run(circuit, shots=1, method="statevector", statevector=True).statevector
        assert kept is not None
        return kept.tobytes()

    compiled = state()
    with pytest.MonkeyPatch.context() as patch:
        for module, name in _CALLS:
            patch.setattr(module, name, interpreted(getattr(module, name)))
        assert state() == compiled
    # This thread is in its own mode again.
    assert np.float64(1e-310) / 2 > 0


def _columns_of(count: int) -> tuple[Any, ...]:
    """What lowers `count` gates."""
    columns = Columns(np.zeros(count, np.uint32), np.zeros(count, np.uint32), np.zeros(0))
    table, pool, span = np.zeros((1, 6), np.int64), np.zeros(4, complex), np.array([0, count, 0, 0])
    return table, pool, columns, span, 3, True, 3, 3


def test_small_calls_go_the_plain_way_and_large_ones_wait() -> None:
    assert _plain.plain(lower_columns, _columns_of(10)) is not None
    assert _plain.plain(lower_columns, _columns_of(10_000)) is None
    assert _plain.plain(plan, (None, None, None, 30)) is not None
    assert _plain.plain(plan, (None, None, None, 10_000)) is None
    # Nobody has said what this one takes.
    assert _plain.plain(parametric, ()) is None


def test_a_call_goes_the_plain_way_until_its_kernel_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "_start", lambda more: subprocess.Popen(["sleep", "100"]))
    with compiling_apart(lambda: None) as compiling:
        instead = compiling.wait(lower_columns, _columns_of(3), lambda: False)
        assert instead is not None
        assert compiling.wait(lower_columns, _columns_of(3), lambda: True) is None
        found: list[bool] = [False, True]
        with waiting_for_kernels():
            assert compiling.wait(lower_columns, _columns_of(3), lambda: found.pop(0)) is None
        assert found == []
