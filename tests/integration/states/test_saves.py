"""What circuits save, through a live server: for each shot, for each outcome, and how much of it fits."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from basicaer.client import (
    BasicAerProvider,
    Circuit,
    MatrixProductState,
    ProgramInvalidError,
    ResourceExhaustedError,
)

from tests.conftest import ServerProcess


@pytest.fixture
def provider(server: ServerProcess) -> Iterator[BasicAerProvider]:
    with BasicAerProvider(server.address) as connection:
        yield connection


def measured() -> Circuit:
    return Circuit(2, 2).h(0).cx(0, 1).measure([0], [0])


def test_each_shot_has_its_own_in_the_order_of_the_memory(provider: BasicAerProvider) -> None:
    circuit = (
        measured().save_probabilities([1], "p", pershot=True).save_density_matrix([0], "d", pershot=True)
    )
    circuit.save_expectation_value_variance("ZZ", [0, 1], "v", pershot=True).measure([1], [1])
    backend = provider.get_backend("qasm_simulator")
    result = backend.run(circuit, shots=30, memory=True, seed_simulator=3).result()
    data = result.data()
    ones = np.array([int(outcome, 16) & 1 for outcome in data["memory"]])
    assert 0 < ones.sum() < 30
    np.testing.assert_allclose(data["p"], np.stack([1 - ones, ones], axis=1), atol=1e-12)
    np.testing.assert_allclose(data["d"][:, 1, 1], ones, atol=1e-12)
    np.testing.assert_allclose(data["v"], [[1.0, 0.0]] * 30, atol=1e-12)


def test_each_outcome_has_its_own(provider: BasicAerProvider) -> None:
    circuit = measured().save_amplitudes([0, 3], "a", conditional=True)
    circuit.save_amplitudes_squared([0, 3], "s", conditional=True, unnormalized=True)
    circuit.save_expectation_value("ZI", [0, 1], "e", conditional=True, pershot=True).measure([1], [1])
    data = provider.get_backend("qasm_simulator").run(circuit, shots=50, seed_simulator=3).result().data()
    assert set(data["a"]) == set(data["s"]) == set(data["e"]) == {"0x0", "0x1"}
    np.testing.assert_allclose(abs(data["a"]["0x1"]), [0, 1], atol=1e-12)
    ones = data["counts"]["0x3"]
    np.testing.assert_allclose(data["s"]["0x1"], [0, ones], atol=1e-9)
    np.testing.assert_allclose(data["e"]["0x1"], [[-1.0]] * ones, atol=1e-12)
    assert "a.outcomes" not in data


def test_means_are_those_of_the_whole(provider: BasicAerProvider) -> None:
    circuit = Circuit(3).h(0).cx(0, 1).cx(1, 2).save_density_matrix([2, 0], "d")
    circuit.save_amplitudes([7, 0, 1], "a").save_amplitudes_squared([7, 1], "s")
    data = provider.get_backend("statevector_simulator").run(circuit).result().data()
    np.testing.assert_allclose(data["d"], np.diag([0.5, 0, 0, 0.5]), atol=1e-12)
    np.testing.assert_allclose(data["a"], [0.5**0.5, 0.5**0.5, 0], atol=1e-12)
    np.testing.assert_allclose(data["s"], [0.5, 0], atol=1e-12)


def test_matrices_on_the_way(provider: BasicAerProvider) -> None:
    circuit = Circuit(2).h(0).save_unitary("first").cx(0, 1).save_unitary("second")
    data = provider.get_backend("unitary_simulator").run(circuit).result().data()
    np.testing.assert_array_equal(data["second"], data["unitary"])
    np.testing.assert_allclose(data["first"][:, 0], [0.5**0.5, 0.5**0.5, 0, 0], atol=1e-12)
    with pytest.raises(ProgramInvalidError, match=r"qasm_simulator has no unitary matrix to save"):
        provider.get_backend("qasm_simulator").run(circuit)
    with pytest.raises(ProgramInvalidError, match=r"unitary_simulator can't run save \(instruction 1\)"):
        provider.get_backend("unitary_simulator").run(Circuit(2).h(0).save_probabilities())


def test_tableaux_come_by_the_method_that_has_them(provider: BasicAerProvider) -> None:
    backend = provider.get_backend("qasm_simulator")
    wide = Circuit(100).h(0).cx(range(99), range(1, 100)).save_stabilizer()
    tableau = backend.run(wide).result().data()["stabilizer"]
    assert tableau.shape == (200, 201)
    # X of all qubits, and Z of neighbours.
    assert tableau[100].tolist() == [1] * 100 + [0] * 101
    with pytest.raises(ProgramInvalidError, match=r"no method can run this circuit|which only the method"):
        backend.run(Circuit(1).t(0).save_stabilizer())


def test_chains_and_maps_come_by_the_methods_that_have_them(provider: BasicAerProvider) -> None:
    backend = provider.get_backend("qasm_simulator")
    circuit = Circuit(3, global_phase=0.2).ry(0.4, 2).cx(2, 0).t(0).save_matrix_product_state("chain")
    result = backend.run(circuit.save_statevector("whole"), method="matrix_product_state").result()
    chain = result.data()["chain"]
    assert isinstance(chain, MatrixProductState)
    assert [tensor.shape for tensor in chain.tensors] == [(1, 2, 2), (2, 2, 2), (2, 2, 1)]
    assert [len(values) for values in chain.weights] == [2, 2]
    np.testing.assert_allclose(chain.amplitudes(), result.data()["whole"], atol=1e-12)
    again = Circuit(3).set_matrix_product_state(chain).save_statevector("whole")
    np.testing.assert_allclose(
        backend.run(again).result().data()["whole"], result.data()["whole"], atol=1e-12
    )
    (entry,) = backend.run(Circuit(1).x(0).save_superoperator()).result().results
    assert (entry.simulation_method, entry.shots) == ("superop", 1024)
    np.testing.assert_array_equal(entry.data.get("superop"), np.eye(4)[::-1])
    with pytest.raises(ProgramInvalidError, match="superop: measure, which gives outcomes"):
        backend.run(Circuit(1, 1).measure(0, 0).save_superoperator())
    with pytest.raises(ProgramInvalidError, match="9 qubits, more than 8"):
        backend.run(Circuit(9).h(0).save_superoperator())
    with pytest.raises(ResourceExhaustedError, match="by the method superop"):
        backend.run(Circuit(8).h(0).save_superoperator())
    for name, what in (("statevector", "has no superoperator to save"), ("unitary", "can't run save")):
        with pytest.raises(ProgramInvalidError, match=f"{name}_simulator {what}"):
            provider.get_backend(f"{name}_simulator").run(Circuit(1).save_superoperator())


def test_lists_that_do_not_fit_are_refused_before_they_run(provider: BasicAerProvider) -> None:
    circuit = Circuit(20).h(range(20)).save_statevector(pershot=True)
    with pytest.raises(ResourceExhaustedError, match="saved arrays"):
        provider.get_backend("qasm_simulator").run(circuit, shots=10_000)


def test_what_can_not_be_saved_is_told_at_its_place(provider: BasicAerProvider) -> None:
    backend = provider.get_backend("qasm_simulator")
    with pytest.raises(ProgramInvalidError, match="2 qubits have no basis state 4"):
        backend.run(Circuit(2).save_amplitudes([4]))
    with pytest.raises(ProgramInvalidError, match="no basis state 36893488147419103232"):
        backend.run(Circuit(2).save_amplitudes([1 << 65]))
    with pytest.raises(ProgramInvalidError, match="there are no basis states"):
        backend.run(Circuit(2).save_amplitudes([]))
    with pytest.raises(ProgramInvalidError, match=r"label 'p\.outcomes' is used twice"):
        backend.run(Circuit(2).save_probabilities(label="p", conditional=True).save_statevector("p.outcomes"))
