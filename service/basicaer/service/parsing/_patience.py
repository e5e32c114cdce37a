"""How long whoever wants a program checked waits for that."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TypeAlias

from basicaer.service.parsing._faults import too_large

__all__ = ["UNBOUNDED", "GivenUpError", "Patience", "Pause", "TakesLongError", "no_pause", "pause_of"]

Pause: TypeAlias = Callable[[], None]
"""What a long walk calls at each step of microseconds; raises as `Patience.check`."""

# A check stops for a moment after so much work while others are on their way (seconds). A call goes from
# thread to thread some ten times, and each time a thread that computes gives the interpreter's lock up late:
# after Python's switch interval, or once the system lets it run again where processors are short.
_WORK, _REST = 0.0005, 0.0005


class GivenUpError(Exception):
    """Nobody waits for the check any more, so it was left."""


class TakesLongError(Exception):
    """The check takes longer than a moment, and a moment was all that it was given."""


class Patience:
    """That of one check, from now on. Whatever takes long asks it, ten times a second and more."""

    __slots__ = ("_began", "_given_up", "_others", "_rested", "_seconds")

    def __init__(
        self,
        given_up: Callable[[], bool] = lambda: False,
        seconds: float = math.inf,
        others: Callable[[], bool] = lambda: False,
    ) -> None:
        """`given_up`, and `others`, which tells whether others are being served, are called on the thread
        that checks, and must be quick.
        """
        self._given_up = given_up
        self._others = others
        self._seconds = seconds
        self._began = self._rested = time.monotonic()

    def work(self) -> None:
        """Check as `check` does, and rest now and then for those who are served meanwhile. Raises as
        `check`.
        """
        now = time.monotonic()
        if now - self._rested < _WORK:
            return
        self.check()
        if self._others():
            time.sleep(_REST)
            now = time.monotonic()
        self._rested = now

    def check(self) -> None:
        """Return while it lasts.

        Raises:
            GivenUpError: Nobody waits any more.
            ProgramFault: PROGRAM_TOO_LARGE, since the time is over.
        """
        if self._given_up():
            raise GivenUpError
        spent = time.monotonic() - self._began
        if spent > self._seconds:
            raise too_large(
                "max_check_time",
                f"{self._seconds:g}",
                f"{spent:.1f}",
                f"checking the job took longer than {self._seconds:g} s; split it, or send typed circuits, "
                "which take a fraction of the time",
            )


UNBOUNDED = Patience()
"""That of a caller who waits as long as it takes."""


def no_pause() -> None:
    """Return the pause of what is over in a moment."""


def pause_of(patience: Patience | None) -> Pause:
    """Return what lets a long walk last as long as the patience, and rest."""
    return no_pause if patience is None else patience.work
