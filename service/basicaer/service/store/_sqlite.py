"""The embedded store: one SQLite file, and files of large results beside it."""

from __future__ import annotations

from pathlib import Path

__all__ = ["SQLiteStore"]


class SQLiteStore:
    """A store in one directory, made when it isn't there. One process at a time uses it."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
