"""Tokens to expressions and types, by precedence climbing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NoReturn

from basicaer.service.parsing.openqasm3.syntax import _tree as tree
from basicaer.service.parsing.openqasm3.syntax._lexer import Tokens, fault
from basicaer.service.parsing.openqasm3.values._features import Feature

__all__ = ["TYPE_WORDS", "ExpressionParser"]

TYPE_WORDS = frozenset(
    ("bit", "bool", "int", "uint", "float", "angle", "complex", "duration", "stretch", "array", "creg")
)
# How tightly each operator binds.
_BINDING = {
    "++": 1,
    "||": 2,
    "&&": 3,
    "|": 4,
    "^": 5,
    "&": 6,
    "==": 7,
    "!=": 7,
    "<": 8,
    "<=": 8,
    ">": 8,
    ">=": 8,
    "<<": 9,
    ">>": 9,
    "+": 10,
    "-": 10,
    "*": 11,
    "/": 11,
    "%": 11,
    "**": 13,
}
_IN = 8
_UNARY = 12
# A bracket in a bracket takes some frames of the interpreter's stack.
_DEEPEST = 100
# More digits take time that grows with their square.
_LONGEST_NUMBER = 4_000
_LONGEST_BITS = 100_000
# A sample of a waveform, which a simulator hasn't, is taken to last a nanosecond.
_NANOSECONDS = {"ns": 1.0, "dt": 1.0, "us": 1e3, "µs": 1e3, "μs": 1e3, "ms": 1e6, "s": 1e9}


class ExpressionParser:
    """Reads expressions from where its tokens are."""

    def __init__(self, text: str) -> None:
        self.tokens = Tokens(text)
        self.text = text
        self._depth = 0

    # --- tokens -----------------------------------------------------------------------------------------

    def fail(self, message: str, at: int | None = None, feature: Feature | None = None) -> NoReturn:
        """Raise what is wrong, at the current token if nowhere else."""
        raise fault(self.text, self.tokens.at if at is None else at, message, feature=feature)

    def miss(self, what: str, at: int | None = None) -> NoReturn:
        """Raise that something is expected, and another token is here."""
        at = self.tokens.at if at is None else at
        raise fault(self.text, at, f"expected {what}, not {self.shown()}", expected=what)

    def shown(self) -> str:
        """Return the current token for people."""
        word = self.tokens.word
        return (
            (repr(word) if len(word) <= 40 else repr(word[:40]) + "…") if word else "the end of the program"
        )

    def take(self, word: str) -> bool:
        """Go on if the current token is this one, and tell whether it was."""
        if self.tokens.word != word or self.tokens.kind not in ("sign", "name"):
            return False
        self.tokens.advance()
        return True

    def expect(self, word: str, where: str) -> None:
        """Go on if the current token is this one.

        Raises:
            ProgramFault: It is another.
        """
        if not self.take(word):
            self.miss(f"{word!r} {where}", self.tokens.behind if word == ";" else self._gap())

    def _gap(self) -> int:
        """Return where something is missing: here, or at the end of an earlier line."""
        tokens = self.tokens
        return tokens.behind if "\n" in self.text[tokens.behind : tokens.at] else tokens.at

    def name(self, what: str) -> str:
        """Return the name that stands here.

        Raises:
            ProgramFault: There is none.
        """
        if self.tokens.kind != "name":
            self.miss(what)
        word = self.tokens.word
        self.tokens.advance()
        return word

    # --- expressions ------------------------------------------------------------------------------------

    def expression(self, least: int = 1) -> tree.Expression:
        """Return the expression of operators that bind at least so tightly."""
        self._depth += 1
        if self._depth > _DEEPEST:
            self.fail(f"an expression is nested more than {_DEEPEST} deep; store parts of it in variables")
        left = self._unary()
        while True:
            word, at = self.tokens.word, self.tokens.at
            if word == "in" and least <= _IN:
                self.tokens.advance()
                left = tree.Binary(at, word, left, self._index_set())
                continue
            binding = _BINDING.get(word, 0) if self.tokens.kind == "sign" else 0
            if binding < least:
                break
            self.tokens.advance()
            # Powers group to the right, and their exponent may begin with a sign.
            right = self.expression(_UNARY if word == "**" else binding + 1)
            left = tree.Binary(at, word, left, right)
        self._depth -= 1
        return left

    def _index_set(self) -> tree.Expression:
        """Return {a, b, …} or [a:b], of which `in` tells whether it has an integer."""
        if self.tokens.word == "{":
            return self.list_()
        self.expect("[", "or '{' behind in")
        found = self.range_or_expression()
        self.expect("]", "behind a range")
        if not isinstance(found, tree.Range):
            self.fail("expected a range, as in [0:3]", found.at)
        return found

    def _unary(self) -> tree.Expression:
        word, at = self.tokens.word, self.tokens.at
        if self.tokens.kind == "sign" and word in ("-", "~", "!"):
            self.tokens.advance()
            return tree.Unary(at, word, self.expression(_UNARY))
        if self.tokens.kind == "sign" and word == "+":
            self.fail("OpenQASM 3 has no sign +; leave it out")
        result = self._primary()
        while self.tokens.word == "[" and self.tokens.kind == "sign":
            result = self.index(result)
        return result

    def index(self, base: tree.Expression) -> tree.Index:
        """Return what the brackets here make of the expression before them."""
        at = self.tokens.at
        self.tokens.advance()
        items = [self.range_or_expression()]
        while self.take(",") and self.tokens.word != "]":
            items.append(self.range_or_expression())
        self.expect("]", "behind an index")
        return tree.Index(at, base, items)

    def range_or_expression(self) -> tree.Expression:
        """Return a range, a set or an expression, which may stand in brackets."""
        at = self.tokens.at
        if self.tokens.word == "{":
            return self.list_()
        parts: list[tree.Expression | None] = [None]
        while True:
            if self.tokens.word == ":" and self.tokens.kind == "sign":
                self.tokens.advance()
                parts.append(None)
            elif self.tokens.word in ("]", ",", ""):
                break
            elif parts[-1] is not None:
                self.miss("']' behind an index", self._gap())
            else:
                parts[-1] = self.expression()
        if len(parts) == 1:
            if parts[0] is None:
                self.miss("an index")
            return parts[0]
        if len(parts) > 3:
            self.fail("a range has at most three parts, start:step:stop", at)
        step = parts[1] if len(parts) == 3 else None
        return tree.Range(at, parts[0], step, parts[-1])

    def list_(self) -> tree.List:
        """Return {a, b, …}."""
        at = self.tokens.at
        self.expect("{", "before values")
        self._depth += 1
        if self._depth > _DEEPEST:
            self.fail(f"values are nested more than {_DEEPEST} deep")
        items: list[tree.Expression] = []
        while self.tokens.word != "}":
            items.append(self.list_() if self.tokens.word == "{" else self.expression())
            if not self.take(","):
                break
        self.expect("}", "behind values")
        self._depth -= 1
        return tree.List(at, items)

    def _primary(self) -> tree.Expression:
        tokens = self.tokens
        kind, word, at = tokens.kind, tokens.word, tokens.at
        if kind == "name":
            return self._named(word, at)
        if kind == "sign" and word == "(":
            tokens.advance()
            inner = self.expression()
            self.expect(")", "to close this parenthesis")
            return inner
        if kind in ("integer", "real", "imaginary", "time"):
            value = self._number(kind, word, at)
            tokens.advance()
            return value
        if kind == "hardware":
            if len(word) > 10:
                self.fail("a physical qubit's number has at most 9 digits")
            tokens.advance()
            return tree.Hardware(at, int(word[1:]))
        if kind == "text":
            digits = word[1:-1].replace("_", "")
            if not digits or digits.strip("01"):
                self.fail('a literal of bits has the digits 0 and 1 alone, such as "0110"')
            if len(digits) > _LONGEST_BITS:
                self.fail(f"a literal has at most {_LONGEST_BITS:,} bits")
            tokens.advance()
            return tree.Bits(at, int(digits, 2), len(digits))
        self.miss("a value")
        return None

    def _named(self, word: str, at: int) -> tree.Expression:
        tokens = self.tokens
        if word in ("true", "false"):
            tokens.advance()
            return tree.Number(at, word == "true")
        if word in TYPE_WORDS:
            type_ = self.type()
            self.expect("(", f"behind the type {word}, for a cast")
            operand = self.expression()
            self.expect(")", "behind a cast")
            return tree.Cast(at, type_, operand)
        if word == "measure":
            tokens.advance()
            return tree.Measure(at, self.operand())
        if word == "durationof":
            tokens.advance()
            self.expect("(", "behind durationof")
            timed = tree.DurationOf(at, self.scope())
            self.expect(")", "behind durationof's block")
            return timed
        tokens.advance()
        if not (tokens.word == "(" and tokens.kind == "sign"):
            return tree.Name(at, word)
        tokens.advance()
        return tree.Call(at, word, self.arguments())

    def arguments(self) -> list[tree.Expression]:
        """Return what stands before the next closing parenthesis, which is taken too."""
        found: list[tree.Expression] = []
        while self.tokens.word != ")":
            found.append(self.expression())
            if not self.take(","):
                break
        self.expect(")", "behind arguments")
        return found

    def scope(self) -> Sequence[tree.Node]:
        """Return the statements of a block in an expression."""
        self.fail("durationof stands in a statement of its own alone")

    def called_as_gate(self) -> tree.Expression:
        """Return an expression, or the call of a subroutine that is written as a gate is: f(1) q."""
        value = self.expression()
        if self.tokens.kind not in ("name", "hardware") or not isinstance(value, tree.Name | tree.Call):
            return value
        arguments = value.arguments if isinstance(value, tree.Call) else []
        return tree.Call(value.at, value.name, [*arguments, *self.operands()])

    def operands(self) -> list[tree.Expression]:
        """Return quantum operands, with commas between them."""
        found = [self.operand()]
        while self.take(","):
            if self.tokens.word == ";":
                break
            found.append(self.operand())
        return found

    def operand(self) -> tree.Expression:
        """Return a quantum operand: a name, an index of it, or a physical qubit."""
        if self.tokens.kind not in ("name", "hardware"):
            self.miss("a qubit")
        return self._unary()

    def _number(self, kind: str, word: str, at: int) -> tree.Expression:
        if len(word) > _LONGEST_NUMBER:
            self.fail(f"a number has at most {_LONGEST_NUMBER:,} digits")
        digits = word.replace("_", "")
        if kind == "integer":
            base = {"x": 16, "b": 2, "o": 8}.get(digits[1:2].lower(), 10)
            return tree.Number(at, int(digits[2:] if base != 10 else digits, base))
        if kind == "real":
            return tree.Number(at, self._real(digits, at))
        if kind == "imaginary":
            return tree.Number(at, complex(0, self._real(digits.removesuffix("im"), at)))
        unit = digits.lstrip("0123456789.")
        if unit[:1] in "eE":
            unit = unit.lstrip("eE+-0123456789")
        unit = unit.strip()
        number = self._real(digits[: -len(unit)], at)
        return tree.Time(at, number * _NANOSECONDS[unit])

    def _real(self, digits: str, at: int) -> float:
        number = float(digits)
        if math.isinf(number):
            self.fail("a number is too large for a float", at)
        return number

    # --- types ------------------------------------------------------------------------------------------

    def type(self, *, may_be_quantum: bool = False) -> tree.TypeNode:
        """Return the type that stands here: that of qubits where it may stand."""
        at = self.tokens.at
        access = self.tokens.word if self.tokens.word in ("readonly", "mutable") else ""
        if access:
            self.tokens.advance()
        word = self.name("a type")
        if word in ("qubit", "qreg") and not may_be_quantum:
            self.fail("expected a classical type; qubits are declared as in 'qubit[2] q;'", at)
        if word not in TYPE_WORDS and word not in ("qubit", "qreg"):
            self.fail(f"{word!r} is no type; expected one of {', '.join(sorted(TYPE_WORDS))}", at)
        if word == "array":
            return self._array_type(at, access)
        if access:
            self.fail(f"{access} stands before an array's type alone", at)
        size = None
        if self.take("["):
            if word == "complex":
                inner = self.type()
                if inner.word != "float":
                    self.fail(f"a complex number has parts of type float, not {inner.word}", inner.at)
                self.expect("]", "behind a type's size")
                return tree.TypeNode(at, word, inner.size)
            size = self.expression()
            self.expect("]", "behind a type's size")
        return tree.TypeNode(at, word, size)

    def _array_type(self, at: int, access: str) -> tree.TypeNode:
        self.expect("[", "behind array")
        base = self.type(may_be_quantum=True)
        axes: list[tree.Expression] = []
        count = None
        while self.take(","):
            if self.tokens.word == "#":
                self.fail("expected the number of axes, as in #dim = 2")
            if self.tokens.kind == "note" and self.tokens.word.startswith("#"):
                count = self._axes_count()
            else:
                axes.append(self.expression())
        self.expect("]", "behind an array's type")
        return tree.TypeNode(at, base.word, base.size, axes, access, count)

    def _axes_count(self) -> tree.Expression:
        """Return the number in `#dim = number`."""
        tokens = self.tokens
        at = tokens.at + 1
        tokens.go(at)
        if not self.take("dim"):
            self.fail("expected the number of axes, as in #dim = 2", at)
        self.expect("=", "behind #dim")
        return self.expression()
