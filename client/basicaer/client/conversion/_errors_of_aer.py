"""Qiskit Aer's quantum errors as the contract's channels.

Nothing of Aer is imported: its objects are told by their attributes. A device's noise model has hundreds of
errors of up to a hundred circuits each, so that a circuit is read once, and none is made an operator by
itself that is one of a product.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from basicaer.client._structures import complex_array
from basicaer.client.circuit._gates import QISKIT_SHAPES
from basicaer.client.conversion._expressions import ConversionError
from basicaer.v1 import circuit_pb2 as pb

__all__ = ["PlacedChannel", "channels_of_error", "kraus_channel"]

# As much as a mixture of the contract may have.
_MOST_CIRCUITS, _MOST_INSTRUCTIONS, _MOST_RESETS = 1_024, 64, 8
_MOST_QUBITS = 4
_PAULI = {"X": "x", "Y": "y", "Z": "z"}
_MATRICES = {
    "x": np.array([[0, 1], [1, 0]], dtype=np.complex128),
    "y": np.array([[0, -1j], [1j, 0]], dtype=np.complex128),
    "z": np.diag([1, -1]).astype(np.complex128),
}
_RESET = np.array([[[1, 0], [0, 0]], [[0, 1], [0, 0]]], dtype=np.complex128)

Operators: TypeAlias = npt.NDArray[np.complex128]

_Key: TypeAlias = tuple[Any, ...]
"""Which superoperator on all qubits one is."""


class PlacedChannel(NamedTuple):
    """A channel, and the places of the qubits that it acts on; None for all of the error's, in order."""

    channel: pb.Channel
    places: tuple[int, ...] | None


class _Step(NamedTuple):
    """One thing that a circuit of an error does: a gate of the contract, a reset, or `operators`."""

    name: str
    qubits: list[int]
    parameters: list[float]
    operation: Any


def channels_of_error(error: Any) -> list[PlacedChannel]:
    """Return the channels that one of Aer's errors is, which are applied one after another.

    They are the circuits that it draws, where these can be said, or else a superoperator.

    Raises:
        ConversionError: It acts on more qubits than a channel, or is not physical.
    """
    if hasattr(error, "generators"):
        return [each for each in map(_of_generator, error.generators.to_labels(), error.rates) if each]
    if error.num_qubits > _MOST_QUBITS:
        raise ConversionError(
            f"an error of {error.num_qubits} qubits is wider than a channel, which has at most {_MOST_QUBITS}"
        )
    if hasattr(error, "paulis"):
        return [PlacedChannel(_pauli(error.paulis.to_labels(), error.probabilities), None)]
    return [PlacedChannel(_of_circuits(error), None)]


def kraus_channel(operators: Any) -> pb.Channel:
    """Return the channel of Kraus operators."""
    return pb.Channel(kraus=complex_array(_stacked(operators), 3))


def _of_generator(label: str, rate: float) -> PlacedChannel | None:
    """Return what one generator of a Lindbladian of Pauli products does; None for nothing."""
    places = tuple(place for place, letter in enumerate(reversed(label)) if letter != "I")
    letters = label.replace("I", "")
    if not letters or not rate:
        return None
    if rate < 0.0:
        raise ConversionError(f"an error with the rate {rate:g} of {label} is not physical")
    if len(letters) > _MOST_QUBITS:
        raise ConversionError(f"{label} acts on more qubits than a channel, which has at most {_MOST_QUBITS}")
    flipped = -math.expm1(-2.0 * rate) / 2.0
    return PlacedChannel(_pauli(["I" * len(letters), letters], [1.0 - flipped, flipped]), places)


def _pauli(labels: Iterable[str], probabilities: Iterable[float]) -> pb.Channel:
    together: dict[str, float] = {}
    for label, probability in zip(labels, probabilities, strict=True):
        letters = label.lstrip("-i")
        together[letters] = together.get(letters, 0.0) + float(probability)
    return pb.Channel(
        pauli=pb.PauliChannel(paulis=together.keys(), probabilities=together.values()),
    )


def _of_circuits(error: Any) -> pb.Channel:
    circuits = [_steps_of(circuit) for circuit in error.circuits]
    probabilities = [float(probability) for probability in error.probabilities]
    width = error.num_qubits
    if len(circuits) == 1 and len(circuits[0]) == 1:
        (only,) = circuits[0]
        if only.name == "kraus" and only.qubits == list(range(width)):
            return kraus_channel(only.operation.params)
    says_all = len(circuits) <= _MOST_CIRCUITS and all(map(_fits, circuits))
    made = [_mixed(*each) for each in zip(probabilities, circuits, strict=True)] if says_all else [None]
    whole = [each for each in made if each is not None]
    if len(whole) == len(made):
        return pb.Channel(mixture=pb.CircuitMixture(num_qubits=width, circuits=whole))
    matrix = _superoperator(width, probabilities, circuits)
    if matrix is None:
        matrix = error.to_quantumchannel().data
    return pb.Channel(superoperator=complex_array(matrix, 2))


def _steps_of(circuit: Any) -> list[_Step]:
    places = {qubit: place for place, qubit in enumerate(circuit.qubits)}
    found: list[_Step] = []
    for instruction in circuit.data:
        operation = instruction.operation
        name = operation.name
        if name == "id":
            continue
        qubits = [places[qubit] for qubit in instruction.qubits]
        if name == "pauli":
            found += _paulis(operation.params[0], *qubits)
        elif name == "reset":
            found += [_Step(name, [qubit], [], None) for qubit in qubits]
        elif name == "kraus":
            found.append(_Step(name, qubits, [], operation))
        elif name in _MATRICES and _is_standard(operation):
            found.append(_Step(name, qubits, [], None))
        else:
            found.append(_Step(name, qubits, _numbers(operation), operation))
    return found


