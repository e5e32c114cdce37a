"""Pictures of circuits: some as they should look, and of any circuit that its lines meet."""

from __future__ import annotations

from random import Random
from textwrap import dedent

import pytest
from basicaer.client import Channel, Circuit, CircuitError
from basicaer.client.circuit._gates import GATE_SHAPES
from basicaer.client.drawing import draw
from basicaer.v1 import circuit_pb2 as pb
from hypothesis import given, settings
from hypothesis import strategies as st


def _picture(text: str) -> str:
    return dedent(text).strip("\n")


def test_gates_controls_and_measurements() -> None:
    circuit = Circuit(3, 3).h(0).cx(0, 1).ccx(0, 2, 1).swap(0, 2).rz(0.25, 1).tdg(2).measure([0, 1], [0, 1])
    assert circuit.draw() == _picture("""
        q[0]: ─H─●─●─×──M→c[0]─────────
                 │ │ │
        q[1]: ───X─X─┼─Rz(0.25)─M→c[1]─
                   │ │
        q[2]: ─────●─×────T†───────────
        """)


def test_controls_on_zero_and_further_ones() -> None:
    circuit = Circuit(3).append("x", [2, 0, 1], num_controls=2, control_state=0b10)
    assert circuit.draw() == _picture("""
        q[0]: ─●─
               │
        q[1]: ─X─
               │
        q[2]: ─○─
        """)


def test_control_flow_stands_in_brackets() -> None:
    circuit = Circuit(2, 1).h(0).measure(0, 0)
    with circuit.if_test((0, 1)) as otherwise:
        circuit.cx(0, 1)
    with otherwise:
        circuit.z(1)
    assert circuit.draw() == _picture("""
        q[0]: ─H─M→c[0]─╟if c[0]:─●─╫else:───╢─
                                  │
        q[1]: ──────────╟─────────X─╫──────Z─╢─
        """)


def test_inputs_noise_saves_and_what_has_no_qubit() -> None:
    circuit = Circuit(2)
    theta = circuit.add_input("theta")
    circuit.rx(2 * theta + 0.5, 0).channel(Channel.depolarizing(0.02), 1)
    circuit.append("global_phase", [], [0.5])
    circuit.global_phase = 3.141592653589793
    picture = circuit.draw(width=None)
    assert "Rx(0.5+2·theta)" in picture
    assert "depolarizing(0.02)" in picture
    assert "gphase(0.5)" in picture
    assert picture.startswith("global phase π\n")
    circuit.save_probabilities([0], "end\x1b[2J")
    assert r"save end\x1b[2J" in circuit.draw(width=None)


def test_what_is_too_long_goes_on_below_or_is_left_out() -> None:
    circuit = Circuit(1)
    for _ in range(30):
        circuit.h(0)
    lines = circuit.draw(width=30).split("\n")
    assert max(map(len, lines)) <= 30
    assert sum(line.count("H") for line in lines) == 30
    assert lines[1] == ""
    shown = circuit.draw(most=7)
    assert shown.count("H") == 7
    assert shown.endswith("… and more: 7 instructions are drawn")


def test_nothing_and_no_room() -> None:
    assert Circuit(0).draw() == ""
    assert Circuit(1).draw() == "q[0]: ──"
    with pytest.raises(ValueError, match="no room"):
        Circuit(1).draw(width=10)
    with pytest.raises(ValueError, match="no -1 instructions"):
        Circuit(1).draw(most=-1)
    broken = pb.Circuit(num_qubits=1, operations=[pb.Operation(name="h")], body=pb.Block(operations=[0]))
    with pytest.raises(CircuitError, match="columns are not as long"):
        draw(broken)
    with pytest.raises(CircuitError, match="isn't valid"):
        draw(pb.Circuit(num_qubits=1, body=pb.Block(operations=[3])))


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False), st.sampled_from([None, 20, 60]))
def test_lines_meet(random: Random, width: int | None) -> None:
    """All gates with their tables' shapes: each is there, and what joins qubits ends at labels or crosses."""
    circuit = Circuit(6)
    names = random.choices(sorted(GATE_SHAPES), k=random.randrange(12))
    for name in names:
        qubits, parameters = GATE_SHAPES[name]
        if qubits:
            circuit.append(name, random.sample(range(6), qubits), [0.5] * parameters)
    parts = circuit.draw(width=width).split("\n\n")
    assert sum(len(part.split("\n")) >= 6 for part in parts) == len(parts)
    for part in parts:
        lines = part.split("\n")
        wires = [line for line in lines if line.startswith("q[")]
        assert len(wires) == 6
        assert len({len(line) for line in wires}) == 1
        for above, joints, below in zip(lines, lines[1:], lines[2:], strict=False):
            for place, mark in enumerate(joints):
                if mark == "│" and not joints.startswith("q["):
                    assert above[place] != "─"
                    assert below[place] != "─"
