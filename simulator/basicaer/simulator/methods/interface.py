"""What a method must be able to do: to make states, to apply gates to them, and to read them.

A state is the method's own, and holds the qubits that it is given, numbered from 0; qubit 0 is the least
significant bit of a basis state's number. What takes long is given a `RunControl`, and raises
`SimulationCancelled` soon after it is cancelled; the state is then of no use. Equal calls give equal results,
bit by bit, whatever the number of threads.

`tests/unit/simulator/engine/method_contract.py` holds a method to all of this.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, Generic, NamedTuple, Self, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt
from basicaer.simulator._control import RunControl
from basicaer.simulator._errors import SimulationFailed
from basicaer.simulator._outcomes import BasisStates
from basicaer.simulator.circuit._given_states import GivenState
from basicaer.simulator.circuit._operations import Observable
from basicaer.simulator.circuit._segment import Segment

Floats: TypeAlias = npt.NDArray[np.float64]
Indices: TypeAlias = npt.NDArray[np.int64]
DType: TypeAlias = "np.dtype[Any]"


_PAULIS = {
    "I": np.eye(2),
    "X": np.array([[0.0, 1.0], [1.0, 0.0]]),
    "Y": np.array([[0.0, -1j], [1j, 0.0]]),
    "Z": np.diag([1.0, -1.0]),
}


class SavedChain(NamedTuple):
    """A matrix product state in the order of its qubits: the numbers of all tensors, of shape (left bond, 2,
    right bond) and isometries from the right, but for the first; the n + 1 bonds; and the singular values
    between neighbours.
    """

    tensors: npt.NDArray[np.complex128]
    bonds: npt.NDArray[np.uint64]
    weights: Floats


class QuantumState(ABC):
    """The state of `num_qubits` qubits. Its norm stays what it was; `collapse` makes it 1.

    States that are mixed have their trace for a norm.
    """

    __slots__ = ()

    num_qubits: int

    @abstractmethod
    def copy(self, control: RunControl) -> Self:
        """Return an independent state that is equal."""

    @abstractmethod
    def weights(self, qubits: Sequence[int], control: RunControl) -> Floats:
        """How likely each value of `qubits` is, which ascend: the squared norms of the state's projections.

        The array has shape (2^k,); the first qubit is the least significant bit of its index.
        """

    @abstractmethod
    def collapse(self, values: Mapping[int, int], weight: float, control: RunControl) -> None:
        """Project qubits on `values`, whose weight `weights` gave, and make the norm 1. The weight of no
        qubits is that of the state.
        """

    @abstractmethod
    def flip(self, qubit: int, control: RunControl) -> None:
        """Exchange 0 and 1 of `qubit`."""

    @abstractmethod
    def prepare(
        self, qubits: Sequence[int], amplitudes: npt.NDArray[np.complex128], control: RunControl
    ) -> None:
        """Give `qubits`, which are all in 0, the state `amplitudes` of 2^k; the first is the least
        significant bit.
        """


S = TypeVar("S", bound=QuantumState)


class GatePlan(ABC, Generic[S]):
    """A segment that is ready to be applied. Threads may share it, and it can be pickled."""

    __slots__ = ()

    @abstractmethod
    def apply(self, state: S, control: RunControl) -> None:
        """Apply the segment to `state` in place, and report its gates' `Method.work` to `control` in all."""


class Expectations(ABC, Generic[S]):
    """Observables on some qubits, ready to be read from any number of states."""

    __slots__ = ()

    @abstractmethod
    def values(self, state: S, control: RunControl, threads: int | None = 1) -> Floats:
        """Return the observables' expectation values, of shape (m,); `state` is not changed.

        At most `threads` are at it, whose number makes no difference to the values; None leaves it open.
        """


