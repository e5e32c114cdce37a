"""Checks the options of the functions that run circuits, and derives random streams from seeds."""

from __future__ import annotations

import secrets

import numpy as np
import numpy.typing as npt
from basicaer.simulator._errors import CircuitError, OptionError
from basicaer.simulator.compiler._operation_checks import check_norm, check_unitary
from basicaer.simulator.methods.statevector._state import ComplexDType

_MOST_SHOTS = 2**63 - 1
_SEED_BITS = 63
_DOUBLE, _SINGLE = np.dtype(np.complex128), np.dtype(np.complex64)


def program_seed(seed: int, index: int) -> np.random.SeedSequence:
    """Return the seed of program `index` of a batch: a stream of its own, the same for the same arguments."""
    return np.random.SeedSequence(entropy=seed, spawn_key=(index,))


def seed_sequence(seed: int | np.random.SeedSequence | None) -> np.random.SeedSequence:
    """Return the seed in numpy's form; None draws one at random. Raises `OptionError`."""
    if isinstance(seed, np.random.SeedSequence):
        return seed
    if seed is None:
        seed = secrets.randbits(_SEED_BITS)
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise OptionError("seed", f"the seed is {seed!r}; it is an integer from 0")
    return program_seed(int(seed), 0)


def generator(sequence: np.random.SeedSequence, stream: int) -> np.random.Generator:
    """One of several independent streams of random numbers of a seed. The seed itself is not changed."""
    child = np.random.SeedSequence(entropy=sequence.entropy, spawn_key=(*sequence.spawn_key, stream))
    return np.random.Generator(np.random.PCG64(child))


def check_shots(shots: object) -> int:
    """Return the number of shots. Raises `OptionError`."""
    if isinstance(shots, bool) or not isinstance(shots, int | np.integer) or not 1 <= shots <= _MOST_SHOTS:
        raise OptionError("shots", f"shots is {shots!r}; it is an integer from 1 to 2^63 - 1")
    return int(shots)


def check_threads(threads: object) -> None:
    """Raise `OptionError` unless `threads` is None or a positive integer."""
    if threads is not None and (not isinstance(threads, (int, np.integer)) or threads < 1):
        raise OptionError("threads", f"threads is {threads!r}; it is an integer from 1, or None")


def complex_dtype(dtype: npt.DTypeLike) -> ComplexDType:
    """complex128 or complex64. Raises `OptionError`."""
    if dtype is np.complex128 or dtype is _DOUBLE:
        return _DOUBLE
    try:
        kind = np.dtype(dtype)
    except TypeError:
        kind = np.dtype(object)
    if kind == _DOUBLE:
        return _DOUBLE
    if kind == _SINGLE:
        return _SINGLE
    raise OptionError("dtype", f"dtype is {dtype!r}; it is complex128 or complex64")


def initial_state(
    option: str, amplitudes: npt.ArrayLike | None, num_qubits: int
) -> npt.NDArray[np.complex128] | None:
    """Return the initial amplitudes, or None. Raises `OptionError` unless they are 2^num_qubits and of norm
    1.
    """
    if amplitudes is None:
        return None
    array = _array(option, amplitudes)
    if array.shape != (1 << num_qubits,):
        message = f"it has the shape {array.shape}; {num_qubits} qubits need 2^{num_qubits} amplitudes"
        raise OptionError(option, message)
    try:
        check_norm(array, ())
    except CircuitError as error:
        raise OptionError(option, error.message) from None
    return array


def initial_matrix(matrix: npt.ArrayLike | None, num_qubits: int) -> npt.NDArray[np.complex128] | None:
    """Return the initial matrix, or None. Raises `OptionError` unless it is unitary and fits the circuit."""
    if matrix is None:
        return None
    array = _array("initial", matrix)
    if array.shape != (1 << num_qubits, 1 << num_qubits):
        message = f"it has the shape {array.shape}; {num_qubits} qubits need 2^{num_qubits} by 2^{num_qubits}"
        raise OptionError("initial", message)
    try:
        check_unitary(array, ())
    except CircuitError as error:
        raise OptionError("initial", error.message) from None
    return array


def _array(option: str, values: npt.ArrayLike) -> npt.NDArray[np.complex128]:
    try:
        return np.asarray(values, dtype=np.complex128)
    except (TypeError, ValueError):
        raise OptionError(option, "it is not an array of complex numbers") from None
