"""Gives classical expressions their types, and turns them into functions of the classical memory.

Types follow the contract (circuit.proto): what is not declared is inferred, conversions that lose nothing are
implicit, everything else needs a cast. Integers wrap around; division is towards zero and the remainder has
the dividend's sign. What can only be seen while the circuit runs, such as a division by zero, raises
`SimulationFailed`.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from basicaer.simulator._errors import CircuitError, SimulationFailed
from basicaer.simulator._pausing import current_pause
from basicaer.simulator.circuit._expressions import (
    Binary,
    Call,
    Cast,
    ClassicalKind,
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
from basicaer.simulator.circuit._operations import Register, Store, Variable
from basicaer.simulator.classical._binary import binary
from basicaer.simulator.classical._conversions import (
    BIT,
    BOOL,
    FLOAT,
    INTEGER_KINDS,
    TRUTH_KINDS,
    Evaluator,
    Memory,
    Typed,
    Value,
    cast,
    constant,
    convert,
    float_bits,
    literal,
    wrap,
)

Path = tuple[str | int, ...]

_DEEPEST = 200
_WIDEST = 1 << 16
_FLOAT_WIDTHS = (16, 32, 64)
_FUNCTIONS: dict[MathFunction, Callable[[float], float]] = {
    MathFunction.SIN: math.sin,
    MathFunction.COS: math.cos,
    MathFunction.TAN: math.tan,
    MathFunction.ASIN: math.asin,
    MathFunction.ACOS: math.acos,
    MathFunction.ATAN: math.atan,
    MathFunction.EXP: math.exp,
    MathFunction.LN: math.log,
    MathFunction.SQRT: math.sqrt,
    MathFunction.ABS: abs,
}


class Scope:
    """The classical things of a circuit that expressions refer to, all of them already checked."""

    def __init__(
        self, num_clbits: int, registers: tuple[Register, ...], variables: tuple[Variable, ...]
    ) -> None:
        self._num_clbits = num_clbits
        self._registers = registers
        self._variables = variables
        self._pause = current_pause()
        # Where the bits of a register that are one after another begin, by its index; None for others.
        self._starts: dict[int, int | None] = {}

    def memory(self) -> Memory:
        """Return the memory at the start: zero, but for variables that have a value."""
        zeros: dict[ClassicalKind, Value] = {
            ClassicalKind.BIT: False,
            ClassicalKind.BOOL: False,
            ClassicalKind.FLOAT: 0.0,
        }
        return Memory(
            0,
            [
                zeros.get(variable.type.kind, 0) if variable.value is None else variable.value
                for variable in self._variables
            ],
        )

    def condition(self, expression: Expression, path: Path) -> Callable[[Memory], bool]:
        """Return the function of an expression of type bit or bool. Raises `CircuitError`, as all here do."""
        typed = self.compile(expression, path)
        if typed.type.kind not in TRUTH_KINDS:
            raise CircuitError(f"a condition is of type bool or bit, not {typed.type}; compare it", path)
        evaluate = typed.evaluate
        return lambda memory: bool(evaluate(memory))

    def parameter(self, expression: Expression, path: Path) -> Callable[[Memory], float]:
        """Return the function of a gate's parameter, in radians. It raises `SimulationFailed` when not
        finite.
        """
        evaluate = convert(self.compile(expression, path), FLOAT, path).evaluate

        def value(memory: Memory) -> float:
            result = float(evaluate(memory))
            if not math.isfinite(result):
                raise SimulationFailed(f"a gate's parameter became {result}")
            return result

        return value

    def selector(self, expression: Expression, path: Path) -> Callable[[Memory], int]:
        """Return the function of a switch's target."""
        typed = self.compile(expression, path)
        if typed.type.kind is not ClassicalKind.UINT and typed.type.kind not in TRUTH_KINDS:
            raise CircuitError(f"a switch's target is of type uint, bool or bit, not {typed.type}", path)
        evaluate = typed.evaluate
        return lambda memory: int(evaluate(memory))

    def store(self, store: Store, path: Path) -> Callable[[Memory], None]:
        """Return the function that carries out an assignment."""
        target = store.target
        type_ = self.compile(target, path).type
        evaluate = convert(self.compile(store.value, path), type_, path).evaluate
        if isinstance(target, VariableRef):
            number = target.index

            def write_variable(memory: Memory) -> None:
                memory.variables[number] = evaluate(memory)

            return write_variable
        if isinstance(target, RegisterRef) and (start := self._start(target.index)) is not None:
            mask = (1 << len(self._registers[target.index].bits)) - 1
            others = ~(mask << start)

            def write_register(memory: Memory) -> None:
                memory.clbits = memory.clbits & others | (int(evaluate(memory)) & mask) << start

            return write_register
        bits = (target.index,) if isinstance(target, ClbitRef) else self._registers[target.index].bits
        keep = ~sum(1 << bit for bit in bits)

        def write_bits(memory: Memory) -> None:
            value = int(evaluate(memory))
            spread = sum((value >> place & 1) << bit for place, bit in enumerate(bits))
            memory.clbits = memory.clbits & keep | spread

        return write_bits

    def bits_of(self, register: int) -> tuple[int, ...]:
        """Return the classical bits of a register."""
        return self._registers[register].bits

    def reads(self, expression: Expression) -> tuple[set[int], set[int]]:
        """Return the classical bits whose value the expression depends on, and the registers."""
        bits: set[int] = set()
        registers: set[int] = set()
        waiting: list[Expression] = [expression]
        while waiting:
            self._pause()
            match waiting.pop():
                case ClbitRef() as bit:
                    bits.add(bit.index)
                case RegisterRef() as register:
                    registers.add(register.index)
                case Unary() | Cast() as single:
                    waiting.append(single.operand)
                case Binary() as double:
                    waiting += (double.left, double.right)
                case Index() as place:
                    waiting += (place.target, place.index)
                case Call() as call:
                    waiting.append(call.argument)
                case _:
                    pass
        return bits, registers

    def variables_of(self, expression: Expression) -> set[int]:
        """Return the variables whose value the expression depends on."""
        match expression:
            case VariableRef():
                return {expression.index}
            case Literal() | ClbitRef() | RegisterRef():
                return set()
            case Unary() | Cast():
                return self.variables_of(expression.operand)
            case Binary():
                return self.variables_of(expression.left) | self.variables_of(expression.right)
            case Index():
                return self.variables_of(expression.target) | self.variables_of(expression.index)
            case Call():
                return self.variables_of(expression.argument)

    def compile(self, expression: Expression, path: Path, depth: int = 0) -> Typed:
        """Return the function and the type of an expression."""
        self._pause()
        if depth > _DEEPEST:
            raise CircuitError(f"an expression is nested more than {_DEEPEST} deep; store parts of it", path)
        declared = declared_type(expression.type)
        if declared is not None and not 0 <= declared.width <= _WIDEST:
            raise CircuitError(f"a type of {declared.width} bits; {_WIDEST} are possible", path)
        typed = self._infer(expression, path, depth + 1)
        return typed if declared is None else convert(typed, declared, path)

    def _infer(self, expression: Expression, path: Path, depth: int) -> Typed:
        match expression:
            case Literal():
                declared = declared_type(expression.type)
                if declared is None:
                    return literal(expression.value)
                return constant(expression.value, declared, path)
            case ClbitRef():
                return self._clbit(expression.index, path)
            case RegisterRef():
                return self._register(expression.index, path)
            case VariableRef():
                return self._variable(expression.index, path)
            case Unary():
                operand = self.compile(expression.operand, path, depth)
                if expression.operator is UnaryOperator.FLOAT_BITS:
                    return _float_bits(operand, declared_type(expression.type), path)
                return _unary(expression.operator, operand, path)
            case Binary():
                left = self.compile(expression.left, path, depth)
                right = self.compile(expression.right, path, depth)
                return binary(expression.operator, left, right, declared_type(expression.type), path)
            case Cast():
                return cast(self.compile(expression.operand, path, depth), expression.type, path)
            case Index():
                target = self.compile(expression.target, path, depth)
                return _index(target, self.compile(expression.index, path, depth), path)
            case Call():
                argument = convert(self.compile(expression.argument, path, depth), FLOAT, path)
                return _call(expression.function, argument, path)

    def _clbit(self, index: int, path: Path) -> Typed:
        if not 0 <= index < self._num_clbits:
            raise CircuitError(f"clbit {index} is out of range; the circuit has {self._num_clbits}", path)
        return Typed(BIT, lambda memory: bool(memory.clbits >> index & 1))

    def _register(self, index: int, path: Path) -> Typed:
        if not 0 <= index < len(self._registers):
            count = len(self._registers)
            raise CircuitError(f"classical register {index} is out of range; the circuit has {count}", path)
        bits = self._registers[index].bits
        type_ = ClassicalType(ClassicalKind.UINT, max(1, len(bits)))
        start = self._start(index)
        if start is not None:
            mask = (1 << len(bits)) - 1
            return Typed(type_, lambda memory: memory.clbits >> start & mask)
        return Typed(
            type_,
            lambda memory: sum((memory.clbits >> bit & 1) << place for place, bit in enumerate(bits)),
        )

    def _start(self, index: int) -> int | None:
        """Where a register's bits begin, when they are one after another."""
        if index not in self._starts:
            bits = self._registers[index].bits
            start = bits[0] if bits else 0
            self._starts[index] = start if bits == tuple(range(start, start + len(bits))) else None
        return self._starts[index]

    def _variable(self, index: int, path: Path) -> Typed:
        if not 0 <= index < len(self._variables):
            raise CircuitError(
                f"variable {index} is out of range; the circuit has {len(self._variables)}", path
            )
        return Typed(self._variables[index].type, lambda memory: memory.variables[index])


