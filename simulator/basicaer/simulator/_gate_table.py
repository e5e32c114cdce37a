"""All standard gates by name: those of Qiskit's circuit library, of qelib1.inc and of stdgates.inc.

Conventions are Qiskit's: angles in radians, the first qubit is the least significant bit, and global phases
count (so `rz` and `p` differ). A new gate is one entry here; engine, validation and ListBackends follow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import pi
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
from basicaer.simulator._gates import GateSpec, Matrices, Parameters

_R = 2.0**-0.5
_Entries = list[list[npt.ArrayLike]]


def _constant(entries: Sequence[Sequence[complex]] | Matrices) -> Callable[[Parameters], Matrices]:
    matrix = np.array(entries, dtype=np.complex128)
    matrix.flags.writeable = False

    def matrices(parameters: Parameters) -> Matrices:
        return np.broadcast_to(matrix, (len(parameters), *matrix.shape))

    return matrices


def _filled(parameters: Parameters, entries: _Entries) -> Matrices:
    """Matrices of which each entry is a number, or an array with one number for each row of `parameters`."""
    result = np.zeros((len(parameters), len(entries), len(entries)), dtype=np.complex128)
    for row, values in enumerate(entries):
        for column, value in enumerate(values):
            result[:, row, column] = value
    return result


def _columns(parameters: Parameters) -> tuple[Parameters, ...]:
    return tuple(parameters.T)


def _half(angle: Parameters) -> tuple[Parameters, Parameters]:
    return np.cos(angle / 2), np.sin(angle / 2)


def _phase(angle: Parameters) -> Matrices:
    phases: Matrices = np.exp(1j * angle)
    return phases


def _global_phase(parameters: Parameters) -> Matrices:
    return _filled(parameters, [[_phase(parameters[:, 0])]])


def _p(parameters: Parameters) -> Matrices:
    return _filled(parameters, [[1, 0], [0, _phase(parameters[:, 0])]])


def _u0(parameters: Parameters) -> Matrices:
    return _filled(parameters, [[1, 0], [0, 1]])


def _u(parameters: Parameters) -> Matrices:
    theta, phi, lam = _columns(parameters)
    cos, sin = _half(theta)
    return _filled(parameters, [[cos, -_phase(lam) * sin], [_phase(phi) * sin, _phase(phi + lam) * cos]])


def _u2(parameters: Parameters) -> Matrices:
    phi, lam = _columns(parameters)
    return _filled(parameters, [[_R, -_R * _phase(lam)], [_R * _phase(phi), _R * _phase(phi + lam)]])


def _cu_target(parameters: Parameters) -> Matrices:
    return _u(parameters[:, :3]) * _phase(parameters[:, 3])[:, None, None]


def _r(parameters: Parameters) -> Matrices:
    theta, phi = _columns(parameters)
    cos, sin = _half(theta)
    return _filled(parameters, [[cos, -1j * _phase(-phi) * sin], [-1j * _phase(phi) * sin, cos]])


def _rx(parameters: Parameters) -> Matrices:
    cos, sin = _half(parameters[:, 0])
    return _filled(parameters, [[cos, -1j * sin], [-1j * sin, cos]])


def _ry(parameters: Parameters) -> Matrices:
    cos, sin = _half(parameters[:, 0])
    return _filled(parameters, [[cos, -sin], [sin, cos]])


def _rz(parameters: Parameters) -> Matrices:
    half = parameters[:, 0] / 2
    return _filled(parameters, [[_phase(-half), 0], [0, _phase(half)]])


def _rxx(parameters: Parameters) -> Matrices:
    c, sin = _half(parameters[:, 0])
    s = -1j * sin
    return _filled(parameters, [[c, 0, 0, s], [0, c, s, 0], [0, s, c, 0], [s, 0, 0, c]])


def _ryy(parameters: Parameters) -> Matrices:
    c, sin = _half(parameters[:, 0])
    s = 1j * sin
    return _filled(parameters, [[c, 0, 0, s], [0, c, -s, 0], [0, -s, c, 0], [s, 0, 0, c]])


def _rzz(parameters: Parameters) -> Matrices:
    even, odd = _phase(-parameters[:, 0] / 2), _phase(parameters[:, 0] / 2)
    return _filled(parameters, [[even, 0, 0, 0], [0, odd, 0, 0], [0, 0, odd, 0], [0, 0, 0, even]])


def _rzx(parameters: Parameters) -> Matrices:
    c, sin = _half(parameters[:, 0])
    s = 1j * sin
    return _filled(parameters, [[c, 0, -s, 0], [0, c, 0, s], [-s, 0, c, 0], [0, s, 0, c]])


def _xx_minus_yy(parameters: Parameters) -> Matrices:
    theta, beta = _columns(parameters)
    c, sin = _half(theta)
    lower, upper = -1j * sin * _phase(beta), -1j * sin * _phase(-beta)
    return _filled(parameters, [[c, 0, 0, upper], [0, 1, 0, 0], [0, 0, 1, 0], [lower, 0, 0, c]])


def _xx_plus_yy(parameters: Parameters) -> Matrices:
    theta, beta = _columns(parameters)
    c, sin = _half(theta)
    lower, upper = -1j * sin * _phase(beta), -1j * sin * _phase(-beta)
    return _filled(parameters, [[1, 0, 0, 0], [0, c, upper, 0], [0, lower, c, 0], [0, 0, 0, 1]])


def _relative(size: int, changed: Mapping[tuple[int, int], complex]) -> Callable[[Parameters], Matrices]:
    """The identity of `size` rows but for the rows in `changed`, which gives their only entries."""
    matrix = np.eye(size, dtype=np.complex128)
    for row, _ in changed:
        matrix[row] = 0
    for place, value in changed.items():
        matrix[place] = value
    return _constant(matrix)


_X = _constant([[0, 1], [1, 0]])
_Y = _constant([[0, -1j], [1j, 0]])
_Z = _constant([[1, 0], [0, -1]])
_H = _constant([[_R, _R], [_R, -_R]])
_S = _constant([[1, 0], [0, 1j]])
_SDG = _constant([[1, 0], [0, -1j]])
_SX = _constant([[0.5 + 0.5j, 0.5 - 0.5j], [0.5 - 0.5j, 0.5 + 0.5j]])
_SXDG = _constant([[0.5 - 0.5j, 0.5 + 0.5j], [0.5 + 0.5j, 0.5 - 0.5j]])
_SWAP = _constant([[1, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1]])

_TABLE = (
    GateSpec("id", "The identity.", 1, 0, _constant([[1, 0], [0, 1]])),
    GateSpec("u0", "The identity; its parameter has no meaning (qelib1.inc).", 1, 1, _u0),
    GateSpec("x", "Pauli X, the bit flip.", 1, 0, _X),
    GateSpec("y", "Pauli Y.", 1, 0, _Y),
    GateSpec("z", "Pauli Z, the phase flip.", 1, 0, _Z),
    GateSpec("h", "Hadamard.", 1, 0, _H),
    GateSpec("s", "The root of Z.", 1, 0, _S),
    GateSpec("sdg", "The inverse of s.", 1, 0, _SDG),
    GateSpec("sx", "The root of X.", 1, 0, _SX),
    GateSpec("sxdg", "The inverse of sx.", 1, 0, _SXDG),
    GateSpec("t", "The fourth root of Z.", 1, 0, _constant([[1, 0], [0, _R + _R * 1j]])),
    GateSpec("tdg", "The inverse of t.", 1, 0, _constant([[1, 0], [0, _R - _R * 1j]])),
    GateSpec("p", "p(λ) = diag(1, e^iλ).", 1, 1, _p, aliases=("phase",)),
    GateSpec("u1", "The same as p.", 1, 1, _p),
    GateSpec("u2", "u2(φ, λ) = u(π/2, φ, λ).", 1, 2, _u2),
    GateSpec("u3", "The same as u.", 1, 3, _u),
    GateSpec("u", "u(θ, φ, λ), any gate of one qubit but for a phase.", 1, 3, _u, aliases=("U",)),
    GateSpec("r", "r(θ, φ): by θ about the axis cos φ X + sin φ Y.", 1, 2, _r),
    GateSpec("rx", "rx(θ) = e^(-iθX/2).", 1, 1, _rx),
    GateSpec("ry", "ry(θ) = e^(-iθY/2).", 1, 1, _ry),
    GateSpec("rz", "rz(θ) = e^(-iθZ/2).", 1, 1, _rz),
    GateSpec("global_phase", "A factor e^iφ of the whole state.", 0, 1, _global_phase, aliases=("gphase",)),
    # Controlled gates.
    GateSpec("cx", "x with a control.", 2, 0, _X, 1, aliases=("CX", "cnot")),
    GateSpec("cy", "y with a control.", 2, 0, _Y, 1),
    GateSpec("cz", "z with a control.", 2, 0, _Z, 1),
    GateSpec("ch", "h with a control.", 2, 0, _H, 1),
    GateSpec("cs", "s with a control.", 2, 0, _S, 1),
    GateSpec("csdg", "sdg with a control.", 2, 0, _SDG, 1),
    GateSpec("csx", "sx with a control.", 2, 0, _SX, 1),
    GateSpec("cp", "p with a control.", 2, 1, _p, 1, aliases=("cphase",)),
    GateSpec("cu1", "u1 with a control.", 2, 1, _p, 1),
    GateSpec("cu3", "u3 with a control.", 2, 3, _u, 1),
    GateSpec("cu", "cu(θ, φ, λ, δ): e^iδ u(θ, φ, λ) with a control.", 2, 4, _cu_target, 1),
    GateSpec("crx", "rx with a control.", 2, 1, _rx, 1),
    GateSpec("cry", "ry with a control.", 2, 1, _ry, 1),
    GateSpec("crz", "rz with a control.", 2, 1, _rz, 1),
    GateSpec("ccx", "x with two controls (Toffoli).", 3, 0, _X, 2, aliases=("toffoli",)),
    GateSpec("ccz", "z with two controls.", 3, 0, _Z, 2),
    GateSpec("cswap", "swap with a control (Fredkin).", 3, 0, _SWAP, 1),
    GateSpec("c3x", "x with three controls.", 4, 0, _X, 3),
    GateSpec("c4x", "x with four controls.", 5, 0, _X, 4),
    GateSpec("c3sx", "sx with three controls.", 4, 0, _SX, 3, aliases=("c3sqrtx",)),
    # Gates with as many controls as their operation has qubits for.
    GateSpec("mcx", "x with any number of controls.", 2, 0, _X, 1, True, aliases=("mcx_gray",)),
    GateSpec("mcy", "y with any number of controls.", 2, 0, _Y, 1, True),
    GateSpec("mcz", "z with any number of controls.", 2, 0, _Z, 1, True),
    GateSpec("mcsx", "sx with any number of controls.", 2, 0, _SX, 1, True),
    GateSpec("mcp", "p with any number of controls.", 2, 1, _p, 1, True, ("mcphase", "mcu1")),
    GateSpec("mcrx", "rx with any number of controls.", 2, 1, _rx, 1, True),
    GateSpec("mcry", "ry with any number of controls.", 2, 1, _ry, 1, True),
    GateSpec("mcrz", "rz with any number of controls.", 2, 1, _rz, 1, True),
    GateSpec("mcr", "r with any number of controls.", 2, 2, _r, 1, True),
    GateSpec("mcu2", "u2 with any number of controls.", 2, 2, _u2, 1, True),
    GateSpec("mcu3", "u3 with any number of controls.", 2, 3, _u, 1, True),
    GateSpec("mcu", "cu(θ, φ, λ, δ) with any number of controls.", 2, 4, _cu_target, 1, True),
    GateSpec("mcswap", "swap with any number of controls.", 3, 0, _SWAP, 1, True),
    # Other gates of several qubits.
    GateSpec(
        "swap",
        "The exchange of two qubits.",
        2,
        0,
        _SWAP,
        decomposition=lambda: [("cx", (0, 1), ()), ("cx", (1, 0), ()), ("cx", (0, 1), ())],
    ),
    GateSpec(
        "iswap",
        "swap with a factor i where the qubits differ.",
        2,
        0,
        _constant([[1, 0, 0, 0], [0, 0, 1j, 0], [0, 1j, 0, 0], [0, 0, 0, 1]]),
        decomposition=lambda: [("swap", (0, 1), ()), ("s", (0,), ()), ("s", (1,), ()), ("cz", (0, 1), ())],
    ),
    GateSpec(
        "dcx",
        "Two cx, each qubit being the control once.",
        2,
        0,
        _constant([[1, 0, 0, 0], [0, 0, 0, 1], [0, 1, 0, 0], [0, 0, 1, 0]]),
        decomposition=lambda: [("cx", (0, 1), ()), ("cx", (1, 0), ())],
    ),
    GateSpec(
        "ecr",
        "The echoed cross-resonance gate.",
        2,
        0,
        _constant([[0, _R, 0, _R * 1j], [_R, 0, _R * -1j, 0], [0, _R * 1j, 0, _R], [_R * -1j, 0, _R, 0]]),
        decomposition=lambda: [("rzx", (0, 1), (pi / 4,)), ("x", (0,), ()), ("rzx", (0, 1), (-pi / 4,))],
    ),
    GateSpec(
        "rxx",
        "rxx(θ) = e^(-iθ X⊗X/2).",
        2,
        1,
        _rxx,
        decomposition=lambda a: [
            ("h", (0,), ()),
            ("h", (1,), ()),
            ("rzz", (0, 1), (a,)),
            ("h", (0,), ()),
            ("h", (1,), ()),
        ],
    ),
    GateSpec(
        "ryy",
        "ryy(θ) = e^(-iθ Y⊗Y/2).",
        2,
        1,
        _ryy,
        decomposition=lambda a: [
            ("rx", (0,), (pi / 2,)),
            ("rx", (1,), (pi / 2,)),
            ("rzz", (0, 1), (a,)),
            ("rx", (0,), (-pi / 2,)),
            ("rx", (1,), (-pi / 2,)),
        ],
    ),
    GateSpec(
        "rzz",
        "rzz(θ) = e^(-iθ Z⊗Z/2).",
        2,
        1,
        _rzz,
        decomposition=lambda a: [("cx", (0, 1), ()), ("rz", (1,), (a,)), ("cx", (0, 1), ())],
    ),
    GateSpec(
        "rzx",
        "rzx(θ) = e^(-iθ X⊗Z/2), with Z on the first qubit.",
        2,
        1,
        _rzx,
        decomposition=lambda a: [("h", (1,), ()), ("rzz", (0, 1), (a,)), ("h", (1,), ())],
    ),
    GateSpec(
        "xx_minus_yy",
        "xx_minus_yy(θ, β): a rotation between 00 and 11.",
        2,
        2,
        _xx_minus_yy,
        decomposition=lambda a, b: [
            ("p", (1,), (-b,)),
            ("rxx", (0, 1), (a / 2,)),
            ("ryy", (0, 1), (-a / 2,)),
            ("p", (1,), (b,)),
        ],
    ),
    GateSpec(
        "xx_plus_yy",
        "xx_plus_yy(θ, β): a rotation between 01 and 10.",
        2,
        2,
        _xx_plus_yy,
        decomposition=lambda a, b: [
            ("rz", (0,), (b,)),
            ("rxx", (0, 1), (a / 2,)),
            ("ryy", (0, 1), (a / 2,)),
            ("rz", (0,), (-b,)),
        ],
    ),
    GateSpec(
        "rccx",
        "A cheap Toffoli gate that is right but for relative phases (Margolus).",
        3,
        0,
        _relative(8, {(3, 7): -1j, (5, 5): -1, (7, 3): 1j}),
    ),
    GateSpec(
        "rcccx",
        "x with three controls, right but for relative phases.",
        4,
        0,
        _relative(16, {(3, 3): 1j, (7, 15): 1, (11, 11): -1j, (15, 7): -1}),
        aliases=("rc3x",),
    ),
)

GATES: Mapping[str, GateSpec] = MappingProxyType(
    {name: spec for spec in _TABLE for name in (spec.name, *spec.aliases)}
)
"""Every standard gate by each of its names."""
