"""Tokens to statements, one at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from basicaer.service.parsing.openqasm3.syntax import _tree as tree
from basicaer.service.parsing.openqasm3.syntax._declarations import DeclarationParser
from basicaer.service.parsing.openqasm3.syntax._expressions import TYPE_WORDS
from basicaer.service.parsing.openqasm3.values._features import Feature

__all__ = ["Parser"]

_ASSIGNMENTS = frozenset(("=", "+=", "-=", "*=", "/=", "%=", "**=", "<<=", ">>=", "&=", "|=", "^=", "~="))
_MODIFIERS = frozenset(("ctrl", "negctrl", "inv", "pow"))
_LEAVING = frozenset(("break", "continue", "end"))
# Blocks in blocks take some frames of the interpreter's stack.
_DEEPEST = 60


class Parser(DeclarationParser):
    """Reads a program statement by statement, from where its tokens are."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._blocks = 0
        self._by_word: dict[str, Callable[[int], tree.Statement]] = {
            "include": self._include,
            "qubit": self._qubits,
            "qreg": self._qubits,
            "let": self._let,
            "gate": self._gate,
            "def": self._def,
            "extern": self._extern,
            "defcal": self._skipped,
            "cal": self._skipped,
            "defcalgrammar": self._to_semicolon,
            "pragma": self._to_line_end,
            "measure": self._measure,
            "reset": self._reset,
            "barrier": self._barrier,
            "nop": self._barrier,
            "delay": self._delay,
            "box": self._box,
            "if": self._if,
            "while": self._while,
            "for": self._for,
            "switch": self._switch,
            "return": self._return,
            "const": self._declaration,
            "input": self._declaration,
            "output": self._declaration,
            "opaque": self._opaque,
        }

    def statement(self) -> tree.Statement:
        """Return the statement that begins here.

        Raises:
            ProgramFault: None does.
        """
        tokens = self.tokens
        kind, word, at = tokens.kind, tokens.word, tokens.at
        if kind == "note":
            return self._note(at)
        if kind == "name":
            known = self._by_word.get(word)
            if known is not None:
                self._depth = 0
                return known(at)
            if word in _LEAVING:
                tokens.advance()
                self.expect(";", f"behind {word}")
                return tree.Leave(at, word)
            if word in TYPE_WORDS:
                return self._typed(at)
            if word in _MODIFIERS or word == "gphase":
                return self._application(at)
            if word in ("case", "default", "else", "in"):
                self.fail(f"{word!r} stands alone here: it belongs to {'if' if word == 'else' else 'switch'}")
            if word == "OPENQASM":
                self.fail("the version is a program's first statement")
            return self._by_name(at)
        if kind == "sign" and word == "{":
            return tree.Block(at, self.block())
        if kind == "sign" and word == ";":
            tokens.advance()
            return tree.Nothing(at)
        if kind == "sign" and word == "}":
            self.fail("this brace closes nothing")
        value = self.expression()
        self.expect(";", "behind a statement")
        return tree.Evaluate(at, value)

    def _note(self, at: int) -> tree.Statement:
        """Skip the line of an annotation, which a statement follows, or of a pragma with #."""
        skipped = self._to_line_end(at)
        if self.text[at] == "@" and (not self.tokens.kind or self.tokens.word == "}"):
            self.fail("an annotation is one of the statement behind it, and none follows", at)
        return skipped

    def version(self) -> None:
        """Take the statement with the version, if the program begins with it.

        Raises:
            ProgramFault: For another version.
        """
        if self.tokens.word != "OPENQASM":
            return
        self.tokens.advance()
        if self.tokens.kind not in ("integer", "real"):
            self.miss("the version, as in 'OPENQASM 3.0;'")
        if self.tokens.word not in ("3", "3.0", "3.1", "3.2"):
            self.fail(
                f"version {self.tokens.word[:40]} isn't read here; 3 to 3.2 are, and 2.0 as openqasm2",
                feature=Feature.VERSION,
            )
        self.tokens.advance()
        self.expect(";", "behind the version")

    def scope(self) -> Sequence[tree.Node]:
        """Return the statements of a block in an expression."""
        if self.tokens.word != "{":
            self.fail(f"expected '{{' and statements, not {self.shown()}")
        depth = self._depth
        found = self.block()
        self._depth = depth
        return found

    def block(self) -> list[tree.Statement]:
        """Return what stands in the braces here, or the one statement without them."""
        self._blocks += 1
        if self._blocks > _DEEPEST:
            self.fail(f"blocks are nested more than {_DEEPEST} deep")
        found: list[tree.Statement] = []
        opened = self.tokens.at
        if self.take("{"):
            while not self.take("}"):
                if not self.tokens.kind:
                    self.unclosed(opened)
                    break
                found.append(self.statement())
        else:
            # What has no effect, as an annotation, isn't the statement.
            found.append(self.statement())
            while self.tokens.kind and isinstance(found[-1], tree.Nothing) and self.text[found[-1].at] == "@":
                found.append(self.statement())
        self._blocks -= 1
        return found

    def unclosed(self, opened: int) -> None:
        """Raise that the text ends before the block that was opened at an offset."""
        self.fail("this brace isn't closed; write } behind its block", opened)

    # --- quantum statements -----------------------------------------------------------------------------

    def _measure(self, at: int) -> tree.Statement:
        self.tokens.advance()
        operand = self.operand()
        target = self._unary() if self.take("->") else None
        self.expect(";", "behind a measurement")
        return tree.MeasureInto(at, operand, target)

    def _reset(self, at: int) -> tree.Statement:
        self.tokens.advance()
        operand = self.operand()
        self.expect(";", "behind reset")
        return tree.Reset(at, operand)

    def _barrier(self, at: int) -> tree.Statement:
        word = self.tokens.word
        self.tokens.advance()
        operands = self.operands() if self.tokens.word != ";" else []
        self.expect(";", f"behind {word}")
        return tree.Barrier(at, operands, is_barrier=word == "barrier")

    def _delay(self, at: int) -> tree.Statement:
        self.tokens.advance()
        self.expect("[", "and a duration behind delay")
        time = self.expression()
        self.expect("]", "behind a duration")
        operands = self.operands() if self.tokens.word != ";" else []
        self.expect(";", "behind delay")
        return tree.Barrier(at, operands, time, is_barrier=False)

    def _box(self, at: int) -> tree.Statement:
        self.tokens.advance()
        time = self._size()
        return tree.Box(at, time, self.block())

    def _application(self, at: int) -> tree.Statement:
        """Return a gate with modifiers, or gphase."""
        modifiers: list[tree.Modifier] = []
        while self.tokens.word in _MODIFIERS:
            begins, word = self.tokens.at, self.tokens.word
            self.tokens.advance()
            argument = None
            if self.take("("):
                argument = self.expression()
                self.expect(")", f"behind {word}'s argument")
            if word == "pow" and argument is None:
                self.fail("pow needs its exponent, as in pow(2) @ x q;", begins)
            if word == "inv" and argument is not None:
                self.fail("inv takes no argument", begins)
            self._at_sign(word)
            modifiers.append(tree.Modifier(begins, word, argument))
        at = self.tokens.at
        name = self.name("a gate")
        return self._applied(at, name, modifiers)

    def _at_sign(self, word: str) -> None:
        tokens = self.tokens
        # What follows an @ without a blank is a note to the lexer.
        if tokens.kind == "note" and tokens.word.startswith("@"):
            tokens.go(tokens.at + 1)
            return
        self.expect("@", f"behind {word}")

    def _applied(self, at: int, name: str, modifiers: list[tree.Modifier]) -> tree.Statement:
        arguments = self.arguments() if self.take("(") else []
        time = self._size()
        operands = self.operands() if self.tokens.word != ";" else []
        self.expect(";", "behind a gate's operands")
        return tree.Apply(at, name, modifiers, arguments, operands, time)

    def _by_name(self, at: int) -> tree.Statement:
        """Return what begins with a name: a gate, an assignment or a call."""
        name = self.tokens.word
        self.tokens.advance()
        if self.tokens.kind in ("name", "hardware"):
            return self._applied(at, name, [])
        target: tree.Expression
        if self.take("("):
            arguments = self.arguments()
            time = self._size()
            if time is not None or self.tokens.kind in ("name", "hardware"):
                operands = self.operands()
                self.expect(";", "behind a gate's operands")
                return tree.Apply(at, name, [], arguments, operands, time)
            target = tree.Call(at, name, arguments)
            self.expect(";", "behind a call")
            return tree.Evaluate(at, target)
        target = tree.Name(at, name)
        while self.tokens.word == "[" and self.tokens.kind == "sign":
            target = self.index(target)
        word = self.tokens.word
        if self.tokens.kind == "sign" and word in _ASSIGNMENTS:
            self.tokens.advance()
            value = self.list_() if self.tokens.word == "{" else self.called_as_gate()
            self.expect(";", "behind an assignment")
            return tree.Assign(at, target, word[:-1], value)
        if isinstance(target, tree.Index) and self.tokens.kind in ("name", "hardware"):
            # name[duration] operands: a gate that is to take so long.
            operands = self.operands()
            self.expect(";", "behind a gate's operands")
            return tree.Apply(at, name, [], [], operands, target.items[0])
        self.miss(f"a gate's operands, or = and a value, behind {name!r}")
        return None

    # --- control flow -----------------------------------------------------------------------------------

    def _condition(self, word: str) -> tree.Expression:
        self.tokens.advance()
        self.expect("(", f"and a condition behind {word}")
        condition = self.expression()
        self.expect(")", "behind a condition")
        return condition

    def _if(self, at: int) -> tree.Statement:
        condition = self._condition("if")
        body = self.block()
        return tree.If(at, condition, body, self.block() if self.take("else") else [])

    def _while(self, at: int) -> tree.Statement:
        return tree.While(at, self._condition("while"), self.block())

    def _for(self, at: int) -> tree.Statement:
        self.tokens.advance()
        if self.tokens.word not in TYPE_WORDS:
            self.miss("the loop variable's type, as in 'for int i in [0:3]'")
        type_ = self.type()
        name = self._new_name("a loop variable's name")
        self.expect("in", "behind a loop variable")
        values: tree.Expression
        if self.tokens.word == "[" and self.tokens.kind == "sign":
            self.tokens.advance()
            values = self.range_or_expression()
            self.expect("]", "behind a range")
            if not isinstance(values, tree.Range):
                self.fail("expected a range, as in [0:3]", values.at)
        elif self.tokens.word == "{":
            values = self.list_()
        else:
            values = self.expression()
        return tree.For(at, type_, name, values, self.block())

    def _switch(self, at: int) -> tree.Statement:
        target = self._condition("switch")
        self.expect("{", "and cases behind switch")
        cases: list[tuple[list[tree.Expression], list[tree.Statement]]] = []
        default: list[tree.Statement] | None = None
        while not self.take("}"):
            begins = self.tokens.at
            if self.take("case"):
                if default is not None:
                    self.fail("a case behind default is never looked at", begins)
                labels = [self.expression()]
                while self.take(","):
                    labels.append(self.expression())
                cases.append((labels, self._braces("case")))
            elif self.take("default"):
                if default is not None:
                    self.fail("a switch has one default", begins)
                default = self._braces("default")
            else:
                self.miss("case or default")
        if not cases:
            self.fail("a switch has at least one case", at)
        return tree.Switch(at, target, cases, default)

    def _braces(self, word: str) -> list[tree.Statement]:
        self.take(":")
        if self.tokens.word != "{":
            self.miss(f"'{{' behind {word}")
        return self.block()

    def _return(self, at: int) -> tree.Statement:
        self.tokens.advance()
        value = None if self.tokens.word == ";" else self.called_as_gate()
        self.expect(";", "behind return")
        return tree.Return(at, value)
