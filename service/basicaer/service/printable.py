"""Text of anybody's, as a person may see it: what would move a terminal's cursor, colour it, turn the order
of its letters round or begin another line is shown as an escape instead.

Whatever the server or the command line tells a person goes through here, once, at the edge: an error's
message when it is made, a line of the log, a line on the screen. What is for programs keeps the text as it
is.
"""

from __future__ import annotations

__all__ = ["printable"]


def printable(text: str, keep: str = "") -> str:
    r"""Return a text with escapes such as ``\x1b`` and ``\u202e`` for what Python doesn't call printable.

    That is: control characters (C0, DEL, C1), those that set the direction of writing or have no width,
    separators of lines and paragraphs, halves of surrogate pairs, spaces that aren't the usual one, and what
    no character is assigned to. One of `keep` stays. What is escaped already stays as it is.
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in keep else ascii(one)[1:-1] for one in text)
