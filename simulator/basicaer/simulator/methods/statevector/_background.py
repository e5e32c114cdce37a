"""Compiles kernels in a process of its own, so that a program that has none yet is at work at once.

numba compiles under one lock, and holds Python's most of that time: a server that compiled by itself would
answer nobody meanwhile. So whoever calls a kernel that isn't there yet goes the plain way, Python's, where
that takes a moment; else it waits until the process has put it on the disk, and no longer: it compiles in the
order in which a server's first jobs need them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from basicaer.simulator._errors import SimulationCancelled
from basicaer.simulator.methods.statevector._plain import plain
from basicaer.simulator.methods.statevector.engine.machine import _kept

__all__ = ["compiling_apart", "is_compiling", "waiting_for_kernels"]

# Behind whoever runs a job meanwhile.
_COMPILE = (
    "import os, sys; os.nice(10); from basicaer.simulator._warm import compile_all, leave_with_parent;"
    " leave_with_parent(int(sys.argv[1])); compile_all()"
)
# How often who waits looks for a kernel on the disk (seconds).
_LOOK = 0.05


class Background:
    """The process, from the first call of a kernel that isn't there. Thread-safe."""

    def __init__(self, tell: Callable[[], None], more: str = "") -> None:
        """`tell` is called when it starts, by whoever made that call; `more` is what it runs at its end."""
        self._tell = tell
        self._more = more
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False

    def wait(
        self, kernel: Any, args: tuple[Any, ...], is_there: Callable[[], bool]
    ) -> Callable[..., Any] | None:
        """Return what does the same as a kernel that isn't on the disk yet, where that takes a moment; else
        None when it is there, or when the process has ended, so that the caller compiles it.

        Raises:
            SimulationCancelled: Nobody waits for anything any more.
        """
        # Asked first, since the process may have been ended amid what it was putting on the disk.
        while not self._closed:
            if is_there():
                return None
            with self._lock:
                if self._closed:
                    break
                if self._process is None:
                    self._tell()
                    self._process = _start(self._more)
                elif self._process.poll() is not None:
                    return None
            if not getattr(_local, "waits", False):
                instead = plain(kernel, args)
                if instead is not None:
                    return instead
            time.sleep(_LOOK)
        raise SimulationCancelled

    @property
    def runs(self) -> bool:
        """Whether the process is at work."""
        with self._lock:
            return self._process is not None and self._process.poll() is None

    def close(self) -> None:
        """End the process, and whoever waits for it. From now on who needs a kernel that isn't loaded is
        cancelled, rather than to compile it. Idempotent.
        """
        with self._lock:
            self._closed = True
            if self._process is not None:
                self._process.kill()
                self._process.wait()


_current: Background | None = None
_local = threading.local()
"""`waits` is set where this thread shall not go the plain way."""


@contextmanager
def waiting_for_kernels() -> Iterator[None]:
    """Within it, this thread has kernels loaded, and waits for those that aren't there."""
    before = getattr(_local, "waits", False)
    _local.waits = True
    try:
        yield
    finally:
        _local.waits = before


@contextmanager
def compiling_apart(tell: Callable[[], None], more: str = "") -> Iterator[Background]:
    """Within it, kernels that aren't on the disk are compiled by a process of their own, where that can keep
    them; `tell` is called, by any thread, when it starts. `more` is Python that has kernels of other packages
    compiled, which the process runs last. Who has threads that may need kernels closes what
    this gives, and leaves the context when they have ended.
    """
    global _current
    background = _current = Background(tell, more)
    _kept.awaited = background.wait
    try:
        yield background
    finally:
        background.close()
        _current = _kept.awaited = None


def is_compiling() -> bool:
    """Whether a process compiles kernels, without which even a small circuit takes long: so that nobody runs
    it who has others to attend to.
    """
    return _current is not None and _current.runs


def _start(more: str) -> subprocess.Popen[bytes]:
    null = subprocess.DEVNULL
    command = [sys.executable, "-c", f"{_COMPILE}; {more}", str(os.getpid())]
    return subprocess.Popen(command, stdin=null, stdout=null, stderr=null)
