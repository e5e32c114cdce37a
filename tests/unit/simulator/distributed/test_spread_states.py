"""A state over several ranks is the one that a single process has: gates, outcomes, and what is read."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import numpy.typing as npt
import pytest
from basicaer.simulator import (
    GATES,
    Circuit,
    ClbitRef,
    ForLoop,
    IfElse,
    Initialize,
    Instruction,
    Observable,
    RunResult,
    Save,
    SaveKind,
    run,
    statevector,
)
from basicaer.simulator.distributed import LEAST_LOCAL_QUBITS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.simulator.distributed.ranks import on_ranks

SPECS = list({spec.name: spec for spec in GATES.values()}.values())
SETTINGS = settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.too_slow])
SIZES = st.sampled_from([2, 4, 8])
SEEDS = st.integers(0, 2**32 - 1)


def haar(rng: np.random.Generator, size: int) -> npt.NDArray[np.complex128]:
    return np.linalg.qr(rng.normal(size=(size, size)) + 1j * rng.normal(size=(size, size)))[0]


def random_circuit(rng: np.random.Generator, num_qubits: int, count: int) -> Circuit:
    """Gates of every kind, with more controls and matrices among them, on random qubits."""
    gates: list[Instruction] = []
    # The last qubits stay in 0 for a while, and one or two may for ever.
    while len(gates) < count:
        spec = SPECS[rng.integers(len(SPECS))]
        width = spec.num_qubits + (int(rng.integers(7)) if spec.any_controls else 0)
        qubits = [int(qubit) for qubit in rng.permutation(num_qubits)[:width]]
        gates.append((spec.name, qubits, rng.uniform(-3, 3, spec.num_parameters).tolist()))
        if rng.random() < 0.1:
            targets = int(rng.integers(1, 5))
            own = [int(qubit) for qubit in rng.permutation(num_qubits)[: targets + 3]]
            state = int(rng.integers(8))
            more = {"matrix": haar(rng, 1 << targets), "num_controls": 3, "control_state": state}
            gates.append(("unitary", own, [], [], more))
    circuit = Circuit.from_gates(num_qubits, gates, num_clbits=num_qubits)
    for qubit in range(num_qubits):
        # None is left out of the state, which would be too small for the ranks.
        circuit.append("ry", [qubit], [float(rng.uniform(-3, 3))])
    return circuit


def with_amplitudes(circuit: Circuit, rng: np.random.Generator) -> tuple[Circuit, npt.NDArray[np.int64]]:
    numbers = rng.integers(0, 1 << circuit.num_qubits, 3000)
    save = Save("some", SaveKind.AMPLITUDES, basis_states=tuple(numbers.tolist()))
    circuit.append("save", range(circuit.num_qubits), save=save)
    return circuit, numbers


@SETTINGS
@given(SEEDS, SIZES, st.integers(0, 3), st.booleans())
def test_random_circuits_have_the_amplitudes_of_one_process(
    seed: int, size: int, more: int, single: bool
) -> None:
    rng = np.random.default_rng(seed)
    num_qubits = LEAST_LOCAL_QUBITS + size.bit_length() - 1 + more
    plain = random_circuit(rng, num_qubits, int(rng.integers(0, 60)))
    wanted = statevector(plain)
    circuit, numbers = with_amplitudes(plain, rng)
    dtype = np.complex64 if single else np.complex128
    for result in on_ranks(size, lambda mesh: run(circuit, shots=1, seed=1, dtype=dtype, spread=mesh)):
        allowed = 3e-6 if single else 1e-13
        np.testing.assert_allclose(result.saved["some"], wanted[numbers], atol=allowed)


def dynamic_circuit(rng: np.random.Generator, num_qubits: int) -> Circuit:
    """Gates with measurements, resets, conditions, loops and prepared qubits among them."""
    circuit = Circuit(num_qubits, num_qubits, global_phase=0.4)
    for qubit in range(num_qubits):
        circuit.append("ry", [qubit], [float(rng.uniform(-3, 3))])
    for _ in range(int(rng.integers(1, 6))):
        for name, qubits, params in random_gates(rng, num_qubits, 8):
            circuit.append(name, qubits, params)
        first, second, third = (int(qubit) for qubit in rng.permutation(num_qubits)[:3])
        match rng.integers(6):
            case 0:
                circuit.append("measure", [first], [], [second])
                circuit.append("x", [third], condition=ClbitRef(second))
            case 1:
                circuit.append("reset", [first])
            case 2:
                circuit.append("reset", [first]).append("reset", [second])
                own = haar(rng, 4)[0]
                circuit.append("initialize", [first, second], initialize=Initialize(own))
            case 3:
                block = circuit.block(
                    [("h", [first]), ("cx", [first, second]), ("measure", [second], [], [0])]
                )
                circuit.append("for_loop", for_loop=ForLoop(range(3), block))
            case 4:
                circuit.append("measure", [first], [], [third])
                block = circuit.block([("rx", [second], [0.3]), ("swap", [first, third])])
                circuit.append("if_else", if_else=IfElse(ClbitRef(third), block))
            case _:
                circuit.append("swap", [first, second])
    return circuit


def random_gates(
    rng: np.random.Generator, num_qubits: int, count: int
) -> list[tuple[str, list[int], list[float]]]:
    found = []
    for _ in range(count):
        spec = SPECS[rng.integers(len(SPECS))]
        qubits = [int(qubit) for qubit in rng.permutation(num_qubits)[: spec.num_qubits]]
        found.append((spec.name, qubits, rng.uniform(-3, 3, spec.num_parameters).tolist()))
    return found


def assert_same(found: RunResult, wanted: RunResult) -> None:
    np.testing.assert_array_equal(found.outcomes, wanted.outcomes)
    np.testing.assert_array_equal(found.counts, wanted.counts)
    assert (found.memory is None) == (wanted.memory is None)
    if found.memory is not None and wanted.memory is not None:
        np.testing.assert_array_equal(found.memory, wanted.memory)
    assert found.saved.keys() == wanted.saved.keys()
    for label, array in wanted.saved.items():
        np.testing.assert_allclose(found.saved[label], array, atol=1e-11)


@SETTINGS
@given(SEEDS, SIZES)
def test_a_seed_gives_the_outcomes_of_one_process(seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    num_qubits = LEAST_LOCAL_QUBITS + size.bit_length() - 1 + int(rng.integers(2))
    circuit = dynamic_circuit(rng, num_qubits)
    for qubit in range(num_qubits):
        circuit.append("measure", [qubit], [], [qubit])
    wanted = run(circuit, shots=40, seed=seed, method="statevector", memory=True)
    for found in on_ranks(size, lambda mesh: run(circuit, shots=40, seed=seed, memory=True, spread=mesh)):
        assert_same(found, wanted)
        assert found.simulation_method == "statevector"
        assert found.reason == f"spread over {size} nodes"


def random_observables(random: Random, width: int, count: int) -> tuple[Observable, ...]:
    return tuple(
        Observable(
            tuple("".join(random.choice("IXYZ") for _ in range(width)) for _ in range(3)),
            tuple(random.uniform(-2, 2) for _ in range(3)),
        )
        for _ in range(count)
    )


@SETTINGS
@given(SEEDS, SIZES, st.sampled_from(list(SaveKind)))
def test_what_is_saved_is_what_one_process_saves(seed: int, size: int, kind: SaveKind) -> None:
    rng = np.random.default_rng(seed)
    random = Random(seed)
    num_qubits = LEAST_LOCAL_QUBITS + size.bit_length() - 1 + int(rng.integers(2))
    circuit = dynamic_circuit(rng, num_qubits)
    width = int(rng.integers(1, 4))
    match kind:
        case SaveKind.AMPLITUDES | SaveKind.AMPLITUDES_SQUARED:
            width = num_qubits
            save = Save("s", kind, basis_states=tuple(random.choices(range(1 << num_qubits), k=50)))
        case SaveKind.PROBABILITIES | SaveKind.DENSITY_MATRIX:
            save = Save("s", kind)
        case SaveKind.EXPECTATION_VALUES:
            width = random.choice([2, num_qubits])
            save = Save("s", kind, random_observables(random, width, 3))
        case SaveKind.EXPECTATION_VALUE_VARIANCE:
            save = Save("s", kind, random_observables(random, width, 1))
        case _:
            # They are refused; see test_refusals.py.
            return
    way = random.choice(["", "per_shot", "conditional"])
    qubits = [int(qubit) for qubit in rng.permutation(num_qubits)[:width]]
    own = replace(save, per_shot=way == "per_shot", conditional=way == "conditional")
    circuit.append("save", qubits, save=own)
    # Behind it the qubits lie elsewhere, and nothing has been lost.
    for qubit in range(num_qubits):
        circuit.append("h", [qubit]).append("measure", [qubit], [], [qubit])
    wanted = run(circuit, shots=10, seed=seed, method="statevector", memory=True)
    for found in on_ranks(size, lambda mesh: run(circuit, shots=10, seed=seed, memory=True, spread=mesh)):
        assert_same(found, wanted)


@pytest.mark.parametrize("size", [2, 4])
def test_many_shots_of_a_state_of_several_blocks(size: int) -> None:
    # More than the 2^18 amplitudes that are added up at a time, in each part.
    circuit = random_circuit(np.random.default_rng(3), 20, 60)
    for qubit in range(20):
        circuit.append("measure", [qubit], [], [qubit])
    wanted = run(circuit, shots=20000, seed=7, method="statevector", memory=True)
    for found in on_ranks(size, lambda mesh: run(circuit, shots=20000, seed=7, memory=True, spread=mesh)):
        assert_same(found, wanted)


def test_threads_and_ranks_make_no_difference() -> None:
    circuit = dynamic_circuit(np.random.default_rng(4), 18)
    results = [run(circuit, shots=30, seed=2, method="statevector", memory=True)]
    for size in (2, 4, 16):
        results += on_ranks(
            size, lambda mesh: run(circuit, shots=30, seed=2, memory=True, threads=1 + mesh.rank, spread=mesh)
        )
    for result in results[1:]:
        assert_same(result, results[0])
