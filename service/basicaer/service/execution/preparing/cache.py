"""Keeps programs that were checked a short while ago: callers send the same one again, with another seed or
more shots.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

from basicaer.service.execution.preparing.programs import LARGEST_KEY, PreparedProgram

__all__ = ["ProgramCache"]


class ProgramCache:
    """Checked programs by their bytes, the least recently used of which are dropped. Thread-safe."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._programs: OrderedDict[bytes, PreparedProgram] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: bytes) -> PreparedProgram | None:
        """Return the program of these bytes, if it is there."""
        with self._lock:
            program = self._programs.get(key)
            if program is not None:
                self._programs.move_to_end(key)
            return program

    def put(self, key: bytes, program: PreparedProgram) -> None:
        """Keep a program, if it is small."""
        size = len(key) + program.size_bytes
        if len(key) > LARGEST_KEY or size > self._max_bytes:
            return
        with self._lock:
            if key in self._programs:
                return
            self._programs[key] = program
            self._bytes += size
            while self._bytes > self._max_bytes:
                old_key, old = self._programs.popitem(last=False)
                self._bytes -= len(old_key) + old.size_bytes
