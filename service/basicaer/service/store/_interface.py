"""What the jobs layer asks of a store."""

from __future__ import annotations

from typing import Protocol

__all__ = ["JobStore"]


class JobStore(Protocol):
    """Keeps jobs. The JobManager opens and closes it."""
