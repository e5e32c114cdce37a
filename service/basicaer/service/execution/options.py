"""`RunOptions` checked against a backend's table, and turned into what the simulator takes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from basicaer.service.errors import ServiceError
from basicaer.service.execution.backends import DEFAULT_CHOP_THRESHOLD, DEFAULT_SHOTS, Backend, Task
from basicaer.service.execution.programs import complex_array
from basicaer.service.parsing import ProgramFault
from basicaer.v1 import circuit_pb2, error_reason_pb2, job_pb2

__all__ = ["ComplexDType", "Settings", "option_error", "read_options"]

ComplexDType: TypeAlias = "np.dtype[np.complex128] | np.dtype[np.complex64]"

_DOUBLE: ComplexDType = np.dtype(np.complex128)
_SINGLE: ComplexDType = np.dtype(np.complex64)
_DTYPES: dict[int, ComplexDType] = {
    job_pb2.PRECISION_UNSPECIFIED: _DOUBLE,
    job_pb2.PRECISION_DOUBLE: _DOUBLE,
    job_pb2.PRECISION_SINGLE: _SINGLE,
}
# How far a norm may be off: a state in single precision has to pass. The simulator has the same tolerances.
_NORM_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Settings:
    """How a job is run.

    `seed` is None when the server is to choose one. `initial` is the state (complex128 of shape (2^n,)) or,
    for the unitary simulator, the matrix (2^n, 2^n) to start from. `threads` is None when the server is to
    decide; `max_run_time` is in seconds, None for the server's own limit.
    """

    shots: int
    memory: bool
    seed: int | None
    initial: npt.NDArray[np.complex128] | None
    chop_threshold: float
    dtype: ComplexDType
    threads: int | None
    max_run_time: float | None


def option_error(name: str, message: str) -> ServiceError:
    """OPTION_INVALID for the option `name`."""
    field = f"options.{name}"
    return ServiceError(
        error_reason_pb2.ERROR_REASON_OPTION_INVALID,
        f"{field}: {message}",
        metadata={"field": field},
        field=field,
    )


def read_options(options: job_pb2.RunOptions, backend: Backend, *, max_shots: int) -> Settings:
    """Checks the options of a job.

    Raises:
        ServiceError: OPTION_INVALID, with the field.
    """
    initial: npt.NDArray[np.complex128] | None = None
    for descriptor, value in options.ListFields():
        name = descriptor.name
        if name not in backend.options:
            raise option_error(
                name, f"{backend.name} has no such option; it has {', '.join(backend.options)}"
            )
        if name in ("initial_statevector", "initial_unitary"):
            initial = _initial(value, name)
    shots = options.shots if options.HasField("shots") else DEFAULT_SHOTS
    if not 1 <= shots <= max_shots:
        raise option_error("shots", f"{shots} is not allowed; give 1 to {max_shots:,} shots")
    threshold = options.chop_threshold if options.HasField("chop_threshold") else DEFAULT_CHOP_THRESHOLD
    if not (math.isfinite(threshold) and threshold >= 0.0):
        raise option_error("chop_threshold", f"{threshold} is not allowed; give a finite number from 0")
    dtype = _DTYPES.get(options.precision)
    if dtype is None:
        raise option_error(
            "precision",
            f"there is no precision number {options.precision}; give PRECISION_DOUBLE or PRECISION_SINGLE",
        )
    return Settings(
        # As in Qiskit, the simulators of states and unitaries take any number of shots and make one.
        shots=shots if backend.task is Task.SHOTS else 1,
        memory=options.memory,
        seed=options.seed_simulator if options.HasField("seed_simulator") else None,
        initial=initial,
        chop_threshold=threshold,
        dtype=dtype,
        threads=options.max_parallel_threads or None,
        max_run_time=_max_run_time(options),
    )


def _max_run_time(options: job_pb2.RunOptions) -> float | None:
    if not options.HasField("max_run_time"):
        return None
    duration = options.max_run_time
    seconds = duration.seconds + duration.nanos / 1e9
    if not seconds > 0.0:
        raise option_error("max_run_time", f"{seconds:g} s is not allowed; give more than 0 s")
    return seconds


def _initial(message: circuit_pb2.ComplexArray, name: str) -> npt.NDArray[np.complex128]:
    try:
        array = complex_array(message, "")
    except ProgramFault as fault:
        raise option_error(name, fault.message) from None
    if not np.isfinite(array).all():
        raise option_error(name, "a number is NaN or infinite")
    if name == "initial_statevector":
        if array.ndim != 1 or array.size & (array.size - 1) or not array.size:
            raise option_error(
                name, f"the shape is {array.shape}; give one axis of 2^n amplitudes for n qubits"
            )
        with np.errstate(over="ignore"):
            norm = float(np.linalg.norm(array))
        if not abs(norm - 1.0) <= _NORM_TOLERANCE:
            raise option_error(name, f"the norm is {norm:.9g} instead of 1; divide the amplitudes by it")
        return array
    rows = array.shape[0] if array.ndim == 2 else 0
    if rows == 0 or array.shape != (rows, rows) or rows & (rows - 1):
        raise option_error(name, f"the shape is {array.shape}; give 2^n rows of 2^n numbers for n qubits")
    with np.errstate(over="ignore", invalid="ignore"):
        product = array.conj().T @ array
    if not np.allclose(product, np.eye(rows)):
        raise option_error(name, "the matrix is not unitary: its adjoint times itself is not the identity")
    return array
