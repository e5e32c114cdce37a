"""A result as lines of text, for people."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from basicaer.service.cli import _text
from basicaer.service.cli.results._bits import bit_lines
from basicaer.service.cli.results._names import OWN, counts_of
from basicaer.service.cli.results._outputs import output_labels

if TYPE_CHECKING:
    from basicaer.client import ExperimentResult, Result

__all__ = ["result_lines"]

_WIDEST = 100


def result_lines(result: Result, top: int) -> list[str]:
    """Return a result as a person wants to see it: a histogram, the largest amplitudes, or a small matrix."""
    width = min(shutil.get_terminal_size().columns, _WIDEST)
    several = len(result.results) > 1
    pieces = []
    for index, program in enumerate(result.results):
        title = [f"program {index} ({program.header.name})"] if several else []
        pieces.append(title + _program_lines(result, index, program, top, width))
    return _apart(pieces)


def _apart(pieces: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of all pieces, with an empty one between two."""
    return [line for number, piece in enumerate(pieces) for line in (("",) * bool(number) + tuple(piece))]


def _program_lines(result: Result, index: int, program: ExperimentResult, top: int, width: int) -> list[str]:
    if program.error is not None:
        return [f"{program.status.lower()}: {' '.join(program.error.message.split())}"]
    names = program.data.names()
    blocks = _text.supports_blocks(sys.stdout)
    pieces: list[list[str]] = []
    if program.data.has_state:
        pieces.append(_text.amplitudes(program.data.statevector, top=top, width=width, blocks=blocks))
    if "unitary" in names:
        pieces.append(_text.matrix(program.data.unitary))
    if "counts" in names:
        outputs = result.get_outputs(index)
        if outputs.is_declared:
            label = partial(output_labels, outputs)
            pieces.append(_text.histogram(outputs.counts, label, top=top, width=width, blocks=blocks))
        else:
            counts = counts_of(result, index)
            pieces.append(_text.histogram(counts, _plain_labels, top=top, width=width, blocks=blocks))
    for name in names:
        if name in program.data.bit_names():
            pieces.append(bit_lines(name, program.data.bits(name), top=top, width=width, blocks=blocks))
        elif name not in OWN or (name == "statevector" and not program.data.has_state):
            first, *others = str(program.data.get(name)).split("\n")
            pieces.append([f"{name}: {first}", *others])
    return _apart(pieces) or ["no data: the program measures nothing, and this backend returns no state"]


def _plain_labels(outcomes: Sequence[str]) -> list[str]:
    return ["outcome", *outcomes]