class Method(ABC, Generic[S]):
    """A way to simulate. It changes nothing of its own: there is one object, which all threads share.

    Where qubits are read, those from the state's `num_qubits` on aren't held: that number stands for a qubit
    in 0, and the next one for a qubit in 1.
    """

    __slots__ = ()

    name: str

    @abstractmethod
    def zero(self, num_qubits: int, dtype: DType) -> S:
        """All qubits in 0. `dtype`, complex128 or complex64, is the precision.

        Raises `SimulationFailed` when no machine holds such a state.
        """

    @abstractmethod
    def plan(self, segment: Segment, threads: int | None = None) -> GatePlan[S]:
        """Plan a segment for `num_qubits` qubits. `threads` bounds those of `apply`; None leaves it open."""

    @abstractmethod
    def sample(
        self, state: S, shots: int, generator: np.random.Generator, control: RunControl, num_active: int
    ) -> tuple[BasisStates, Indices]:
        """Draw `shots` basis states with the probabilities of `state`, whose norm need not be 1.

        Gates act on `num_active` of the circuit's qubits. Returns the distinct numbers in order, and how
        often each was drawn. Of more than 62 qubits they are rows of words, distinct and in any order.
        """

    @abstractmethod
    def probabilities(self, state: S, qubits: Sequence[int], control: RunControl) -> Floats:
        """Return the probabilities of the values of `qubits`, in any order, of shape (2^k,)."""

    @abstractmethod
    def expectations(
        self, observables: Sequence[Observable], qubits: Sequence[int], num_qubits: int
    ) -> Expectations[S]:
        """Return valid observables on `qubits` of states that hold `num_qubits` qubits."""

    @abstractmethod
    def given(self, given: GivenState, state: S, control: RunControl) -> S:
        """Return a state in place of `state`, of its precision, that is as one that a circuit is given.

        Raises `SimulationFailed` for what such states can't be.
        """

    def density_matrix(
        self, state: S, qubits: Sequence[int], control: RunControl
    ) -> npt.NDArray[np.complexfloating]:
        """Return the density matrix of `qubits`, in any order, of shape (2^k, 2^k): by all products of Pauli
        operators, unless a method has a better way.
        """
        width = len(qubits)
        letters = ["".join(each) for each in product("IXYZ", repeat=width)]
        single = [Observable((pauli,), (1.0,)) for pauli in letters]
        values = self.expectations(single, qubits, state.num_qubits).values(state, control)
        found = np.zeros((1 << width, 1 << width), dtype=np.complex128)
        for pauli, value in zip(letters, values.tolist(), strict=True):
            if value:
                matrix = np.ones((1, 1), dtype=np.complex128)
                for letter in pauli:
                    matrix = np.kron(matrix, _PAULIS[letter])
                found += value / len(found) * matrix
        return found

    @abstractmethod
    def statevector(
        self,
        state: S,
        num_qubits: int,
        qubits: Sequence[int],
        ones: Sequence[int],
        phase: complex,
        control: RunControl,
    ) -> npt.NDArray[np.complexfloating]:
        """All 2^num_qubits amplitudes, times `phase`, in an array of the caller's; `state` is not changed.

        The state's qubits have the numbers `qubits` there, which ascend; the others are in 0, but for `ones`.
        """

    @abstractmethod
    def amplitudes(
        self, state: S, basis_states: Sequence[int], control: RunControl
    ) -> npt.NDArray[np.complexfloating]:
        """Return the amplitudes of some of the basis states of a state, in their order."""

    def amplitudes_squared(self, state: S, basis_states: Sequence[int], control: RunControl) -> Floats:
        """Return how likely some of the basis states are, in their order."""
        found = self.amplitudes(state, basis_states, control).astype(np.complex128)
        squares: Floats = found.real**2 + found.imag**2
        return squares

    def unitary(
        self, state: S, num_qubits: int, qubits: Sequence[int], phase: complex, control: RunControl
    ) -> npt.NDArray[np.complexfloating]:
        """Return the matrix on `num_qubits` qubits that a state holds, times `phase`, where states do.

        The matrix acts on `qubits`, which ascend, and as the identity on the others.
        """
        raise SimulationFailed(f"the method {self.name} holds no matrices")

    def superoperator(self, state: S, control: RunControl) -> npt.NDArray[np.complexfloating]:
        """Return the matrix of 4^n by 4^n of the map that a state holds, where states do."""
        raise SimulationFailed(f"the method {self.name} holds no maps of density matrices")

    def chain(
        self, state: S, num_qubits: int, qubits: Sequence[int], ones: Sequence[int], control: RunControl
    ) -> SavedChain:
        """Return a state as a chain of tensors, where states are. As `statevector`, but for the phase."""
        raise SimulationFailed(f"the method {self.name} holds no tensors")

    @abstractmethod
    def required_bytes(self, num_qubits: int, dtype: DType) -> int:
        """Return what one state takes, at most; a Python int of any size."""

    @abstractmethod
    def work(self, num_qubits: int, gates: float) -> float:
        """How long so many gates take, each applied alone, in amplitudes that are computed: the measure of
        progress, as `RunControl.advance` counts.
        """
