"""Checks one entry of a circuit's table of operations, without its blocks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import fields
from operator import attrgetter

import numpy as np
import numpy.typing as npt
from basicaer.simulator._errors import CircuitError
from basicaer.simulator._pausing import current_pause
from basicaer.simulator.circuit._circuit import Circuit
from basicaer.simulator.circuit._expressions import ClassicalKind
from basicaer.simulator.circuit._gate_table import GATES
from basicaer.simulator.circuit._gates import GateSpec
from basicaer.simulator.circuit._given_states import GivenKind, GivenState
from basicaer.simulator.circuit._layout import (
    CONTROL_FLOW,
    SPECIAL,
    clbits_of,
    fixed_parameters,
    matrix_width,
    qubits_of,
)
from basicaer.simulator.circuit._operations import (
    SINGLE,
    ForLoop,
    Initialize,
    Observable,
    Operation,
    Save,
    SaveKind,
)
from basicaer.simulator.circuit._squares import MOST_SQUARED
from basicaer.simulator.classical._conversions import INTEGER_KINDS, fits
from basicaer.simulator.classical._scope import Path, Scope

_OF_ONE_WAY = {
    SaveKind.DETECTORS: "detectors have the bits of each shot",
    SaveKind.UNITARY: "a matrix has no shots",
    SaveKind.SUPEROPERATOR: "a matrix has no shots",
    SaveKind.MATRIX_PRODUCT_STATE: "the tensors of several shots have no common shape",
}
_PAYLOADS = {
    "unitary": "matrix",
    "initialize": "initialize",
    "set_state": "set_state",
    "store": "store",
    "save": "save",
    "channel": "channel",
    "readout_error": "readout",
    **{name: name for name in CONTROL_FLOW},
}
_payloads = attrgetter(*_PAYLOADS.values())
_NO_PAYLOADS = (None,) * len(_PAYLOADS)
_NORM_TOLERANCE = 1e-6
_RELATIVE, _ABSOLUTE = 1e-5, 1e-8
"""By how much a unitary matrix's adjoint times itself may differ from the identity, as in Qiskit."""
_MOST_ROWS_TOGETHER = 8
# Of complex numbers, in some ten milliseconds.
_PRODUCTS_AT_ONCE = 1 << 26
_LABEL_LETTERS = frozenset("01+-rl")
_PAULI_LETTERS = frozenset("IXYZ")
_LONGEST_LABEL = 128


def unitary_operations(table: Sequence[Operation]) -> set[int]:
    """Return the numbers of operations in `table` whose matrix is certainly unitary.

    Small matrices are checked together: one by one, numpy's calls for a few hundred of them cost as much as
    the simulation of 20 qubits. Those that are left out may be unitary, and `check_unitary` tells.
    """
    by_rows: dict[int, dict[int, npt.NDArray[np.complex128]]] = {}
    for number, operation in enumerate(table):
        matrix = operation.matrix
        if matrix is not None and matrix.ndim == 2 and matrix.shape[0] == matrix.shape[1]:
            by_rows.setdefault(len(matrix), {})[number] = matrix
    found: set[int] = set()
    for rows, numbered in by_rows.items():
        if rows in (2, 4, _MOST_ROWS_TOGETHER):
            matrices = np.stack(list(numbered.values()))
            with np.errstate(over="ignore", invalid="ignore"):
                products = matrices.conj().transpose(0, 2, 1) @ matrices
                good = np.isclose(products, np.eye(rows), rtol=_RELATIVE, atol=_ABSOLUTE).all(axis=(1, 2))
            found.update(np.array(list(numbered))[good].tolist())
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
    # All at once, as this is done for each distinct operation of every circuit.
    if operation.name in _PAYLOADS or operation.matrix is not None or _payloads(operation) != _NO_PAYLOADS:
        _check_payloads(operation, path)
    _check_controls(operation, spec, path)
    if operation.matrix is not None and not is_unitary:
        check_unitary(operation.matrix, (*path, "matrix"))
    if operation.initialize is not None:
        _check_initialize(operation.initialize, operation.num_qubits, (*path, "initialize"))
    _check_widths(operation, spec, path)
    if operation.set_state is not None:
        _check_given(operation.set_state, circuit.num_qubits, (*path, "set_state"))
    if operation.condition is not None:
        scope.condition(operation.condition, (*path, "condition"))
    for number, expression in enumerate(operation.parameter_expressions):
        scope.parameter(expression, (*path, "parameter_expressions", number))
    if operation.save is not None:
        _check_save(operation.save, operation.num_qubits, circuit, (*path, "save"))
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


def _check_payloads(operation: Operation, path: Path) -> None:
    for payload in _PAYLOADS.values():
        present = getattr(operation, payload) is not None
        wanted = _PAYLOADS.get(operation.name) == payload
        if present != wanted:
            raise CircuitError(f"{operation.name} {'needs' if wanted else 'cannot have'} `{payload}`", path)


def check_unitary(matrix: np.ndarray[tuple[int, ...], np.dtype[np.complex128]], path: Path) -> None:
    """Raise `CircuitError` unless `matrix` is unitary, of 2^k by 2^k, within Qiskit's own tolerance."""
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix_width(matrix.shape[0]) < 0:
        shape = " by ".join(str(length) for length in matrix.shape)
        raise CircuitError(f"the matrix is {shape}; it is 2^k by 2^k for k qubits", path)
    if not np.isfinite(matrix).all():
        raise CircuitError("the matrix has an entry that is not finite", path)
    distance = distance_from_unitary(matrix)
    if distance is not None:
        raise CircuitError(
            f"the matrix is not unitary: its adjoint times itself is {distance:.3g} off the identity", path
        )


