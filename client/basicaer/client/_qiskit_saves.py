"""Save instructions, such as those of qiskit-aer, as the contract's, told by their names alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from basicaer.client._qiskit_expressions import ConversionError
from basicaer.v1 import circuit_pb2 as pb

__all__ = ["SAVE_NAMES", "save_to_proto"]

# The kinds of data that Aer gives once a circuit, as one value or as the mean over the shots.
_PLAIN_SUBTYPES = ("single", "average")


def save_to_proto(operation: Any) -> pb.Save:
    """What a save instruction keeps, and under which label.

    Raises:
        ConversionError: The service can't keep this, or not for each shot or each outcome.
    """
    if operation.name not in _SAVES:
        raise ConversionError(
            f"the service can't keep what {operation.name!r} asks for; it knows {', '.join(SAVE_NAMES)}"
        )
    if getattr(operation, "_subtype", "single") not in _PLAIN_SUBTYPES:
        raise ConversionError(
            f"{operation.name!r} is kept once a circuit; leave out pershot, conditional and unnormalized"
        )
    default, make = _SAVES[operation.name]
    # Aer's label of a state that is named after the simulator's method.
    label = getattr(operation, "_label", None) or operation.label
    return make(default if label in (None, "_method_") else label, operation)


def _statevector(label: str, operation: Any) -> pb.Save:
    return pb.Save(label=label, statevector=pb.SaveStatevector())


def _probabilities(label: str, operation: Any) -> pb.Save:
    return pb.Save(label=label, probabilities=pb.SaveProbabilities())


def _expectation_value(label: str, operation: Any) -> pb.Save:
    """Aer's parameters: for each product its letters, and two coefficients, the second for the variance."""
    observable = pb.Observable()
    for letters, coefficient in operation.params:
        observable.paulis.append(letters)
        factor = complex(coefficient[0] if isinstance(coefficient, tuple | list) else coefficient)
        if factor.imag:
            raise ConversionError("the operator of an expectation value is not Hermitian")
        observable.coefficients.append(factor.real)
    return pb.Save(label=label, expectation_value=observable)


_SAVES: Mapping[str, tuple[str, Callable[[str, Any], pb.Save]]] = {
    "save_statevector": ("statevector", _statevector),
    "save_state": ("statevector", _statevector),
    "save_probabilities": ("probabilities", _probabilities),
    "save_expval": ("expectation_value", _expectation_value),
    "save_expectation_value": ("expectation_value", _expectation_value),
}
SAVE_NAMES = tuple(_SAVES)
