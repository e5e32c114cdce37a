"""Numbers and bars as plain text: histograms, amplitudes, tables. No terminal is needed for any of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TextIO, TypeVar

from basicaer.service.printable import printable

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = [
    "amplitudes",
    "bar",
    "days",
    "duration",
    "histogram",
    "likeliest",
    "matrix",
    "size",
    "supports_blocks",
    "table",
]

_Key = TypeVar("_Key")

_EIGHTHS = " ▏▎▍▌▋▊▉█"


def supports_blocks(stream: TextIO) -> bool:
    """Return whether the stream's encoding has the characters that bars are drawn with."""
    try:
        _EIGHTHS.encode(stream.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def bar(fraction: float, width: int, *, blocks: bool = True) -> str:
    """Return a bar for a fraction from 0 to 1, at most `width` characters long, without padding."""
    fraction = min(max(fraction, 0.0), 1.0)
    if not blocks:
        return "#" * round(fraction * width)
    eighths = round(fraction * width * 8)
    full, rest = divmod(eighths, 8)
    return _EIGHTHS[8] * full + (_EIGHTHS[rest] if rest else "")


def histogram(
    counts: Mapping[_Key, int],
    label: Callable[[Sequence[_Key]], Sequence[str]],
    *,
    top: int,
    width: int,
    blocks: bool = True,
) -> list[str]:
    """Return the `top` most frequent outcomes, the most frequent first, with counts, shares and bars.

    `label` gives a heading and, below it, the texts of outcomes. `width` is that of a line. Bars are scaled
    to the most frequent outcome. What is left out is summed up in a last line.
    """
    total = sum(counts.values())
    if not total:
        return ["no outcomes"]
    ranked = sorted(counts.items(), key=lambda item: -item[1])
    shown, rest = ranked[:top], ranked[top:]
    most = ranked[0][1]
    heading, *labels = label([outcome for outcome, _ in shown])
    outcome_width = max(map(len, (heading, *labels)))
    count_width = max(len("count"), len(f"{most:,}"))
    bar_width = max(width - outcome_width - count_width - 15, 8)
    lines = [f"{heading:>{outcome_width}}  {'count':>{count_width}}    share"] if shown else []
    for outcome, (_, count) in zip(labels, shown, strict=True):
        drawn = bar(count / most, bar_width, blocks=blocks)
        line = f"{outcome:>{outcome_width}}  {count:>{count_width},}  {100 * count / total:>5.1f} %  {drawn}"
        lines.append(line.rstrip())
    if rest:
        count = sum(count for _, count in rest)
        lines.append(f"… and {len(rest):,} more, with {count:,} counts ({100 * count / total:.1f} %)")
    return lines


def likeliest(probabilities: npt.NDArray[np.floating], top: int) -> npt.NDArray[np.intp]:
    """Return the indices of the `top` largest, the largest first, without those that are zero."""
    import numpy as np

    top = min(max(top, 1), probabilities.size)
    # A full sort of 2^28 numbers would take half a minute.
    largest = np.argpartition(probabilities, probabilities.size - top)[probabilities.size - top :]
    largest = largest[np.lexsort((largest, -probabilities[largest]))]
    found: npt.NDArray[np.intp] = largest[probabilities[largest] > 0]
    return found


def amplitudes(
    state: npt.NDArray[np.complexfloating], *, top: int, width: int, blocks: bool = True
) -> list[str]:
    """Return the `top` largest of a state's 2^n amplitudes, by basis state, with probability and bar."""
    import numpy as np

    qubits = max(state.size.bit_length() - 1, 1)
    probabilities = np.abs(state) ** 2
    largest = likeliest(probabilities, top)
    most = float(probabilities[largest[0]]) if largest.size else 1.0
    state_width = max(qubits + 2, len("state"))
    bar_width = max(width - state_width - 35, 8)
    lines = [f"{'state':>{state_width}}  {'amplitude':<22}  probability"]
    for index in largest:
        value, probability = complex(state[index]), float(probabilities[index])
        label = f"|{index:0{qubits}b}>"
        drawn = bar(probability / most, bar_width, blocks=blocks)
        line = f"{label:>{state_width}}  {_complex(value):<22}  {100 * probability:>5.1f} %  {drawn}"
        lines.append(line.rstrip())
    rest = int(np.count_nonzero(probabilities)) - largest.size
    if rest > 0:
        share = max(float(probabilities.sum() - probabilities[largest].sum()), 0.0)
        lines.append(f"… and {rest:,} more, with probability {100 * share:.1f} %")
    return lines


def _complex(value: complex) -> str:
    return f"{value.real:+.6f} {'-' if value.imag < 0 else '+'} {abs(value.imag):.6f}i"


def matrix(values: npt.NDArray[np.complexfloating], *, largest: int = 8) -> list[str]:
    """Return a square matrix row by row, or only its size when it has more than `largest` rows."""
    rows, columns = values.shape
    if rows > largest:
        return [f"a unitary of {rows:,} x {columns:,} (--json or --save gives its elements)"]
    return ["  ".join(f"{value.real:+.3f}{value.imag:+.3f}i" for value in row) for row in values.tolist()]


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return rows in columns that are as wide as they need to be once they are printed."""
    cells = [tuple(printable(text) for text in row) for row in (headings, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(headings))]
    padded = ([text.ljust(width) for text, width in zip(row, widths, strict=True)] for row in cells)
    return ["  ".join(row).rstrip() for row in padded]


def duration(seconds: float) -> str:
    """Return a time as people say it: 4.2 ms, 3.1 s, 2 min 5 s."""
    if seconds < 1:
        return f"{seconds * 1e3:.1f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def size(number: float) -> str:
    """Return bytes in the unit that suits: 512 B, 1.5 MiB."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if number < 1024:
            return f"{number:.0f} B" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} TiB"


def days(seconds: float) -> str:
    """Return a long time in days, a shorter one as `duration` does."""
    return f"{seconds / 86_400:g} days" if seconds >= 86_400 else duration(seconds)
