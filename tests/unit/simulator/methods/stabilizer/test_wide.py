"""Thousands of qubits, hundreds of classical bits."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
import stim
from basicaer.simulator import Circuit, ClbitRef
from basicaer.simulator.circuit._layout import Layout
from basicaer.simulator.methods.stabilizer import _method, _rows
from basicaer.simulator.methods.stabilizer._reference import circuit_of

from tests.unit.simulator.methods.stabilizer.clifford_circuits import add_gates, outcomes


def test_ghz_of_a_thousand_qubits() -> None:
    size = 1000
    circuit = Circuit.from_gates(size, [("h", [0]), *(("cx", [i, i + 1]) for i in range(size - 1))], size)
    for qubit in range(size):
        circuit.append("measure", [qubit], [], [qubit])
    found = outcomes(circuit, 100_000)
    ones = (1 << size) - 1
    values = [int.from_bytes(row.tobytes(), "little") for row in found.words]
    assert values == [0, ones]
    assert abs(int(found.counts[0]) - 50_000) < 5 * 158


def test_a_random_circuit_undone_gives_what_it_began_with() -> None:
    size, random = 300, Random(5)
    gates = add_gates(Circuit(size), random, 3000)
    inverses = {"s": "sdg", "sdg": "s", "sx": "sxdg", "sxdg": "sx"}
    instructions = _instructions(gates)
    circuit = Circuit(size, size)
    for qubit in range(0, size, 3):
        circuit.append("x", [qubit])
    for name, qubits, parameters in instructions:
        circuit.append(name, qubits, parameters)
    for name, qubits, parameters in reversed(instructions):
        if name in ("iswap", "dcx"):
            # Their own squares are no identity: iswap has four powers, dcx three.
            for _ in range(3 if name == "iswap" else 2):
                circuit.append(name, qubits)
        else:
            circuit.append(inverses.get(name, name), qubits, [-value for value in parameters])
    for qubit in range(size):
        circuit.append("measure", [qubit], [], [qubit])
    found = outcomes(circuit, 100)
    assert [int.from_bytes(row.tobytes(), "little") for row in found.words] == [
        sum(1 << qubit for qubit in range(0, size, 3))
    ]


@pytest.mark.parametrize("parts", [False, True])
def test_outcomes_of_wide_states_obey_stims_stabilizers(parts: bool) -> None:
    size, random = 130, Random(6)
    circuit = add_gates(Circuit(size, size), random, 1500)
    tableau = stim.Tableau.from_circuit(_as_stim(circuit))
    for qubit in range(size):
        circuit.append("measure", [qubit], [], [qubit])
        if parts and qubit == 0:
            circuit.append("h", [0], condition=ClbitRef(0)).append("h", [0], condition=ClbitRef(0))
    memory = outcomes(circuit, 200, memory=True).memory
    assert memory is not None
    bits = np.unpackbits(memory.view(np.uint8), axis=1, bitorder="little")[:, :size].astype(np.int64)
    checked = 0
    for string in tableau.to_stabilizers(canonicalize=True):
        xs, zs = string.to_numpy()
        if not xs.any():
            checked += 1
            assert (bits[:, zs].sum(axis=1) % 2 == (string.sign.real < 0)).all()
    assert checked > 0


def test_a_chain_of_teleportations() -> None:
    size = 201
    circuit = Circuit(size, size).append("x", [0])
    for qubit in range(0, size - 2, 2):
        circuit.append("h", [qubit + 1]).append("cx", [qubit + 1, qubit + 2])
        circuit.append("cx", [qubit, qubit + 1]).append("h", [qubit])
        circuit.append("measure", [qubit], [], [qubit]).append("measure", [qubit + 1], [], [qubit + 1])
        circuit.append("x", [qubit + 2], condition=ClbitRef(qubit + 1))
        circuit.append("z", [qubit + 2], condition=ClbitRef(qubit))
    circuit.append("measure", [size - 1], [], [size - 1])
    memory = outcomes(circuit, 500, memory=True).memory
    assert memory is not None
    bits = np.unpackbits(memory.view(np.uint8), axis=1, bitorder="little")[:, :size]
    assert bits[:, size - 1].all()
    # The other outcomes are fair coins.
    assert abs(int(bits[:, : size - 1].sum()) - 500 * 100) < 5 * (500 * 50) ** 0.5


def _instructions(circuit: Circuit) -> list[tuple[str, list[int], list[float]]]:
    offsets = Layout(circuit.operations).offsets(circuit.body)
    body = circuit.body
    return [
        (
            circuit.operations[number].name,
            body.qubits[offsets.qubits[i] : offsets.qubits[i + 1]].tolist(),
            body.parameters[offsets.parameters[i] : offsets.parameters[i + 1]].tolist(),
        )
        for i, number in enumerate(body.operations)
    ]


def _as_stim(circuit: Circuit) -> stim.Circuit:
    rows = _method.program(circuit)
    gates = int((rows.codes <= _rows.SWAP).sum())
    return circuit_of(rows, list(range(gates + 1)))
