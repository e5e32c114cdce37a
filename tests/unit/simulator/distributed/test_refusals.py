"""What a state over several nodes can't do is refused by its name, before anything is exchanged."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from basicaer.simulator import (
    Channel,
    Circuit,
    CircuitError,
    GivenState,
    Initialize,
    ReadoutError,
    RunRequest,
    Save,
    SaveKind,
    ValidCircuit,
    run,
)
from basicaer.simulator import required_bytes as single_bytes
from basicaer.simulator.distributed import LEAST_LOCAL_QUBITS, Mesh, rank_bytes, refusal, required_bytes

from tests.unit.simulator.distributed.ranks import on_ranks

NUM_QUBITS = 16


def circuit_with(name: str, qubits: Any, **fields: Any) -> Circuit:
    circuit = Circuit(NUM_QUBITS, NUM_QUBITS)
    circuit.append(name, qubits, **fields)
    for qubit in range(NUM_QUBITS):
        circuit.append("h", [qubit])
    return circuit


ALL = range(NUM_QUBITS)
STATE = np.eye(1, 1 << NUM_QUBITS).reshape(-1).astype(complex)
CASES = {
    "noise": (circuit_with("channel", [0], channel=Channel.pauli({"I": 0.5, "X": 0.5})), "noise"),
    "readout errors": (
        circuit_with(
            "readout_error", [], clbits=[0], readout=ReadoutError(np.array([[0.9, 0.1], [0.2, 0.8]]))
        ),
        "noise",
    ),
    "a state vector": (
        circuit_with("save", ALL, save=Save("s", SaveKind.STATEVECTOR)),
        "save 's': it isn't brought together as a state vector; save amplitudes",
    ),
    "a tableau": (
        circuit_with("save", ALL, save=Save("s", SaveKind.STABILIZER)),
        "save 's': a tableau, which only the method stabilizer has",
    ),
    "a given state": (
        circuit_with("set_state", ALL, set_state=GivenState.from_statevector(STATE)),
        "set_state with a state vector",
    ),
    "a wide initialize": (
        circuit_with("initialize", range(13), initialize=Initialize(label="+" * 13)),
        "initialize on 13 qubits, more than 12",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_it_cannot_do_is_refused_by_its_name(case: str) -> None:
    circuit, why = CASES[case]
    found = refusal(RunRequest(ValidCircuit(circuit)), 2)
    assert found is not None
    assert why in found

    def one(mesh: Mesh) -> None:
        with pytest.raises(CircuitError, match=f"a state over 2 nodes can't do this: .*{why}"):
            run(circuit, spread=mesh)

    on_ranks(2, one)


@pytest.mark.parametrize(
    ("nodes", "why"),
    [
        (0, "0 nodes; a state lies on 1, 2, 4, 8, ..."),
        (3, "3 nodes; a state lies on"),
        (8, "16 qubits that gates act on, too few for 8 nodes, which take at least 17"),
    ],
)
def test_numbers_of_nodes_that_do_not_fit(nodes: int, why: str) -> None:
    found = refusal(RunRequest(ValidCircuit(circuit_with("x", [0]))), nodes)
    assert found is not None
    assert why in found


def test_whole_states_and_initial_ones_are_refused() -> None:
    ready = ValidCircuit(circuit_with("x", [0]))
    assert refusal(RunRequest(ready), 2) is None
    assert "isn't brought together" in str(refusal(RunRequest(ready, statevector=True), 2))
    assert refusal(RunRequest(ready, initial=True), 2) == "an initial state"


@pytest.mark.parametrize("nodes", [1, 2, 16])
def test_each_node_needs_its_part_alone(nodes: int) -> None:
    circuit = Circuit.from_gates(34, [("h", [qubit]) for qubit in range(34)])
    request = RunRequest(ValidCircuit(circuit))
    part = (16 << 34) // nodes
    assert part <= rank_bytes(34, np.complex128, nodes) <= part + 2**24
    beside = single_bytes(circuit) - (16 << 34)
    assert part < required_bytes(request, nodes) <= part + 2**24 + beside
    assert LEAST_LOCAL_QUBITS <= 14
