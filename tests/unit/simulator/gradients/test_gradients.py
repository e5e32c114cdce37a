"""Gradients against finite differences of dense matrices, for every gate that has parameters."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from basicaer.simulator import (
    GATES,
    Binary,
    BinaryOperator,
    Call,
    Cast,
    Channel,
    Circuit,
    CircuitError,
    ClassicalKind,
    ClassicalType,
    Gradients,
    Initialize,
    Literal,
    MathFunction,
    Observable,
    Operation,
    RunControl,
    Save,
    SaveKind,
    SimulationCancelled,
    SimulationFailed,
    Template,
    Unary,
    UnaryOperator,
    Variable,
    VariableRef,
    statevector,
)
from basicaer.simulator.circuit._layout import qubits_of
from basicaer.simulator.gradients._inverses import inverse_of
from hypothesis import given, settings
from hypothesis import strategies as st

FLOAT = ClassicalType(ClassicalKind.FLOAT)
PARAMETRIC = sorted(name for name, spec in GATES.items() if spec.num_parameters and name == spec.name)
FIXED = ("h", "x", "sx", "t", "sdg", "cx", "cz", "ecr", "swap", "ccx", "iswap")
PAULIS = {
    "I": np.eye(2),
    "X": np.array([[0, 1], [1, 0]]),
    "Y": np.array([[0, -1j], [1j, 0]]),
    "Z": np.diag([1, -1]),
}
STEP = 1e-3


def inputs(count: int) -> list[Variable]:
    return [Variable(f"x{number}", FLOAT, is_input=True) for number in range(count)]


def saved(circuit: Circuit, observables: list[Observable]) -> Circuit:
    save = Save("values", SaveKind.EXPECTATION_VALUES, tuple(observables))
    return circuit.append("save", range(circuit.num_qubits), save=save)


def energies(
    template: Template, row: npt.NDArray[np.float64], observables: list[Observable]
) -> npt.NDArray[np.float64]:
    """The values by the final state alone."""
    bound = template.bind(row)
    plain = bound.circuit.replaced(
        operations=[
            op if op.save is None else Operation("barrier", op.num_qubits) for op in bound.circuit.operations
        ]
    )
    state = statevector(plain)
    found = []
    for observable in observables:
        total = 0.0
        for pauli, weight in zip(observable.paulis, observable.coefficients, strict=True):
            matrix = np.eye(1)
            for letter in pauli:
                matrix = np.kron(matrix, PAULIS[letter])
            total += weight * float(np.vdot(state, matrix @ state).real)
        found.append(total)
    return np.array(found)


def differences(
    template: Template,
    row: npt.NDArray[np.float64],
    observables: list[Observable],
    places: Iterable[int],
) -> npt.NDArray[np.float64]:
    """Derivatives by the central difference of sixth order."""
    columns = []
    for place in places:
        total = np.zeros(len(observables))
        for offset, weight in ((1, 45.0), (2, -9.0), (3, 1.0)):
            for sign in (1, -1):
                moved = row.copy()
                moved[place] += sign * offset * STEP
                total += sign * weight * energies(template, moved, observables)
        columns.append(total / (60 * STEP))
    return np.stack(columns, axis=1)


def agree(circuit: Circuit, row: npt.NDArray[np.float64], observables: list[Observable]) -> None:
    template = Template(saved(circuit, observables))
    values, gradient = Gradients(template).of(row, {})
    assert np.allclose(values, energies(template, row, observables), rtol=0, atol=1e-10)
    assert np.allclose(gradient, differences(template, row, observables, range(len(row))), rtol=0, atol=1e-8)


@st.composite
def observables_of(draw: st.DrawFn, num_qubits: int) -> list[Observable]:
    word = st.text("IXYZ", min_size=num_qubits, max_size=num_qubits)
    found = []
    for _ in range(draw(st.integers(1, 2))):
        paulis = draw(st.lists(word, min_size=1, max_size=5))
        weights = draw(st.lists(st.floats(-2, 2), min_size=len(paulis), max_size=len(paulis)))
        found.append(Observable(tuple(paulis), tuple(weights)))
    return found


def width_of(name: str) -> int:
    spec = GATES[name]
    return spec.num_qubits + (1 if spec.any_controls else 0)


@settings(max_examples=150, deadline=None)
@given(st.data(), st.integers(1, 5))
def test_random_circuits_with_every_parametrized_gate(data: st.DataObject, num_qubits: int) -> None:
    count = data.draw(st.integers(1, 4))
    circuit = Circuit(num_qubits, variables=inputs(count))
    fitting = [name for name in (*PARAMETRIC, *FIXED) if width_of(name) <= num_qubits]
    for _ in range(data.draw(st.integers(1, 25))):
        name = data.draw(st.sampled_from(fitting))
        spec = GATES[name]
        extra = data.draw(st.integers(0, min(2, num_qubits - width_of(name))))
        qubits = data.draw(st.permutations(range(num_qubits)))[: width_of(name) + extra]
        fields: dict[str, Any] = {"num_controls": extra} if extra else {}
        if extra:
            fields["control_state"] = data.draw(st.integers(0, (1 << extra) - 1))
        parameters = []
        for _ in range(spec.num_parameters):
            number = Literal(data.draw(st.floats(-3, 3)))
            source = data.draw(st.integers(-1, count - 1))
            factor = Literal(data.draw(st.floats(-2, 2)))
            parameters.append(
                number
                if source < 0
                else Binary(
                    BinaryOperator.ADD, number, Binary(BinaryOperator.MUL, factor, VariableRef(source))
                )
            )
        circuit.append(name, qubits, parameters, **fields)
    row = np.array([data.draw(st.floats(-3, 3)) for _ in range(count)])
    agree(circuit, row, data.draw(observables_of(num_qubits)))


@pytest.mark.parametrize("name", PARAMETRIC)
def test_each_gate_by_each_of_its_parameters(name: str) -> None:
    spec = GATES[name]
    width = width_of(name)
    size = max(width, 1)
    circuit = Circuit(size, variables=inputs(spec.num_parameters))
    for qubit in range(size):
        circuit.append("u", [qubit], [0.3 + qubit, 0.7 - qubit, 1.1])
    circuit.append(name, range(width), [VariableRef(place) for place in range(spec.num_parameters)])
    for qubit in range(size):
        circuit.append("u", [qubit], [1.3 - qubit, 0.2, 0.4 * qubit])
    words = ["X" * size, "Y" + "Z" * (size - 1), "Z" * size]
    row = np.linspace(0.4, 1.9, spec.num_parameters)
    agree(circuit, row, [Observable(tuple(words), (0.5, -1.2, 0.8))])


@pytest.mark.parametrize("name", PARAMETRIC)
def test_the_inverse_of_each_gate_undoes_it(name: str) -> None:
    spec = GATES[name]
    if spec.any_controls:
        return
    parameters = np.linspace(0.4, 1.9, spec.num_parameters)
    inverse = inverse_of(Operation(name))
    turned = np.array(inverse.signs) * parameters[list(inverse.order)] + np.array(inverse.added)
    product = GATES[inverse.operation.name].matrix(*turned) @ spec.matrix(*parameters)
    assert np.allclose(product, np.eye(len(product)), atol=1e-14)


def layered(num_qubits: int, layers: int) -> Circuit:
    circuit = Circuit(num_qubits, variables=inputs(2 * num_qubits * layers))
    number = 0
    for layer in range(layers):
        for qubit in range(num_qubits):
            circuit.append("ry", [qubit], [VariableRef(number)]).append(
                "rz", [qubit], [VariableRef(number + 1)]
            )
            number += 2
        for first, second in pairwise(range(num_qubits)):
            circuit.append("cx" if layer % 2 else "cz", [first, second])
    return circuit


def test_any_number_of_threads_gives_the_same_gradient() -> None:
    circuit = saved(layered(17, 2), [Observable(("Z" * 17, "X" + "I" * 16, "Y" * 17), (0.5, 0.25, 2.0))])
    gradients = Gradients(Template(circuit))
    row = np.linspace(-1, 2, 68)
    values, alone = gradients.of(row, {}, threads=1)
    for threads in (2, 5):
        again, other = gradients.of(row, {}, threads=threads)
        assert again.tolist() == values.tolist()
        assert other.tolist() == alone.tolist()


def test_an_input_may_be_read_by_smooth_expressions() -> None:
    circuit = Circuit(
        2, variables=[*inputs(3), Variable("n", ClassicalType(ClassicalKind.INT, 8), is_input=True)]
    )
    x, y, z = (VariableRef(number) for number in range(3))
    function = MathFunction
    operator = BinaryOperator
    circuit.append("ry", [0], [Call(function.SIN, Binary(operator.MUL, x, y))])
    circuit.append("rx", [1], [Binary(operator.DIV, Call(function.EXP, x), Call(function.SQRT, z))])
    circuit.append("rzz", [0, 1], [Binary(operator.POW, z, Cast(VariableRef(3), FLOAT))])
    circuit.append("crx", [0, 1], [Unary(UnaryOperator.NEGATE, Call(function.ATAN, Call(function.LN, z)))])
    circuit.append("ry", [1], [Binary(operator.SUB, Call(function.ACOS, x), Call(function.TAN, y))])
    circuit.append("rx", [0], [Call(function.ABS, Call(function.COS, Call(function.ASIN, x)))])
    row = np.array([0.4, -0.3, 1.7, 3.0])
    observables = [Observable(("ZX", "YY"), (1.0, 0.5))]
    template = Template(saved(circuit, observables))
    values, gradient = Gradients(template).of(row, {})
    assert np.allclose(values, energies(template, row, observables), atol=1e-10)
    expected = differences(template, row, observables, range(3))
    assert np.allclose(gradient[:, :3], expected, rtol=0, atol=1e-8)
    assert gradient[0, 3] == 0.0


def test_an_initial_state_is_begun_with() -> None:
    observables = [Observable(("ZI", "XY"), (1.0, 0.3))]
    circuit = Circuit(2, variables=inputs(2))
    circuit.append("initialize", [0, 1], initialize=Initialize(amplitudes=np.array([0.6, 0, 0.8j, 0])))
    circuit.append("ry", [0], [VariableRef(0)]).append("cx", [0, 1]).append("rx", [1], [VariableRef(1)])
    plain = Circuit(2, variables=inputs(2))
    plain.append("ry", [0], [VariableRef(0)]).append("cx", [0, 1]).append("rx", [1], [VariableRef(1)])
    whole = Gradients(Template(saved(circuit, observables)))
    begun = Gradients(Template(saved(plain, observables)), from_zero=False)
    row = np.array([0.3, 0.9])
    expected = whole.of(row, {})
    found = begun.of(row, {}, initial=np.array([0.6, 0, 0.8j, 0]))
    assert np.allclose(found[0], expected[0])
    assert np.allclose(found[1], expected[1])


@pytest.mark.parametrize("what", ["measure", "reset", "channel", "no save"])
def test_more_than_gates_is_refused(what: str) -> None:
    circuit = Circuit(1, 1, variables=inputs(1))
    circuit.append("ry", [0], [VariableRef(0)])
    if what == "measure":
        circuit.append("measure", [0], (), [0])
    elif what == "reset":
        circuit.append("reset", [0])
    elif what == "channel":
        circuit.append("channel", [0], channel=Channel.depolarizing(0.1))
    if what != "no save":
        saved(circuit, [Observable(("Z",), (1.0,))])
    with pytest.raises(CircuitError, match="a gradient needs a circuit of gates alone"):
        Gradients(Template(circuit))


def test_what_is_not_smooth_is_refused_by_name() -> None:
    circuit = Circuit(1, variables=inputs(1))
    circuit.append("ry", [0], [Binary(BinaryOperator.MOD, VariableRef(0), Literal(2.0))])
    with pytest.raises(CircuitError, match="MOD is none"):
        Gradients(Template(saved(circuit, [Observable(("Z",), (1.0,))])))


def test_where_there_is_no_derivative_the_run_fails() -> None:
    circuit = Circuit(1, variables=inputs(1))
    circuit.append("ry", [0], [Call(MathFunction.SQRT, VariableRef(0))])
    gradients = Gradients(Template(saved(circuit, [Observable(("Z",), (1.0,))])))
    with pytest.raises(SimulationFailed, match="no derivative"):
        gradients.of(np.array([0.0]), {})


def test_a_cancelled_run_ends() -> None:
    control = RunControl()
    control.cancel()
    circuit = saved(layered(3, 1), [Observable(("ZZZ",), (1.0,))])
    with pytest.raises(SimulationCancelled):
        Gradients(Template(circuit)).of(np.zeros(6), {}, control=control)


def test_the_width_of_a_gate_is_that_of_its_record() -> None:
    assert all(
        qubits_of(Operation(name)) == GATES[name].num_qubits
        for name in PARAMETRIC
        if not GATES[name].any_controls
    )
