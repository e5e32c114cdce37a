"""What an error of the database means: come again, one row is damaged, or a defect of ours."""

from __future__ import annotations

import logging

import asyncpg
from basicaer.service.errors import ServiceError, StoreBusyError, internal_error
from basicaer.service.store._sums import database_damaged

__all__ = ["is_away", "is_in_doubt", "service_error"]

_log = logging.getLogger(__name__)

# Classes of SQLSTATE that pass by themselves: the connection, a transaction that has to be tried again, room,
# locks, and the end or the start of the database.
_PASSING = ("08", "40", "53", "55", "57", "58")
# Of these, those after which it isn't certain that nothing was committed.
_ENDING = ("08", "57")
# After a failover, until the connection is made anew: it can only be read from.
_READ_ONLY = "25006"
_DAMAGED = ("XX001", "XX002")


def is_away(error: BaseException) -> bool:
    """Whether the database can't be written to now, but will be later."""
    if isinstance(error, StoreBusyError):
        return True
    if isinstance(error, asyncpg.PostgresError):
        code = str(error.sqlstate or "")
        return code.startswith(_PASSING) or code == _READ_ONLY
    # asyncpg says so of a connection that has ended, and of values that it can't send, which are ValueErrors.
    # Timeouts are OSErrors.
    gone = isinstance(error, (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError))
    return gone and not isinstance(error, ValueError)


def is_in_doubt(error: BaseException) -> bool:
    """Whether a statement that failed so may have been committed, or its connection is of no use any more."""
    if isinstance(error, asyncpg.PostgresError):
        code = str(error.sqlstate or "")
        return code.startswith(_ENDING) or code == _READ_ONLY
    return is_away(error)


def service_error(error: BaseException) -> ServiceError:
    """Return what a failed statement means to callers."""
    if isinstance(error, ServiceError):
        return error
    if is_away(error) or isinstance(error, MemoryError):
        return StoreBusyError(f"the database: {str(error).strip() or type(error).__name__}")
    if isinstance(error, asyncpg.PostgresError) and error.sqlstate in _DAMAGED:
        _log.error("the database is damaged: %s", error)
        return database_damaged(error)
    _log.error("a statement failed", exc_info=error)
    return internal_error()
