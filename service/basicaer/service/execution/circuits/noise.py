"""The contract's channels and readout errors as the simulator's, which checks them while it makes them.

A few bytes on the wire may stand for hundreds of operators, so that what they take is counted before.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np
from basicaer import simulator as sim
from basicaer.service.execution.circuits.arrays import complex_array
from basicaer.service.parsing import Pause, ProgramFault, too_large
from basicaer.service.wire import Columns
from basicaer.v1 import circuit_pb2 as pb

__all__ = ["Noise", "noise_bytes", "width"]

_Made = TypeVar("_Made")

_MOST_QUBITS = 4
_MOST_OPERATORS = 1_024
_MOST_RESETS = 8
_MOST_BYTES = 256 << 20
# What an operator takes in Python beside its numbers.
_OPERATOR_BYTES = 250


class Noise:
    """Reads the channels and readout errors of one circuit, or of one noise model."""

    def __init__(self, columns: Columns, pause: Pause) -> None:
        self._columns = columns
        self._pause = pause
        self._bytes = 0

    def channel(self, message: pb.Channel, path: str) -> sim.Channel:
        """Return a channel.

        Raises:
            GivenUpError: By the pause.
            ProgramFault: It is none, or all of them together are too large.
        """
        self._pause()
        kind = message.WhichOneof("kind")
        if kind is None:
            raise ProgramFault(
                "it is empty; set pauli, depolarizing, thermal_relaxation, kraus, superoperator or mixture",
                path=path,
            )
        path = f"{path}.{kind}"
        return _checked(path, lambda: self._channel(kind, message, path))

    def readout(self, message: pb.ReadoutError, path: str) -> sim.ReadoutError:
        """Return a readout error.

        Raises:
            ProgramFault: It is none.
        """
        numbers = self._columns.numbers(message, "probabilities", np.float64)
        rows = 1 << (len(numbers).bit_length() // 2)
        if len(numbers) != rows * rows:
            raise ProgramFault(
                f"{len(numbers):,} probabilities; k bits need 2^k rows of 2^k", path=f"{path}.probabilities"
            )
        self._reserve(numbers.nbytes + _OPERATOR_BYTES, path)
        return _checked(path, lambda: sim.ReadoutError(numbers.reshape(rows, rows)))

    def _channel(self, kind: str, message: pb.Channel, path: str) -> sim.Channel:
        match kind:
            case "pauli":
                return self._pauli(message.pauli, path)
            case "depolarizing":
                width = message.depolarizing.num_qubits or 1
                self._reserve_products(width, path)
                return sim.Channel.depolarizing(message.depolarizing.probability, width)
            case "thermal_relaxation":
                given = message.thermal_relaxation
                self._reserve_operators(1, 8, path)
                return sim.Channel.thermal_relaxation(
                    given.t1, given.t2, given.duration, given.excited_population
                )
            case "kraus":
                operators = complex_array(message.kraus, path, self._columns, most_axes=3)
                if operators.ndim != 3 or len(operators) > _MOST_OPERATORS:
                    raise ProgramFault(
                        f"the shape is {operators.shape}; it is (m, 2^k, 2^k), for m of at most"
                        f" {_MOST_OPERATORS:,}",
                        path=path,
                    )
                self._reserve_operators(operators.shape[1].bit_length() - 1, len(operators), path)
                return sim.Channel.from_kraus(operators)
            case "superoperator":
                matrix = complex_array(message.superoperator, path, self._columns)
                width = (len(matrix).bit_length() - 1) // 2
                self._reserve_operators(width, 1 << 2 * min(width, _MOST_QUBITS), path)
                return sim.Channel.from_superoperator(matrix)
        return self._mixture(message.mixture, path)

    def _pauli(self, message: pb.PauliChannel, path: str) -> sim.Channel:
        probabilities = self._columns.numbers(message, "probabilities", np.float64).tolist()
        if len(probabilities) != len(message.paulis):
            raise ProgramFault(
                f"there are {len(message.paulis):,} paulis and {len(probabilities):,} probabilities",
                path=path,
            )
        together: dict[str, float] = {}
        for letters, probability in zip(message.paulis, probabilities, strict=True):
            if letters in together:
                raise ProgramFault("a product of Pauli matrices is there twice", path=f"{path}.paulis")
            if len(letters) > _MOST_QUBITS:
                raise ProgramFault(
                    f"a product of {len(letters):,} letters; it has 1 to {_MOST_QUBITS}",
                    path=f"{path}.paulis",
                )
            together[letters] = probability
        self._reserve_products(len(next(iter(together), "")), path)
        return sim.Channel.pauli(together)

    def _mixture(self, message: pb.CircuitMixture, path: str) -> sim.Channel:
        width = _mixture_width(message)
        circuits = []
        for number, circuit in enumerate(message.circuits):
            self._pause()
            where = f"{path}.circuits[{number}]"
            resets = sum(step.name == "reset" for step in circuit.instructions)
            if resets > _MOST_RESETS:
                raise ProgramFault(f"it has {resets} resets; the most is {_MOST_RESETS}", path=where)
            self._reserve_operators(width, 1 << resets, where)
            instructions = [
                self._instruction(step, f"{where}.instructions[{place}]")
                for place, step in enumerate(circuit.instructions)
            ]
            circuits.append((circuit.probability, instructions))
        return sim.Channel.mixture(circuits, width)

    def _instruction(self, message: pb.MixedInstruction, path: str) -> tuple[object, ...]:
        qubits = list(message.qubits)
        parameters = self._columns.numbers(message, "parameters", np.float64)
        if not np.isfinite(parameters).all():
            raise ProgramFault("a parameter is not finite", path=f"{path}.parameters")
        if message.HasField("matrix") != (message.name == "unitary"):
            raise ProgramFault("`unitary` needs `matrix`, and nothing else has one", path=path)
        if message.name == "unitary":
            if len(parameters):
                raise ProgramFault("unitary takes no parameters", path=f"{path}.parameters")
            matrix = complex_array(message.matrix, f"{path}.matrix", self._columns)
            return message.name, qubits, matrix
        if len(parameters):
            if message.name == "reset":
                raise ProgramFault("reset takes no parameters", path=f"{path}.parameters")
            return message.name, qubits, parameters.tolist()
        return message.name, qubits

    def _reserve_products(self, width: int, path: str) -> None:
        width = min(width, _MOST_QUBITS)
        self._reserve((_OPERATOR_BYTES << 2 * width) + (16 << 4 * width), path)

    def _reserve_operators(self, width: int, count: int, path: str) -> None:
        # What acts on more qubits is refused before anything is made.
        width = min(width, _MOST_QUBITS)
        self._reserve(count * ((16 << 2 * width) + _OPERATOR_BYTES) + (16 << 4 * width), path)

    def _reserve(self, size: int, path: str) -> None:
        self._bytes += size
        if self._bytes > _MOST_BYTES:
            raise too_large(
                "max_noise_bytes",
                _MOST_BYTES,
                self._bytes,
                f"{path}: the channels and readout errors take more than {_MOST_BYTES:,} bytes together",
            )


def width(message: pb.Channel) -> int | None:
    """Return how many qubits a channel has, without making it; None for one that surely is none."""
    found = 0
    match message.WhichOneof("kind"):
        case "pauli":
            found = len(next(iter(message.pauli.paulis), ""))
        case "depolarizing":
            found = message.depolarizing.num_qubits or 1
        case "thermal_relaxation":
            found = 1
        case "kraus" if len(message.kraus.shape) == 3:
            found = message.kraus.shape[1].bit_length() - 1
        case "superoperator" if len(message.superoperator.shape) == 2:
            found = (message.superoperator.shape[0].bit_length() - 1) // 2
        case "mixture":
            found = _mixture_width(message.mixture)
    return found if 1 <= found <= _MOST_QUBITS else None


def _mixture_width(message: pb.CircuitMixture) -> int:
    if message.num_qubits:
        return message.num_qubits
    steps = (step for each in message.circuits for step in each.instructions)
    return max((qubit for step in steps for qubit in step.qubits), default=0) + 1


def noise_bytes(operation: sim.Operation) -> int:
    """Return about how many bytes the noise of an operation takes."""
    if operation.readout is not None:
        return operation.readout.probabilities.nbytes
    if operation.channel is None:
        return 0
    channel = operation.channel
    count = sum(len(operators) for _, operators in channel.parts)
    return count * ((16 << 2 * channel.num_qubits) + _OPERATOR_BYTES) + (16 << 4 * channel.num_qubits)


def _checked(path: str, make: Callable[[], _Made]) -> _Made:
    try:
        return make()
    except sim.CircuitError as error:
        raise ProgramFault(error.message, path=path) from None
