"""Circuits whose shots part at mid-circuit outcomes: against the reference, and by example."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import numpy as np
import pytest
from basicaer.simulator import (
    Binary,
    BinaryOperator,
    Case,
    Circuit,
    ClassicalKind,
    ClassicalType,
    ClbitRef,
    Expression,
    ForLoop,
    IfElse,
    Initialize,
    Instruction,
    Literal,
    Operation,
    Register,
    RegisterRef,
    RunControl,
    RunResult,
    Store,
    SwitchCase,
    Unary,
    UnaryOperator,
    Variable,
    VariableRef,
    WhileLoop,
    run,
    statevector,
    unitary,
)
from basicaer.simulator.methods.statevector import _sampler, _state, _wide
from basicaer.simulator.reference import TooManyLeavesError, interpret, random_circuit
from basicaer.simulator.running import _trajectories
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from tests.unit.simulator.shorthand import block_of, memory_of, statevector_of

UINT8 = ClassicalType(ClassicalKind.UINT, 8)


@pytest.fixture(params=["states wait", "branches run again", "small blocks"])
def execution(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs a test as usual, with no memory for waiting states, and with blocks of two amplitudes."""
    if request.param == "branches run again":
        monkeypatch.setattr(_trajectories, "_WAITING_BYTES", 70)
    if request.param == "small blocks":
        for module in (_state, _wide, _sampler):
            monkeypatch.setattr(module, "BLOCK_BITS", 1)


def counts_of(result: RunResult) -> dict[int, int]:
    return {int(words[0]): int(count) for words, count in zip(result.outcomes, result.counts, strict=True)}


def plausible(seen: dict[int, int], probabilities: dict[int, float], shots: int) -> bool:
    """Whether counts follow the probabilities: none where there is none, and by the chi-square test."""
    if not set(seen) <= set(probabilities) or sum(seen.values()) != shots:
        return False
    expected = np.array([probability * shots for probability in probabilities.values()])
    observed = np.array([seen.get(outcome, 0) for outcome in probabilities])
    often = expected >= 5
    expected = np.r_[expected[often], expected[~often].sum()]
    observed = np.r_[observed[often], observed[~often].sum()]
    there = expected > 1e-9
    if there.sum() < 2:
        return True
    scaled = expected[there] * (observed[there].sum() / expected[there].sum())
    return bool(chisquare(observed[there], scaled).pvalue > 1e-7)


@pytest.mark.usefixtures("execution")
@settings(max_examples=150, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 4), st.integers(0, 5), st.integers(0, 9))
def test_outcomes_and_states_are_the_references(
    random: Random, num_qubits: int, num_clbits: int, num_instructions: int
) -> None:
    circuit = random_circuit(
        random, num_qubits=num_qubits, num_clbits=num_clbits, num_instructions=num_instructions, dynamic=True
    )
    try:
        leaves = interpret(circuit)
    except TooManyLeavesError:
        assume(False)
    probabilities: dict[int, float] = {}
    for leaf in leaves:
        probabilities[leaf.clbits] = probabilities.get(leaf.clbits, 0.0) + leaf.probability
    assert sum(probabilities.values()) == pytest.approx(1.0)
    assert plausible(counts_of(run(circuit, shots=300, seed=1)), probabilities, 300)
    for seed, shots in [(2, 1), (3, 4)]:
        result = run(circuit, shots=shots, seed=seed, memory=True, statevector=True)
        outcome = int(memory_of(result)[-1, 0])
        states = [leaf.state for leaf in leaves if leaf.clbits == outcome]
        assert any(np.allclose(statevector_of(result), state, atol=1e-9) for state in states)


@pytest.mark.usefixtures("execution")
def test_correlated_outcomes_follow_their_distribution() -> None:
    """Repeated measurements of a rotating qubit, each deciding the next rotation."""
    circuit = Circuit(2, 6)
    for turn in range(6):
        circuit.append("ry", [turn % 2], [0.9])
        circuit.append("measure", [turn % 2], [], [turn])
        circuit.append("rx", [1 - turn % 2], [0.7], condition=ClbitRef(turn))
    probabilities: dict[int, float] = {}
    for leaf in interpret(circuit):
        probabilities[leaf.clbits] = probabilities.get(leaf.clbits, 0.0) + leaf.probability
    result = run(circuit, shots=100_000, seed=8)
    assert result.method == "branched"
    assert plausible(counts_of(result), probabilities, 100_000)


