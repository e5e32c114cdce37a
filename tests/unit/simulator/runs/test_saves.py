"""What circuits save of their states: against the reference, by example, and what is refused."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pytest
from basicaer.simulator import (
    Circuit,
    CircuitError,
    ClbitRef,
    IfElse,
    Observable,
    Save,
    SaveKind,
    required_bytes,
    run,
    statevector,
    unitary,
    validate,
)
from basicaer.simulator.reference import TooManyLeavesError, interpret, random_circuit, saved_means
from basicaer.simulator.running import _trajectories
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.unit.simulator.shorthand import memory_of, statevector_of

R = 0.5**0.5
SHOTS = 4000


def state_of(label: str = "state") -> dict[str, Any]:
    return {"save": Save(label, SaveKind.STATEVECTOR)}


def probabilities_of(label: str = "p") -> dict[str, Any]:
    return {"save": Save(label, SaveKind.PROBABILITIES)}


def value_of(*paulis: str, label: str = "e") -> dict[str, Any]:
    observable = Observable(paulis, (1.0,) * len(paulis))
    return {"save": Save(label, SaveKind.EXPECTATION_VALUES, (observable,))}


@pytest.fixture(params=["states wait", "branches run again"])
def execution(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs a test as usual, and with no memory for waiting states."""
    if request.param == "branches run again":
        monkeypatch.setattr(_trajectories, "_WAITING_BYTES", 70)


@pytest.mark.usefixtures("execution")
@settings(max_examples=120, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 3), st.integers(0, 4), st.booleans())
def test_means_and_states_are_the_references(
    random: Random, num_qubits: int, num_clbits: int, dynamic: bool
) -> None:
    circuit = random_circuit(
        random, num_qubits=num_qubits, num_clbits=num_clbits, num_instructions=5, dynamic=dynamic
    )
    qubits = random.sample(range(num_qubits), random.randint(1, num_qubits))
    circuit.append("save", qubits, **probabilities_of("p1"))
    for number in random.sample(range(num_qubits), num_qubits):
        circuit.append("ry", [number], [random.uniform(-3, 3)])
    if num_clbits:
        circuit.append("measure", [random.randrange(num_qubits)], [], [random.randrange(num_clbits)])
    paulis = ["".join(random.choice("IXYZ") for _ in qubits) for _ in range(3)]
    circuit.append("save", qubits, **value_of(*paulis))
    circuit.append("rx", [random.randrange(num_qubits)], [random.uniform(-3, 3)])
    circuit.append("save", qubits, **probabilities_of("p2"))
    circuit.append("save", **state_of())
    try:
        expected = saved_means(circuit)
        leaves = interpret(circuit)
    except TooManyLeavesError:
        assume(False)
    result = run(circuit, shots=SHOTS, seed=1)
    assert set(result.saved) == {"p1", "e", "p2", "state"}
    # Where shots part, a mean over them is off by its statistical error; there are 8 values at most.
    allowed = 1e-9 if len(leaves) == 1 else 6 * len(paulis) / SHOTS**0.5
    for label in ("p1", "e", "p2"):
        np.testing.assert_allclose(result.saved[label], expected[label].real, atol=allowed)
    phase = np.exp(1j * circuit.global_phase)
    states = [dict(leaf.saved)["state"] * phase for leaf in leaves]
    assert any(np.allclose(result.saved["state"], state, atol=1e-9) for state in states)


def test_a_save_between_gates_sees_the_state_there() -> None:
    circuit = Circuit(2, global_phase=np.pi)
    circuit.append("h", [0]).append("save", [], **state_of("before")).append("cx", [0, 1])
    circuit.append("save", [1, 0], **probabilities_of()).append("save", [0, 1], **value_of("ZZ", "XX"))
    saved = run(circuit, shots=1).saved
    np.testing.assert_allclose(saved["before"], [-R, -R, 0, 0], atol=1e-12)
    np.testing.assert_allclose(saved["p"], [0.5, 0, 0, 0.5], atol=1e-12)
    np.testing.assert_allclose(saved["e"], [2.0], atol=1e-12)
    assert saved["p"].dtype == np.float64
    assert saved["before"].dtype == np.complex128


