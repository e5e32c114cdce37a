"""Circuits with inputs: bound ones give what the same circuit with numbers gives; what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from basicaer.simulator import (
    Binary,
    BinaryOperator,
    Block,
    Call,
    Case,
    Circuit,
    CircuitError,
    ClassicalKind,
    ClassicalType,
    ForLoop,
    IfElse,
    Literal,
    MathFunction,
    Operation,
    OptionError,
    SimulationFailed,
    Store,
    SwitchCase,
    Template,
    Variable,
    VariableRef,
    WhileLoop,
    bind,
    required_bytes,
    run,
    statevector,
    unitary,
    validate,
)
from basicaer.simulator.reference import interpret
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.simulator.shorthand import block_of

FLOAT = ClassicalType(ClassicalKind.FLOAT)
THETA = Variable("theta", FLOAT, is_input=True)
PHI = Variable("phi", FLOAT, is_input=True)


def times(number: float, index: int) -> Binary:
    return Binary(BinaryOperator.MUL, Literal(float(number)), VariableRef(index))


def block(
    operations: Sequence[int],
    qubits: Sequence[int] = (),
    parameters: Sequence[float] = (),
    terms: Sequence[tuple[int, int, float]] = (),
) -> Block:
    """A block; each term is (parameter, variable, factor)."""
    columns = np.array(terms, dtype=float).reshape(-1, 3).T
    return block_of(operations, qubits, [], parameters, *columns[:2].astype(np.uint32), columns[2])


def circuit_of(
    body: Block, *operations: Operation, variables: tuple[Variable, ...] = (THETA, PHI), num_qubits: int = 1
) -> Circuit:
    return Circuit(num_qubits, variables=variables, operations=operations, body=body)


@settings(max_examples=60, deadline=None)
@given(st.data(), st.integers(1, 3))
def test_terms_and_expressions_give_the_gates_of_their_values(data: st.DataObject, num_qubits: int) -> None:
    number = st.floats(-3, 3)
    theta, phi = data.draw(number), data.draw(number)
    given_values = {"theta": theta, "phi": phi}
    operations = [
        Operation("rx"),
        Operation("u"),
        Operation("ry", parameter_expressions=(times(2, 1),)),
        Operation("u", parameter_expressions=(times(1, 0), Literal(0.25), times(3, 1))),
        Operation("h"),
    ]
    kinds = data.draw(st.lists(st.integers(0, 4), max_size=12))
    qubits = [data.draw(st.integers(0, num_qubits - 1)) for _ in kinds]
    counts = [1, 3, 0, 0, 0]
    parameters = [data.draw(number) for kind in kinds for _ in range(counts[kind])]
    terms = (
        data.draw(st.lists(st.tuples(st.integers(0, len(parameters) - 1), st.integers(0, 1), number)))
        if parameters
        else []
    )
    circuit = circuit_of(block(kinds, qubits, parameters, terms), *operations, num_qubits=num_qubits)
    final = list(parameters)
    for place, variable, factor in terms:
        final[place] += factor * (theta, phi)[variable]
    rest = iter(final)
    gates = []
    for kind, qubit in zip(kinds, qubits, strict=True):
        values = [next(rest) for _ in range(counts[kind])]
        if kind == 2:
            values = [2 * phi]
        elif kind == 3:
            values = [theta, 0.25, 3 * phi]
        gates.append((operations[kind].name, [qubit], values))
    plain = Circuit.from_gates(num_qubits, gates)
    bound = bind(circuit, given_values)
    np.testing.assert_allclose(statevector(bound), statevector(plain), atol=1e-12)
    np.testing.assert_allclose(statevector(bound.circuit), statevector(plain), atol=1e-12)
    np.testing.assert_allclose(interpret(bound.circuit)[0].state, statevector(plain), atol=1e-12)
    np.testing.assert_allclose(unitary(bound), unitary(plain), atol=1e-12)


def test_terms_and_expressions_reach_into_nested_blocks() -> None:
    always = Literal(True)
    one = block([0, 2], [0, 0], [0.5], [(0, 0, 2.0)])
    table = [
        Operation("rx"),
        Operation("rz"),
        Operation("ry", parameter_expressions=(times(1, 1),)),
        Operation("break_loop"),
        Operation("if_else", if_else=IfElse(always, one, block([0], [0], [9.0]))),
        Operation("for_loop", for_loop=ForLoop(range(2), block([4, 1], [0], [0.25], [(0, 1, 1.0)]))),
        Operation("while_loop", while_loop=WhileLoop(always, block([0, 3], [0], [0.0], [(0, 0, 1.0)]))),
        Operation(
            "switch_case",
            switch_case=SwitchCase(Literal(1), (Case((1,), one), Case((), block([]), is_default=True))),
        ),
    ]
    circuit = circuit_of(block([5, 6, 7, 2], [0]), *table)
    theta, phi = 0.3, 0.7
    once = [("rx", [0], [0.5 + 2 * theta]), ("ry", [0], [phi])]
    turn = [*once, ("rz", [0], [0.25 + phi])]
    plain = Circuit.from_gates(1, [*turn, *turn, ("rx", [0], [theta]), *once, ("ry", [0], [phi])])
    template = Template(circuit)
    for values in ([theta, phi], [1.0, 2.0], [theta, phi]):
        bound = template.bind(template.rows(["theta", "phi"], [values])[0])
    np.testing.assert_allclose(statevector(bound), statevector(plain), atol=1e-12)
    np.testing.assert_allclose(interpret(bound.circuit)[0].state, statevector(plain), atol=1e-12)


def test_inputs_that_expressions_read_start_with_their_values() -> None:
    inputs = (
        THETA,
        Variable("flag", ClassicalType(ClassicalKind.BOOL), is_input=True),
        Variable("times", ClassicalType(ClassicalKind.INT, 8), is_input=True),
        Variable("turn", ClassicalType(ClassicalKind.ANGLE, 16), is_input=True),
    )
    circuit = Circuit(1, variables=inputs)
    more = Store(VariableRef(0), Binary(BinaryOperator.ADD, VariableRef(0), Literal(1.0)))
    # The input is written, so that what reads it afterwards has to be computed at that place.
    circuit.append("store", store=more).append("rx", [0], [VariableRef(0)])
    circuit.append("ry", [0], [VariableRef(3)], condition=VariableRef(1))
    less = Store(VariableRef(2), Binary(BinaryOperator.ADD, VariableRef(2), Literal(1)))
    body = circuit.block([("store", [], [], [], {"store": less}), ("rz", [0], [0.5])])
    below = Binary(BinaryOperator.LESS, VariableRef(2), Literal(0))
    circuit.append("while_loop", while_loop=WhileLoop(below, body))
    for flag in (0.0, 1.0):
        bound = bind(circuit, {"flag": flag, "times": -3.0, "theta": 0.25, "turn": -np.pi / 2})
        gates = [("rx", [0], [1.25]), *([("ry", [0], [1.5 * np.pi])] if flag else [])]
        plain = Circuit.from_gates(1, [*gates, *[("rz", [0], [0.5])] * 3])
        np.testing.assert_allclose(statevector(bound), statevector(plain), atol=1e-12)
        np.testing.assert_allclose(statevector(bound.circuit), statevector(plain), atol=1e-12)


def test_a_bound_circuit_runs_as_one_with_numbers() -> None:
    circuit = circuit_of(
        block_of([0, 1], [0, 0], [0], [0.0], [0], [0], [2.0]),
        Operation("rx"),
        Operation("measure"),
        variables=(THETA,),
    )
    circuit.num_clbits = 1
    plain = Circuit.from_gates(1, [("rx", [0], [1.0]), ("measure", [0], [], [0])], 1)
    one, other = run(bind(circuit, {"theta": 0.5}), seed=1), run(plain, seed=1)
    assert one.counts.tolist() == other.counts.tolist()
    assert required_bytes(Template(circuit)) == required_bytes(plain)


def test_a_circuit_without_values_is_refused() -> None:
    circuit = circuit_of(block([0], [0], [0.0], [(0, 0, 1.0)]), Operation("rx"))
    validate(circuit)
    for function in (statevector, unitary, run, required_bytes):
        with pytest.raises(CircuitError, match="inputs without values: theta, phi"):
            function(circuit)


@pytest.mark.parametrize(
    ("columns", "path", "words"),
    [
        (([0], [0], []), "body.term_parameters", "1, 1 and 0 elements"),
        (([1], [0], [1.0]), "body.term_parameters[0]", "no parameter 1; the block has 1"),
        (([0, 0], [0, 2], [1.0, 1.0]), "body.term_variables[1]", "variable 2 is not an input"),
        (([0], [1], [1.0]), "body.term_variables[0]", "variable 1 is not an input of type float"),
        (([0], [0], [np.inf]), "body.term_factors[0]", "inf is not finite"),
    ],
)
def test_bad_terms_are_refused(columns: tuple[Any, ...], path: str, words: str) -> None:
    other = Variable("n", ClassicalType(ClassicalKind.INT, 8), is_input=True)
    circuit = circuit_of(block_of([0], [0], [], [0.0], *columns), Operation("rx"), variables=(THETA, other))
    with pytest.raises(CircuitError) as caught:
        validate(circuit)
    assert words in caught.value.message
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize(
    ("names", "values", "option", "words"),
    [
        (["theta"], [[0.0]], "names", "the input 'n' is missing"),
        (["theta", "n", "x"], [[0.0, 0.0, 0.0]], "names", "no input 'x'"),
        (["theta", "theta", "n"], [[0.0, 0.0, 0.0]], "names", "'theta' is given twice"),
        (["theta", "n"], [[0.0]], "values", "rows of 2 values"),
        (["n", "theta"], [[0.0, 1.0], [0.0, np.nan]], "values", "'theta' is nan in row 1"),
        (["n", "theta"], [[4.0, 1.0]], "values", r"'n' of type uint\[2\] is 4.0 in row 0"),
        (["n", "theta"], [[0.5, 1.0]], "values", "is 0.5 in row 0"),
        (["n", "theta"], [[-1.0, 1.0]], "values", "is -1.0 in row 0"),
    ],
)
def test_values_have_to_fit_the_inputs(
    names: list[str], values: list[list[float]], option: str, words: str
) -> None:
    number = Variable("n", ClassicalType(ClassicalKind.UINT, 2), is_input=True)
    template = Template(Circuit(1, variables=(THETA, number)))
    with pytest.raises(OptionError, match=words) as caught:
        template.rows(names, values)
    assert caught.value.option == option


@pytest.mark.parametrize(
    ("kind", "width", "value"),
    [
        (ClassicalKind.UINT, 64, 2**64 - 1),
        (ClassicalKind.INT, 64, -(2**63)),
        (ClassicalKind.UINT, 1024, 2**1024 - 1),
        (ClassicalKind.INT, 1000, -(2**999)),
        (ClassicalKind.FLOAT, 0, 3),
        (ClassicalKind.ANGLE, 8, 3),
        (ClassicalKind.BOOL, 0, 1),
    ],
)
def test_integers_of_any_size_are_values(kind: ClassicalKind, width: int, value: int) -> None:
    type_ = ClassicalType(kind, width)
    circuit = Circuit(1, 1, variables=(THETA, Variable("n", type_, is_input=True)))
    wanted = Literal(value, None if kind is ClassicalKind.BOOL else type_)
    equal = Binary(BinaryOperator.EQUAL, VariableRef(1), wanted)
    circuit.append("x", [0], condition=equal).append("measure", [0], clbits=[0])
    template = Template(circuit)
    integers = {"n": np.array([value], object)}
    (row,) = template.rows(["theta"], [[0.5]], integers)
    assert run(template.bind(row, {"n": value}), shots=1).outcomes.tolist() == [[1]]


@pytest.mark.parametrize(
    ("type_", "value", "words"),
    [
        (
            ClassicalType(ClassicalKind.UINT, 64),
            2**64,
            r"'n' of type uint\[64\] is 18446744073709551616 in row 1",
        ),
        (ClassicalType(ClassicalKind.INT, 64), 2**63, "is 9223372036854775808 in row 1"),
        (ClassicalType(ClassicalKind.UINT, 1024), -1, "is -1 in row 1"),
        (ClassicalType(ClassicalKind.BIT), 2, "of type bit is 2"),
        (ClassicalType(ClassicalKind.FLOAT), 10**400, "an integer of 1,329 bits"),
        (ClassicalType(ClassicalKind.FLOAT, 16), 10**6, "is 1000000 in row 1"),
    ],
)
def test_integers_have_to_fit_the_inputs_too(type_: ClassicalType, value: int, words: str) -> None:
    template = Template(Circuit(1, variables=(Variable("n", type_, is_input=True),)))
    with pytest.raises(OptionError, match=words) as caught:
        template.rows([], np.empty((2, 0)), {"n": np.array([1, value], object)})
    assert caught.value.option == "integers"


def test_inputs_that_are_integers_may_be_wide() -> None:
    for kind, width, is_input in (
        (ClassicalKind.UINT, 1025, True),
        (ClassicalKind.ANGLE, 65, True),
        (ClassicalKind.UINT, 65, False),
    ):
        variable = Variable("n", ClassicalType(kind, width), is_input=is_input)
        with pytest.raises(CircuitError, match=f"has {width} bits; "):
            validate(Circuit(1, variables=(variable,)))


def test_parameters_without_a_finite_value_fail_the_row() -> None:
    root = Call(MathFunction.SQRT, VariableRef(0))
    by_expression = circuit_of(
        block([0], [0]), Operation("rx", parameter_expressions=(root,)), variables=(THETA,)
    )
    by_term = circuit_of(block([0], [0], [0.0], [(0, 0, 1e300)]), Operation("rx"), variables=(THETA,))
    for circuit, value in ((by_expression, -1.0), (by_term, 1e300)):
        with pytest.raises(SimulationFailed):
            bind(circuit, {"theta": value})
