"""What a data directory knows of its database, so that one that is missing, emptied or another's isn't taken
for the first start of a new server, which would know no job and remove all results.

    DATA_DIR/store    "basicaer store", the database's id, and whether a server has it open

Whoever wants to go on without what is missing removes that file; the messages say so.
"""

from __future__ import annotations

import contextlib
import logging
import os
from pathlib import Path

from basicaer.service.errors import DataDirectoryError

__all__ = ["DATABASE", "MOVED", "Identity"]

_log = logging.getLogger(__name__)

DATABASE = "jobs.sqlite3"
MOVED = "moved"
"""Names the database that the jobs were taken over to, in full; there is none before."""
_HEAD = "basicaer store"
_OPEN, _CLOSED = "open", "closed"
# Two ids have two of their 32 characters in common; those that have as many as this are one, and damaged.
_ALIKE = 24


class Identity:
    """The mark of one data directory, whose lock is held."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._path = directory / "store"
        self._database = directory / DATABASE
        self._id = ""

    def check(self) -> bool:
        """Look at what is there before the database is opened; whether it may be made anew.

        Raises:
            DataDirectoryError: What should be there isn't.
        """
        database = self._database
        if database.exists() and not database.is_file():
            raise DataDirectoryError(f"{database} is not a file. Move it away, or choose another directory.")
        there = database.exists() and database.stat().st_size > 0
        state = self._state()
        if state is None:
            if not there and self._results():
                raise DataDirectoryError(
                    f"{database} is missing or empty, and results/ beside it holds results of its jobs."
                    " Bring it back from a backup; or, to start without its jobs, move results/ away."
                )
            return not there
        if not there:
            raise DataDirectoryError(
                f"{database} is missing or empty, and this directory had one. Bring it back from a backup;"
                f" or, to start without its jobs, move results/ away and remove {self._path}."
            )
        if state == _OPEN and not database.with_name(f"{DATABASE}-wal").exists():
            raise DataDirectoryError(
                f"{database}-wal is missing, and the last server was not stopped in order: what it committed"
                " last is in that file. Bring it back. If another program has opened the database since,"
                f" nothing is missing; then, or to go on without it, remove {self._path} and start again."
            )
        return False

    def open(self, store_id: str) -> str:
        """Note that the database, which has this id, is open; which id it should have, since that may be
        damaged, too.

        Raises:
            DataDirectoryError: It is another directory's.
        """
        state = self._state()
        if state is not None and self._id and self._id != store_id and _alike(self._id, store_id):
            _log.error("the id of %s was damaged, and is mended", self._database)
            store_id = self._id if _whole(self._id) else store_id
        elif state is not None and self._id and self._id != store_id:
            raise DataDirectoryError(
                f"{self._database} is the database of another data directory than the one that was here."
                " Bring the right one back; or, to go on with this one, move results/ away and remove"
                f" {self._path}."
            )
        self._id = store_id
        self._write(_OPEN)
        return store_id

    def close(self) -> None:
        """Note that the database holds everything."""
        self._write(_CLOSED)

    def _results(self) -> bool:
        results = self._directory / "results"
        return results.is_dir() and any(results.iterdir())

    def _state(self) -> str | None:
        """Whether the database was open; None when the directory has no mark. Reads the id, too."""
        try:
            lines = self._path.read_text(encoding="ascii", errors="replace").splitlines()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise DataDirectoryError(
                f"{self._path} can't be read: {error.strerror}. Mend that; or, if {DATABASE} beside it is"
                " the one that was here before, move it away."
            ) from error
        # One that is damaged still says that something was here.
        whole = len(lines) == 3 and lines[0] == _HEAD
        self._id = lines[1] if whole else ""
        return lines[2] if whole else _CLOSED

    def _write(self, state: str) -> None:
        temporary = self._path.with_name("store.tmp")
        text = f"{_HEAD}\n{self._id}\n{state}\n".encode("ascii", "replace")
        # A full disk must keep nobody from a start or an end: what was known before is known still.
        with contextlib.suppress(OSError):
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                os.write(descriptor, text)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            temporary.rename(self._path)


def _alike(first: str, second: str) -> bool:
    return sum(one == other for one, other in zip(first, second, strict=False)) >= _ALIKE


def _whole(store_id: str) -> bool:
    return len(store_id) == 32 and set(store_id) <= set("0123456789abcdef")
