"""Lets whoever waits for a circuit to be checked or compiled break that off.

What takes microseconds for each of many things (operations, expressions) calls the pause each time, and the
pause may raise. It is bound for a thread, since checking and compiling begin in many places.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["Pause", "current_pause", "pausing"]

Pause = Callable[[], None]


def _no_pause() -> None:
    """Return that of what nobody breaks off."""


_PAUSE: ContextVar[Pause] = ContextVar("pause", default=_no_pause)


@contextmanager
def pausing(pause: Pause) -> Iterator[None]:
    """Call `pause` again and again while circuits are checked and compiled within, on this thread."""
    token = _PAUSE.set(pause)
    try:
        yield
    finally:
        _PAUSE.reset(token)


def current_pause() -> Pause:
    """Return what is to be called here."""
    return _PAUSE.get()
