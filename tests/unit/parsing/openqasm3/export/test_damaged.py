"""Circuits that aren't valid: they are refused as such, or written as they are."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from basicaer.client import Circuit, CircuitError
from basicaer.client.openqasm3 import dumps
from basicaer.simulator.reference import random_circuit
from basicaer.v1 import circuit_pb2 as pb
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.parsing.openqasm3.export.messages import message


@settings(max_examples=500, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(0, 2**32), st.integers(1, 3))
def test_a_damaged_circuit_is_text_or_refused(random: Random, seed: int, damages: int) -> None:
    made = Random(seed)
    original = message(random_circuit(made, num_qubits=2, num_clbits=3, num_instructions=5, dynamic=True))
    raw = bytearray(original.SerializeToString())
    for _ in range(damages):
        place = random.randrange(len(raw))
        raw[place : place + random.randrange(2)] = bytes([random.randrange(256)] * random.randrange(2))
    try:
        damaged = pb.Circuit.FromString(bytes(raw))
    except DecodeError:
        return
    try:
        text = dumps(damaged)
    except CircuitError:
        return
    assert text.startswith("OPENQASM 3.0;\n")


def _with_matrix(*values: float) -> pb.Circuit:
    made = Circuit(1).x(0).to_message()
    made.operations[0].name = "unitary"
    made.operations[0].matrix.shape.extend((2, 2))
    made.operations[0].matrix.values.extend(np.array(values, dtype=complex).view(float).tolist())
    return made


@pytest.mark.parametrize(
    ("damaged", "wanted"),
    [
        (_with_matrix(1, 1, 1, 1), "unitary"),
        (_with_matrix(1e200, 0, 0, 1), "unitary"),
        (_with_matrix(float("nan"), 0, 0, 1), "unitary"),
        (_with_matrix(1, 0, 0), "shape"),
        (pb.Circuit(num_qubits=2**32 - 1), "1,000,000 bits"),
        (pb.Circuit(classical_registers=[pb.Register(name="c", size=2**32 - 1)]), "1,000,000 bits"),
        (pb.Circuit(body=pb.Block(operations=[3])), "isn't there"),
        (pb.Circuit(operations=[pb.Operation(name="measure")], body=pb.Block(operations=[0])), "isn't valid"),
        (
            pb.Circuit(
                operations=[
                    pb.Operation(name="while_loop", while_loop=pb.WhileLoop(body=pb.Block(operations=[0])))
                ]
            ),
            "stands behind",
        ),
        (
            pb.Circuit(
                variables=[
                    pb.Variable(name="n", type=pb.ClassicalType(kind=pb.CLASSICAL_KIND_UINT, width=2**31))
                ]
            ),
            "bits",
        ),
    ],
)
def test_what_is_wrong_is_named(damaged: pb.Circuit, wanted: str) -> None:
    with pytest.raises(CircuitError, match=wanted):
        dumps(damaged)
