"""States that a circuit is given on its way, each as the kind that some methods hold.

They are checked while they are made. Of a tableau, gates are found that prepare its state: every method that
holds pure states takes it so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
import numpy.typing as npt
from basicaer.simulator._errors import CircuitError
from basicaer.simulator._pausing import current_pause

Complexes = npt.NDArray[np.complex128]

TABLEAU_GATES = ("h", "sdg", "cx", "swap", "x")
"""The gates that prepare the state of a tableau."""
_H, _SDG, _CX, _SWAP, _X = range(len(TABLEAU_GATES))

MOST_TABLEAU = 1_000
"""Of so many qubits at most a tableau may be given: gates that prepare it grow with their square."""

_TOLERANCE = 1e-6


class GivenKind(Enum):
    """How a state is given. The values are names for people."""

    STATEVECTOR = "state vector"
    DENSITY_MATRIX = "density matrix"
    STABILIZER = "tableau"
    MATRIX_PRODUCT_STATE = "matrix product state"
    UNITARY = "unitary matrix"
    SUPEROPERATOR = "superoperator"


PURE = frozenset({GivenKind.STATEVECTOR, GivenKind.STABILIZER, GivenKind.MATRIX_PRODUCT_STATE})
"""What a state vector can be given by."""


@dataclass(frozen=True, slots=True, eq=False)
class GivenState:
    """A state of `num_qubits` qubits, made by one of the methods `from_…`, whose first qubit is the least
    significant one.

    `array` has what is given but for tableaux and chains: amplitudes of shape (2^n,), or a matrix.
    `tensors` are those of a chain, of shape (left bond, 2, right bond), and `wires` their qubits. A tableau
    is there as the gates that prepare it from 0: `operations` (uint8) are places in `TABLEAU_GATES`, and
    `qubits` (uint32) has their qubits one after another.
    """

    kind: GivenKind
    num_qubits: int
    array: Complexes | None = None
    tensors: tuple[Complexes, ...] = ()
    wires: tuple[int, ...] = ()
    operations: npt.NDArray[np.uint8] | None = None
    qubits: npt.NDArray[np.uint32] | None = None

    @classmethod
    def zero(cls, num_qubits: int) -> GivenState:
        """Return the state in which all qubits are in 0."""
        tensor = np.array([1.0, 0.0], dtype=np.complex128).reshape(1, 2, 1)
        return cls(
            *(GivenKind.MATRIX_PRODUCT_STATE, num_qubits),
            tensors=(tensor,) * num_qubits,
            wires=tuple(range(num_qubits)),
        )

    @classmethod
    def from_statevector(cls, amplitudes: npt.ArrayLike) -> GivenState:
        """Return the state with 2^n amplitudes of norm 1. Raises `CircuitError` for others."""
        array = _finite(amplitudes, "the state vector", 1)
        width = _width(array.size, 1, "a state vector has 2^n amplitudes")
        norm = float(np.linalg.norm(array))
        if not abs(norm - 1.0) <= _TOLERANCE:
            raise CircuitError(f"the amplitudes have the norm {norm:.9g} instead of 1; divide them by it")
        return cls(GivenKind.STATEVECTOR, width, array)

    @classmethod
    def from_density_matrix(cls, matrix: npt.ArrayLike) -> GivenState:
        """Return the state with a density matrix of 2^n by 2^n. Raises `CircuitError` for what is none."""
        array = _finite(matrix, "the density matrix", 2)
        width = _width(len(array), 1, "a density matrix is 2^n by 2^n")
        trace = complex(np.trace(array))
        if not abs(trace - 1.0) <= _TOLERANCE:
            raise CircuitError(f"the density matrix has the trace {trace:.9g} instead of 1; divide it by it")
        if not np.abs(array - array.conj().T).max() <= _TOLERANCE:
            raise CircuitError("the density matrix is not Hermitian")
        try:
            # A factor exists for what is positive, a hundred times as fast as eigenvalues are found.
            np.linalg.cholesky(array + _TOLERANCE * np.eye(len(array)))
        except np.linalg.LinAlgError:
            raise CircuitError("the density matrix has negative eigenvalues") from None
        return cls(GivenKind.DENSITY_MATRIX, width, array)

    @classmethod
    def from_tableau(cls, tableau: npt.ArrayLike) -> GivenState:
        """Return the stabilizer state of a tableau of bits, such as a run saves: 2 n rows of 2 n + 1, the
        last n of which are those of the stabilizers, or these alone.

        Raises `CircuitError` for what is none, and for more than 1,000 qubits.
        """
        try:
            bits = np.asarray(tableau)
        except ValueError:
            bits = np.zeros(0, dtype=np.uint8)
        width = (bits.shape[1] - 1) // 2 if bits.ndim == 2 else 0
        if width < 1 or bits.shape not in ((width, 2 * width + 1), (2 * width, 2 * width + 1)):
            raise CircuitError(f"the tableau is of shape {bits.shape}; it has n or 2 n rows of 2 n + 1 bits")
        if width > MOST_TABLEAU:
            raise CircuitError(f"a tableau of {width:,} qubits; at most {MOST_TABLEAU:,} are possible")
        if not ((bits == 0) | (bits == 1)).all():
            raise CircuitError("the tableau has something else than bits")
        rows = bits[-width:].astype(np.bool_)
        crossed = rows[:, :width].astype(np.float32) @ rows[:, width : 2 * width].astype(np.float32).T
        if ((crossed + crossed.T) % 2.0).any():
            raise CircuitError("the stabilizers of the tableau don't commute")
        operations, qubits = _preparing(rows)
        return cls(GivenKind.STABILIZER, width, operations=operations, qubits=qubits)

    @classmethod
    def from_tensors(cls, tensors: Iterable[npt.ArrayLike]) -> GivenState:
        """Return the state of a chain of tensors, of shape (left bond, 2, right bond), one for each qubit.

        Raises `CircuitError` for what is none, or has another norm than 1.
        """
        given = tuple(_finite(each, f"tensor {place}", 3) for place, each in enumerate(tensors))
        pause = current_pause()
        bond, norm = 1, np.ones((1, 1), dtype=np.complex128)
        for place, tensor in enumerate(given):
            pause()
            if tensor.shape[:2] != (bond, 2):
                raise CircuitError(f"tensor {place} has the shape {tensor.shape}; it begins with {bond}, 2")
            bond = tensor.shape[2]
            with np.errstate(over="ignore", invalid="ignore"):
                both = [tensor[:, bit].conj().T @ norm @ tensor[:, bit] for bit in (0, 1)]
            norm = both[0] + both[1]
        if not given or bond != 1:
            raise CircuitError(f"the chain has {len(given)} tensors, and the last bond is {bond}; it is 1")
        length = abs(complex(norm[0, 0])) ** 0.5
        if not abs(length - 1.0) <= _TOLERANCE:
            raise CircuitError(f"the chain has the norm {length:.9g} instead of 1; divide a tensor by it")
        return cls(GivenKind.MATRIX_PRODUCT_STATE, len(given), tensors=given, wires=tuple(range(len(given))))

    @classmethod
    def from_unitary(cls, matrix: npt.ArrayLike) -> GivenState:
        """Return a unitary matrix of 2^n by 2^n; that it is unitary, the compiler checks.

        Raises `CircuitError` for another shape.
        """
        array = _finite(matrix, "the unitary matrix", 2)
        return cls(GivenKind.UNITARY, _width(len(array), 1, "a unitary matrix is 2^n by 2^n"), array)

    @classmethod
    def from_superoperator(cls, matrix: npt.ArrayLike) -> GivenState:
        """Return a superoperator of 4^n by 4^n for stacked columns, as Qiskit's SuperOp. Raises
        `CircuitError` for one that doesn't keep the trace.
        """
        array = _finite(matrix, "the superoperator", 2)
        width = _width(len(array), 2, "a superoperator is 4^n by 4^n")
        identity = np.eye(1 << width).reshape(-1)
        if not np.abs(identity @ array - identity).max() <= _TOLERANCE:
            raise CircuitError("the superoperator doesn't keep the trace")
        return cls(GivenKind.SUPEROPERATOR, width, array)

    @property
    def nbytes(self) -> int:
        """How many bytes its numbers take."""
        arrays = (self.array, self.operations, self.qubits, *self.tensors)
        return sum(each.nbytes for each in arrays if each is not None)

    @property
    def largest_bond(self) -> int:
        """The largest bond of a chain; what another state may come to."""
        if self.tensors:
            return max(int(tensor.shape[2]) for tensor in self.tensors)
        return 1 << self.num_qubits // 2

    def ordered(self, qubits: Sequence[int]) -> GivenState:
        """Return the state in which `qubits`, a permutation, have what its own qubits have."""
        size, chosen = self.num_qubits, list(qubits)
        if chosen == list(range(size)):
            return self
        if self.tensors:
            return replace(self, wires=tuple(chosen[wire] for wire in self.wires))
        if self.qubits is not None:
            return replace(self, qubits=np.array(chosen, dtype=np.uint32)[self.qubits])
        if self.array is None:
            raise AssertionError("a state is given by nothing")
        return replace(self, array=_permuted(self.array, chosen))

    def amplitudes(self) -> Complexes:
        """Return the amplitudes of a state vector or of a chain, of shape (2^n,)."""
        if self.kind is GivenKind.STATEVECTOR and self.array is not None:
            return self.array
        if self.kind is not GivenKind.MATRIX_PRODUCT_STATE:
            raise AssertionError(f"a {self.kind.value} has no amplitudes here")
        found = np.ones((1, 1), dtype=np.complex128)
        pause = current_pause()
        for tensor in self.tensors:
            pause()
            found = np.concatenate([found @ tensor[:, bit] for bit in (0, 1)])
        return _permuted(found.reshape(-1), list(self.wires))


def _finite(values: npt.ArrayLike, what: str, axes: int) -> Complexes:
    """Return values as an array of so many axes, two of which are equally long, that can't be written to."""
    try:
        array = np.array(values, dtype=np.complex128)
    except (TypeError, ValueError):
        raise CircuitError(f"{what} is no array of complex numbers") from None
    if array.ndim != axes or array.size == 0 or (axes == 2 and array.shape[0] != array.shape[1]):
        raise CircuitError(f"{what} has the shape {array.shape}")
    if not np.isfinite(array).all():
        raise CircuitError(f"{what} has a number that is not finite")
    array.flags.writeable = False
    return array


