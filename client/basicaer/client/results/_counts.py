"""Outcomes as Qiskit's users read them: bit strings with a space between registers, or hexadecimal text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from basicaer.client._errors import ResultError

__all__ = ["Counts", "format_outcome", "integers_from_words"]


class Counts(dict[str, int]):
    """How often each outcome was seen, by its bit string.

    Bit 0 is the rightmost character; the first register is the rightmost group.
    """

    def __init__(
        self,
        data: Mapping[str, float] | Mapping[int, float],
        time_taken: float | None = None,
        creg_sizes: Sequence[Sequence[str | int]] | None = None,
        memory_slots: int | None = None,
    ) -> None:
        """Take outcomes as integers, as hexadecimal text ("0x2") or as ready bit strings."""
        sizes = [int(size) for _, size in creg_sizes or ()]
        named: dict[str, Any] = {}
        for key, count in data.items():
            value = _integer(key)
            text = key if isinstance(key, str) and not key.startswith(("0x", "0b")) else None
            name = text or format_outcome(value, memory_slots or 0, sizes)
            named[name] = count
        super().__init__(named)
        self.time_taken = time_taken
        self.creg_sizes = creg_sizes
        self.memory_slots = memory_slots

    def most_frequent(self) -> str:
        """Return the outcome that was seen most often.

        Raises:
            ResultError: There is none, or there are several.
        """
        if not self:
            raise ResultError("Can not return a most frequent count on an empty object")
        most = max(self.values())
        outcomes = [outcome for outcome, count in self.items() if count == most]
        if len(outcomes) > 1:
            raise ResultError(f"Multiple values have the same maximum counts: {','.join(outcomes)}.")
        return outcomes[0]

    def int_outcomes(self) -> dict[int, int]:
        """Return the counts by integers."""
        return {_integer(outcome): count for outcome, count in self.items()}

    def hex_outcomes(self) -> dict[str, int]:
        """Return the counts by hexadecimal text."""
        return {hex(_integer(outcome)): count for outcome, count in self.items()}

    def shots(self) -> int:
        """Return the sum of the counts."""
        return sum(self.values())


def format_outcome(value: int, width: int, sizes: Sequence[int] = ()) -> str:
    """Return an outcome as bits, at least `width` of them, the last register first.

    Registers that don't make up the outcome exactly, because they overlap or leave bits out, set no spaces.
    """
    bits = format(value, f"0{width}b") if width else format(value, "b")
    if len(sizes) < 2 or sum(sizes) != len(bits):
        return bits
    groups, end = [], len(bits)
    for size in sizes:
        groups.append(bits[end - size : end])
        end -= size
    return " ".join(reversed(groups))


def integers_from_words(words: npt.NDArray[np.uint64]) -> Iterator[int]:
    """Yield rows of 64-bit words, the least significant first, as integers of any size."""
    if words.shape[1] == 1:
        yield from words[:, 0].tolist()
        return
    for row in words.astype("<u8"):
        yield int.from_bytes(row.tobytes(), "little")


def format_outcomes(values: Iterable[int], width: int, sizes: Sequence[int]) -> list[str]:
    """Return many outcomes as bits; each distinct one is formatted once."""
    known: dict[int, str] = {}
    texts = []
    for value in values:
        text = known.get(value)
        if text is None:
            text = known[value] = format_outcome(value, width, sizes)
        texts.append(text)
    return texts


def _integer(key: str | int) -> int:
    if isinstance(key, int):
        return key
    if key.startswith(("0x", "0b")):
        return int(key, 0)
    return int(key.replace(" ", ""), 2)
