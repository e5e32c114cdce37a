"""The embedded store: one SQLite file, and files of large results beside it."""

from basicaer.service.store.sqlite._check import StoreReport, check_store
from basicaer.service.store.sqlite._rights import obstacle, user_name
from basicaer.service.store.sqlite._store import SQLiteStore

__all__ = ["SQLiteStore", "StoreReport", "check_store", "obstacle", "user_name"]
