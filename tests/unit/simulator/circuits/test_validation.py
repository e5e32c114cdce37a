"""Every fault that `validate` finds, with the path and the words that a user reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import pytest
from basicaer.simulator import (
    Binary,
    BinaryOperator,
    Block,
    Call,
    Case,
    Cast,
    Circuit,
    CircuitError,
    ClassicalKind,
    ClassicalType,
    ClbitRef,
    Expression,
    ForLoop,
    Index,
    Initialize,
    Literal,
    MathFunction,
    Operation,
    Reference,
    Register,
    RegisterRef,
    Store,
    SwitchCase,
    Unary,
    UnaryOperator,
    Variable,
    VariableRef,
    WhileLoop,
    validate,
)

from tests.unit.simulator.shorthand import TRUE, block_of

UINT8 = ClassicalType(ClassicalKind.UINT, 8)
UINT4 = ClassicalType(ClassicalKind.UINT, 4)
FLOAT = ClassicalType(ClassicalKind.FLOAT)
# A faulty circuit, and the path to the fault.
Place: TypeAlias = tuple[Circuit, tuple[str | int, ...]]


def one(
    name: str,
    qubits: Sequence[int] = (),
    params: Sequence[float] = (),
    clbits: Sequence[int] = (),
    **fields: Any,
) -> Circuit:
    """A circuit with one instruction, two qubits, two classical bits, a register and some variables."""
    circuit = Circuit(
        2,
        2,
        classical_registers=[Register("c", 2, (0, 1))],
        variables=[Variable("n", UINT8), Variable("f", FLOAT)],
    )
    return circuit.append(name, qubits, params, clbits, **fields)


def store(target: Reference, value: Expression) -> Circuit:
    return one("store", store=Store(target, value))


def condition(expression: Expression) -> Circuit:
    return one("x", [0], condition=expression)


def in_body(circuit: Circuit) -> Place:
    return circuit, ("body", 0)


def in_operation(circuit: Circuit, *path: str | int) -> Place:
    return circuit, ("operations", len(circuit.operations) - 1, *path)


def columns(table: list[Operation], **body: Any) -> Circuit:
    return Circuit(2, 2, operations=table, body=Block(**body))


FAULTS = {
    "negative qubits": ((Circuit(-1), ("num_qubits",)), "num_qubits is -1"),
    "too many clbits": ((Circuit(0, 2**32), ("num_clbits",)), "integer from 0 to 1000000"),
    "phase": ((Circuit(1, global_phase=float("nan")), ("global_phase",)), "nan is not finite"),
    "register twice": (
        (
            Circuit(2, quantum_registers=[Register("q", 1, (0,)), Register("q", 1, (1,))]),
            ("quantum_registers", 1),
        ),
        "'q' is used twice",
    ),
    "register size": (
        (Circuit(0, 2, classical_registers=[Register("c", 1, (0, 1))]), ("classical_registers", 0)),
        "size 1 has 2 bits",
    ),
    "register bit twice": (
        (Circuit(0, 2, classical_registers=[Register("c", 2, (1, 1))]), ("classical_registers", 0)),
        "a clbit twice",
    ),
    "register bit out of range": (
        (Circuit(2, quantum_registers=[Register("q", 1, (2,))]), ("quantum_registers", 0)),
        "qubit 2 of register 'q' is out of range; there are 2",
    ),
    "variable twice": (
        (Circuit(0, variables=[Variable("a", FLOAT), Variable("a", FLOAT)]), ("variables", 1)),
        "'a' is used twice",
    ),
    "variable without type": (
        (Circuit(0, variables=[Variable("a", ClassicalType(ClassicalKind.UNSPECIFIED))]), ("variables", 0)),
        "has no type",
    ),
    "variable too wide": (
        (Circuit(0, variables=[Variable("a", ClassicalType(ClassicalKind.UINT, 65))]), ("variables", 0)),
        "has 65 bits",
    ),
    "unknown gate": (in_operation(one("frobnicate", [0])), "unknown gate 'frobnicate'; decompose it"),
    "qubit out of range": (in_body(one("h", [2])), "h acts on qubit 2, but the circuit has 2 qubits"),
    "clbit out of range": (in_body(one("measure", [0], [], [2])), "measure acts on clbit 2"),
    "same qubit twice": (in_body(one("cx", [1, 1])), r"cx acts on the same qubit twice: \[1, 1\]"),
    "nan parameter": (in_body(one("rx", [0], [float("nan")])), "rx has the parameter nan"),
    "infinite parameter": (in_body(one("delay", [0], [float("inf")])), "delay has the parameter inf"),
    "too few qubits": (in_operation(one("cx", [0])), "cx takes 2 qubits, not 1"),
    "too many parameters": (in_operation(one("h", [0], [0.5])), "h takes 0 parameters, not 1"),
    "too few parameters": (in_operation(one("u", [0], [0.5])), "u takes 3 parameters, not 1"),
    "clbit of a gate": (in_operation(one("h", [0], [], [0])), "h takes 0 clbits, not 1"),
    "operand of control flow": (
        in_operation(one("break_loop", [0])),
        "break_loop takes 0 qubits, not 1",
    ),
    "mcx without width": (in_operation(columns([Operation("mcx")], operations=[0])), "at least 2"),
    "too few expressions": (
        in_operation(one("u", [0], parameter_expressions=(Literal(0.5),))),
        "u takes 3 parameters, not 1",
    ),
    "expression of a wrong type": (
        in_operation(one("rx", [0], parameter_expressions=(ClbitRef(0),)), "parameter_expressions", 0),
        "type bit is not one of type float",
    ),
    "negative controls": (in_operation(one("x", [0], num_controls=-1)), "num_controls is -1"),
    "controls of a measurement": (
        in_operation(one("measure", [0, 1], [], [0], num_controls=1)),
        "measure cannot have controls",
    ),
    "control state": (in_operation(one("x", [0, 1], num_controls=1, control_state=2)), "control state 2"),
    "missing matrix": (in_operation(one("unitary", [0])), "unitary needs `matrix`"),
    "surplus matrix": (in_operation(one("h", [0], matrix=np.eye(2))), "h cannot have `matrix`"),
    "matrix shape": (
        in_operation(one("unitary", [0], matrix=np.ones((2, 3))), "matrix"),
        "the matrix is 2 by 3",
    ),
    "matrix of three rows": (in_operation(one("unitary", [0], matrix=np.eye(3)), "matrix"), "3 by 3"),
    "matrix with nan": (
        in_operation(one("unitary", [0], matrix=np.full((2, 2), np.nan)), "matrix"),
        "not finite",
    ),
    "matrix not unitary": (
        in_operation(one("unitary", [0], matrix=np.array([[1, 1], [0, 1]])), "matrix"),
        "not unitary: its adjoint times itself is 1 off",
    ),
    "matrix of huge numbers": (
        in_operation(one("unitary", [0], matrix=np.full((2, 2), 1e200)), "matrix"),
        "not unitary",
    ),
    "matrix of a wrong width": (
        in_operation(one("unitary", [0, 1], matrix=np.eye(2))),
        "unitary takes 1 qubits, not 2",
    ),
    "empty initialize": (
        in_operation(one("initialize", [0], initialize=Initialize()), "initialize"),
        "exactly one of amplitudes",
    ),
    "double initialize": (
        in_operation(one("initialize", [0], initialize=Initialize(label="0", basis_state=0)), "initialize"),
        "exactly one",
    ),
    "three amplitudes": (
        in_operation(one("initialize", [0], initialize=Initialize(np.ones(3, complex))), "initialize"),
        "3 amplitudes",
    ),
    "norm": (
        in_operation(one("initialize", [0], initialize=Initialize(np.ones(2, complex))), "initialize"),
        "norm 1.41421356 instead of 1; divide",
    ),
    "amplitude nan": (
        in_operation(one("initialize", [0], initialize=Initialize(np.array([np.nan, 1]))), "initialize"),
        "not finite",
    ),
    "label": (
        in_operation(one("initialize", [0], initialize=Initialize(label="x")), "initialize"),
        "letters are 0 1",
    ),
    "label width": (
        in_operation(one("initialize", [0, 1], initialize=Initialize(label="0"))),
        "initialize takes 1 qubits, not 2",
    ),
    "basis state": (
        in_operation(one("initialize", [0], initialize=Initialize(basis_state=2)), "initialize"),
        "no basis state 2",
    ),
    "condition type": (
        in_operation(condition(RegisterRef(0)), "condition"),
        r"bool or bit, not uint\[2\]",
    ),
    "unknown clbit": (in_operation(condition(ClbitRef(2)), "condition"), "clbit 2 is out of range"),
    "unknown register": (
        in_operation(condition(Binary(BinaryOperator.EQUAL, RegisterRef(1), Literal(0))), "condition"),
        "register 1 is out of range",
    ),
    "unknown variable": (in_operation(condition(VariableRef(2)), "condition"), "variable 2 is out of range"),
    "mixed types": (
        in_operation(condition(Binary(BinaryOperator.LESS, VariableRef(1), ClbitRef(0))), "condition"),
        "do not go together; add a cast",
    ),
    "logic of numbers": (
        in_operation(condition(Binary(BinaryOperator.LOGIC_AND, VariableRef(0), TRUE)), "condition"),
        "LOGIC_AND applies to bool",
    ),
    "bits of floats": (
        in_operation(condition(Unary(UnaryOperator.BIT_NOT, VariableRef(1))), "condition"),
        "BIT_NOT does not apply to type float",
    ),
    "shift by a float": (
        in_operation(
            store(VariableRef(0), Binary(BinaryOperator.SHIFT_LEFT, VariableRef(0), VariableRef(1))), "store"
        ),
        "SHIFT_LEFT does not apply",
    ),
    "index too large": (
        in_operation(condition(Index(VariableRef(0), Literal(8))), "condition"),
        r"bit 8 of type uint\[8\] does not exist",
    ),
    "index of a float": (
        in_operation(condition(Index(VariableRef(1), Literal(0))), "condition"),
        "not of type float",
    ),
    "call of a bool": (
        in_operation(store(VariableRef(1), Call(MathFunction.SIN, TRUE)), "store"),
        "True is not a value of type float",
    ),
    "literal too large": (
        in_operation(store(VariableRef(0), Literal(256, UINT8)), "store"),
        r"256 is not a value of type uint\[8\]",
    ),
    "cast without type": (
        in_operation(condition(Cast(ClbitRef(0), ClassicalType(ClassicalKind.UNSPECIFIED))), "condition"),
        "a cast needs the type",
    ),
    "type too wide": (
        in_operation(condition(Cast(ClbitRef(0), ClassicalType(ClassicalKind.UINT, 2**31))), "condition"),
        "65536 are possible",
    ),
    "store loses": (
        in_operation(store(VariableRef(0), VariableRef(1)), "store"),
        r"type float is not one of type uint\[8\]; add a cast",
    ),
    "store too wide": (in_operation(store(RegisterRef(0), VariableRef(0)), "store"), "add a cast"),
    "switch type": (
        in_operation(one("switch_case", switch_case=SwitchCase(VariableRef(1), ())), "switch_case"),
        "switch's target is of type uint",
    ),
    "loop variable": (
        in_operation(one("for_loop", for_loop=ForLoop((1,), Block(), 7)), "for_loop"),
        "variable 7",
    ),
    "loop variable type": (
        in_operation(one("for_loop", for_loop=ForLoop((1,), Block(), 1)), "for_loop"),
        "'f' has the type float",
    ),
    "loop value": (
        in_operation(one("for_loop", for_loop=ForLoop(range(-1, 2), Block(), 0)), "for_loop"),
        "value -1 does not fit",
    ),
    "break alone": (in_body(one("break_loop")), "break_loop needs a loop around it"),
    "surplus column": (
        (columns([Operation("h")], operations=[0], qubits=[0, 1]), ("body",)),
        "the instructions take 1 qubits, and there are 2",
    ),
    "short column": (
        (columns([Operation("rx")], operations=[0], qubits=[0]), ("body",)),
        "take 1 parameters, and there are 0",
    ),
    "operands alone": ((columns([], qubits=[0]), ("body",)), "operands, but no instruction"),
    "no such operation": (
        (columns([], operations=[0]), ("body", 0)),
        "there is no operation 0; the table has 0",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_found_with_its_place(fault: str) -> None:
    (circuit, path), message = FAULTS[fault]
    with pytest.raises(CircuitError, match=message) as caught:
        validate(circuit)
    assert caught.value.path == path


def test_a_block_cannot_hold_itself() -> None:
    looping = Operation("while_loop", while_loop=WhileLoop(TRUE, block_of([0])))
    with pytest.raises(CircuitError, match="operation 0 has to stand before operation 0"):
        validate(columns([looping], operations=[0]))


def test_deep_expressions_are_refused() -> None:
    expression: Expression = ClbitRef(0)
    for _ in range(300):
        expression = Unary(UnaryOperator.LOGIC_NOT, expression)
    with pytest.raises(CircuitError, match="nested more than 200 deep"):
        validate(condition(expression))


def test_valid_circuits_pass() -> None:
    switch = SwitchCase(RegisterRef(0), (Case((0, 1), Block()), Case((), Block(), is_default=True)))
    validate(one("switch_case", switch_case=switch))
    validate(one("barrier", [0, 1]))
    validate(one("barrier"))
    validate(one("delay", [1], [3.0], unit="ns"))
    validate(one("global_phase", [], [0.5]))
    validate(one("global_phase", [0], [0.5], num_controls=1))
    validate(one("unitary", [], matrix=np.array([[1j]])))
    validate(one("for_loop", for_loop=ForLoop(range(-(2**63), 2**63 - 1), Block())))
    validate(columns([Operation("h"), Operation("measure")], operations=[0, 1], qubits=[0, 0], clbits=[1]))
    validate(Circuit(0))
