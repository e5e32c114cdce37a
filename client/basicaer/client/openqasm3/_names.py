"""Names that the language allows, as near to those of the circuit as possible."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["TAKEN", "Names"]

_LANGUAGE = (
    "OPENQASM include def defcal defcalgrammar cal gate extern box let break continue if else end "
    "return for while in switch case default pragma input output const readonly mutable qreg creg qubit "
    "bool bit int uint float angle complex array void duration stretch gphase inv pow ctrl negctrl "
    "delay reset measure barrier durationof true false nop im dim dt ns us ms s pi π tau τ euler ℇ sin "
    "cos tan arcsin arccos arctan exp log sqrt floor ceiling mod popcount rotl rotr real imag sizeof"
)
_LIBRARY = (
    "U CX id x y z h s sdg t tdg sx p rx ry rz phase u1 u2 u3 cx cy cz ch cp crx cry crz cphase cu swap "
    "ccx cswap"
)
TAKEN = frozenset((*_LANGUAGE.split(), *_LIBRARY.split()))
"""Names that mean something in the language or in stdgates.inc."""


class Names:
    """Gives out names, each once, and none of some that are given already."""

    def __init__(self, given: Iterable[str]) -> None:
        self._given = {*TAKEN, *given}
        self._numbers: dict[str, int] = {}

    def new(self, wanted: str) -> str:
        """Return a name for what the circuit calls `wanted`: that itself where it can be one."""
        base = re.sub(r"\W+", "_", wanted)
        if not base or base[0].isdigit():
            base = f"_{base}"
        name = base
        while name in self._given:
            number = self._numbers[base] = self._numbers.get(base, -1) + 1
            name = f"{base}_{number}"
        self._given.add(name)
        return name
