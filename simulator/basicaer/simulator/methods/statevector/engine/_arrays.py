"""The arrays that pass through the engine: types for mypy, and tuples whose fields numba knows too.

`columns` has a module for each array of numbers, which names its columns.
"""

from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

Ints: TypeAlias = npt.NDArray[np.int64]
Indices: TypeAlias = npt.NDArray[np.uint32]
Reals: TypeAlias = npt.NDArray[np.floating[Any]]
Complexes: TypeAlias = npt.NDArray[np.complex128]
Flags: TypeAlias = npt.NDArray[Any]


class Columns(NamedTuple):
    """A circuit's instructions: operations, and their qubits and parameters one after another."""

    operations: Indices
    qubits: Indices
    parameters: npt.NDArray[np.float64]


class Fused(NamedTuple):
    """What gates are lowered to: `ops` [fused] with their matrices and operands; and what is known of wires.

    `last` has the last operation on each wire, `known` its basis state or -1. `spare` is room for a matrix of
    two qubits.
    """

    ops: Ints
    mats: Complexes
    operands: Ints
    last: Ints
    known: Ints
    spare: Complexes


class StagePlan(NamedTuple):
    """A plan: `stages` [passes], `rows` [steps], coefficients, and `terms` [factors]."""

    stages: Ints
    rows: Ints
    coefs: Reals
    terms: Ints


class Builder(NamedTuple):
    """A plan in the making: `box` has one array of coefficients, replaced by a larger one when it is full.

    `counts` [making] says how much of each array is in use.
    """

    rows: Ints
    box: list[npt.NDArray[np.float64]]
    terms: Ints
    counts: Ints


class Work(NamedTuple):
    """A thread's room beside its block: for a layer's factors, its tables and its slots, and for vectors."""

    single: Reals
    tables: Reals
    slots: Reals
    vectors: Reals


class Small(NamedTuple):
    """A small circuit's state: real and imaginary parts, what is known of it [small], and room."""

    re: Reals
    im: Reals
    c: Complexes
    coefs: Reals
    scratch: Reals
