"""What is asked of a run, and what each method can't do of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from basicaer.simulator import _costs
from basicaer.simulator.circuit._circuit import Circuit
from basicaer.simulator.circuit._gate_table import GATES
from basicaer.simulator.circuit._given_states import PURE, GivenKind
from basicaer.simulator.circuit._operations import SINGLE, SaveKind
from basicaer.simulator.compiler._binding import Template
from basicaer.simulator.compiler._valid import ValidCircuit
from basicaer.simulator.methods.matrix_product_state import _estimate as chains
from basicaer.simulator.methods.matrix_product_state._options import MatrixProductStateOptions
from basicaer.simulator.methods.stabilizer import _method as stabilizer

_MOST_SAVED = {"statevector": 12, "matrix_product_state": 6}
"""Density matrices of so many qubits at most are read from other states."""
_MOST_DENSE = 5
"""Gates of so many targets at most are applied to density matrices."""
_MOST_MIXED = 15
_MOST_MAPPED = 8
"""A superoperator of so many qubits at most: one more takes 16 times as much."""


@dataclass(frozen=True, eq=False)
class RunRequest:
    """What `run` is to do: a valid circuit, or a template whose inputs have no values yet, and options.

    `initial` says that there is an initial state. `threads` are for whom the circuit is compiled.
    """

    ready: ValidCircuit | Template
    shots: int = 1024
    dtype: npt.DTypeLike = np.complex128
    memory: bool = False
    statevector: bool = False
    initial: bool = False
    matrix_product_state: MatrixProductStateOptions | None = None
    threads: int | None = None

    @property
    def circuit(self) -> Circuit:
        """The circuit."""
        return self.ready.circuit

    @property
    def num_wires(self) -> int:
        """How many qubits a state vector has."""
        return self.ready.wires(from_zero=not self.initial).count

    @cached_property
    def work(self) -> _costs.Work:
        """What there is to be done."""
        return _costs.Work(self.circuit)

    @cached_property
    def of_stabilizers(self) -> tuple[float, int]:
        """The seconds and bytes that the stabilizer method takes, where it can run the circuit."""
        return stabilizer.estimate(self.circuit, self.shots)


def _saves(request: RunRequest) -> list[tuple[str, SaveKind, int]]:
    return [
        (op.save.label, op.save.kind, op.num_qubits)
        for op in request.circuit.operations
        if op.save is not None
    ]


_ELSEWHERE = {
    SaveKind.DETECTORS: "detectors, which only the method stabilizer has",
    SaveKind.STABILIZER: "a tableau, which only the method stabilizer has",
    SaveKind.SUPEROPERATOR: "a superoperator, which only the method superop has",
    SaveKind.MATRIX_PRODUCT_STATE: "a matrix product state, which only the method of these has",
    SaveKind.UNITARY: "a unitary matrix, which `unitary` has, and no run of shots",
}


def _kept_elsewhere(request: RunRequest, own: SaveKind | None = None) -> str | None:
    for label, kind, _ in _saves(request):
        if kind in _ELSEWHERE and kind is not own:
            return f"save {label!r}: {_ELSEWHERE[kind]}"
    return None


def _given_elsewhere(request: RunRequest, possible: frozenset[GivenKind]) -> str | None:
    """Return which state the circuit is given that isn't one of the possible kinds; None without any."""
    for operation in request.circuit.operations:
        if operation.set_state is not None and operation.set_state.kind not in possible:
            return f"set_state with a {operation.set_state.kind.value}"
    return None


def _large_density_matrix(request: RunRequest, method: str) -> str | None:
    most = _MOST_SAVED[method]
    for label, kind, width in _saves(request):
        if kind is SaveKind.DENSITY_MATRIX and width > most:
            return f"save {label!r}: the density matrix of {width} qubits, more than {most}"
    return None


def refused_by_states(request: RunRequest) -> str | None:
    """Return what state vectors can't do of a run, for people; None when they can do all."""
    return (
        _kept_elsewhere(request)
        or _large_density_matrix(request, "statevector")
        or _given_elsewhere(request, PURE)
    )


def refused_by_density_matrices(request: RunRequest) -> str | None:
    """Return the same of density matrices."""
    if request.statevector:
        return "it has no state vector"
    count = request.num_wires
    if count > _MOST_MIXED:
        return f"{count} qubits, more than {_MOST_MIXED}"
    for label, kind, _ in _saves(request):
        if kind in SINGLE and kind not in _ELSEWHERE:
            what = "state vector" if kind is SaveKind.STATEVECTOR else "amplitudes"
            return f"save {label!r}: it has no {what}"
    return (
        _kept_elsewhere(request)
        or _given_elsewhere(request, PURE | {GivenKind.DENSITY_MATRIX})
        or _too_dense(request)
    )


def saves_map(request: RunRequest) -> bool:
    """Whether a run saves a superoperator."""
    return any(kind is SaveKind.SUPEROPERATOR for _, kind, _ in _saves(request))


def refused_by_maps(request: RunRequest) -> str | None:
    """Return the same of superoperators."""
    if request.statevector or request.initial:
        return "it has no state vector"
    if (count := request.circuit.num_qubits) > _MOST_MAPPED:
        return f"{count} qubits, more than {_MOST_MAPPED}"
    for operation in request.circuit.operations:
        if operation.name in ("measure", "readout_error"):
            return f"{operation.name}, which gives outcomes"
    for label, kind, _ in _saves(request):
        if kind is not SaveKind.SUPEROPERATOR:
            return f"save {label!r}: {_ELSEWHERE.get(kind, 'it has a superoperator alone')}"
    return _given_elsewhere(request, frozenset({GivenKind.SUPEROPERATOR})) or _too_dense(request)


def _too_dense(request: RunRequest) -> str | None:
    """Return a gate that has too many targets to be applied to density matrices."""
    for operation in request.circuit.operations:
        matrix = operation.matrix
        targets = 0 if matrix is None else len(matrix).bit_length() - 1
        if operation.name in GATES:
            targets = GATES[operation.name].num_targets
        if targets > _MOST_DENSE:
            return f"{operation.name} with {targets} targets, more than {_MOST_DENSE}"
    return None


def refused_by_stabilizers(request: RunRequest) -> str | None:
    """Return the same of stabilizer states."""
    if request.statevector:
        return "it has no state vector"
    if request.initial:
        return "an initial state"
    return stabilizer.refuses(request.circuit)


def refused_by_chains(request: RunRequest) -> str | None:
    """Return the same of matrix product states."""
    if request.statevector:
        return "it keeps no final state"
    if request.initial:
        return "an initial state"
    return (
        chains.refuses(request.circuit)
        or _kept_elsewhere(request, SaveKind.MATRIX_PRODUCT_STATE)
        or _large_density_matrix(request, "matrix_product_state")
        or _given_elsewhere(request, PURE)
    )
