"""Definitions of gates that are unitary matrices, or prepare states.

A matrix is brought to a diagonal by rotations of two basis states that differ in one qubit: each is a gate of
that qubit, which all others control. Along a Gray code every pair that is needed differs in one.
"""

from __future__ import annotations

import cmath
import math

import numpy as np
import numpy.typing as npt
from basicaer.client._errors import CircuitError
from basicaer.client.openqasm3._gates import modifiers
from basicaer.client.openqasm3._numbers import number
from basicaer.v1 import circuit_pb2 as pb

__all__ = ["array", "label_gates", "preparation", "unitary"]

_Matrix = npt.NDArray[np.complex128]
_WIDEST_MATRIX, _WIDEST_STATE = 6, 10
# Of a number that is taken for zero: far below what a matrix may be off unitarity.
_NEGLIGIBLE = 1e-15
# By how much a matrix may be off, as the server has it.
_TOLERANCE = 1e-5
_LABELS = {"0": "", "1": "x", "+": "h", "-": "x h", "r": "h s", "l": "h sdg"}


def array(message: pb.ComplexArray) -> _Matrix:
    """Return an array of the contract.

    Raises:
        CircuitError: Its shape and its number of elements differ.
    """
    values = (
        np.frombuffer(message.data, dtype="<c16")
        if message.data
        else np.array(message.values, dtype=np.float64).view(np.complex128)
    )
    try:
        return values.reshape(tuple(message.shape))
    except ValueError:
        raise CircuitError("An array's shape and its number of elements differ.") from None


def label_gates(state: pb.Initialize, width: int) -> list[list[str]]:
    """Return the gates that make the letters of a label, or a basis state, of each qubit."""
    if state.WhichOneof("state") == "label":
        return [_LABELS[letter].split() for letter in reversed(state.label)]
    return [["x"] if state.basis_state >> place & 1 else [] for place in range(width)]


def unitary(name: str, matrix: _Matrix) -> str:
    """Return the definition of a gate by its matrix of 2^k by 2^k.

    Raises:
        CircuitError: It has no such shape, or more than 6 qubits.
    """
    qubits = _qubits(matrix.shape[0])
    if matrix.shape != (1 << qubits, 1 << qubits) or qubits > _WIDEST_MATRIX:
        raise CircuitError(
            f"A unitary of {' by '.join(map(str, matrix.shape))} is not written as OpenQASM 3, which has no "
            f"matrices: up to {_WIDEST_MATRIX} qubits are written as gates."
        )
    with np.errstate(over="ignore", invalid="ignore"):
        product = matrix.conj().T @ matrix
    if not np.allclose(product, np.eye(len(matrix)), atol=_TOLERANCE):
        raise CircuitError("A matrix isn't unitary.")
    return _definition(name, qubits, _gates(matrix.copy(), len(matrix)))


def preparation(name: str, amplitudes: _Matrix) -> str:
    """Return the definition of a gate that makes a state of qubits that are 0, by its 2^k amplitudes.

    Raises:
        CircuitError: They aren't as many, or of more than 10 qubits.
    """
    qubits = _qubits(amplitudes.size)
    if amplitudes.size != 1 << qubits or qubits > _WIDEST_STATE:
        raise CircuitError(
            f"A state of {amplitudes.size:,} amplitudes is not written as OpenQASM 3, which prepares none: "
            f"up to {_WIDEST_STATE} qubits are written as gates."
        )
    with np.errstate(over="ignore", invalid="ignore"):
        norm = float(np.linalg.norm(amplitudes))
    if not math.isclose(norm, 1.0, abs_tol=_TOLERANCE):
        raise CircuitError("The amplitudes of a state don't have the norm 1.")
    return _definition(name, qubits, _gates(amplitudes.reshape(-1, 1).copy(), 1))


def _qubits(size: int) -> int:
    return max(size.bit_length() - 1, 0)


def _definition(name: str, qubits: int, gates: list[str]) -> str:
    operands = ", ".join(_name(qubit) for qubit in range(qubits))
    body = "".join(f"  {gate}\n" for gate in gates)
    return f"gate {name} {operands} {{\n{body}}}"


def _name(qubit: int) -> str:
    return f"a{qubit}"


def _gates(columns: _Matrix, count: int) -> list[str]:
    """Return the gates that make a unitary matrix, or the state that is its one column.

    The matrix is written over.
    """
    size = len(columns)
    order = [place ^ place >> 1 for place in range(size)]
    made: list[str] = []
    for done in range(count):
        column = order[done] if count > 1 else 0
        for place in range(size - 1, done, -1):
            made += _rotation(columns, column, order[place - 1], order[place])
    whole = cmath.phase(columns[0, 0])
    phases = [cmath.phase(columns[state, state]) - whole for state in range(1, count)]
    made += [
        _controlled(f"p({number(phase)})", state, size) for state, phase in enumerate(phases, 1) if phase
    ]
    if whole:
        made.append(f"gphase({number(whole)});")
    return made[::-1]


def _rotation(columns: _Matrix, column: int, first: int, second: int) -> list[str]:
    """Bring an element in row `second` to zero; return the gate that does the opposite, if one is needed."""
    if abs(columns[second, column]) < _NEGLIGIBLE:
        return []
    high = max(first, second)
    low = min(first, second)
    one, other = complex(columns[low, column]), complex(columns[high, column])
    # The gate's first column is what stands here, or its second one where the upper element is to be zero.
    theta = 2 * math.atan2(abs(other), abs(one)) if second == high else 2 * math.atan2(abs(one), abs(other))
    phi = _phase(other) - _phase(one) + (0.0 if second == high else math.pi)
    cos, sin, turn = math.cos(theta / 2), math.sin(theta / 2), cmath.exp(1j * phi)
    gate = np.array([[cos, -sin], [turn * sin, turn * cos]])
    columns[[low, high]] = gate.conj().T @ columns[[low, high]]
    return [_controlled(f"u({number(theta)}, {number(phi)}, 0)", high, len(columns), high ^ low)]


def _phase(value: complex) -> float:
    return cmath.phase(value) if abs(value) > _NEGLIGIBLE else 0.0


def _controlled(gate: str, state: int, size: int, target: int | None = None) -> str:
    """Return a gate where all other qubits are as in `state`; its own is the bit `target`, or the first 1."""
    target = state & -state if target is None else target
    others = [qubit for qubit in range(_qubits(size)) if 1 << qubit != target]
    bits = sum((state >> qubit & 1) << place for place, qubit in enumerate(others))
    operands = ", ".join(map(_name, (*others, target.bit_length() - 1)))
    return f"{modifiers(len(others), bits)}{gate} {operands};"
