"""A figure, its bound, and how both are printed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measured value beside the bound that the project sets itself."""

    name: str
    measured: str
    bound: str
    holds: bool

    def row(self) -> str:
        """Return the figure as a line of the report."""
        return f"{'ok  ' if self.holds else 'MISS'}  {self.name:<58} {self.measured:<44} {self.bound}"
