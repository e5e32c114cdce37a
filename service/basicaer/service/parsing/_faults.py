"""What is wrong with one program, before anybody knows which program of a job it is.

Parsing and conversion raise `ProgramFault`; `prepare` names the program and makes it a `ServiceError`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from basicaer.service.errors import ServiceError
from basicaer.v1 import error_reason_pb2
from basicaer.v1.error_reason_pb2 import ErrorReason

__all__ = ["ProgramFault", "Where", "takes_too_much_memory", "too_large"]

# Details of a status have to stay below 4 KiB, and people read one line.
_LONGEST_MESSAGE = 1000
_EXCERPT = 76


class Where(NamedTuple):
    """A position in a program's text; `line` and `column` count from 1, in characters.

    `excerpt` shows it to people: the line with a caret under the position, or nothing.
    """

    line: int
    column: int
    excerpt: str = ""

    @classmethod
    def within(cls, line: int, column: int, text: str) -> Where:
        """The position in a line with this text, of which the excerpt shows `_EXCERPT` characters."""
        text = text.replace("\t", " ").rstrip()
        if not text:
            return cls(line, column)
        start = max(0, min(column - 1 - _EXCERPT // 2, len(text) - _EXCERPT))
        return cls(line, column, f"\n  {text[start : start + _EXCERPT]}\n  {' ' * (column - 1 - start)}^")


class ProgramFault(Exception):  # noqa: N818 - the fault is the program's
    """A program that can't be run. `path` leads to the fault inside of the program, when there is one."""

    def __init__(
        self,
        message: str,
        *,
        where: Where | None = None,
        path: str = "",
        reason: ErrorReason.ValueType = error_reason_pb2.ERROR_REASON_PROGRAM_INVALID,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        # It may quote a name of megabytes.
        message = message if len(message) <= _LONGEST_MESSAGE else f"{message[: _LONGEST_MESSAGE - 1]}…"
        super().__init__(message)
        self.message = message
        self.where = where
        self.path = path
        self.reason = reason
        self.metadata = dict(metadata or {})

    def to_service_error(self, index: int, source: str) -> ServiceError:
        """The error for program `index` of a job, whose field `source` holds it."""
        metadata = {"program_index": str(index), **self.metadata}
        field = f"programs[{index}].{source}"
        message = f"{self.path}: {self.message}" if self.path else self.message
        if len(message) > _LONGEST_MESSAGE:
            message = message[: _LONGEST_MESSAGE - 1] + "…"
        if self.where is not None:
            metadata |= {"line": str(self.where.line), "column": str(self.where.column)}
            message = f"line {self.where.line}, column {self.where.column}: {message}{self.where.excerpt}"
        return ServiceError(self.reason, f"{field}: {message}", metadata=metadata, field=field)


def too_large(limit: str, maximum: int | str, actual: int | str, message: str) -> ProgramFault:
    """A PROGRAM_TOO_LARGE fault: `limit` names what is exceeded, as a setting or as `GetServerInfo` does."""
    return ProgramFault(
        message,
        reason=error_reason_pb2.ERROR_REASON_PROGRAM_TOO_LARGE,
        metadata={"limit": limit, "max": str(maximum), "actual": str(actual)},
    )


def takes_too_much_memory(most: int, cause: str) -> ProgramFault:
    """The fault of a text that its parser process runs out of memory at, or crashes at; `cause` tells how.

    `most` is what the process may take, in bytes.
    """
    return ProgramFault(
        f"parsing it takes more than {most >> 20:,} MiB of memory, or too deep a stack ({cause}); "
        "send a shorter program or a typed circuit",
        reason=error_reason_pb2.ERROR_REASON_PROGRAM_TOO_LARGE,
        metadata={"limit": "parser_memory", "max": str(most)},
    )
