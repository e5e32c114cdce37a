"""`basicaer draw`: a circuit from a file as a picture."""

from __future__ import annotations

import shutil
import sys
from typing import TextIO

import click
from basicaer.service.cli._errors import fail
from basicaer.service.cli._text import supports_blocks
from basicaer.service.cli.commands._export import circuit_in
from basicaer.service.printable import printable

__all__ = ["draw"]

_PLAIN = str.maketrans("─│┼●○×╟╫╢░→†√π⟩·…", "-|+@ox[/]!>'vp>*~")
"""What stands for a picture's characters where a terminal has ASCII alone."""


@click.command()
@click.argument("file", type=click.File(encoding="utf-8"))
@click.option(
    "--width", type=click.IntRange(min=20), help="Characters a line.  [default: the terminal's, or 100]"
)
@click.option(
    "--most",
    type=click.IntRange(min=0),
    default=1000,
    show_default=True,
    help="How many instructions are drawn at most.",
)
def draw(file: TextIO, width: int | None, most: int) -> None:
    """Show the circuit in FILE ("-" is standard input) as a picture. No server is needed.

    FILE is OpenQASM 2 or 3, or a circuit of the contract as JSON. Time goes to the right: ● is a control,
    ○ one on 0, M→c[0] a measurement, ░ a barrier; blocks of control flow stand between ╟ and ╢. Of
    OpenQASM 3 it shows what a server makes of it: subroutines and most loops are written out.

    \b
        basicaer draw examples/shell/bell.qasm
        basicaer draw examples/shell/grover.qasm --width 200 | less -S
    """
    from basicaer.client import CircuitError
    from basicaer.client.drawing import draw as drawn

    circuit = circuit_in(file)
    try:
        text = drawn(circuit, width=width or shutil.get_terminal_size((100, 24)).columns, most=most)
    except CircuitError as error:
        fail(f"{file.name}: {error}")
    text = printable(text, "\n")
    click.echo(text if supports_blocks(sys.stdout) else text.translate(_PLAIN))
