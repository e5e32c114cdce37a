"""The processes on the nodes. Some are kept warm, for jobs that take little memory; each large job has one of
its own, for which Ray sets aside the memory that the job may take.
"""

from __future__ import annotations

import contextlib
import itertools
import queue
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import ray
from basicaer.service.errors import SettingError, size_text
from basicaer.service.execution._interface import GivenUpError
from basicaer.service.execution.ray.actor import LISTENING, Simulator
from basicaer.service.execution.ray.census import Census
from basicaer.service.execution.ray.cluster import Place
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

__all__ = ["PROCESS_BYTES", "SMALL_BYTES", "WARM_BYTES", "Actors"]

SMALL_BYTES = 256 * 1024**2
"""What a job may take that runs in a process that is kept warm."""
PROCESS_BYTES = 256 * 1024**2
"""What a process takes by itself; 158 MiB were measured."""
WARM_BYTES = SMALL_BYTES + PROCESS_BYTES
"""What is set aside for a process that is kept warm."""

# How often who waits for a process asks whether it is still wanted (seconds).
_LOOK = 0.1
# Until a process that waits has answered (seconds).
_GREETING = 0.5


class Actors:
    """Those of one cluster. Thread-safe."""

    def __init__(self, found: Sequence[Place], most: int, max_inline_result_bytes: int) -> None:
        """Start at most `most` that are kept warm, spread over the nodes; no node gives more than half of its
        memory to them, but one has one.

        Raises:
            SettingError: No node has the memory for one.
        """
        if max(place.memory_bytes for place in found) < WARM_BYTES:
            raise SettingError("executor", f"no Ray node has {size_text(WARM_BYTES)} for jobs")
        self._arguments = (max_inline_result_bytes,)
        self.census = Census()
        self._idle: queue.SimpleQueue[Any] = queue.SimpleQueue()
        turns = [[place] * max(place.memory_bytes // 2 // WARM_BYTES, 0) for place in found]
        spread = [place for turn in itertools.zip_longest(*turns) for place in turn if place is not None]
        chosen = spread[:most] or [max(found, key=lambda place: place.memory_bytes)]
        kept = {place.node_id: 0 for place in found}
        for place in chosen:
            kept[place.node_id] += WARM_BYTES
            self._idle.put(self._start(WARM_BYTES, place))
        self._left = left = [place.memory_bytes - kept[place.node_id] for place in found]
        # The most memory that one job may take, and all that run together, in bytes.
        self.largest_bytes = max(max(left) - PROCESS_BYTES, SMALL_BYTES)
        self.total_bytes = sum(left) + len(chosen) * SMALL_BYTES

    def most_bytes(self, ranks: int) -> int:
        """Return the most memory that each of so many processes of one job may take, in bytes, which may
        share nodes.
        """
        if ranks == 1:
            return self.largest_bytes
        sizes = sorted({size // share for size in self._left for share in range(1, ranks + 1)}, reverse=True)
        fits = (each for each in sizes if each and sum(size // each for size in self._left) >= ranks)
        return max(next(fits, 0) - PROCESS_BYTES, 0)

    @contextmanager
    def one(self, required_bytes: int, given_up: Callable[[], bool]) -> Iterator[Any]:
        """Have a process for a job that takes so much memory. When the block raises, it isn't used again.

        Raises:
            GivenUpError: Nobody wants it any more, by `given_up`, before there is one.
        """
        if required_bytes <= SMALL_BYTES:
            actor = self._next(given_up)
            if _is_gone(actor):
                self.census.end(actor)
                actor = self._start(WARM_BYTES, None)
            try:
                yield actor
            except BaseException:
                self.census.end(actor)
                actor = self._start(WARM_BYTES, None)
                raise
            finally:
                self._idle.put(actor)
            return
        actor = self._start(required_bytes + PROCESS_BYTES, None)
        try:
            yield actor
        finally:
            self.census.end(actor)

    def _next(self, given_up: Callable[[], bool]) -> Any:
        while not given_up():
            with contextlib.suppress(queue.Empty):
                return self._idle.get(timeout=_LOOK)
        raise GivenUpError

    def _start(self, memory: int, place: Place | None) -> Any:
        chosen = "DEFAULT" if place is None else NodeAffinitySchedulingStrategy(place.node_id, soft=True)
        options = _REMOTE.options(memory=memory, scheduling_strategy=chosen)
        actor = options.remote(*self._arguments)
        self.census.add(actor, memory, memory == WARM_BYTES)
        return actor


def _is_gone(actor: Any) -> bool:
    """Whether a process that waited for jobs has died, with its node perhaps: no fault of the next job."""
    answer = actor.progress.remote(0)
    try:
        # One that is still starting is given its job at once.
        if ray.wait([answer], timeout=_GREETING)[0]:
            ray.get(answer)
    except RayError:
        return True
    return False


# One thread runs jobs, others listen.
_remote: Any = ray.remote
_REMOTE = _remote(num_cpus=0, max_restarts=0, max_task_retries=0, concurrency_groups={LISTENING: 2})(
    Simulator
)
