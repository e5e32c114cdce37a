"""The gates that the language and stdgates.inc have, and what modifiers make of gates.

A gate is a list of parts: one of a few gates of one or two qubits each, with any number of controls.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from basicaer.service.parsing.openqasm3.values._features import Feature
from basicaer.service.parsing.openqasm3.values._operators import binary, unary
from basicaer.service.parsing.openqasm3.values._types import FLOAT, Value, ValueProblem, converted

__all__ = [
    "STANDARD",
    "Gate",
    "Part",
    "RepeatedError",
    "check_parameter",
    "controlled",
    "inverted",
    "named",
    "powered",
    "reduced",
]

_TAU = math.tau
_WIDEST = 6
# Beyond it, a double doesn't tell integers apart.
_LARGEST_POWER = 1 << 53


class RepeatedError(Exception):
    """A power by an integer that only a run knows: the gate has to be repeated so often."""

    def __init__(self, exponent: Value) -> None:
        super().__init__()
        self.exponent = exponent


class Part(NamedTuple):
    """A gate of `_MATRICES`, swap or global_phase; its parameters, its qubits without controls, and its
    controls with the state of each on which it acts. `matrix` is that of a part called unitary.
    """

    name: str
    parameters: tuple[Value, ...]
    qubits: tuple[int, ...]
    controls: tuple[tuple[int, bool], ...] = ()
    matrix: npt.NDArray[np.complex128] | None = None


class Gate(NamedTuple):
    """A gate of the language: the contract's name for it, its sizes, what it is made of, and by which phase
    it differs from the contract's (a function of the parameters).
    """

    name: str
    parameters: int
    qubits: int
    parts: Callable[..., list[Part]]
    phase: Callable[..., float] | None = None


def _plus(*values: Value) -> Value:
    total = values[0]
    for value in values[1:]:
        total = binary("+", total, value)
    return total


def _times(value: Value, factor: float) -> Value:
    return binary("*", value, Value(FLOAT, factor))


def _one(name: str, *parameters: Value) -> list[Part]:
    return [Part(name, parameters, (0,))]


def _with_control(name: str, controls: int = 1) -> Callable[..., list[Part]]:
    marks = tuple((number, True) for number in range(controls))
    return lambda *parameters: [Part(name, parameters, (controls,), marks)]


def _alone(name: str) -> Callable[..., list[Part]]:
    return lambda *parameters: _one(name, *parameters)


def _u(theta: Value, phi: Value, lam: Value) -> list[Part]:
    return [Part("global_phase", (_times(theta, 0.5),), ()), *_one("u", theta, phi, lam)]


def _u3(theta: Value, phi: Value, lam: Value) -> list[Part]:
    return [Part("global_phase", (_times(_plus(phi, lam), -0.5),), ()), *_one("u", theta, phi, lam)]


def _cu(theta: Value, phi: Value, lam: Value, gamma: Value) -> list[Part]:
    return [*_one("p", gamma), Part("u", (theta, phi, lam), (1,), ((0, True),))]


_QUARTER = Value(FLOAT, math.pi / 2)

STANDARD: dict[str, Gate] = {
    **{
        name: Gate(name, 0, 1, _alone(name))
        for name in ("x", "y", "z", "h", "s", "sdg", "t", "tdg", "sx", "id")
    },
    **{name: Gate(name, 1, 1, _alone(name)) for name in ("p", "rx", "ry", "rz")},
    "phase": Gate("p", 1, 1, _alone("p")),
    "u1": Gate("p", 1, 1, _alone("p")),
    "u2": Gate("u2", 2, 1, lambda phi, lam: _u3(_QUARTER, phi, lam), lambda phi, lam: -(phi + lam) / 2),
    "u3": Gate("u", 3, 1, _u3, lambda theta, phi, lam: -(phi + lam) / 2),
    "U": Gate("u", 3, 1, _u, lambda theta, phi, lam: theta / 2),
    **{name: Gate(name, 0, 2, _with_control(name[1:])) for name in ("cx", "cy", "cz", "ch")},
    "CX": Gate("cx", 0, 2, _with_control("x")),
    **{name: Gate(name, 1, 2, _with_control(name[1:])) for name in ("cp", "crx", "cry", "crz")},
    "cphase": Gate("cp", 1, 2, _with_control("p")),
    "cu": Gate("cu", 4, 2, _cu),
    "swap": Gate("swap", 0, 2, lambda: [Part("swap", (), (0, 1))]),
    "ccx": Gate("ccx", 0, 3, _with_control("x", 2)),
    "cswap": Gate("cswap", 0, 3, lambda: [Part("swap", (), (1, 2), ((0, True),))]),
}
"""By their names; all but U need stdgates.inc."""

# How the contract calls a part with so many controls, where that has a name of its own.
_CONTROLLED = {
    ("x", 1): "cx",
    ("y", 1): "cy",
    ("z", 1): "cz",
    ("h", 1): "ch",
    ("p", 1): "cp",
    ("rx", 1): "crx",
    ("ry", 1): "cry",
    ("rz", 1): "crz",
    ("swap", 1): "cswap",
    ("x", 2): "ccx",
}


def named(part: Part) -> tuple[str, int, int | None]:
    """Return the contract's name of a part, how many extra controls it has then, and on which state of them
    it acts.
    """
    state = sum(1 << place for place, (_, positive) in enumerate(part.controls) if positive)
    count = len(part.controls)
    name = _CONTROLLED.get((part.name, count))
    if name is not None and state == (1 << count) - 1:
        return name, 0, None
    return part.name, count, state


def check_parameter(value: Value) -> None:
    """Check that a gate's parameter, if it is known, is a finite number.

    Raises:
        ValueProblem: It isn't.
    """
    if isinstance(value.known, float) and not math.isfinite(value.known):
        raise ValueProblem(f"a gate's parameter is {value.known}")


def reduced(value: Value) -> Value:
    """Return a gate's parameter modulo 2π, with its sign: it behaves as an angle."""
    known = value.known
    if isinstance(known, float) and -_TAU < known < _TAU:
        return value
    return binary("%", value, Value(FLOAT, _TAU))


