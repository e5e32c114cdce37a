"""What a worker tells of the cluster that it drives: its nodes, and what the worker has on each."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
import time
from collections.abc import Sequence
from typing import Any

import ray
from basicaer.service.execution.ray.cluster import machines
from basicaer.v1 import job_service_pb2 as pb
from ray.exceptions import RayError

__all__ = ["Census"]

# For how long a node is told that has left (seconds), and how many nodes at most.
_REMEMBERED = 600.0
_MOST = 1000


@dataclasses.dataclass(slots=True)
class _Process:
    actor: Any
    memory: int
    warm: bool
    # What it was asked last; and its last answer, a node's id and whether a job runs there.
    asked: Any = None
    there: tuple[str, bool] | None = None

    def look(self) -> None:
        """Take its answer if there is one, and ask again. One that has no node yet doesn't answer."""
        if self.asked is not None:
            if not ray.wait([self.asked], timeout=0)[0]:
                return
            try:
                self.there = ray.get(self.asked)
            except RayError:
                self.there = None
        self.asked = self.actor.where.remote()


class Census:
    """Of one cluster. Thread-safe; but `look` is one thread's."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._processes: dict[int, _Process] = {}
        # Nodes that were seen alive, by their ids; and when those were missed that are gone.
        self._seen: set[str] = set()
        self._gone: dict[str, float] = {}
        self._told: Sequence[pb.Node] = ()

    def add(self, actor: Any, memory: int, warm: bool) -> None:
        """Count a process from now on, for which so many bytes are set aside."""
        with self._lock:
            self._processes[id(actor)] = _Process(actor, memory, warm)

    def end(self, actor: Any) -> None:
        """End a process, whatever it does, and count it no more. Idempotent."""
        with self._lock:
            self._processes.pop(id(actor), None)
        with contextlib.suppress(Exception):
            ray.kill(actor)

    def nodes(self) -> Sequence[pb.Node]:
        """Return what the last look has seen: those that are there, and then those that have left."""
        return self._told

    def look(self) -> None:
        """Look at all nodes and processes.

        Raises:
            RayError: The cluster's head doesn't answer.
        """
        with self._lock:
            processes = list(self._processes.values())
        for process in processes:
            process.look()
        now = time.monotonic()
        found: dict[str, pb.Node] = {}
        for machine in machines():
            node = pb.Node(name=machine.name, address=machine.address)
            if machine.alive:
                self._seen.add(machine.node_id)
                node.cpus, node.memory_bytes = machine.cpus, machine.memory_bytes
            elif machine.node_id not in self._seen or (
                now - self._gone.setdefault(machine.node_id, now) > _REMEMBERED
            ):
                continue
            node.gone = not machine.alive
            found[machine.node_id] = node
        for process in processes:
            where, running = process.there or ("", False)
            its = found.get(where)
            if its is not None and not its.gone:
                its.reserved_bytes += process.memory
                its.warm_processes += process.warm
                its.running_jobs += running
        told = sorted(found.values(), key=lambda node: (node.gone, node.address, node.name))
        self._told = told[:_MOST]