def _width(length: int, bits: int, rule: str) -> int:
    width, rest = divmod(length.bit_length() - 1, bits)
    if rest or length != 1 << width * bits:
        raise CircuitError(f"the length is {length:,}; {rule}")
    return width


def _permuted(array: Complexes, qubits: Sequence[int]) -> Complexes:
    """Return an array whose axes all have 2^n elements, or 4^n, with bit k of each at the place qubits[k]."""
    size = len(qubits)
    groups = (array.size.bit_length() - 1) // max(1, size)
    axes = [0] * size
    for place, qubit in enumerate(qubits):
        axes[size - 1 - qubit] = size - 1 - place
    order = [group * size + axis for group in range(groups) for axis in axes]
    found = np.ascontiguousarray(array.reshape((2,) * (groups * size)).transpose(order))
    return found.reshape(array.shape)


def _preparing(rows: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint32]]:
    """Return the gates that prepare the state of stabilizers: those that take them to Z of each qubit, one
    after another, undone from the end (Aaronson and Gottesman, 2004).
    """
    size = len(rows)
    # By qubits, so that what a gate does lies side by side.
    x = np.ascontiguousarray(rows[:, :size].T)
    z = np.ascontiguousarray(rows[:, size : 2 * size].T)
    minus = rows[:, 2 * size].copy()
    found: list[tuple[int, int, int]] = []
    pause = current_pause()
    for row in range(size):
        pause()
        left = slice(row, None)
        # Rows before are Z of one qubit each, with which this one commutes.
        z[:row, row] = False
        mixed = np.flatnonzero(x[:, row])
        turned = mixed[z[mixed, row]]
        if len(turned):
            minus[left] ^= _parity(x[turned, left] & z[turned, left])
            z[turned, left] ^= x[turned, left]
            found.extend((_SDG, qubit, -1) for qubit in turned.tolist())
        if len(mixed):
            minus[left] ^= _parity(x[mixed, left] & z[mixed, left])
            x[mixed, left], z[mixed, left] = z[mixed, left], x[mixed, left]
            found.extend((_H, qubit, -1) for qubit in mixed.tolist())
        held = np.flatnonzero(z[:, row])
        if not len(held):
            raise CircuitError("the stabilizers of the tableau are not independent")
        if held[0] != row:
            other = int(held[0])
            for bits in (x, z):
                bits[[row, other]] = bits[[other, row]]
            found.append((_SWAP, row, other))
        controls = held[1:]
        if len(controls):
            _gather(x, z, minus, controls, row)
            found.extend((_CX, qubit, row) for qubit in controls.tolist())
        if minus[row]:
            minus[left] ^= z[row, left]
            found.append((_X, row, -1))
    table = np.array(found[::-1], dtype=np.int64).reshape(-1, 3)
    qubits = table[:, 1:].reshape(-1)
    return table[:, 0].astype(np.uint8), qubits[qubits >= 0].astype(np.uint32)


def _gather(
    x: npt.NDArray[np.bool_],
    z: npt.NDArray[np.bool_],
    minus: npt.NDArray[np.bool_],
    controls: npt.NDArray[np.int64],
    target: int,
) -> None:
    """Do CX gates with several controls on one target, to the rows from that target's on."""
    left = slice(target, None)
    own_x, own_z = x[controls, left], z[controls, left]
    # What the target's X is after each gate.
    after = np.bitwise_xor.accumulate(np.concatenate([x[target, left][None], own_x]))
    crossed = own_x & z[target, left] & ~(after[:-1] ^ own_z)
    minus[left] ^= _parity(crossed)
    x[target, left] = after[-1]
    z[controls, left] = own_z ^ z[target, left]


def _parity(bits: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = np.bitwise_xor.reduce(bits, axis=0)
    return found
