"""The store over PostgreSQL, for a service whose jobs shall outlive its machine; it loads asyncpg."""

from basicaer.service.store.postgresql._check import Examination, examine_database
from basicaer.service.store.postgresql._session import LEAST_VERSION
from basicaer.service.store.postgresql._store import PostgreSQLStore
from basicaer.service.store.postgresql._tokens import TokenTable
from basicaer.service.store.postgresql.sharing.attendance import Attendance

__all__ = [
    "LEAST_VERSION",
    "Attendance",
    "Examination",
    "PostgreSQLStore",
    "TokenTable",
    "examine_database",
]
