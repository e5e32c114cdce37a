"""`basicaer export`: a circuit from a file as OpenQASM 3."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

import click
from basicaer.service.cli._errors import CommandError, fail

if TYPE_CHECKING:
    from basicaer.v1 import circuit_pb2

__all__ = ["circuit_in", "export"]

# Of a text of one's own: as many as a circuit may have in the contract's largest message.
_MOST_INSTRUCTIONS = 10_000_000


@click.command()
@click.argument("file", type=click.File(encoding="utf-8"))
def export(file: TextIO) -> None:
    """Print the circuit in FILE ("-" is standard input) as OpenQASM 3. No server is needed.

    FILE is OpenQASM 2, or a circuit of the contract as JSON, such as
    {"numQubits": 1, "operations": [{"name": "h"}], "body": {"operations": [0], "qubits": [0]}}.
    Of OpenQASM 3 it prints what a server makes of it: subroutines and most loops are written out.

    What OpenQASM 3 can't say is refused by name, with exit status 1; docs/openqasm3.md lists it.

    \b
        basicaer export examples/shell/bell.qasm
        basicaer export old.qasm > new.qasm && basicaer run new.qasm
    """
    from basicaer.client import CircuitError
    from basicaer.client.openqasm3 import dumps

    circuit = circuit_in(file)
    try:
        # As it is: a histogram's escapes have no place in a program.
        click.echo(dumps(circuit), nl=False)
    except CircuitError as error:
        fail(f"{file.name}: {error}")


def circuit_in(file: TextIO) -> circuit_pb2.Circuit:
    """Return the circuit that a file holds: OpenQASM, or the contract's message as JSON.

    What is none ends the command with exit status 1, and with its place.
    """
    try:
        text = file.read()
    except UnicodeDecodeError as error:
        fail(f"{file.name} is not text in UTF-8: {error}")
    is_json = text.lstrip().startswith("{")
    return _from_json(text, file.name) if is_json else _from_text(text, file.name)


def _from_json(text: str, name: str) -> circuit_pb2.Circuit:
    from basicaer.v1 import circuit_pb2
    from google.protobuf import json_format

    try:
        return json_format.Parse(text, circuit_pb2.Circuit())
    except json_format.ParseError as error:
        fail(f"{name} is no circuit as JSON: {error}")


def _from_text(text: str, name: str) -> circuit_pb2.Circuit:
    from basicaer.client import Program
    from basicaer.service.parsing import ProgramFault, text_of

    found = text_of(Program(text).to_message())
    assert found is not None
    language, text = found
    try:
        return language.parse(text, max_bytes=len(text.encode()), max_instructions=_MOST_INSTRUCTIONS)
    except ProgramFault as fault:
        where = fault.where
        place = ":".join(str(part) for part in (name, where and where.line, where and where.column) if part)
        raise CommandError(f"{place}: {fault.message}") from fault
