"""How each of the contract's gates is written: by a name of stdgates.inc, with modifiers, or defined."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

__all__ = ["DEFINITIONS", "GATES", "NEEDS", "Call", "defined_words", "modifiers"]

# The most controls that one modifier states, for the server's reader.
_MOST_CONTROLS = 62


class Call(NamedTuple):
    """A gate as a call: `word` takes the last `targets` of its qubits, the others are controls.

    It has `qubits` qubits, or at least as many where `is_open`, and `parameters` parameters.
    """

    word: str
    targets: int
    qubits: int
    parameters: int
    is_open: bool = False

    @property
    def definition(self) -> str:
        """The key in DEFINITIONS of what the word needs, if that is one."""
        return "u2" if self.word == "u_2" else self.word

    def arguments(self, parameters: list[str]) -> str:
        """Return what stands behind the word for parameters."""
        return f"({', '.join(parameters)})" if parameters and self.word != "id" else ""


def modifiers(count: int, state: int) -> str:
    """Return the modifiers for so many controls: bit k of `state` is that on which control k acts."""
    made = []
    place = 0
    while place < count:
        bit = state >> place & 1
        end = place
        while end < count and end - place < _MOST_CONTROLS and state >> end & 1 == bit:
            end += 1
        word = "ctrl" if bit else "negctrl"
        made.append(f"{word} @ " if end - place == 1 else f"{word}({end - place}) @ ")
        place = end
    return "".join(made)


DEFINITIONS = {
    "u": "gate u(theta, phi, lam) a { gphase(-theta/2); U(theta, phi, lam) a; }",
    "u2": "gate u_2(phi, lam) a { u(pi/2, phi, lam) a; }",
    "r": "gate r(theta, phi) a { rz(-phi) a; rx(theta) a; rz(phi) a; }",
    "iswap": "gate iswap a, b { swap a, b; s a; s b; cz a, b; }",
    "dcx": "gate dcx a, b { cx a, b; cx b, a; }",
    "ecr": ("gate ecr a, b { h b; cx a, b; rz(pi/4) b; cx a, b; x a; cx a, b; rz(-pi/4) b; cx a, b; h b; }"),
    "rxx": "gate rxx(theta) a, b { h a; h b; cx a, b; rz(theta) b; cx a, b; h a; h b; }",
    "ryy": (
        "gate ryy(theta) a, b { rx(pi/2) a; rx(pi/2) b; cx a, b; rz(theta) b; cx a, b; rx(-pi/2) a; "
        "rx(-pi/2) b; }"
    ),
    "rzz": "gate rzz(theta) a, b { cx a, b; rz(theta) b; cx a, b; }",
    "rzx": "gate rzx(theta) a, b { h b; cx a, b; rz(theta) b; cx a, b; h b; }",
    "xx_minus_yy": (
        "gate xx_minus_yy(theta, beta) a, b { p(-beta) b; rxx(theta/2) a, b; ryy(-theta/2) a, b; p(beta) b; }"
    ),
    "xx_plus_yy": (
        "gate xx_plus_yy(theta, beta) a, b { rz(beta) a; rxx(theta/2) a, b; ryy(theta/2) a, b; rz(-beta) a; }"
    ),
    "rccx": ("gate rccx a, b, c { h c; t c; cx b, c; tdg c; cx a, c; t c; cx b, c; tdg c; h c; }"),
    "rcccx": (
        "gate rcccx a, b, c, d { h d; t d; cx c, d; tdg d; h d; cx a, d; t d; cx b, d; tdg d; cx a, d; t d; "
        "cx b, d; tdg d; h d; t d; cx c, d; tdg d; h d; }"
    ),
}
"""By the contract's names: those that stdgates.inc lacks, or has with another phase; exact to the phase."""

NEEDS = {"u2": ("u",), "xx_minus_yy": ("rxx", "ryy"), "xx_plus_yy": ("rxx", "ryy")}
"""The definitions that a definition uses."""


def defined_words(names: Iterable[str]) -> Iterator[str]:
    """Yield the words of the definitions that operations of these names need."""
    for name in names:
        # Matrices and states are written with u.
        key = GATES[name].definition if name in GATES else "u" * (name in ("unitary", "initialize"))
        for each in (key, *NEEDS.get(key, ())):
            if each in DEFINITIONS:
                yield DEFINITIONS[each].split()[1].partition("(")[0]


def _own(names: str, qubits: int, parameters: int = 0) -> dict[str, Call]:
    return {name: Call(name, qubits, qubits, parameters) for name in names.split()}


def _controlled(word: str, controls: int, targets: int = 1, parameters: int = 0) -> Call:
    return Call(word, targets, controls + targets, parameters)


def _open(word: str, targets: int = 1, parameters: int = 0, least: int = 2) -> Call:
    return Call(word, targets, least, parameters, is_open=True)


_BY_NAME = {
    **_own("id x y z h s sdg sx t tdg", 1),
    **_own("p rx ry rz", 1, 1),
    **_own("cx cy cz ch swap iswap dcx ecr", 2),
    **_own("cp crx cry crz rxx ryy rzz rzx", 2, 1),
    **_own("xx_minus_yy xx_plus_yy", 2, 2),
    **_own("ccx cswap rccx", 3),
    "u": Call("u", 1, 1, 3),
    "r": Call("r", 1, 1, 2),
    "cu": Call("cu", 2, 2, 4),
    "rcccx": Call("rcccx", 4, 4, 0),
    "global_phase": Call("gphase", 0, 0, 1),
    "sxdg": Call("inv @ sx", 1, 1, 0),
    "u0": Call("id", 1, 1, 1),
    "u1": Call("p", 1, 1, 1),
    "u2": Call("u_2", 1, 1, 2),
    "u3": Call("u", 1, 1, 3),
    "cs": _controlled("s", 1),
    "csdg": _controlled("sdg", 1),
    "csx": _controlled("sx", 1),
    "cu1": Call("cp", 2, 2, 1),
    "cu3": _controlled("u", 1, parameters=3),
    "ccz": _controlled("z", 2),
    "c3x": _controlled("x", 3),
    "c4x": _controlled("x", 4),
    "c3sx": _controlled("sx", 3),
    "mcx": _open("x"),
    "mcy": _open("y"),
    "mcz": _open("z"),
    "mcsx": _open("sx"),
    "mcp": _open("p", parameters=1),
    "mcrx": _open("rx", parameters=1),
    "mcry": _open("ry", parameters=1),
    "mcrz": _open("rz", parameters=1),
    "mcr": _open("r", parameters=2),
    "mcu2": _open("u_2", parameters=2),
    "mcu3": _open("u", parameters=3),
    "mcu": _open("cu", targets=2, parameters=4),
    "mcswap": _open("swap", targets=2, least=3),
}
_ALIASES = {
    "phase": "p",
    "U": "u",
    "gphase": "global_phase",
    "CX": "cx",
    "cnot": "cx",
    "cphase": "cp",
    "toffoli": "ccx",
    "c3sqrtx": "c3sx",
    "mcx_gray": "mcx",
    "mcphase": "mcp",
    "mcu1": "mcp",
    "rc3x": "rcccx",
}
GATES = {**_BY_NAME, **{name: _BY_NAME[other] for name, other in _ALIASES.items()}}
"""Every gate of the contract by each of its names."""
