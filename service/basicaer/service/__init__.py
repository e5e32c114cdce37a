"""The service: `doors` (edge) over `jobs` (states, order, events) over `store` and `execution`."""

from __future__ import annotations

import functools
import os
import socket

__all__ = ["process_name", "version"]


def process_name() -> str:
    """Return this process' name among all that share a database: HOST:PID."""
    return f"{socket.gethostname()}:{os.getpid()}"


@functools.cache
def version() -> str:
    """Return the version of the installed distribution."""
    # Only here: its import takes longer than all that `basicaer --help` does.
    from importlib import metadata

    return metadata.version("basicaer")
