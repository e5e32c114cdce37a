"""Classical expressions as text that means the same by the language's rules."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from basicaer.client._errors import CircuitError
from basicaer.client.openqasm3._layout import Layout
from basicaer.client.openqasm3._types import (
    ANGLE,
    BIT,
    BOOL,
    FLOAT,
    UINT,
    WIDEST,
    Text,
    Type,
    common,
    constant,
    declared,
    literal,
)
from basicaer.v1 import circuit_pb2 as pb

__all__ = ["Expressions"]

_TRUTH, _FLOAT = Type(BOOL), Type(FLOAT, 64)
_SIGNS = {
    pb.BINARY_OPERATOR_BIT_AND: "&",
    pb.BINARY_OPERATOR_BIT_OR: "|",
    pb.BINARY_OPERATOR_BIT_XOR: "^",
    pb.BINARY_OPERATOR_LOGIC_AND: "&&",
    pb.BINARY_OPERATOR_LOGIC_OR: "||",
    pb.BINARY_OPERATOR_EQUAL: "==",
    pb.BINARY_OPERATOR_NOT_EQUAL: "!=",
    pb.BINARY_OPERATOR_LESS: "<",
    pb.BINARY_OPERATOR_LESS_EQUAL: "<=",
    pb.BINARY_OPERATOR_GREATER: ">",
    pb.BINARY_OPERATOR_GREATER_EQUAL: ">=",
    pb.BINARY_OPERATOR_SHIFT_LEFT: "<<",
    pb.BINARY_OPERATOR_SHIFT_RIGHT: ">>",
    pb.BINARY_OPERATOR_ADD: "+",
    pb.BINARY_OPERATOR_SUB: "-",
    pb.BINARY_OPERATOR_MUL: "*",
    pb.BINARY_OPERATOR_DIV: "/",
    pb.BINARY_OPERATOR_MOD: "%",
    pb.BINARY_OPERATOR_POW: "**",
}
_COMPARISONS = frozenset(("==", "!=", "<", "<=", ">", ">="))
_FUNCTIONS = {
    pb.MATH_FUNCTION_SIN: "sin",
    pb.MATH_FUNCTION_COS: "cos",
    pb.MATH_FUNCTION_TAN: "tan",
    pb.MATH_FUNCTION_ASIN: "arcsin",
    pb.MATH_FUNCTION_ACOS: "arccos",
    pb.MATH_FUNCTION_ATAN: "arctan",
    pb.MATH_FUNCTION_EXP: "exp",
    pb.MATH_FUNCTION_LN: "log",
    pb.MATH_FUNCTION_SQRT: "sqrt",
}


class Expressions:
    """Writes the expressions of one circuit, whose bits and variables have these names."""

    def __init__(self, circuit: pb.Circuit, clbits: Layout, variables: Sequence[str]) -> None:
        self._clbits = clbits
        self._variables = variables
        self._types = [declared(each.type) or Type(UINT, 64) for each in circuit.variables]

    def condition(self, message: pb.Expression) -> str:
        """Return a condition.

        Raises:
            CircuitError: As all here do, for what the language can't say.
        """
        return self._text(message).text

    def parameter(self, message: pb.Expression) -> str:
        """Return a gate's parameter."""
        return self._text(message).as_type(_FLOAT).text

    def selector(self, message: pb.Expression) -> tuple[str, int]:
        """Return a switch's target, and its size in bits."""
        made = self._text(message)
        type_ = Type(UINT, made.type.bits)
        return made.text if made.is_register else made.as_type(type_).text, type_.bits

    def assignment(self, message: pb.Store) -> str:
        """Return an assignment, without its semicolon."""
        match message.WhichOneof("target"):
            case "clbit":
                self._clbits.check_bits((message.clbit,))
                target, type_ = self._clbits.texts[message.clbit], _TRUTH
            case "register":
                return self._to_register(message.register, message.value)
            case "variable":
                target, type_ = self._variables[message.variable], self._types[message.variable]
            case _:
                raise CircuitError("A store has no target.")
        return f"{target} = {self._text(message.value).as_type(type_).text}"

    def _to_register(self, number: int, value: pb.Expression) -> str:
        bits = len(self._clbits.bits[number])
        if not bits:
            return ""
        target, type_ = self._clbits.register(number), self._clbits.types.get(number)
        if type_ is not None and type_.kind == FLOAT:
            return f"{target} = {self._of_float_bits(value, bits)}"
        made = self._text(value).as_type(Type(UINT, bits))
        return f"{target} = {made.text if type_ is None else made.as_type(type_).text}"

    def _of_float_bits(self, value: pb.Expression, bits: int) -> str:
        """Return the float whose bits are stored to an output."""
        if value.unary.operator == pb.UNARY_OPERATOR_FLOAT_BITS:
            return self._text(value.unary.operand).as_type(Type(FLOAT, bits)).text
        if value.literal.HasField("uint_value"):
            raw = value.literal.uint_value.to_bytes(bits // 8, "little")
            return constant(float(np.frombuffer(raw, f"<f{bits // 8}")[0]), _FLOAT).text
        raise CircuitError("An output of type float gets other bits than those of a float.")

    def _text(self, message: pb.Expression) -> Text:
        given = declared(message.type)
        made = self._inferred(message, given)
        return made if given is None else made.as_type(given)

    def _inferred(self, message: pb.Expression, given: Type | None) -> Text:
        match message.WhichOneof("kind"):
            case "literal":
                value = _value(message.literal)
                return literal(value) if given is None else constant(value, given)
            case "clbit":
                self._clbits.check_bits((message.clbit,))
                return Text(self._clbits.texts[message.clbit], Type(BIT))
            case "register":
                bits = len(self._clbits.bits[message.register])
                if not bits:
                    return constant(0, Type(UINT, 1))
                return self._register(message.register, Type(UINT, bits))
            case "variable":
                return Text(self._variables[message.variable], self._types[message.variable])
            case "unary":
                return self._unary(message.unary)
            case "binary":
                return self._binary(message.binary, given)
            case "cast":
                if given is None:
                    raise CircuitError("A cast needs the type that it converts to.")
                return _cast(self._text(message.cast), given)
            case "index":
                target = self._text(message.index.target)
                target = target if target.is_register else _plain(target)
                index = self._text(message.index.index)
                place = str(index.literal) if index.literal is not None else _plain(index).text
                return Text(f"{target.within()}[{place}]", Type(BIT))
            case "call":
                return self._call(message.call)
        raise CircuitError("An expression is empty.")

    def _register(self, number: int, type_: Type) -> Text:
        kept = self._clbits.types.get(number)
        self._clbits.check_bits(self._clbits.bits[number][:1])
        made = Text(self._clbits.register(number), kept or type_, is_register=kept is None)
        return made if kept in (None, type_) else made.cast(type_)

    def _unary(self, message: pb.UnaryExpression) -> Text:
        operand = self._text(message.operand)
        if message.operator == pb.UNARY_OPERATOR_NEGATE:
            if operand.literal is not None:
                return literal(-operand.literal)
            if operand.is_register:
                operand = operand.as_type(operand.type)
                if operand.is_register:
                    raise CircuitError("OpenQASM 3 has no negative of a register of more than 1,024 bits.")
            return Text(f"-{operand.within()}", operand.type, is_atom=False)
        if message.operator not in (pb.UNARY_OPERATOR_BIT_NOT, pb.UNARY_OPERATOR_LOGIC_NOT):
            raise CircuitError(f"OpenQASM 3 has no operator of the contract's number {message.operator}.")
        if operand.type.is_truth:
            return Text(f"!{operand.within()}", operand.type, is_atom=False)
        return Text(f"~{_plain(operand).within()}", operand.type, is_atom=False)

    def _binary(self, message: pb.BinaryExpression, given: Type | None) -> Text:
        sign = _SIGNS.get(message.operator)
        if sign is None:
            raise CircuitError("An expression has no operator.")
        left, right = self._text(message.left), self._text(message.right)
        if sign in ("&&", "||"):
            return _joined(left, sign, right, _TRUTH)
        if sign in _COMPARISONS:
            return _comparison(left, sign, right)
        if sign in ("<<", ">>"):
            left = _plain(left if given is None else left.as_type(given))
            places = right.text if right.literal is None else str(right.literal)
            right = _plain(right)._replace(text=places) if right.literal is not None else _plain(right)
            return _joined(left, sign, right, left.type)
        scaled = _scaled(left, sign, right)
        if scaled is not None:
            return scaled
        type_ = given or common(left, right)
        left = left.as_type(type_)
        if right.literal is not None and type_.is_integer and type_.bits <= WIDEST and sign != "**":
            return _joined(left, sign, _beside(right, type_), type_)
        return _joined(left, sign, right.as_type(type_), type_)

    def _call(self, message: pb.CallExpression) -> Text:
        argument = self._text(message.argument).as_type(_FLOAT)
        if message.function == pb.MATH_FUNCTION_ABS:
            # The language has no magnitude: a number times its sign.
            part = argument.within()
            return Text(f"{part} * (1.0 - 2.0 * float({part} < 0.0))", _FLOAT, is_atom=False)
        name = _FUNCTIONS.get(message.function)
        if name is None:
            raise CircuitError("A call has no function.")
        return Text(f"{name}({argument.text})", _FLOAT)


def _value(message: pb.Literal) -> bool | int | float:
    kind = message.WhichOneof("value")
    if kind is None:
        raise CircuitError("A literal has no value.")
    if kind == "wide_value":
        return int.from_bytes(message.wide_value, "little")
    found: bool | int | float = getattr(message, kind)
    return found


def _plain(value: Text) -> Text:
    """Return a value as one of its own type: a register as an integer, where that is possible."""
    return value.as_type(value.type)


def _joined(left: Text, sign: str, right: Text, type_: Type) -> Text:
    register = left.is_register and right.is_register and type_.bits > WIDEST
    return Text(f"{left.within()} {sign} {right.within()}", type_, is_register=register, is_atom=False)


def _comparison(left: Text, sign: str, right: Text) -> Text:
    type_ = common(left, right)
    if type_.kind == UINT and type_.bits > WIDEST:
        # Registers of any size are compared as they are.
        sides = [each if each.is_register else each.as_type(each.type) for each in (left, right)]
        if left.literal is None or right.literal is None:
            sides = [each if each.literal is None else constant(each.literal, type_) for each in sides]
        return _joined(sides[0], sign, sides[1], _TRUTH)
    if type_.is_integer and right.literal is not None and left.type == type_:
        # Bits meet a constant as an integer does.
        return _joined(left, sign, _beside(right, type_), _TRUTH)
    return _joined(left.as_type(type_), sign, right.as_type(type_), _TRUTH)


def _beside(value: Text, type_: Type) -> Text:
    """Return a constant as the operand of an integer, whose type it takes in the language too."""
    assert value.literal is not None
    return Text(str(int(value.literal)), type_, is_atom=value.literal >= 0)


def _scaled(left: Text, sign: str, right: Text) -> Text | None:
    """Return the products and quotients of angles with integers; None for other operands."""
    if sign == "*" and left.type.kind == UINT and right.type.kind == ANGLE:
        left, right = right, left
    if left.type.kind != ANGLE or sign not in ("*", "/"):
        return None
    if right.type.kind == ANGLE and sign == "/":
        type_ = common(left, right)
        return _joined(left.as_type(type_), sign, right.as_type(type_), Type(UINT, type_.bits))
    if right.type.kind != UINT:
        return None
    if right.literal is not None and right.literal < 1 << left.type.bits:
        return _joined(left, sign, right._replace(text=str(right.literal)), left.type)
    right = _plain(right)
    if sign == "*" or right.type.bits <= left.type.bits:
        return _joined(left, sign, right, left.type)
    # The language divides by an integer of the angle's size: this one's bits are divided instead.
    whole = _joined(left.cast(right.type), sign, right, right.type)
    return whole.cast(left.type)


def _cast(operand: Text, target: Type) -> Text:
    value = operand.literal
    if value is None:
        return operand.as_type(target) if operand.type == target else operand.cast(target)
    if target.is_truth:
        return constant(value != 0, target)
    return constant(value, target)
