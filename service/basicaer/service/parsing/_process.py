"""A parser process, started by `Parsers` with its server's process id and the most memory in bytes."""

from __future__ import annotations

import sys

from basicaer.service.parsing._answers import answer
from basicaer.service.parsing._faults import takes_too_much_memory
from basicaer.service.parsing._languages import LANGUAGES
from basicaer.service.parsing._serving import serve

__all__ = ["main"]


def main(server: int, most_memory: int) -> None:
    """Parse texts until standard input ends."""
    serve(server, most_memory, _load, answer, takes_too_much_memory(most_memory, "MemoryError"))


def _load() -> None:
    for language in LANGUAGES.values():
        language.load()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
