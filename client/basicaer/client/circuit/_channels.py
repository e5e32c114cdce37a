"""What noise does: channels of qubits, and readout errors of classical bits."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from basicaer.client._errors import CircuitError
from basicaer.client._texts import Encoded
from basicaer.client.circuit._checks import amplitudes_from, finite, index_from
from basicaer.v1 import circuit_pb2 as pb

__all__ = ["Channel", "ReadoutError"]

_MOST_QUBITS = 4
_MOST_CLBITS = 6
# As the server's.
_TOLERANCE = 1e-8


class Channel:
    """What noise does to 1 to 4 qubits: a completely positive map that keeps the trace.

    It is made by one of the class's methods, which raise CircuitError for what is none, as far as they see:
    the server looks at all of it. The first qubit is the least significant one.

        circuit.h(0).channel(Channel.depolarizing(0.01), 0)
    """

    def __init__(self, message: pb.Channel, num_qubits: int) -> None:
        """Take what is sent; use one of the methods."""
        self.message = message
        self.num_qubits = num_qubits

    @classmethod
    @Encoded(CircuitError)
    def pauli(cls, probabilities: Mapping[str, float]) -> Self:
        """Draw products of Pauli matrices, such as {"II": 0.9, "XZ": 0.1}; the last letter is the first
        qubit's.
        """
        width = len(next(iter(probabilities), ""))
        for letters in probabilities:
            if len(letters) != width or not letters or set(letters) - set("IXYZ"):
                raise CircuitError(f"{letters!r} is no product of {width} letters of I X Y Z.")
        values = _probabilities("The products", probabilities.values())
        message = pb.PauliChannel(paulis=probabilities.keys(), probabilities=values)
        return cls(pb.Channel(pauli=message), _width(width))

    @classmethod
    def depolarizing(cls, probability: float, num_qubits: int = 1) -> Self:
        """Replace the state by the one without any information, with this probability, as in Qiskit Aer."""
        width = _width(index_from("num_qubits", num_qubits))
        most = 4**width / (4**width - 1)
        value = finite("The probability", probability)
        if not 0.0 <= value <= most + _TOLERANCE:
            raise CircuitError(f"The probability of depolarizing is {value}; it is from 0 to {most:.6g}.")
        message = pb.DepolarizingChannel(probability=value, num_qubits=width)
        return cls(pb.Channel(depolarizing=message), width)

    @classmethod
    def thermal_relaxation(
        cls, t1: float, t2: float, gate_time: float, excited_population: float = 0.0
    ) -> Self:
        """Let a qubit relax and dephase for `gate_time`, in the unit of the times `t1` and `t2` ≤ 2 `t1`.

        Both may be infinite. `excited_population` is how likely the qubit is 1 at last.
        """
        message = pb.ThermalRelaxation(
            t1=_time("t1", t1),
            t2=_time("t2", t2),
            duration=finite("gate_time", gate_time),
            excited_population=finite("excited_population", excited_population),
        )
        if not 0.0 < message.t2 <= 2.0 * message.t1:
            raise CircuitError(f"t1 is {t1} and t2 is {t2}; they are above 0, and t2 is at most 2 t1.")
        if message.duration < 0.0 or not 0.0 <= message.excited_population <= 1.0:
            raise CircuitError("gate_time is at least 0, and excited_population is from 0 to 1.")
        return cls(pb.Channel(thermal_relaxation=message), 1)

    @classmethod
    def from_kraus(cls, operators: Iterable[npt.ArrayLike]) -> Self:
        """Apply Kraus operators of 2^k by 2^k, whose adjoints times themselves sum to the identity."""
        try:
            array = np.array(list(operators), dtype=np.complex128)
        except (TypeError, ValueError):
            raise CircuitError(
                "The Kraus operators are no matrices of complex numbers, all of a size."
            ) from None
        rows = array.shape[1] if array.ndim == 3 else 0
        width = _width(rows.bit_length() - 1)
        values = amplitudes_from("The array of Kraus operators", array, (len(array), 2**width, 2**width))
        if not np.allclose(np.einsum("aji,ajk->ik", array.conj(), array), np.eye(rows), atol=_TOLERANCE):
            raise CircuitError("The Kraus operators' adjoints times themselves don't sum to the identity.")
        return cls(pb.Channel(kraus=values), width)

    @classmethod
    def from_superoperator(cls, matrix: npt.ArrayLike) -> Self:
        """Apply a matrix of 4^k by 4^k to density matrices whose columns are stacked, as Qiskit's SuperOp."""
        array = np.asarray(matrix)
        width = _width((len(array).bit_length() - 1) // 2 if array.ndim else 0)
        values = amplitudes_from("The superoperator", array, (4**width, 4**width))
        return cls(pb.Channel(superoperator=values), width)

    @classmethod
    @Encoded(CircuitError)
    def mixture(
        cls, circuits: Iterable[tuple[float, Iterable[Sequence[Any]]]], num_qubits: int | None = None
    ) -> Self:
        """Draw one of several circuits, each with its probability, as Qiskit Aer's QuantumError.

        An instruction is (name, qubits[, parameters]) of a gate, ("reset", [qubit]), or ("unitary", qubits,
        matrix). Without `num_qubits`, they are as many as the instructions name.
        """
        given = [(weight, [_instruction(*each) for each in steps]) for weight, steps in circuits]
        named = [qubit for _, steps in given for step in steps for qubit in step.qubits]
        width = max(named, default=0) + 1 if num_qubits is None else index_from("num_qubits", num_qubits)
        if any(qubit >= width for qubit in named):
            raise CircuitError(f"The circuits of a mixture of {width} qubits name qubit {max(named)}.")
        weights = _probabilities("The circuits", (weight for weight, _ in given))
        message = pb.CircuitMixture(
            num_qubits=_width(width),
            circuits=[
                pb.MixedCircuit(probability=weight, instructions=steps)
                for weight, (_, steps) in zip(weights, given, strict=True)
            ],
        )
        return cls(pb.Channel(mixture=message), width)

    def __repr__(self) -> str:
        return f"<Channel {self.message.WhichOneof('kind')}: {self.num_qubits} qubits>"


class ReadoutError:
    """How likely 1 to 6 classical bits are told to have each value, for each value that they have.

    Row t of `probabilities`, of shape (2^k, 2^k), has those of the values told when t is true; the first bit
    is the least significant one of a value.

        circuit.measure(0, 0).readout_error(ReadoutError([[0.98, 0.02], [0.05, 0.95]]), 0)

    Raises:
        CircuitError: The matrix has another shape, or a row of it doesn't sum to 1.
    """

    def __init__(self, probabilities: npt.ArrayLike) -> None:
        try:
            rows = np.array(probabilities, dtype=np.float64)
        except (TypeError, ValueError):
            raise CircuitError("The probabilities of a readout error are no matrix of numbers.") from None
        self.num_clbits = len(rows).bit_length() - 1 if rows.ndim == 2 else 0
        if not 1 <= self.num_clbits <= _MOST_CLBITS or rows.shape != (2**self.num_clbits,) * 2:
            raise CircuitError(f"The probabilities of a readout error have the shape {rows.shape}.")
        for number, row in enumerate(rows.tolist()):
            _probabilities(f"Row {number} of a readout error", row)
        self.message = pb.ReadoutError(probabilities=rows.reshape(-1).tolist())

    def __repr__(self) -> str:
        return f"<ReadoutError: {self.num_clbits} clbits>"


def _width(num_qubits: int) -> int:
    if not 1 <= num_qubits <= _MOST_QUBITS:
        raise CircuitError(f"A channel is of 1 to {_MOST_QUBITS} qubits, not {num_qubits}.")
    return num_qubits


def _probabilities(what: str, values: Iterable[float]) -> list[float]:
    numbers = [finite(f"{what}: a probability", value) for value in values]
    if any(not number >= -_TOLERANCE for number in numbers) or abs(sum(numbers) - 1.0) > _TOLERANCE:
        raise CircuitError(f"{what}: the probabilities are at least 0 and sum to {sum(numbers):.9g}, not 1.")
    return numbers


def _time(what: str, value: float) -> float:
    return math.inf if value == math.inf else finite(what, value)


def _instruction(name: str, qubits: Sequence[int], values: Any = ()) -> pb.MixedInstruction:
    chosen = [index_from("A qubit of a channel's circuit", qubit) for qubit in qubits]
    if len(set(chosen)) < len(chosen) or any(qubit < 0 for qubit in chosen):
        raise CircuitError(f"{name} in a channel's circuit can't act on the qubits {chosen}.")
    if name == "unitary":
        matrix = amplitudes_from("The matrix", values, (2 ** len(chosen),) * 2)
        return pb.MixedInstruction(name=name, qubits=chosen, matrix=matrix)
    numbers = [finite(f"A parameter of {name}", value) for value in values]
    return pb.MixedInstruction(name=name, qubits=chosen, parameters=numbers)
