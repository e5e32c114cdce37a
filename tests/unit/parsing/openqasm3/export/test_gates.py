"""Gates, matrices and states as OpenQASM 3 text."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pytest
from basicaer import simulator as sim
from basicaer.client import Circuit
from basicaer.client.openqasm3 import NATIVE_DEFINITIONS
from basicaer.client.openqasm3._gates import GATES
from basicaer.service.execution.circuits.reading import to_simulator
from basicaer.simulator.circuit._gate_table import GATES as SPECS
from basicaer.simulator.reference import (
    interpret,
    matrix_of,
    random_unitary,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.parsing.openqasm3.export.messages import message
from tests.unit.parsing.openqasm3.export.reading import read
from tests.unit.parsing.openqasm3.outcomes import circuit


def test_every_gate_of_the_table_is_written() -> None:
    assert set(GATES) == set(SPECS)
    for name, spec in SPECS.items():
        call = GATES[name]
        assert (call.qubits, call.parameters, call.is_open) == (
            spec.num_qubits,
            spec.num_parameters,
            spec.any_controls,
        )


@pytest.mark.parametrize("extra", [0, 1, 2])
@pytest.mark.parametrize("name", sorted(GATES))
def test_a_gate_is_the_same_by_its_text(name: str, extra: int) -> None:
    spec = SPECS[name]
    width = spec.num_qubits + extra + spec.any_controls
    if width > 5:
        return
    values = [0.3, 6.9, -8.1, 2.2][: spec.num_parameters]
    original = sim.Circuit(width, 0)
    fields: dict[str, Any] = {"num_controls": extra, "control_state": extra} if extra else {}
    original.append(name, list(range(width))[::-1], values, **fields)
    np.testing.assert_allclose(matrix_of(read(message(original))), matrix_of(original), atol=1e-12)


@pytest.mark.parametrize("definition", NATIVE_DEFINITIONS)
def test_a_definition_is_its_gate(definition: str) -> None:
    """A reader that takes it as any other definition computes the same."""
    name = NATIVE_DEFINITIONS[definition]
    spec = SPECS[name]
    word = definition.split()[1].partition("(")[0]
    values = [0.7, -1.9, 2.6][: spec.num_parameters]
    operands = ", ".join(f"q[{place}]" for place in range(spec.num_qubits))
    # With a barrier it isn't what the reader knows.
    head = 'include "stdgates.inc";\n' + "\n".join(NATIVE_DEFINITIONS).replace("{", "{ barrier;")
    call = f"{word}({', '.join(map(str, values))})" if values else word
    again = circuit(f"{head}\nqubit[{spec.num_qubits}] q;\n{call} {operands};")
    assert name not in {each.name for each in again.operations} or name == "u"
    wanted = sim.Circuit(spec.num_qubits).append(name, list(range(spec.num_qubits)), values)
    np.testing.assert_allclose(matrix_of(to_simulator(again)), matrix_of(wanted), atol=1e-12)


@pytest.mark.parametrize(
    "text",
    [
        # cx is the program's own, or rzz is another gate.
        "gate cx a, b { U(0, 0, 0) a; }\ngate rz(t) a { U(0, 0, t) a; }\n"
        "gate rzz(theta) a, b { cx a, b; rz(theta) b; cx a, b; }\nqubit[2] q;\nrzz(1) q[0], q[1];",
        'include "stdgates.inc";\ngate rzz(theta) a, b { cx a, b; rz(2*theta) b; cx a, b; }\n'
        "qubit[2] q;\nrzz(1) q[0], q[1];",
        'include "stdgates.inc";\ngate rxx(theta) a, b { h a; }\ngate ryy(theta) a, b { h a; }\n'
        "gate xx_plus_yy(theta, beta) a, b "
        "{ rz(beta) a; rxx(theta/2) a, b; ryy(theta/2) a, b; rz(-beta) a; }\n"
        "qubit[2] q;\nxx_plus_yy(1, 2) q[0], q[1];",
    ],
)
def test_other_definitions_are_taken_as_they_are(text: str) -> None:
    assert {each.name for each in circuit(text).operations}.isdisjoint(("rzz", "xx_plus_yy"))


def test_a_native_gate_can_be_inverted() -> None:
    text = Circuit(2).append("iswap", [0, 1]).append("r", [0], [0.4, 0.9]).to_openqasm3()
    undone = text + "inv @ r(0.4, 0.9) q[0];\ninv @ iswap q[0], q[1];\n"
    np.testing.assert_allclose(matrix_of(to_simulator(circuit(undone))), np.eye(4), atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 4))
def test_a_matrix_is_the_same_by_its_gates(random: Random, width: int) -> None:
    matrix = random_unitary(random, width)
    if random.random() < 0.3:
        order = random.sample(range(1 << width), 1 << width)
        matrix = np.eye(1 << width, dtype=np.complex128)[order] * random.choice([1, 1j, -1])
    original = Circuit(width).unitary(matrix, range(width))
    np.testing.assert_allclose(matrix_of(read(original.to_message())), matrix, atol=1e-9)


@pytest.mark.parametrize("state", [1, 5, "10r", "+-l", [0, 0, 0, 0, 1j, 0, 0, 0], np.full(8, 8**-0.5)])
def test_a_prepared_state_is_the_same_by_its_gates(state: Any) -> None:
    original = Circuit(3).h(1).initialize(state)
    wanted = interpret(to_simulator(original.to_message()))[0].state
    found = interpret(read(original.to_message()))
    for leaf in found:
        assert abs(np.vdot(leaf.state, wanted)) == pytest.approx(1.0)
