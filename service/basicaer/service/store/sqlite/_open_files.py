"""The result files that are open: few, however many readers there are, most of whom wait for their network.

Readers of one file share a descriptor. When more files are wanted than may be open, the one that was read
least lately is closed, and opened again when its reader goes on.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from basicaer.service.descriptors import open_results

__all__ = ["OpenFiles"]


class _File:
    """A file that somebody reads: its descriptor while it is open, and how many read at this moment."""

    __slots__ = ("descriptor", "readers", "users")

    def __init__(self) -> None:
        self.descriptor: int | None = None
        self.readers = 0
        self.users = 0


class OpenFiles:
    """Opens files for reading. Thread-safe."""

    def __init__(self, most: int | None = None) -> None:
        """At most `most` files are open, but for those that are read at the same moment; without it, a share
        of what the process may open.
        """
        self._given = most
        # Entered again when the collector ends a forgotten reader just then.
        self._lock = threading.RLock()
        # The least lately read first.
        self._files: OrderedDict[Path, _File] = OrderedDict()
        self._open = 0

    def hold(self, path: Path) -> None:
        """Somebody begins to read a file, which needn't be there."""
        with self._lock:
            self._files.setdefault(path, _File()).readers += 1

    def let_go(self, path: Path) -> None:
        """Note that a reader of `hold` is done."""
        with self._lock:
            file = self._files[path]
            file.readers -= 1
            if not file.readers:
                self._close(file)
                del self._files[path]

    @contextmanager
    def descriptor(self, path: Path) -> Iterator[int]:
        """Return a held file's descriptor, open as long as the block runs.

        Raises:
            OSError: It can't be opened; it may have been removed since it was closed.
        """
        with self._lock:
            file = self._files[path]
            self._files.move_to_end(path)
            if file.descriptor is None:
                self._make_room()
                file.descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                self._open += 1
            file.users += 1
            descriptor = file.descriptor
        try:
            yield descriptor
        finally:
            with self._lock:
                file.users -= 1

    def _make_room(self) -> None:
        most = open_results() if self._given is None else self._given
        for file in list(self._files.values()):
            if self._open < most:
                return
            if not file.users:
                self._close(file)

    def _close(self, file: _File) -> None:
        if file.descriptor is not None:
            os.close(file.descriptor)
            file.descriptor = None
            self._open -= 1
