"""What a result tells of the method by which a program ran."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from basicaer.v1 import job_pb2, result_pb2

__all__ = ["METHODS", "MatrixProductStateCuts", "cuts_of", "method_name"]

METHODS: Mapping[job_pb2.SimulationMethod.ValueType, str] = {
    job_pb2.SIMULATION_METHOD_STATEVECTOR: "statevector",
    job_pb2.SIMULATION_METHOD_DENSITY_MATRIX: "density_matrix",
    job_pb2.SIMULATION_METHOD_STABILIZER: "stabilizer",
    job_pb2.SIMULATION_METHOD_MATRIX_PRODUCT_STATE: "matrix_product_state",
    job_pb2.SIMULATION_METHOD_SUPEROP: "superop",
}
"""The methods by the contract's numbers."""


@dataclasses.dataclass(frozen=True, slots=True)
class MatrixProductStateCuts:
    """How far matrix product states were cut.

    `largest_bond` is the most values that a bond had. `discarded_weight` is the sum of the weights that were
    left out, each as a part of all, in the state that lost most. `estimated_fidelity` is the product of the
    weights that were kept: an estimate, and no bound.
    """

    largest_bond: int
    discarded_weight: float
    estimated_fidelity: float


def method_name(number: job_pb2.SimulationMethod.ValueType) -> str:
    """Return a method's name; "" for none, and for one that this client doesn't know."""
    return METHODS.get(number, "")


def cuts_of(message: result_pb2.ProgramResult) -> MatrixProductStateCuts | None:
    """Return what the states of a program were cut; None where another method ran."""
    if not message.HasField("matrix_product_state"):
        return None
    cuts = message.matrix_product_state
    return MatrixProductStateCuts(cuts.largest_bond, cuts.discarded_weight, cuts.estimated_fidelity)