def controlled(parts: Sequence[Part], controls: Sequence[tuple[int, bool]]) -> list[Part]:
    """Return a gate with more controls, which come first."""
    return [part._replace(controls=(*controls, *part.controls)) for part in parts]


# --- inverse and powers -------------------------------------------------------------------------------------

_SELF_INVERSE = frozenset(("x", "y", "z", "h", "swap", "id"))
_INVERSES = {"s": "sdg", "sdg": "s", "t": "tdg", "tdg": "t", "sx": "sxdg", "sxdg": "sx"}
# Rotations by their parameter, and the range within which it is a principal one.
_ROTATIONS = {"p": math.pi, "global_phase": math.pi, "rx": _TAU, "ry": _TAU, "rz": _TAU}
_PHASES = {"z": 1.0, "s": 0.5, "sdg": -0.5, "t": 0.25, "tdg": -0.25}


def inverted(parts: Sequence[Part]) -> list[Part]:
    """Return a gate's inverse."""
    return [_inverse(part) for part in reversed(parts)]


def _inverse(part: Part) -> Part:
    if part.matrix is not None:
        return part._replace(matrix=part.matrix.conj().T)
    if part.name in _SELF_INVERSE:
        return part
    if part.name in _INVERSES:
        return part._replace(name=_INVERSES[part.name])
    minus = [unary("-", value) for value in part.parameters]
    if part.name == "u":
        minus = [minus[0], minus[2], minus[1]]
    return part._replace(parameters=tuple(minus))


def powered(parts: Sequence[Part], exponent: Value, most: int) -> list[Part]:
    """Return a power of a gate; a principal one for an exponent that is no integer. `most` is how many parts
    it may have.

    Raises:
        ValueProblem: There is no way to tell it, or it has more parts.
        RepeatedError: Only a run knows how often the gate is repeated.
    """
    known = exponent.known
    if isinstance(known, complex):
        raise ValueProblem("an exponent of a gate is a real number")
    if known is None:
        if len(parts) == 1 and parts[0].name in _ROTATIONS:
            (angle,) = parts[0].parameters
            return [parts[0]._replace(parameters=(binary("*", angle, converted(exponent, FLOAT)),))]
        if exponent.type.is_integer:
            raise RepeatedError(exponent)
        raise ValueProblem(
            "an exponent that only a run knows is an integer, but for rotations, such as p and rz",
            Feature.RUN_TIME_POWER,
        )
    if isinstance(known, int) and abs(known) > _LARGEST_POWER:
        raise ValueProblem("this exponent is too large")
    if float(known).is_integer():
        return _repeated(parts, int(known), most)
    if len(parts) == 1:
        found = _root(parts[0], float(known))
        if found is not None:
            return found
    return [_root_of_matrix(parts, float(known))]


def _repeated(parts: Sequence[Part], times: int, most: int) -> list[Part]:
    if times < 0:
        parts, times = inverted(parts), -times
    if len(parts) == 1:
        (part,) = parts
        if part.name in _ROTATIONS:
            return [part._replace(parameters=(_times(part.parameters[0], float(times)),))]
        if part.name in _SELF_INVERSE:
            return [part] * (times % 2)
    if not parts:
        return []
    if len(parts) * times > most:
        raise ValueProblem(f"this power has {len(parts) * times:,} gates; the most is {most:,}")
    return list(parts) * times


def _root(part: Part, exponent: float) -> list[Part] | None:
    """Return a power of one part without a matrix, if it has one."""
    if part.name in _PHASES:
        angle = Value(FLOAT, _PHASES[part.name] * math.pi * exponent)
        return [part._replace(name="p", parameters=(angle,))]
    if part.name not in _ROTATIONS:
        return None
    (parameter,) = part.parameters
    if parameter.known is None:
        return [part._replace(parameters=(_times(parameter, exponent),))]
    assert isinstance(parameter.known, float)
    bound = _ROTATIONS[part.name]
    principal = math.remainder(parameter.known, 2 * bound)
    # The principal argument of -1 is π.
    principal = bound if principal == -bound else principal
    return [part._replace(parameters=(Value(FLOAT, principal * exponent),))]


