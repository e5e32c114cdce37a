"""`basicaer check`: what is wrong with a program, without running it."""

from __future__ import annotations

import dataclasses
import sys
from typing import TextIO

import click
from basicaer.service.cli._connection import Server, named_server_option
from basicaer.service.cli._diagnostics import mistakes_told, show, summary
from basicaer.service.cli._errors import fail
from basicaer.service.cli._output import json_option, print_json
from basicaer.service.cli._private import connect_or_start
from basicaer.service.cli._programs import backend_option, extern_option, input_option, program_of, read_text
from basicaer.service.cli._say import say

__all__ = ["check"]


@click.command()
@click.argument("file", type=click.File(encoding="utf-8"))
@backend_option
@input_option
@extern_option
@named_server_option("The server to ask.  [default: a private one, which ends with the command]")
@json_option
def check(
    file: TextIO,
    backend: str,
    inputs: dict[str, str],
    externs: dict[str, str],
    server: Server | None,
    as_json: bool,
) -> None:
    """Tell what is wrong with the program in FILE ("-" is standard input).

    Nothing is run. Each mistake is shown as compilers do, by FILE:LINE:COLUMN and the line, and so is each
    warning: what is allowed, and may not mean what it seems to. Of OpenQASM 3 up to 20 mistakes are told at
    once, and none that follows from another; of OpenQASM 2 and of stim's language the first one.

    Exit status: 0 no mistakes (there may be warnings), 1 some, 2 wrong usage, 3 no server.

    \b
        basicaer check program.qasm
        basicaer check program.qasm --backend unitary_simulator
        basicaer check program.qasm --json | jq '.diagnostics[] | [.line, .message]'
    """
    text = read_text(file)
    program = program_of(text, file.name, inputs, externs)
    with mistakes_told(text, file.name, sys.stderr), connect_or_start(server) as connection:
        found = connection.provider.get_backend(backend).check(program)
    if as_json:
        told = [_without_blanks(dataclasses.asdict(each)) for each in found]
        counts = {"errors": len(found.errors), "warnings": len(found.warnings), "left_out": found.left_out}
        print_json({"file": file.name, **counts, "diagnostics": told})
    else:
        show(found, text, file.name, sys.stdout)
    if found.errors:
        fail(f"{file.name}: {summary(found)}")
    if not as_json:
        say(f"{file.name}: {summary(found)}")


def _without_blanks(found: dict[str, object]) -> dict[str, object]:
    # Which of a job's programs it is tells nothing of the one in a file.
    return {name: value for name, value in found.items() if value and name != "program_index"}
