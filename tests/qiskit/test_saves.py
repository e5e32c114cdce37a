"""Save instructions, as circuits that were written for Aer have them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from basicaer.client.qiskit import AerSimulator, BasicAerBackend, BasicAerProvider
from qiskit import QuantumCircuit, transpile
from qiskit.circuit import Instruction
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import (
    Clifford,
    Kraus,
    Operator,
    Pauli,
    SparsePauliOp,
    StabilizerState,
    Statevector,
    SuperOp,
)

aer = pytest.importorskip("qiskit_aer")


def saving() -> QuantumCircuit:
    circuit = QuantumCircuit(2, 2)
    circuit.h(0)
    circuit.save_statevector(label="first")
    circuit.cx(0, 1)
    circuit.save_expectation_value(SparsePauliOp(["ZZ", "XX", "ZI"], [1, 0.5, 2]), [0, 1])
    circuit.save_expectation_value(Pauli("Z"), [1], label="one")
    circuit.save_probabilities(label="both")
    circuit.save_probabilities([1], label="upper")
    circuit.ry(0.3, 0)
    circuit.save_state()
    circuit.measure([0, 1], [0, 1])
    return circuit


@pytest.mark.parametrize("level", [None, 0, 1, 3])
def test_the_same_data_as_aer(backend: BasicAerBackend, level: int | None) -> None:
    circuit = saving() if level is None else transpile(saving(), backend, optimization_level=level)
    ours = backend.run(circuit, shots=100).result()
    theirs = aer.AerSimulator().run(saving(), shots=100).result()
    assert ours.data().keys() == theirs.data().keys()
    for label, value in theirs.data().items():
        if label != "counts":
            assert np.allclose(np.asarray(ours.data()[label]), np.asarray(value)), label
    assert isinstance(ours.data()["expectation_value"], float)
    assert np.allclose(np.asarray(ours.get_statevector()), Statevector(theirs.get_statevector()).data)


def test_names_suffice_without_aers_classes(backend: BasicAerBackend) -> None:
    circuit = QuantumCircuit(2)
    circuit.x(1)
    circuit.append(Instruction("save_probabilities", 2, 0, [], label="mine"), [0, 1])
    circuit.append(Instruction("save_statevector", 2, 0, []), [0, 1])
    data = backend.run(circuit).result().data()
    assert np.allclose(data["mine"], [0, 0, 1, 0])
    assert np.allclose(np.asarray(data["statevector"]), [0, 0, 1, 0])


def test_what_can_not_be_kept_is_refused_by_name(backend: BasicAerBackend) -> None:
    circuit = QuantumCircuit(1)
    circuit.append(Instruction("save_colour", 1, 0, []), [0])
    with pytest.raises(QiskitError, match=r"save_colour.*it knows save_statevector"):
        backend.run(circuit)
    circuit = QuantumCircuit(1, 1)
    with circuit.while_loop((circuit.clbits[0], 1)):
        circuit.save_statevector(pershot=True)
    with pytest.raises(QiskitError, match="leave out per_shot there"):
        backend.run(circuit)


WAYS: list[dict[str, bool]] = [
    {},
    {"pershot": True},
    {"conditional": True},
    {"pershot": True, "conditional": True},
    {"unnormalized": True},
    {"unnormalized": True, "conditional": True},
]
OPERATOR = SparsePauliOp(["ZZ", "XX", "ZI", "IY"], [1, 0.5, 2, -0.7])
SINGLE = ("save_statevector", "save_statevector_dict", "save_amplitudes")
ARGUMENTS: dict[str, tuple[object, ...]] = {
    "save_statevector": (),
    "save_statevector_dict": (),
    "save_amplitudes": ([0, 3, 5],),
    "save_amplitudes_squared": ([0, 3, 5],),
    "save_probabilities": ([2, 0],),
    "save_probabilities_dict": ([2, 0],),
    "save_density_matrix": ([2, 0],),
    "save_expectation_value": (OPERATOR, [2, 0]),
    "save_expectation_value_variance": (OPERATOR, [2, 0]),
}


def known(way: dict[str, bool], clbits: int) -> QuantumCircuit:
    """A circuit whose one outcome has probability 1 in each of its shots, so that any two runs agree."""
    circuit = QuantumCircuit(3, clbits)
    circuit.ry(0.4, 0)
    circuit.x(1)
    circuit.cx(0, 2)
    if clbits:
        circuit.measure(1, 0)
    circuit.rx(0.8, 0)
    for name, arguments in ARGUMENTS.items():
        if name in SINGLE and way.get("unnormalized"):
            continue
        label = {} if name not in ("save_statevector_dict", "save_probabilities_dict") else {"label": name}
        getattr(circuit, name)(*arguments, **label, **way)
    return circuit


def same(ours: Any, theirs: Any) -> None:
    """Whether two values are of one type, as far as a user sees it, and equal."""
    if isinstance(theirs, dict):
        assert ours.keys() == theirs.keys()
        for key, value in theirs.items():
            same(ours[key], value)
    elif isinstance(theirs, list):
        assert isinstance(ours, list)
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            same(one, other)
    else:
        # Aer has heirs of Qiskit's classes; Qiskit 0.46 has arrays for state vectors.
        if not (isinstance(theirs, Statevector) and isinstance(ours, np.ndarray)):
            assert isinstance(theirs, type(ours))
        np.testing.assert_allclose(np.asarray(ours), np.asarray(theirs), atol=1e-9)


@pytest.mark.parametrize(
    ("way", "clbits"),
    # Where its shots don't part, Aer sums over one shot.
    [(way, clbits) for way in WAYS for clbits in (0, 1) if clbits or not way.get("unnormalized")],
    ids=lambda given: "+".join(given) or "plain" if isinstance(given, dict) else str(given),
)
def test_every_save_has_aers_shape_and_type(
    backend: BasicAerBackend, way: dict[str, bool], clbits: int
) -> None:
    circuit = known(way, clbits)
    job = backend.run(circuit, shots=4)
    ours = dict(job.result().data())
    theirs = dict(aer.AerSimulator(method="statevector").run(circuit, shots=4).result().data())
    if way.get("pershot"):
        # Where its shots don't part Aer has a list of one.
        theirs = {
            label: _repeated(value, 4) if label != "counts" else value for label, value in theirs.items()
        }
    assert ours.keys() - {"counts"} == theirs.keys() - {"counts"}
    for label in theirs.keys() - {"counts"}:
        same(ours[label], theirs[label])
    assert json.dumps(job.result().to_dict(), default=str)


def _repeated(value: Any, shots: int) -> Any:
    if isinstance(value, dict):
        return {outcome: _repeated(each, shots) for outcome, each in value.items()}
    if len(value) == shots:
        return value
    return np.repeat(value, shots) if isinstance(value, np.ndarray) else list(value) * shots


def test_matrices_are_operators(address: str) -> None:
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.save_unitary(label="first")
    circuit.cx(0, 1)
    circuit.save_unitary()
    simulator = AerSimulator(BasicAerProvider(address))
    for made in (circuit, transpile(circuit, BasicAerProvider(address).get_backend("unitary_simulator"))):
        ours = simulator.run(made).result()
        theirs = aer.AerSimulator(method="unitary").run(circuit).result()
        for label in ("first", "unitary"):
            same(ours.data()[label], theirs.data()[label])
        np.testing.assert_allclose(
            np.asarray(ours.get_unitary()), Operator(theirs.get_unitary()).data, atol=1e-9
        )


def test_tableaux_are_stabilizer_states(backend: BasicAerBackend) -> None:
    circuit = QuantumCircuit(3)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.s(1)
    circuit.x(2)
    circuit.save_stabilizer()
    ours = backend.run(circuit).result().data()["stabilizer"]
    theirs = aer.AerSimulator(method="stabilizer").run(circuit).result().data()["stabilizer"]
    assert isinstance(ours, StabilizerState)
    assert ours.clifford == theirs.clifford


def test_tableaux_are_clifford_operators(backend: BasicAerBackend) -> None:
    circuit = QuantumCircuit(3)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.sdg(2)
    circuit.save_clifford()
    ours = backend.run(circuit).result().data()["clifford"]
    theirs = aer.AerSimulator(method="stabilizer").run(circuit).result().data()["clifford"]
    assert isinstance(ours, Clifford)
    assert ours == theirs


def test_chains_have_the_form_of_aer(backend: BasicAerBackend) -> None:
    circuit = QuantumCircuit(5)
    for qubit in range(5):
        circuit.ry(0.3 + qubit, qubit)
    for one, two in ((0, 3), (1, 2), (4, 0), (2, 3)):
        circuit.cx(one, two)
        circuit.t(two)
    circuit.global_phase = 0.4
    saving = circuit.copy()
    saving.save_matrix_product_state()
    ours = backend.run(saving).result().data()["matrix_product_state"]
    theirs = aer.AerSimulator(method="matrix_product_state").run(saving).result()
    _, weights = theirs.data()["matrix_product_state"]
    for own, other in zip(ours[1], weights, strict=True):
        kept = [value for value in other if value > 1e-8]
        np.testing.assert_allclose(np.sort(own), np.sort(kept), atol=1e-7)
    pairs, values = ours
    vectors = np.ones((1, 1), dtype=complex)
    for qubit, pair in enumerate(pairs):
        vectors = np.concatenate([vectors @ matrix for matrix in pair])
        if qubit < 4:
            vectors = vectors * values[qubit]
    np.testing.assert_allclose(vectors.reshape(-1), Statevector(circuit).data, atol=1e-9)
    # Aer takes it back.
    again = QuantumCircuit(5)
    again.set_matrix_product_state(ours)
    again.save_statevector()
    found = aer.AerSimulator(method="matrix_product_state").run(again).result().data()["statevector"]
    np.testing.assert_allclose(np.asarray(found), Statevector(circuit).data, atol=1e-7)


def test_superoperators_as_aer_has_them(backend: BasicAerBackend) -> None:
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.append(Kraus([np.diag([1, 0.8]), [[0, 0.6], [0, 0]]]).to_instruction(), [1])
    circuit.cx(0, 1)
    circuit.reset(0)
    circuit.save_superop()
    ours = backend.run(circuit, shots=1).result().data()["superop"]
    theirs = aer.AerSimulator(method="superop").run(circuit).result().data()["superop"]
    assert isinstance(ours, SuperOp)
    np.testing.assert_allclose(ours.data, theirs.data, atol=1e-9)


@pytest.mark.parametrize(
    "method", ["statevector", "density_matrix", "stabilizer", "matrix_product_state", "unitary", "superop"]
)
def test_a_state_is_saved_as_its_method_holds_it(address: str, method: str) -> None:
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.save_state()
    backend = AerSimulator(address, method=method)
    ours = backend.run(transpile(circuit, backend, optimization_level=0), shots=1).result().data()
    theirs = aer.AerSimulator(method=method).run(circuit, shots=1).result().data()
    assert set(theirs) <= set(ours)
    # Aer's own types are children of Qiskit's. A state vector is an array as Qiskit 0.46 has it.
    if not isinstance(ours[method], np.ndarray) or method != "statevector":
        assert isinstance(theirs[method], type(ours[method]))
    if method == "stabilizer":
        assert ours[method].clifford == theirs[method].clifford
    elif method != "matrix_product_state":
        np.testing.assert_allclose(np.asarray(ours[method]), np.asarray(theirs[method]), atol=1e-9)


def test_lists_go_by_the_memory(backend: BasicAerBackend) -> None:
    circuit = QuantumCircuit(2, 2)
    circuit.h([0, 1])
    circuit.measure(0, 0)
    circuit.save_statevector(pershot=True)
    circuit.save_probabilities([0], label="p", conditional=True)
    circuit.save_density_matrix([0], label="d")
    circuit.measure(1, 1)
    result = backend.run(circuit, shots=40, memory=True, seed_simulator=4).result()
    data = result.data()
    ones = [int(bits[-1]) for bits in result.get_memory()]
    assert [int(abs(np.asarray(state)[1]) > 0.5) for state in data["statevector"]] == ones
    assert set(data["p"]) == {"0x0", "0x1"}
    assert data["p"]["0x1"] == pytest.approx([0, 1])
    assert np.diag(data["d"].data).real == pytest.approx([1 - sum(ones) / 40, sum(ones) / 40])


@pytest.mark.parametrize("value", [0, 1])
def test_saves_alone_in_bodies(backend: BasicAerBackend, value: int) -> None:
    circuit = QuantumCircuit(1, 1)
    circuit.x(0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], value)):
        circuit.save_statevector(label="state")
    with circuit.if_test((circuit.clbits[0], 1)), circuit.if_test((circuit.clbits[0], value)):
        circuit.save_probabilities([0], label="inner")
    data = backend.run(circuit, shots=10).result().data()
    assert ("state" in data) == ("inner" in data) == bool(value)
    if value:
        assert np.allclose(np.asarray(data["state"]), [0, 1])
        assert np.allclose(data["inner"], [0, 1])
