"""Which store a server has: the embedded one, or the one whose database a setting names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from basicaer.service.errors import SettingError, installed
from basicaer.service.store._interface import Observer
from basicaer.service.store._store import JobStore
from basicaer.service.store.moving.report import MoveReport
from basicaer.service.store.sqlite import SQLiteStore
from basicaer.service.vital import Vital

if TYPE_CHECKING:
    from basicaer.service.store.postgresql.objects.bucket import Bucket

__all__ = ["database_setting", "migrate_store", "new_store"]


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
    with database_setting():
        from basicaer.service.store.postgresql import PostgreSQLStore

        return PostgreSQLStore(
            database,
            observe=observe,
            vital=vital,
            lease=lease,
            objects=_open_bucket(object_store, object_store_endpoint),
            largest=largest,
        )


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
    with database_setting():
        from basicaer.service.store.moving.move import move_store

        objects = _open_bucket(object_store, object_store_endpoint)
        move_store(data_dir, database, objects, largest, report, progress)


@contextmanager
def database_setting() -> Iterator[None]:
    """Within it, what is wrong with the URL of a database is told as that of the setting.

    Raises:
        SettingError: `database` can't be used, or what it needs isn't installed.
    """
    try:
        with installed("database", "postgresql"):
            yield
    except SettingError:
        # One is a ValueError, too.
        raise
    except ValueError as error:
        raise SettingError("database", str(error)) from None


def _open_bucket(object_store: str, endpoint: str) -> Bucket | None:
    """Return the object store that a URL names; None without one.

    Raises:
        SettingError: It can't be used, or what it needs isn't installed.
    """
    if not object_store:
        return None
    with installed("object_store", "s3"):
        from basicaer.service.store.postgresql.objects.bucket import Bucket
    try:
        return Bucket(object_store, endpoint)
    except Exception as error:
        raise SettingError("object_store", f"can't be used: {error}") from None
