"""One adapter for each program that is measured; none imports its program before a worker asks for it."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from benchmarks.peers.adapters._base import Adapter, Dynamic, Job, Setting, UnsupportedError

__all__ = [
    "COMPILED",
    "OURS",
    "PEERS",
    "Adapter",
    "Dynamic",
    "Job",
    "Setting",
    "UnsupportedError",
    "load",
    "precisions",
]

OURS, COMPILED = "basicaer", "compiled"
PEERS = ("aer", "qulacs", "lightning", "mindquantum", "scaluq", "qibojit", "qevedo", "qsim")


def load(name: str, precision: str, threads: int) -> Adapter:
    """Return the adapter of program `name`, with its library imported and set up.

    Raises `UnsupportedError` when the program has no state vector of `precision` ("double" or "single").
    """
    return _adapter(name)(precision, threads)


def precisions(name: str) -> tuple[str, ...]:
    """Return the precisions in which program `name` has a state vector."""
    return _adapter(name).precisions


def _adapter(name: str) -> type[Adapter]:
    module: Any = import_module(f"benchmarks.peers.adapters._{name}")
    adapter: type[Adapter] = module.ADAPTER
    return adapter
