"""Text to tokens, one at a time: what was read isn't kept, so that a long text takes little beside itself."""

from __future__ import annotations

import functools
import re
import unicodedata

from basicaer.service.parsing._faults import ProgramFault, Where
from basicaer.service.parsing.openqasm3.values._features import Feature

__all__ = ["Tokens", "fault"]

# Without ways back: a long number that is no such token is looked at once for each kind.
_DIGITS = r"[0-9](?>_?[0-9])*+"
_REAL = rf"(?>{_DIGITS}(?>\.(?>{_DIGITS})?+)?+|\.{_DIGITS})(?>[eE][+-]?{_DIGITS})?+"
# Of the characters beside ASCII those with which names are written.
_OF_NAMES = frozenset(("Lu", "Ll", "Lt", "Lm", "Lo", "Nl"))
_MOST_PATTERNS = 64


@functools.lru_cache(_MOST_PATTERNS)
def _pattern(foreign: str) -> re.Pattern[str]:
    """Return the pattern of a token; `foreign` are characters of Python's names, but not of ours."""
    foreign = re.escape(foreign)
    return re.compile(
        rf"(?P<time>{_REAL}[ \t]*+(?:dt|ns|us|µs|μs|ms|s)\b)"
        rf"|(?P<imaginary>{_REAL}[ \t]*+im\b)"
        r"|(?P<integer>0[xX][0-9a-fA-F](?>_?[0-9a-fA-F])*+|0[bB][01](?>_?[01])*+|0o[0-7](?>_?[0-7])*+"
        rf"|{_DIGITS}(?![.eE]))"
        rf"|(?P<real>{_REAL})"
        rf"|(?P<name>[^\W\d{foreign}][^\W{foreign}]*+)"
        r"|(?P<hardware>\$[0-9]+)"
        r"|(?P<text>\"[^\"\r\n]*\"|'[^'\r\n]*')"
        r"|(?P<note>@[ \t]*[^\W\d][\w.]*|\#(?>dim\b|[^\r\n]*))"
        r"|(?P<sign>\*\*=|<<=|>>=|\*\*|\+\+|->|[=!<>+\-*/&|^%~]=|<<|>>|&&|\|\||[\[\]{}():;.,=+\-*/%|&^@~!<>])"
    )


def _pattern_for(text: str) -> re.Pattern[str]:
    if text.isascii():
        return _pattern("")
    others = (each for each in {*text} if not each.isascii() and each.isalnum())
    return _pattern("".join(sorted(each for each in others if unicodedata.category(each) not in _OF_NAMES)))


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
    token = _pattern("").match(text, at, stop)
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

    __slots__ = ("_pattern", "at", "behind", "end", "kind", "text", "word")

    def __init__(self, text: str, at: int = 0) -> None:
        self.text = text
        self._pattern = _pattern_for(text)
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
        if not self.finds():
            raise self.strangeness()

    def finds(self) -> bool:
        """Go to the next token, if one begins with the next character; else to that character alone."""
        blank = _BLANK.match(self.text, self.end)
        assert blank is not None
        self.at = blank.end()
        found = self._pattern.match(self.text, self.at)
        if found is not None and not self.text.startswith("/*", self.at):
            self.kind, self.word, self.end = found.lastgroup or "", found.group(), found.end()
        elif self.at == len(self.text):
            self.kind, self.word, self.end = "", "", self.at
        else:
            return False
        return True

    def strangeness(self) -> ProgramFault:
        """Return what is wrong with the current character, which begins no token."""
        character = self.text[self.at]
        if self.text.startswith("/*", self.at):
            message = "a comment without its end; write */ behind it"
        elif character in "\"'":
            message = f"a text without its end; write {character} in the same line"
        else:
            name = unicodedata.name(character, "a character without a name").lower()
            message = f"a character that begins nothing in OpenQASM 3: U+{ord(character):04X}, {name}"
        return fault(self.text, self.at, message)