def _root_of_matrix(parts: Sequence[Part], exponent: float) -> Part:
    used = sorted({q for part in parts for q in (*part.qubits, *(control for control, _ in part.controls))})
    if len(used) > _WIDEST:
        raise ValueProblem(
            f"a power that is no integer is computed of gates of up to {_WIDEST} qubits, not of {len(used)}"
        )
    matrix = _matrix(parts, used)
    values, vectors = _eigen(matrix)
    # What lies on the cut up to a rounding is taken for -1, whose principal argument is π.
    arguments = np.angle(values)
    arguments = np.where(arguments < -math.pi + 1e-9, math.pi, arguments)
    root = (vectors * np.exp(1j * arguments * exponent)) @ vectors.conj().T
    return Part("unitary", (), tuple(used), (), root)


def _eigen(
    matrix: npt.NDArray[np.complex128],
) -> tuple[npt.NDArray[np.complex128], npt.NDArray[np.complex128]]:
    """Return eigenvalues and orthonormal eigenvectors of a unitary matrix."""
    # A combination of its Hermitian parts, which commute, has their common eigenvectors.
    real, imaginary = (matrix + matrix.conj().T) / 2, (matrix - matrix.conj().T) / 2j
    _, vectors = np.linalg.eigh(real + 0.7390851332151607 * imaginary)
    return np.einsum("ji,jk,ki->i", vectors.conj(), matrix, vectors), vectors


_R = math.sqrt(0.5)
_MATRICES: dict[str, Callable[..., list[list[complex]]]] = {
    "x": lambda: [[0, 1], [1, 0]],
    "y": lambda: [[0, -1j], [1j, 0]],
    "z": lambda: [[1, 0], [0, -1]],
    "h": lambda: [[_R, _R], [_R, -_R]],
    "s": lambda: [[1, 0], [0, 1j]],
    "sdg": lambda: [[1, 0], [0, -1j]],
    "t": lambda: [[1, 0], [0, _R + _R * 1j]],
    "tdg": lambda: [[1, 0], [0, _R - _R * 1j]],
    "sx": lambda: [[0.5 + 0.5j, 0.5 - 0.5j], [0.5 - 0.5j, 0.5 + 0.5j]],
    "sxdg": lambda: [[0.5 - 0.5j, 0.5 + 0.5j], [0.5 + 0.5j, 0.5 - 0.5j]],
    "id": lambda: [[1, 0], [0, 1]],
    "p": lambda a: [[1, 0], [0, _e(a)]],
    "rx": lambda a: [[math.cos(a / 2), -1j * math.sin(a / 2)], [-1j * math.sin(a / 2), math.cos(a / 2)]],
    "ry": lambda a: [[math.cos(a / 2), -math.sin(a / 2)], [math.sin(a / 2), math.cos(a / 2)]],
    "rz": lambda a: [[_e(-a / 2), 0], [0, _e(a / 2)]],
    "u": lambda a, b, c: [
        [math.cos(a / 2), -_e(c) * math.sin(a / 2)],
        [_e(b) * math.sin(a / 2), _e(b + c) * math.cos(a / 2)],
    ],
    "swap": lambda: [[1, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1]],
    "global_phase": lambda a: [[_e(a)]],
}


def _e(angle: float) -> complex:
    return complex(math.cos(angle), math.sin(angle))


def _matrix(parts: Sequence[Part], used: Sequence[int]) -> npt.NDArray[np.complex128]:
    """Return the matrix of parts on these qubits, the first of which is the least significant."""
    size = 1 << len(used)
    place = {qubit: number for number, qubit in enumerate(used)}
    total: npt.NDArray[np.complex128] = np.eye(size, dtype=np.complex128)
    for part in parts:
        if part.matrix is not None:
            small = part.matrix
        else:
            values = [value.known for value in part.parameters]
            if None in values:
                raise ValueProblem("a power that is no integer needs parameters that are known beforehand")
            small = np.array(_MATRICES[part.name](*values), dtype=np.complex128)
        rows = np.arange(size)
        acts = np.ones(size, dtype=bool)
        for control, positive in part.controls:
            acts &= (rows >> place[control] & 1) == positive
        index = np.zeros(size, dtype=np.int64)
        rest = rows.copy()
        for number, qubit in enumerate(part.qubits):
            index |= (rows >> place[qubit] & 1) << number
            rest &= ~(1 << place[qubit])
        changed = total.copy()
        changed[acts] = 0
        for column in range(len(small)):
            spread = sum(
                ((column >> number & 1) << place[qubit] for number, qubit in enumerate(part.qubits)), 0
            )
            changed[acts] += small[index[acts], column][:, None] * total[rest[acts] | spread]
        total = changed
    return total
