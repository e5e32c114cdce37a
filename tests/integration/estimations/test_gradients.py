"""Derivatives of expectation values through a server, of own circuits and of Qiskit's; what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from basicaer.client import (
    BasicAerProvider,
    Channel,
    Circuit,
    NoiseModel,
    OptionInvalidError,
    Program,
    ProgramInvalidError,
)
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterVector

from tests.conftest import ServerProcess


@pytest.fixture(scope="module")
def backend(server: ServerProcess) -> Any:
    """A backend of the shared server."""
    with BasicAerProvider(server.address) as provider:
        yield provider.get_backend("qasm_simulator")


def ansatz() -> Circuit:
    circuit = Circuit(2)
    a, b = circuit.add_input("a"), circuit.add_input("b")
    circuit.ry(2 * a + 0.3, 0).cx(0, 1).rx(b, 1).rz(a, 0)
    return circuit


def test_a_sweep_has_the_derivatives_of_each_row(backend: Any) -> None:
    inputs: dict[str, Any] = {"b": [0.1, 0.7, -1.2], "a": [0.5, 1.5, 0.0]}
    program = Program(ansatz(), inputs=inputs, observables=["ZZ", {"XX": 0.5, "IZ": 1.0}], gradient=True)
    result = backend.run(program).result()
    gradients = result.get_gradients()
    assert gradients.shape == (3, 2, 2)
    step = 1e-4
    for place, name in enumerate(inputs):
        moved = []
        for sign in (1, -1):
            shifted = {**inputs, name: np.array(inputs[name]) + sign * step}
            values = backend.run(Program(ansatz(), inputs=shifted, observables=program.observables))
            moved.append(values.result().get_expectation_values())
        assert np.allclose(gradients[:, :, place], (moved[0] - moved[1]) / (2 * step), atol=1e-7)
    plain = backend.run(Program(ansatz(), inputs=inputs, observables=program.observables)).result()
    assert np.allclose(result.get_expectation_values(), plain.get_expectation_values(), atol=1e-12)


def test_chosen_pairs_have_theirs(backend: Any) -> None:
    program = Program(
        ansatz(), inputs={"a": [0.5, 1.5], "b": [0.1, 0.7]}, observables=["ZZ", "XI"], gradient=True
    )
    whole = backend.run(program).result().get_gradients()
    message = program.to_message()
    message.estimation.rows.extend([1, 0])
    message.estimation.indices.extend([1, 0])
    found = backend.run(message).result().get_gradients()
    assert found.tolist() == [whole[1, 1].tolist(), whole[0, 0].tolist()]


def test_parameters_of_a_qiskit_circuit_are_inputs(backend: Any) -> None:
    theta = ParameterVector("t", 3)
    circuit = QuantumCircuit(2)
    circuit.ry(theta[0], 0)
    circuit.cry(theta[1] * 2, 0, 1)
    circuit.rx(theta[2], 1)
    point = np.array([0.4, -0.9, 1.3])
    program = Program(circuit, inputs={theta: point}, observables=["ZX", "YZ"], gradient=True)
    found = backend.run(program).result().get_gradients()[0]
    step = 1e-4
    for place in range(3):
        moved = np.zeros((2, 3)) + point
        moved[:, place] += [step, -step]
        values = backend.run(Program(circuit, inputs={theta: moved}, observables=["ZX", "YZ"]))
        up, down = values.result().get_expectation_values()
        assert np.allclose(found[:, place], (up - down) / (2 * step), atol=1e-7)


def test_any_smooth_function_of_parameters_will_do(backend: Any) -> None:
    circuit = QuantumCircuit(1)
    x, n = Parameter("x"), Parameter("n")
    circuit.ry((2 * x + n).sin(), 0)
    program = Program(circuit, inputs={n: [3], x: [0.4]}, observables=["Z"], gradient=True)
    found = backend.run(program).result().get_gradients()
    assert found.shape == (1, 1, 2)
    by_n = -np.sin(np.sin(3.8)) * np.cos(3.8)
    assert found[0, 0] == pytest.approx([by_n, 2 * by_n])


def test_noise_is_refused(backend: Any) -> None:
    circuit = ansatz()
    circuit.channel(Channel.depolarizing(0.1), 0)
    inputs = {"a": [0.5], "b": [0.1]}
    with pytest.raises(ProgramInvalidError, match=r"gradient: a gradient needs a circuit of gates alone"):
        backend.run(Program(circuit, inputs=inputs, observables=["ZZ"], gradient=True)).result()
    model = NoiseModel().add(Channel.depolarizing(0.1))
    with pytest.raises(ProgramInvalidError, match=r"gradient: a gradient needs a circuit of gates alone"):
        backend.run(
            Program(ansatz(), inputs=inputs, observables=["ZZ"], gradient=True), noise_model=model
        ).result()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"method": "matrix_product_state"}, "has no derivatives"),
        ({"method": "stabilizer"}, "has no derivatives"),
    ],
)
def test_other_methods_are_refused_by_name(backend: Any, options: dict[str, Any], said: str) -> None:
    program = Program(ansatz(), inputs={"a": [0.5], "b": [0.1]}, observables=["ZZ"], gradient=True)
    with pytest.raises(OptionInvalidError, match=said):
        backend.run(program, **options).result()


def test_what_there_is_nothing_to_differentiate_of_is_refused(backend: Any) -> None:
    inputs = {"a": [0.5], "b": [0.1]}
    with pytest.raises(OptionInvalidError, match="give observables"):
        backend.run(Program(ansatz(), inputs=inputs, gradient=True))
    with pytest.raises(ProgramInvalidError, match="no inputs to differentiate by"):
        backend.run(Program(Circuit(1).h(0), observables=["Z"], gradient=True)).result()
    with pytest.raises(ProgramInvalidError, match="initialize its qubits instead"):
        backend.run(
            Program(ansatz(), inputs=inputs, observables=["ZZ"], gradient=True),
            initial_statevector=[0, 1, 0, 0],
        ).result()
    text = 'OPENQASM 3.0; include "stdgates.inc"; input float x; qubit q; ry(sin(x)) q;'
    with pytest.raises(ProgramInvalidError, match="computed while the circuit runs"):
        backend.run(Program(text, inputs={"x": [0.4]}, observables=["Z"], gradient=True)).result()
