"""Which store a server has: the embedded one, or the one whose database a setting names."""

from __future__ import annotations

from pathlib import Path

from basicaer.service.errors import SettingError
from basicaer.service.store._interface import Observer
from basicaer.service.store._store import JobStore
from basicaer.service.store.sqlite import SQLiteStore
from basicaer.service.vital import Vital

__all__ = ["new_store"]


def new_store(database: str, data_dir: Path, observe: Observer, vital: Vital, *, lease: float) -> JobStore:
    """Return a store that isn't open yet. `database` is the URL of one, or empty; `lease` is how long servers
    that share it wait for each other, in seconds.

    Raises:
        SettingError: `database` can't be used, or what it needs isn't installed.
    """
    if not database:
        return SQLiteStore(data_dir, observe=observe, vital=vital)
    try:
        from basicaer.service.store.postgresql import PostgreSQLStore
    except ImportError as error:
        raise SettingError(
            "database", f"needs {error.name}; install it with pip install 'basicaer[postgresql]'"
        ) from None
    try:
        return PostgreSQLStore(database, observe=observe, vital=vital, lease=lease)
    except ValueError as error:
        raise SettingError("database", str(error)) from None
