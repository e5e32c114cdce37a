"""Typed outputs: whatever values a program had, a result gives them back from its bits."""

from __future__ import annotations

import math
import struct
from collections import Counter
from typing import Any, Literal

import numpy as np
import pytest
from basicaer.client import Outputs, ProtocolError, Result, ResultError
from basicaer.v1 import circuit_pb2 as pb
from basicaer.v1 import job_pb2, result_pb2
from hypothesis import given
from hypothesis import strategies as st

_WIDTHS: tuple[Literal[16, 32, 64], ...] = (16, 32, 64)
KINDS = ("bit", "bool", "uint", "int", "float", "angle", "complex")


def output(name: str, kind: str, width: int = 0, shape: tuple[int, ...] = (), clbit: int = 0) -> Any:
    """Return a description; `kind` is a word of OpenQASM."""
    number = pb.ClassicalKind.Value(f"CLASSICAL_KIND_{kind.upper()}")
    type_ = pb.ClassicalType(kind=number, width=width)
    return pb.ClassicalOutput(name=name, type=type_, shape=shape, clbit=clbit)


def result(
    outputs: list[Any], num_clbits: int, shots: list[int], *, memory: bool = True, **header: Any
) -> Result:
    """Return a result whose shots have these outcomes."""
    words = max(1, -(-num_clbits // 64))
    counts = Counter(shots)
    entry = result_pb2.ProgramResult(
        status=job_pb2.JOB_STATUS_DONE,
        shots=len(shots),
        header=result_pb2.ProgramHeader(num_clbits=num_clbits, outputs=outputs, **header),
    )
    entry.counts.words_per_outcome = words
    for outcome, count in sorted(counts.items()):
        entry.counts.outcomes.extend((outcome >> 64 * word) % 2**64 for word in range(words))
        entry.counts.counts.append(count)
    if memory:
        rows = np.array([[(shot >> 64 * word) % 2**64 for word in range(words)] for shot in shots], np.uint64)
        entry.arrays.add(
            name="memory", dtype="<u8", shape=rows.shape, size_bytes=rows.nbytes, data=rows.tobytes()
        )
    return Result(result_pb2.Result(success=True, programs=[entry]))


def ieee(number: float, width: int) -> int:
    code = {16: "e", 32: "f", 64: "d"}[width]
    return int.from_bytes(struct.pack(f"<{code}", number), "little")


@st.composite
def kinds_and_values(draw: st.DrawFn) -> tuple[str, int, int, Any, int]:
    """Return a kind, its width, its size in bits, a value, and the value's bits."""
    kind = draw(st.sampled_from(KINDS))
    if kind == "bool":
        truth = draw(st.booleans())
        return kind, 0, 1, truth, int(truth)
    if kind in ("float", "complex"):
        size = draw(st.sampled_from(_WIDTHS))
        parts = [draw(st.floats(width=size, allow_nan=False)) for _ in range(1 + (kind == "complex"))]
        value = parts[0] if kind == "float" else complex(*parts)
        bits = sum(ieee(part, size) << size * place for place, part in enumerate(parts))
        return kind, size, size * len(parts), value, bits
    width = draw(st.integers(1, 150 if kind != "angle" else 64))
    number = draw(st.integers(0, 2**width - 1))
    if kind == "angle":
        return kind, width, width, math.ldexp(number, -width) * math.tau, number
    if kind == "int" and number >> (width - 1):
        return kind, width, width, number - 2**width, number
    return kind, width, width, number, number


@given(kinds_and_values(), st.integers(0, 130), st.integers(0, 3))
def test_a_value_is_what_its_bits_say(
    given_value: tuple[str, int, int, Any, int], clbit: int, after: int
) -> None:
    kind, width, size, value, bits = given_value
    total = clbit + size + after
    others = (2**clbit - 1) | ((2**after - 1) << (clbit + size))
    shots = [bits << clbit, bits << clbit | others, bits << clbit]
    outputs = result([output("v", kind, width, clbit=clbit)], total, shots).get_outputs()
    found = outputs["v"]
    assert found.value == value
    assert type(found.value) is type(value)
    assert found.counts == {value: 3}
    assert outputs.counts == {(value,): 3}
    assert found.values.tolist() == [value] * 3
    assert (found.kind, found.width) == (kind, width)


@given(
    st.lists(kinds_and_values(), min_size=1, max_size=4),
    st.integers(1, 3),
    st.integers(0, 3),
    st.data(),
)
def test_arrays_lie_in_row_major_order(
    firsts: list[tuple[str, int, int, Any, int]], rows: int, columns: int, data: st.DataObject
) -> None:
    kind, width, size, *_ = firsts[0]
    outcome, values = 0, []
    for place in range(rows * columns):
        bits = data.draw(st.integers(0, 2**size - 1))
        outcome |= bits << size * place
        single = result([output("v", kind, width)], size, [bits]).get_outputs()["v"]
        values.append(single.value)
    array = output("a", kind, width, (rows, columns))
    outputs = result([array], size * rows * columns, [outcome]).get_outputs()
    found = outputs["a"].value
    assert found.shape == (rows, columns)
    assert repr(found.reshape(-1).tolist()) == repr(values)
    assert outputs["a"].values.shape == (1, rows, columns)
    (key,) = outputs["a"].counts
    assert repr(key) == repr(tuple(tuple(row) for row in found.tolist()))


def test_types_are_written_as_in_openqasm() -> None:
    outputs = [
        output("a", "bit"),
        output("b", "bit", 3),
        output("c", "bool"),
        output("d", "uint", 8),
        output("e", "float"),
        output("f", "complex", 32),
        output("g", "int", 0, (2, 3)),
        output("h", "bit", 0, (4,)),
    ]
    made = result(outputs, 600, [0]).get_outputs()
    assert repr(made) == (
        "Outputs(a: bit, b: bit[3], c: bool, d: uint[8], e: float[64], f: complex[float[32]], "
        "g: array[int[64], 2, 3], h: array[bit, 4])"
    )
    assert repr(made["g"]) == "Output('g', 'array[int[64], 2, 3]')"


def test_counts_are_of_one_output_or_of_all_together() -> None:
    outputs = [output("n", "int", 2), output("ok", "bool", clbit=2)]
    made = result(outputs, 3, [0b001, 0b101, 0b111, 0b111, 0b001], memory=False).get_outputs()
    assert made["n"].counts == {1: 3, -1: 2}
    assert made["ok"].counts == {False: 2, True: 3}
    assert made.counts == {(1, False): 2, (1, True): 1, (-1, True): 2}
    with pytest.raises(ResultError, match="different values of 'n'"):
        _ = made["n"].value
    with pytest.raises(ResultError, match="memory=True"):
        _ = made["n"].values


def test_values_that_are_equal_or_no_numbers_count_as_one() -> None:
    zero, minus_zero = 0, 1 << 63
    nan, other_nan = 0x7FF8 << 48, 0x7FF8 << 48 | 1
    made = result([output("f", "float")], 64, [zero, minus_zero, nan, other_nan]).get_outputs()
    assert sorted(made["f"].counts.values()) == [2, 2]
    assert sorted(made.counts.values()) == [2, 2]


def test_without_outputs_each_register_is_bits() -> None:
    registers = [
        pb.Register(name="a", size=2),
        pb.Register(name="b", size=2, bits=[3, 0]),
        pb.Register(name="c", size=1),
        pb.Register(name="wide", size=66, bits=[0, *range(1, 66)]),
    ]
    made = result([], 66, [0b1010, 0b0001], classical_registers=registers).get_outputs()
    assert repr(made) == "Outputs(a: bit[2], b: bit[2], c: bit[1], wide: bit[66])"
    assert {name: each.counts for name, each in made.items()} == {
        "a": {0b10: 1, 0b01: 1},
        "b": {0b01: 1, 0b10: 1},
        "c": {1: 1, 0: 1},
        "wide": {0b1010: 1, 0b0001: 1},
    }


def test_a_result_without_counts_has_no_outputs() -> None:
    entry = result_pb2.ProgramResult(status=job_pb2.JOB_STATUS_DONE)
    with pytest.raises(ResultError, match="No counts"):
        Result(result_pb2.Result(success=True, programs=[entry])).get_outputs()


@pytest.mark.parametrize(
    ("outputs", "header"),
    [
        ([output("v", "uint", 9)], {}),
        ([output("v", "bit", 1, clbit=8)], {}),
        ([output("v", "bool", shape=(2**32 - 1,) * 8)], {}),
        ([output("v", "float", 24)], {}),
        ([pb.ClassicalOutput(name="v")], {}),
        ([pb.ClassicalOutput(name="v", type={"kind": 99})], {}),  # type: ignore[arg-type]  # a later kind
        ([], {"classical_registers": [pb.Register(name="v", size=9)]}),
    ],
)
def test_outputs_that_outcomes_cannot_hold_are_refused(outputs: list[Any], header: Any) -> None:
    with pytest.raises(ProtocolError, match="'v'"):
        result(outputs, 8, [0], **header).get_outputs()


def test_outputs_of_outcomes_with_too_few_words_are_refused() -> None:
    entry = result_pb2.ProgramResult(
        status=job_pb2.JOB_STATUS_DONE,
        shots=1,
        header=result_pb2.ProgramHeader(num_clbits=128, outputs=[output("v", "bit", 128)]),
        counts=result_pb2.Counts(words_per_outcome=1, outcomes=[1], counts=[1]),
    )
    made: Outputs = Result(result_pb2.Result(success=True, programs=[entry])).get_outputs()
    with pytest.raises(ProtocolError, match="words"):
        _ = made["v"].counts