def test_measurements_wait_only_when_nothing_needs_them() -> None:
    def method(*gates: Instruction) -> str:
        return run(Circuit.from_gates(2, gates, 2), shots=5).method

    measure: Instruction = ("measure", [0], [], [0])
    unless = {"condition": ClbitRef(0)}
    assert method(("h", [0]), measure, ("h", [1])) == "sampled"
    assert method(("h", [0]), measure, ("barrier", [0, 1]), ("measure", [0], [], [1])) == "sampled"
    assert method(("h", [0]), measure, ("x", [1], [], [], {"condition": ClbitRef(1)})) == "sampled"
    assert method(measure, ("h", [0])) == "branched"
    assert method(measure, ("reset", [0])) == "branched"
    assert method(("h", [0]), measure, ("x", [1], [], [], unless)) == "branched"
    assert method(measure, ("store", [], [], [], {"store": Store(ClbitRef(0), Literal(False))})) == "branched"
    assert method(measure, ("measure", [1], [], [0], {"condition": ClbitRef(1)})) == "branched"


def test_a_later_store_wins_over_a_measurement() -> None:
    circuit = Circuit(1, 1).append("x", [0]).append("measure", [0], [], [0])
    circuit.append("store", store=Store(ClbitRef(0), Literal(False)))
    assert counts_of(run(circuit, shots=5)) == {0: 5}


def test_teleportation() -> None:
    state = np.array([0.6, 0.8j])
    circuit = Circuit(3, 2).append("initialize", [0], initialize=Initialize(state))
    circuit.append("h", [1]).append("cx", [1, 2]).append("cx", [0, 1]).append("h", [0])
    circuit.append("measure", [0], [], [0]).append("measure", [1], [], [1])
    circuit.append("x", [2], condition=ClbitRef(1)).append("z", [2], condition=ClbitRef(0))
    for seed in range(8):
        result = run(circuit, shots=1, seed=seed, statevector=True)
        base = int(result.outcomes[0, 0])
        np.testing.assert_allclose(statevector_of(result)[[base, base + 4]], state, atol=1e-12)


def test_repeat_until_success() -> None:
    """A loop of unknown length: every shot leaves it with a 1."""
    circuit = Circuit(1, 1, variables=[Variable("turns", UINT8)])
    once_more = Store(VariableRef(0), Binary(BinaryOperator.ADD, VariableRef(0), Literal(1)))
    body = circuit.block(
        [
            ("reset", [0]),
            ("ry", [0], [0.8]),
            ("measure", [0], [], [0]),
            ("store", [], [], [], {"store": once_more}),
        ]
    )
    circuit.append("while_loop", while_loop=WhileLoop(Unary(UnaryOperator.LOGIC_NOT, ClbitRef(0)), body))
    assert counts_of(run(circuit, shots=5000, seed=3)) == {1: 5000}


def counting(
    values: range | tuple[int, ...], body_of: Callable[[Circuit], list[Instruction]], variable: int = 0
) -> Circuit:
    """A circuit that loops over `values` and adds to the register what `body_of` makes of the circuit."""
    circuit = Circuit(
        1,
        8,
        classical_registers=[Register("sum", 8, tuple(range(8)))],
        variables=[Variable("i", UINT8)],
    )
    circuit.append("for_loop", for_loop=ForLoop(values, circuit.block(body_of(circuit)), variable))
    return circuit


def adding(amount: Expression) -> Instruction:
    return (
        "store",
        [],
        [],
        [],
        {"store": Store(RegisterRef(0), Binary(BinaryOperator.ADD, RegisterRef(0), amount))},
    )


def test_for_loops_give_their_values_to_the_variable() -> None:
    assert counts_of(run(counting(range(1, 10, 3), lambda _: [adding(VariableRef(0))]), shots=2)) == {12: 2}
    assert counts_of(run(counting((9, 9, 1), lambda _: [adding(VariableRef(0))]), shots=2)) == {19: 2}
    assert counts_of(run(counting(range(5, 0, -2), lambda _: [adding(VariableRef(0))]), shots=2)) == {9: 2}
    assert counts_of(run(counting((), lambda _: [adding(Literal(1))]), shots=2)) == {0: 2}


