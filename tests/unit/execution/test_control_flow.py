"""The converter and Qiskit's control flow, variables and registers: the outcomes are those of Aer."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from basicaer import simulator as sim
from basicaer.client.conversion.from_qiskit import circuit_to_proto
from basicaer.service.execution.circuits.reading import to_simulator
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, transpile
from qiskit.circuit import Clbit, Instruction, Qubit
from qiskit.circuit.classical import expr, types
from qiskit.circuit.random import random_circuit
from qiskit_aer import AerSimulator

SHOTS = 4000


def counts(circuit: Any, shots: int = SHOTS) -> dict[int, int]:
    result = sim.run(to_simulator(circuit_to_proto(circuit)), shots=shots, seed=7)
    return {
        sum(int(word) << 64 * place for place, word in enumerate(row)): int(count)
        for row, count in zip(result.outcomes, result.counts, strict=True)
    }


def aer_counts(circuit: Any) -> dict[int, int]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        simulator = AerSimulator(seed_simulator=11)
        known = transpile(circuit, simulator, optimization_level=0)
        data = simulator.run(known, shots=SHOTS).result().data(0)
    return {int(outcome, 16): count for outcome, count in data["counts"].items()}


def assert_same_distribution(first: dict[int, int], second: dict[int, int]) -> None:
    distance = sum(abs(first.get(key, 0) - second.get(key, 0)) for key in {*first, *second})
    assert distance / (2 * SHOTS) < 0.02 + 0.02 * math.sqrt(len({*first, *second}))


def _if_else(circuit: Any) -> None:
    circuit.h(0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)) as otherwise:
        circuit.x(1)
        circuit.h(2)
    with otherwise:
        circuit.ry(0.7, 1)
    circuit.measure([1, 2], [1, 2])
    with circuit.if_test((circuit.cregs[0], 3)):
        circuit.x(0)
    circuit.measure(0, 3)


def _for_loops(circuit: Any) -> None:
    with circuit.for_loop((3, 0, -2)) as i:
        circuit.rz(i / 4, 1)
        with circuit.for_loop(range(2)) as j:
            circuit.ry((i - 2 * j) * 0.3, 0)
            circuit.rx(i.sin() + j.cos() - (2 - i) ** 2 / 3, 1)
    circuit.measure([0, 1], [0, 1])


def _while_loop(circuit: Any) -> None:
    circuit.h(0)
    circuit.measure(0, 0)
    with circuit.while_loop((circuit.clbits[0], 0)):
        circuit.h(0)
        circuit.measure(0, 0)
        circuit.ry(0.3, 1)
    circuit.measure(1, 1)


def _switch(circuit: Any) -> None:
    circuit.h([0, 1])
    circuit.measure([0, 1], [0, 1])
    with circuit.switch(circuit.cregs[0]) as case:
        with case(0):
            circuit.x(2)
        with case(1, 2):
            circuit.h(2)
        with case(case.DEFAULT):
            circuit.ry(0.4, 2)
    circuit.measure(2, 2)


def _jumps(circuit: Any) -> None:
    with circuit.for_loop(range(5)):
        circuit.h(0)
        circuit.measure(0, 0)
        with circuit.if_test((circuit.clbits[0], 1)):
            circuit.break_loop()
        with circuit.if_test((circuit.clbits[0], 0)):
            circuit.x(1)
            circuit.continue_loop()
        circuit.x(2)
    circuit.measure([1, 2], [1, 2])


def _store(circuit: Any) -> None:
    circuit.h(0)
    circuit.measure(0, 0)
    circuit.store(circuit.clbits[1], expr.logic_not(circuit.clbits[0]))
    circuit.store(circuit.cregs[1], expr.lift(2, types.Uint(2)))


def _initialize(circuit: Any) -> None:
    circuit.h(0)
    circuit.initialize([0.6, 0.0, 0.0, 0.8], [1, 2])
    circuit.cx(0, 1)
    circuit.initialize("r1", [0, 2])
    circuit.h(0)
    circuit.initialize(2, [0, 1])
    circuit.reset(2)
    circuit.measure([0, 1, 2], [0, 1, 2])


@pytest.mark.parametrize("build", [_if_else, _for_loops, _while_loop, _switch, _jumps, _store, _initialize])
def test_dynamic_circuits_agree_with_aer(build: Callable[[Any], None]) -> None:
    circuit = QuantumCircuit(QuantumRegister(3, "q"), ClassicalRegister(3, "c"), ClassicalRegister(2, "d"))
    build(circuit)
    assert_same_distribution(counts(circuit), aer_counts(circuit))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**31))
def test_random_dynamic_circuits_agree_with_aer(seed: int) -> None:
    circuit = random_circuit(4, 5, measure=True, conditional=True, reset=True, max_operands=2, seed=seed)
    assert_same_distribution(counts(circuit), aer_counts(circuit))


def test_a_box_is_what_it_holds() -> None:
    boxed, plain = QuantumCircuit(2, 2), QuantumCircuit(2, 2)
    with boxed.box():
        boxed.cx(0, 1)
        boxed.measure(1, 1)
    plain.cx(0, 1)
    plain.measure(1, 1)
    assert circuit_to_proto(boxed).body == circuit_to_proto(plain).body


def test_expressions_over_variables() -> None:
    circuit = QuantumCircuit(3, 3)
    four = types.Uint(4)
    a = circuit.add_var("a", expr.lift(5, four))
    flag = circuit.add_var("flag", expr.lift(True))
    real = circuit.add_var("real", expr.lift(0.5))
    circuit.store(a, expr.bit_not(a))  # 10
    circuit.store(a, expr.add(a, 3))  # 13
    circuit.store(a, expr.mul(a, 3))  # 39 mod 16 = 7
    circuit.store(a, expr.div(a, 2))  # 3
    circuit.store(a, expr.bit_xor(a, expr.shift_left(a, 2)))  # 15
    circuit.store(a, expr.sub(a, expr.cast(flag, four)))  # 14
    for qubit, condition in enumerate(
        (
            expr.logic_and(expr.equal(a, 14), expr.logic_not(expr.index(a, 0))),
            expr.logic_or(expr.less(expr.mul(real, -2.0), -1.5), expr.greater_equal(expr.negate(real), -0.5)),
            expr.not_equal(expr.bit_and(a, 9), 8),
        )
    ):
        with circuit.if_test(condition):
            circuit.x(qubit)
    circuit.measure([0, 1, 2], [0, 1, 2])
    assert counts(circuit) == {0b011: SHOTS}


def test_a_store_into_one_bit_of_a_variable() -> None:
    circuit = QuantumCircuit(2, 4)
    a = circuit.add_var("a", expr.lift(0b0101, types.Uint(4)))
    circuit.store(expr.index(a, 1), expr.lift(True))
    circuit.store(expr.index(a, expr.lift(0, types.Uint(4))), expr.lift(False))
    circuit.store(circuit.cregs[0], a)
    assert counts(circuit) == {0b0110: SHOTS}


def test_a_loop_over_a_variable() -> None:
    circuit = QuantumCircuit(2, 2)
    with circuit.for_loop(range(1, 6), expr.Var.new("turn", types.Uint(4))) as turn:
        with circuit.if_test(expr.equal(expr.bit_and(turn, 1), 1)):
            circuit.x(0)
        with circuit.if_test(expr.less(turn, 5)):
            circuit.x(1)
    circuit.measure([0, 1], [0, 1])
    assert counts(circuit) == {0b01: SHOTS}


def test_an_instruction_with_inner_registers_and_control_flow_is_mapped_to_the_outer_bits() -> None:
    inner = QuantumCircuit(QuantumRegister(2), ClassicalRegister(2, "inner"))
    inner.h(0)
    inner.measure(0, 0)
    with inner.if_test((inner.cregs[0], 1)):
        inner.x(1)
    inner.measure(1, 1)
    instruction = Instruction("composite", 2, 2, [])
    instruction.definition = inner
    circuit = QuantumCircuit(3, 4)
    circuit.append(instruction, [2, 0], [3, 1])
    circuit.append(instruction, [2, 1], [2, 0])
    found = counts(circuit)
    # Each pair of bits agrees, as qubit 2 is measured again after its first outcome.
    assert {outcome >> 3 & 1 for outcome in found if not outcome >> 1 & 1} == {0}
    assert all((outcome >> 3 & 1) == (outcome >> 1 & 1) for outcome in found)
    assert all((outcome >> 2 & 1) == (outcome & 1) for outcome in found)


def test_a_conditional_instruction_is_no_block_of_its_own() -> None:
    circuit = QuantumCircuit(1, 1)
    for _ in range(10):
        with circuit.if_test((circuit.clbits[0], 1)):
            circuit.x(0)
    message = circuit_to_proto(circuit)
    assert [operation.HasField("condition") for operation in message.operations] == [True]
    assert list(message.body.operations) == [0] * 10


def test_the_phase_of_a_block_stays_in_the_block() -> None:
    body = QuantumCircuit(1, global_phase=0.4)
    body.x(0)
    circuit = QuantumCircuit(1, 1)
    circuit.for_loop(range(3), None, body, [0], [])
    state = sim.statevector(to_simulator(circuit_to_proto(circuit)))
    np.testing.assert_allclose(state, [0, np.exp(1.2j)], atol=1e-12)


def test_a_register_of_more_than_64_bits() -> None:
    circuit = QuantumCircuit(2, 70)
    circuit.x(0)
    circuit.measure(0, [0])
    circuit.measure(0, 69)
    with circuit.if_test((circuit.cregs[0], 1 | 1 << 69)):
        circuit.x(1)
    circuit.measure(1, 1)
    assert counts(circuit) == {0b11 | 1 << 69: SHOTS}


def test_loose_bits_and_overlapping_registers() -> None:
    qubits, clbits = [Qubit() for _ in range(3)], [Clbit() for _ in range(4)]
    circuit = QuantumCircuit(qubits, clbits)
    circuit.add_register(ClassicalRegister(bits=clbits[:2], name="low"))
    circuit.add_register(ClassicalRegister(bits=clbits[1:3], name="high"))
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure([0, 1, 2], [0, 1, 2])
    with circuit.if_test((circuit.cregs[1], 1)):
        circuit.x(2)
    circuit.measure(2, 3)
    message = circuit_to_proto(circuit)
    assert [list(register.bits) for register in message.classical_registers] == [[], [1, 2]]
    assert set(counts(circuit)) == {0b0000, 0b1011}
