"""Checks one entry of a circuit's table of operations, without its blocks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import fields

import numpy as np
from basicaer.simulator._circuit import Circuit
from basicaer.simulator._classical import Path, Scope
from basicaer.simulator._conversions import INTEGER_KINDS, fits
from basicaer.simulator._errors import CircuitError
from basicaer.simulator._expressions import ClassicalKind
from basicaer.simulator._gate_table import GATES
from basicaer.simulator._gates import GateSpec
from basicaer.simulator._layout import (
    CONTROL_FLOW,
    SPECIAL,
    fixed_parameters,
    matrix_width,
    qubits_of,
)
from basicaer.simulator._operations import ForLoop, Initialize, Observable, Operation, Save, SaveKind

_PAYLOADS = {
    "unitary": "matrix",
    "initialize": "initialize",
    "store": "store",
    "save": "save",
    **{name: name for name in CONTROL_FLOW},
}
_NORM_TOLERANCE = 1e-6
_RELATIVE, _ABSOLUTE = 1e-5, 1e-8
"""By how much a unitary matrix's adjoint times itself may differ from the identity, as in Qiskit."""
_MOST_ROWS_TOGETHER = 8
_LABEL_LETTERS = frozenset("01+-rl")
_PAULI_LETTERS = frozenset("IXYZ")
_LONGEST_LABEL = 128


def unitary_operations(table: Sequence[Operation]) -> set[int]:
    """The numbers of operations in `table` whose matrix is certainly unitary.

    Small matrices are checked together: one by one, numpy's calls for a few hundred of them cost as much as
    the simulation of 20 qubits. Those that are left out may be unitary, and `check_unitary` tells.
    """
    by_rows: dict[int, list[int]] = {}
    for number, operation in enumerate(table):
        matrix = operation.matrix
        if matrix is not None and matrix.ndim == 2 and matrix.shape[0] == matrix.shape[1]:
            by_rows.setdefault(len(matrix), []).append(number)
    found: set[int] = set()
    for rows, numbers in by_rows.items():
        if rows in (2, 4, _MOST_ROWS_TOGETHER):
            matrices = np.stack([table[number].matrix for number in numbers])  # type: ignore[misc]
            with np.errstate(over="ignore", invalid="ignore"):
                products = matrices.conj().transpose(0, 2, 1) @ matrices
                good = np.isclose(products, np.eye(rows), rtol=_RELATIVE, atol=_ABSOLUTE).all(axis=(1, 2))
            found.update(np.array(numbers)[good].tolist())
    return found


def check_operation(
    operation: Operation, circuit: Circuit, scope: Scope, path: Path, *, is_unitary: bool = False
) -> None:
    """Raise `CircuitError` when `operation`, which stands at `path`, cannot be run in `circuit`.

    `is_unitary` says that its matrix is known to be so.
    """
    spec = GATES.get(operation.name)
    if spec is None and operation.name not in SPECIAL:
        raise CircuitError(
            f"unknown gate {operation.name!r}; decompose it into standard gates or a unitary", path
        )
    for payload in _PAYLOADS.values():
        present = getattr(operation, payload) is not None
        wanted = _PAYLOADS.get(operation.name) == payload
        if present != wanted:
            raise CircuitError(f"{operation.name} {'needs' if wanted else 'cannot have'} `{payload}`", path)
    _check_controls(operation, spec, path)
    if operation.matrix is not None and not is_unitary:
        check_unitary(operation.matrix, (*path, "matrix"))
    if operation.initialize is not None:
        _check_initialize(operation.initialize, operation.num_qubits, (*path, "initialize"))
    _check_widths(operation, spec, path)
    if operation.condition is not None:
        scope.condition(operation.condition, (*path, "condition"))
    for number, expression in enumerate(operation.parameter_expressions):
        scope.parameter(expression, (*path, "parameter_expressions", number))
    if operation.save is not None:
        _check_save(operation.save, operation.num_qubits, circuit.num_qubits, (*path, "save"))
    if operation.store is not None:
        scope.store(operation.store, (*path, "store"))
    if operation.if_else is not None:
        scope.condition(operation.if_else.condition, (*path, "if_else"))
    if operation.while_loop is not None:
        scope.condition(operation.while_loop.condition, (*path, "while_loop"))
    if operation.for_loop is not None:
        _check_for_loop(operation.for_loop, circuit, (*path, "for_loop"))
    if operation.switch_case is not None:
        scope.selector(operation.switch_case.target, (*path, "switch_case"))


