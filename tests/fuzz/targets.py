"""What is fuzzed: functions of bytes, with inputs to begin with and a way to change one and keep its sense.

Each is imported when it is wanted: a fuzzer has to watch what it needs alone.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from random import Random
from typing import Any

__all__ = ["TARGETS", "Target", "find"]

TARGETS = (
    "command",
    "extremes",
    "headers",
    "openqasm2",
    "openqasm3",
    "page",
    "responses",
    "settings",
    "specs",
    "stim",
    "web",
    "wire",
)
"""All of them, by the names of their modules."""


@dataclass(frozen=True, slots=True)
class Target:
    """One thing that is given any bytes whatever.

    `run` returns when they were handled as they should be, and raises whatever it likes when they were not.
    `seeds` makes the inputs to begin with. `mutate` makes another input of one. `around` holds what the runs
    share, such as a server. `words` are for a fuzzer that knows nothing of the format.
    """

    name: str
    run: Callable[[bytes], None]
    seeds: Callable[[], Sequence[bytes]]
    mutate: Callable[[bytes, Random], bytes]
    words: Sequence[str] = ()
    around: Callable[[], AbstractContextManager[Any]] = nullcontext


def find(name: str) -> Target:
    """Returns a target of `TARGETS`, which is a module's constant."""
    found = getattr(importlib.import_module(f"tests.fuzz.{name}"), name.upper())
    assert isinstance(found, Target)
    return found
