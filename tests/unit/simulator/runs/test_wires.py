"""Only qubits that gates act on are held; the results are those of the circuit as it was given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import numpy as np
from basicaer.simulator import (
    Block,
    Circuit,
    RunControl,
    RunResult,
    Save,
    SaveKind,
    ValidCircuit,
    required_bytes,
    run,
    statevector,
    unitary,
)
from basicaer.simulator.methods.statevector._state import Amplitudes
from basicaer.simulator.reference import interpret, matrix_of, random_circuit, saved_means
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.simulator.shorthand import RANDOM, SETTINGS, close, observables, statevector_of


def relabelled(circuit: Circuit, places: Sequence[int], num_qubits: int) -> Circuit:
    """The circuit with qubit q at `places[q]`, of `num_qubits` in all."""
    table = np.array(places, dtype=np.uint32)

    def moved(block: Block) -> Block:
        return replace(block, qubits=table[block.qubits])

    return Circuit(
        num_qubits,
        circuit.num_clbits,
        global_phase=circuit.global_phase,
        classical_registers=circuit.classical_registers,
        variables=circuit.variables,
        operations=[operation.with_blocks(moved) for operation in circuit.operations],
        body=moved(circuit.body),
    )


def spread(vector: Amplitudes, places: Sequence[int], num_qubits: int) -> Amplitudes:
    """The state of some qubits as one of more, the others being in 0."""
    wide = np.zeros(2**num_qubits, dtype=vector.dtype)
    index = np.arange(len(vector))
    wide[sum((index >> place & 1) << qubit for place, qubit in enumerate(places))] = vector
    return wide


def placed(random: Random, num_qubits: int, size: int) -> list[int]:
    """Ascending places for qubits."""
    return sorted(random.sample(range(size), num_qubits))


def same_outcomes(first: RunResult, second: RunResult) -> bool:
    return np.array_equal(first.outcomes, second.outcomes) and np.array_equal(first.counts, second.counts)


@SETTINGS
@given(RANDOM, st.integers(1, 3), st.integers(0, 3), st.booleans())
def test_idle_qubits_change_no_outcome_of_a_seed(
    random: Random, num_qubits: int, num_clbits: int, dynamic: bool
) -> None:
    """Of as many as a device may have, whatever the circuit does."""
    circuit = random_circuit(
        random, num_qubits=num_qubits, num_clbits=num_clbits, num_instructions=8, dynamic=dynamic
    )
    size = random.choice([num_qubits + 1, 30, 127, 433])
    wide = relabelled(circuit, placed(random, num_qubits, size), size)
    seed = random.randrange(2**32)
    assert same_outcomes(
        run(circuit, shots=200, seed=seed, memory=True), run(wide, shots=200, seed=seed, memory=True)
    )
    assert required_bytes(wide, shots=200) == required_bytes(circuit, shots=200)


@SETTINGS
@given(RANDOM, st.integers(1, 3), st.integers(0, 2), st.booleans())
def test_idle_qubits_stay_in_zero(random: Random, num_qubits: int, num_clbits: int, dynamic: bool) -> None:
    circuit = random_circuit(
        random, num_qubits=num_qubits, num_clbits=num_clbits, num_instructions=8, dynamic=dynamic
    )
    size = num_qubits + random.randrange(1, 5)
    places = placed(random, num_qubits, size)
    wide = relabelled(circuit, places, size)
    seed = random.randrange(2**32)
    first = run(circuit, shots=20, seed=seed, statevector=True)
    second = run(wide, shots=20, seed=seed, statevector=True)
    assert same_outcomes(first, second)
    assert same_outcomes(second, run(wide, shots=20, seed=seed))
    assert close(statevector_of(second), spread(statevector_of(first), places, size))


@SETTINGS
@given(RANDOM, st.integers(1, 3), st.integers(1, 3))
def test_states_and_matrices_have_all_qubits(random: Random, num_qubits: int, more: int) -> None:
    circuit = random_circuit(random, num_qubits=num_qubits, num_instructions=10)
    size = num_qubits + more
    places = placed(random, num_qubits, size)
    wide = relabelled(circuit, places, size)
    expected = interpret(wide)[0].state
    assert close(statevector(wide), expected)
    assert close(statevector(ValidCircuit(wide), control=RunControl()), expected)
    assert close(unitary(wide), matrix_of(wide))
    initial = np.random.default_rng(random.randrange(2**32)).normal(size=2**size).astype(complex)
    initial /= np.linalg.norm(initial)
    assert close(statevector(wide, initial=initial), interpret(wide, initial)[0].state)


@SETTINGS
@given(RANDOM, st.integers(1, 3), st.integers(0, 2))
def test_saves_see_idle_qubits(random: Random, num_qubits: int, more: int) -> None:
    circuit = random_circuit(random, num_qubits=num_qubits, num_instructions=8)
    size = num_qubits + more
    wide = relabelled(circuit, placed(random, num_qubits, size), size)
    chosen = random.sample(range(size), random.randrange(1, size + 1))
    wide.append("save", chosen, save=Save("p", SaveKind.PROBABILITIES))
    save = Save("e", SaveKind.EXPECTATION_VALUES, observables(random, len(chosen), 3))
    wide.append("save", chosen, save=save)
    wide.append("save", save=Save("s", SaveKind.STATEVECTOR))
    wide.append("h", [random.choice(chosen)])
    found, expected = run(wide, shots=3).saved, saved_means(wide)
    assert found.keys() == expected.keys()
    for label, array in found.items():
        phase = np.exp(1j * wide.global_phase) if label == "s" else 1.0
        assert close(array, phase * expected[label])