def check_unitary(matrix: np.ndarray[tuple[int, ...], np.dtype[np.complex128]], path: Path) -> None:
    """Raise `CircuitError` unless `matrix` is unitary, of 2^k by 2^k, within Qiskit's own tolerance."""
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix_width(matrix.shape[0]) < 0:
        shape = " by ".join(str(length) for length in matrix.shape)
        raise CircuitError(f"the matrix is {shape}; it is 2^k by 2^k for k qubits", path)
    if not np.isfinite(matrix).all():
        raise CircuitError("the matrix has an entry that is not finite", path)
    with np.errstate(over="ignore", invalid="ignore"):
        product = matrix.conj().T @ matrix
    if not np.allclose(product, np.eye(len(matrix)), rtol=_RELATIVE, atol=_ABSOLUTE):
        with np.errstate(over="ignore", invalid="ignore"):
            distance = float(np.abs(product - np.eye(len(matrix))).max())
        raise CircuitError(
            f"the matrix is not unitary: its adjoint times itself is {distance:.3g} off the identity", path
        )


def check_norm(amplitudes: np.ndarray[tuple[int, ...], np.dtype[np.complex128]], path: Path) -> None:
    """Raise `CircuitError` unless `amplitudes` are finite and of norm 1."""
    if not np.isfinite(amplitudes).all():
        raise CircuitError("an amplitude is not finite", path)
    with np.errstate(over="ignore"):
        norm = float(np.linalg.norm(amplitudes))
    if not abs(norm - 1.0) <= _NORM_TOLERANCE:
        raise CircuitError(f"the amplitudes have the norm {norm:.9g} instead of 1; divide them by it", path)


def _check_controls(operation: Operation, spec: GateSpec | None, path: Path) -> None:
    count, state = operation.num_controls, operation.control_state
    if count < 0:
        raise CircuitError(f"num_controls is {count}; it is an integer from 0", path)
    if count and spec is None and operation.name != "unitary":
        raise CircuitError(f"{operation.name} cannot have controls; only gates and unitaries can", path)
    if state is not None and not 0 <= state < 1 << min(count, 64):
        raise CircuitError(f"the control state {state} is out of range for {count} extra controls", path)


def _check_widths(operation: Operation, spec: GateSpec | None, path: Path) -> None:
    """Check the stated numbers of operands against those that the name has."""
    name = operation.name
    if spec is not None and spec.any_controls:
        least = spec.num_qubits + operation.num_controls
        if operation.num_qubits < least:
            raise CircuitError(f"{name} has to state its num_qubits, which is at least {least}", path)
    free = name in ("barrier", "delay", "save") or (
        operation.initialize is not None and _width(operation.initialize) < 0
    )
    expected = operation.num_qubits if free else qubits_of(operation)
    if name in ("store", "break_loop", "continue_loop", *CONTROL_FLOW):
        expected = 0
    for word, stated, needed in (
        ("qubits", operation.num_qubits, expected),
        ("clbits", operation.num_clbits, 1 if name == "measure" else 0),
        ("parameters", operation.num_parameters, fixed_parameters(name)),
    ):
        if stated not in (0, needed):
            raise CircuitError(f"{name} takes {needed} {word}, not {stated}", path)
    if operation.parameter_expressions and len(operation.parameter_expressions) != fixed_parameters(name):
        needed, given = fixed_parameters(name), len(operation.parameter_expressions)
        raise CircuitError(f"{name} takes {needed} parameters, not {given}", path)