def test_break_and_continue() -> None:
    third = {"condition": Binary(BinaryOperator.EQUAL, VariableRef(0), Literal(3))}
    assert counts_of(
        run(counting(range(6), lambda _: [("break_loop", [], [], [], third), adding(VariableRef(0))]))
    ) == {3: 1024}
    assert counts_of(
        run(counting(range(6), lambda _: [("continue_loop", [], [], [], third), adding(VariableRef(0))]))
    ) == {12: 1024}


def test_break_leaves_the_inner_loop_alone() -> None:
    def body(circuit: Circuit) -> list[Instruction]:
        inner = circuit.block([adding(Literal(1)), ("break_loop",)])
        return [("for_loop", [], [], [], {"for_loop": ForLoop(range(7), inner)}), adding(Literal(16))]

    assert counts_of(run(counting(range(3), body))) == {3 + 48: 1024}


def test_switch_takes_the_first_case_that_fits() -> None:
    def outcome(value: int) -> int:
        circuit = Circuit(
            1, 4, classical_registers=[Register("c", 4, (0, 1, 2, 3))], variables=[Variable("i", UINT8)]
        )
        circuit.append("store", store=Store(VariableRef(0), Literal(value)))
        cases = (
            Case((1, 2), circuit.block([adding(Literal(1))])),
            Case((2, 3), circuit.block([adding(Literal(2))])),
            Case((), circuit.block([adding(Literal(4))]), is_default=True),
            Case((5,), circuit.block([adding(Literal(8))])),
        )
        circuit.append("switch_case", switch_case=SwitchCase(VariableRef(0), cases))
        return next(iter(counts_of(run(circuit, shots=1))))

    assert [outcome(value) for value in (1, 2, 3, 4, 5)] == [1, 1, 2, 4, 4]


def test_control_flow_without_outcomes_has_a_state_and_a_matrix() -> None:
    circuit = Circuit(1, 1, variables=[Variable("i", UINT8)])
    angle = Binary(BinaryOperator.MUL, Literal(0.1), VariableRef(0))
    circuit.append("for_loop", for_loop=ForLoop(range(5), circuit.block([("rx", [0], [angle])]), 0))
    choice = IfElse(ClbitRef(0), circuit.block([("x", [0])]), circuit.block([("rz", [0], [0.5])]))
    circuit.append("if_else", if_else=choice)
    expected = unitary(Circuit.from_gates(1, [("rx", [0], [1.0]), ("rz", [0], [0.5])]))
    np.testing.assert_allclose(unitary(circuit), expected, atol=1e-12)
    np.testing.assert_allclose(statevector(circuit), expected[:, 0], atol=1e-12)


def test_ranges_longer_than_64_bits_begin_without_being_made() -> None:
    circuit = Circuit(1, 1)
    body = circuit.block([("x", [0]), ("break_loop",)])
    circuit.append("for_loop", for_loop=ForLoop(range(-(2**63), 2**63), body))
    np.testing.assert_allclose(statevector(circuit), [0, 1])


def test_deeply_nested_blocks_run() -> None:
    operations = [Operation("x", 1)]
    for level in range(3000):
        body = block_of([level], [0] if level == 0 else [])
        operations.append(Operation("if_else", if_else=IfElse(Literal(True), body)))
    circuit = Circuit(1, operations=operations, body=block_of([3000]))
    np.testing.assert_allclose(statevector(circuit), [0, 1])


def test_many_shots_of_many_outcomes_take_few_states(monkeypatch: pytest.MonkeyPatch) -> None:
    """At most log2(shots) branches wait at a time, so that no more states are copied at once."""
    alive = most = 0
    original = _state.State.copy

    def counting_copy(state: _state.State, control: RunControl) -> _state.State:
        nonlocal alive, most
        alive += 1
        most = max(most, alive)
        return original(state, control)

    def counting_advance(control: RunControl, shots: int) -> None:
        nonlocal alive
        alive -= 1

    monkeypatch.setattr(_state.State, "copy", counting_copy)
    monkeypatch.setattr(RunControl, "advance_shots", counting_advance)
    circuit = Circuit(1, 1)
    for _ in range(12):
        circuit.append("h", [0]).append("measure", [0], [], [0])
    run(circuit, shots=256, seed=1)
    assert most <= 9
