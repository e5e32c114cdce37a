"""How rows are read, also those whose text is damaged."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any, TypeVar

__all__ = ["lenient", "read", "rows"]

_T = TypeVar("_T")


def lenient(text: bytes) -> str:
    """Text that is damaged, so that its row can be read and its checksum be compared."""
    return text.decode(errors="surrogateescape")


def read(
    connection: sqlite3.Connection,
    statement: str,
    arguments: Sequence[object],
    take: Callable[[sqlite3.Cursor], _T],
) -> _T:
    """Return what `take` makes of a statement's rows, also when their text is no UTF-8 any more; it is called
    again then.

    Raises:
        sqlite3.Error: As SQLite does.
    """
    try:
        with closing(connection.execute(statement, arguments)) as cursor:
            return take(cursor)
    except sqlite3.OperationalError as error:
        if not str(error).startswith("Could not decode"):
            raise
    connection.text_factory = lenient
    try:
        with closing(connection.execute(statement, arguments)) as cursor:
            return take(cursor)
    finally:
        connection.text_factory = str


def rows(connection: sqlite3.Connection, statement: str, arguments: Sequence[object]) -> list[Any]:
    """All rows of a statement, as `read` reads them."""
    return read(connection, statement, arguments, sqlite3.Cursor.fetchall)
