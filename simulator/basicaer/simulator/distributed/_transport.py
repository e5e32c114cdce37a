"""What the ranks of a spread state ask of each other, whatever carries it.

All ranks call the same methods in the same order with arrays of the same sizes; none goes on before the
others have come as far. A rank is one of 2^k processes, with a number from 0.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from basicaer.simulator._control import RunControl
from basicaer.simulator._errors import SimulatorError

__all__ = ["PeerLost", "Transport"]

_N = TypeVar("_N", bound=np.inexact[Any])


class PeerLost(SimulatorError):  # noqa: N818 -- named beside SimulationFailed
    """Another rank is gone, or what came from it wasn't its own: the run is lost, and may begin anew."""


class Transport(ABC):
    """Ways to each other rank. Of one thread, but for `close`.

    What waits for another rank raises `SimulationCancelled` a moment after its control was cancelled, and
    `PeerLost`; the transport is then of no use.
    """

    rank: int
    size: int

    @abstractmethod
    def swap(self, other: int, slab: npt.NDArray[np.complexfloating], control: RunControl) -> None:
        """Exchange a contiguous array with the other rank's of the same size, in place."""

    @abstractmethod
    def trade(
        self,
        other: int,
        given: npt.NDArray[np.complexfloating],
        taken: npt.NDArray[np.complexfloating],
        control: RunControl,
    ) -> None:
        """Give a contiguous array, and take the other rank's into one that doesn't overlap with it."""

    @abstractmethod
    def send(self, other: int, data: bytes | memoryview, control: RunControl) -> None:
        """Send bytes that the other rank shall `receive`."""

    @abstractmethod
    def receive(self, other: int, control: RunControl) -> bytearray:
        """Return what the other rank has sent."""

    @abstractmethod
    def close(self) -> None:
        """Give up; who waits gets `SimulationCancelled`. Idempotent, and may be called by any thread."""

    def share(self, data: bytes | memoryview | None, control: RunControl) -> bytes | bytearray | memoryview:
        """Return rank 0's data, everywhere."""
        if self.rank:
            return self.receive(0, control)
        if data is None:
            raise AssertionError("rank 0 has something to share")
        for other in range(1, self.size):
            self.send(other, data, control)
        return data

    def gather(self, values: npt.NDArray[np.int64], control: RunControl) -> list[npt.NDArray[np.int64]]:
        """Return the one-dimensional arrays of all ranks, everywhere, by their ranks."""
        if self.rank:
            self.send(0, values.tobytes(), control)
            return [np.frombuffer(self.receive(0, control), np.int64) for _ in range(self.size)]
        found = [values]
        for other in range(1, self.size):
            found.append(np.frombuffer(self.receive(other, control), np.int64))
        for other in range(1, self.size):
            for part in found:
                self.send(other, part.tobytes(), control)
        return found

    def sum(
        self, values: npt.NDArray[_N], control: RunControl, order: Sequence[int] | None = None
    ) -> npt.NDArray[_N]:
        """Return the sums of equal arrays, the same to the last bit on all ranks; they are added in `order`,
        by default that of the ranks.
        """
        total = values.copy()
        if self.rank:
            self.send(0, values.tobytes(), control)
            np.copyto(total, np.frombuffer(self.receive(0, control), values.dtype).reshape(values.shape))
            return total
        parts = {0: values}
        for other in range(1, self.size):
            parts[other] = np.frombuffer(self.receive(other, control), values.dtype).reshape(values.shape)
        total.fill(0)
        for rank in order or range(self.size):
            np.add(total, parts[rank], out=total)
        for other in range(1, self.size):
            self.send(other, total.tobytes(), control)
        return total
