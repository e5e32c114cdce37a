"""Time that passes only when a test says so, for the client's deadlines and pauses."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from types import SimpleNamespace
from unittest import mock

from basicaer.client.transport import _retry

__all__ = ["Clock"]


class Clock:
    """Stands in for the monotonic clock that the client's deadlines look at, while `running`."""

    def __init__(self) -> None:
        # Seconds.
        self.now = 1000.0

    def pass_by(self, seconds: float) -> None:
        """Lets so much time pass; a little more, since a wait never ends early."""
        self.now += max(seconds, 0.0) + 1e-6

    @contextlib.contextmanager
    def running(self) -> Iterator[Clock]:
        """Puts it in the real clock's place."""
        with mock.patch.object(_retry, "time", SimpleNamespace(monotonic=lambda: self.now)):
            yield self
