"""What a server says of a program's text: its mistakes, and what is doubtful, each at its place."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Self

from basicaer.client._printable import printable
from basicaer.v1 import diagnostic_pb2

__all__ = ["Diagnostic", "Diagnostics", "diagnostics_from_message"]

_LINE_END = re.compile(r"\r\n|\r|\n")
# Characters of a line that are shown around a place.
_SHOWN = 100
_SPECIFICATION = "OpenQASM 3 specification"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A mistake in a program's text, or something doubtful.

    Attributes:
        severity: "error" or "warning".
        message: What is wrong.
        line: The line, from 1; None where the place isn't known.
        column: The column, from 1, in characters; None as `line`.
        end_column: The column behind what is meant, in the same line; None as `line`.
        expected: What was expected there, where the text breaks the grammar, or "".
        hint: What to do about it, or "".
        feature: A part of the language that isn't supported, by its name, or "".
        section: Where the language's specification tells of that: a page and its sections, or "".
        program_index: Which of the job's programs is meant, from 0.
    """

    severity: str
    message: str
    line: int | None = None
    column: int | None = None
    end_column: int | None = None
    expected: str = ""
    hint: str = ""
    feature: str = ""
    section: str = ""
    program_index: int = 0

    def pieces(self, text: str, name: str = "") -> Iterator[tuple[str, str]]:
        """Yield what `render` returns piece by piece, each with its kind.

        A kind is "place", "error", "warning", "message", "source", "caret" or "note", or "" for what needs no
        colour.
        """
        place = [printable(name)] if name else []
        place += [str(part) for part in (self.line, self.column) if part is not None]
        if place:
            yield "place", ":".join(place)
            yield "", ": "
        yield self.severity, f"{self.severity}: "
        yield "message", printable(self.message)
        yield "", "\n"
        yield from self._source(text)
        notes = {"hint": self.hint}
        if self.section:
            notes["not supported"] = f"{self.feature}; see {self.section!r} in the {_SPECIFICATION}"
        for word, note in notes.items():
            if note:
                yield "note", f"  {word}: "
                yield "", f"{printable(note)}\n"

    def render(self, text: str, name: str = "") -> str:
        """Return lines for people, with the line of `text` that is meant and carets beneath, as compilers do.

        `name` is that of the text's file. What would move a terminal's cursor is shown as an escape.
        """
        return "".join(piece for _, piece in self.pieces(text, name))

    def _source(self, text: str) -> Iterator[tuple[str, str]]:
        lines = _LINE_END.split(text.removeprefix("\ufeff"))
        if self.line is None or self.column is None or not 1 <= self.line <= len(lines):
            return
        line, begins = lines[self.line - 1], self.column - 1
        ends = max(self.end_column or 0, self.column + 1) - 1
        start = max(0, min(begins - _SHOWN // 2, len(line) - _SHOWN))
        before, meant = _visible(line[start:begins]), _visible(line[begins:ends])
        behind = _visible(line[ends : start + _SHOWN])
        number = f"{self.line:>5} | "
        yield "", number
        yield "source", before + meant + behind
        yield "", f"\n{'| ':>{len(number)}}{' ' * _width(before)}"
        yield "caret", "^" * max(_width(meant), 1)
        yield "", "\n"

    def __str__(self) -> str:
        """Return one line: place, severity, message and hint."""
        place = "".join(f"{part}:" for part in (self.line, self.column) if part is not None)
        hint = f"; {self.hint}" if self.hint else ""
        return printable(f"{place}{' ' if place else ''}{self.severity}: {self.message}{hint}")


class Diagnostics(tuple[Diagnostic, ...]):
    """Diagnostics in the order of their places. `left_out` is how many more the server has found."""

    left_out: int

    def __new__(cls, found: Iterable[Diagnostic] = (), left_out: int = 0) -> Self:
        """Return those of `found`."""
        made = super().__new__(cls, found)
        made.left_out = left_out
        return made

    def __getnewargs__(self) -> tuple[Any, ...]:
        """Return what copies and pickles are made of."""
        return tuple(self), self.left_out

    @property
    def errors(self) -> list[Diagnostic]:
        """Those that are errors."""
        return [each for each in self if each.severity == "error"]

    @property
    def warnings(self) -> list[Diagnostic]:
        """Those that are warnings."""
        return [each for each in self if each.severity == "warning"]


def diagnostics_from_message(found: Iterable[diagnostic_pb2.Diagnostic], left_out: int = 0) -> Diagnostics:
    """Return the diagnostics that the contract's messages are."""
    return Diagnostics(map(_from_message, found), left_out)


def _from_message(message: diagnostic_pb2.Diagnostic) -> Diagnostic:
    is_warning = message.severity == diagnostic_pb2.SEVERITY_WARNING
    return Diagnostic(
        severity="warning" if is_warning else "error",
        message=message.message,
        line=message.line or None,
        column=message.column or None,
        end_column=message.end_column or None,
        expected=message.expected,
        hint=message.hint,
        feature=message.feature,
        section=message.section,
        program_index=message.program_index,
    )


def _visible(text: str) -> str:
    return printable(text.replace("\t", " "))


def _width(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    marks = ("Mn", "Me")
    return sum(
        0 if unicodedata.category(one) in marks else 1 + (unicodedata.east_asian_width(one) in "WF")
        for one in text
    )
