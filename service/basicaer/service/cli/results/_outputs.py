"""A program's typed outputs, for people and for machines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from basicaer.service.printable import printable

if TYPE_CHECKING:
    from basicaer.client import Output, Outputs

__all__ = ["output_dict", "output_labels"]

_LONGEST_CELL = 40
_TEXTS: dict[str, Callable[[Any], str]] = {
    "bool": lambda value: "true" if value else "false",
    "float": lambda value: f"{value:.10g}",
    "angle": lambda value: f"{value:.10g}",
    "complex": lambda value: f"{value.real:.10g}{value.imag:+.10g}i",
}


def output_dict(outputs: Outputs, *, has_memory: bool) -> dict[str, Any]:
    """Return outputs as JSON's types: values of bit[n] as text, complex ones as pairs.

    Counts are of all outputs together; with `has_memory` there are the values of each shot too.
    """
    found: dict[str, Any] = {
        "types": {output.name: output.type for output in outputs.values()},
        "counts": [
            {"values": _named(outputs, values), "count": count} for values, count in outputs.counts.items()
        ],
    }
    if has_memory:
        columns = [output.values.tolist() for output in outputs.values()]
        found["memory"] = [_named(outputs, values) for values in zip(*columns, strict=True)]
    return found


def output_labels(outputs: Outputs, outcomes: Sequence[tuple[Any, ...]]) -> list[str]:
    """Return the outputs' names, and below them values of all of them, in columns."""
    rows = [[printable(output.name) for output in outputs.values()]]
    rows += [list(map(_text, outputs.values(), values)) for values in outcomes]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.rjust, row, widths)) for row in rows]


def _named(outputs: Outputs, values: tuple[Any, ...]) -> dict[str, Any]:
    return {
        output.name: _plain(output, value) for output, value in zip(outputs.values(), values, strict=True)
    }


def _plain(output: Output, value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_plain(output, item) for item in value]
    if output.kind == "complex":
        return [value.real, value.imag]
    return _digits(output, value) if output.kind == "bit" and output.width else value


def _text(output: Output, value: Any) -> str:
    text = _scalar_text(output, value)
    return text if len(text) <= _LONGEST_CELL else text[: _LONGEST_CELL - 1] + "…"


def _scalar_text(output: Output, value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(_scalar_text(output, item) for item in value)}]"
    if output.kind == "bit" and output.width:
        return _digits(output, value)
    return _TEXTS.get(output.kind, str)(value)


def _digits(output: Output, value: int) -> str:
    return format(value, f"0{output.width}b")