def declared_type(type_: ClassicalType | None) -> ClassicalType | None:
    """Return the declared type, or None when it is left to be inferred."""
    return None if type_ is None or type_.kind is ClassicalKind.UNSPECIFIED else type_


def _unary(operator_: UnaryOperator, operand: Typed, path: Path) -> Typed:
    evaluate, type_ = operand.evaluate, operand.type
    kind = type_.kind
    if operator_ is UnaryOperator.LOGIC_NOT and kind in TRUTH_KINDS:
        return Typed(BOOL, lambda memory: not evaluate(memory))
    if operator_ is UnaryOperator.BIT_NOT and kind in TRUTH_KINDS:
        return Typed(type_, lambda memory: not evaluate(memory))
    if operator_ is UnaryOperator.BIT_NOT and kind is not ClassicalKind.FLOAT:
        return Typed(type_, lambda memory: wrap(~int(evaluate(memory)), type_))
    if operator_ is UnaryOperator.NEGATE and kind is ClassicalKind.FLOAT:
        if operand.literal is not None:
            return literal(-operand.literal)
        return Typed(type_, lambda memory: -evaluate(memory))
    if operator_ is UnaryOperator.NEGATE and kind not in TRUTH_KINDS:
        if operand.literal is not None:
            return literal(-operand.literal)
        return Typed(type_, lambda memory: wrap(-int(evaluate(memory)), type_))
    raise CircuitError(f"{operator_.name} does not apply to type {type_}", path)


