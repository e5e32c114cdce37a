"""Text to tokens, one at a time: what was read isn't kept, so that a long text takes little beside itself."""

from __future__ import annotations

import re
import unicodedata

from basicaer.service.parsing._faults import ProgramFault, Where
from basicaer.service.parsing.openqasm3.values._features import Feature

__all__ = ["Tokens", "fault"]

# Without ways back: a long number that is no such token is looked at once for each kind.
_REAL = r"(?>\d[\d_]*+\.?+[\d_]*+|\.\d[\d_]*+)(?>(?:[eE][+-]?\d++)?)"
_TOKEN = re.compile(
    rf"(?P<time>{_REAL}[ \t]*+(?:dt|ns|us|µs|μs|ms|s)\b)"
    rf"|(?P<imaginary>{_REAL}[ \t]*+im\b)"
    r"|(?P<integer>0[xX][0-9a-fA-F][0-9a-fA-F_]*|0[bB][01][01_]*|0o[0-7][0-7_]*|\d[\d_]*+(?![.eE]))"
    rf"|(?P<real>{_REAL})"
    r"|(?P<name>[^\W\d]\w*)"
    r"|(?P<hardware>\$\d+)"
    r"|(?P<text>\"[^\"\n]*\"|'[^'\n]*')"
    r"|(?P<note>@[ \t]*[^\W\d][\w.]*[^\n]*|\#[^\n]*)"
    r"|(?P<sign>\*\*=|<<=|>>=|\*\*|\+\+|->|[=!<>+\-*/&|^%~]=|<<|>>|&&|\|\||[\[\]{}():;.,=+\-*/%|&^@~!<>])"
)
_BLANK = re.compile(r"(?:[ \t\r\n\ufeff]+|//[^\n\r]*|/\*.*?\*/)*", re.DOTALL)
_LINE_END = re.compile(r"[\r\n]")


def fault(
    text: str, at: int, message: str, *, expected: str = "", feature: Feature | None = None
) -> ProgramFault:
    """Return what is wrong at an offset of the text, with the token that begins there."""
    at = min(at, len(text))
    line = 1 + text.count("\n", 0, at) + text.count("\r", 0, at) - text.count("\r\n", 0, at)
    start = max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1
    found = _LINE_END.search(text, at)
    stop = len(text) if found is None else found.start()
    token = _TOKEN.match(text, at, stop)
    # A mark of the byte order is no character of its line.
    mark = start == 0 and text.startswith("\ufeff")
    where = Where.within(
        line,
        max(at - start - mark, 0) + 1,
        text[start + mark : stop],
        1 if token is None else token.end() - at,
    )
    if feature is None:
        return ProgramFault(message, where=where, expected=expected)
    return ProgramFault(message, where=where, expected=expected, feature=feature.value)


class Tokens:
    """The current token of a text: its `kind`, its `word`, where it begins (`at`) and ends (`end`).

    Kinds are the groups of the pattern, and "" at the text's end.
    """

    __slots__ = ("at", "behind", "end", "kind", "text", "word")

    def __init__(self, text: str, at: int = 0) -> None:
        self.text = text
        self.end = at
        self.go(at)

    def go(self, at: int) -> None:
        """Go to the first token from an offset on."""
        self.end = at
        self.advance()

    def advance(self) -> None:
        """Go to the next token.

        Raises:
            ProgramFault: There is none that begins with the next character.
        """
        # Where the token before ends: what is missing is missing there.
        self.behind = self.end
        blank = _BLANK.match(self.text, self.end)
        assert blank is not None
        self.at = blank.end()
        found = _TOKEN.match(self.text, self.at)
        if found is not None and not self.text.startswith("/*", self.at):
            self.kind, self.word, self.end = found.lastgroup or "", found.group(), found.end()
        elif self.at == len(self.text):
            self.kind, self.word, self.end = "", "", self.at
        else:
            raise fault(self.text, self.at, self._strange())

    def _strange(self) -> str:
        character = self.text[self.at]
        if self.text.startswith("/*", self.at):
            return "a comment without its end; write */ behind it"
        if character in "\"'":
            return f"a text without its end; write {character} in the same line"
        name = unicodedata.name(character, "a character without a name").lower()
        return f"a character that begins nothing in OpenQASM 3: U+{ord(character):04X}, {name}"
