"""What lies among the results and the database doesn't name: what a crash has left, or results of jobs that
another database knows, of which this one is an older copy.

A file is removed when it can't be anybody's: half a file, or one of a job whose row is final and whole, and
says that its result is another one or is gone; a final job never changes its mind. Whatever else isn't known
is set aside, for whoever brings the right database back: a job that is missing, or waits, may be done in a
newer one. With that database the results come back by themselves.
"""

from __future__ import annotations

import logging
import re
import sqlite3
from collections.abc import Sequence
from enum import Enum, auto

from basicaer.service.store._interface import JobRecord
from basicaer.service.store._sums import fits, read_record, result_sum
from basicaer.service.store.sqlite import _sql
from basicaer.service.store.sqlite._aside import Aside
from basicaer.service.store.sqlite._files import TEMPORARY, ResultFiles
from basicaer.service.store.sqlite._rows import rows

__all__ = ["clear_leftovers"]

_log = logging.getLogger(__name__)

# Files that are named in a line of the log.
_NAMED = 3


class _Fate(Enum):
    REMOVE = auto()
    SET_ASIDE = auto()
    LEAVE = auto()


def clear_leftovers(files: ResultFiles, aside: Aside, connection: sqlite3.Connection) -> None:
    """Brings back what the database names, removes what is nobody's, and sets the rest aside.

    Raises:
        sqlite3.Error: The database can't be read.
    """
    named = dict(rows(connection, _sql.RESULT_FILES, ()))
    back = aside.give_back(named)
    if back:
        _log.warning(
            "%d results that had been set aside are the database's again: %s", len(back), _some(back)
        )
    unknown = []
    for name in files.leftovers(named):
        fate = _fate(name, connection)
        if fate is _Fate.REMOVE:
            files.remove(name)
        elif fate is _Fate.SET_ASIDE:
            unknown.append(name)
    if not unknown:
        return
    moved = aside.take(unknown)
    if moved:
        _log.warning(
            "%d results that the database doesn't know were moved to %s: %s. If the database is an older one,"
            " bring the newer one back: its start takes them from there. Else they are what a crash left:"
            " remove them",
            len(moved),
            aside.folder,
            _some(moved),
        )
    if left := sorted(set(unknown) - set(moved)):
        _log.error(
            "%d results that the database doesn't know can't be moved to %s, and stay: %s",
            len(left),
            aside.folder,
            _some(left),
        )


def _fate(name: str, connection: sqlite3.Connection) -> _Fate:
    if name.endswith(TEMPORARY):
        return _Fate.REMOVE
    try:
        name.encode()
    except UnicodeEncodeError:
        # No job's: the database can't even be asked for it.
        return _Fate.SET_ASIDE
    job_id = name.rpartition("-")[0]
    found = rows(connection, _sql.FIND_JOB, (job_id,))
    if not found:
        return _Fate.SET_ASIDE
    job = read_record(found[0])
    if not isinstance(job, JobRecord) or not _whole_result(job_id, connection):
        # It may be the one that the row has named, which a later start may tell.
        return _Fate.LEAVE
    of_an_attempt = re.fullmatch(re.escape(job_id) + r"-[0-9]+", name) is not None
    return _Fate.REMOVE if of_an_attempt and job.status in _sql.FINAL else _Fate.SET_ASIDE


def _whole_result(job_id: str, connection: sqlite3.Connection) -> bool:
    ((*of_result, its_sum),) = rows(connection, _sql.FIND_RESULT, (job_id,))
    return fits(result_sum, (job_id, *of_result), its_sum)


def _some(names: Sequence[str]) -> str:
    return ", ".join(sorted(names)[:_NAMED]) + (", …" if len(names) > _NAMED else "")
