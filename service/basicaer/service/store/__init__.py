"""Where jobs, events and results are kept: an interface, and SQLite behind it."""

from ._interface import JobStore
from ._sqlite import SQLiteStore

__all__ = ["JobStore", "SQLiteStore"]
