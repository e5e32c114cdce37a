"""`RunOptions` checked against a backend's table, and turned into what the simulator takes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from basicaer import simulator as sim
from basicaer.service.errors import ServiceError, option_invalid
from basicaer.service.execution.backends import DEFAULT_CHOP_THRESHOLD, DEFAULT_SHOTS, METHODS, Backend, Task
from basicaer.service.execution.circuits.arrays import complex_array
from basicaer.service.execution.circuits.noise_model import ModelFault, noise_model
from basicaer.service.parsing import ProgramFault
from basicaer.service.wire import NO_COLUMNS, Columns
from basicaer.v1 import circuit_pb2, job_pb2

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

    `seed` is None when the server is to choose one; the first entry of the result draws from its stream
    `seed_stream`. `initial` is the state (complex128 of shape (2^n,)) or,
    for the unitary simulator, the matrix (2^n, 2^n) to start from. `threads` is None when the server is to
    decide; `max_run_time` is in seconds, None for the server's own limit. `noise_model` is put into each
    program. `method` is one of the simulator's, or "automatic". `nodes` is over how many nodes each state is
    to be spread, 0 when the server is to decide.
    """

    shots: int
    memory: bool
    seed: int | None
    seed_stream: int
    initial: npt.NDArray[np.complex128] | None
    chop_threshold: float
    dtype: ComplexDType
    threads: int | None
    max_run_time: float | None
    noise_model: sim.NoiseModel | None = None
    method: sim.MethodName | Literal["automatic"] = "automatic"
    matrix_product_state: sim.MatrixProductStateOptions | None = None
    nodes: int = 0


def option_error(name: str, message: str) -> ServiceError:
    """OPTION_INVALID for the option `name`."""
    field = f"options.{name}"
    return option_invalid(field, f"{field}: {message}")


def read_options(
    options: job_pb2.RunOptions,
    backend: Backend,
    columns: Columns = NO_COLUMNS,
    *,
    max_shots: int,
    max_nodes: int = 1,
) -> Settings:
    """Check the options of a job, of which one may have so many shots, and nodes.

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
            initial = _initial(value, name, columns)
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
        seed_stream=options.seed_stream,
        initial=initial,
        chop_threshold=threshold,
        dtype=dtype,
        threads=options.max_parallel_threads or None,
        max_run_time=_max_run_time(options),
        noise_model=_noise_model(options, columns),
        method=_method(options),
        matrix_product_state=_matrix_product_state(options),
        nodes=_nodes(options.nodes, max_nodes),
    )


def _method(options: job_pb2.RunOptions) -> sim.MethodName | Literal["automatic"]:
    number = options.method
    if number in (job_pb2.SIMULATION_METHOD_UNSPECIFIED, job_pb2.SIMULATION_METHOD_AUTOMATIC):
        return "automatic"
    for name, value in METHODS.items():
        if value == number:
            return name
    names = ", ".join(job_pb2.SimulationMethod.keys()[1:])
    raise option_error("method", f"there is no method number {number}; give one of {names}")


def _matrix_product_state(options: job_pb2.RunOptions) -> sim.MatrixProductStateOptions | None:
    if not options.HasField("matrix_product_state"):
        return None
    given = options.matrix_product_state
    found = sim.MatrixProductStateOptions(given.max_bond_dimension or None)
    if not given.HasField("truncation_threshold"):
        return found
    try:
        return sim.MatrixProductStateOptions(found.max_bond_dimension, given.truncation_threshold)
    except sim.OptionError as error:
        raise option_error(f"matrix_product_state.{error.option}", error.message) from None


def _nodes(nodes: int, most: int) -> int:
    if nodes & (nodes - 1):
        raise option_error(
            "nodes", f"{nodes} is not allowed; give a power of two, or 0 for the server's choice"
        )
    if nodes > most:
        raise option_error(
            "nodes", f"{nodes} is not allowed; the most is {most}, which the server's setting max_nodes says"
        )
    return nodes


def _noise_model(options: job_pb2.RunOptions, columns: Columns) -> sim.NoiseModel | None:
    if not options.HasField("noise_model"):
        return None
    try:
        return noise_model(options.noise_model, columns, sim.current_pause())
    except ModelFault as fault:
        raise fault.to_service_error() from None


def _max_run_time(options: job_pb2.RunOptions) -> float | None:
    if not options.HasField("max_run_time"):
        return None
    duration = options.max_run_time
    seconds = duration.seconds + duration.nanos / 1e9
    if not seconds > 0.0:
        raise option_error("max_run_time", f"{seconds:g} s is not allowed; give more than 0 s")
    return seconds


def _initial(message: circuit_pb2.ComplexArray, name: str, columns: Columns) -> npt.NDArray[np.complex128]:
    try:
        array = complex_array(message, "", columns)
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
