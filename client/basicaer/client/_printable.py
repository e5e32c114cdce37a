"""Text of anybody's, as a person may see it in an error, whatever a server or another user put there."""

from __future__ import annotations

__all__ = ["printable"]


def printable(text: str, keep: str = "") -> str:
    r"""Return a text with escapes such as ``\x1b`` for what Python doesn't call printable, but for `keep`.

    So that no control character, and none that turns the direction of writing, gets to a terminal or a log.
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in keep else ascii(one)[1:-1] for one in text)
