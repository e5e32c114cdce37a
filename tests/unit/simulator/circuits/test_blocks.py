"""Blocks in blocks: a fault's path through them, and what their numbers cost."""

from __future__ import annotations

import contextlib
import tracemalloc
from typing import Any

import numpy as np
import pytest
from basicaer.simulator import (
    Block,
    Circuit,
    CircuitError,
    ClbitRef,
    IfElse,
    Initialize,
    Instruction,
    Operation,
    Save,
    SaveKind,
    WhileLoop,
    required_bytes,
    validate,
)

from tests.traced import traced
from tests.unit.simulator.shorthand import TRUE, block_of


def test_first_faulty_instruction_is_named() -> None:
    gates = [("h", [0])] * 5 + [("ccx", [0, 1, 2]), ("cx", [1, 1]), ("ccx", [2, 0, 2])]
    with pytest.raises(CircuitError) as caught:
        validate(Circuit.from_gates(3, gates))
    assert caught.value.path == ("body", 6)
    assert str(caught.value) == "body[6]: cx acts on the same qubit twice: [1, 1]"


def test_faults_in_nested_blocks_name_the_block() -> None:
    circuit = Circuit(1, 1)
    circuit.append("if_else", if_else=IfElse(ClbitRef(0), Block(), circuit.block([("x", [0]), ("x", [1])])))
    with pytest.raises(CircuitError) as caught:
        validate(circuit)
    assert caught.value.path == ("operations", 1, "else_block", 1)


def test_break_in_an_if_in_a_loop_is_allowed_and_in_the_if_alone_is_not() -> None:
    circuit = Circuit(1, 1)
    leave = circuit.block([("break_loop",)])
    choice: Instruction = ("if_else", [], [], [], {"if_else": IfElse(ClbitRef(0), leave)})
    circuit.append("while_loop", while_loop=WhileLoop(TRUE, circuit.block([choice])))
    validate(circuit)
    alone = Circuit(1, 1)
    alone.append("x", [0]).append("if_else", if_else=IfElse(ClbitRef(0), alone.block([("continue_loop",)])))
    with pytest.raises(CircuitError, match="if_else needs a loop around it") as caught:
        validate(alone)
    assert caught.value.path == ("body", 1)


def test_blocks_that_hold_each_other_are_counted_without_being_expanded() -> None:
    """30 levels of a block that uses the one below ten times are 10^30 instructions."""
    operations = [Operation("x", 1)]
    for level in range(30):
        body = block_of([level] * 10, [0] * (10 if level == 0 else 0))
        operations.append(Operation("if_else", if_else=IfElse(TRUE, body)))
    circuit = Circuit(1, operations=operations, body=block_of([30]))
    validate(circuit)
    with pytest.raises(CircuitError, match="has 1111111111111111111111111111111 instructions, and 1000 are"):
        validate(circuit, max_instructions=1000)


def test_deeply_nested_blocks_need_no_deep_stack() -> None:
    operations = [Operation("x", 1)]
    for level in range(5000):
        body = block_of([level], [0] if level == 0 else [])
        operations.append(Operation("if_else", if_else=IfElse(TRUE, body)))
    validate(Circuit(1, operations=operations, body=block_of([5000])))


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "initialize", "initialize": Initialize(basis_state=2)},
        {"name": "save", "save": Save("p", SaveKind.PROBABILITIES)},
        {"name": "save", "save": Save("e", SaveKind.EXPECTATION_VALUES)},
        {"name": "barrier"},
        {"name": "delay", "num_parameters": 1},
        {"name": "unitary", "matrix": np.eye(2, dtype=complex)},
        {"name": "mcx", "num_controls": 2**32 - 3},
    ],
    ids=lambda fields: fields["name"],
)
def test_a_number_of_qubits_costs_nothing_until_they_are_there(fields: dict[str, Any]) -> None:
    """No instruction uses it; 2 to the power of it would have half a gigabyte."""
    circuit = Circuit(1, operations=[Operation(num_qubits=2**32 - 1, **fields)])
    with traced():
        with contextlib.suppress(CircuitError):
            validate(circuit)
            required_bytes(circuit, method="run", shots=1)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
