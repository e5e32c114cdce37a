"""Files that are replaced while the server runs: a key that is renewed, a certificate that is rotated."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from basicaer.service.errors import CredentialsFileError

__all__ = ["Reloaded"]

_T = TypeVar("_T")

_log = logging.getLogger(__name__)


class Reloaded(Generic[_T]):
    """What was last read from some files that made sense together. May be asked from any thread.

    Several files are never replaced in one instant: while they don't fit, what they held before stays in use.
    """

    def __init__(self, paths: Sequence[Path], read: Callable[[], _T]) -> None:
        """`read` reads the files, and raises CredentialsFileError when they don't make sense.

        Raises:
            CredentialsFileError: They don't now.
        """
        self._paths = paths
        self._read = read
        self._lock = threading.Lock()
        self._seen = self._stamp()
        self._value = read()

    def get(self) -> tuple[_T, bool]:
        """Return the value, and whether it is a new one since the last call."""
        with self._lock:
            stamp = self._stamp()
            if stamp == self._seen:
                return self._value, False
            self._seen = stamp
            names = ", ".join(map(str, self._paths))
            try:
                self._value = self._read()
            except CredentialsFileError as error:
                _log.warning("kept what was read before from %s: %s", names, error)
                return self._value, False
            _log.info("read again: %s", names)
            return self._value, True

    def _stamp(self) -> list[tuple[int, int, int] | None]:
        """Return what changes with the files."""
        stamps: list[tuple[int, int, int] | None] = []
        for path in self._paths:
            try:
                found = path.stat()
            except OSError:
                stamps.append(None)
            else:
                stamps.append((found.st_mtime_ns, found.st_ino, found.st_size))
        return stamps
