"""Expressions as code of a machine of bits have the values that the other evaluator gives them."""

from __future__ import annotations

import numpy as np
import pytest
from basicaer.simulator import (
    Binary,
    BinaryOperator,
    Call,
    Cast,
    CircuitError,
    ClassicalKind,
    ClassicalType,
    ClbitRef,
    Expression,
    Index,
    Literal,
    MathFunction,
    Register,
    RegisterRef,
    Unary,
    UnaryOperator,
    Variable,
    VariableRef,
)
from basicaer.simulator.classical._scope import Scope
from basicaer.simulator.methods.stabilizer._conditions import Bits, UnsupportedError, code_of
from basicaer.simulator.methods.stabilizer.kernels._frames import evaluate
from hypothesis import given, reject, settings
from hypothesis import strategies as st

UINT = ClassicalKind.UINT
REGISTERS = (Register("a", 3, (0, 1, 2)), Register("b", 4, (5, 3, 2, 4)))
VARIABLES = (
    Variable("n", ClassicalType(UINT, 5), value=19),
    Variable("f", ClassicalType(ClassicalKind.BOOL)),
)
CLBITS = 6
COMPARED = (
    BinaryOperator.EQUAL,
    BinaryOperator.NOT_EQUAL,
    BinaryOperator.LESS,
    BinaryOperator.LESS_EQUAL,
    BinaryOperator.GREATER,
    BinaryOperator.GREATER_EQUAL,
)
LOGIC = (BinaryOperator.LOGIC_AND, BinaryOperator.LOGIC_OR)
BITWISE = (BinaryOperator.BIT_AND, BinaryOperator.BIT_OR, BinaryOperator.BIT_XOR)


def integers(depth: int) -> st.SearchStrategy[Expression]:
    leaves: st.SearchStrategy[Expression] = st.one_of(
        st.builds(RegisterRef, st.integers(0, 1)),
        st.just(VariableRef(0)),
        st.builds(lambda value: Literal(value, ClassicalType(UINT, 5)), st.integers(0, 31)),
    )
    if not depth:
        return leaves
    inner = integers(depth - 1)
    arithmetic = st.sampled_from((*BITWISE, BinaryOperator.ADD, BinaryOperator.SUB))
    shifts = st.sampled_from((BinaryOperator.SHIFT_LEFT, BinaryOperator.SHIFT_RIGHT))
    return st.one_of(
        leaves,
        st.builds(Binary, arithmetic, inner, inner),
        st.builds(Binary, shifts, inner, st.builds(Literal, st.integers(0, 7))),
        st.builds(lambda value: Unary(UnaryOperator.BIT_NOT, value), inner),
        st.builds(lambda value, width: Cast(value, ClassicalType(UINT, width)), inner, st.integers(1, 8)),
    )


def truths(depth: int) -> st.SearchStrategy[Expression]:
    leaves: st.SearchStrategy[Expression] = st.one_of(
        st.builds(ClbitRef, st.integers(0, CLBITS - 1)),
        st.just(VariableRef(1)),
        st.builds(Literal, st.booleans()),
        st.builds(Binary, st.sampled_from(COMPARED), integers(2), integers(2)),
        st.builds(lambda value, place: Index(value, Literal(place)), integers(1), st.integers(0, 2)),
        st.builds(lambda value: Cast(value, ClassicalType(ClassicalKind.BOOL)), integers(1)),
    )
    if not depth:
        return leaves
    inner = truths(depth - 1)
    return st.one_of(
        leaves,
        st.builds(Binary, st.sampled_from((*LOGIC, *BITWISE)), inner, inner),
        st.builds(lambda value: Unary(UnaryOperator.LOGIC_NOT, value), inner),
        st.builds(lambda value: Unary(UnaryOperator.BIT_NOT, value), inner),
    )


@settings(max_examples=300, deadline=None)
@given(truths(2))
def test_all_values_of_the_bits(expression: Expression) -> None:
    scope = Scope(CLBITS, REGISTERS, VARIABLES)
    try:
        condition = scope.condition(expression, ())
    except CircuitError:
        # A bit that a number hasn't.
        reject()
    bits = Bits(CLBITS, REGISTERS, VARIABLES)
    code = np.array(code_of([bits.condition(expression)]), dtype=np.int64)
    # One bit of a word is one of the values of the classical bits.
    memory = np.zeros((len(bits.initial), 1), dtype=np.uint64)
    for bit, value in enumerate(bits.initial):
        ones = [place for place in range(64) if (place >> bit & 1 if bit < CLBITS else value)]
        memory[bit, 0] = sum(1 << place for place in ones)
    stack = np.zeros((len(code) + 1, 1), dtype=np.uint64)
    evaluate(code, 0, len(code), memory, stack)
    for place in range(64):
        values = scope.memory()
        values.clbits = place
        assert bool(int(stack[0, 0]) >> place & 1) == condition(values)


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        (Binary(BinaryOperator.LESS, Literal(0.5), Literal(1.0)), "floats and negative numbers"),
        (Binary(BinaryOperator.MUL, RegisterRef(0), RegisterRef(1)), "MUL in a classical expression"),
        (Call(MathFunction.SIN, Literal(1.0)), "functions of floats"),
        (Index(RegisterRef(0), RegisterRef(1)), "a bit whose index is computed"),
        (Cast(RegisterRef(0), ClassicalType(ClassicalKind.INT, 8)), r"a cast to int\[8\]"),
    ],
)
def test_what_is_not_supported_is_named(expression: Expression, reason: str) -> None:
    with pytest.raises(UnsupportedError, match=reason):
        Bits(CLBITS, REGISTERS, VARIABLES).value(expression)
