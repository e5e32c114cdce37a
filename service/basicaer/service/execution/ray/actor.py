"""What runs on a node: one process that simulates one job at a time, and listens meanwhile.

One thread runs jobs, others take `cancel` and `progress`.
"""

from __future__ import annotations

import os
import tempfile
import threading
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import ray
from basicaer import simulator as sim
from basicaer.service import version
from basicaer.service.config import Config
from basicaer.service.execution._interface import ExecutionControl, ExecutionOutcome, PreparedJob, ResultPart
from basicaer.service.execution.executor import ThreadExecutor
from basicaer.service.parsing import ParsersHere
from basicaer.simulator import distributed
from basicaer.v1 import job_pb2, result_pb2

__all__ = ["LISTENING", "Node", "Packed", "Simulator", "look_around", "pack", "unpack"]

LISTENING = "listening"
"""The threads that take what is asked while a job runs."""


class Node(NamedTuple):
    """What a node tells of itself."""

    version: str
    # Whether its Ray asks those who call it for a token.
    asks_for_token: bool


class Packed(NamedTuple):
    """An `ExecutionOutcome` on its way: messages as bytes, and arrays as Ray carries them, without a copy."""

    status: job_pb2.JobStatus.ValueType
    result: bytes | None
    error: bytes | None
    entries: list[bytes]
    parts: list[tuple[str, npt.NDArray[np.uint8]]]


def look_around() -> Node:
    """Return what is so on the node that this is called on."""
    return Node(version(), os.environ.get("RAY_AUTH_MODE", "").lower() == "token")


class Simulator:
    """The actor. One job at a time, each under a number of its own."""

    def __init__(self, max_inline_result_bytes: int) -> None:
        """Load the kernels; on a node that never did they are compiled, which takes half a minute."""
        # Nothing is kept there: checked jobs come in, and results go out.
        config = Config(data_dir=Path(tempfile.gettempdir()), max_inline_result_bytes=max_inline_result_bytes)
        self._executor = ThreadExecutor(config, ParsersHere())
        for dtype in ("c16", "c8"):
            sim.warm_up(dtype)
        self._lock = threading.Lock()
        self._number = -1
        self._control: ExecutionControl | None = None
        self._cancelled = -1
        self._executing = False

    def run(self, number: int, prepared: PreparedJob, job_id: str) -> Packed:
        """Run a job; `number` is greater than any before."""
        return pack(self.execute(number, prepared, job_id))

    def execute(
        self, number: int, prepared: PreparedJob, job_id: str, mesh: distributed.Mesh | None = None
    ) -> ExecutionOutcome:
        """Run a job, alone or as one rank of a mesh.

        Raises:
            ExecutionLostError: Another rank is gone.
        """
        control = prepared.new_control()
        with self._lock:
            self._number, self._control = number, control
            if self._cancelled >= number:
                control.cancel()
        self._executing = True
        try:
            return self._executor.execute(prepared, control, job_id=job_id, mesh=mesh)
        finally:
            self._executing = False

    @ray.method(concurrency_group=LISTENING)
    def cancel(self, number: int) -> None:
        """Stop a job, whether it has begun or not."""
        with self._lock:
            self._cancelled = max(self._cancelled, number)
            if self._number <= number and self._control is not None:
                self._control.cancel()

    @ray.method(concurrency_group=LISTENING)
    def progress(self, number: int) -> bytes:
        """Return how far a job is, as a `Progress`."""
        with self._lock:
            control = self._control if self._number == number else None
        return b"" if control is None else control.progress().SerializeToString()

    @ray.method(concurrency_group=LISTENING)
    def where(self) -> tuple[str, bool]:
        """Return the id of the node that this is on, and whether a job runs here."""
        return ray.get_runtime_context().get_node_id(), self._executing


def pack(outcome: ExecutionOutcome) -> Packed:
    """Return the outcome on its way."""
    return Packed(
        outcome.status,
        None if outcome.result is None else outcome.result.SerializeToString(),
        None if outcome.error is None else outcome.error.SerializeToString(),
        [bytes(entry) for entry in outcome.entries],
        [(part.part, np.frombuffer(part.data, np.uint8)) for part in outcome.parts],
    )


def unpack(packed: Packed) -> ExecutionOutcome:
    """Return the outcome again; its arrays lie where Ray has them."""
    return ExecutionOutcome(
        packed.status,
        None if packed.result is None else result_pb2.Result.FromString(packed.result),
        [ResultPart(name, _bytes_of(data)) for name, data in packed.parts],
        None if packed.error is None else job_pb2.JobError.FromString(packed.error),
        packed.entries,
    )


def _bytes_of(data: Any) -> memoryview:
    return memoryview(data).cast("B")
