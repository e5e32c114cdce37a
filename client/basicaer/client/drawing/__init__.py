"""Circuits as pictures made of text.

`draw` is what programs call, and `layout` those that draw in a way of their own. Of the modules, `_pieces`
knows what an instruction looks like, `_columns` where it stands, and `_rows` how lines are made of that. They
know messages of the contract alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from basicaer.client._errors import CircuitError
from basicaer.client.drawing._columns import placed
from basicaer.client.drawing._pieces import Piece, Pieces
from basicaer.client.drawing._rows import rows
from basicaer.v1 import circuit_pb2 as pb

__all__ = ["Layout", "Piece", "draw", "layout"]


class _HasMessage(Protocol):
    def to_message(self) -> pb.Circuit: ...


class Layout(NamedTuple):
    """A circuit's picture before it is drawn: `columns` of pieces that have no wire in common.

    `phase` is the circuit's global one, or "", `qubits` are names, and `left_out` tells whether there were
    more instructions.
    """

    phase: str
    qubits: Sequence[str]
    columns: Sequence[Sequence[Piece]]
    left_out: bool


def draw(circuit: _HasMessage | pb.Circuit, *, width: int | None = 100, most: int = 1000) -> str:
    """Return a picture of a circuit, time going to the right, without a line break at its end.

    Blocks of control flow stand in brackets. Instructions are drawn as early as their qubits allow.

    Args:
        circuit: A `Circuit`, or the contract's message.
        width: How many characters a line has; what is longer goes on below. None breaks no line.
        most: How many instructions are drawn; the last line tells how many were left out.

    Raises:
        CircuitError: The circuit isn't valid.
        ValueError: `width` leaves no room, or `most` is negative.
    """
    if width is not None and width < 20:
        raise ValueError(f"A picture {width} characters wide has no room for a circuit; 20 are the least.")
    if most < 0:
        raise ValueError(f"There are no {most} instructions to draw.")
    found = layout(circuit, most=most)
    lines = [f"global phase {found.phase}"] if found.phase else []
    lines += rows(found.qubits, found.columns, width)
    if found.left_out:
        lines.append(f"… and more: {most:,} instructions are drawn")
    return "\n".join(lines)


def layout(circuit: _HasMessage | pb.Circuit, *, most: int = 1000) -> Layout:
    """Return where the pieces of a circuit's picture stand.

    Args:
        circuit: A `Circuit`, or the contract's message.
        most: How many instructions are placed.

    Raises:
        CircuitError: The circuit isn't valid.
    """
    message = circuit if isinstance(circuit, pb.Circuit) else circuit.to_message()
    try:
        pieces = Pieces(message, most)
        found = list(pieces.of(message.body))
    except CircuitError:
        raise
    except (IndexError, KeyError, ValueError) as error:
        raise CircuitError(
            f"The circuit isn't valid: it lacks what an instruction names ({error})."
        ) from error
    phase = pieces.number(message.global_phase) if message.global_phase else ""
    return Layout(phase, pieces.qubits, placed(found, len(pieces.qubits)), pieces.left_out)
