"""All standard gates by name: those of Qiskit's circuit library, of qelib1.inc and of stdgates.inc.

Conventions are Qiskit's: angles in radians, the first qubit is the least significant bit, and global phases
count (so `rz` and `p` differ). A new gate is one entry here, and `make gates`: all else follows.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import pi
from types import MappingProxyType

from basicaer.simulator.circuit import _formulas as formulas
from basicaer.simulator.circuit import _gate_matrices as matrices
from basicaer.simulator.circuit._gates import GateSpec, Known

_TABLE = (
    GateSpec("id", "The identity.", 1, 0, Known(matrices.constant([[1, 0], [0, 1]]), formulas.NOTHING)),
    GateSpec(
        "u0",
        "The identity; its parameter has no meaning (qelib1.inc).",
        1,
        1,
        matrices.u0,
        is_method=False,
        is_qiskits=False,
    ),
    GateSpec("x", "Pauli X, the bit flip.", 1, 0, matrices.X),
    GateSpec("y", "Pauli Y.", 1, 0, matrices.Y),
    GateSpec("z", "Pauli Z, the phase flip.", 1, 0, matrices.Z),
    GateSpec("h", "Hadamard.", 1, 0, matrices.H),
    GateSpec("s", "The root of Z.", 1, 0, matrices.S),
    GateSpec("sdg", "The inverse of s.", 1, 0, matrices.SDG),
    GateSpec("sx", "The root of X.", 1, 0, matrices.SX),
    GateSpec("sxdg", "The inverse of sx.", 1, 0, matrices.SXDG),
    GateSpec(
        "t", "The fourth root of Z.", 1, 0, matrices.constant([[1, 0], [0, matrices.R + matrices.R * 1j]])
    ),
    GateSpec(
        "tdg", "The inverse of t.", 1, 0, matrices.constant([[1, 0], [0, matrices.R - matrices.R * 1j]])
    ),
    GateSpec("p", "p(λ) = diag(1, e^iλ).", 1, 1, matrices.p, aliases=("phase",)),
    GateSpec("u1", "The same as p.", 1, 1, matrices.p, is_method=False),
    GateSpec("u2", "u2(φ, λ) = u(π/2, φ, λ).", 1, 2, matrices.u2, is_method=False),
    GateSpec("u3", "The same as u.", 1, 3, matrices.u, is_method=False),
    GateSpec("u", "u(θ, φ, λ), any gate of one qubit but for a phase.", 1, 3, matrices.u, aliases=("U",)),
    GateSpec("r", "r(θ, φ): by θ about the axis cos φ X + sin φ Y.", 1, 2, matrices.r),
    GateSpec("rx", "rx(θ) = e^(-iθX/2).", 1, 1, matrices.rx),
    GateSpec("ry", "ry(θ) = e^(-iθY/2).", 1, 1, matrices.ry),
    GateSpec("rz", "rz(θ) = e^(-iθZ/2).", 1, 1, matrices.rz, angles=("phi",)),
    GateSpec(
        "global_phase",
        "A factor e^iφ of the whole state.",
        0,
        1,
        matrices.global_phase,
        aliases=("gphase",),
        is_method=False,
    ),
    # Controlled gates.
    GateSpec("cx", "x with a control.", 2, 0, matrices.X, 1, aliases=("CX", "cnot")),
    GateSpec("cy", "y with a control.", 2, 0, matrices.Y, 1),
    GateSpec("cz", "z with a control.", 2, 0, matrices.Z, 1),
    GateSpec("ch", "h with a control.", 2, 0, matrices.H, 1),
    GateSpec("cs", "s with a control.", 2, 0, matrices.S, 1),
    GateSpec("csdg", "sdg with a control.", 2, 0, matrices.SDG, 1),
    GateSpec("csx", "sx with a control.", 2, 0, matrices.SX, 1),
    GateSpec("cp", "p with a control.", 2, 1, matrices.p, 1, aliases=("cphase",)),
    GateSpec("cu1", "u1 with a control.", 2, 1, matrices.p, 1, is_method=False),
    GateSpec("cu3", "u3 with a control.", 2, 3, matrices.u, 1, is_method=False),
    GateSpec("cu", "cu(θ, φ, λ, δ): e^iδ u(θ, φ, λ) with a control.", 2, 4, matrices.cu_target, 1),
    GateSpec("crx", "rx with a control.", 2, 1, matrices.rx, 1),
    GateSpec("cry", "ry with a control.", 2, 1, matrices.ry, 1),
    GateSpec("crz", "rz with a control.", 2, 1, matrices.rz, 1),
    GateSpec("ccx", "x with two controls (Toffoli).", 3, 0, matrices.X, 2, aliases=("toffoli",)),
    GateSpec("ccz", "z with two controls.", 3, 0, matrices.Z, 2),
    GateSpec("cswap", "swap with a control (Fredkin).", 3, 0, matrices.SWAP, 1),
    GateSpec("c3x", "x with three controls.", 4, 0, matrices.X, 3, is_method=False, is_qiskits=False),
    GateSpec("c4x", "x with four controls.", 5, 0, matrices.X, 4, is_method=False, is_qiskits=False),
    GateSpec("c3sx", "sx with three controls.", 4, 0, matrices.SX, 3, aliases=("c3sqrtx",), is_method=False),
    # Gates with as many controls as their operation has qubits for.
    GateSpec(
        "mcx",
        "x with any number of controls.",
        2,
        0,
        matrices.X,
        1,
        True,
        aliases=("mcx_gray",),
        is_qiskits=False,
    ),
    GateSpec(
        "mcy", "y with any number of controls.", 2, 0, matrices.Y, 1, True, is_method=False, is_qiskits=False
    ),
    GateSpec(
        "mcz", "z with any number of controls.", 2, 0, matrices.Z, 1, True, is_method=False, is_qiskits=False
    ),
    GateSpec(
        "mcsx",
        "sx with any number of controls.",
        2,
        0,
        matrices.SX,
        1,
        True,
        is_method=False,
        is_qiskits=False,
    ),
    GateSpec(
        "mcp",
        "p with any number of controls.",
        2,
        1,
        matrices.p,
        1,
        True,
        ("mcphase", "mcu1"),
        is_qiskits=False,
    ),
    GateSpec(
        "mcrx",
        "rx with any number of controls.",
        2,
        1,
        matrices.rx,
        1,
        True,
        is_method=False,
        is_qiskits=False,
    ),
    GateSpec(
        "mcry",
        "ry with any number of controls.",
        2,
        1,
        matrices.ry,
        1,
        True,
        is_method=False,
        is_qiskits=False,
    ),
    GateSpec(
        "mcrz",
        "rz with any number of controls.",
        2,
        1,
        matrices.rz,
        1,
        True,
        is_method=False,
        is_qiskits=False,
    ),
    GateSpec(
        "mcr", "r with any number of controls.", 2, 2, matrices.r, 1, True, is_method=False, is_qiskits=False
    ),
    GateSpec(
        "mcu2",
        "u2 with any number of controls.",
        2,
        2,
        matrices.u2,
        1,
        True,
        is_method=False,
        is_qiskits=False,
    ),
    GateSpec(
        "mcu3",
        "u3 with any number of controls.",
        2,
        3,
        matrices.u,
        1,
        True,
        is_method=False,
        is_qiskits=False,
    ),
    GateSpec(
        "mcu",
        "cu(θ, φ, λ, δ) with any number of controls.",
        2,
        4,
        matrices.cu_target,
        1,
        True,
        is_method=False,
        is_qiskits=False,
    ),
    GateSpec(
        "mcswap",
        "swap with any number of controls.",
        3,
        0,
        matrices.SWAP,
        1,
        True,
        is_method=False,
        is_qiskits=False,
    ),
    # Other gates of several qubits.
    GateSpec(
        "swap",
        "The exchange of two qubits.",
        2,
        0,
        matrices.SWAP,
        decomposition=lambda: [("cx", (0, 1), ()), ("cx", (1, 0), ()), ("cx", (0, 1), ())],
    ),
    GateSpec(
        "iswap",
        "swap with a factor i where the qubits differ.",
        2,
        0,
        matrices.constant([[1, 0, 0, 0], [0, 0, 1j, 0], [0, 1j, 0, 0], [0, 0, 0, 1]]),
        decomposition=lambda: [("swap", (0, 1), ()), ("s", (0,), ()), ("s", (1,), ()), ("cz", (0, 1), ())],
    ),
    GateSpec(
        "dcx",
        "Two cx, each qubit being the control once.",
        2,
        0,
        matrices.constant([[1, 0, 0, 0], [0, 0, 0, 1], [0, 1, 0, 0], [0, 0, 1, 0]]),
        decomposition=lambda: [("cx", (0, 1), ()), ("cx", (1, 0), ())],
    ),
    GateSpec(
        "ecr",
        "The echoed cross-resonance gate.",
        2,
        0,
        matrices.constant(
            [
                [0, matrices.R, 0, matrices.R * 1j],
                [matrices.R, 0, matrices.R * -1j, 0],
                [0, matrices.R * 1j, 0, matrices.R],
                [matrices.R * -1j, 0, matrices.R, 0],
            ]
        ),
        decomposition=lambda: [("rzx", (0, 1), (pi / 4,)), ("x", (0,), ()), ("rzx", (0, 1), (-pi / 4,))],
    ),
    GateSpec(
        "rxx",
        "rxx(θ) = e^(-iθ X⊗X/2).",
        2,
        1,
        matrices.rxx,
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
        matrices.ryy,
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
        matrices.rzz,
        decomposition=lambda a: [("cx", (0, 1), ()), ("rz", (1,), (a,)), ("cx", (0, 1), ())],
    ),
    GateSpec(
        "rzx",
        "rzx(θ) = e^(-iθ X⊗Z/2), with Z on the first qubit.",
        2,
        1,
        matrices.rzx,
        decomposition=lambda a: [("h", (1,), ()), ("rzz", (0, 1), (a,)), ("h", (1,), ())],
    ),
    GateSpec(
        "xx_minus_yy",
        "xx_minus_yy(θ, β): a rotation between 00 and 11.",
        2,
        2,
        matrices.xx_minus_yy,
        decomposition=lambda a, b: [
            ("p", (1,), (-b,)),
            ("rxx", (0, 1), (a / 2,)),
            ("ryy", (0, 1), (-a / 2,)),
            ("p", (1,), (b,)),
        ],
        is_method=False,
    ),
    GateSpec(
        "xx_plus_yy",
        "xx_plus_yy(θ, β): a rotation between 01 and 10.",
        2,
        2,
        matrices.xx_plus_yy,
        decomposition=lambda a, b: [
            ("rz", (0,), (b,)),
            ("rxx", (0, 1), (a / 2,)),
            ("ryy", (0, 1), (a / 2,)),
            ("rz", (0,), (-b,)),
        ],
        is_method=False,
    ),
    GateSpec(
        "rccx",
        "A cheap Toffoli gate that is right but for relative phases (Margolus).",
        3,
        0,
        matrices.relative(8, {(3, 7): -1j, (5, 5): -1, (7, 3): 1j}),
        operands=("control", "other", "target"),
    ),
    GateSpec(
        "rcccx",
        "x with three controls, right but for relative phases.",
        4,
        0,
        matrices.relative(16, {(3, 3): 1j, (7, 15): 1, (11, 11): -1j, (15, 7): -1}),
        aliases=("rc3x",),
        is_method=False,
    ),
)

_BY_NAME = {name: spec for spec in _TABLE for name in (spec.name, *spec.aliases)}
GATES: Mapping[str, GateSpec] = MappingProxyType(_BY_NAME)
"""Every standard gate by each of its names."""