def _width(initialize: Initialize) -> int:
    """The number of qubits of the state, or -1 when the operation has to state it."""
    if initialize.amplitudes is not None:
        return matrix_width(initialize.amplitudes.size)
    return len(initialize.label) if initialize.label is not None else -1


def _check_initialize(initialize: Initialize, num_qubits: int, path: Path) -> None:
    given = [field.name for field in fields(initialize) if getattr(initialize, field.name) is not None]
    if len(given) != 1:
        raise CircuitError("give exactly one of amplitudes, label and basis_state", path)
    if initialize.amplitudes is not None:
        if initialize.amplitudes.ndim != 1 or matrix_width(initialize.amplitudes.size) < 0:
            raise CircuitError(
                f"{initialize.amplitudes.size} amplitudes; k qubits need a column of 2^k", path
            )
        check_norm(initialize.amplitudes, path)
    elif initialize.label is not None:
        wrong = sorted(set(initialize.label) - _LABEL_LETTERS)
        if wrong:
            raise CircuitError(f"the label has {wrong[0]!r}; its letters are 0 1 + - r l", path)
    elif initialize.basis_state is not None and not 0 <= initialize.basis_state < 1 << num_qubits:
        raise CircuitError(f"{num_qubits} qubits have no basis state {initialize.basis_state}", path)


def _check_save(save: Save, width: int, num_qubits: int, path: Path) -> None:
    if not 1 <= len(save.label) <= _LONGEST_LABEL:
        raise CircuitError(
            f"the label has {len(save.label)} characters; give 1 to {_LONGEST_LABEL}", (*path, "label")
        )
    if save.kind is SaveKind.PROBABILITIES and width == 0 and num_qubits:
        raise CircuitError("probabilities are of one qubit at least; state num_qubits", path)
    for number, observable in enumerate(save.observables):
        check_observable(observable, width, (*path, "observables", number))


def check_observable(observable: Observable, num_qubits: int, path: Path) -> None:
    """Raise `CircuitError` unless `observable` is one of `num_qubits` qubits with finite coefficients."""
    if len(observable.paulis) != len(observable.coefficients):
        raise CircuitError(
            f"there are {len(observable.paulis)} paulis and {len(observable.coefficients)} coefficients", path
        )
    for number, pauli in enumerate(observable.paulis):
        if len(pauli) != num_qubits:
            message = f"it has {len(pauli)} letters, and acts on {num_qubits} qubits"
            raise CircuitError(message, (*path, "paulis", number))
        if not _PAULI_LETTERS.issuperset(pauli):
            wrong = next(letter for letter in pauli if letter not in _PAULI_LETTERS)
            raise CircuitError(f"it has {wrong!r}; its letters are I X Y Z", (*path, "paulis", number))
    for number, coefficient in enumerate(observable.coefficients):
        if not math.isfinite(coefficient):
            raise CircuitError(f"{coefficient} is not finite", (*path, "coefficients", number))


def _check_for_loop(loop: ForLoop, circuit: Circuit, path: Path) -> None:
    if loop.variable is None:
        return
    if not 0 <= loop.variable < len(circuit.variables):
        raise CircuitError(f"variable {loop.variable} is not one of the {len(circuit.variables)}", path)
    variable = circuit.variables[loop.variable]
    if variable.type.kind not in INTEGER_KINDS:
        raise CircuitError(f"the loop's variable {variable.name!r} has the type {variable.type}", path)
    values = loop.values
    ends = (values[0], values[-1]) if isinstance(values, range) and values else values
    for value in ends:
        if not fits(value, variable.type):
            kind = "" if variable.type.kind is ClassicalKind.INT else " (unsigned)"
            raise CircuitError(f"the loop's value {value} does not fit into {variable.type}{kind}", path)
