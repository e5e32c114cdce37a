"""Tokens to declarations, and to what has no effect here."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod

from basicaer.service.parsing.openqasm3.syntax import _tree as tree
from basicaer.service.parsing.openqasm3.syntax._expressions import ExpressionParser

__all__ = ["RESERVED", "DeclarationParser"]

RESERVED = frozenset(
    [
        "OPENQASM",
        "include",
        "def",
        "defcal",
        "defcalgrammar",
        "cal",
        "gate",
        "extern",
        "box",
        "let",
        "break",
        "continue",
        "if",
        "else",
        "end",
        "return",
        "for",
        "while",
        "in",
        "switch",
        "case",
        "default",
        "pragma",
        "input",
        "output",
        "const",
        "readonly",
        "mutable",
        "qreg",
        "qubit",
        "creg",
        "bool",
        "bit",
        "int",
        "uint",
        "float",
        "angle",
        "complex",
        "array",
        "void",
        "duration",
        "stretch",
        "gphase",
        "inv",
        "pow",
        "ctrl",
        "negctrl",
        "delay",
        "reset",
        "measure",
        "barrier",
        "durationof",
        "true",
        "false",
        "nop",
        "im",
    ]
)
_REST_OF_LINE = re.compile(r"[^\r\n]*")
_BRACES = re.compile(r"[{}]|//[^\r\n]*|/\*.*?\*/|\"[^\"\r\n]*\"|'[^'\r\n]*'", re.DOTALL)


class DeclarationParser(ExpressionParser, ABC):
    """Reads declarations."""

    @abstractmethod
    def block(self) -> list[tree.Statement]:
        """Return what stands in the braces here, or the one statement without them."""

    def _include(self, at: int) -> tree.Statement:
        self.tokens.advance()
        if self.tokens.kind != "text":
            self.miss("a file's name in quotes")
        file = self.tokens.word[1:-1]
        self.tokens.advance()
        self.expect(";", "behind include")
        return tree.Include(at, file)

    def _qubits(self, at: int) -> tree.Statement:
        word = self.tokens.word
        self.tokens.advance()
        size = self._size()
        at_name = self.tokens.at
        name = self._new_name("a name for the qubits")
        if word == "qreg":
            size = self._size()
        self.expect(";", "behind a declaration")
        return tree.QubitDeclare(at_name if size is None else at, name, size)

    def _size(self) -> tree.Expression | None:
        if not self.take("["):
            return None
        size = self.expression()
        self.expect("]", "behind a size")
        return size

    def _new_name(self, what: str) -> str:
        if self.tokens.word in RESERVED:
            self.fail(f"{self.tokens.word!r} is a word of the language; expected {what}")
        return self.name(what)

    def _declaration(self, at: int) -> tree.Statement:
        how = self.tokens.word
        self.tokens.advance()
        return self._declare(at, how)

    def _declare(self, at: int, how: str) -> tree.Declare:
        type_ = self.type()
        at = self.tokens.at if how == "" else at
        name = self._new_name("a variable's name")
        if type_.word == "creg":
            type_ = tree.TypeNode(type_.at, "bit", self._size())
        value = None
        if self.take("="):
            value = self.list_() if self.tokens.word == "{" else self.called_as_gate()
        if how == "const" and value is None:
            self.fail(f"a constant needs its value; write {name} = …")
        self.expect(";", "behind a declaration")
        return tree.Declare(at, how, type_, name, value)

    def _typed(self, at: int) -> tree.Statement:
        """Return a declaration, or an expression that begins with a cast."""
        return self._declare(at, "")

    def _let(self, at: int) -> tree.Statement:
        self.tokens.advance()
        name = self._new_name("an alias's name")
        self.expect("=", "behind an alias's name")
        value = self.expression()
        self.expect(";", "behind an alias")
        return tree.Let(at, name, value)

    def _gate(self, at: int) -> tree.Statement:
        self.tokens.advance()
        at = self.tokens.at
        name = self._new_name("a gate's name")
        parameters: list[str] = []
        if self.take("("):
            while self.tokens.word != ")":
                parameters.append(self._new_name("a parameter's name"))
                if not self.take(","):
                    break
            self.expect(")", "behind a gate's parameters")
        qubits = [self._new_name("a qubit's name")]
        while self.take(",") and self.tokens.word != "{":
            qubits.append(self._new_name("a qubit's name"))
        for names in (parameters, qubits):
            if len({*names}) < len(names):
                self.fail(
                    f"two of the gate's {'parameters' if names is parameters else 'qubits'} have one name", at
                )
        if self.tokens.word != "{":
            self.miss("'{' and the gate's definition")
        return tree.GateDef(at, name, parameters, qubits, self.block())

    def _def(self, at: int) -> tree.Statement:
        self.tokens.advance()
        at = self.tokens.at
        name = self._new_name("a subroutine's name")
        self.expect("(", "and parameters behind a subroutine's name")
        parameters: list[tree.Parameter] = []
        while self.tokens.word != ")":
            begins = self.tokens.at
            type_ = self.type(may_be_quantum=True)
            parameter = self._new_name("a parameter's name")
            if type_.word in ("creg", "qreg"):
                type_ = tree.TypeNode(type_.at, "bit" if type_.word == "creg" else "qubit", self._size())
            parameters.append(tree.Parameter(begins, type_, parameter))
            if not self.take(","):
                break
        self.expect(")", "behind a subroutine's parameters")
        result = None
        if self.take("->"):
            result = None if self.take("void") else self.type()
        if self.tokens.word != "{":
            self.miss("'{' and the subroutine's body")
        return tree.Def(at, name, parameters, result, self.block())

    def _extern(self, at: int) -> tree.Statement:
        self.tokens.advance()
        at = self.tokens.at
        name = self._new_name("a function's name")
        parameters: list[tree.TypeNode] = []
        if self.take("("):
            while self.tokens.word != ")":
                parameters.append(self.type())
                if not self.take(","):
                    break
            self.expect(")", "behind a function's parameters")
        result = None
        if self.take("->"):
            result = None if self.take("void") else self.type()
        self.expect(";", "behind extern")
        return tree.Extern(at, name, parameters, result)

    def _opaque(self, at: int) -> tree.Statement:
        self.fail("opaque gates are OpenQASM 2; define the gate, or leave the statement out")

    def _skipped(self, at: int) -> tree.Statement:
        """Skip cal { … } and defcal … { … }, whose content is of another language."""
        depth = 0
        for brace in _BRACES.finditer(self.text, at):
            if brace.group() not in ("{", "}"):
                continue
            depth += 1 if brace.group() == "{" else -1
            if depth <= 0:
                self.tokens.go(brace.end())
                return tree.Nothing(at)
        self.fail("its braces aren't closed", at)
        return None

    def _to_semicolon(self, at: int) -> tree.Statement:
        while self.tokens.word != ";" and self.tokens.kind:
            self.tokens.advance()
        self.expect(";", "behind defcalgrammar")
        return tree.Nothing(at)

    def _to_line_end(self, at: int) -> tree.Statement:
        line = _REST_OF_LINE.match(self.text, at)
        assert line is not None
        self.tokens.go(line.end())
        return tree.Nothing(at)
