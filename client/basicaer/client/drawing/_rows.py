"""Lines of text: one for each qubit, and between two of them one for what joins these."""

from __future__ import annotations

from collections.abc import Sequence

from basicaer.client.drawing._pieces import Piece

__all__ = ["rows"]


def rows(names: Sequence[str], columns: Sequence[Sequence[Piece]], width: int | None) -> list[str]:
    """Return the lines of a picture; what doesn't fit in `width` characters goes on below, behind a blank
    line.
    """
    margin = max(map(len, names), default=0) + 2
    heads = [f"{name}:".ljust(margin) for name in names]
    lines: list[str] = []
    rest = [_Column(column) for column in columns]
    while True:
        part: list[_Column] = []
        used = margin + 1
        while rest and (not part or width is None or used + rest[0].width + 1 <= width):
            used += rest[0].width + 1
            part.append(rest.pop(0))
        lines += _part(heads, part, margin)
        if not rest:
            return lines
        lines.append("")


class _Column:
    """One column: labels on qubits, and the qubits whose wires a line crosses or leaves downwards."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self.labels = {qubit: label for piece in pieces for qubit, label in piece.labels.items()}
        self.width = max(map(len, self.labels.values()))
        self.crossed: set[int] = set()
        self.below: set[int] = set()
        for piece in pieces:
            if piece.is_joined:
                first, last = min(piece.labels), max(piece.labels)
                self.crossed.update(range(first, last))
                self.below.update(range(first, last))
        self.crossed -= self.labels.keys()

    def on(self, qubit: int) -> str:
        """Return its part of a qubit's line."""
        label = self.labels.get(qubit) or ("┼" if qubit in self.crossed else "")
        return _centred(label, self.width)

    def under(self, qubit: int) -> str:
        """Return its part of the line below."""
        # Where a label of one character stands when it is centred.
        return ("│" if qubit in self.below else "").center(self.width)


def _centred(label: str, width: int) -> str:
    if label[:1] in ("╟", "╫"):
        return label.ljust(width, "─")
    room = width - len(label)
    # As str.center does it, so that lines meet.
    left = room // 2 + (room & width & 1)
    return "─" * left + label + "─" * (room - left)


def _part(heads: Sequence[str], columns: Sequence[_Column], margin: int) -> list[str]:
    lines: list[str] = []
    for qubit, head in enumerate(heads):
        lines.append(head + "─" + "─".join(column.on(qubit) for column in columns) + "─")
        under = " " * (margin + 1) + " ".join(column.under(qubit) for column in columns)
        if under.strip():
            lines.append(under.rstrip())
    return lines
