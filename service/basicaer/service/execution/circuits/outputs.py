"""A circuit's outputs: what they tell has to fit the circuit's classical bits."""

from __future__ import annotations

import math
from collections.abc import Callable

from basicaer.service.parsing import ProgramFault
from basicaer.service.printable import printable
from basicaer.v1 import circuit_pb2 as pb

__all__ = ["check_outputs"]

_INTEGERS = (pb.CLASSICAL_KIND_UINT, pb.CLASSICAL_KIND_INT, pb.CLASSICAL_KIND_ANGLE)
_FLOATS = (pb.CLASSICAL_KIND_FLOAT, pb.CLASSICAL_KIND_COMPLEX)
_FLOAT_WIDTHS = (16, 32, 64)


def check_outputs(circuit: pb.Circuit, pause: Callable[[], None]) -> None:
    """Find out whether each output has a name of its own, a type, and all its bits.

    Raises:
        ProgramFault: One hasn't.
        GivenUpError: By `pause`, which is called for each.
    """
    names: set[str] = set()
    for number, output in enumerate(circuit.outputs):
        pause()
        path = f"circuit.outputs[{number}]"
        if not output.name:
            raise ProgramFault("an output has no name", path=f"{path}.name")
        if output.name in names:
            raise ProgramFault(f"another output is named {printable(output.name)!r} too", path=f"{path}.name")
        names.add(output.name)
        bits = _element_bits(output.type, f"{path}.type") * math.prod(output.shape)
        if output.clbit + bits > circuit.num_clbits:
            raise ProgramFault(
                f"it takes {bits:,} classical bits from {output.clbit:,} on, and the circuit has "
                f"{circuit.num_clbits:,}",
                path=path,
            )


def _element_bits(type_: pb.ClassicalType, path: str) -> int:
    """Return how many bits a value of a type has, or an element of an array of such."""
    kind, width = type_.kind, type_.width
    if kind == pb.CLASSICAL_KIND_BOOL:
        return 1
    if kind == pb.CLASSICAL_KIND_BIT:
        return width or 1
    if kind in _INTEGERS:
        return width or 64
    if kind not in _FLOATS:
        raise ProgramFault("an output's kind is one of ClassicalKind", path=f"{path}.kind")
    if (width or 64) not in _FLOAT_WIDTHS:
        raise ProgramFault(f"a float of {width} bits; it has 16, 32 or 64", path=f"{path}.width")
    return (width or 64) * (1 + (kind == pb.CLASSICAL_KIND_COMPLEX))
