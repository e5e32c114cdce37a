"""What is wrong with a program, or doubtful, as compilers tell it: in colours on a terminal."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, TextIO

from basicaer.service.cli._errors import CommandError
from basicaer.service.cli._say import say

if TYPE_CHECKING:
    from basicaer.client import Diagnostics

__all__ = ["mistakes_told", "show", "summary"]

_STYLES = {
    "place": "bold",
    "error": "bold red",
    "warning": "bold yellow",
    "message": "bold",
    "caret": "bold green",
    "note": "bold cyan",
}


def show(found: Diagnostics, text: str, name: str, stream: TextIO) -> None:
    """Print diagnostics of the text of a file."""
    for each in found:
        if stream.isatty():
            from rich.console import Console
            from rich.text import Text

            pieces = [(piece, _STYLES.get(kind, "")) for kind, piece in each.pieces(text, name)]
            Console(file=stream, highlight=False).print(Text.assemble(*pieces), end="", soft_wrap=True)
        else:
            say(*each.render(text, name).rstrip("\n").split("\n"), stream=stream)
    if found.left_out:
        say(f"… and {found.left_out:,} more", stream=stream)


def summary(found: Diagnostics) -> str:
    """Return how many diagnostics there are: "2 errors, 1 warning"."""
    counts = {"error": len(found.errors), "warning": len(found.warnings)}
    told = [f"{count} {word}{'s' * (count != 1)}" for word, count in counts.items() if count]
    return ", ".join(told) or "no mistakes"


@contextlib.contextmanager
def mistakes_told(text: str, name: str, stream: TextIO) -> Iterator[None]:
    """Print what a server finds wrong with the text of a file, once what is shown meanwhile is over.

    Raises:
        CommandError: There is something.
    """
    from basicaer.client import ProgramInvalidError, ProgramTooLargeError

    try:
        yield
    except (ProgramInvalidError, ProgramTooLargeError) as error:
        if error.diagnostics:
            show(error.diagnostics, text, name, stream)
            raise CommandError(f"{name}: {summary(error.diagnostics)}") from error
        place = ":".join(str(part) for part in (name, error.line, error.column) if part is not None)
        raise CommandError(f"{place}: {error.message}") from error
