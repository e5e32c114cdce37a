"""What circuits save, in the forms that Aer gives: Qiskit's states, lists for shots, dicts for outcomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import qiskit
from basicaer.client.results._chains import MatrixProductState
from basicaer.v1 import result_pb2
from qiskit.quantum_info import (
    Clifford,
    DensityMatrix,
    Operator,
    StabilizerState,
    Statevector,
    SuperOp,
)
from qiskit.result import ProbDistribution

__all__ = ["saved_value", "state_vector"]

_Array = npt.NDArray[Any]

_CHOP = 1e-10
"""Aer leaves out of a dict what is no larger."""


def saved_value(value: Any, description: result_pb2.Array, *, has_bits: bool) -> Any:
    """Return what was saved, as Aer has it. The outcome of a circuit without classical bits is ""."""
    if description.conditional:
        return {
            outcome if has_bits else "": _of_shots(array, description) for outcome, array in value.items()
        }
    return _of_shots(value, description)


def state_vector(amplitudes: _Array) -> Any:
    """Return a state vector as Qiskit's; an array before 1.0, as BasicAer gave."""
    return amplitudes if qiskit.__version__.startswith("0.") else Statevector(amplitudes)


def _of_shots(array: _Array, description: result_pb2.Array) -> Any:
    kind = description.kind
    if not description.per_shot:
        return _one(array, description)
    if kind == "expectation_value":
        return array.reshape(-1)
    return [_one(each, description) for each in array]


def _one(array: _Array, description: result_pb2.Array) -> Any:
    if description.as_dict and description.kind in _DICTS:
        return _DICTS[description.kind](array)
    if description.as_operator and description.kind == "stabilizer":
        return Clifford(array.astype(bool))
    form = _FORMS.get(description.kind)
    return array if form is None else form(array)


def _amplitudes_by_state(array: _Array) -> dict[str, complex]:
    return {hex(index): complex(array[index]) for index in np.flatnonzero(abs(array) > _CHOP).tolist()}


def _probabilities_by_state(array: _Array) -> Any:
    return ProbDistribution({index: float(array[index]) for index in np.flatnonzero(array > _CHOP).tolist()})


def _chain(chain: MatrixProductState) -> tuple[list[tuple[_Array, _Array]], list[_Array]]:
    """Return Aer's form: for each qubit two matrices, between which the singular values stand as factors."""
    pairs = []
    for place, tensor in enumerate(chain.tensors):
        own = tensor / chain.weights[place] if place < len(chain.weights) else tensor
        # Aer, which may be given them, reads them as if they lay so.
        pairs.append((np.ascontiguousarray(own[:, 0]), np.ascontiguousarray(own[:, 1])))
    return pairs, list(chain.weights)


_FORMS: Mapping[str, Callable[[Any], Any]] = {
    "statevector": state_vector,
    "density_matrix": DensityMatrix,
    "unitary": Operator,
    "superoperator": SuperOp,
    "matrix_product_state": _chain,
    "stabilizer": lambda array: StabilizerState(Clifford(array.astype(bool))),
    "expectation_value": lambda array: float(array[0]),
}
_DICTS: Mapping[str, Callable[[_Array], Any]] = {
    "statevector": _amplitudes_by_state,
    "probabilities": _probabilities_by_state,
}
