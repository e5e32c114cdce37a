"""The one way to a screen: lines of text, none of which can do more than be read.

Names, labels, reasons, messages and versions are somebody's: another user's, or a server's that is not
ours. They come here as they are and leave with escapes for what a terminal would obey, so that no command
has to think of it. A line break in one of them is such a character too, so what is printed as several lines
comes as several lines.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, TextIO

import click
from basicaer.service.printable import printable

__all__ = ["json_text", "say"]

# In a JSON document these can stand in a text alone, and an escape there means the same.
_ESCAPED = re.compile(r"[^ -~]")


def say(*lines: str, stream: TextIO | None = None) -> None:
    """Print lines on stdout, or on another stream."""
    for line in lines or ("",):
        click.echo(printable(line), file=stream)


def json_text(document: Any) -> str:
    """Return a document as one line of JSON, whose texts are what they are, written with escapes where
    needed.

    Numbers that JSON hasn't are written as text, as protobuf does: "NaN", "Infinity", "-Infinity".
    """
    options: dict[str, Any] = {"ensure_ascii": False, "separators": (", ", ": "), "allow_nan": False}
    try:
        text = json.dumps(document, **options)
    except ValueError:
        text = json.dumps(_finite(document), **options)
    return text if text.isprintable() else _ESCAPED.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    return found[0] if found[0].isprintable() else json.dumps(found[0])[1:-1]


def _finite(value: Any) -> Any:
    """Return a document with words for the numbers that JSON hasn't."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value
