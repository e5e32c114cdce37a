"""Qubits that stay in known basis states need no place in a state, and change no result."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import numpy as np
import pytest
from basicaer.simulator import (
    Block,
    Circuit,
    ClbitRef,
    Initialize,
    Instruction,
    Save,
    SaveKind,
    Template,
    Variable,
    required_bytes,
    run,
)
from basicaer.simulator.circuit._expressions import ClassicalKind, ClassicalType
from basicaer.simulator.circuit._operations import IfElse
from basicaer.simulator.compiler import _wires as wires_module
from basicaer.simulator.reference import (
    TooManyLeavesError,
    distribution,
    interpret,
    random_circuit,
    saved_means,
)
from hypothesis import given, reject
from hypothesis import strategies as st

from tests.unit.simulator.shorthand import RANDOM, SETTINGS, close, memory_of, observables, statevector_of

_CLASSICAL = (
    *(
        ("x", 1),
        ("y", 1),
        ("z", 1),
        ("s", 1),
        ("t", 1),
        ("id", 1),
        ("cx", 2),
        ("cy", 2),
        ("cz", 2),
        ("cs", 2),
    ),
    *(("swap", 2), ("iswap", 2), ("dcx", 2), ("ccx", 3), ("ccz", 3), ("cswap", 3), ("mcx", 3), ("mcz", 3)),
    *(("rccx", 3), ("ecr", 2), ("ch", 2), ("csx", 2)),
)
_TURNS = (("p", 1), ("rz", 1), ("cp", 2), ("crz", 2), ("rzz", 2), ("crx", 2), ("mcp", 3), ("cu", 2))


def reversible(
    random: Random, num_qubits: int, num_clbits: int, length: int, *, saves: bool = True
) -> Circuit:
    """A circuit in which most qubits stay in basis states for long, and some to the end."""
    circuit = Circuit(num_qubits, num_clbits, global_phase=random.uniform(-3, 3))
    label = 0
    for _ in range(length):
        kind = random.randrange(20)
        qubits = random.sample(range(num_qubits), num_qubits)
        if kind < 9:
            name, width = random.choice(_CLASSICAL)
            if width > num_qubits:
                continue
            fields: dict[str, Any] = {}
            if random.random() < 0.25 and width < num_qubits and name not in ("mcx", "mcz"):
                fields = {"num_controls": 1, "control_state": random.randrange(2)}
                width += 1
            circuit.append(name, qubits[:width], **fields)
        elif kind < 12:
            name, width = random.choice(_TURNS)
            if width > num_qubits:
                continue
            count = 4 if name == "cu" else 1
            circuit.append(name, qubits[:width], [random.choice([0.3, -1.7, 2.5])] * count)
        elif kind == 12:
            matrix = np.eye(4)[random.sample(range(4), 4)] * np.exp(1j * np.array([0.1, 0.7, -2.0, 1.1]))
            if num_qubits >= 2:
                circuit.append("unitary", qubits[:2], matrix=matrix.astype(complex))
        elif kind == 13 and random.random() < 0.5:
            circuit.append("h", qubits[:1])
        elif kind == 14 and num_clbits:
            circuit.append("measure", qubits[:1], [], [random.randrange(num_clbits)])
        elif kind == 15:
            circuit.append("reset", qubits[:1])
        elif kind == 16 and num_clbits:
            name = random.choice(["x", "z", "reset", "measure"])
            clbits = [0] if name == "measure" else []
            circuit.append(name, qubits[:1], [], clbits, condition=ClbitRef(random.randrange(num_clbits)))
        elif kind == 17 and num_clbits:
            inner: list[Instruction] = [("x", qubits[:1])] if random.random() < 0.5 else []
            inner += [("measure", qubits[1:2], [], [0])] if len(qubits) > 1 else [("reset", qubits[:1])]
            block = circuit.block(inner)
            circuit.append("if_else", if_else=IfElse(ClbitRef(num_clbits - 1), block))
        elif kind == 18:
            width = random.randrange(1, num_qubits + 1)
            state = Initialize(basis_state=random.randrange(2**width))
            if random.random() < 0.5:
                state = Initialize(label="".join(random.choice("000111+l") for _ in range(width)))
            circuit.append("initialize", qubits[:width], initialize=state)
        elif kind == 19 and saves:
            width = random.randrange(1, num_qubits + 1)
            save = [
                Save(f"s{label}", SaveKind.STATEVECTOR),
                Save(f"s{label}", SaveKind.PROBABILITIES),
                Save(f"s{label}", SaveKind.EXPECTATION_VALUES, observables(random, width, 2)),
            ][label % 3]
            used = [] if save.kind is SaveKind.STATEVECTOR else qubits[:width]
            circuit.append("save", used, save=save)
            label += 1
    return circuit


@SETTINGS
@given(RANDOM, st.integers(1, 5), st.integers(0, 3))
def test_known_qubits_give_what_the_reference_gives(
    tracking_on: None, random: Random, num_qubits: int, num_clbits: int
) -> None:
    circuit = reversible(random, num_qubits, num_clbits, 14)
    try:
        leaves = interpret(circuit)
        means = saved_means(circuit)
    except TooManyLeavesError:
        reject()
    result = run(circuit, shots=300, seed=random.randrange(2**32), statevector=True, memory=True)
    expected = {outcome for outcome, weight in distribution(circuit).items() if weight > 1e-12}
    seen = [sum(int(word) << 64 * place for place, word in enumerate(words)) for words in result.outcomes]
    assert set(seen) <= expected
    last = int(memory_of(result)[-1][0])
    assert any(
        abs(np.vdot(leaf.state, statevector_of(result))) > 1 - 1e-9
        and (len(leaves) > 1 or close(leaf.state, statevector_of(result)))
        for leaf in leaves
        if leaf.clbits == last
    )
    if len(leaves) == 1:
        assert result.saved.keys() == means.keys()
        for label, array in result.saved.items():
            wanted = means[label]
            if array.dtype.kind == "c":
                wanted = wanted * np.exp(1j * circuit.global_phase)
            assert close(array, wanted)


@pytest.fixture(scope="module")
def tracking_on() -> Iterator[None]:
    before, wires_module.SMALL_QUBITS = wires_module.SMALL_QUBITS, 0
    yield
    wires_module.SMALL_QUBITS = before


@SETTINGS
@given(RANDOM, st.integers(1, 4))
def test_known_qubits_of_random_circuits(tracking_on: None, random: Random, num_qubits: int) -> None:
    """Circuits with everything, in which few qubits stay known."""
    circuit = random_circuit(random, num_qubits=num_qubits, num_clbits=2, num_instructions=8, dynamic=True)
    try:
        expected = distribution(circuit)
    except TooManyLeavesError:
        reject()
    result = run(circuit, shots=100, seed=random.randrange(2**32))
    seen = {int(words[0]) for words in result.outcomes}
    assert seen <= {outcome for outcome, weight in expected.items() if weight > 1e-12}


@SETTINGS
@given(RANDOM, st.integers(1, 4))
def test_bound_circuits_with_known_qubits(tracking_on: None, random: Random, num_qubits: int) -> None:
    """A template doesn't know its parameters yet when it is compiled."""
    theta = Variable("theta", ClassicalType(ClassicalKind.FLOAT), is_input=True)
    plain = reversible(random, num_qubits, 1, 12, saves=False)
    body = plain.body
    chosen = np.flatnonzero(body.parameters == 0.3).astype(np.uint32)
    base = body.parameters.copy()
    base[chosen] = 0.0
    open_body = Block(
        *(body.operations, body.qubits, body.clbits, base),
        *(chosen, np.zeros(len(chosen), np.uint32), np.ones(len(chosen))),
    )
    fields: dict[str, Any] = {"global_phase": plain.global_phase, "operations": plain.operations}
    template = Template(Circuit(num_qubits, 1, variables=[theta], body=open_body, **fields))
    bound = template.bind(template.rows(["theta"], [[0.3]])[0])
    first = run(plain, shots=100, seed=3, statevector=True)
    second = run(bound, shots=100, seed=3, statevector=True)
    assert required_bytes(bound) >= required_bytes(plain)
    leaves = interpret(plain)
    if len(leaves) == 1:
        assert close(statevector_of(first), leaves[0].state)
        assert close(statevector_of(second), leaves[0].state)
