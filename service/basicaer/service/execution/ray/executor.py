"""Checks jobs here, and runs them on the nodes of a Ray cluster."""

from __future__ import annotations

import dataclasses
import itertools
import logging
import threading
from collections.abc import Callable, Sequence

from basicaer.service.config import Config
from basicaer.service.errors import ServiceError, exceeds_memory, size_text
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
from basicaer.service.execution.ray.actors import PROCESS_BYTES, Actors
from basicaer.service.execution.ray.following import EndedError, TooLargeError, follow
from basicaer.service.execution.ray.jobs import RemoteControl, RemoteJob
from basicaer.service.execution.ray.ranks import run_spread
from basicaer.service.wire import NO_COLUMNS, Columns
from basicaer.v1 import job_pb2, job_service_pb2
from ray.exceptions import RayError

__all__ = ["RayExecutor"]

_log = logging.getLogger(__name__)

# Between two looks whether this machine is one of the cluster's nodes (seconds).
_WATCH = 2.0


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
            dataclasses.replace(config, max_memory_bytes=self._actors.largest_bytes),
            most_bytes=self._actors.most_bytes,
        )
        self._max_nodes = config.max_nodes
        self._max_inline_result_bytes = config.max_inline_result_bytes
        self._numbers = itertools.count(1)
        self._closed = threading.Event()

    @property
    def largest_bytes(self) -> int:
        """See `Executor.largest_bytes`."""
        return self._actors.largest_bytes

    @property
    def max_nodes(self) -> int:
        """See `Executor.max_nodes`."""
        return self._max_nodes

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
            if prepared.required_bytes > self._actors.most_bytes(prepared.nodes):
                raise TooLargeError
            if prepared.nodes > 1:
                most = self._max_inline_result_bytes
                return run_spread(prepared, control, number, job_id, most, self._actors.census)
            return self._alone(prepared, control, number, job_id)
        except (GivenUpError, EndedError):
            return ExecutionOutcome(job_pb2.JOB_STATUS_CANCELLED)
        except TooLargeError:
            error = self._too_large(prepared).to_job_error()
            return ExecutionOutcome(job_pb2.JOB_STATUS_ERROR, error=error)
        except RayError as error:
            raise ExecutionLostError(
                f"its process on the cluster is gone: {cluster.first_line(error)}"
            ) from error

    def _alone(
        self, prepared: RemoteJob, control: RemoteControl, number: int, job_id: str
    ) -> ExecutionOutcome:
        """Run a job in one process.

        Raises:
            EndedError, GivenUpError: The job was stopped, after it began or before.
            TooLargeError: No node is left that could hold it.
            RayError: Its process is gone.
        """
        told = False

        def waits() -> None:
            # Ray itself waits for ever, and says nothing.
            nonlocal told
            if cluster.largest_node() < prepared.required_bytes + PROCESS_BYTES:
                raise TooLargeError
            if not told:
                told = True
                _log.warning("job %s waits for a process, or memory, on the cluster", job_id)

        with self._actors.one(prepared.required_bytes, lambda: control.stopped) as actor:
            ref = actor.run.remote(number, prepared.inner, job_id)
            return follow([actor], [ref], number, control, waits)

    def _too_large(self, prepared: RemoteJob) -> ServiceError:
        if prepared.nodes == 1:
            return exceeds_memory(prepared.required_bytes, max(cluster.largest_node() - PROCESS_BYTES, 0))
        return exceeds_memory(
            prepared.nodes * prepared.required_bytes,
            sum(place.memory_bytes for place in cluster.places()),
            f"It is spread over {prepared.nodes} nodes of the cluster, each of which has to have"
            f" {size_text(prepared.required_bytes + PROCESS_BYTES)}, and there aren't so many.",
        )
