"""What a circuit keeps of its state, as methods with the names of Aer's."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Self

from basicaer.client._control_flow import ControlFlow
from basicaer.client._gate_methods import Qubits
from basicaer.client._inputs import Observable, observable_message
from basicaer.v1 import circuit_pb2 as pb

__all__ = ["Saves"]


class Saves(ControlFlow):
    """The instructions that keep something as an array of the result, named by a label of the circuit's own.

    Where shots part, probabilities and expectation values are means over them, and a state is that of one.
    """

    @abstractmethod
    def _chosen(self, name: str, qubits: Qubits | None) -> list[int]:
        """Returns some qubits, or all when None, checked."""

    def save_statevector(self, label: str = "statevector") -> Self:
        """Keeps the 2^n amplitudes of all qubits."""
        return self._save((), pb.Save(label=label, statevector=pb.SaveStatevector()))

    def save_probabilities(self, qubits: Qubits | None = None, label: str = "probabilities") -> Self:
        """Keeps the 2^k probabilities of the outcomes of k qubits, the least significant one first."""
        chosen = self._chosen("save_probabilities", qubits)
        return self._save(chosen, pb.Save(label=label, probabilities=pb.SaveProbabilities()))

    def save_expectation_value(
        self, observable: Observable, qubits: Qubits | None = None, label: str = "expectation_value"
    ) -> Self:
        """Keeps the expectation value of an observable, the last letter of which belongs to the first qubit.

        It is a product such as "XZ", or a sum of them such as {"ZZ": 1.0, "XI": -0.5}.
        """
        chosen = self._chosen("save_expectation_value", qubits)
        return self._save(chosen, pb.Save(label=label, expectation_value=observable_message(observable)))

    def _save(self, qubits: Sequence[int], save: pb.Save) -> Self:
        self._emit(pb.Operation(name="save", num_qubits=len(qubits), save=save), qubits)
        return self