@pytest.mark.usefixtures("execution")
def test_means_are_weighted_by_shots_and_counted_once() -> None:
    circuit = Circuit(1, 3)
    circuit.append("save", [0], **value_of("Z", label="start"))
    for clbit in range(3):
        circuit.append("ry", [0], [1.0]).append("measure", [0], [], [clbit])
        circuit.append("save", [0], **value_of("Z", label=f"after {clbit}"))
    result = run(circuit, shots=1000, seed=3)
    assert result.saved["start"].tolist() == [1.0]
    words, counts = result.outcomes[:, 0].astype(int), result.counts
    for clbit in range(3):
        mean = ((1 - 2 * (words >> clbit & 1)) * counts).sum() / 1000
        np.testing.assert_allclose(result.saved[f"after {clbit}"], [mean], atol=1e-12)


def test_measurements_wait_only_for_saves_of_other_qubits() -> None:
    circuit = Circuit(2, 2)
    circuit.append("h", [0]).append("h", [1]).append("measure", [0], [], [0])
    circuit.append("save", [1], **value_of("X"))
    assert run(circuit, shots=10, seed=1).method == "sampled"
    circuit.append("save", [0], **value_of("X", label="collapsed"))
    result = run(circuit, shots=10, seed=1)
    assert result.method == "branched"
    np.testing.assert_allclose([result.saved["e"], result.saved["collapsed"]], [[1.0], [0.0]], atol=1e-12)
    circuit = Circuit(1, 1).append("h", [0]).append("measure", [0], [], [0]).append("save", **state_of())
    assert abs(run(circuit, shots=10, seed=1).saved["state"]).max() == pytest.approx(1.0)


def test_the_saved_state_is_that_of_the_last_shot() -> None:
    circuit = Circuit(2, 2).append("h", [0]).append("h", [1])
    circuit.append("measure", [0], [], [0]).append("save", **state_of())
    circuit.append("measure", [1], [], [1])
    for seed in range(12):
        result = run(circuit, shots=20, seed=seed, memory=True, statevector=True)
        last = int(memory_of(result)[-1, 0])
        assert np.flatnonzero(abs(result.saved["state"]) > 0.1).tolist() == [last & 1, last & 1 | 2]
        assert abs(statevector_of(result)[last]) == pytest.approx(1.0)


def test_what_no_shot_reaches_is_left_out() -> None:
    circuit = Circuit(1, 1)
    inner = circuit.block([("save", [0], [], [], probabilities_of())])
    circuit.append("if_else", if_else=IfElse(ClbitRef(0), inner))
    assert run(circuit, shots=3).saved == {}


def test_a_reset_after_a_save_of_a_qubit_in_zero_does_nothing() -> None:
    circuit = Circuit(1).append("save", **state_of()).append("reset", [0]).append("h", [0])
    np.testing.assert_allclose(statevector(circuit), [R, R], atol=1e-12)


def test_saves_take_memory() -> None:
    circuit = Circuit(20)
    before = required_bytes(circuit)
    circuit.append("save", **state_of())
    assert required_bytes(circuit) - before == pytest.approx(16 << 20, rel=0.01)


def test_a_matrix_has_nothing_to_save() -> None:
    with pytest.raises(CircuitError, match="no meaning for a matrix"):
        unitary(Circuit(1).append("save", [0], **probabilities_of()))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (state_of(""), "0 characters; give 1 to 128"),
        (state_of("x" * 129), "129 characters"),
        (value_of("Z"), "1 letters, and acts on 2 qubits"),
        (value_of("ZQ"), "'Q'; its letters are I X Y Z"),
        ({"save": Save("e", SaveKind.EXPECTATION_VALUES, (Observable(("ZZ",), ()),))}, "1 paulis and 0"),
        (
            {"save": Save("e", SaveKind.EXPECTATION_VALUES, (Observable(("ZZ",), (np.nan,)),))},
            "nan is not finite",
        ),
        ({}, "needs `save`"),
    ],
)
def test_bad_saves_are_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(CircuitError, match=words) as caught:
        validate(Circuit(2).append("save", [0, 1], **fields))
    assert caught.value.path[:2] == ("operations", 0)


def test_labels_are_used_once() -> None:
    with pytest.raises(CircuitError, match="'state' is used twice"):
        validate(Circuit(1).append("save", **state_of()).append("save", **state_of()))
    fields = state_of()
    with pytest.raises(CircuitError, match="saved by several instructions"):
        validate(Circuit(1).append("save", **fields).append("save", **fields))
    with pytest.raises(CircuitError, match="probabilities are of one qubit"):
        validate(Circuit(1).append("save", **probabilities_of()))
