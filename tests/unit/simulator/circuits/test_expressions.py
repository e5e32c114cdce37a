"""Classical expressions: their types and values, by example and against the reference."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from basicaer.simulator import (
    Binary,
    BinaryOperator,
    Call,
    Cast,
    Circuit,
    CircuitError,
    ClassicalKind,
    ClassicalType,
    ClbitRef,
    Expression,
    Index,
    Literal,
    MathFunction,
    Operation,
    Register,
    RegisterRef,
    SimulationFailed,
    Store,
    Unary,
    UnaryOperator,
    Variable,
    VariableRef,
    run,
    statevector,
    validate,
)
from basicaer.simulator.classical._conversions import Memory
from basicaer.simulator.classical._scope import Scope
from basicaer.simulator.reference import evaluate, random_expression
from hypothesis import given, settings
from hypothesis import strategies as st

UINT4 = ClassicalType(ClassicalKind.UINT, 4)
UINT8 = ClassicalType(ClassicalKind.UINT, 8)
UINT16 = ClassicalType(ClassicalKind.UINT, 16)
UINT32 = ClassicalType(ClassicalKind.UINT, 32)
INT4 = ClassicalType(ClassicalKind.INT, 4)
INT8 = ClassicalType(ClassicalKind.INT, 8)
FLOAT = ClassicalType(ClassicalKind.FLOAT)
FLOAT32 = ClassicalType(ClassicalKind.FLOAT, 32)
FLOAT16 = ClassicalType(ClassicalKind.FLOAT, 16)
ANGLE4 = ClassicalType(ClassicalKind.ANGLE, 4)
ANGLE = ClassicalType(ClassicalKind.ANGLE)
BOOL = ClassicalType(ClassicalKind.BOOL)
BIT = ClassicalType(ClassicalKind.BIT)
Op = BinaryOperator


def value(
    expression: Expression,
    clbits: int = 0,
    registers: Sequence[Register] = (),
    variables: Sequence[tuple[ClassicalType, Any]] = (),
) -> tuple[str, Any]:
    """The type and the value of an expression over (type, value) pairs of variables."""
    named = tuple(Variable(str(number), type_) for number, (type_, _) in enumerate(variables))
    scope = Scope(64, tuple(registers), named)
    typed = scope.compile(expression, ())
    return str(typed.type), typed.evaluate(Memory(clbits, [content for _, content in variables]))


def u8(number: int) -> Literal:
    return Literal(number, UINT8)


def i4(number: int) -> Literal:
    return Literal(number, INT4)


EXAMPLES = [
    # Integers wrap around.
    (Binary(Op.ADD, u8(250), u8(10)), ("uint[8]", 4)),
    (Binary(Op.SUB, u8(3), u8(10)), ("uint[8]", 249)),
    (Binary(Op.MUL, u8(20), u8(20)), ("uint[8]", 144)),
    (Binary(Op.POW, u8(3), u8(6)), ("uint[8]", 217)),
    (Binary(Op.ADD, i4(7), i4(1)), ("int[4]", -8)),
    (Binary(Op.DIV, i4(-8), i4(-1)), ("int[4]", -8)),
    (Unary(UnaryOperator.NEGATE, u8(1)), ("uint[8]", 255)),
    (Unary(UnaryOperator.NEGATE, i4(-8)), ("int[4]", -8)),
    (Unary(UnaryOperator.BIT_NOT, u8(1)), ("uint[8]", 254)),
    (Unary(UnaryOperator.BIT_NOT, i4(1)), ("int[4]", -2)),
    # Division is towards zero, and the remainder has the dividend's sign.
    (Binary(Op.DIV, i4(-7), i4(2)), ("int[4]", -3)),
    (Binary(Op.MOD, i4(-7), i4(2)), ("int[4]", -1)),
    (Binary(Op.MOD, i4(7), i4(-2)), ("int[4]", 1)),
    (Binary(Op.MOD, Literal(-7.5, FLOAT), Literal(2.0, FLOAT)), ("float", -1.5)),
    # Shifts keep the left operand's type; an arithmetic one keeps the sign.
    (Binary(Op.SHIFT_LEFT, u8(129), Literal(1)), ("uint[8]", 2)),
    (Binary(Op.SHIFT_LEFT, u8(1), Literal(1000)), ("uint[8]", 0)),
    (Binary(Op.SHIFT_RIGHT, i4(-8), Literal(2)), ("int[4]", -2)),
    (Binary(Op.SHIFT_RIGHT, i4(-8), Literal(100)), ("int[4]", -1)),
    # Operands meet in the wider type; untyped constants take their neighbour's.
    (Binary(Op.ADD, Literal(15, UINT4), u8(1)), ("uint[8]", 16)),
    (Binary(Op.ADD, Literal(15, UINT4), Literal(1)), ("uint[4]", 0)),
    (Binary(Op.ADD, Literal(15, UINT4), Literal(1), UINT8), ("uint[8]", 16)),
    (Binary(Op.ADD, u8(255), i4(-8)), ("int[9]", 247)),
    (Binary(Op.EQUAL, Literal(3, UINT4), Literal(19)), ("bool", False)),
    (Binary(Op.GREATER, u8(1), Literal(-1)), ("bool", True)),
    (Binary(Op.EQUAL, Literal(True, BIT), Literal(1)), ("bool", True)),
    (Binary(Op.LESS, u8(1), Literal(1.5)), ("bool", True)),
    (Binary(Op.DIV, u8(1), u8(2), FLOAT), ("float", 0.5)),
    (Binary(Op.BIT_XOR, Literal(True, BIT), Literal(True, BOOL)), ("bool", False)),
    (Unary(UnaryOperator.NEGATE, Literal(3)), ("int[64]", -3)),
    # Angles are exact and modulo 2π.
    (Literal(0.1, FLOAT32), ("float[32]", 0.10000000149011612)),
    (Binary(Op.ADD, Literal(2048.0, FLOAT16), Literal(1.0, FLOAT16)), ("float[16]", 2048.0)),
    (Binary(Op.ADD, Literal(2048.0, FLOAT16), Literal(3.0)), ("float[16]", 2052.0)),
    (Binary(Op.ADD, Literal(0.1, FLOAT32), Literal(0.0, FLOAT)), ("float", 0.10000000149011612)),
    (Unary(UnaryOperator.NEGATE, Literal(0.1, FLOAT32)), ("float[32]", -0.10000000149011612)),
    (Cast(Literal(70000.0, FLOAT), FLOAT16), ("float[16]", math.inf)),
    (Literal(0.1, ClassicalType(ClassicalKind.FLOAT, 7)), ("float", 0.1)),
    (Literal(2 * math.pi * 2.5 / 16, ANGLE4), ("angle[4]", 2)),
    (Literal(2 * math.pi * 3.5 / 16, ANGLE4), ("angle[4]", 4)),
    (Cast(Literal(2 * math.pi * 5 / 32, ClassicalType(ClassicalKind.ANGLE, 5)), ANGLE4), ("angle[4]", 2)),
    (Literal(-math.pi / 2, ANGLE4), ("angle[4]", 12)),
    (Literal(2 * math.pi, ANGLE4), ("angle[4]", 0)),
    (Binary(Op.ADD, Literal(math.pi, ANGLE4), Literal(1.5 * math.pi, ANGLE4)), ("angle[4]", 4)),
    (Binary(Op.MUL, Literal(math.pi, ANGLE4), Literal(3)), ("angle[4]", 8)),
    (Binary(Op.DIV, Literal(math.pi, ANGLE4), u8(2)), ("angle[4]", 4)),
    (Binary(Op.DIV, Literal(math.pi, ANGLE4), Literal(math.pi / 2, ANGLE4)), ("uint[4]", 2)),
    (Cast(Literal(math.pi / 4, ANGLE4), FLOAT), ("float", math.pi / 4)),
    (Cast(Literal(math.pi, ANGLE), ANGLE4), ("angle[4]", 8)),
    (Cast(Literal(math.pi, ANGLE4), UINT4), ("uint[4]", 8)),
    # Casts cut, wrap and compare with zero.
    (Cast(Literal(-1.9, FLOAT), INT8), ("int[8]", -1)),
    (Cast(Literal(-1.9, FLOAT), UINT8), ("uint[8]", 255)),
    (Cast(u8(200), INT8), ("int[8]", -56)),
    (Cast(u8(200), UINT4), ("uint[4]", 8)),
    (Cast(i4(-1), UINT8), ("uint[8]", 255)),
    (Cast(u8(2), BOOL), ("bool", True)),
    (Cast(Literal(0.5, FLOAT), BIT), ("bit", True)),
    (Cast(Literal(True, BIT), FLOAT), ("float", 1.0)),
    # Bits and functions.
    (Index(u8(4), Literal(2)), ("bit", True)),
    (Index(i4(-1), Literal(3)), ("bit", True)),
    (Call(MathFunction.SQRT, u8(16)), ("float", 4.0)),
    (Call(MathFunction.ABS, Literal(-2.5)), ("float", 2.5)),
    (Call(MathFunction.LN, Literal(math.e)), ("float", 1.0)),
    # A float as bits.
    (Unary(UnaryOperator.FLOAT_BITS, Literal(-0.5, FLOAT)), ("uint[64]", 0xBFE0000000000000)),
    (Unary(UnaryOperator.FLOAT_BITS, u8(3)), ("uint[64]", 0x4008000000000000)),
    (Unary(UnaryOperator.FLOAT_BITS, Literal(0.1), UINT32), ("uint[32]", 0x3DCCCCCD)),
    (Unary(UnaryOperator.FLOAT_BITS, Literal(1e-7), UINT16), ("uint[16]", 2)),
    (Unary(UnaryOperator.FLOAT_BITS, Literal(-65520.0), UINT16), ("uint[16]", 0xFC00)),
]


@pytest.mark.parametrize(("expression", "expected"), EXAMPLES, ids=range(len(EXAMPLES)))
def test_example(expression: Expression, expected: tuple[str, Any]) -> None:
    assert value(expression) == expected
    item = evaluate(expression, Circuit(0), 0, ())
    assert item.value == expected[1]


@given(number=st.floats(), width=st.sampled_from([16, 32, 64]))
def test_a_floats_bits_are_those_of_ieee_754(number: float, width: int) -> None:
    variables = [(FLOAT, number)]
    bits = Unary(UnaryOperator.FLOAT_BITS, VariableRef(0), ClassicalType(ClassicalKind.UINT, width))
    circuit = Circuit(0, variables=[Variable("0", FLOAT)])
    assert value(bits, variables=variables)[1] == evaluate(bits, circuit, 0, [number]).value


def test_all_that_is_no_number_has_the_same_bits() -> None:
    infinite = Binary(Op.MUL, Literal(1e308), Literal(10.0))
    number = Binary(Op.SUB, infinite, infinite)
    for operand in (number, Unary(UnaryOperator.NEGATE, number)):
        assert value(Unary(UnaryOperator.FLOAT_BITS, operand))[1] == 0x7FF8000000000000


@pytest.mark.parametrize("type_", [UINT8, ClassicalType(ClassicalKind.INT, 64), FLOAT])
def test_a_floats_bits_are_of_a_width_that_floats_have(type_: ClassicalType) -> None:
    with pytest.raises(CircuitError, match=r"of type uint\[16\], uint\[32\] or uint\[64\], not"):
        value(Unary(UnaryOperator.FLOAT_BITS, Literal(1.0), type_))


def test_logic_stops_at_the_first_operand_that_decides() -> None:
    fails = Binary(Op.EQUAL, Binary(Op.DIV, u8(1), u8(0)), u8(0))
    assert value(Binary(Op.LOGIC_AND, Literal(False), fails)) == ("bool", False)
    assert value(Binary(Op.LOGIC_OR, Literal(True), fails)) == ("bool", True)


def test_references() -> None:
    registers = [Register("low", 3, (1, 2, 3)), Register("mixed", 2, (5, 0)), Register("none", 0, ())]
    variables = [(INT4, -3)]
    assert value(RegisterRef(0), 0b1010, registers) == ("uint[3]", 0b101)
    assert value(RegisterRef(1), 0b100000, registers) == ("uint[2]", 0b01)
    assert value(RegisterRef(2), 0b100000, registers) == ("uint[1]", 0)
    assert value(ClbitRef(5), 0b100000) == ("bit", True)
    assert value(VariableRef(0), variables=variables) == ("int[4]", -3)


def test_registers_of_more_than_64_bits_compare_with_wide_constants() -> None:
    wide = Register("wide", 64, tuple(range(64)))
    circuit = Circuit(0, 100, classical_registers=[Register("wide", 100, tuple(range(100)))])
    scope = Scope(100, circuit.classical_registers, ())
    equal = scope.condition(Binary(Op.EQUAL, RegisterRef(0), Literal(2**99 + 1)), ())
    assert equal(Memory(2**99 + 1, []))
    assert not equal(Memory(1, []))
    assert value(Binary(Op.LESS, RegisterRef(0), Literal(2**99)), 7, [wide]) == ("bool", True)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        (Binary(Op.DIV, u8(1), u8(0)), "division by zero"),
        (Binary(Op.MOD, i4(1), i4(0)), "division by zero"),
        (Binary(Op.DIV, Literal(1.0, FLOAT), Literal(0.0, FLOAT)), "division by zero"),
        (Binary(Op.MOD, Literal(1.0, FLOAT), Literal(0.0, FLOAT)), "remainder of 1.0 and 0.0"),
        (Binary(Op.POW, i4(2), i4(-1)), "power of -1 is not an integer"),
        (Binary(Op.POW, Literal(-1.0, FLOAT), Literal(0.5, FLOAT)), "no finite value"),
        (Binary(Op.SHIFT_LEFT, u8(1), i4(-1)), "shift by -1"),
        (Call(MathFunction.LN, Literal(0.0)), r"ln\(0.0\) has no finite value"),
        (Call(MathFunction.EXP, Literal(1000.0)), r"exp\(1000.0\)"),
        (Index(u8(1), Binary(Op.ADD, u8(7), u8(1))), "bit 8 of a value of 8 bits"),
        (Cast(Binary(Op.MUL, Literal(1e308), Literal(10.0)), UINT8), "inf cannot become an integer"),
        (Cast(Binary(Op.MUL, Literal(1e308), Literal(10.0)), ANGLE), "inf cannot become an angle"),
    ],
)
def test_what_has_no_value_fails_when_it_is_evaluated(expression: Expression, message: str) -> None:
    with pytest.raises(SimulationFailed, match=message):
        value(expression)


def test_a_parameter_that_becomes_infinite_fails_the_run() -> None:
    circuit = Circuit(1, variables=[Variable("x", FLOAT)])
    circuit.append("store", store=Store(VariableRef(0), Literal(1e308)))
    circuit.append("rx", [0], [Binary(Op.MUL, VariableRef(0), Literal(10.0))])
    with pytest.raises(SimulationFailed, match="parameter became inf"):
        statevector(circuit)


def test_stores_write_bits_registers_and_variables() -> None:
    circuit = Circuit(
        1,
        5,
        classical_registers=[Register("c", 3, (4, 0, 2))],
        variables=[Variable("n", UINT8)],
    )
    circuit.append("store", store=Store(VariableRef(0), Literal(6)))
    circuit.append("store", store=Store(ClbitRef(1), Literal(True)))
    circuit.append(
        "store", store=Store(RegisterRef(0), Cast(VariableRef(0), ClassicalType(ClassicalKind.UINT, 3)))
    )
    result = run(circuit, shots=3)
    assert result.outcomes.tolist() == [[0b00111]]
    assert result.counts.tolist() == [3]


def test_an_angle_as_parameter_is_in_radians() -> None:
    circuit = Circuit(1, variables=[Variable("a", ANGLE4)])
    circuit.append("store", store=Store(VariableRef(0), Literal(math.pi)))
    circuit.append("rx", [0], [VariableRef(0)])
    assert statevector(circuit) == pytest.approx([0, -1j])
    assert circuit.operations[1] == circuit.operations[1]
    assert isinstance(circuit.operations[1], Operation)


@settings(max_examples=400, deadline=None)
@given(
    st.randoms(use_true_random=False),
    st.sampled_from([BOOL, BIT, UINT4, UINT8, INT4, INT8, FLOAT, ANGLE4, ANGLE]),
)
def test_random_expressions_have_the_references_value(random: Random, type_: ClassicalType) -> None:
    variables = [
        (UINT8, 200),
        (INT4, -3),
        (FLOAT, 1.25),
        (ANGLE4, 5),
        (BOOL, True),
        (ClassicalType(ClassicalKind.UINT), 2**63),
    ]
    registers = [Register("a", 4, (0, 1, 2, 3)), Register("b", 3, (7, 1, 4))]
    circuit = Circuit(
        1,
        8,
        classical_registers=registers,
        variables=[Variable(str(number), kind) for number, (kind, _) in enumerate(variables)],
    )
    expression = random_expression(random, circuit, type_)
    clbits = random.randrange(256)
    scope = Scope(8, circuit.classical_registers, circuit.variables)
    typed = scope.compile(expression, ())
    found = typed.evaluate(Memory(clbits, [content for _, content in variables]))
    expected = evaluate(expression, circuit, clbits, [content for _, content in variables])
    assert (typed.type.kind, typed.type.bits) == (expected.kind, expected.width)
    assert found == expected.value or (math.isnan(found) and math.isnan(expected.value))


@pytest.mark.parametrize("type_", [FLOAT, ANGLE4])
@pytest.mark.parametrize("literal", [Literal(2**1100), Literal(-(2**1100))])
def test_a_constant_that_no_float_holds_is_refused_before_anything_runs(
    literal: Literal, type_: ClassicalType
) -> None:
    for expression in (replace(literal, type=type_), literal):
        with pytest.raises(CircuitError):
            Scope(0, (), (Variable("a", type_),)).store(Store(VariableRef(0), expression), ())


# --- Wide integers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [65, 200, 14_285, 16_610, 100_000])
@pytest.mark.parametrize("type_", [UINT8, INT4, BOOL, BIT])
def test_a_constant_of_any_size_is_told_in_a_line(bits: int, type_: ClassicalType) -> None:
    """Python refuses to write integers of more than 4,300 digits, which 14,285 bits have."""
    circuit = Circuit(1).append("x", [0], condition=Cast(Literal((1 << bits) - 1, type_), BOOL))
    with pytest.raises(CircuitError, match="is not a value of type") as caught:
        validate(circuit)
    assert len(caught.value.message) < 100
    assert (f"{bits:,} bits" in caught.value.message) == (bits > 128)


@pytest.mark.parametrize("bits", [65, 20_000])
def test_powers_of_wide_integers_are_refused(bits: int) -> None:
    wide = Literal((1 << bits) - 1)
    power = Binary(Op.POW, wide, wide)
    with pytest.raises(CircuitError, match="POW applies to integers of up to 64 bits"):
        validate(Circuit(1).append("x", [0], condition=Cast(power, BOOL)))


@pytest.mark.parametrize("operator", [each for each in Op if each is not Op.POW])
def test_wide_integers_beside_anything_are_run_or_refused(operator: Op) -> None:
    wide = Literal((1 << 20_000) - 1)
    others = (wide, Literal(3), Literal(-3), Literal(0.5), Literal(True), u8(3), i4(-3), Literal(1.0, FLOAT))
    for other in others:
        for pair in ((wide, other), (other, wide)):
            for target in (BOOL, UINT8, FLOAT):
                circuit = Circuit(1).append(
                    "x", [0], condition=Cast(Cast(Binary(operator, *pair), target), BOOL)
                )
                with contextlib.suppress(CircuitError, SimulationFailed):
                    run(circuit, shots=1)
