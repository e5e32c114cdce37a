"""How long whoever wants a program checked waits for that."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from basicaer.service.parsing._faults import too_large

__all__ = ["UNBOUNDED", "GivenUpError", "Patience", "TakesLongError"]


class GivenUpError(Exception):
    """Nobody waits for the check any more, so it was left."""


class TakesLongError(Exception):
    """The check takes longer than a moment, and a moment was all that it was given."""


class Patience:
    """That of one check, from now on. Whatever takes long asks it, ten times a second and more."""

    __slots__ = ("_began", "_given_up", "_seconds")

    def __init__(self, given_up: Callable[[], bool] = lambda: False, seconds: float = math.inf) -> None:
        """`given_up` is called on the thread that checks, and must be quick."""
        self._given_up = given_up
        self._seconds = seconds
        self._began = time.monotonic()

    def check(self) -> None:
        """Returns while it lasts.

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
