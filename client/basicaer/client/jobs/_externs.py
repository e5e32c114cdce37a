"""Functions that an OpenQASM 3 text declares as extern, as tables."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from basicaer.client._errors import CircuitError
from basicaer.v1 import job_pb2

__all__ = ["Extern", "extern_message"]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Extern:
    """What a function gives that an OpenQASM 3 text declares as `extern`.

        backend.run(Program(text, externs={"vote": Extern({0b011: 1, 0b111: 1}, default=0)}))

    `values` has the value for arguments: a number, or a tuple of numbers where the function takes several.
    `default` is the value for all others. Integers and truth values are numbers, bit[n] is the unsigned
    integer of its bits, angles are in radians. A function without a value has neither.
    """

    values: Mapping[Any, float] = dataclasses.field(default_factory=dict)
    default: float | None = None


def extern_message(name: str, extern: Extern | Mapping[Any, float]) -> job_pb2.ExternFunction:
    """Return a function for the wire; a mapping is that of one without a default.

    Raises:
        CircuitError: Something of it is no number.
    """
    table = extern if isinstance(extern, Extern) else Extern(extern)
    made = job_pb2.ExternFunction(name=name)
    try:
        for arguments, value in table.values.items():
            made.arguments.extend(arguments if isinstance(arguments, tuple) else (arguments,))
            made.values.append(value)
        if table.default is not None:
            made.default_value = table.default
    except (AttributeError, TypeError, ValueError, OverflowError) as error:
        raise CircuitError(f"The table of the extern function {name!r} is no numbers: {error}") from None
    return made
