"""A program as a command is given it: a file, values of inputs, tables of extern functions, and noise."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import click
from basicaer.service.cli._errors import fail

if TYPE_CHECKING:
    from basicaer.client import NoiseModel, Program
    from basicaer.v1 import job_pb2

__all__ = ["backend_option", "extern_option", "input_option", "noise_of", "pairs", "program_of", "read_text"]

_Command = TypeVar("_Command", bound=Callable[..., Any])


def pairs(ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """Return NAME=VALUE arguments as a dict (a callback of click)."""
    found = {}
    for value in values:
        name, equals, text = value.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"{value!r} is not of the form NAME=VALUE.", ctx, parameter)
        found[name] = text
    return found


def backend_option(command: _Command) -> _Command:
    """Add --backend to a command that takes a program."""
    return click.option(
        "--backend",
        default="qasm_simulator",
        show_default=True,
        metavar="NAME",
        help="What to compute: counts, or the state or matrix of statevector_simulator and "
        "unitary_simulator.",
    )(command)


def extern_option(command: _Command) -> _Command:
    """Add --extern to a command that takes a program."""
    return click.option(
        "--extern",
        "externs",
        multiple=True,
        callback=pairs,
        metavar="NAME=FILE.json",
        help="What a function gives that an OpenQASM 3 text declares as extern: "
        '{"rows": [[argument, value]], "default": value}. May be repeated.',
    )(command)


def input_option(command: _Command) -> _Command:
    """Add --input to a command that takes a program."""
    return click.option(
        "--input",
        "inputs",
        multiple=True,
        callback=pairs,
        metavar="NAME=VALUE",
        help="What an OpenQASM 3 text's input holds: a number (2.5, -3, 1+2i), true, bits in quotes, or for "
        "an array a list such as [1,2]. May be repeated.",
    )(command)


def read_text(file: TextIO) -> str:
    """Return what is in a file.

    Raises:
        CommandError: It is no text.
    """
    try:
        return file.read()
    except UnicodeDecodeError as error:
        fail(f"{file.name} is not text in UTF-8: {error}")


def program_of(
    text: str, name: str, inputs: Mapping[str, str], files: Mapping[str, str]
) -> Program | job_pb2.Program | str:
    """Return the program in a file of this name, with its inputs' values, and tables of functions from files.

    Texts tell their language, but for those that say nothing: a file's name tells stim's.
    """
    if not files and not inputs:
        if name.endswith(".stim"):
            from basicaer.v1 import job_pb2

            return job_pb2.Program(stim=text)
        return text
    from basicaer.client import Extern, Program

    externs = {}
    for name, path in files.items():
        try:
            found = json.loads(Path(path).read_text(encoding="utf-8"))
            rows = found.get("rows", [])
            values: dict[Any, Any] = {tuple(arguments): value for *arguments, value in rows}
            externs[name] = Extern(values, found.get("default"))
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise click.UsageError(f"--extern {name}: {path} isn't such a table: {error}") from None
    return Program(
        text, inputs={name: _value(name, given) for name, given in inputs.items()}, externs=externs
    )


def _value(name: str, text: str) -> Any:
    """Return an input's value; an array as the one row of it."""
    try:
        value = json.loads(text)
    except ValueError:
        try:
            return complex(text.replace("i", "j"))
        except ValueError:
            raise click.UsageError(
                f"--input {name}: {text!r} is no value; give a number, true, false, bits in quotes, or a list"
            ) from None
    return [value] if isinstance(value, list) else value


def noise_of(path: str) -> NoiseModel:
    """Return the noise model in a file, as the contract's JSON."""
    from basicaer.client import NoiseModel, OptionInvalidError

    try:
        return NoiseModel.from_json(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, OptionInvalidError) as error:
        raise click.UsageError(f"--noise: {path} isn't a noise model: {error}") from None