@functools.lru_cache(maxsize=1024)
def _paulis(label: str, *qubits: int) -> tuple[_Step, ...]:
    letters = zip(reversed(label), qubits, strict=True)
    return tuple(_Step(_PAULI[one], [qubit], [], None) for one, qubit in letters if one != "I")


def _is_standard(operation: Any) -> bool:
    """Whether an operation is a gate of Qiskit's own, of which there may be one object for all uses."""
    kind = getattr(operation, "base_class", type(operation))
    return str(kind.__module__).startswith("qiskit.circuit.library.standard_gates")


def _numbers(operation: Any) -> list[float]:
    """Return the parameters of a gate of the contract; none for others."""
    shape = QISKIT_SHAPES.get(operation.name)
    if not _is_standard(operation) or shape != (operation.num_qubits, len(operation.params)):
        return []
    return [float(value) for value in operation.params]


def _fits(steps: Sequence[_Step]) -> bool:
    """Whether a circuit of an error may be one of a mixture, but for gates that have no matrix."""
    names = [step.name for step in steps]
    return len(names) <= _MOST_INSTRUCTIONS and names.count("reset") <= _MOST_RESETS and "kraus" not in names


def _mixed(probability: float, steps: Sequence[_Step]) -> pb.MixedCircuit | None:
    """Return a circuit of an error; None for one that a mixture can't have."""
    made = []
    for name, qubits, parameters, operation in steps:
        if operation is None or QISKIT_SHAPES.get(name) == (len(qubits), len(parameters)):
            made.append(pb.MixedInstruction(name=name, qubits=qubits, parameters=parameters))
            continue
        if not hasattr(operation, "__array__"):
            return None
        matrix = complex_array(np.asarray(operation), 2)
        made.append(pb.MixedInstruction(name="unitary", qubits=qubits, matrix=matrix))
    return pb.MixedCircuit(probability=probability, instructions=made)


def _superoperator(
    width: int, probabilities: Sequence[float], circuits: Sequence[Sequence[_Step]]
) -> Operators | None:
    """Return the superoperator of circuits that are drawn, of columns stacked; None for want of an
    operator.
    """
    known: dict[_Key, Operators] = {}
    drawn: list[tuple[float, list[_Key]]] = []
    for probability, steps in zip(probabilities, circuits, strict=True):
        keys: list[_Key] = []
        for name, qubits, _, operation in steps:
            key: _Key = name, *qubits
            if name == "kraus":
                key += tuple(np.asarray(each, np.complex128).tobytes() for each in operation.params)
            elif operation is not None:
                if not hasattr(operation, "__array__"):
                    return None
                key += (np.asarray(operation, np.complex128).tobytes(),)
            if key not in known:
                if operation is None:
                    known[key] = _plain(name, qubits[0], width)
                else:
                    known[key] = _wide(_operators(operation), qubits, width)
            keys.append(key)
        drawn.append((probability, keys))
    return _sum(drawn, known, 4**width)


def _sum(drawn: Sequence[tuple[float, list[_Key]]], known: dict[_Key, Operators], size: int) -> Operators:
    """Return the sum of weighted products, whose keys' first one acts first: those that end alike together,
    as most circuits have the same few steps in another choice.
    """
    rest, groups = 0.0, dict[_Key, list[tuple[float, list[_Key]]]]()
    for weight, keys in drawn:
        if keys:
            groups.setdefault(keys[-1], []).append((weight, keys[:-1]))
        else:
            rest += weight
    total = np.diag(np.full(size, rest, dtype=np.complex128))
    for key, own in groups.items():
        last = known[key]
        total += own[0][0] * last if len(own) == 1 and not own[0][1] else last @ _sum(own, known, size)
    return total


@functools.lru_cache(maxsize=64)
def _plain(name: str, qubit: int, width: int) -> Operators:
    """Return the superoperator of a Pauli matrix or a reset of one qubit, on all of them."""
    return _wide(_RESET if name == "reset" else _MATRICES[name][np.newaxis], [qubit], width)


def _operators(operation: Any) -> Operators:
    """Return the Kraus operators of an operation that has a matrix, or several."""
    if operation.name == "kraus":
        return _stacked(operation.params)
    return np.asarray(operation, dtype=np.complex128)[np.newaxis]


def _wide(operators: Operators, qubits: Sequence[int], width: int) -> Operators:
    """Return the superoperator of some qubits' operators, on all of them."""
    flat = operators.reshape(len(operators), -1)
    sources, holds = _places(width, *qubits)
    return (flat.conj().T @ flat).reshape(-1)[sources] * holds


@functools.lru_cache(maxsize=64)
def _places(width: int, *qubits: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return which product of entries of operators on `qubits` each entry of a superoperator has, and by
    what it is multiplied: 0 where another qubit changes.
    """
    size = 1 << width
    indices = np.arange(size)
    inside = np.zeros_like(indices)
    for place, qubit in enumerate(qubits):
        inside |= ((indices >> qubit) & 1) << place
    rest = indices & ~sum(1 << qubit for qubit in qubits)
    same = rest[:, np.newaxis] == rest
    entries = (inside[:, np.newaxis] << len(qubits)) + inside
    shape = size * size, size * size
    sources = (entries[:, np.newaxis, :, np.newaxis] << 2 * len(qubits)) + entries[:, np.newaxis, :]
    holds = same[:, np.newaxis, :, np.newaxis] & same[:, np.newaxis, :]
    return sources.reshape(shape), holds.reshape(shape).astype(np.float64)


def _stacked(operators: Any) -> Operators:
    return np.ascontiguousarray(np.array(list(operators), dtype=np.complex128))
