"""A Ray cluster as this process sees it: how it is reached, what its nodes are, and what is checked first.

Ray runs whatever is sent to it by whoever reaches its ports, so one that asks for no token isn't used.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import ray
from basicaer.service import version
from basicaer.service.errors import SettingError, size_text
from basicaer.service.execution.ray.actor import Node, look_around
from ray.exceptions import (
    GetTimeoutError,
    NodeDiedError,
    ObjectLostError,
    RayError,
    TaskUnschedulableError,
    WorkerCrashedError,
)
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

__all__ = [
    "PREFIX",
    "Place",
    "address_of",
    "answers",
    "connect",
    "disconnect",
    "first_line",
    "is_here",
    "join",
    "largest_node",
    "machines",
    "places",
]

_log = logging.getLogger(__name__)

PREFIX = "ray://"
# Until a node must have told of itself: its first process has to start.
_ANSWER = 60.0
# What a question to a node ends with when the node does, and how long Ray may take to notice that (seconds).
_LOST = (GetTimeoutError, NodeDiedError, ObjectLostError, TaskUnschedulableError, WorkerCrashedError)
_NOTICED, _LOOK = 30.0, 0.2


@dataclass(frozen=True, slots=True)
class Machine:
    """A node, whether it takes jobs or not, and whether it is there still."""

    node_id: str
    name: str
    address: str
    alive: bool
    cpus: int
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class Place:
    """A node that takes jobs."""

    node_id: str
    address: str
    memory_bytes: int


def address_of(executor: str) -> str:
    """Return HOST:PORT of a setting ray://HOST:PORT.

    Raises:
        SettingError: It is none.
    """
    address = executor.removeprefix(PREFIX)
    if address == executor or not address:
        raise SettingError("executor", f"{executor!r} isn't ray://HOST:PORT, the address of a Ray head")
    return address


def join(address: str) -> None:
    """Make this process one of the cluster's, as which it stays until `disconnect`.

    Raises:
        ConnectionError: There is no cluster, or it doesn't take the token.
        RuntimeError: This machine isn't a node of it.
        Exception: As Ray does else: ValueError, RayError.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    with _own_signals():
        ray.init(address=address, log_to_driver=False, configure_logging=False)


def connect(executor: str) -> list[Place]:
    """Connect to a cluster, for this process, and return its nodes once each was found to be fit.

    `executor` is ray://HOST:PORT, the address of the cluster's head as `ray start --address` takes it. This
    machine has to be one of its nodes.

    Raises:
        SettingError: There is none, or it can't be used.
    """
    address = address_of(executor)
    if os.environ.get("RAY_AUTH_MODE", "").lower() != "token":
        raise SettingError(
            "executor",
            "Ray runs whatever it is sent, so it has to ask for a token: set RAY_AUTH_MODE=token, and"
            " RAY_AUTH_TOKEN_PATH to a file with the cluster's token, here and for each 'ray start'",
        )
    try:
        join(address)
    except (ConnectionError, OSError, ValueError, RuntimeError, RayError) as error:
        raise SettingError(
            "executor",
            f"no Ray cluster answers at {address}, or the token is another one's ({error}). This machine has"
            f" to be one of its nodes: ray start --address {address}",
        ) from error
    try:
        found = _fit(places())
        if not found:
            raise SettingError("executor", f"the Ray cluster at {address} has no node with memory for jobs")
    except BaseException:
        disconnect()
        raise
    for place in found:
        _log.info("Ray node %s, %s for jobs", place.address, size_text(place.memory_bytes))
    return found


def disconnect() -> None:
    """Leave the cluster; what was started there ends. Idempotent."""
    ray.shutdown()


def places() -> list[Place]:
    """Return the nodes that are there now and take jobs."""
    return [
        Place(machine.node_id, machine.address, machine.memory_bytes)
        for machine in machines()
        if machine.alive and machine.memory_bytes and machine.cpus
    ]


def machines() -> list[Machine]:
    """Return all nodes that the cluster remembers; those that have left have no processors and no memory."""
    nodes: Any = ray.nodes
    return [
        Machine(
            node["NodeID"],
            node["NodeManagerHostname"],
            node["NodeManagerAddress"],
            node["Alive"],
            int(node["Resources"].get("CPU", 0)),
            int(node["Resources"].get("memory", 0)),
        )
        for node in nodes()
    ]


def is_here() -> bool:
    """Whether this machine is a node of the cluster still."""
    return _is_listed(ray.get_runtime_context().get_node_id())


def _is_listed(node_id: str) -> bool:
    return any(machine.alive and machine.node_id == node_id for machine in machines())


def largest_node() -> int:
    """Return the memory of the node that has the most, in bytes; 0 without one."""
    return max((place.memory_bytes for place in places()), default=0)


def answers(found: Sequence[Place]) -> Iterator[tuple[Place, Node | RayError]]:
    """Have each node tell of itself; yield what it says, or why it says nothing: GetTimeoutError when it
    starts no process within a minute, another RayError when it can't load basicaer.

    One that leaves meanwhile, or had left before Ray knew, is left out.
    """
    ask: Any = ray.remote(num_cpus=0, max_retries=0)(look_around)
    asked = [
        ask.options(scheduling_strategy=NodeAffinitySchedulingStrategy(place.node_id, soft=False)).remote()
        for place in found
    ]
    for place, answer in zip(found, asked, strict=True):
        try:
            node = ray.get(answer, timeout=_ANSWER)
        except RayError as error:
            if isinstance(error, _LOST) and _leaves(place):
                _log.info("Ray node %s has left the cluster", place.address)
                continue
            node = error
        yield place, node


def _leaves(place: Place) -> bool:
    """Whether a node that was lost is one that the cluster lists no more, as soon as Ray knows."""
    until = time.monotonic() + _NOTICED
    while _is_listed(place.node_id):
        if time.monotonic() > until:
            return False
        time.sleep(_LOOK)
    return True


def _fit(found: Sequence[Place]) -> list[Place]:
    """Have each node tell of itself, and return those that do.

    Raises:
        SettingError: One can't run jobs, or shouldn't.
    """
    fit: list[Place] = []
    for place, node in answers(found):
        if isinstance(node, GetTimeoutError):
            raise SettingError("executor", f"Ray node {place.address} starts no process")
        if isinstance(node, RayError):
            raise SettingError(
                "executor",
                f"Ray node {place.address} can't load basicaer {version()}; install it there, too ({node})",
            )
        if node.version != version():
            raise SettingError(
                "executor",
                f"Ray node {place.address} has basicaer {node.version}, and this is {version()}: install one"
                " version everywhere",
            )
        if not node.asks_for_token:
            raise SettingError(
                "executor",
                f"Ray node {place.address} was started without RAY_AUTH_MODE=token, so that whoever reaches"
                " it may run anything there: start it with RAY_AUTH_MODE=token and RAY_AUTH_TOKEN_PATH",
            )
        fit.append(place)
    return fit


@contextmanager
def _own_signals() -> Iterator[None]:
    """Keep this process' way to end: Ray sets a handler of SIGTERM that exits at once."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def first_line(error: BaseException) -> str:
    """Return what Ray says in a word: behind it come traces and hints of pages."""
    return str(error).strip().partition("\n")[0]
