"""Random valid expressions of any type, over the classical values of a circuit."""

from __future__ import annotations

from random import Random

from basicaer.simulator.circuit._circuit import Circuit
from basicaer.simulator.circuit._expressions import (
    Binary,
    Call,
    Cast,
    ClassicalType,
    ClbitRef,
    Expression,
    Index,
    Literal,
    MathFunction,
    RegisterRef,
    Unary,
    UnaryOperator,
    VariableRef,
)
from basicaer.simulator.circuit._expressions import (
    BinaryOperator as Op,
)
from basicaer.simulator.circuit._expressions import (
    ClassicalKind as Kind,
)

BOOL = ClassicalType(Kind.BOOL)
BIT = ClassicalType(Kind.BIT)
FLOAT = ClassicalType(Kind.FLOAT)
_COMPARISONS = (Op.EQUAL, Op.NOT_EQUAL, Op.LESS, Op.LESS_EQUAL, Op.GREATER, Op.GREATER_EQUAL)


def random_expression(random: Random, circuit: Circuit, type_: ClassicalType, depth: int = 3) -> Expression:
    """Return a valid expression of `type_` over the classical bits, registers and variables of `circuit`.

    Its value always exists: nothing in it divides by zero.
    """
    if depth <= 0:
        return _leaf(random, circuit, type_)
    if type_.kind in (Kind.BOOL, Kind.BIT):
        return _truth(random, circuit, type_, depth - 1)
    if type_.kind in (Kind.UINT, Kind.INT):
        return _integer(random, circuit, type_, depth - 1)
    if type_.kind is Kind.FLOAT:
        return _float(random, circuit, type_, depth - 1)
    return _angle(random, circuit, type_, depth - 1)


def _leaf(random: Random, circuit: Circuit, type_: ClassicalType) -> Expression:
    choices: list[Expression] = [
        VariableRef(number)
        for number, variable in enumerate(circuit.variables)
        if variable.type.kind is type_.kind and variable.type.bits == type_.bits
    ]
    if type_.kind in (Kind.BOOL, Kind.BIT):
        choices += [ClbitRef(index) for index in range(circuit.num_clbits)]
        choices.append(Literal(random.random() < 0.5, type_))
    elif type_.kind is Kind.UINT:
        choices += [
            RegisterRef(number)
            for number, register in enumerate(circuit.classical_registers)
            if 0 < register.size == type_.bits
        ]
        choices.append(Literal(random.randrange(2**type_.bits), type_))
    elif type_.kind is Kind.INT:
        choices.append(Literal(random.randrange(-(2 ** (type_.bits - 1)), 2 ** (type_.bits - 1)), type_))
    else:
        choices.append(Literal(random.uniform(-7, 7), type_))
    return random.choice(choices)


def _some_type(random: Random) -> ClassicalType:
    kind = random.choice([Kind.BOOL, Kind.BIT, Kind.UINT, Kind.INT, Kind.FLOAT, Kind.ANGLE])
    return ClassicalType(kind, random.choice([1, 3, 5, 8, 32, 64]))


def _truth(random: Random, circuit: Circuit, type_: ClassicalType, depth: int) -> Expression:
    def part(of: ClassicalType) -> Expression:
        return random_expression(random, circuit, of, depth)

    match random.randrange(7):
        case 0:
            other = _some_type(random)
            return Binary(random.choice(_COMPARISONS), part(other), part(other))
        case 1:
            return Binary(random.choice([Op.LOGIC_AND, Op.LOGIC_OR]), part(BOOL), part(BIT))
        case 2:
            return Binary(random.choice([Op.BIT_AND, Op.BIT_OR, Op.BIT_XOR]), part(type_), part(type_), type_)
        case 3:
            operator = random.choice([UnaryOperator.LOGIC_NOT, UnaryOperator.BIT_NOT])
            return Unary(operator, part(type_))
        case 4:
            target = ClassicalType(random.choice([Kind.UINT, Kind.INT]), random.choice([4, 8]))
            place = Binary(Op.BIT_AND, part(ClassicalType(Kind.UINT, 5)), Literal(3))
            return Index(part(target), place, type_)
        case 5:
            return Cast(part(_some_type(random)), type_)
        case _:
            constant = Literal(random.choice([0, 1, 3, 1000, -2]))
            return Binary(random.choice(_COMPARISONS), part(ClassicalType(Kind.INT, 5)), constant)


