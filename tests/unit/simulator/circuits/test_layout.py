"""Where instructions' operands lie: the same whether columns are gone through at once or in pieces."""

from __future__ import annotations

import numpy as np
import pytest
from basicaer.simulator import Circuit, SimulationCancelled, ValidCircuit, pausing, statevector
from basicaer.simulator.circuit import _layout as layout
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

NAMES = {"x": 1, "cx": 2, "ccx": 3, "measure": 1, "global_phase": 0}


def circuit_of(names: list[str]) -> Circuit:
    circuit = Circuit(3, 1)
    for name in names:
        circuit.append(
            name, range(NAMES[name]), [0.5] * (name == "global_phase"), clbits=[0] * (name == "measure")
        )
    return circuit


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(st.sampled_from(sorted(NAMES)), max_size=20), at_once=st.integers(1, 6))
def test_pieces_are_as_the_whole(monkeypatch: pytest.MonkeyPatch, names: list[str], at_once: int) -> None:
    circuit = circuit_of(names)
    widths = [NAMES[name] for name in names]
    monkeypatch.setattr(layout, "_AT_ONCE", at_once)
    starts = layout.Layout(circuit.operations).offsets(circuit.body).qubits
    np.testing.assert_array_equal(starts, np.concatenate([[0], np.cumsum(widths, dtype=np.int64)]))
    np.testing.assert_array_equal(layout.owners_of(starts), np.repeat(np.arange(len(names)), widths))


def test_a_long_check_can_be_left_at_many_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "_AT_ONCE", 100)
    circuit = circuit_of(["x", "cx", "measure", "x"] * 100)
    left = 0
    while True:
        calls = 0

        def pause(last: int = left) -> None:
            nonlocal calls
            calls += 1
            if calls > last:
                raise SimulationCancelled

        try:
            with pausing(pause):
                ValidCircuit(circuit).program(from_zero=True)
        except SimulationCancelled:
            left += 1
        else:
            break
    # Each pass over all columns can be left in pieces, and what was left has changed nothing.
    assert left > 30
    assert abs(statevector(circuit_of(["x", "cx"]))[3]) == 1
