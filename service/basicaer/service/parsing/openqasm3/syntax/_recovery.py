"""Reads on behind mistakes: from the end of the statement that has one, or from its block."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from basicaer.service.parsing._faults import ProgramFault
from basicaer.service.parsing.openqasm3.syntax import _tree as tree
from basicaer.service.parsing.openqasm3.syntax._lexer import Tokens, fault
from basicaer.service.parsing.openqasm3.syntax._parser import Parser

__all__ = ["RecoveringParser"]

_ENDS = re.compile(
    r"[;{}]|\bdurationof\s*\([^()]*\)|//[^\n\r]*|/\*.*?(?:\*/|\Z)|\"[^\"\r\n]*\"|'[^'\r\n]*'", re.DOTALL
)
_WORD = re.compile(r"[^\W\d]\w*")
_ELSE = re.compile(r"\s*else\b")
# Statements with blocks; those of the second kind are read on in their blocks.
_WITH_BLOCK = frozenset(("gate", "def", "switch", "cal", "defcal", "if", "for", "while", "box"))
_READ_ON = frozenset(("if", "for", "while", "box"))
# Words that stand alone where the mistake is in front of them.
_ALONE = frozenset(("else", "case", "default", "in"))


class _Tokens(Tokens):
    """Tokens without what is none: that is told, and skipped.

    `strange` is where the last of it was that nobody has taken care of; -1 where there is none.
    """

    def __init__(self, text: str, tell: Callable[[ProgramFault], None]) -> None:
        self._tell = tell
        self._skipped = -1
        self.strange = -1
        super().__init__(text)

    def advance(self) -> None:
        """Go to the next token."""
        behind = self.end
        while not self.finds():
            # Of several in a row the first one is told: where it stands takes a look at all before it.
            if self.at != self._skipped:
                self._tell(self.strangeness())
            self.strange = self.at
            is_comment = self.text.startswith("/*", self.at)
            self.end = self._skipped = len(self.text) if is_comment else self.at + 1
        self.behind = behind


class RecoveringParser(Parser):
    """Tells mistakes instead of raising them, as far as `tell` lets it go on.

    `spoil` is called with the names in what is skipped, in the order of the text.
    """

    def __init__(
        self, text: str, tell: Callable[[ProgramFault], None], spoil: Callable[[Iterable[str]], None]
    ) -> None:
        super().__init__("")
        self.text = text
        self.tokens = self._marked = _Tokens(text, tell)
        self._tell = tell
        self._spoil = spoil
        # Whether a block isn't closed, so that what follows seems to be inside of it.
        self.is_open = False
        # Where the innermost statement begins that is being read.
        self._begins = 0

    def statement(self) -> tree.Statement:
        """Return the statement that begins here; what is left of it, if it has a mistake.

        Raises:
            ProgramFault: Blocks are nested too deep.
        """
        tokens = self._marked
        begins, behind, blocks = tokens.at, tokens.behind, self._blocks
        outer, self._begins = self._begins, begins
        try:
            made = super().statement()
        except ProgramFault as found:
            # What is strange in a later line has nothing to do with it.
            if not behind <= tokens.strange or "\n" in self.text[tokens.behind : tokens.strange]:
                self._tell(found)
        else:
            self._begins = outer
            if not behind <= tokens.strange < tokens.behind:
                return made
            # It may mean anything.
            tokens.strange = -1
            self._spoil(_WORD.findall(self.text, begins, tokens.behind))
            return tree.Nothing(begins)
        tokens.strange = -1
        self._blocks, self._depth = blocks, 0
        made = self._rest(begins, tokens.at)
        self._begins = outer
        return made

    def expect(self, word: str, where: str) -> None:
        """Go on if the current token is this one, or if it is a semicolon that a line's end lacks."""
        tokens = self.tokens
        is_end = not tokens.kind or tokens.word == "}" or self._is_next()
        if word != ";" or tokens.word == ";" or not is_end:
            super().expect(word, where)
            return
        try:
            super().expect(word, where)
        except ProgramFault as found:
            self._tell(found)

    def unclosed(self, opened: int) -> None:
        """Tell that the text ends before the block that was opened at an offset."""
        self.is_open = True
        self._tell(fault(self.text, opened, "this brace isn't closed; write } behind its block"))

    def _rest(self, begins: int, reached: int) -> tree.Statement:
        """Return what can be read on of a statement that has a mistake before `reached`."""
        found = _WORD.match(self.text, begins)
        word = "" if found is None else found.group()
        if word in _ALONE:
            self.tokens.go(begins + len(word))
            return tree.Nothing(begins)
        if word in _READ_ON:
            block = self._block_behind(begins, reached)
            if block is not None:
                return block
        is_next = begins < reached and self._is_next()
        end = reached if is_next else self._end(begins, reached, has_block=word in _WITH_BLOCK)
        self._spoil(_WORD.findall(self.text, begins, end))
        self.tokens.go(end)
        return tree.Nothing(begins)

    def _is_next(self) -> bool:
        """Whether the current token seems to begin a statement: in a line of its own, not further in."""
        gap = self.text[self.tokens.behind : self.tokens.at]
        if "\n" not in gap:
            return False
        line = self.text.rfind("\n", 0, self._begins) + 1
        return len(gap) - gap.rfind("\n") - 1 <= self._begins - line

    def _block_behind(self, begins: int, reached: int) -> tree.Statement | None:
        """Return the block of a statement whose head has a mistake; None where there is none."""
        for found in _ENDS.finditer(self.text, begins):
            if found.group() in (";", "}"):
                return None
            if found.group() == "{":
                break
        else:
            return None
        if found.start() < reached:
            # The mistake is not in the head.
            return None
        self._spoil(_WORD.findall(self.text, begins, found.start()))
        self.tokens.go(found.start())
        bodies: list[tree.Statement] = [tree.Block(begins, self.block())]
        if self.take("else"):
            bodies.append(tree.Block(begins, self.block()))
        return tree.Block(begins, bodies)

    def _end(self, begins: int, reached: int, *, has_block: bool) -> int:
        """Return the offset behind a statement that goes on at least up to `reached`."""
        depth = 0
        for found in _ENDS.finditer(self.text, begins):
            sign, end = found.group(), found.end()
            if sign == "{":
                depth += 1
            elif sign == "}":
                if not depth:
                    # It closes the block around the statement, if there is one.
                    return end if not self._blocks or found.start() == begins else found.start()
                depth -= 1
                if not depth and has_block and end > reached and not _ELSE.match(self.text, end):
                    return end
            elif sign == ";" and found.start() >= reached and not (depth and has_block):
                return end
        return len(self.text)