def _float_bits(operand: Typed, declared: ClassicalType | None, path: Path) -> Typed:
    type_ = declared or ClassicalType(ClassicalKind.UINT, 64)
    if type_.kind is not ClassicalKind.UINT or type_.bits not in _FLOAT_WIDTHS:
        raise CircuitError(
            f"the bits of a float are of type uint[16], uint[32] or uint[64], not {type_}", path
        )
    evaluate, width = convert(operand, FLOAT, path).evaluate, type_.bits
    return Typed(type_, lambda memory: float_bits(float(evaluate(memory)), width))


def _float(evaluate: Evaluator) -> Typed:
    return Typed(FLOAT, evaluate)


def _index(target: Typed, index: Typed, path: Path) -> Typed:
    if target.type.kind not in (*INTEGER_KINDS, ClassicalKind.ANGLE):
        raise CircuitError(f"a bit can be taken of an integer, not of type {target.type}", path)
    if index.type.kind not in INTEGER_KINDS:
        raise CircuitError(f"a bit's index is an integer, not of type {index.type}", path)
    bits, value, place = target.type.bits, target.evaluate, index.evaluate
    if index.literal is not None and not 0 <= index.literal < bits:
        raise CircuitError(f"bit {index.literal} of type {target.type} does not exist", path)

    def bit(memory: Memory) -> bool:
        number = int(place(memory))
        if not 0 <= number < bits:
            raise SimulationFailed(f"bit {number} of a value of {bits} bits does not exist")
        return bool(int(value(memory)) >> number & 1)

    return Typed(BIT, bit)


def _call(function: MathFunction, argument: Typed, path: Path) -> Typed:
    apply = _FUNCTIONS.get(function)
    if apply is None:
        raise CircuitError("a call has no function", path)
    known, evaluate = apply, argument.evaluate

    def value(memory: Memory) -> float:
        number = float(evaluate(memory))
        try:
            return known(number)
        except (ValueError, OverflowError):
            raise SimulationFailed(f"{function.name.lower()}({number}) has no finite value") from None

    return _float(value)
