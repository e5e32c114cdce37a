"""Random valid circuits for property tests, with everything that a circuit can have.

All choices come from one `random.Random`. Hypothesis has a strategy for these
(`randoms(use_true_random=False)`) whose choices it shrinks.
"""

from __future__ import annotations

import math
from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt
from basicaer.simulator._circuit import Circuit
from basicaer.simulator._expressions import (
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
from basicaer.simulator._expressions import (
    BinaryOperator as Op,
)
from basicaer.simulator._expressions import (
    ClassicalKind as Kind,
)
from basicaer.simulator._gate_table import GATES
from basicaer.simulator._operations import (
    Block,
    Case,
    ForLoop,
    IfElse,
    Initialize,
    Register,
    Store,
    SwitchCase,
    Variable,
    WhileLoop,
)

BOOL = ClassicalType(Kind.BOOL)
BIT = ClassicalType(Kind.BIT)
FLOAT = ClassicalType(Kind.FLOAT)
_COUNTER = 0
_VARIABLES = (
    Variable("counter", ClassicalType(Kind.UINT, 8)),
    Variable("small", ClassicalType(Kind.UINT, 3)),
    Variable("signed", ClassicalType(Kind.INT, 5)),
    Variable("real", FLOAT),
    Variable("turn", ClassicalType(Kind.ANGLE, 6)),
    Variable("flag", BOOL),
    Variable("wide", ClassicalType(Kind.UINT, 64)),
)
_COMPARISONS = (Op.EQUAL, Op.NOT_EQUAL, Op.LESS, Op.LESS_EQUAL, Op.GREATER, Op.GREATER_EQUAL)


def random_unitary(random: Random, width: int) -> npt.NDArray[np.complex128]:
    """A unitary matrix of 2^width by 2^width."""
    size = 2**width
    numbers = [complex(random.uniform(-1, 1), random.uniform(-1, 1)) for _ in range(size * size)]
    # The identity keeps the matrix regular when all numbers are alike, as shrunken ones are.
    matrix, _ = np.linalg.qr(np.array(numbers).reshape(size, size) + 3 * np.eye(size))
    return matrix


def random_circuit(
    random: Random, *, num_qubits: int, num_clbits: int = 0, num_instructions: int, dynamic: bool = False
) -> Circuit:
    """A valid circuit of about `num_instructions` instructions.

    Without `dynamic` it has gates alone, and a measurement of each qubit at the end for which there is a
    classical bit. With it, anything may come anywhere. Loops end after a few turns.
    """
    return _Builder(random, num_qubits, num_clbits, dynamic).circuit(num_instructions)


def random_expression(random: Random, circuit: Circuit, type_: ClassicalType, depth: int = 3) -> Expression:
    """A valid expression of `type_` over the classical bits, registers and variables of `circuit`.

    Its value always exists: nothing in it divides by zero.
    """
    if depth <= 0:
        return _leaf(random, circuit, type_)
    if type_.kind in (Kind.BOOL, Kind.BIT):
        return _truth(random, circuit, type_, depth - 1)
    if type_.kind in (Kind.UINT, Kind.INT):
        return _integer(random, circuit, type_, depth - 1)
    if type_.kind is Kind.FLOAT:
        return _float(random, circuit, depth - 1)
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
    return ClassicalType(kind, random.choice([1, 3, 5, 8, 64]))


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


def _float(random: Random, circuit: Circuit, depth: int) -> Expression:
    def part(of: ClassicalType = FLOAT) -> Expression:
        return random_expression(random, circuit, of, depth)

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


class _Builder:
    """Makes one circuit. `_in_loop` and `_in_while` tell what the present block is in."""

    def __init__(self, random: Random, num_qubits: int, num_clbits: int, dynamic: bool) -> None:
        self._random = random
        self._dynamic = dynamic
        bits = list(range(num_clbits))
        registers = [Register("all", num_clbits, tuple(bits))] if bits else []
        if num_clbits > 1:
            random.shuffle(bits)
            registers.append(Register("some", num_clbits - 1, tuple(bits[1:])))
        self._circuit = Circuit(
            num_qubits,
            num_clbits,
            global_phase=random.uniform(-math.pi, math.pi),
            classical_registers=registers,
            variables=_VARIABLES,
        )
        self._in_loop = False
        self._in_while = False

    def circuit(self, num_instructions: int) -> Circuit:
        """The circuit."""
        circuit = self._circuit
        for _ in range(num_instructions):
            for name, qubits, params, clbits, fields in self._instructions(2):
                circuit.append(name, qubits, params, clbits, **fields)
        if not self._dynamic:
            for bit in range(min(circuit.num_qubits, circuit.num_clbits)):
                circuit.append("measure", [bit], [], [bit])
        return circuit

    def _instructions(self, depth: int) -> list[tuple[str, list[int], list[Any], list[int], dict[str, Any]]]:
        """One random instruction, or a few that belong together."""
        random = self._random
        if not self._dynamic or random.random() < 0.5:
            name, qubits, params, fields = self._gate()
            if self._dynamic and params and random.random() < 0.3:
                params = [self._expression(FLOAT) for _ in params]
            return [(name, qubits, params, [], self._conditioned(fields))]
        kinds = ["measure", "reset", "initialize", "store"]
        kinds += ["if", "switch", "for", "while"] if depth else []
        kinds += ["jump"] if self._in_loop else []
        kind = random.choice(kinds)
        qubits = self._qubits(1)
        match kind:
            case "measure" if self._circuit.num_clbits:
                clbit = random.randrange(self._circuit.num_clbits)
                return [("measure", qubits, [], [clbit], self._conditioned({}))]
            case "initialize":
                qubits = self._qubits(random.randrange(1, self._circuit.num_qubits + 1))
                return [
                    (
                        "initialize",
                        qubits,
                        [],
                        [],
                        self._conditioned({"initialize": self._state(len(qubits))}),
                    )
                ]
            case "store":
                return [("store", [], [], [], self._conditioned({"store": self._store()}))]
            case "jump":
                name = random.choice(["break_loop", "continue_loop"])
                return [(name, [], [], [], {"condition": self._expression(BOOL)})]
            case "if" | "switch" | "for":
                return [self._flow(kind, depth - 1)]
            case "while" if not self._in_while:
                start = Store(VariableRef(_COUNTER), Literal(0))
                return [("store", [], [], [], {"store": start}), self._while(depth - 1)]
            case _:
                return [("reset", qubits, [], [], self._conditioned({}))]

    def _expression(self, type_: ClassicalType) -> Expression:
        return random_expression(self._random, self._circuit, type_, 2)

    def _conditioned(self, fields: dict[str, Any]) -> dict[str, Any]:
        if self._dynamic and self._random.random() < 0.2:
            return {**fields, "condition": self._expression(BOOL)}
        return fields

    def _qubits(self, count: int) -> list[int]:
        return self._random.sample(range(self._circuit.num_qubits), count)

    def _gate(self) -> tuple[str, list[int], list[Any], dict[str, Any]]:
        random, size = self._random, self._circuit.num_qubits
        if random.random() < 0.1:
            width = random.randrange(1, min(size, 3) + 1)
            return "unitary", self._qubits(width), [], {"matrix": random_unitary(random, width)}
        names = [name for name, spec in GATES.items() if spec.num_qubits <= size]
        name = random.choice([*names, "barrier", "delay"])
        if name == "barrier":
            return name, self._qubits(random.randrange(size + 1)), [], {}
        if name == "delay":
            return name, self._qubits(1), [100.0], {"unit": "dt"}
        spec = GATES[name]
        fields: dict[str, Any] = {}
        width = spec.num_qubits
        extra = random.randrange(size - width + 1) if random.random() < 0.3 else 0
        if extra:
            fields["num_controls"] = extra
            if random.random() < 0.7:
                fields["control_state"] = random.randrange(2**extra)
        width += extra
        if spec.any_controls:
            width = random.randrange(width, size + 1)
        return name, self._qubits(width), [random.uniform(-7, 7) for _ in range(spec.num_parameters)], fields

    def _state(self, width: int) -> Initialize:
        match self._random.randrange(3):
            case 0:
                return Initialize(amplitudes=random_unitary(self._random, width)[:, 0].copy())
            case 1:
                return Initialize(label="".join(self._random.choice("01+-rl") for _ in range(width)))
            case _:
                return Initialize(basis_state=self._random.randrange(2**width))

    def _store(self) -> Store:
        random, circuit = self._random, self._circuit
        variables = [number for number in range(len(circuit.variables)) if number != _COUNTER]
        if circuit.num_clbits and random.random() < 0.4:
            if random.random() < 0.5:
                return Store(ClbitRef(random.randrange(circuit.num_clbits)), self._expression(BIT))
            number = random.randrange(len(circuit.classical_registers))
            type_ = ClassicalType(Kind.UINT, circuit.classical_registers[number].size)
            return Store(RegisterRef(number), self._expression(type_))
        number = random.choice(variables)
        return Store(VariableRef(number), self._expression(circuit.variables[number].type))

    def _block(self, depth: int, *, in_loop: bool = False, before: tuple[Any, ...] = ()) -> Block:
        was = self._in_loop
        self._in_loop = was or in_loop
        instructions = [*before]
        for _ in range(self._random.randrange(3)):
            instructions += self._instructions(depth)
        self._in_loop = was
        return self._circuit.block(instructions)

    def _flow(self, kind: str, depth: int) -> tuple[str, list[int], list[Any], list[int], dict[str, Any]]:
        random = self._random
        if kind == "if":
            other = self._block(depth) if random.random() < 0.5 else None
            choice = IfElse(self._expression(BOOL), self._block(depth), other)
            return "if_else", [], [], [], {"if_else": choice}
        if kind == "for":
            values: range | tuple[int, ...] = range(*sorted(random.sample(range(5), 2)))
            if random.random() < 0.5:
                values = tuple(random.randrange(8) for _ in range(random.randrange(3)))
            variable = random.choice([None, 1, 2])
            return (
                "for_loop",
                [],
                [],
                [],
                {"for_loop": ForLoop(values, self._block(depth, in_loop=True), variable)},
            )
        target = self._expression(random.choice([BIT, ClassicalType(Kind.UINT, 3)]))
        cases = [
            Case(tuple(random.sample(range(8), random.randrange(1, 4))), self._block(depth))
            for _ in range(random.randrange(3))
        ]
        cases.append(Case((), self._block(depth), is_default=True))
        return (
            "switch_case",
            [],
            [],
            [],
            {"switch_case": SwitchCase(target, tuple(cases[: random.randrange(1, 5)]))},
        )

    def _while(self, depth: int) -> tuple[str, list[int], list[Any], list[int], dict[str, Any]]:
        counted = Binary(Op.LESS, VariableRef(_COUNTER), Literal(3))
        condition = Binary(Op.LOGIC_AND, counted, self._expression(BOOL))
        step = Store(VariableRef(_COUNTER), Binary(Op.ADD, VariableRef(_COUNTER), Literal(1)))
        self._in_while = True
        body = self._block(depth, in_loop=True, before=(("store", [], [], [], {"store": step}),))
        self._in_while = False
        return "while_loop", [], [], [], {"while_loop": WhileLoop(condition, body)}
