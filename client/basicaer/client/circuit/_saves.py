"""What a circuit keeps of its state, as methods with the names of Aer's."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Self

from basicaer.client._errors import CircuitError
from basicaer.client._texts import Encoded
from basicaer.client.circuit._control_flow import ControlFlow
from basicaer.client.circuit._gate_methods import Qubits
from basicaer.client.circuit._inputs import Observable, observable_message
from basicaer.v1 import circuit_pb2 as pb

__all__ = ["Saves", "basis_states_message"]

_WORD = 64


class Saves(ControlFlow):
    """The instructions that keep something as an array of the result, named by a label of the circuit's own.

    Where shots part, what is kept is the mean over them, or with `unnormalized` the sum; state vectors and
    amplitudes are those of one shot. `pershot` keeps it for each shot, in the order of the memory, as an
    array with one axis more; `conditional` for each value of the classical bits at that place, as a dict by
    hexadecimal outcomes.
    """

    @abstractmethod
    def _chosen(self, name: str, qubits: Qubits | None) -> list[int]:
        """Return some qubits, or all when None, checked."""

    @abstractmethod
    def _chosen_clbits(self, name: str, clbits: Sequence[int]) -> list[int]:
        """Return classical bits, checked."""

    @Encoded(CircuitError)
    def save_statevector(
        self, label: str = "statevector", *, pershot: bool = False, conditional: bool = False
    ) -> Self:
        """Keep the 2^n amplitudes of all qubits."""
        save = pb.Save(label=label, statevector=pb.SaveStatevector())
        return self._save((), save, pershot, conditional)

    @Encoded(CircuitError)
    def save_unitary(self, label: str = "unitary") -> Self:
        """Keep the unitary matrix of all that comes before, of 2^n by 2^n. For `unitary_simulator`."""
        return self._save((), pb.Save(label=label, unitary=pb.SaveUnitary()), False, False)

    @Encoded(CircuitError)
    def save_stabilizer(self, label: str = "stabilizer") -> Self:
        """Keep the tableau of a stabilizer state, of 2 n by 2 n + 1 bits, as Qiskit's Clifford has it."""
        return self._save((), pb.Save(label=label, stabilizer=pb.SaveStabilizer()), False, False)

    @Encoded(CircuitError)
    def save_superoperator(self, label: str = "superop") -> Self:
        """Keep the superoperator of all that comes before, of 4^n by 4^n, for density matrices whose columns
        are stacked. For the method "superop".
        """
        return self._save((), pb.Save(label=label, superoperator=pb.SaveSuperoperator()), False, False)

    @Encoded(CircuitError)
    def save_matrix_product_state(self, label: str = "matrix_product_state") -> Self:
        """Keep the tensors of all qubits, as a `MatrixProductState`. For the method of that name."""
        save = pb.Save(label=label, matrix_product_state=pb.SaveMatrixProductState())
        return self._save((), save, False, False)

    @Encoded(CircuitError)
    def save_amplitudes(
        self,
        basis_states: Iterable[int],
        label: str = "amplitudes",
        *,
        pershot: bool = False,
        conditional: bool = False,
    ) -> Self:
        """Keep the amplitudes of some basis states of all qubits, by their numbers."""
        save = pb.Save(label=label, amplitudes=basis_states_message(basis_states))
        return self._save((), save, pershot, conditional)

    @Encoded(CircuitError)
    def save_amplitudes_squared(
        self,
        basis_states: Iterable[int],
        label: str = "amplitudes_squared",
        *,
        unnormalized: bool = False,
        pershot: bool = False,
        conditional: bool = False,
    ) -> Self:
        """Keep the probabilities of some basis states of all qubits, by their numbers."""
        save = pb.Save(label=label, amplitudes_squared=basis_states_message(basis_states))
        return self._save((), save, pershot, conditional, unnormalized)

    @Encoded(CircuitError)
    def save_density_matrix(
        self,
        qubits: Qubits | None = None,
        label: str = "density_matrix",
        *,
        unnormalized: bool = False,
        pershot: bool = False,
        conditional: bool = False,
    ) -> Self:
        """Keep the density matrix of k qubits, of 2^k by 2^k, the least significant one first."""
        chosen = self._chosen("save_density_matrix", qubits)
        save = pb.Save(label=label, density_matrix=pb.SaveDensityMatrix())
        return self._save(chosen, save, pershot, conditional, unnormalized)

    @Encoded(CircuitError)
    def save_probabilities(
        self,
        qubits: Qubits | None = None,
        label: str = "probabilities",
        *,
        unnormalized: bool = False,
        pershot: bool = False,
        conditional: bool = False,
    ) -> Self:
        """Keep the 2^k probabilities of the outcomes of k qubits, the least significant one first."""
        chosen = self._chosen("save_probabilities", qubits)
        save = pb.Save(label=label, probabilities=pb.SaveProbabilities())
        return self._save(chosen, save, pershot, conditional, unnormalized)

    @Encoded(CircuitError)
    def save_expectation_value(
        self,
        observable: Observable,
        qubits: Qubits | None = None,
        label: str = "expectation_value",
        *,
        unnormalized: bool = False,
        pershot: bool = False,
        conditional: bool = False,
    ) -> Self:
        """Keep the expectation value of an observable, the last letter of which belongs to the first qubit.

        It is a product such as "XZ", or a sum of them such as {"ZZ": 1.0, "XI": -0.5}.
        """
        chosen = self._chosen("save_expectation_value", qubits)
        save = pb.Save(label=label, expectation_value=observable_message(observable))
        return self._save(chosen, save, pershot, conditional, unnormalized)

    @Encoded(CircuitError)
    def save_expectation_value_variance(
        self,
        observable: Observable,
        qubits: Qubits | None = None,
        label: str = "expectation_value_variance",
        *,
        unnormalized: bool = False,
        pershot: bool = False,
        conditional: bool = False,
    ) -> Self:
        """Keep the expectation value and the variance of an observable, as in `save_expectation_value`."""
        chosen = self._chosen("save_expectation_value_variance", qubits)
        save = pb.Save(label=label, expectation_value_variance=observable_message(observable))
        return self._save(chosen, save, pershot, conditional, unnormalized)

    @Encoded(CircuitError)
    def save_detectors(self, detectors: Iterable[Iterable[int]], label: str = "detectors") -> Self:
        """Keep for each shot and each list of bits whether their parity is another than without noise.

        `Result.get_detectors` returns these bits. Observables are saved in the same way, under the label
        "observables". Only circuits of Clifford gates and Pauli noise have detectors, and no bit that one
        reads is written again behind it.

        Raises:
            CircuitError: A bit isn't the circuit's, or there is no list.
        """
        save = pb.Save(label=label)
        for bits in detectors:
            chosen = self._chosen_clbits("save_detectors", list(bits))
            save.detectors.clbits.extend(chosen)
            save.detectors.sizes.append(len(chosen))
        if not save.detectors.sizes:
            raise CircuitError("There is no detector; give at least one list of classical bits.")
        return self._save((), save, False, False)

    def _save(
        self,
        qubits: Sequence[int],
        save: pb.Save,
        pershot: bool,
        conditional: bool,
        unnormalized: bool = False,
    ) -> Self:
        save.per_shot, save.conditional, save.unnormalized = pershot, conditional, unnormalized
        self._emit(pb.Operation(name="save", num_qubits=len(qubits), save=save), qubits)
        return self


def basis_states_message(basis_states: Iterable[int]) -> pb.BasisStates:
    """Return numbers of basis states as the contract has them.

    Raises:
        CircuitError: One is negative, or none.
    """
    numbers = [int(number) for number in basis_states]
    if min(numbers, default=0) < 0:
        raise CircuitError(f"there is no basis state {min(numbers)}")
    words = max(1, -(-max(numbers, default=0).bit_length() // _WORD))
    mask = (1 << _WORD) - 1
    return pb.BasisStates(
        numbers=[number >> _WORD * place & mask for number in numbers for place in range(words)],
        words_per_number=words if words > 1 else 0,
    )
