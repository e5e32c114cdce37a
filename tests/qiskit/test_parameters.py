"""Unbound parameters: `parameter_binds` in both forms, and input variables."""

from __future__ import annotations

import numpy as np
import pytest
from basicaer.client.qiskit import BasicAerBackend, BasicAerProvider
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterVector
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import Statevector

THETA, PHI = Parameter("theta"), Parameter("phi")


def rotated(name: str = "rotated") -> QuantumCircuit:
    circuit = QuantumCircuit(1, 1, name=name)
    circuit.rx(THETA, 0)
    circuit.measure(0, 0)
    return circuit


def states(provider: BasicAerProvider, circuit: QuantumCircuit, binds: list[dict]) -> list[np.ndarray]:
    result = provider.get_backend("statevector_simulator").run(circuit, parameter_binds=binds).result()
    return [np.asarray(result.get_statevector(index)) for index in range(len(result.results))]


def test_lists_of_values_run_a_circuit_once_each(backend: BasicAerBackend) -> None:
    binds = [{THETA: [0, np.pi]}, {THETA: [np.pi, 0, np.pi]}]
    result = backend.run([rotated("one"), rotated("two")], shots=5, parameter_binds=binds).result()
    assert result.get_counts() == [{"0": 5}, {"1": 5}, {"1": 5}, {"0": 5}, {"1": 5}]
    names = [r.header["name"] if isinstance(r.header, dict) else r.header.name for r in result.results]
    assert names == ["one", "one", "two", "two", "two"]


def test_dicts_of_single_values_run_every_circuit_with_each(backend: BasicAerBackend) -> None:
    binds = [{THETA: 0.0}, {"theta": np.pi}]
    result = backend.run([rotated(), rotated()], shots=5, parameter_binds=binds).result()
    assert result.get_counts() == [{"0": 5}, {"1": 5}] * 2
    assert backend.run(rotated(), shots=5, parameter_binds={THETA: np.pi}).result().get_counts() == {"1": 5}


def test_vectors_bind_their_elements(provider: BasicAerProvider) -> None:
    vector = ParameterVector("v", 3)
    circuit = QuantumCircuit(3)
    for qubit, element in enumerate(vector):
        circuit.ry(element, qubit)
    values = np.array([[0.1, 0.2, 0.3], [1, 2, 3]])
    for binds in (
        [{vector: row} for row in values],
        [{vector: values}],
        [dict(zip(vector, values.T, strict=True))],
    ):
        for state, row in zip(states(provider, circuit, binds), values, strict=True):
            assert np.allclose(state, Statevector(circuit.assign_parameters(row)).data)


