"""Checks jobs here, and runs them on the nodes of a Ray cluster."""

from __future__ import annotations

import dataclasses
import itertools
import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import ray
from basicaer.service.config import Config
from basicaer.service.errors import exceeds_memory
from basicaer.service.execution._interface import (
    UNBOUNDED,
    ExecutionControl,
    ExecutionLostError,
    ExecutionOutcome,
    GivenUpError,
    Patience,
    PreparedJob,
)
from basicaer.service.execution.executor import ThreadExecutor
from basicaer.service.execution.ray import cluster
from basicaer.service.execution.ray.actor import unpack
from basicaer.service.execution.ray.actors import PROCESS_BYTES, Actors
from basicaer.service.execution.ray.jobs import RemoteControl, RemoteJob
from basicaer.service.wire import NO_COLUMNS, Columns
from basicaer.v1 import job_pb2, job_service_pb2
from ray.exceptions import RayError

__all__ = ["RayExecutor"]

_log = logging.getLogger(__name__)

# Between two looks at a job that runs (seconds).
_LOOK = 0.1
# How long a job that was asked to stop has for it; then its process is ended (seconds).
_STOPPING = 2.0
# Between two looks whether this machine is one of the cluster's nodes (seconds).
_WATCH = 2.0
# Until it is told that a job waits for memory on a node, and between two looks whether any has so much.
_WAITING = 5.0


class RayExecutor:
    """The `Executor` of a cluster. Thread-safe. Make it on a process' main thread, once."""

    def __init__(self, config: Config) -> None:
        """Connect, and start processes on the nodes.

        Raises:
            SettingError: The cluster can't be used, and why.
        """
        found = cluster.connect(config.executor)
        self._actors = Actors(found, config.workers, config.max_inline_result_bytes)
        # What is asked of methods is which fits a node.
        self._checks = ThreadExecutor(
            dataclasses.replace(config, max_memory_bytes=self._actors.largest_bytes)
        )
        self._numbers = itertools.count(1)
        self._closed = threading.Event()

    @property
    def largest_bytes(self) -> int:
        """See `Executor.largest_bytes`."""
        return self._actors.largest_bytes

    @property
    def total_bytes(self) -> int:
        """The memory that the nodes have for jobs, in bytes."""
        return self._actors.total_bytes

    def nodes(self) -> Sequence[job_service_pb2.Node]:
        """See `Executor.nodes`."""
        return self._actors.census.nodes()

    def backends(self) -> list[job_service_pb2.BackendInfo]:
        """Return what ListBackends answers."""
        return self._checks.backends()

    def warm_up(self, on_compile: Callable[[str], None] | None = None) -> None:
        """Do nothing: the processes on the nodes load what they need as they start."""

    def watch(self) -> None:
        """See `ServiceExecutor.watch`."""
        while not self._closed.is_set():
            if not cluster.is_here():
                raise ConnectionError("this machine isn't a node of the Ray cluster any more")
            self._actors.census.look()
            self._closed.wait(_WATCH)

    def close(self) -> None:
        """Leave the cluster. Idempotent."""
        self._closed.set()
        self._checks.close()
        cluster.disconnect()

    def prepare(
        self,
        spec: job_pb2.JobSpec,
        patience: Patience | None = UNBOUNDED,
        columns: Columns = NO_COLUMNS,
        size: int = 0,
    ) -> PreparedJob:
        """See `Executor.prepare`."""
        return RemoteJob(self._checks.prepare(spec, patience, columns, size))

    def check_apart(self, spec: bytes | memoryview, patience: Patience | None = UNBOUNDED) -> job_pb2.Job:
        """See `Executor.check_apart`."""
        return self._checks.check_apart(spec, patience)

    def execute(self, prepared: PreparedJob, control: ExecutionControl, *, job_id: str) -> ExecutionOutcome:
        """See `Executor.execute`."""
        if not isinstance(prepared, RemoteJob) or not isinstance(control, RemoteControl):
            raise TypeError("a job and a control of this executor's are needed")
        number = next(self._numbers)
        try:
            with self._actors.one(prepared.required_bytes, lambda: control.stopped) as actor:
                ref = actor.run.remote(number, prepared.inner, job_id)
                return self._follow(actor, ref, number, prepared, control, job_id)
        except (GivenUpError, _EndedError):
            return ExecutionOutcome(job_pb2.JOB_STATUS_CANCELLED)
        except _TooLargeError:
            most = cluster.largest_node()
            refusal = exceeds_memory(prepared.required_bytes, max(most - PROCESS_BYTES, 0))
            return ExecutionOutcome(job_pb2.JOB_STATUS_ERROR, error=refusal.to_job_error())
        except RayError as error:
            raise ExecutionLostError(f"its process on the cluster is gone: {_first_line(error)}") from error

    def _follow(
        self, actor: Any, ref: Any, number: int, prepared: RemoteJob, control: RemoteControl, job_id: str
    ) -> ExecutionOutcome:
        """Wait for a job's outcome, and pass on what is asked and told meanwhile."""
        asked_at, told, heard = 0.0, False, False
        next_check = time.monotonic() + _WAITING
        progress: Any = None
        while True:
            done, _ = ray.wait([ref], timeout=_LOOK)
            if done:
                return unpack(ray.get(ref))
            now = time.monotonic()
            if control.stopped:
                if not asked_at:
                    asked_at = now
                    actor.cancel.remote(number)
                elif now - asked_at > _STOPPING:
                    raise _EndedError
            if progress is None:
                progress = actor.progress.remote(number)
            elif ray.wait([progress], timeout=0)[0]:
                heard = True
                control.hear(ray.get(progress))
                progress = None
            if not heard and now > next_check:
                # Ray itself waits for ever, and says nothing.
                next_check = now + _WAITING
                if cluster.largest_node() < prepared.required_bytes + PROCESS_BYTES:
                    raise _TooLargeError
                if not told:
                    told = True
                    _log.warning("job %s waits for a process, or memory, on the cluster", job_id)


class _EndedError(Exception):
    """A job didn't stop when it was asked to, and its process isn't waited for."""


class _TooLargeError(Exception):
    """No node is left that could hold the job."""


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]
