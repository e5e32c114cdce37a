"""Where pieces stand: in columns, each as early as what lies on its wires allows."""

from __future__ import annotations

from collections.abc import Iterable

from basicaer.client.drawing._pieces import Piece

__all__ = ["placed"]


def placed(pieces: Iterable[Piece], num_qubits: int) -> list[list[Piece]]:
    """Return the pieces of each column. Those of one column have no wire in common, and no line crosses."""
    columns: list[list[Piece]] = []
    free = [0] * num_qubits
    for piece in pieces:
        if not piece.labels:
            continue
        first, last = min(piece.labels), max(piece.labels)
        wires = range(first, last + 1) if piece.is_joined else piece.labels
        column = max(free[wire] for wire in wires)
        if column == len(columns):
            columns.append([])
        columns[column].append(piece)
        for wire in wires:
            free[wire] = column + 1
    return columns
