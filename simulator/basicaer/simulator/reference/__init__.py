"""A reference when testing: a slow and obvious simulator that shares no code with the fast one.

It multiplies whole matrices and follows every outcome, so it gives exact probabilities and is only good for a
few qubits. From the rest of the package it takes the data model, and the matrices of the standard gates,
which tests compare with Qiskit's. Nothing outside of the tests uses it.
"""

from basicaer.simulator.reference._expressions import evaluate
from basicaer.simulator.reference._interpreter import (
    Leaf,
    TooManyLeavesError,
    distribution,
    interpret,
    matrix_of,
    saved_by_outcome,
    saved_means,
)
from basicaer.simulator.reference._random_circuits import random_circuit, random_unitary
from basicaer.simulator.reference._random_expressions import random_expression

__all__ = [
    "Leaf",
    "TooManyLeavesError",
    "distribution",
    "evaluate",
    "interpret",
    "matrix_of",
    "random_circuit",
    "random_expression",
    "random_unitary",
    "saved_by_outcome",
    "saved_means",
]