def distance_from_unitary(matrix: np.ndarray[tuple[int, ...], np.dtype[np.complex128]]) -> float | None:
    """By how much the adjoint of a square matrix times itself differs from the identity at most; None when
    that is within Qiskit's own tolerance.
    """
    pause = current_pause()
    length = len(matrix)
    # A product of 2^11 by 2^11 takes seconds as a whole.
    rows = max(1, _PRODUCTS_AT_ONCE // length**2)
    worst, good = 0.0, True
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, length, rows):
            pause()
            product = matrix[:, start : start + rows].conj().T @ matrix
            identity = np.eye(len(product), length, start)
            good = good and np.allclose(product, identity, rtol=_RELATIVE, atol=_ABSOLUTE)
            worst = max(worst, float(np.abs(product - identity).max()))
    return None if good else worst


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
        ("clbits", operation.num_clbits, clbits_of(operation)),
        ("parameters", operation.num_parameters, fixed_parameters(name)),
    ):
        if stated not in (0, needed):
            raise CircuitError(f"{name} takes {needed} {word}, not {stated}", path)
    if operation.parameter_expressions and len(operation.parameter_expressions) != fixed_parameters(name):
        needed, given = fixed_parameters(name), len(operation.parameter_expressions)
        raise CircuitError(f"{name} takes {needed} parameters, not {given}", path)


def _width(initialize: Initialize) -> int:
    """Return the number of qubits of the state, or -1 when the operation has to state it."""
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
    elif initialize.basis_state is not None and not (
        # The number of qubits is anybody's, and 2 to its power may have as many bits.
        0 <= initialize.basis_state < 1 << min(num_qubits, 64)
    ):
        raise CircuitError(f"{num_qubits} qubits have no basis state {initialize.basis_state}", path)


def _check_given(given: GivenState, num_qubits: int, path: Path) -> None:
    if given.num_qubits != num_qubits:
        raise CircuitError(
            f"the {given.kind.value} is of {given.num_qubits:,} qubits, and the circuit has {num_qubits:,};"
            " all of them are set",
            path,
        )
    if given.kind is GivenKind.UNITARY and given.array is not None:
        check_unitary(given.array, path)


def _check_save(save: Save, width: int, circuit: Circuit, path: Path) -> None:
    num_qubits = circuit.num_qubits
    if not 1 <= len(save.label) <= _LONGEST_LABEL:
        raise CircuitError(
            f"the label has {len(save.label)} characters; give 1 to {_LONGEST_LABEL}", (*path, "label")
        )
    if width > num_qubits:
        raise CircuitError(f"it is of {width} qubits, and the circuit has {num_qubits}", path)
    if save.kind in (SaveKind.PROBABILITIES, SaveKind.DENSITY_MATRIX) and width == 0 and num_qubits:
        words = "probabilities are" if save.kind is SaveKind.PROBABILITIES else "a density matrix is"
        raise CircuitError(f"{words} of one qubit at least; state num_qubits", path)
    if save.kind in (SaveKind.AMPLITUDES, SaveKind.AMPLITUDES_SQUARED):
        _check_basis_states(save.basis_states, num_qubits, (*path, "basis_states"))
    if save.kind in _OF_ONE_WAY and (save.per_shot or save.conditional or save.unnormalized):
        what = _OF_ONE_WAY[save.kind]
        raise CircuitError(f"{what}; leave out per_shot, conditional and unnormalized", path)
    if save.unnormalized and (save.per_shot or save.kind in SINGLE):
        what = "each shot" if save.per_shot else save.kind.value
        raise CircuitError(f"{what} has no sum over shots; leave out unnormalized", path)
    if save.kind is SaveKind.EXPECTATION_VALUE_VARIANCE:
        _check_variance(save, path)
    for number, observable in enumerate(save.observables):
        check_observable(observable, width, (*path, "observables", number))
    if save.kind is SaveKind.DETECTORS:
        _check_detectors(save, circuit.num_clbits, path)


def _check_detectors(save: Save, num_clbits: int, path: Path) -> None:
    if not save.detectors:
        raise CircuitError("there is no detector; give at least one", path)
    pause = current_pause()
    for number, bits in enumerate(save.detectors):
        pause()
        for bit in bits:
            if not 0 <= bit < num_clbits:
                raise CircuitError(
                    f"classical bit {bit} is not one of the {num_clbits}", (*path, "detectors", number)
                )


def _check_basis_states(states: Sequence[int], num_qubits: int, path: Path) -> None:
    if not states:
        raise CircuitError("there are no basis states", path)
    for number, state in enumerate(states):
        if state < 0 or state.bit_length() > num_qubits:
            raise CircuitError(f"{num_qubits} qubits have no basis state {state}", (*path, number))


def _check_variance(save: Save, path: Path) -> None:
    if len(save.observables) != 1:
        raise CircuitError(f"a variance is of one observable, not of {len(save.observables)}", path)
    products = len(save.observables[0].paulis)
    if products > MOST_SQUARED:
        raise CircuitError(
            f"the variance of a sum of {products:,} products needs their squares; give at most"
            f" {MOST_SQUARED:,}",
            (*path, "observables", 0),
        )


def check_observable(observable: Observable, num_qubits: int, path: Path) -> None:
    """Raise `CircuitError` unless `observable` is one of `num_qubits` qubits with finite coefficients."""
    if len(observable.paulis) != len(observable.coefficients):
        raise CircuitError(
            f"there are {len(observable.paulis)} paulis and {len(observable.coefficients)} coefficients", path
        )
    pause = current_pause()
    for number, pauli in enumerate(observable.paulis):
        pause()
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
