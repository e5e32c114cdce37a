"""Which store a server has: the embedded one, or the one whose database a setting names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from basicaer.service.errors import SettingError
from basicaer.service.store._interface import Observer
from basicaer.service.store._store import JobStore
from basicaer.service.store.moving.report import MoveReport
from basicaer.service.store.sqlite import SQLiteStore
from basicaer.service.vital import Vital

if TYPE_CHECKING:
    from basicaer.service.store.postgresql.objects.bucket import Bucket

__all__ = ["migrate_store", "new_store"]


def new_store(
    database: str,
    data_dir: Path,
    observe: Observer,
    vital: Vital,
    *,
    lease: float,
    object_store: str = "",
    object_store_endpoint: str = "",
    largest: int | None = None,
) -> JobStore:
    """Return a store that isn't open yet. `database` is the URL of one, or empty; `lease` is how long servers
    that share it wait for each other, in seconds. Results of more than `largest` bytes lie in the
    `object_store`, a URL, or are refused when that is empty.

    Raises:
        SettingError: `database` or `object_store` can't be used, or what they need isn't installed.
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
        return PostgreSQLStore(
            database,
            observe=observe,
            vital=vital,
            lease=lease,
            objects=_open_bucket(object_store, object_store_endpoint),
            largest=largest,
        )
    except ValueError as error:
        raise SettingError("database", str(error)) from None


def migrate_store(
    data_dir: Path,
    database: str,
    object_store: str,
    object_store_endpoint: str,
    largest: int,
    report: MoveReport,
    progress: Callable[[float, int], None],
) -> None:
    """Take a data directory's jobs over to a database: see `move_store`.

    Raises:
        SettingError: `database` or `object_store` can't be used, or what they need isn't installed.
        DataDirectoryError, ServiceError: As `move_store`.
    """
    try:
        from basicaer.service.store.moving.move import move_store
    except ImportError as error:
        raise SettingError(
            "database", f"needs {error.name}; install it with pip install 'basicaer[postgresql]'"
        ) from None
    objects = _open_bucket(object_store, object_store_endpoint)
    try:
        move_store(data_dir, database, objects, largest, report, progress)
    except ValueError as error:
        raise SettingError("database", str(error)) from None


def _open_bucket(object_store: str, endpoint: str) -> Bucket | None:
    """Return the object store that a URL names; None without one.

    Raises:
        SettingError: It can't be used, or what it needs isn't installed.
    """
    if not object_store:
        return None
    try:
        from basicaer.service.store.postgresql.objects.bucket import Bucket
    except ImportError as error:
        raise SettingError(
            "object_store", f"needs {error.name}; install it with pip install 'basicaer[s3]'"
        ) from None
    try:
        return Bucket(object_store, endpoint)
    except Exception as error:
        raise SettingError("object_store", f"can't be used: {error}") from None
