"""How the server and a parser process, or a checker, talk over its standard input and output.

A message is a few sections of bytes: their number, their lengths, and then themselves.
A request is [b"parse", language, the most instructions, text, externs] or [b"locate", language, an
instruction's number, text, externs], with languages by their field in `Program`, numbers in decimal digits
and externs as a `Program` that has these alone. Its answer is one of

    circuit   1 if the text does nothing or 0, a Circuit without its body, its warnings as Diagnostics, and
              the four columns of its body
    place     a place, as JSON
    fault     what is wrong with the program, as JSON
    defect    a traceback

What a checker is asked and answers is in `execution._checking`; faults and defects are told alike.
Nothing of this can make the reader run anything, as pickles could: the process may be in the hands of a text.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from basicaer.service.parsing._faults import ProgramFault, Where
from basicaer.v1 import circuit_pb2 as pb
from basicaer.v1.diagnostic_pb2 import Diagnostics

__all__ = [
    "Columns",
    "decode_columns",
    "decode_fault",
    "decode_place",
    "encode",
    "encode_columns",
    "encode_fault",
    "encode_place",
    "read",
]

Columns = tuple[
    npt.NDArray[np.uint32], npt.NDArray[np.uint32], npt.NDArray[np.uint32], npt.NDArray[np.float64]
]
"""A body's operations, qubits, clbits and parameters, as in the contract's `Block`."""

_COUNT = struct.Struct("=I")
_MOST_SECTIONS = 8


def encode(sections: Sequence[bytes | memoryview]) -> list[bytes | memoryview]:
    """Return a message, as pieces to be written one after the other."""
    lengths = struct.pack(f"={len(sections)}Q", *map(len, sections))
    return [_COUNT.pack(len(sections)) + lengths, *sections]


def read(receive: Callable[[int], memoryview]) -> list[memoryview]:
    """Return a message's sections. `receive` returns exactly as many bytes as it is asked for.

    Raises:
        ValueError: That is no message.
    """
    (count,) = _COUNT.unpack(receive(_COUNT.size))
    if not 1 <= count <= _MOST_SECTIONS:
        raise ValueError(f"a message of {count} sections")
    lengths = struct.unpack(f"={count}Q", receive(8 * count))
    return [receive(length) for length in lengths]


def encode_columns(body: pb.Block) -> list[memoryview]:
    """Return the columns of a body, which has no inputs."""
    columns = (
        np.array(body.operations[:], dtype=np.uint32),
        np.array(body.qubits[:], dtype=np.uint32),
        np.array(body.clbits[:], dtype=np.uint32),
        np.array(body.parameters[:], dtype=np.float64),
    )
    return [column.view(np.uint8).data for column in columns]


def decode_columns(sections: Sequence[memoryview]) -> Columns:
    """Return the columns, in the same memory."""
    operations, qubits, clbits, parameters = map(np.asarray, sections)
    return (
        operations.view(np.uint32),
        qubits.view(np.uint32),
        clbits.view(np.uint32),
        parameters.view(np.float64),
    )


def encode_place(where: Where | None) -> bytes:
    return json.dumps(where).encode()


def decode_place(data: bytes) -> Where | None:
    return _place(json.loads(data))


def _place(found: Any) -> Where | None:
    return None if found is None else Where(*found)


def encode_fault(fault: ProgramFault) -> bytes:
    return json.dumps(
        {
            "message": fault.message,
            "where": fault.where,
            "path": fault.path,
            "reason": fault.reason,
            "metadata": fault.metadata,
            "expected": fault.expected,
            "feature": fault.feature,
            "diagnostics": fault.diagnostics.SerializeToString().hex(),
        }
    ).encode()


def decode_fault(data: bytes) -> ProgramFault:
    found = json.loads(data)
    return ProgramFault(
        found["message"],
        where=_place(found["where"]),
        path=found["path"],
        reason=found["reason"],
        metadata=found["metadata"],
        expected=found["expected"],
        feature=tuple(found["feature"]),
        diagnostics=Diagnostics.FromString(bytes.fromhex(found["diagnostics"])),
    )
