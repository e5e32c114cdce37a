"""Looks at a Ray cluster as a worker would before it drives it; starts nothing that stays."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from basicaer.service.execution.ray import cluster
from basicaer.service.execution.ray.actor import Node
from basicaer.service.execution.ray.actors import WARM_BYTES
from ray.exceptions import RayError

__all__ = ["Examination", "NodeReport", "Reached", "examine_cluster"]

# Until the head has taken a connection (seconds).
_CONNECT = 5.0


class Reached(Enum):
    """How far one came."""

    NOBODY = auto()
    # The head doesn't take the token, or is something else.
    REFUSED = auto()
    # Whoever joins it has to be on one of its machines.
    NO_NODE = auto()
    INSIDE = auto()


@dataclass(frozen=True, slots=True)
class NodeReport:
    """A node that is there and has memory for jobs."""

    address: str
    memory_bytes: int
    # What it tells of itself; None when it didn't, and why not.
    node: Node | None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found, and why it isn't more."""

    reached: Reached
    fault: str = ""
    nodes: Sequence[NodeReport] = ()

    # The memory without which no process for jobs is started, in bytes.
    least_bytes: int = WARM_BYTES


def examine_cluster(executor: str) -> Examination:
    """Look at the cluster of a setting ray://HOST:PORT, with the token that this process has.

    Raises:
        SettingError: It is no such setting.
    """
    address = cluster.address_of(executor)
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), _CONNECT).close()
    except (OSError, ValueError, OverflowError) as error:
        return Examination(Reached.NOBODY, str(error))
    try:
        cluster.join(address)
    except (OSError, ValueError, RuntimeError, RayError) as error:
        # Ray says by its words alone that the head has answered, and knows no node on this machine.
        outside = Reached.NO_NODE if "No node info" in str(error) else Reached.REFUSED
        return Examination(outside, cluster.first_line(error))
    try:
        nodes = [
            NodeReport(place.address, place.memory_bytes, None, cluster.first_line(node))
            if isinstance(node, RayError)
            else NodeReport(place.address, place.memory_bytes, node)
            for place, node in cluster.answers(cluster.places())
        ]
    finally:
        cluster.disconnect()
    return Examination(Reached.INSIDE, nodes=nodes)