def _integer(random: Random, circuit: Circuit, type_: ClassicalType, depth: int) -> Expression:
    def part(of: ClassicalType = type_) -> Expression:
        return random_expression(random, circuit, of, depth)

    places = ClassicalType(Kind.UINT, 4)
    if type_.kind is Kind.UINT and type_.bits in (16, 32, 64) and random.random() < 0.2:
        return Unary(UnaryOperator.FLOAT_BITS, part(FLOAT), type_)
    match random.randrange(8):
        case 0:
            return Binary(random.choice([Op.ADD, Op.SUB, Op.MUL]), part(), part())
        case 1:
            # Setting the lowest bit keeps the divisor away from zero.
            divisor = Binary(Op.BIT_OR, part(), Literal(1, type_) if type_.bits > 1 else Literal(-1))
            if type_.bits == 1:
                return Binary(Op.ADD, part(), part())
            return Binary(random.choice([Op.DIV, Op.MOD]), part(), divisor)
        case 2:
            return Binary(random.choice([Op.BIT_AND, Op.BIT_OR, Op.BIT_XOR]), part(), part(), type_)
        case 3:
            return Unary(random.choice([UnaryOperator.BIT_NOT, UnaryOperator.NEGATE]), part())
        case 4:
            return Binary(random.choice([Op.SHIFT_LEFT, Op.SHIFT_RIGHT]), part(), part(places))
        case 5:
            exponent = (
                Literal(random.randrange(2), type_)
                if type_ != ClassicalType(Kind.INT, 1)
                else Literal(0, type_)
            )
            return Binary(Op.POW, part(), exponent)
        case 6:
            narrow = ClassicalType(type_.kind, random.randrange(1, type_.bits + 1))
            return Binary(Op.ADD, part(), part(narrow), type_)
        case _:
            return Cast(part(_some_type(random)), type_)


def _float(random: Random, circuit: Circuit, type_: ClassicalType, depth: int) -> Expression:
    def part(of: ClassicalType = FLOAT) -> Expression:
        return random_expression(random, circuit, of, depth)

    if type_.bits < 64:
        if random.random() < 0.5:
            return Cast(part(), type_)
        return Binary(random.choice([Op.ADD, Op.SUB]), part(type_), Unary(UnaryOperator.NEGATE, part(type_)))
    bounded = Call(random.choice([MathFunction.SIN, MathFunction.COS, MathFunction.ATAN]), part())
    match random.randrange(7):
        case 0:
            return Binary(random.choice([Op.ADD, Op.SUB, Op.MUL]), bounded, Call(MathFunction.COS, part()))
        case 1:
            divisor = Binary(Op.ADD, Call(MathFunction.ABS, bounded), Literal(0.5))
            return Binary(random.choice([Op.DIV, Op.MOD, Op.POW]), divisor, divisor)
        case 2:
            return Call(random.choice([MathFunction.SQRT, MathFunction.EXP]), Call(MathFunction.ABS, bounded))
        case 3:
            half = Binary(Op.MUL, Call(MathFunction.SIN, part()), Literal(0.5))
            return Call(random.choice([MathFunction.ASIN, MathFunction.ACOS, MathFunction.TAN]), half)
        case 4:
            return Call(MathFunction.LN, Binary(Op.ADD, Call(MathFunction.ABS, bounded), Literal(1)))
        case 5:
            return Unary(UnaryOperator.NEGATE, bounded)
        case _:
            return Cast(part(_some_type(random)), FLOAT)


def _angle(random: Random, circuit: Circuit, type_: ClassicalType, depth: int) -> Expression:
    def part(of: ClassicalType = type_) -> Expression:
        return random_expression(random, circuit, of, depth)

    number = ClassicalType(Kind.UINT, 3)
    match random.randrange(5):
        case 0:
            return Binary(random.choice([Op.ADD, Op.SUB]), part(), part())
        case 1:
            return Binary(Op.MUL, part(), part(number))
        case 2:
            return Binary(Op.DIV, part(), Binary(Op.BIT_OR, part(number), Literal(1)))
        case 3:
            return Unary(random.choice([UnaryOperator.NEGATE, UnaryOperator.BIT_NOT]), part())
        case _:
            return Cast(part(_some_type(random)), type_)