EXPRESSIONS = {
    "itself": lambda a, b: a,
    "linear": lambda a, b: 2 * a - b / 4 + 0.5,
    "twice the same": lambda a, b: a + a,
    "product": lambda a, b: a * b,
    "power": lambda a, b: a * a * a,
    "quotient": lambda a, b: a / (b + 3),
    "functions": lambda a, b: a.sin() + b.cos() * a.exp() - (a + 2).log(),
    "more functions": lambda a, b: (a / 3).arcsin() + (b / 3).arctan() + abs(a - b) + (a / 4).tan(),
    "cancelling": lambda a, b: a * b - a * b + b,
    "reversed": lambda a, b: 1 - a + 2 / (b + 3),
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_expressions_of_parameters(provider: BasicAerProvider, name: str) -> None:
    expression = EXPRESSIONS[name](THETA, PHI)
    circuit = QuantumCircuit(2, global_phase=expression)
    circuit.h([0, 1])
    circuit.rz(expression, 0)
    circuit.cu(0.1, expression, THETA, PHI, 0, 1)
    composite = QuantumCircuit(2, name="composite")
    composite.ry(expression, 1)
    composite.cx(1, 0)
    circuit.append(composite.to_gate(), [1, 0])
    binds = [{THETA: value, PHI: value / 2 + 0.2} for value in (-0.7, 0.3, 1.1)]
    for state, bind in zip(states(provider, circuit, binds), binds, strict=True):
        used = {key: value for key, value in bind.items() if key in circuit.parameters}
        assert np.allclose(state, Statevector(circuit.assign_parameters(used)).data)


def test_parameters_inside_control_flow(backend: BasicAerBackend) -> None:
    circuit = QuantumCircuit(1, 2)
    circuit.x(0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.rx(THETA, 0)
    with circuit.for_loop(range(2), None):
        circuit.rx(2 * PHI, 0)
    circuit.measure(0, 1)
    binds = [{THETA: [0, np.pi, np.pi], PHI: [0, 0, np.pi / 4]}]
    counts = backend.run(circuit, shots=5, parameter_binds=binds).result().get_counts()
    assert counts == [{"11": 5}, {"01": 5}, {"11": 5}]


def test_a_loop_parameter_beside_an_unbound_one(backend: BasicAerBackend) -> None:
    turn = Parameter("turn")
    circuit = QuantumCircuit(1, 1)
    with circuit.for_loop(range(3), turn):
        circuit.rx(turn * THETA, 0)
    circuit.measure(0, 0)
    binds = [{THETA: [0, np.pi / 3]}]
    assert backend.run(circuit, shots=5, parameter_binds=binds).result().get_counts() == [{"0": 5}, {"1": 5}]


@pytest.mark.parametrize(
    ("binds", "text"),
    [
        (None, "'rotated' has parameters without a value: 'theta'"),
        ([], "without a value: 'theta'"),
        ([{PHI: [1]}], "has 'phi', which circuit 'rotated' doesn't use"),
        ([{THETA: [1], PHI: [1, 2]}], "different lengths"),
        ([{THETA: []}], "empty"),
        ([{THETA: [1], PHI: 2}], "gives 'phi' one value, but others lists"),
        ([{THETA: [1]}, {THETA: [2]}], "has 2 dicts of lists, but there are 1 circuits"),
        ([{THETA: 1j}], "'theta' the value 1j, which is not a real number"),
        ([1], "must be a list of dicts"),
    ],
)
def test_binds_that_do_not_fit_raise_from_run(backend: BasicAerBackend, binds: object, text: str) -> None:
    with pytest.raises(QiskitError, match=text):
        backend.run(rotated(), parameter_binds=binds)


@pytest.mark.skipif(not hasattr(QuantumCircuit, "add_input"), reason="input variables came with Qiskit 1.0")
def test_input_variables_are_given_by_name_or_by_themselves(backend: BasicAerBackend) -> None:
    from qiskit.circuit.classical import expr, types

    circuit = QuantumCircuit(1, 1)
    flag = circuit.add_input("flag", types.Bool())
    number = circuit.add_input("number", types.Uint(8))
    with circuit.if_test(expr.logic_and(flag, expr.less(number, 5))):
        circuit.x(0)
    circuit.measure(0, 0)
    binds = [{"flag": [1, 1, 0], number: [4, 5, 4]}]
    counts = backend.run(circuit, shots=3, parameter_binds=binds).result().get_counts()
    assert counts == [{"1": 3}, {"0": 3}, {"0": 3}]
    with pytest.raises(QiskitError, match="without a value: 'number'"):
        backend.run(circuit, parameter_binds=[{"flag": [1]}])


def test_the_same_results_as_aer(backend: BasicAerBackend) -> None:
    aer = pytest.importorskip("qiskit_aer").AerSimulator()
    circuit = QuantumCircuit(2, 2)
    circuit.ry(THETA, 0)
    circuit.cx(0, 1)
    circuit.rx(2 * PHI + 1, 1)
    circuit.measure([0, 1], [0, 1])
    binds = [{THETA: list(np.linspace(0, 3, 5)), PHI: list(np.linspace(-1, 1, 5))}]
    shots = 20000
    ours = backend.run(circuit, shots=shots, seed_simulator=1, parameter_binds=binds).result().get_counts()
    theirs = aer.run(circuit, shots=shots, seed_simulator=1, parameter_binds=binds).result().get_counts()
    assert len(ours) == len(theirs) == 5
    for one, other in zip(ours, theirs, strict=True):
        for key in one.keys() | other.keys():
            difference = one.get(key, 0) - other.get(key, 0)
            assert abs(difference) < 5 * np.sqrt(2 * shots * 0.25)
