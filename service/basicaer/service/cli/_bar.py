"""How far a command is, drawn over the line that will tell its outcome."""

from __future__ import annotations

import sys

import click

__all__ = ["Bar"]


class Bar:
    """On standard error, and on a terminal alone."""

    def __init__(self, name: str) -> None:
        """`name` says what is done."""
        self._name = name
        self._shown = ""

    def show(self, fraction: float, told: str) -> None:
        """Tell how much of all is done, from 0 to 1, and so in words."""
        line = f"{self._name}  {'#' * int(30 * fraction):.<30} {told}"
        if sys.stderr.isatty() and line != self._shown:
            self._shown = line
            click.echo(f"\r{line}", nl=False, err=True)

    def clear(self) -> None:
        """Give the line back."""
        if self._shown:
            click.echo(f"\r{' ' * len(self._shown)}\r", nl=False, err=True)
