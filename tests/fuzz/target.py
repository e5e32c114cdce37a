"""What is fuzzed: a function of bytes, inputs to begin with, and a way to change one and keep its sense."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from random import Random
from typing import Any

__all__ = ["Target"]


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
