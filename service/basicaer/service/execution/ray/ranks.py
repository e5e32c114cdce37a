"""The processes of a job whose state is spread over nodes, each with the memory set aside for its part."""

from __future__ import annotations

import contextlib
import logging
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import ray
from basicaer.service.execution._checked import with_seed
from basicaer.service.execution._interface import ExecutionOutcome, GivenUpError
from basicaer.service.execution.ray import cluster
from basicaer.service.execution.ray.actor import LISTENING
from basicaer.service.execution.ray.actors import PROCESS_BYTES
from basicaer.service.execution.ray.census import Census
from basicaer.service.execution.ray.following import LOOK, TooLargeError, follow
from basicaer.service.execution.ray.jobs import RemoteControl, RemoteJob
from basicaer.service.execution.ray.rank import Rank
from ray.util.placement_group import (
    PlacementGroup,
    placement_group,
    placement_group_table,
    remove_placement_group,
)
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

__all__ = ["run_spread"]

_log = logging.getLogger(__name__)

# What Ray waits for at a time, in whole seconds; until another way to place ranks is tried, and between two
# looks whether there ever is one.
_WAIT, _WAITING = 1, 5.0
_SECRET_BYTES = 32


def run_spread(
    prepared: RemoteJob,
    control: RemoteControl,
    number: int,
    job_id: str,
    max_inline_result_bytes: int,
    census: Census,
) -> ExecutionOutcome:
    """Run a job on as many nodes as it is for; its processes are ended then, whatever becomes of it.

    `census` counts them meanwhile.

    Raises:
        EndedError, GivenUpError: The job was stopped, after it began or before.
        TooLargeError: No nodes are there that could ever hold it.
        RayError: One of its processes is gone, or a node.
    """
    memory = prepared.required_bytes + PROCESS_BYTES
    with (
        _placed(prepared.nodes, memory, control, job_id) as group,
        _started(group, prepared.nodes, memory, max_inline_result_bytes, census) as actors,
    ):
        hosts = _hosts(group)
        listening = [actor.listen.remote(hosts[rank]) for rank, actor in enumerate(actors)]
        addresses = _gathered(listening, control)
        # Known to the ranks of this attempt alone.
        secret = secrets.token_bytes(_SECRET_BYTES)
        shared = ray.put(with_seed(prepared.inner))
        refs = [
            actor.run_with.remote(number, rank, addresses, secret, shared, job_id)
            for rank, actor in enumerate(actors)
        ]
        return follow(actors, refs, number, control, lambda: None)


@contextmanager
def _placed(count: int, memory: int, control: RemoteControl, job_id: str) -> Iterator[PlacementGroup]:
    """Set aside so much memory so many times: on a node for each as far as they have room soon, and otherwise
    on as many as there are.
    """
    room = [place.memory_bytes // memory for place in cluster.places()]
    group = _group("STRICT_SPREAD" if sum(map(bool, room)) >= count else "SPREAD", count, memory)
    try:
        told, until = False, time.monotonic() + _WAITING
        while not group.wait(_WAIT):
            if control.stopped:
                raise GivenUpError
            if time.monotonic() < until:
                continue
            # Ray itself waits for ever, and says nothing.
            until = time.monotonic() + _WAITING
            if sum(place.memory_bytes // memory for place in cluster.places()) < count:
                raise TooLargeError
            if not told:
                told = True
                _log.warning("job %s waits for memory on %d nodes of the cluster", job_id, count)
                remove_placement_group(group)
                group = _group("SPREAD", count, memory)
        yield group
    finally:
        with contextlib.suppress(Exception):
            remove_placement_group(group)


@contextmanager
def _started(
    group: PlacementGroup, count: int, memory: int, max_inline_result_bytes: int, census: Census
) -> Iterator[Sequence[Any]]:
    """Have a process in each bundle of a group."""
    actors: list[Any] = []
    try:
        for rank in range(count):
            where = PlacementGroupSchedulingStrategy(group, placement_group_bundle_index=rank)
            options = _REMOTE.options(memory=memory, scheduling_strategy=where)
            actors.append(options.remote(max_inline_result_bytes))
            census.add(actors[-1], memory, warm=False)
        yield actors
    finally:
        for actor in actors:
            census.end(actor)


def _group(strategy: str, count: int, memory: int) -> PlacementGroup:
    group: PlacementGroup = placement_group([{"memory": float(memory)}] * count, strategy=strategy)
    return group


def _hosts(group: PlacementGroup) -> dict[int, str]:
    """Return the address of each bundle's node."""
    nodes: dict[int, str] = placement_group_table(group)["bundles_to_node_id"]
    addresses = {place.node_id: place.address for place in cluster.places()}
    return {bundle: addresses.get(node, "") for bundle, node in nodes.items()}


def _gathered(refs: list[Any], control: RemoteControl) -> list[tuple[str, int]]:
    """Return what processes answer that may still be starting."""
    while len(ray.wait(refs, num_returns=len(refs), timeout=LOOK)[0]) < len(refs):
        if control.stopped:
            raise GivenUpError
    found: list[tuple[str, int]] = ray.get(refs)
    return found


# One thread runs the job, others listen.
_remote: Any = ray.remote
_REMOTE = _remote(num_cpus=0, max_restarts=0, max_task_retries=0, concurrency_groups={LISTENING: 2})(Rank)
