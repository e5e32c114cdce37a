"""Ranks on threads of this process, connected by real sockets."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from basicaer.simulator import distributed

__all__ = ["on_ranks"]

_T = TypeVar("_T")


def on_ranks(
    size: int,
    do: Callable[[distributed.Mesh], _T],
    *,
    secret_of: Callable[[int], bytes] | None = None,
    tls: Callable[[int], distributed.TlsContexts] | None = None,
    host: str = "127.0.0.1",
    timeout: float = 30.0,
) -> list[_T]:
    """What `do` returns on each of the ranks; the first of their errors is raised when all have ended."""
    listeners = [distributed.listen("127.0.0.1") for _ in range(size)]
    addresses = [(host, port) for _, port in listeners]
    secret = secrets.token_bytes(32)

    def one(rank: int) -> _T:
        own = secret if secret_of is None else secret_of(rank)
        its = None if tls is None else tls(rank)
        mesh = distributed.Mesh.connect(rank, addresses, listeners[rank][0], own, timeout, its)
        try:
            return do(mesh)
        finally:
            mesh.close()

    with ThreadPoolExecutor(size) as pool:
        waiting = [pool.submit(one, rank) for rank in range(size)]
    return [each.result() for each in waiting]
