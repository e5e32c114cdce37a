"""One adapter for each program that is measured; none imports its program before a worker asks for it."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from benchmarks.peers.adapters._base import Adapter, Dynamic, Job, Setting, Unsupported

__all__ = ["OURS", "PEERS", "Adapter", "Dynamic", "Job", "Setting", "Unsupported", "load"]

OURS = "basicaer"
PEERS = ("aer", "qulacs", "lightning", "mindquantum", "scaluq", "qibojit", "qevedo", "qsim")


def load(name: str, precision: str, threads: int) -> Adapter:
    """The adapter of program `name`, with its library imported and set up.

    Raises `Unsupported` when the program has no state vector of `precision` ("double" or "single").
    """
    module: Any = import_module(f"benchmarks.peers.adapters._{name}")
    adapter: Adapter = module.ADAPTER(precision, threads)
    return adapter
