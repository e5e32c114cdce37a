"""When to try again, and until when: decisions alone, shared by the sync and the asyncio client."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from basicaer.client._errors import (
    BasicAerError,
    CallCancelledError,
    CallTimeoutError,
    QueueFullError,
    ServerUnavailableError,
)
from basicaer.client._times import given_seconds

__all__ = ["GLANCE", "Backoff", "Deadline", "Retry"]

# Not to wait means to look once, which takes a call; so many seconds are its limit.
GLANCE = 2.0


class Deadline:
    """A point on the monotonic clock that calls, pauses and reconnects share; with None it never comes."""

    __slots__ = ("_at", "seconds")

    def __init__(self, seconds: float | None, name: str = "timeout") -> None:
        """`seconds` may be whatever a caller gave as the argument `name`.

        Raises:
            OptionInvalidError: It's no time.
        """
        self.seconds = seconds = given_seconds(name, seconds)
        self._at = None if seconds is None else time.monotonic() + seconds

    def remaining(self) -> float | None:
        """Return the seconds left, at least 0; None when there is no end."""
        return None if self._at is None else max(0.0, self._at - time.monotonic())

    def within(self, seconds: float | None) -> float | None:
        """Return `seconds`, cut to what is left."""
        left = self.remaining()
        if seconds is None or left is None:
            return left if seconds is None else seconds
        return min(seconds, left)

    def for_reading(self) -> Deadline:
        """Return the deadline for fetching what is ready, even if there was no time to wait."""
        return self if self.seconds is None or self.seconds > 0 else Deadline(GLANCE)

    @property
    def expired(self) -> bool:
        """Whether nothing is left."""
        return self._at is not None and time.monotonic() >= self._at


class Backoff:
    """Growing pauses with jitter, so that many clients of one restarted server don't return all at once."""

    def __init__(
        self,
        first: float = 0.05,
        most: float = 2.0,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._first = first
        self._most = most
        self._next = first
        self._uniform = uniform

    def reset(self) -> None:
        """Begin again with short pauses."""
        self._next = self._first

    def pause(self, at_least: float | None = None) -> float:
        """Return the next pause in seconds, not shorter than what the server asked for."""
        seconds = self._uniform(0.5 * self._next, self._next)
        self._next = min(2 * self._next, self._most)
        return seconds if at_least is None else at_least + seconds


class Retry:
    """Decides after each failure of a call that may be repeated whether, and when, to repeat it."""

    def __init__(self, deadline: Deadline) -> None:
        self.deadline = deadline
        self.tries = 0
        self._backoff = Backoff()
        self._passing: BasicAerError | None = None

    def timeout(self) -> float | None:
        """Count a try and return the time that it may take."""
        self.tries += 1
        return self.deadline.remaining()

    def pause(self, error: BasicAerError) -> float:
        """Return how long to pause before the next try.

        Raises:
            BasicAerError: `error` itself, when it isn't passing or no time is left for another try.
        """
        if isinstance(error, CallTimeoutError) and self._passing is not None:
            # The time ran out during the last try; why there had to be so many says more.
            raise self._passing
        if not isinstance(error, ServerUnavailableError | CallCancelledError | QueueFullError):
            raise error
        self._passing = error
        seconds = self._backoff.pause(error.retry_after)
        left = self.deadline.remaining()
        if left is not None and seconds >= left:
            raise error
        return seconds
