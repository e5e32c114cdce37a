"""Waits for what a job's processes make of it, and passes on what is asked and told meanwhile."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from typing import Any

import ray
from basicaer.service.execution._interface import ExecutionOutcome
from basicaer.service.execution.ray.actor import unpack
from basicaer.service.execution.ray.jobs import RemoteControl
from basicaer.v1 import job_pb2
from ray.exceptions import RayError

__all__ = ["LOOK", "EndedError", "TooLargeError", "follow"]

LOOK = 0.1
"""Between two looks at a job that runs (seconds)."""

# How long a job that was asked to stop has for it; then its processes are ended (seconds).
_STOPPING = 2.0
# Until it is told that a job hasn't begun, and between two looks whether it ever can (seconds).
_WAITING = 5.0


class EndedError(Exception):
    """A job didn't stop when it was asked to, and its processes aren't waited for."""


class TooLargeError(Exception):
    """No nodes are left that could hold the job."""


def follow(
    actors: Sequence[Any],
    refs: Sequence[Any],
    number: int,
    control: RemoteControl,
    waits: Callable[[], None],
) -> ExecutionOutcome:
    """Return the outcome of a job under this number, which the first process tells.

    Each process has a reference, to the outcome or None. `waits` is called now and then while the first one
    has told nothing.

    Raises:
        EndedError: The job was to stop, and hasn't.
        RayError: A process is gone, or couldn't go on.
    """
    pending = list(refs)
    asked_at, heard = 0.0, False
    next_check = time.monotonic() + _WAITING
    progress: Any = None
    while True:
        done, pending = ray.wait(pending, timeout=LOOK)
        for ref in done:
            try:
                found = ray.get(ref)
            except RayError:
                outcome = _failed(pending)
                if outcome is None:
                    raise
                return outcome
            if ref is refs[0] or found is not None:
                return unpack(found)
        now = time.monotonic()
        if control.stopped:
            if not asked_at:
                asked_at = now
                for actor in actors:
                    actor.cancel.remote(number)
            elif now - asked_at > _STOPPING:
                raise EndedError
        if progress is None:
            progress = actors[0].progress.remote(number)
        elif ray.wait([progress], timeout=0)[0]:
            heard = True
            control.hear(ray.get(progress))
            progress = None
        if not heard and now > next_check:
            next_check = now + _WAITING
            waits()


def _failed(pending: list[Any]) -> ExecutionOutcome | None:
    """Return why a process has left the others, if one of them says so: out of memory, for example."""
    if not pending:
        return None
    done, _ = ray.wait(pending, num_returns=len(pending), timeout=_STOPPING)
    for ref in done:
        with contextlib.suppress(RayError):
            found = ray.get(ref)
            if found is not None and found.status == job_pb2.JOB_STATUS_ERROR:
                return unpack(found)
    return None
