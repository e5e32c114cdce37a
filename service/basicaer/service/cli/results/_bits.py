"""How often detectors fire and observables flip, for people and for machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from basicaer.service.cli import _text

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["bit_lines", "bit_rates"]


def bit_rates(bits: npt.NDArray[np.bool_]) -> dict[str, Any]:
    """Return how often each bit is 1, in JSON's types. `bits` is of shape (shots, number)."""
    return {"counts": bits.sum(axis=0).tolist(), "rates": bits.mean(axis=0).tolist()}


def bit_lines(
    name: str, bits: npt.NDArray[np.bool_], *, top: int, width: int, blocks: bool = True
) -> list[str]:
    """Return the `top` bits that are most often 1, the most frequent first, with counts, shares and bars."""
    shots, number = bits.shape
    counts = bits.sum(axis=0)
    any_of = int(bits.any(axis=1).sum())
    mean = _share(int(counts.sum()), shots * number)
    heading = (
        f"{name}: {number:,}, each of which is 1 in {mean} of the shots in the mean, and at least one in"
        f" {_share(any_of, shots)}"
    )
    ranked = sorted(range(number), key=lambda place: -int(counts[place]))
    shown = ranked[:top]
    label_width = max([len("number"), *(len(f"{place:,}") for place in shown)])
    most = max(1, int(counts[ranked[0]]))
    count_width = max(len("count"), len(f"{most:,}"))
    lines = [heading]
    if shown:
        lines.append(f"{'number':>{label_width}}  {'count':>{count_width}}    share")
    for place in shown:
        count = int(counts[place])
        drawn = _text.bar(count / most, max(width - label_width - count_width - 16, 8), blocks=blocks)
        line = f"{place:>{label_width},}  {count:>{count_width},}  {_share(count, shots):>8}  {drawn}"
        lines.append(line.rstrip())
    if number > len(shown):
        lines.append(f"… and {number - len(shown):,} more")
    return lines


def _share(count: int, total: int) -> str:
    return f"{100 * count / total:.3g} %"
