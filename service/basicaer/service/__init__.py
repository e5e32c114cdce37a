"""The service: `rpc` (edge) over `jobs` (states, order, events) over `store` and `execution`."""

from __future__ import annotations

import functools

__all__ = ["version"]


@functools.cache
def version() -> str:
    """Return the version of the installed distribution."""
    # Only here: its import takes longer than all that `basicaer --help` does.
    from importlib import metadata

    return metadata.version("basicaer")
