"""Save instructions, such as those of qiskit-aer, as the contract's, told by their names alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from basicaer.client.circuit._saves import basis_states_message
from basicaer.client.conversion._expressions import ConversionError
from basicaer.v1 import circuit_pb2 as pb

__all__ = ["SAVE_NAMES", "save_to_proto"]

_SUBTYPES = ("single", "average", "list", "accum")


def save_to_proto(operation: Any) -> pb.Save:
    """Return what a save instruction keeps, how, and under which label.

    Raises:
        ConversionError: The service can't keep this.
    """
    if operation.name not in _SAVES:
        raise ConversionError(
            f"the service can't keep what {operation.name!r} asks for; it knows {', '.join(SAVE_NAMES)}"
        )
    subtype = str(getattr(operation, "_subtype", "single"))
    plain = subtype.removeprefix("c_")
    if plain not in _SUBTYPES:
        raise ConversionError(f"{operation.name!r} has the unknown subtype {subtype!r}")
    default, make = _SAVES[operation.name]
    save = make(operation)
    # Aer's label of a state that is named after the simulator's method.
    label = getattr(operation, "_label", None) or operation.label
    save.label = default if label in (None, "_method_") else label
    save.per_shot, save.unnormalized = plain == "list", plain == "accum"
    save.conditional = subtype != plain
    save.as_dict = operation.name.endswith("_dict")
    save.as_operator = operation.name == "save_clifford"
    return save


def _statevector(operation: Any) -> pb.Save:
    return pb.Save(statevector=pb.SaveStatevector())


def _unitary(operation: Any) -> pb.Save:
    return pb.Save(unitary=pb.SaveUnitary())


def _stabilizer(operation: Any) -> pb.Save:
    return pb.Save(stabilizer=pb.SaveStabilizer())


def _superoperator(operation: Any) -> pb.Save:
    return pb.Save(superoperator=pb.SaveSuperoperator())


def _matrix_product_state(operation: Any) -> pb.Save:
    return pb.Save(matrix_product_state=pb.SaveMatrixProductState())


def _probabilities(operation: Any) -> pb.Save:
    return pb.Save(probabilities=pb.SaveProbabilities())


def _density_matrix(operation: Any) -> pb.Save:
    return pb.Save(density_matrix=pb.SaveDensityMatrix())


def _amplitudes(operation: Any) -> pb.Save:
    return pb.Save(amplitudes=basis_states_message(operation.params))


def _amplitudes_squared(operation: Any) -> pb.Save:
    return pb.Save(amplitudes_squared=basis_states_message(operation.params))


def _expectation_value(operation: Any) -> pb.Save:
    return pb.Save(expectation_value=_observable(operation))


def _variance(operation: Any) -> pb.Save:
    return pb.Save(expectation_value_variance=_observable(operation))


def _observable(operation: Any) -> pb.Observable:
    """Aer's parameters: for each product its letters, and two coefficients, the second for the variance."""
    observable = pb.Observable()
    for letters, coefficient in operation.params:
        is_pair = isinstance(coefficient, tuple | list)
        factor = complex(coefficient[0] if is_pair else coefficient)
        if factor.imag:
            raise ConversionError("the operator of an expectation value is not Hermitian")
        # What is in the square alone, the server finds by itself.
        if factor or not is_pair:
            observable.paulis.append(letters)
            observable.coefficients.append(factor.real)
    return observable


_SAVES: Mapping[str, tuple[str, Callable[[Any], pb.Save]]] = {
    "save_statevector": ("statevector", _statevector),
    "save_statevector_dict": ("statevector", _statevector),
    "save_state": ("statevector", _statevector),
    "save_unitary": ("unitary", _unitary),
    "save_stabilizer": ("stabilizer", _stabilizer),
    "save_clifford": ("clifford", _stabilizer),
    "save_superop": ("superop", _superoperator),
    "save_matrix_product_state": ("matrix_product_state", _matrix_product_state),
    "save_amplitudes": ("amplitudes", _amplitudes),
    "save_amplitudes_sq": ("amplitudes_squared", _amplitudes_squared),
    "save_density_matrix": ("density_matrix", _density_matrix),
    "save_probabilities": ("probabilities", _probabilities),
    "save_probabilities_dict": ("probabilities", _probabilities),
    "save_expval": ("expectation_value", _expectation_value),
    "save_expectation_value": ("expectation_value", _expectation_value),
    "save_expval_var": ("expectation_value_variance", _variance),
}
SAVE_NAMES = tuple(_SAVES)
