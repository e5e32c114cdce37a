"""Which gates are Clifford gates, and the rows that they become: found by their matrices, whatever their
names.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from basicaer.simulator.circuit._gate_table import GATES
from basicaer.simulator.circuit._gates import controlled
from basicaer.simulator.circuit._layout import qubits_of
from basicaer.simulator.circuit._operations import Operation
from basicaer.simulator.methods.stabilizer import _rows as rows
from basicaer.simulator.methods.stabilizer._stim import stim

Matrix: TypeAlias = npt.NDArray[np.complex128]
Piece: TypeAlias = tuple[int, int, int]
"""A row's code, and the places of its qubits among the instruction's; the second is 0 where there is one."""

_MOST_QUBITS = 6
_TOLERANCE = 1e-9
"""How far an entry of a gate's matrix may be from a Clifford gate's: that of a rotation by a multiple of pi /
2, as programs compute it.
"""

_DIRECT: dict[str, tuple[Piece, ...]] = {
    "id": (),
    "x": ((rows.X, 0, 0),),
    "y": ((rows.Y, 0, 0),),
    "z": ((rows.Z, 0, 0),),
    "h": ((rows.H, 0, 0),),
    "s": ((rows.S, 0, 0),),
    "sx": ((rows.SX, 0, 0),),
    "cx": ((rows.CX, 0, 1),),
    "cz": ((rows.CZ, 0, 1),),
    "swap": ((rows.SWAP, 0, 1),),
    "global_phase": (),
}
_FROM_STIM = {
    "X": rows.X,
    "Y": rows.Y,
    "Z": rows.Z,
    "H": rows.H,
    "S": rows.S,
    "SQRT_X": rows.SX,
    "CX": rows.CX,
    "CZ": rows.CZ,
    "SWAP": rows.SWAP,
}
_LETTERS: dict[str, tuple[int, ...]] = {
    "0": (),
    "1": (rows.X,),
    "+": (rows.H,),
    "-": (rows.X, rows.H),
    "r": (rows.H, rows.S),
    "l": (rows.H, rows.S, rows.Z),
}
"""How a qubit in 0 becomes each of the letters' states."""


def pieces(operation: Operation, parameters: tuple[float, ...]) -> tuple[Piece, ...] | None:
    """Return the rows of a gate of a valid circuit, but for its phase; None when it is no Clifford gate."""
    if operation.matrix is None and not operation.num_controls:
        direct = _DIRECT.get(GATES[operation.name].name)
        if direct is not None and not parameters:
            return direct
        if operation.name in ("global_phase", "gphase"):
            return ()
    if qubits_of(operation) > _MOST_QUBITS:
        return None
    matrix = whole_matrix(operation, parameters)
    return of_matrix(matrix.tobytes(), len(matrix))


def whole_matrix(operation: Operation, parameters: tuple[float, ...]) -> Matrix:
    """Return the matrix of a gate with all of its controls, which are its first qubits."""
    if operation.matrix is not None:
        matrix = np.asarray(operation.matrix, dtype=np.complex128)
        own = 0
    else:
        spec = GATES[operation.name]
        matrix = spec.target_matrices(np.array(parameters, dtype=np.float64).reshape(1, -1))[0]
        own = qubits_of(operation) - spec.num_targets - operation.num_controls
    state = operation.control_state
    if state is None:
        state = (1 << operation.num_controls) - 1
    state |= ((1 << own) - 1) << operation.num_controls
    return np.ascontiguousarray(controlled(matrix, own + operation.num_controls, state), dtype=np.complex128)


def letter_codes(letter: str) -> tuple[int, ...]:
    """Return the gates that take a qubit from 0 to the state of a letter of a label."""
    return _LETTERS[letter]


def named(operation: Operation, parameters: tuple[float, ...]) -> str:
    """Return a gate as a refusal names it."""
    if operation.matrix is not None:
        return f"a unitary matrix of {len(operation.matrix)} rows that is no Clifford gate's"
    angles = f"({', '.join(f'{value:g}' for value in parameters)})" if parameters else ""
    controls = f" with {operation.num_controls} controls" if operation.num_controls else ""
    return f"{operation.name}{angles}{controls}, which is no Clifford gate"


@lru_cache(maxsize=4096)
def of_matrix(content: bytes, size: int) -> tuple[Piece, ...] | None:
    """Return the rows of a unitary matrix, given as the bytes of its complex128 entries."""
    matrix = np.frombuffer(content, dtype=np.complex128).reshape(size, size)
    width = size.bit_length() - 1
    images = [_image(matrix, width, kind, qubit) for kind in "XZ" for qubit in range(width)]
    if any(image is None for image in images):
        return None
    strings = [stim().PauliString(image) for image in images]
    tableau = stim().Tableau.from_conjugated_generators(xs=strings[:width], zs=strings[width:])
    return tuple(_shortened(list(_pieces_of(tableau.to_circuit("elimination")))))


def _image(matrix: Matrix, width: int, kind: str, qubit: int) -> str | None:
    """Return what a Pauli operator of one qubit becomes, such as "-XIZ" with qubit 0 first; None for no Pauli
    operator.
    """
    index = np.arange(len(matrix))
    if kind == "X":
        found = matrix[:, index ^ 1 << qubit] @ matrix.conj().T
    else:
        found = (matrix * (1 - 2 * (index >> qubit & 1))) @ matrix.conj().T
    flips = int(np.abs(found[:, 0]).argmax())
    corner = found[flips, 0]
    if abs(abs(corner) - 1.0) > _TOLERANCE:
        return None
    signs = [found[flips ^ 1 << place, 1 << place] / corner for place in range(width)]
    phases = sum(1 << place for place, sign in enumerate(signs) if sign.real < 0.0)
    plus = 1j ** ((flips & phases).bit_count() % 4)
    is_negative = bool((corner / plus).real < 0.0)
    expected = np.zeros_like(found)
    parity = np.array([(int(column) & phases).bit_count() & 1 for column in index])
    expected[index ^ flips, index] = (-plus if is_negative else plus) * (1 - 2 * parity)
    if np.abs(found - expected).max() > _TOLERANCE:
        return None
    letters = "IXZY"
    spelled = "".join(letters[(flips >> place & 1) + 2 * (phases >> place & 1)] for place in range(width))
    return ("-" if is_negative else "+") + spelled


def _pieces_of(circuit: Any) -> list[Piece]:
    """Return the rows of stim's circuit for a tableau."""
    found: list[Piece] = []
    for instruction in circuit:
        code = _FROM_STIM[instruction.name]
        targets = [target.value for target in instruction.targets_copy()]
        if code in rows.TWO_QUBITS:
            found.extend((code, a, b) for a, b in zip(targets[::2], targets[1::2], strict=True))
        else:
            found.extend((code, a, 0) for a in targets)
    return found


def _shortened(found: list[Piece]) -> list[Piece]:
    """Return the same without four S or two H in a row on a qubit, and with Z for two S."""
    done: list[Piece] = []
    for piece in found:
        code, qubit, _ = piece
        if done and done[-1] == piece and code in (rows.H, rows.Z, rows.X):
            done.pop()
        elif done and done[-1] == piece and code == rows.S:
            done[-1] = (rows.Z, qubit, 0)
            if len(done) > 1 and done[-2] == done[-1]:
                del done[-2:]
        else:
            done.append(piece)
    return done
