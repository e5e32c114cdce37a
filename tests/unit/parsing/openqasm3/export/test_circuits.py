"""Circuits as OpenQASM 3 text: read again they are the same."""

from __future__ import annotations

import contextlib
import math
from random import Random

import numpy as np
import pytest
from basicaer import simulator as sim
from basicaer.client import Circuit, CircuitError
from basicaer.client.openqasm3 import dumps
from basicaer.client.openqasm3._gates import GATES
from basicaer.service.execution.circuits.reading import to_simulator
from basicaer.simulator.circuit._gate_table import GATES as SPECS
from basicaer.simulator.reference import (
    TooManyLeavesError,
    interpret,
    random_circuit,
)
from basicaer.v1 import circuit_pb2 as pb
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.parsing.openqasm3.export.messages import message
from tests.unit.parsing.openqasm3.export.reading import counts, read, shares
from tests.unit.parsing.openqasm3.outcomes import circuit

SEEDS = st.integers(0, 2**63)


def refused(exported: pb.Circuit) -> str:
    """Why a circuit isn't written; nothing for one that is."""
    try:
        dumps(exported)
    except CircuitError as error:
        return str(error)
    return ""


def made(seed: int, *, dynamic: bool) -> sim.Circuit:
    random = Random(seed)
    return random_circuit(
        random,
        num_qubits=random.randrange(1, 4),
        num_clbits=random.randrange(0, 5),
        num_instructions=random.randrange(10),
        dynamic=dynamic,
    )


@settings(max_examples=1000, deadline=None)
@given(SEEDS)
def test_a_circuit_with_anything_gives_the_same_by_its_text(seed: int) -> None:
    original = made(seed, dynamic=True)
    exported = message(original)
    if reason := refused(exported):
        # Of what random circuits have the language lacks these.
        assert "delay" in reason or "operator" in reason
        return
    again = read(exported)
    with contextlib.suppress(TooManyLeavesError):
        wanted = shares(original, original.num_clbits)
        assert shares(again, original.num_clbits) == pytest.approx(wanted, abs=1e-9)


@settings(max_examples=300, deadline=None)
@given(SEEDS)
def test_a_circuit_of_gates_is_the_same_by_its_text(seed: int) -> None:
    original = made(seed, dynamic=False)
    first = circuit(dumps(message(original)))
    assert circuit(dumps(first)) == first
    wanted, found = interpret(original)[0].state, interpret(to_simulator(first))[0].state
    if original.num_clbits == 0:
        np.testing.assert_allclose(found, wanted, atol=1e-9)


OWN_NAMES = sorted(name for name in GATES if SPECS[name].name == name and GATES[name].word == name)


@settings(max_examples=300, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(0, 12))
def test_flat_instructions_come_back_as_they_are(random: Random, length: int) -> None:
    original = Circuit(4, name="")
    for name, size in (("c", 2), ("d", 3)):
        original.add_classical_register(name, size)
    for bit in range(5):
        original.measure(bit % 4, bit)
    for _ in range(length):
        name = random.choice([*OWN_NAMES, "measure", "reset", "barrier"])
        if name in ("measure", "reset", "barrier"):
            clbits = [random.randrange(5)] if name == "measure" else []
            original.append(name, [random.randrange(4)], [], clbits)
            continue
        spec, call = SPECS[name], range(GATES[name].parameters)
        values = [random.choice([math.pi, -math.pi / 4, random.uniform(-20, 20)]) for _ in call]
        original.append(name, random.sample(range(4), spec.num_qubits), values)
    exported = original.to_message()
    again = circuit(original.to_openqasm3())
    assert again.body == exported.body
    assert [each.name for each in again.operations] == [each.name for each in exported.operations]
    assert [(each.name, each.size) for each in again.classical_registers] == [("c", 2), ("d", 3)]
    assert list(again.quantum_registers) == list(exported.quantum_registers)
    assert counts(to_simulator(again), 5) == counts(to_simulator(exported), 5)


def test_conditions_come_back_as_conditions() -> None:
    original = Circuit(2, 2).h(0).measure([0, 1], [0, 1])
    exported = original.to_message()
    for condition in (original.bit(1), original.bit(0).negated()):
        flipped = pb.Operation(name="cx", num_qubits=2, condition=condition.message)
        exported.operations.append(flipped)
        exported.body.operations.append(len(exported.operations) - 1)
        exported.body.qubits.extend((0, 1))
    text = dumps(exported)
    assert "if (c[1]) cx q[0], q[1];\nif (!c[0]) cx q[0], q[1];" in text
    again = circuit(text)
    assert [each.condition.WhichOneof("kind") for each in again.operations[-2:]] == ["cast", "unary"]
    assert list(again.body.qubits) == list(exported.body.qubits)


def test_delays_come_back_in_nanoseconds() -> None:
    original = Circuit(2).delay(100, 0, "dt").delay(2.5, [0, 1], "us").delay(1500, 1, "ps")
    again = circuit(original.to_openqasm3())
    assert [each.name for each in again.operations] == ["delay"]
    assert again.operations[0].unit == "ns"
    assert list(again.body.qubits) == [0, 0, 1, 1]
    assert list(again.body.parameters) == [100.0, 2500.0, 2500.0, pytest.approx(1.5)]
