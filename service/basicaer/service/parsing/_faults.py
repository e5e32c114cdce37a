"""What is wrong with one program, before anybody knows which program of a job it is.

Parsing and conversion raise `ProgramFault`; `prepare` names the program and makes it a `ServiceError`. A
message says what is wrong and, behind a semicolon, what to do about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from basicaer.service.errors import ServiceError
from basicaer.service.printable import printable
from basicaer.v1 import diagnostic_pb2, error_reason_pb2
from basicaer.v1.diagnostic_pb2 import Diagnostic, Diagnostics, Severity
from basicaer.v1.error_reason_pb2 import ErrorReason

__all__ = [
    "MOST_DIAGNOSTICS",
    "ProgramFault",
    "Where",
    "diagnostic",
    "takes_too_much_memory",
    "too_large",
]

MOST_DIAGNOSTICS = 20
"""Of a program: nobody reads on behind so many."""

# Details of a status have to stay below 5 KiB, and people read one line.
_LONGEST_MESSAGE = 1000
_LONGEST_PART = 240
_EXCERPT = 76


class Where(NamedTuple):
    """A position in a program's text; `line` and `column` count from 1, in characters.

    `excerpt` shows it to people: the line with a caret under the position, or nothing. `length` is that of
    what is meant, in characters of the line.
    """

    line: int
    column: int
    excerpt: str = ""
    length: int = 1

    @classmethod
    def within(cls, line: int, column: int, text: str, length: int = 1) -> Where:
        """Return the position in a line with this text, of which the excerpt shows `_EXCERPT` characters.

        One that can't be shown, such as an escape, has U+FFFD in its place.
        """
        text = text.replace("\t", " ")
        if not text.strip():
            return cls(line, column, length=length)
        # The position itself may be among blanks at the end.
        text = text[: max(len(text.rstrip()), column - 1)]
        start = max(0, min(column - 1 - _EXCERPT // 2, len(text) - _EXCERPT))
        shown = "".join(
            character if character.isprintable() else "\ufffd" for character in text[start : start + _EXCERPT]
        )
        return cls(line, column, f"\n  {shown}\n  {' ' * (column - 1 - start)}^", length)


class ProgramFault(Exception):  # noqa: N818 - the program's fault, which callers are told: no error of ours
    """A program that can't be run. `path` leads to the fault inside of the program, when there is one.

    `expected` is what the grammar expects at the place. `feature` is a part of the language that isn't
    supported, by its name and its section of the specification. `diagnostics` tell all mistakes of a text;
    without any, the fault is its one mistake.
    """

    def __init__(
        self,
        message: str,
        *,
        where: Where | None = None,
        path: str = "",
        reason: ErrorReason.ValueType = error_reason_pb2.ERROR_REASON_PROGRAM_INVALID,
        metadata: Mapping[str, str] | None = None,
        expected: str = "",
        feature: tuple[str, str] = ("", ""),
        diagnostics: Diagnostics | None = None,
    ) -> None:
        # It may quote a name of megabytes.
        message = message if len(message) <= _LONGEST_MESSAGE else f"{message[: _LONGEST_MESSAGE - 1]}…"
        super().__init__(message)
        self.message = message
        self.where = where
        self.path = path
        self.reason = reason
        self.metadata = dict(metadata or {})
        self.expected = expected
        self.feature = feature
        self.diagnostics = Diagnostics() if diagnostics is None else diagnostics

    def to_service_error(self, index: int, source: str, *, is_text: bool = True) -> ServiceError:
        """Return the error for program `index` of a job, whose field `source` holds it.

        Only one of a text has diagnostics.
        """
        metadata = {"program_index": str(index), **self.metadata}
        field = f"programs[{index}].{source}"
        message = f"{self.path}: {self.message}" if self.path else self.message
        if len(message) > _LONGEST_MESSAGE:
            message = message[: _LONGEST_MESSAGE - 1] + "…"
        if self.where is not None:
            metadata |= {"line": str(self.where.line), "column": str(self.where.column)}
            message = f"line {self.where.line}, column {self.where.column}: {message}{self.where.excerpt}"
        told = None
        if is_text:
            told = Diagnostics(left_out=self.diagnostics.left_out)
            told.diagnostics.extend(self.diagnostics.diagnostics or [diagnostic(self)])
            for each in told.diagnostics:
                each.program_index = index
        return ServiceError(
            self.reason, f"{field}: {message}", metadata=metadata, field=field, diagnostics=told
        )


def diagnostic(
    fault: ProgramFault, severity: Severity.ValueType = diagnostic_pb2.SEVERITY_ERROR
) -> Diagnostic:
    """Return a fault as one of the contract's diagnostics, of program 0."""
    what, _, cure = fault.message.partition("; ")
    name, section = fault.feature
    made = Diagnostic(
        severity=severity,
        message=_part(what),
        expected=_part(fault.expected),
        hint=_part(cure),
        feature=name,
        section=section,
    )
    where = fault.where
    if where is not None:
        made.line, made.column, made.end_column = where.line, where.column, where.column + where.length
    return made


def _part(text: str) -> str:
    text = printable(text)
    return text if len(text) <= _LONGEST_PART else f"{text[: _LONGEST_PART - 1]}…"


def too_large(limit: str, maximum: int | str, actual: int | str, message: str) -> ProgramFault:
    """Return a PROGRAM_TOO_LARGE fault: `limit` names what is exceeded, as a setting or as `GetServerInfo`
    does.
    """
    return ProgramFault(
        message,
        reason=error_reason_pb2.ERROR_REASON_PROGRAM_TOO_LARGE,
        metadata={"limit": limit, "max": str(maximum), "actual": str(actual)},
    )


def takes_too_much_memory(most: int, cause: str) -> ProgramFault:
    """Return the fault of a text that its parser process runs out of memory at, or crashes at; `cause`
    tells how.

    `most` is what the process may take, in bytes.
    """
    return ProgramFault(
        f"parsing it takes more than {most >> 20:,} MiB of memory, or too deep a stack ({cause}); "
        "send a shorter program or a typed circuit",
        reason=error_reason_pb2.ERROR_REASON_PROGRAM_TOO_LARGE,
        metadata={"limit": "parser_memory", "max": str(most)},
    )
