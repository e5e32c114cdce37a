"""Results that make no sense: whatever a server says, the client hands no such counts and amplitudes on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from basicaer.client import ProtocolError, Result, ResultError
from basicaer.client.transport._chunks import Download
from basicaer.client.transport._retry import Deadline
from basicaer.v1 import job_pb2, job_service_pb2, result_pb2
from hypothesis import given
from hypothesis import strategies as st


def result_of(
    *, qubits: int = 2, clbits: int = 2, shots: int = 10, arrays: Any = None, **fields: Any
) -> Result:
    """A result of one program; `arrays` come inside of it, by their names."""
    program = result_pb2.ProgramResult(status=job_pb2.JOB_STATUS_DONE, shots=shots, **fields)
    program.header.num_qubits, program.header.num_clbits = qubits, clbits
    for name, array in (arrays or {}).items():
        program.arrays.add(
            name=name,
            part=f"0/{name}",
            dtype=array.dtype.str,
            shape=array.shape,
            size_bytes=array.nbytes,
            data=array.tobytes(),
        )
    return Result(result_pb2.Result(success=True, programs=[program]))


def counts(seen: dict[int, int], words: int = 1) -> result_pb2.Counts:
    outcomes = [key >> 64 * word & (1 << 64) - 1 for key in seen for word in range(words)]
    return result_pb2.Counts(words_per_outcome=words, outcomes=outcomes, counts=list(seen.values()))


@given(
    seen=st.dictionaries(st.integers(0, 2**70 - 1), st.integers(1, 10**9), min_size=1, max_size=8),
    shots=st.integers(0, 1),
    bits=st.integers(-2, 2),
    twice=st.booleans(),
)
def test_counts_are_those_of_the_shots_and_bits(
    seen: dict[int, int], shots: int, bits: int, twice: bool
) -> None:
    message = counts(seen, 2)
    if twice:
        message.outcomes.extend(message.outcomes[:2])
        message.counts.append(1)
    most = max(seen).bit_length()
    made = result_of(clbits=max(most + bits, 0), shots=sum(message.counts) + shots, counts=message)
    sensible = shots == 0 and (bits >= 0 or most == 0) and not twice
    if sensible:
        assert made.results[0].data.int_counts() == seen
        return
    for ask in (made.get_counts, made.data, made.results[0].data.to_dict):
        with pytest.raises(ProtocolError, match="makes no sense"):
            ask()


@pytest.mark.parametrize("dtype", ["<c16", "<c8"])
@pytest.mark.parametrize("name", ["statevector", "saved"])
@pytest.mark.parametrize("broken", [np.nan, np.inf, complex(0, np.nan)])
def test_amplitudes_are_numbers(dtype: str, name: str, broken: complex) -> None:
    state = np.full(4, 0.5, dtype)
    assert np.array_equal(result_of(arrays={name: state}).results[0].data.get(name), state)
    state[3] = broken
    with pytest.raises(ProtocolError, match="makes no sense"):
        result_of(arrays={name: state}).results[0].data.get(name)


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("statevector", np.zeros(8, "<c16")),
        ("statevector", np.zeros(4, "<f8")),
        ("statevector", np.zeros((2, 2), "<c16")),
        ("unitary", np.zeros(16, "<c16")),
        ("unitary", np.zeros((2, 2), "<c16")),
        ("saved", np.zeros(2, "<c8")),
        ("memory", np.zeros((9, 1), "<u8")),
        ("memory", np.full((10, 1), 4, "<u8")),
        ("memory", np.zeros(10, "<u8")),
        ("saved", np.array([0.5, 1.5])),
        ("saved", np.array([0.5, -0.5])),
        ("saved", np.array([np.nan])),
        ("expectation_values", np.array([[1.0, np.nan]])),
    ],
)
def test_arrays_belong_to_their_program(name: str, array: Any) -> None:
    with pytest.raises(ProtocolError):
        result_of(arrays={name: array}).results[0].data.get(name)


def test_what_rounding_makes_passes() -> None:
    state = np.full(4, 0.5003, "<c8")
    arrays = {"statevector": state, "saved": np.array([1.0000001, -1e-9]), "one": np.array([-3.0])}
    arrays["expectation_values"] = np.array([7.0, -7.0])
    data = result_of(arrays=arrays).results[0].data
    assert set(data.to_dict()) == set(arrays)


def download(**described: Any) -> Download:
    made = Download("job", "0/statevector", Deadline(10.0))
    header = job_service_pb2.ResultHeader(array=result_pb2.Array(**described), etag="1")
    made.feed(job_service_pb2.ReadResultResponse(header=header).SerializeToString())
    return made


def test_an_array_beyond_the_memory_is_an_error_of_the_clients() -> None:
    with pytest.raises(ResultError, match=r"17,592,186,044,416,000 bytes"):
        download(dtype="<c16", shape=[2**40 * 1000], size_bytes=2**44 * 1000)
