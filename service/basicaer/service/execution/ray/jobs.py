"""A job that runs on another machine, as the jobs layer here sees it."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from basicaer.service.execution._interface import ExecutionControl, PreparedJob
from basicaer.v1 import job_pb2
from basicaer.v1.diagnostic_pb2 import Diagnostic

__all__ = ["RemoteControl", "RemoteJob"]


class RemoteJob:
    """A job that was checked here, with a control of this executor's."""

    __slots__ = ("inner",)

    def __init__(self, inner: PreparedJob) -> None:
        self.inner = inner

    @property
    def nodes(self) -> int:
        """See `PreparedJob.nodes`."""
        return self.inner.nodes

    @property
    def required_bytes(self) -> int:
        """See `PreparedJob.required_bytes`."""
        return self.inner.required_bytes

    @property
    def size_bytes(self) -> int:
        """See `PreparedJob.size_bytes`."""
        return self.inner.size_bytes

    @property
    def num_programs(self) -> int:
        """See `PreparedJob.num_programs`."""
        return self.inner.num_programs

    @property
    def warnings(self) -> Sequence[Diagnostic]:
        """See `PreparedJob.warnings`."""
        return self.inner.warnings

    @property
    def shots(self) -> int:
        """See `PreparedJob.shots`."""
        return self.inner.shots

    @property
    def max_run_time(self) -> float | None:
        """See `PreparedJob.max_run_time`."""
        return self.inner.max_run_time

    @property
    def result_bytes(self) -> int:
        """See `PreparedJob.result_bytes`."""
        return self.inner.result_bytes

    @property
    def quick(self) -> bool:
        """See `PreparedJob.quick`."""
        return self.inner.quick

    def memory_advice(self, available: int) -> str:
        """See `PreparedJob.memory_advice`."""
        return self.inner.memory_advice(available)

    def new_control(self) -> ExecutionControl:
        """See `PreparedJob.new_control`."""
        return RemoteControl(self.inner.new_control().progress())


class RemoteControl:
    """Stops one attempt on a node, and tells how far it was when that was last heard."""

    __slots__ = ("_progress", "_stopped")

    def __init__(self, progress: job_pb2.Progress) -> None:
        self._progress = progress.SerializeToString()
        self._stopped = threading.Event()

    @property
    def stopped(self) -> bool:
        """Whether the attempt is to stop."""
        return self._stopped.is_set()

    def cancel(self) -> None:
        """See `ExecutionControl.cancel`."""
        self._stopped.set()

    def hear(self, progress: bytes) -> None:
        """Take note of how far it is; of nothing, before it has begun."""
        if progress:
            self._progress = progress

    def progress(self) -> job_pb2.Progress:
        """See `ExecutionControl.progress`."""
        return job_pb2.Progress.FromString(self._progress)
