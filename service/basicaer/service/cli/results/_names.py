"""What a program's data are called, and its counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from basicaer.client import Result

__all__ = ["OWN", "counts_of"]

# What the backends return; everything else is a name that a circuit has given.
OWN = ("counts", "memory", "statevector", "unitary")


def counts_of(result: Result, index: int) -> dict[str, int]:
    # With an index it is one program's, which the client's signature can't say.
    return cast("dict[str, int]", result.get_counts(index))
