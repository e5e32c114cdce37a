"""Sizes and times as people write them: 16GiB, 500ms, 30d, none."""

from __future__ import annotations

import math
import re

__all__ = [
    "format_duration",
    "format_limit",
    "format_size",
    "parse_duration",
    "parse_limit",
    "parse_retention",
    "parse_size",
]

_SIZES = {"": 1, "b": 1, "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}
_SIZES |= {"kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}
_SIZES |= {"k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
_TIMES = {"": 1.0, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_MOST = 10**300
_NUMBER = re.compile(r"\s*([0-9]*\.?[0-9]+)\s*([a-z]*)\s*", re.IGNORECASE)


def _scaled(value: object, units: dict[str, int] | dict[str, float]) -> float | None:
    """Return a text's number in the smallest unit, or a number as it is; None for anything else."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        # Python's integers have no end, and its floats have one.
        number = float(value) if abs(value) < _MOST else math.inf
    else:
        match = _NUMBER.fullmatch(value) if isinstance(value, str) else None
        if match is None or match[2].lower() not in units:
            return None
        number = float(match[1]) * units[match[2].lower()]
    return number if math.isfinite(number) else None


def parse_size(value: object) -> int:
    """Return bytes.

    Raises:
        ValueError: The value is not a size.
    """
    number = _scaled(value, _SIZES)
    if number is None:
        raise ValueError(f"{value!r} is not a size such as 1073741824, 512MiB or 16GiB")
    return int(number)


def parse_duration(value: object) -> float:
    """Return seconds.

    Raises:
        ValueError: The value is not a time.
    """
    number = _scaled(value, _TIMES)
    if number is None:
        raise ValueError(f"{value!r} is not a time such as 500ms, 10s, 12h or 30d")
    return number


def parse_retention(value: object) -> float | None:
    """Return seconds, None for "none".

    Raises:
        ValueError: The value is neither a time nor "none".
    """
    if value is None or (isinstance(value, str) and value.strip().lower() == "none"):
        return None
    return parse_duration(value)


def parse_limit(value: object) -> int | None:
    """Return bytes, None for "none".

    Raises:
        ValueError: The value is neither a size nor "none".
    """
    if value is None or (isinstance(value, str) and value.strip().lower() == "none"):
        return None
    return parse_size(value)


def format_limit(number: int | None) -> str:
    """Return a size as `parse_limit` reads it."""
    return "none" if number is None else format_size(number)


def format_size(number: int) -> str:
    """Return a size in the largest unit that needs no fraction, as `parse_size` reads it."""
    for unit in ("TiB", "GiB", "MiB", "KiB"):
        if number and number % _SIZES[unit.lower()] == 0:
            return f"{number // _SIZES[unit.lower()]}{unit}"
    return str(number)


def format_duration(seconds: float | None) -> str:
    """Return a time as `parse_retention` reads it."""
    if seconds is None:
        return "none"
    for unit in ("d", "h", "min"):
        if seconds and seconds % _TIMES[unit] == 0:
            return f"{seconds / _TIMES[unit]:g}{unit}"
    return f"{seconds:g}s" if seconds >= 1 or not seconds else f"{seconds * 1e3:g}ms"
