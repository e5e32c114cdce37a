"""Channels: what noise does to qubits, as maps of density matrices.

A channel is kept as parts that are drawn with given probabilities, whatever the state is; a part has Kraus
operators, of which the state says how likely each is. Mixtures of unitary operators have one operator in each
part, so that whoever simulates shots can draw their errors beforehand.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self, TypeAlias

import numpy as np
import numpy.typing as npt
from basicaer.simulator._errors import CircuitError
from basicaer.simulator._pausing import current_pause
from basicaer.simulator.circuit._channel_matrices import (
    Floats,
    Matrix,
    embedded,
    kraus_of,
    pauli_probabilities_of,
    products,
    superoperator_of,
    transfer_of,
)
from basicaer.simulator.circuit._gate_table import GATES

Part: TypeAlias = tuple[float, tuple[Matrix, ...]]
"""A probability, and the Kraus operators of what is then done."""

_MOST_QUBITS = 4
_TOLERANCE = 1e-8
_NUMBERS = {"I": 0, "X": 1, "Z": 2, "Y": 3}
_RESET = (np.diag([1.0, 0.0]).astype(np.complex128), np.array([[0, 1], [0, 0]], dtype=np.complex128))


class Channel:
    """A completely positive, trace-preserving map on `num_qubits` qubits, the first being least significant.

    It is made by one of the class's methods, and stands in a circuit as the operation "channel":

    >>> circuit = Circuit(1).append("channel", [0], channel=Channel.depolarizing(0.01))

    `parts` has what it does, as the module says. All of these methods raise `CircuitError` for what is no
    channel, and say how far it is from one.
    """

    __slots__ = ("_pauli", "_superoperator", "num_qubits", "parts")

    def __init__(self, num_qubits: int, parts: Sequence[Part]) -> None:
        """Take checked parts; use one of the methods."""
        self.num_qubits = num_qubits
        self.parts: tuple[Part, ...] = tuple(
            (weight, tuple(map(_frozen, operators))) for weight, operators in parts if weight > 0.0
        )
        self._superoperator: Matrix | None = None
        self._pauli: Floats | bool | None = False

    @classmethod
    def from_kraus(cls, operators: Iterable[npt.ArrayLike]) -> Self:
        """Return the channel of Kraus operators, each of shape (2^k, 2^k)."""
        matrices = [_matrix(operator) for operator in operators]
        if not matrices:
            raise CircuitError("a channel needs a Kraus operator")
        num_qubits = _width(matrices[0])
        for number, matrix in enumerate(matrices):
            if matrix.shape != matrices[0].shape:
                raise CircuitError(
                    f"Kraus operator {number} is {_shape(matrix)}; the first one is {_shape(matrices[0])}"
                )
        _check_trace(sum(matrix.conj().T @ matrix for matrix in matrices))
        return cls._simplest(num_qubits, matrices)

    @classmethod
    def from_superoperator(cls, matrix: npt.ArrayLike) -> Self:
        """Return the channel of a superoperator of shape (4^k, 4^k), which acts on density matrices whose
        columns are stacked, as Qiskit's `SuperOp` does.
        """
        given = _matrix(matrix)
        num_qubits, odd = divmod(len(given).bit_length() - 1, 2)
        if given.shape != (1 << 2 * num_qubits,) * 2 or odd or not 1 <= num_qubits <= _MOST_QUBITS:
            raise CircuitError(
                f"the superoperator is {_shape(given)}; it is 4^k by 4^k, for k from 1 to {_MOST_QUBITS}"
            )
        operators, least = kraus_of(given)
        if least < -_TOLERANCE:
            raise CircuitError(
                "the superoperator is not completely positive: its Choi matrix has the eigenvalue"
                f" {least:.3g}"
            )
        distance = float(np.abs(superoperator_of(operators) - given).max()) if operators else 1.0
        if distance > 10 * _TOLERANCE:
            raise CircuitError(
                f"the superoperator doesn't keep matrices Hermitian: it is {distance:.3g} off one that does"
            )
        _check_trace(sum(operator.conj().T @ operator for operator in operators))
        return cls._simplest(num_qubits, operators)

    @classmethod
    def pauli(cls, probabilities: Mapping[str, float]) -> Self:
        """Return the channel that draws products of Pauli operators, such as {"II": 0.9, "XZ": 0.1}; the last
        letter is the first qubit's.
        """
        width = len(next(iter(probabilities), ""))
        if not 1 <= width <= _MOST_QUBITS:
            raise CircuitError(f"Pauli products have 1 to {_MOST_QUBITS} letters, not {width}")
        table = np.zeros(1 << 2 * width)
        for letters, probability in probabilities.items():
            if len(letters) != width or not set(letters) <= _NUMBERS.keys():
                raise CircuitError(f"{letters!r} is no product of {width} letters of I X Y Z")
            table[sum(_NUMBERS[letter] << 2 * j for j, letter in enumerate(reversed(letters)))] += (
                _probability(f"the probability of {letters!r}", probability)
            )
        _check_sum(table.sum())
        return cls._pauli_mixture(width, table / table.sum())

    @classmethod
    def depolarizing(cls, probability: float, num_qubits: int = 1) -> Self:
        """Return the channel that replaces the state of the qubits by the one without any information, with
        this probability; it is at most 4^k / (4^k - 1), as in Qiskit Aer.
        """
        if not 1 <= num_qubits <= _MOST_QUBITS:
            raise CircuitError(f"num_qubits is {num_qubits}; it is 1 to {_MOST_QUBITS}")
        size = 1 << 2 * num_qubits
        value = _probability("the probability", probability, size / (size - 1))
        table = np.full(size, value / size)
        table[0] = max(0.0, 1.0 - value * (size - 1) / size)
        return cls._pauli_mixture(num_qubits, table / table.sum())

    @classmethod
    def thermal_relaxation(
        cls, t1: float, t2: float, gate_time: float, excited_population: float = 0.0
    ) -> Self:
        """Return what a qubit loses during `gate_time`, in the unit of the relaxation times `t1` and `t2`.

        `t2` is at most 2 t1; both may be infinite. `excited_population` is how likely the qubit ends in 1.
        """
        excited = cls.check_relaxation(t1, t2, gate_time, excited_population)
        relaxed = -math.expm1(-gate_time / t1)
        kept = math.exp(-gate_time / t2)
        if t2 <= t1:
            flipped = (1.0 - relaxed) * -math.expm1(-gate_time * (1.0 / t2 - 1.0 / t1)) / 2.0
            rest = max(0.0, 1.0 - relaxed - flipped)
            x, z = products(1)[1], products(1)[2]
            return cls(
                1,
                [
                    (rest, (products(1)[0],)),
                    (flipped, (z,)),
                    (relaxed * (1.0 - excited), _RESET),
                    (relaxed * excited, tuple(x @ operator for operator in _RESET)),
                ],
            )
        superoperator = np.zeros((4, 4), dtype=np.complex128)
        superoperator[0, 0], superoperator[3, 0] = 1.0 - excited * relaxed, excited * relaxed
        superoperator[3, 3], superoperator[0, 3] = 1.0 - (1.0 - excited) * relaxed, (1.0 - excited) * relaxed
        superoperator[1, 1] = superoperator[2, 2] = kept
        return cls.from_superoperator(superoperator)

    @staticmethod
    def check_relaxation(t1: float, t2: float, gate_time: float, excited_population: float) -> float:
        """Check what `thermal_relaxation` takes; return the excited population."""
        if not (t1 > 0.0 and t2 > 0.0 and t2 <= 2.0 * t1):
            raise CircuitError(f"t1 is {t1!r} and t2 is {t2!r}; they are above 0, and t2 is at most 2 t1")
        if not 0.0 <= gate_time < math.inf:
            raise CircuitError(f"the gate's time is {gate_time!r}; it is a finite number from 0")
        return _probability("the excited population", excited_population)

    @classmethod
    def mixture(
        cls, circuits: Iterable[tuple[float, Iterable[Sequence[Any]]]], num_qubits: int | None = None
    ) -> Self:
        """Return the channel that draws one of several circuits, each with its probability, as Qiskit Aer's
        `QuantumError`.

        An instruction is (name, qubits[, parameters]) of a gate, ("reset", [qubit]), or ("unitary", qubits,
        matrix). Without `num_qubits`, they are as many as the instructions name.
        """
        given = [(weight, [tuple(each) for each in instructions]) for weight, instructions in circuits]
        named = [qubit for _, instructions in given for each in instructions for qubit in each[1]]
        width = num_qubits if num_qubits is not None else max(named, default=0) + 1
        if not 1 <= width <= _MOST_QUBITS or any(not 0 <= qubit < width for qubit in named):
            raise CircuitError(f"a channel acts on 1 to {_MOST_QUBITS} qubits, numbered from 0")
        parts = [
            (_probability(f"the probability of circuit {number}", weight), _operators(instructions, width))
            for number, (weight, instructions) in enumerate(given)
        ]
        total = sum(weight for weight, _ in parts)
        _check_sum(total)
        for _, operators in parts:
            _check_trace(sum(operator.conj().T @ operator for operator in operators))
        return cls(width, [(weight / total, operators) for weight, operators in parts])

    @classmethod
    def _pauli_mixture(cls, num_qubits: int, table: Floats) -> Self:
        found = cls(
            num_qubits,
            [(float(weight), (products(num_qubits)[number],)) for number, weight in enumerate(table)],
        )
        table.flags.writeable = False
        found._pauli = table
        return found

    @classmethod
    def _simplest(cls, num_qubits: int, operators: list[Matrix]) -> Self:
        """Return the channel in the form that is the easiest to draw from."""
        superoperator = superoperator_of(operators)
        table = pauli_probabilities_of(transfer_of(superoperator), _TOLERANCE / 100)
        if table is not None:
            return cls._pauli_mixture(num_qubits, table)
        weights = [float(np.vdot(operator, operator).real) / len(operator) for operator in operators]
        identity = np.eye(len(operators[0]))
        if all(
            np.abs(operator.conj().T @ operator - weight * identity).max() <= _TOLERANCE / 100
            for operator, weight in zip(operators, weights, strict=True)
        ):
            parts = [
                (w, (operator / w**0.5,)) for w, operator in zip(weights, operators, strict=True) if w > 0
            ]
            return cls(num_qubits, parts)
        return cls(num_qubits, [(1.0, tuple(operators))])

    @property
    def operators(self) -> tuple[Matrix, ...]:
        """Its Kraus operators, of shape (2^k, 2^k)."""
        return tuple(weight**0.5 * each for weight, operators in self.parts for each in operators)

    @property
    def superoperator(self) -> Matrix:
        """Its superoperator of shape (4^k, 4^k), for density matrices whose columns are stacked."""
        if self._superoperator is None:
            self._superoperator = _frozen(superoperator_of(self.operators))
        return self._superoperator

    @property
    def pauli_probabilities(self) -> Floats | None:
        """How likely each product of Pauli operators is, of shape (4^k,); None unless it draws such products.

        The product's number is Σ (x_j + 2 z_j) 4^j, where qubit j has X^x_j Z^z_j, but for a phase.
        """
        if isinstance(self._pauli, bool):
            self._pauli = pauli_probabilities_of(transfer_of(self.superoperator), _TOLERANCE / 100)
        return self._pauli

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.num_qubits, self.parts)

    def __repr__(self) -> str:
        return f"<Channel of {self.num_qubits} qubits, {len(self.operators)} operators>"


def _operators(instructions: Iterable[tuple[Any, ...]], width: int) -> tuple[Matrix, ...]:
    """Return the Kraus operators of a circuit of gates and resets."""
    found: list[Matrix] = [np.eye(1 << width, dtype=np.complex128)]
    pause = current_pause()
    for name, qubits, *rest in instructions:
        pause()
        if name == "reset":
            steps: Sequence[Matrix] = _RESET
        elif name == "unitary" and len(rest) == 1:
            steps = [_matrix(rest[0])]
        elif name in GATES and not GATES[name].any_controls:
            try:
                steps = [GATES[name].matrix(*(rest[0] if rest else ()))]
            except ValueError as error:
                raise CircuitError(str(error)) from None
        else:
            raise CircuitError(f"a channel's circuit has {name!r}; it may have gates, unitary and reset")
        if len(set(qubits)) != len(qubits) or steps[0].shape != (1 << len(qubits),) * 2:
            raise CircuitError(f"{name} in a channel's circuit doesn't act on the qubits {list(qubits)}")
        wide = [embedded(step, qubits, width) for step in steps]
        found = [step @ before for step in wide for before in found]
    kept = tuple(operator for operator in found if np.abs(operator).max() > 1e-14)
    if len(kept) > 4**width:
        kept = tuple(kraus_of(superoperator_of(kept))[0])
    return kept


def _matrix(values: npt.ArrayLike) -> Matrix:
    try:
        matrix = np.array(values, dtype=np.complex128)
    except (TypeError, ValueError):
        raise CircuitError("a channel's operator is no matrix of complex numbers") from None
    if matrix.ndim != 2 or not np.isfinite(matrix).all():
        raise CircuitError("a channel's operator is no matrix of finite numbers")
    return matrix


def _width(matrix: Matrix) -> int:
    width = len(matrix).bit_length() - 1
    if matrix.shape != (1 << width,) * 2 or not 1 <= width <= _MOST_QUBITS:
        raise CircuitError(
            f"a Kraus operator is {_shape(matrix)}; it is 2^k by 2^k, for k from 1 to {_MOST_QUBITS}"
        )
    return width


def _check_trace(total: Any) -> None:
    distance = float(np.abs(total - np.eye(len(total))).max())
    if distance > _TOLERANCE:
        raise CircuitError(
            "the channel doesn't keep the trace: its operators' adjoints times themselves sum to"
            f" {distance:.3g} off the identity"
        )


def _check_sum(total: float) -> None:
    if abs(total - 1.0) > _TOLERANCE:
        raise CircuitError(f"the probabilities of a channel sum to {total:.9g} instead of 1")


def _probability(name: str, value: float, most: float = 1.0) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.floating | np.integer):
        raise CircuitError(f"{name} is {value!r}; it is a number from 0 to {most:.6g}")
    if not -_TOLERANCE <= value <= most + _TOLERANCE:
        raise CircuitError(f"{name} is {value!r}; it is a number from 0 to {most:.6g}")
    return min(max(0.0, float(value)), most)


def _shape(matrix: Matrix) -> str:
    return " by ".join(map(str, matrix.shape))


def _frozen(matrix: Matrix) -> Matrix:
    if matrix.flags.writeable:
        matrix = matrix.copy()
        matrix.flags.writeable = False
    return matrix
