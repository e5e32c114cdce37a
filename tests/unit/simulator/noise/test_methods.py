"""Which method runs a circuit: by name, and by what each would cost; noise never runs as if it were none."""

from __future__ import annotations

import numpy as np
import pytest
from basicaer.simulator import Channel, Circuit, CircuitError, OptionError, Save, SaveKind, run
from basicaer.simulator._methods import MethodName
from hypothesis import given, settings

from tests.unit.simulator.noise.noisy_circuits import (
    DAMPING,
    WRONG,
    assert_counts_are_the_references,
    noisy_circuit,
)
from tests.unit.simulator.shorthand import RANDOM

FLIPS = Channel.pauli({"I": 0.9, "X": 0.06, "Y": 0.04})
MIXED = Channel.mixture([(0.8, [("id", [0])]), (0.2, [("rx", [0], [0.7])])])


def chain(size: int, channel: Channel | None = None, last: str = "x") -> Circuit:
    circuit = Circuit(size, size).append("h", [0])
    for qubit in range(size - 1):
        circuit.append("cx", [qubit, qubit + 1])
        if channel is not None:
            circuit.append("channel", [qubit], channel=channel)
    circuit.append(last, [0])
    for qubit in range(size):
        circuit.append("measure", [qubit], [], [qubit])
    return circuit.append("readout_error", [], [], [0], readout=WRONG)


@pytest.mark.parametrize("method", ["statevector", "density_matrix", "stabilizer", "matrix_product_state"])
def test_every_method_has_the_same_noise(method: MethodName) -> None:
    circuit = chain(3, FLIPS)
    result = run(circuit, shots=20_000, seed=2, method=method)
    assert (result.simulation_method, result.reason) == (method, "it was asked for")
    assert_counts_are_the_references(circuit, result)
    again = run(circuit, shots=20_000, seed=2, method=method, threads=2)
    np.testing.assert_array_equal(again.counts, result.counts)


def test_chains_take_mixtures_of_unitary_operators() -> None:
    circuit = chain(4, MIXED, "t")
    assert_counts_are_the_references(circuit, run(circuit, shots=4000, seed=2, method="matrix_product_state"))


@settings(max_examples=15, deadline=None)
@given(RANDOM)
def test_what_is_chosen_gives_the_references_counts(random: object) -> None:
    from random import Random

    assert isinstance(random, Random)
    circuit = noisy_circuit(random)
    result = run(circuit, shots=1000, seed=random.randrange(1000))
    assert result.simulation_method in ("statevector", "density_matrix", "stabilizer", "matrix_product_state")
    assert_counts_are_the_references(circuit, result)


def test_the_fastest_that_can_is_taken() -> None:
    assert run(chain(3), shots=10).simulation_method in ("stabilizer", "density_matrix", "statevector")
    # Thousands of shots with errors of their own, or one density matrix.
    assert run(chain(4, DAMPING, "t"), shots=10_000).simulation_method == "density_matrix"
    # The other way round: 4^12 entries, and hardly an error.
    rare = Channel.mixture([(1 - 1e-6, [("id", [0])]), (1e-6, [("t", [0])])])
    assert run(chain(12, rare, "t"), shots=100).simulation_method == "statevector"
    assert run(chain(100, FLIPS), shots=10).simulation_method == "stabilizer"
    wide = run(chain(40), shots=10)
    assert (wide.simulation_method, "about" in wide.reason) == ("stabilizer", True)


def test_small_circuits_without_noise_take_the_state_vector() -> None:
    circuit = Circuit.from_gates(2, [("h", [0]), ("measure", [0], [], [0])], 1)
    result = run(circuit, shots=10)
    assert (result.simulation_method, result.method) == ("statevector", "sampled")
    assert result.reason == "a state vector of 1 qubits is small"


def test_what_is_asked_for_restricts_what_is_chosen() -> None:
    circuit = chain(3, FLIPS)
    assert run(circuit, shots=10, statevector=True).simulation_method == "statevector"
    circuit.append("save", [], save=Save("state", SaveKind.STATEVECTOR))
    assert run(circuit, shots=10).simulation_method == "statevector"
    large = chain(8, FLIPS).append("save", range(8), save=Save("all", SaveKind.DENSITY_MATRIX))
    assert run(large, shots=10).simulation_method in ("statevector", "density_matrix")
    with pytest.raises(CircuitError, match="the density matrix of 8 qubits, more than 6; statevector"):
        run(large, shots=10, method="matrix_product_state")


def test_no_method_is_named_with_the_reasons_of_each() -> None:
    circuit = chain(8, DAMPING, "t")
    with pytest.raises(CircuitError, match=r"no method fits .*statevector: it needs 1 MiB"):
        run(circuit, shots=10, max_memory_bytes=1000)
    # A state vector still fits where a density matrix doesn't.
    assert run(circuit, shots=10, max_memory_bytes=2 << 20).simulation_method == "statevector"


def test_what_a_method_refuses_is_told_with_what_can() -> None:
    with pytest.raises(CircuitError, match=r"stabilizer can't do this: .*Pauli.*; statevector and density"):
        run(chain(3, DAMPING), method="stabilizer")
    with pytest.raises(CircuitError, match="30 qubits, more than 15; statevector"):
        run(chain(30, FLIPS), method="density_matrix")
    with pytest.raises(OptionError, match="there is no method 'tensor'; there are automatic, statevector"):
        run(chain(3), method="tensor")  # type: ignore[arg-type]  # it is none


def test_small_density_matrices_are_read_from_any_state() -> None:
    circuit = Circuit.from_gates(3, [("h", [0]), ("cx", [0, 2]), ("sdg", [2])])
    circuit.append("save", [2, 1, 0], save=Save("all", SaveKind.DENSITY_MATRIX))
    exact = run(circuit, shots=1, method="density_matrix").saved["all"]
    for method in ("statevector", "matrix_product_state"):
        found = run(circuit, shots=1, method=method).saved["all"]
        np.testing.assert_allclose(found, exact, atol=1e-12)
