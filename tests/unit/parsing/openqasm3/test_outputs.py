"""What an OpenQASM 3 program tells of what results show of it: names, types, and where the bits lie."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from basicaer.service.parsing import ProgramFault
from basicaer.v1 import circuit_pb2 as pb
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.parsing.openqasm3.outcomes import circuit, outcomes


def told(text: str) -> list[tuple[Any, ...]]:
    """Return name, kind, width, shape and first bit of each output."""
    kind = pb.ClassicalKind.Name
    return [
        (
            each.name,
            kind(each.type.kind).removeprefix("CLASSICAL_KIND_"),
            each.type.width,
            tuple(each.shape),
            each.clbit,
        )
        for each in circuit(text).outputs
    ]


def test_each_output_tells_its_type_and_its_first_bit() -> None:
    text = """
    input float theta;
    output bit c;
    int[8] kept = 3;
    output bit[3] d;
    output bool e;
    output int[5] i;
    output uint[64] u;
    output angle[4] a;
    output float f;
    output complex[float[64]] z;
    output array[int[8], 2, 3] m;
    output bit last;
    """
    assert told(text) == [
        ("c", "BIT", 0, (), 0),
        ("d", "BIT", 3, (), 1),
        ("e", "BOOL", 0, (), 4),
        ("i", "INT", 5, (), 5),
        ("u", "UINT", 64, (), 10),
        ("a", "ANGLE", 4, (), 74),
        ("f", "FLOAT", 64, (), 78),
        ("z", "COMPLEX", told(text)[7][2], (), 142),
        ("m", "INT", 8, (2, 3), 270),
        ("last", "BIT", 0, (), 318),
    ]
    assert told(text)[7][2] in (0, 64)


def test_without_an_output_they_are_all_bits_and_what_is_measured() -> None:
    text = """
    qubit q;
    bit a;
    bit[2] b;
    array[bit, 2] c;
    uint[4] n;
    uint[4] other;
    float f;
    n[0] = measure q;
    { bit inner = measure q; }
    """
    assert told(text) == [
        ("a", "BIT", 0, (), 0),
        ("b", "BIT", 2, (), 1),
        ("c", "BIT", 0, (2,), 3),
        ("n", "UINT", 4, (), 5),
    ]


def test_an_arrays_elements_are_registers_named_by_their_indices() -> None:
    names = [each.name for each in circuit("output array[uint[2], 2, 2] m; m[1, 0] = 3;").classical_registers]
    assert names == ["m[0,0]", "m[0,1]", "m[1,0]", "m[1,1]"]


def bits(number: float) -> str:
    return format(int.from_bytes(struct.pack(">d", number), "big"), "064b")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_is_shown_by_its_bits(number: float) -> None:
    text = f"qubit q; output float f; f = {number!r}; bit b = measure q; "
    assert outcomes(text, shots=1) == {f"f={bits(number)}": 1.0}
    # And where only a run knows it.
    assert outcomes(f"{text} if (!b) {{ f = f * 1; }}", shots=1) == {f"f={bits(number)}": 1.0}


def test_a_float_follows_what_happens_in_each_shot() -> None:
    text = """
    include "stdgates.inc";
    qubit q;
    output float mean;
    for int i in [1:4] {
        h q;
        bit b = measure q;
        mean += b ? 1 : 0;
    }
    """.replace("b ? 1 : 0", "float(b)")
    found = outcomes(text, shots=4000)
    assert set(found) == {f"mean={bits(number)}" for number in (0.0, 1.0, 2.0, 3.0, 4.0)}
    assert found[f"mean={bits(2.0)}"] == pytest.approx(6 / 16, abs=0.05)


def test_a_program_that_ends_early_shows_what_was_there() -> None:
    text = """
    include "stdgates.inc";
    qubit q;
    output float f;
    output array[float, 2] a;
    f = 0.5;
    x q;
    bit b = measure q;
    if (b) { f += 1; a[1] = f; end; }
    f = 7;
    """
    assert outcomes(text, shots=3) == {f"f={bits(1.5)} a[0]={bits(0)} a[1]={bits(1.5)}": 1.0}


def test_a_complex_number_is_shown_by_both_its_parts() -> None:
    found = outcomes("output complex z; z = 1.5 - 2im;", shots=1)
    assert found == {f"z={bits(-2.0)}{bits(1.5)}": 1.0}


def test_what_is_called_as_a_measured_variable_elsewhere_is_not_shown() -> None:
    text = """
    qubit q;
    bit c;
    uint[2] n;
    float x;
    def f(qubit p) { bit x = measure p; }
    f(q);
    n[1] = measure q;
    """
    assert [name for name, *_ in told(text)] == ["c", "n"]


def test_a_duration_is_not_shown() -> None:
    with pytest.raises(ProgramFault, match="make a float of it, as in d / 1ns") as caught:
        circuit("output bit c;\noutput duration d;")
    assert caught.value.where is not None
    assert caught.value.where.line == 2
