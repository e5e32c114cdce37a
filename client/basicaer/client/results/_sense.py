"""What a program's data can be, whatever was run: a server, or what stands between, may say anything.

Nothing is refused that rounding can make: states need not have norm 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from basicaer.client._errors import ProtocolError
from basicaer.v1 import result_pb2

__all__ = ["check_array", "check_counts", "check_finite", "check_outcomes", "check_saved"]

# How far a probability may be off by rounding in single precision.
_ROUNDING = 1e-3
# Numbers that are looked at at a time, so that a large state isn't there twice.
_BLOCK = 1 << 18
# The most qubits whose state has a size that numpy can count.
_MOST_QUBITS = 60
_WORD = 64
# What is saved as complex numbers.
_COMPLEX = (
    *("statevector", "density_matrix", "amplitudes", "unitary", "superoperator"),
    "matrix_product_state",
)


def check_finite(array: npt.NDArray[Any], name: str) -> None:
    """Refuse numbers that no simulation gives.

    Raises:
        ProtocolError: There is a NaN or an infinity.
    """
    if array.dtype.kind not in "fc":
        return
    flat = array.reshape(-1)
    for start in range(0, flat.size, _BLOCK):
        if not np.isfinite(flat[start : start + _BLOCK]).all():
            raise _senseless(f"{name} has numbers that are infinite or none (NaN)")


def check_saved(array: npt.NDArray[Any], description: result_pb2.Array, num_qubits: int) -> None:
    """Refuse an array that isn't what it is said to be of a state of so many qubits.

    Raises:
        ProtocolError: No save could have given it.
    """
    kind, name = description.kind, description.name
    check_finite(array, name)
    axes = int(description.per_shot or description.conditional)
    own = array.shape[axes:]
    size = 1 << min(num_qubits, _MOST_QUBITS)
    has_shape = {
        "statevector": own == (size,),
        "unitary": own == (size, size),
        "superoperator": own == (size * size, size * size),
        "stabilizer": own == (2 * num_qubits, 2 * num_qubits + 1) and array.dtype == np.uint8,
        "density_matrix": len(own) == 2 and own[0] == own[1],
        "expectation_value": own == (1,),
        "expectation_value_variance": own == (2,),
        "detectors": array.dtype == np.uint8 and own[1:] == (-(-description.bits_per_row // 8),),
    }.get(kind, len(own) == 1)
    if array.ndim < axes or not has_shape or (array.dtype.kind == "c") != (kind in _COMPLEX):
        raise _senseless(f"{name}, a {kind}, is of shape {array.shape} and type {array.dtype}")


def check_outcomes(words: npt.NDArray[Any], length: int, num_clbits: int) -> None:
    """Refuse outcomes of a conditional save that can't belong to its `length` elements.

    Raises:
        ProtocolError: There are none of so many bits.
    """
    if words.dtype != np.uint64 or words.ndim != 2 or len(words) != length:
        raise _senseless(f"{length:,} saved values have outcomes of shape {words.shape}")
    _check_bits(words, num_clbits)


def check_array(array: npt.NDArray[Any], name: str, num_qubits: int, num_clbits: int, shots: int) -> None:
    """Refuse an array that doesn't belong to a program of so many qubits, classical bits and shots.

    Raises:
        ProtocolError: No run could have given it.
    """
    if name == "memory":
        if array.ndim != 2 or array.dtype != np.uint64:
            raise ProtocolError("The server sent a memory that is no table of outcomes.")
        if len(array) != shots:
            raise _senseless(f"the memory has {len(array):,} outcomes, and there were {shots:,} shots")
        _check_bits(array, num_clbits)
        return
    check_finite(array, name)
    kind = array.dtype.kind
    if kind == "c" or name in ("statevector", "unitary"):
        size = 1 << min(num_qubits, _MOST_QUBITS)
        wanted = (size, size) if name == "unitary" else (size,)
        if kind != "c" or array.shape != wanted:
            raise _senseless(f"{name} is of shape {array.shape} for {num_qubits} qubits")
    elif kind == "f" and name not in ("expectation_values", "gradients") and array.size > 1:
        # A save of several real numbers is one of probabilities.
        least, most = float(array.min()), float(array.max())
        if least < -_ROUNDING or most > 1.0 + _ROUNDING:
            raise _senseless(f"{name} has probabilities from {least:g} to {most:g}")


def check_counts(words: npt.NDArray[np.uint64], counts: Sequence[int], num_clbits: int, shots: int) -> None:
    """Refuse counts that no run of so many shots gives; `words` has a row for each outcome.

    Raises:
        ProtocolError: No run could have given it.
    """
    seen = sum(counts)
    if seen != shots or min(counts, default=0) < 0:
        raise _senseless(f"the counts add up to {seen:,}, and there were {shots:,} shots")
    if len(np.unique(words, axis=0)) != len(words):
        raise _senseless("an outcome has several counts")
    _check_bits(words, num_clbits)


def _check_bits(words: npt.NDArray[np.uint64], num_clbits: int) -> None:
    full, rest = divmod(num_clbits, _WORD)
    beyond = words[:, full:]
    if rest and beyond.size:
        if (beyond[:, 0] >> np.uint64(rest)).any():
            raise _senseless(f"an outcome has more than {num_clbits} bits")
        beyond = beyond[:, 1:]
    if beyond.any():
        raise _senseless(f"an outcome has more than {num_clbits} bits")


def _senseless(what: str) -> ProtocolError:
    return ProtocolError(f"The server sent a result that makes no sense: {what}.")
