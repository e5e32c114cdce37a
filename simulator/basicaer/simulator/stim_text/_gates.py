"""What stim's gates, measurements and channels are made of.

A gate is a sequence of gates of our own, each with the places of its qubits among those of the instruction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from basicaer.simulator.circuit._channels import Channel

Piece = tuple[str, tuple[int, ...]]


class Measurement(NamedTuple):
    """How qubits, pairs of them or products are looked at: in which basis, and whether they are reset.

    `basis` is one letter for each qubit; of a product each target says its own.
    """

    basis: str
    resets: bool = False


NAMES: Mapping[str, str] = {
    "H_XZ": "H",
    "SQRT_Z": "S",
    "SQRT_Z_DAG": "S_DAG",
    "CNOT": "CX",
    "ZCX": "CX",
    "ZCY": "CY",
    "ZCZ": "CZ",
    "SWAPCZ": "CZSWAP",
    "CORRELATED_ERROR": "E",
    "MZ": "M",
    "MRZ": "MR",
    "RZ": "R",
}
"""Further names of instructions."""

_SINGLE: Mapping[str, str] = {
    "I": "",
    "X": "x",
    "Y": "y",
    "Z": "z",
    "H": "h",
    "H_XY": "s y",
    "H_YZ": "sx z",
    "H_NXY": "s x",
    "H_NXZ": "h y",
    "H_NYZ": "sx y",
    "S": "s",
    "S_DAG": "sdg",
    "SQRT_X": "sx",
    "SQRT_X_DAG": "sxdg",
    "SQRT_Y": "h x",
    "SQRT_Y_DAG": "h z",
    "C_XYZ": "h sxdg",
    "C_ZYX": "h s",
    "C_NXYZ": "sx sdg",
    "C_XNYZ": "h sx",
    "C_XYNZ": "sxdg s",
    "C_NZYX": "sdg sx",
    "C_ZNYX": "h sdg",
    "C_ZYNX": "s sxdg",
}

TO_Z: Mapping[str, str] = {"X": "h", "Y": "sx", "Z": ""}
"""The gate by which a Pauli operator becomes Z."""
FROM_Z: Mapping[str, str] = {"X": "h", "Y": "sxdg", "Z": ""}
"""The gate by which Z becomes a Pauli operator."""


def _controlled(first: str, second: str) -> list[Piece]:
    """Return the gate that acts by the second Pauli operator where the first one is -1."""
    before = [(TO_Z[first], (0,))] if TO_Z[first] else []
    after = [(FROM_Z[first], (0,))] if FROM_Z[first] else []
    return [*before, ("c" + second.lower(), (0, 1)), *after]


def _root(letter: str, phase: str) -> list[Piece]:
    """Return the square root of a product of two equal Pauli operators."""
    before = [(TO_Z[letter], (place,)) for place in (0, 1) if TO_Z[letter]]
    after = [(FROM_Z[letter], (place,)) for place in (0, 1) if FROM_Z[letter]]
    return [*before, (phase, (0,)), (phase, (1,)), ("cz", (0, 1)), *after]


_SWAP: Piece = ("swap", (0, 1))
GATES: Mapping[str, tuple[int, Sequence[Piece]]] = {
    **{name: (1, [(gate, (0,)) for gate in pieces.split()]) for name, pieces in _SINGLE.items()},
    "II": (2, []),
    "CX": (2, [("cx", (0, 1))]),
    "CY": (2, [("cy", (0, 1))]),
    "CZ": (2, [("cz", (0, 1))]),
    "SWAP": (2, [_SWAP]),
    "ISWAP": (2, [("s", (0,)), ("s", (1,)), ("cz", (0, 1)), _SWAP]),
    "ISWAP_DAG": (2, [("sdg", (0,)), ("sdg", (1,)), ("cz", (0, 1)), _SWAP]),
    "CXSWAP": (2, [("cx", (0, 1)), _SWAP]),
    "SWAPCX": (2, [_SWAP, ("cx", (0, 1))]),
    "CZSWAP": (2, [("cz", (0, 1)), _SWAP]),
    "XCX": (2, _controlled("X", "X")),
    "XCY": (2, _controlled("X", "Y")),
    "XCZ": (2, [("cx", (1, 0))]),
    "YCX": (2, _controlled("Y", "X")),
    "YCY": (2, _controlled("Y", "Y")),
    "YCZ": (2, [("cy", (1, 0))]),
    **{f"SQRT_{2 * letter}": (2, _root(letter, "s")) for letter in "XYZ"},
    **{f"SQRT_{2 * letter}_DAG": (2, _root(letter, "sdg")) for letter in "XYZ"},
}
"""How many qubits a gate has, and its pieces in order."""

FEEDBACK: Mapping[str, tuple[str, tuple[int, ...]]] = {
    "CX": ("x", (0,)),
    "CY": ("y", (0,)),
    "CZ": ("z", (0, 1)),
    "XCZ": ("x", (1,)),
    "YCZ": ("y", (1,)),
}
"""Gates that a record can control: what it then does, and the places at which a record may stand."""

MEASUREMENTS: Mapping[str, Measurement] = {
    "M": Measurement("Z"),
    "MX": Measurement("X"),
    "MY": Measurement("Y"),
    "MR": Measurement("Z", resets=True),
    "MRX": Measurement("X", resets=True),
    "MRY": Measurement("Y", resets=True),
    "MXX": Measurement("XX"),
    "MYY": Measurement("YY"),
    "MZZ": Measurement("ZZ"),
}
RESETS: Mapping[str, str] = {"R": "Z", "RX": "X", "RY": "Y"}

WITHOUT_EFFECT = ("TICK", "QUBIT_COORDS", "SHIFT_COORDS", "I_ERROR", "II_ERROR")

_LETTERS = "IXYZ"
_PAIRS = [first + second for first in _LETTERS for second in _LETTERS][1:]


def _one(letter: str) -> Callable[[Sequence[float]], dict[str, float]]:
    return lambda arguments: {letter: arguments[0]}


_CHANNELS: Mapping[str, tuple[int, int, Callable[[Sequence[float]], dict[str, float]]]] = {
    "X_ERROR": (1, 1, _one("X")),
    "Y_ERROR": (1, 1, _one("Y")),
    "Z_ERROR": (1, 1, _one("Z")),
    "DEPOLARIZE1": (1, 1, lambda arguments: dict.fromkeys("XYZ", arguments[0] / 3)),
    "DEPOLARIZE2": (2, 1, lambda arguments: dict.fromkeys(_PAIRS, arguments[0] / 15)),
    "PAULI_CHANNEL_1": (1, 3, lambda arguments: dict(zip("XYZ", arguments, strict=True))),
    # The first letter is the first qubit's, and of our products the last one is.
    "PAULI_CHANNEL_2": (
        2,
        15,
        lambda arguments: {pair[::-1]: value for pair, value in zip(_PAIRS, arguments, strict=True)},
    ),
}
"""How many qubits a channel has, how many arguments, and the probabilities of its products by these."""

CHANNELS = _CHANNELS.keys()


def sizes_of(name: str) -> tuple[int, int]:
    """Return how many qubits and how many arguments a channel has."""
    return _CHANNELS[name][:2]


def channel(name: str, arguments: Sequence[float]) -> Channel:
    """Return a channel, whose arguments are checked."""
    width, _, products = _CHANNELS[name]
    return pauli_channel(width, products(arguments))


def pauli_channel(width: int, products: Mapping[str, float]) -> Channel:
    """Return the channel that draws products of Pauli operators, the last letter being the first qubit's."""
    rest = max(0.0, 1.0 - sum(products.values()))
    return Channel.pauli({"I" * width: rest, **products})
