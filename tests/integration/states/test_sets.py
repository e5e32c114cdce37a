"""States that circuits are given on their way, through the contract."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from basicaer.client import BasicAerProvider, Circuit, CircuitError, OptionInvalidError, ProgramInvalidError

from tests.conftest import ServerProcess

BELL = [[1, 1, 0, 0, 0], [0, 0, 1, 1, 0]]
FLIP = np.array([[0, 1], [1, 0]])
ONE = np.array([[[0.0], [1.0]]])


@pytest.fixture
def provider(server: ServerProcess) -> Iterator[BasicAerProvider]:
    with BasicAerProvider(server.address) as connection:
        yield connection


def test_each_kind_by_a_method_that_holds_it(provider: BasicAerProvider) -> None:
    shots = provider.get_backend("qasm_simulator")

    def run(circuit: Circuit, method: str = "automatic") -> tuple[str, dict[str, int]]:
        circuit.measure(range(circuit.num_qubits), range(circuit.num_clbits))
        (entry,) = shots.run(circuit, shots=50, method=method).result().results
        return entry.simulation_method, entry.data.counts

    assert run(Circuit(2, 2).h(0).set_statevector([0, 0, 1, 0])) == ("statevector", {"0x2": 50})
    mixed = Circuit(2, 2).h(0).set_density_matrix(np.diag([0, 0, 0, 1.0]))
    assert run(mixed) == ("density_matrix", {"0x3": 50})
    for method in ("statevector", "density_matrix", "stabilizer", "matrix_product_state"):
        name, counts = run(Circuit(2, 2).x(0).set_stabilizer(BELL), method)
        assert (name, set(counts)) == (method, {"0x0", "0x3"})
    assert run(Circuit(2, 2).set_matrix_product_state([ONE, ONE]), "density_matrix")[1] == {"0x3": 50}
    (entry,) = shots.run(Circuit(1).h(0).set_superoperator(np.eye(4)).save_superoperator()).result().results
    np.testing.assert_array_equal(entry.data.get("superop"), np.eye(4))
    matrices = provider.get_backend("unitary_simulator")
    found = matrices.run(Circuit(1).h(0).set_unitary(FLIP).z(0)).result().get_unitary()
    np.testing.assert_allclose(found, [[0, 1], [-1, 0]], atol=1e-12)
    states = provider.get_backend("statevector_simulator")
    found = states.run(Circuit(2).h(0).set_stabilizer(BELL)).result().get_statevector()
    np.testing.assert_allclose(np.abs(found), [0.5**0.5, 0, 0, 0.5**0.5], atol=1e-12)


def test_a_stabilizer_state_of_many_qubits(provider: BasicAerProvider) -> None:
    backend = provider.get_backend("qasm_simulator")
    saved = backend.run(Circuit(120).h(0).cx(range(119), range(1, 120)).save_stabilizer()).result()
    circuit = Circuit(120, 2).x(3).set_stabilizer(saved.data()["stabilizer"]).measure([0, 119], [0, 1])
    (entry,) = backend.run(circuit, shots=200).result().results
    assert entry.simulation_method == "stabilizer"
    assert set(entry.data.counts) == {"0x0", "0x3"}


def test_what_a_method_can_not_hold_is_refused_by_name(provider: BasicAerProvider) -> None:
    shots, states = provider.get_backend("qasm_simulator"), provider.get_backend("statevector_simulator")
    mixed = Circuit(1, 1).set_density_matrix(np.eye(2) / 2).measure(0, 0)
    for method in ("statevector", "stabilizer", "matrix_product_state"):
        with pytest.raises(OptionInvalidError, match=r"set_state with a density matrix; density_matrix can"):
            shots.run(mixed, method=method)
    with pytest.raises(ProgramInvalidError, match=r"can't be set to a density matrix .*use qasm_simulator"):
        states.run(mixed)
    with pytest.raises(ProgramInvalidError, match=r"no unitary matrix to set .*use unitary_simulator"):
        shots.run(Circuit(1, 1).set_unitary(FLIP).measure(0, 0))
    with pytest.raises(ProgramInvalidError, match="unitary_simulator can't run set_state"):
        provider.get_backend("unitary_simulator").run(Circuit(1).set_statevector([1, 0]))
    with pytest.raises(ProgramInvalidError, match=r"operations\[0\] \(set_state\) .*norm 1.41421356"):
        shots.run(Circuit(1, 1).set_statevector([1, 1]).measure(0, 0))


def test_the_builder_looks_at_shapes() -> None:
    makers: tuple[tuple[Callable[[], Circuit], str], ...] = (
        (lambda: Circuit(2).set_statevector([1, 0]), r"The state has the shape \(2,\) instead of \(4,\)"),
        (lambda: Circuit(1).set_stabilizer(BELL), r"The tableau, of shape \(2, 5\)"),
        (lambda: Circuit(1).set_stabilizer([[0, 2, 0]]), "isn't one of bits"),
        (lambda: Circuit(2).set_matrix_product_state([ONE]), "There are 1 tensors|1 tensors are not"),
        (lambda: Circuit(1).set_matrix_product_state([[1, 0]]), "Tensor 0 has 1 axes instead of 3"),
        (lambda: Circuit(1).set_superoperator(np.eye(2)), r"instead of \(4, 4\)"),
    )
    for make, words in makers:
        with pytest.raises(CircuitError, match=words):
            make()
