"""Counts, memory and saves are those of the reference simulator, whichever way shots take."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from basicaer.simulator import (
    Binary,
    BinaryOperator,
    Case,
    Cast,
    Circuit,
    CircuitError,
    ClassicalKind,
    ClassicalType,
    ClbitRef,
    ForLoop,
    IfElse,
    Initialize,
    Literal,
    Observable,
    Register,
    RegisterRef,
    RunControl,
    Save,
    SaveKind,
    SimulationCancelled,
    Store,
    SwitchCase,
    Variable,
    VariableRef,
    WhileLoop,
    run,
)
from basicaer.simulator.methods.stabilizer import _method

from tests.unit.simulator.methods.stabilizer.clifford_circuits import (
    assert_counts_agree,
    dynamic_circuit,
    outcomes,
)

UINT = ClassicalType(ClassicalKind.UINT, 3)


def measured(circuit: Circuit) -> Circuit:
    """The circuit with its last qubits read at the end."""
    return circuit.append("measure", [0], [], [3]).append("measure", [1], [], [4])


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("conditional", [(), ("x", "y", "z", "id"), ("h", "s", "sx")])
def test_circuits_with_measurements_on_the_way(seed: int, conditional: tuple[str, ...]) -> None:
    circuit = measured(dynamic_circuit(seed, conditional))
    assert _method.program(circuit).parts_shots == ("h" in conditional)
    assert_counts_agree(circuit)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("conditional", [(), ("x", "y"), ("h", "s")])
def test_saves_are_those_of_state_vectors(seed: int, conditional: tuple[str, ...]) -> None:
    circuit = dynamic_circuit(seed, conditional)
    paulis = ["".join(letters) for letters in product("IXYZ", repeat=3)]
    observables = tuple(Observable((pauli, "ZZZ"), (1.0, 0.5)) for pauli in paulis)
    circuit.append("save", [4, 1, 2], save=Save("values", SaveKind.EXPECTATION_VALUES, observables))
    if "h" not in conditional:
        circuit.append("save", [3, 0, 2], save=Save("weights", SaveKind.PROBABILITIES))
    measured(circuit)
    found, expected = outcomes(circuit, 20_000).saved, run(circuit, shots=20_000, seed=1).saved
    assert found.keys() == expected.keys()
    for label in found:
        # Both are means over shots: each has a deviation of at most 1.5 / 141.
        np.testing.assert_allclose(found[label], expected[label], atol=0.075)


def test_saves_without_random_outcomes_are_exact() -> None:
    circuit = Circuit.from_gates(3, [("h", [0]), ("cx", [0, 1]), ("s", [1])])
    observable = Observable(("IXX", "IYX", "ZII"), (1.0, 2.0, 4.0))
    circuit.append("save", [0, 1, 2], save=Save("values", SaveKind.EXPECTATION_VALUES, (observable,)))
    circuit.append("save", [1, 0], save=Save("weights", SaveKind.PROBABILITIES))
    found, expected = outcomes(circuit, 10).saved, run(circuit, shots=10, seed=1).saved
    np.testing.assert_allclose(found["values"], expected["values"], atol=1e-12)
    np.testing.assert_allclose(found["weights"], [0.5, 0.0, 0.0, 0.5], atol=1e-12)


def test_nested_conditions_with_pauli_gates_keep_one_reference() -> None:
    circuit = Circuit(4, 4)
    inner = circuit.block([("z", [3]), ("x", [2], [], [], {"condition": ClbitRef(1)})])
    other = circuit.block([("y", [2])])
    for qubit in range(2):
        circuit.append("h", [qubit]).append("measure", [qubit], [], [qubit])
    circuit.append("h", [3])
    circuit.append("if_else", [], if_else=IfElse(ClbitRef(0), inner, other))
    circuit.append("h", [3]).append("measure", [2], [], [2]).append("measure", [3], [], [3])
    assert not _method.program(circuit).parts_shots
    assert_counts_agree(circuit)


def test_loops_until_success() -> None:
    circuit = Circuit(2, 3)
    turn = circuit.block([("h", [0]), ("measure", [0], [], [0]), ("cx", [0, 1])])
    circuit.append("x", [0]).append("measure", [0], [], [0])
    circuit.append("while_loop", [], while_loop=WhileLoop(ClbitRef(0), turn))
    circuit.append("measure", [1], [], [1])
    found = outcomes(circuit)
    assert set(found.words[:, 0].tolist()) == {0, 2}
    # An even number of turns that failed, of which each has the probability 1/2: 2/3.
    assert int(found.counts[0]) / 4000 == pytest.approx(2 / 3, abs=0.045)


def test_for_loops_with_jumps_and_variables() -> None:
    circuit = Circuit(2, 3, variables=[Variable("turn", UINT), Variable("seen", UINT)])
    leave = circuit.block([("break_loop",)])
    body = circuit.block(
        [
            (
                "store",
                [],
                [],
                [],
                {"store": Store(VariableRef(1), Binary(BinaryOperator.ADD, VariableRef(0), Literal(1)))},
            ),
            ("h", [0]),
            ("measure", [0], [], [0]),
            ("if_else", [], [], [], {"if_else": IfElse(ClbitRef(0), leave)}),
            ("x", [1]),
        ]
    )
    circuit.append("for_loop", [], for_loop=ForLoop(range(3), body, 0))
    flip = circuit.block([("x", [1])])
    circuit.append(
        "if_else", [], if_else=IfElse(Binary(BinaryOperator.EQUAL, VariableRef(1), Literal(2, UINT)), flip)
    )
    circuit.append("measure", [1], [], [1])
    assert_counts_agree(circuit)


def test_switches_on_registers_and_stores_to_them() -> None:
    circuit = Circuit(3, 4, classical_registers=[Register("c", 2, (0, 1))])
    cases = (
        Case((1, 2), circuit.block([("h", [2])])),
        Case((3,), circuit.block([("x", [2])])),
        Case((), circuit.block([]), True),
    )
    for qubit in range(2):
        circuit.append("h", [qubit]).append("measure", [qubit], [], [qubit])
    circuit.append("switch_case", [], switch_case=SwitchCase(RegisterRef(0), cases))
    added = Binary(BinaryOperator.ADD, Cast(RegisterRef(0), ClassicalType(ClassicalKind.UINT, 2)), Literal(1))
    circuit.append("store", [], store=Store(RegisterRef(0), added))
    circuit.append("measure", [2], [], [2])
    assert_counts_agree(circuit)


def test_states_to_begin_with() -> None:
    for label in ("0", "1", "+", "-", "r", "l"):
        circuit = Circuit(2, 2).append("h", [0]).append("h", [1])
        circuit.append("initialize", [0, 1], initialize=Initialize(label="1" + label))
        observable = tuple(Observable((letter,), (1.0,)) for letter in ("IX", "IY", "IZ", "ZI"))
        circuit.append("save", [0, 1], save=Save("values", SaveKind.EXPECTATION_VALUES, observable))
        found, expected = outcomes(circuit, 10).saved, run(circuit, shots=10, seed=1).saved
        np.testing.assert_allclose(found["values"], expected["values"], atol=1e-12)


@pytest.mark.parametrize("conditional", [("x", "y"), ("h", "s")])
def test_the_same_seed_gives_the_same_on_any_threads(conditional: tuple[str, ...]) -> None:
    circuit = measured(dynamic_circuit(1, conditional))
    sequence = np.random.SeedSequence(3)
    one, two = (
        _method.run(circuit, 10_000, sequence, RunControl(), memory=True, threads=threads)
        for threads in (1, 2)
    )
    other = _method.run(circuit, 10_000, np.random.SeedSequence(4), RunControl(), memory=True)
    assert one.memory is not None
    assert other.memory is not None
    np.testing.assert_array_equal(one.memory, two.memory)
    assert (one.memory != other.memory).any()
    words, counts = np.unique(one.memory[:, 0], return_counts=True)
    np.testing.assert_array_equal(words, one.words[:, 0])
    np.testing.assert_array_equal(counts, one.counts)


@pytest.mark.parametrize("conditional", [("x", "y"), ("h", "s")])
def test_what_is_cancelled_ends(conditional: tuple[str, ...]) -> None:
    control = RunControl()
    control.cancel()
    with pytest.raises(SimulationCancelled):
        _method.run(dynamic_circuit(1, conditional), 10, np.random.SeedSequence(3), control)


@pytest.mark.parametrize(
    ("circuit", "reason"),
    [
        (Circuit.from_gates(2, [("h", [0]), ("t", [1])]), "t, which is no Clifford gate"),
        (Circuit.from_gates(2, [("rx", [0], [0.25])]), "rx(0.25), which is no Clifford gate"),
        (Circuit(1).append("save", [0], save=Save("all", SaveKind.STATEVECTOR)), "save 'all': statevector"),
        (
            Circuit(1).append("initialize", [0], initialize=Initialize(amplitudes=np.array([0.6, 0.8]))),
            "initialize with amplitudes",
        ),
    ],
)
def test_what_it_cannot_do_it_names(circuit: Circuit, reason: str) -> None:
    assert _method.refuses(circuit) == reason
    with pytest.raises(CircuitError, match="the stabilizer method can't do this"):
        outcomes(circuit)


def test_estimates_grow() -> None:
    small, large = (Circuit.from_gates(n, [("cx", [i, i + 1]) for i in range(n - 1)], n) for n in (10, 1000))
    for shots in (10, 10_000):
        assert _method.estimate(small, shots)[0] < _method.estimate(large, shots)[0]
        assert _method.estimate(small, shots)[1] < _method.estimate(large, shots)[1]
