"""Unbound parameters: `parameter_binds` in both forms, and input variables."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from basicaer.client.qiskit import BasicAerBackend, BasicAerProvider
from qiskit import QuantumCircuit
from qiskit.circuit import Gate, Parameter, ParameterVector
from qiskit.circuit.exceptions import CircuitError
from qiskit.circuit.library import HamiltonianGate, RXGate
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import Statevector

THETA, PHI = Parameter("theta"), Parameter("phi")


def rotated(name: str = "rotated") -> QuantumCircuit:
    circuit = QuantumCircuit(1, 1, name=name)
    circuit.rx(THETA, 0)
    circuit.measure(0, 0)
    return circuit


def states(
    provider: BasicAerProvider, circuit: QuantumCircuit, binds: list[dict[Any, Any]]
) -> list[np.ndarray]:
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
        ([{PHI: [1]}], "without a value: 'theta'"),
        ([{THETA: [1], "theta": [2]}], "gives 'theta' two values"),
        ([{THETA: []}], "empty"),
        ([{THETA: [1]}, {THETA: [2]}], "has 2 dicts of lists, but there are 1 circuits"),
        ([{THETA: 1j}], "'theta' the value 1j, which is not a real number"),
        ([1], "must be a list of dicts"),
    ],
)
def test_binds_that_do_not_fit_raise_from_run(backend: BasicAerBackend, binds: object, text: str) -> None:
    with pytest.raises(QiskitError, match=text):
        backend.run(rotated(), parameter_binds=binds)


@pytest.mark.parametrize(
    ("binds", "text"),
    [
        ([{THETA: [1], PHI: [1, 2]}], "different lengths"),
        ([{THETA: [1], PHI: 2}], "gives 'phi' one value, but others lists"),
    ],
)
def test_binds_of_two_parameters_fit_together(backend: BasicAerBackend, binds: object, text: str) -> None:
    circuit = rotated()
    circuit.ry(PHI, 0)
    with pytest.raises(QiskitError, match=text):
        backend.run(circuit, parameter_binds=binds)


# How many runs Aer makes of each, seen with Aer 0.14 and 0.18.
SURPLUS = [
    ([{THETA: [0, np.pi], PHI: [1, 2]}], ["0", "1"]),
    ([{THETA: [0, np.pi], PHI: [1, 2, 3]}], ["0", "1"]),
    ([{PHI: [1], THETA: [0, np.pi]}], ["0", "1"]),
    ([{THETA: [0, np.pi], PHI: 1}], ["0", "1"]),
    ([{THETA: [0, np.pi], "nobody": "knows"}], ["0", "1"]),
]


@pytest.mark.parametrize(("binds", "outcomes"), SURPLUS)
def test_what_a_circuit_does_not_use_is_passed_over(
    backend: BasicAerBackend, binds: object, outcomes: list[str]
) -> None:
    counts = backend.run(rotated(), shots=5, parameter_binds=binds).result().get_counts()
    assert counts == [{outcome: 5} for outcome in outcomes]


@pytest.mark.parametrize("binds", [None, [], [{}], [{PHI: [1, 2, 3]}], [{PHI: 1}]])
def test_a_circuit_without_parameters_runs_once(backend: BasicAerBackend, binds: object) -> None:
    circuit = QuantumCircuit(1, 1)
    circuit.measure(0, 0)
    result = backend.run(circuit, shots=5, parameter_binds=binds).result()
    assert [data.shots for data in result.results] == [5]
    both = backend.run([rotated(), circuit], shots=5, parameter_binds=[{THETA: [0, np.pi]}, {THETA: [1] * 3}])
    assert both.result().get_counts() == [{"0": 5}, {"1": 5}, {"0": 5}]


def unused_places() -> dict[str, QuantumCircuit]:
    """Circuits whose parameter `phi` makes no difference."""
    ignoring = Gate("ignoring", 1, [PHI])
    ignoring.definition = QuantumCircuit(1)
    places = {name: rotated(name) for name in ("phase", "gate", "definition", "block")}
    places["phase"].global_phase = 0 * PHI
    places["gate"].rz(PHI - PHI, 0)
    places["definition"].append(ignoring, [0])
    with places["block"].if_test((places["block"].clbits[0], 1)):
        places["block"].append(ignoring, [0])
    return places


@pytest.mark.parametrize("place", unused_places())
def test_a_parameter_that_no_gate_uses(backend: BasicAerBackend, place: str) -> None:
    circuit = unused_places()[place]
    assert PHI in circuit.parameters
    binds = [{THETA: [0, np.pi], PHI: [1, 2]}]
    assert backend.run(circuit, shots=5, parameter_binds=binds).result().get_counts() == [{"0": 5}, {"1": 5}]


def test_vectors_bind_by_their_names(provider: BasicAerProvider) -> None:
    vector = ParameterVector("v", 3)
    circuit = QuantumCircuit(2)
    circuit.ry(vector[2], 0)
    circuit.ry(vector[0], 1)
    rows = np.array([[0.1, 9.0, 0.3], [1, 9, 3]])
    for binds in (
        [{"v": row} for row in rows],
        [{"v": rows}],
        [{vector: rows}],
        [{"v[0]": rows[:, 0], vector[2]: rows[:, 2]}],
    ):
        for state, row in zip(states(provider, circuit, binds), rows, strict=True):
            bound = circuit.assign_parameters({vector[0]: row[0], vector[2]: row[2]})
            assert np.allclose(state, Statevector(bound).data)
    wrongs: list[list[dict[Any, Any]]] = [[{"v": [1, 2]}], [{"v": []}]]
    for wrong in wrongs:
        with pytest.raises(QiskitError, match=r"gives 'v' (2|no) values, but it has 3 elements"):
            states(provider, circuit, wrong)


def test_a_name_that_a_loop_has_too(backend: BasicAerBackend) -> None:
    turn = Parameter("theta")
    circuit = QuantumCircuit(1, 1)
    with circuit.for_loop(range(2), turn):
        circuit.rx(turn * np.pi, 0)
    try:
        circuit.rx(THETA, 0)
    except CircuitError:
        pytest.skip("before Qiskit 2, both can't be in one circuit")
    circuit.measure(0, 0)
    binds = [{"theta": [0, np.pi]}]
    assert backend.run(circuit, shots=5, parameter_binds=binds).result().get_counts() == [{"1": 5}, {"0": 5}]


@pytest.mark.skipif(not hasattr(QuantumCircuit, "add_input"), reason="variables came with Qiskit 1.0")
@pytest.mark.parametrize("kind", ["input", "variable"])
def test_a_name_that_a_variable_has_too(backend: BasicAerBackend, kind: str) -> None:
    from qiskit.circuit.classical import types

    circuit = QuantumCircuit(1, 1)
    bind = {"theta": [0, np.pi]}
    if kind == "input":
        bind[circuit.add_input("theta", types.Bool())] = [1, 1]
    else:
        circuit.add_var("theta", False)
    circuit.rx(THETA, 0)
    circuit.measure(0, 0)
    assert backend.run(circuit, shots=5, parameter_binds=[bind]).result().get_counts() == [{"0": 5}, {"1": 5}]


class Numeric(Gate):  # type: ignore[misc]  # Qiskit has no types
    """A gate that can only be made with a number."""

    def __init__(self, angle: object, way: str) -> None:
        super().__init__("numeric", 1, [angle])
        self.way = way
        if way == "array":
            self.__class__ = type("NumericArray", (Numeric,), {"__array__": Numeric.matrix})

    def matrix(self, dtype: Any = None, copy: object = None) -> np.ndarray:
        made: np.ndarray = np.asarray(RXGate(math.fmod(self.params[0], 7)), dtype=dtype)
        return made

    def _define(self) -> None:
        if self.way == "definition":
            self._definition = QuantumCircuit(1)
            self._definition.rx(math.fmod(self.params[0], 7), 0)


def append_unbindable(circuit: QuantumCircuit, way: str) -> None:
    if way == "delay":
        circuit.delay(THETA, 0)
        circuit.rx(THETA, 0)
    elif way == "hamiltonian":
        circuit.append(HamiltonianGate(np.array([[0, 0.5], [0.5, 0]]), THETA), [0])
    elif way == "nested":
        inner = QuantumCircuit(1)
        inner.append(Numeric(THETA, "definition"), [0])
        circuit.append(inner.to_gate(), [0])
    elif way == "sign":
        circuit.rx(THETA.sign() * abs(THETA), 0)
    else:
        circuit.append(Numeric(THETA, way), [0])


WAYS = ["delay", "hamiltonian", "definition", "array", "nested"] + ["sign"] * hasattr(THETA, "sign")


@pytest.mark.parametrize("way", WAYS)
def test_what_can_only_be_converted_once_bound(provider: BasicAerProvider, way: str) -> None:
    circuit = QuantumCircuit(1, name="numbers")
    append_unbindable(circuit, way)
    circuit.ry(PHI, 0)
    binds = [{THETA: [1.0, 2.0, 0.0], PHI: [0.1, 0.2, 0.3]}]
    for run, state in enumerate(states(provider, circuit, binds)):
        same = QuantumCircuit(1)
        same.rx(binds[0][THETA][run], 0)
        same.ry(binds[0][PHI][run], 0)
        assert np.allclose(state, Statevector(same).data)
    with pytest.raises(QiskitError, match="'numbers' has parameters without a value: 'phi', 'theta'"):
        states(provider, circuit, [])


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
