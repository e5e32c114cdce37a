"""What commands print: results for people, and everything for machines as JSON."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click
from basicaer.service.cli import _text

if TYPE_CHECKING:
    from basicaer.client import ExperimentResult, Result
    from google.protobuf.message import Message

__all__ = ["json_option", "plain", "print_json", "result_dict", "result_text", "save_arrays", "top_option"]

_Command = TypeVar("_Command", bound=Callable[..., Any])
_WIDEST = 100
# What the backends return; everything else is a name that a circuit has given.
_OWN = ("counts", "memory", "statevector", "unitary")


def json_option(command: _Command) -> _Command:
    """Add --json to a command."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for machines.")(command)


def top_option(command: _Command) -> _Command:
    """Add --top to a command that shows results."""
    return click.option(
        "--top",
        type=click.IntRange(min=0),
        default=16,
        show_default=True,
        help="How many outcomes or amplitudes are shown, the most frequent first.",
    )(command)


def print_json(document: Any) -> None:
    """Print a document in one line."""
    click.echo(json.dumps(document, ensure_ascii=False, separators=(", ", ": ")))


def plain(message: Message) -> dict[str, Any]:
    """Return a message as JSON's types: the proto's field names, enums without their prefix, numbers as
    numbers.

    (protobuf's own JSON writes 64-bit numbers as text and enums with their prefix.) Unset fields are left
    out.
    """
    from google.protobuf import json_format

    found: dict[str, Any] = {}
    for field, value in message.ListFields():
        nested = field.message_type
        if nested is not None and nested.GetOptions().map_entry:
            found[field.name] = dict(value)
        elif nested is not None:
            convert = json_format.MessageToDict if nested.full_name.startswith("google.protobuf.") else plain
            found[field.name] = [convert(item) for item in value] if field.is_repeated else convert(value)
        elif field.enum_type is not None:
            names = field.enum_type.values_by_number
            prefix = names[0].name.removesuffix("UNSPECIFIED")
            found[field.name] = names[value].name.removeprefix(prefix) if value in names else value
        else:
            found[field.name] = list(value) if field.is_repeated else value
    return found


def result_dict(result: Result) -> dict[str, Any]:
    """Return a result with counts by bit strings, and amplitudes as pairs of real and imaginary part."""
    return {
        "job_id": result.job_id,
        "backend": result.backend_name,
        "backend_version": result.backend_version,
        "success": result.success,
        "time_taken": result.time_taken,
        "programs": [_program_dict(result, index, program) for index, program in enumerate(result.results)],
    }


def _counts(result: Result, index: int) -> dict[str, int]:
    # With an index it is one program's, which the client's signature can't say.
    return cast("dict[str, int]", result.get_counts(index))


def _program_dict(result: Result, index: int, program: ExperimentResult) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": program.header.name,
        "status": program.status,
        "shots": program.shots,
        "seed": program.seed,
        "time_taken": program.time_taken,
    }
    if program.error is not None:
        found["error"] = {"reason": program.error.reason, "message": program.error.message}
        return found
    names = program.data.names()
    if "counts" in names:
        found["counts"] = _counts(result, index)
    if "memory" in names:
        found["memory"] = result.get_memory(index)
    for name in ("statevector", "unitary"):
        if name in names:
            found[name] = _plain(program.data.get(name))
    saved = {name: _plain(program.data.get(name)) for name in names if name not in _OWN}
    if saved:
        found["arrays"] = saved
    return found


def _plain(values: Any) -> Any:
    """Return an array as lists, with pairs for complex numbers."""
    if values.dtype.kind == "c":
        values = values.view(values.real.dtype).reshape(*values.shape, 2)
    return values.tolist()


def result_text(result: Result, top: int) -> str:
    """Return a result as a person wants to see it: a histogram, the largest amplitudes, or a small matrix."""
    width = min(shutil.get_terminal_size().columns, _WIDEST)
    several = len(result.results) > 1
    pieces = []
    for index, program in enumerate(result.results):
        title = f"program {index} ({program.header.name})\n" if several else ""
        pieces.append(title + _program_text(result, index, program, top, width))
    return "\n\n".join(pieces)


def _program_text(result: Result, index: int, program: ExperimentResult, top: int, width: int) -> str:
    if program.error is not None:
        return f"{program.status.lower()}: {program.error.message}"
    names = program.data.names()
    blocks = _text.supports_blocks(sys.stdout)
    pieces = []
    if "statevector" in names:
        pieces.append(_text.amplitudes(program.data.statevector, top=top, width=width, blocks=blocks))
    if "unitary" in names:
        pieces.append(_text.matrix(program.data.unitary))
    if "counts" in names:
        counts = _counts(result, index)
        pieces.append(_text.histogram(counts, top=top, width=width, blocks=blocks))
    pieces.extend(f"{name}: {program.data.get(name)}" for name in names if name not in _OWN)
    return "\n\n".join(pieces) or "no data: the program measures nothing, and this backend returns no state"


def save_arrays(result: Result, path: str) -> None:
    """Write every array and all counts of a result into one .npz file, named "0/statevector" and so on."""
    import numpy as np

    arrays: dict[str, Any] = {}
    for index, program in enumerate(result.results):
        for name in () if program.error is not None else program.data.names():
            if name == "counts":
                counts = _counts(result, index)
                arrays[f"{index}/outcomes"] = np.array(list(counts), str)
                arrays[f"{index}/counts"] = np.array(list(counts.values()), np.int64)
            elif name == "memory":
                arrays[f"{index}/memory"] = np.array(result.get_memory(index), str)
            else:
                arrays[f"{index}/{name}"] = program.data.get(name)
    with click.open_file(path, "wb") as file:
        np.savez(file, **arrays)
