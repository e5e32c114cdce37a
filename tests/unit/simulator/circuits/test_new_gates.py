"""A gate is one record: each of these is added as such alone, and used everywhere that knows gates."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from basicaer.client import Circuit as ClientCircuit
from basicaer.client.circuit import _gates as shapes
from basicaer.client.conversion import _operations as operations
from basicaer.client.conversion.from_qiskit import circuit_to_proto
from basicaer.service.config import Config
from basicaer.service.execution.backends import backend_infos
from basicaer.service.execution.circuits.reading import to_simulator
from basicaer.simulator import (
    GATES,
    Circuit,
    CircuitError,
    ClassicalKind,
    ClassicalType,
    GateSpec,
    Template,
    ValidCircuit,
    Variable,
    VariableRef,
    required_bytes,
    run,
    statevector,
    unitary,
    validate,
)
from basicaer.simulator.circuit import _formulas as formulas
from basicaer.simulator.circuit import _gate_table as gate_table
from basicaer.simulator.circuit._gates import Known
from basicaer.simulator.compiler._reduction import _spec_support
from basicaer.simulator.methods.statevector.engine._matrices import parametric
from basicaer.simulator.reference import distribution, interpret, matrix_of, random_circuit
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit import Gate

ROOT = Path(__file__).parents[4]
SPECS = list(dict.fromkeys(GATES.values()))


def by_generator(width: int, *generators: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Matrices e^(-i a G) ... of any width, which no formula of the engine has."""

    def matrices(parameters: np.ndarray) -> np.ndarray:
        result = np.broadcast_to(np.eye(1 << width, dtype=complex), (len(parameters), 1 << width, 1 << width))
        for place, generator in enumerate(generators):
            values, vectors = np.linalg.eigh(generator)
            phases = np.exp(-1j * parameters[:, place, None] * values)
            result = result @ (vectors * phases[:, None, :] @ vectors.conj().T)
        return result

    return matrices


def hermitian(seed: int, width: int) -> np.ndarray:
    entries = np.random.default_rng(seed).normal(size=(2, 1 << width, 1 << width))
    return np.asarray(entries[0] + entries[0].T + 1j * (entries[1] - entries[1].T))


def added(name: str, num_qubits: int, num_parameters: int, num_controls: int = 0, **fields: Any) -> GateSpec:
    targets = num_qubits - num_controls
    generators = [hermitian(place, targets) for place in range(num_parameters)]
    matrices = by_generator(targets, *generators)
    if not num_parameters:
        constant = by_generator(targets, hermitian(9, targets))

        def matrices(parameters: np.ndarray) -> np.ndarray:
            return constant(np.ones((len(parameters), 1)))

    return GateSpec(name, f"{name}.", num_qubits, num_parameters, matrices, num_controls, **fields)


NEW = [
    added("new1", 1, 1),
    added("new1c", 1, 0),
    added("new2", 2, 3, aliases=("other2",)),
    added("new3", 3, 1),
    added("new4", 4, 2),
    added("new0", 0, 1),
    added("cnew1", 2, 2, 1),
    added("ccnew0", 2, 1, 2),
    added("cnew2", 3, 1, 1),
    added("mcnew1", 2, 1, 1, any_controls=True),
]


@pytest.fixture(autouse=True)
def one_record_each(monkeypatch: pytest.MonkeyPatch) -> None:
    for spec in NEW:
        for name in (spec.name, *spec.aliases):
            monkeypatch.setitem(gate_table._BY_NAME, name, spec)


def angles(spec: GateSpec) -> list[float]:
    return [0.3 + 0.7 * place for place in range(spec.num_parameters)]


def some_circuit(spec: GateSpec, extra: int = 0, state: int | None = None, width: int = 0) -> Circuit:
    """The gate twice among others, with further controls if so many are asked for."""
    own = spec.num_qubits + (2 if spec.any_controls else 0) + extra
    circuit = Circuit(max(own, width, 2))
    for qubit in range(circuit.num_qubits):
        circuit.append("ry", [qubit], [0.4 + 0.3 * qubit])
    fields: dict[str, Any] = {"num_controls": extra, "control_state": state} if extra else {}
    for turn in range(2):
        qubits = np.random.default_rng(turn).permutation(circuit.num_qubits)[:own].tolist()
        circuit.append(spec.name, qubits, [turn + value for value in angles(spec)], **fields)
        circuit.append("cx", [0, 1])
    return circuit


@pytest.mark.parametrize("dtype", ["c16", "c8"])
@pytest.mark.parametrize(("extra", "state"), [(0, None), (1, None), (2, 0b01), (5, None)])
@pytest.mark.parametrize("spec", NEW, ids=lambda spec: spec.name)
def test_it_runs(spec: GateSpec, extra: int, state: int | None, dtype: str) -> None:
    circuit = some_circuit(spec, extra, state)
    validate(circuit)
    (leaf,) = interpret(circuit)
    tolerance = 1e-12 if dtype == "c16" else 1e-5
    np.testing.assert_allclose(statevector(circuit, dtype=dtype), leaf.state, atol=tolerance)
    start = np.random.default_rng(3).normal(size=1 << circuit.num_qubits).astype(complex)
    start /= np.linalg.norm(start)
    (leaf,) = interpret(circuit, start)
    found = statevector(ValidCircuit(circuit), dtype=dtype, initial=start, threads=2)
    np.testing.assert_allclose(found, leaf.state, atol=tolerance)


@pytest.mark.parametrize("spec", NEW, ids=lambda spec: spec.name)
def test_it_has_a_matrix_shots_and_a_size(spec: GateSpec) -> None:
    circuit = some_circuit(spec)
    np.testing.assert_allclose(unitary(circuit), matrix_of(circuit), atol=1e-12)
    assert required_bytes(circuit) >= 16 << circuit.num_qubits
    measured = Circuit(
        circuit.num_qubits, circuit.num_qubits, operations=circuit.operations, body=circuit.body
    )
    for qubit in range(circuit.num_qubits):
        measured.append("measure", [qubit], clbits=[qubit])
    expected = distribution(measured)
    counts = run(measured, shots=4096, seed=5)
    assert {int(words[0]) for words in counts.outcomes} <= {
        value for value, weight in expected.items() if weight > 1e-12
    }


@pytest.mark.parametrize("spec", NEW, ids=lambda spec: spec.name)
def test_it_is_refused_where_it_is_wrong(spec: GateSpec) -> None:
    width = spec.num_qubits + 1
    with pytest.raises(CircuitError, match="parameters"):
        validate(Circuit(width).append(spec.name, range(spec.num_qubits), [0.1] * (spec.num_parameters + 1)))


@pytest.mark.parametrize("spec", [spec for spec in NEW if spec.num_parameters], ids=lambda spec: spec.name)
def test_its_parameters_may_be_inputs_or_expressions(spec: GateSpec) -> None:
    kind = ClassicalType(ClassicalKind.FLOAT)
    given_ = [VariableRef(place, kind) for place in range(spec.num_parameters)]
    own = spec.num_qubits + (1 if spec.any_controls else 0)

    def circuit(values: list[Any], **inputs: Any) -> Circuit:
        made = Circuit(max(own, 1), **inputs)
        for qubit in range(made.num_qubits):
            made.append("ry", [qubit], [0.4])
        return made.append(spec.name, range(own), values)

    (leaf,) = interpret(circuit(angles(spec)))
    names = [f"v{place}" for place in range(spec.num_parameters)]
    asked = circuit(given_, variables=[Variable(name, kind, is_input=True) for name in names])
    template = Template(asked)
    bound = template.bind(template.rows(names, [angles(spec)])[0])
    np.testing.assert_allclose(statevector(bound), leaf.state, atol=1e-12)
    known = [Variable(name, kind, value=value) for name, value in zip(names, angles(spec), strict=True)]
    np.testing.assert_allclose(statevector(circuit(given_, variables=known)), leaf.state, atol=1e-12)


def test_a_wide_circuit_of_many_has_room() -> None:
    spec = NEW[2]
    circuit = some_circuit(spec, width=18)
    assert np.linalg.norm(statevector(circuit)) == pytest.approx(1.0, abs=1e-12)
    known = Circuit.from_gates(2, [("rxx", [0, 1], [0.1])] * 1000)
    new = Circuit.from_gates(2, [(spec.name, [0, 1], angles(spec))] * 1000)
    assert required_bytes(new) - required_bytes(known) >= 1000 * 16 * 16


def test_random_circuits_have_it() -> None:
    names = {
        operation.name
        for seed in range(300)
        for operation in random_circuit(Random(seed), num_qubits=5, num_instructions=20).operations
    }
    assert {spec.name for spec in NEW} <= names


def test_list_backends_tells_it(tmp_path: Path) -> None:
    for info in backend_infos(Config(data_dir=tmp_path)):
        told = {gate.name: gate for gate in info.gates}
        for spec in NEW:
            assert told[spec.name].num_parameters == spec.num_parameters
            assert told[spec.name].num_qubits == (0 if spec.any_controls else spec.num_qubits)
            assert told[spec.name].description == spec.doc


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "client" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def made(source: str) -> dict[str, Any]:
    found: dict[str, Any] = {"__name__": "made"}
    exec(source, found)
    return found


def test_what_is_generated_is_fresh_without_and_stale_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = load("generate_gates")
    assert generator.stale() == list(generator.FILES)
    monkeypatch.undo()
    assert generator.stale() == []


def test_the_page_tells_it() -> None:
    page = load("generate_gates").page()
    assert "| `new2`, `other2` | 2 | 3 | new2. |" in page
    assert "| `mcnew1` | 2 or more | 1 | mcnew1. |" in page


@pytest.mark.parametrize("spec", NEW, ids=lambda spec: spec.name)
def test_the_client_has_a_method_and_the_server_runs_what_it_writes(
    spec: GateSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = load("generate_gates")
    known = made(generator.shapes())
    for name in ("GATE_SHAPES", "OPEN_SHAPES"):
        if spec.name in known[name]:
            monkeypatch.setitem(getattr(shapes, name), spec.name, known[name][spec.name])
    method = getattr(made(generator.methods())["GateMethods"], spec.name)
    circuit = ClientCircuit(6)
    for qubit in range(6):
        circuit.ry(0.4 + 0.1 * qubit, qubit)
    own = spec.num_qubits - (1 if spec.any_controls else 0)
    operands: list[Any] = list(range(own))
    if spec.any_controls:
        operands = [[4, 5], *operands]
    method(circuit, *angles(spec), *operands)
    qubits = [4, 5, *range(own)] if spec.any_controls else list(range(own))
    expected = Circuit(6)
    for qubit in range(6):
        expected.append("ry", [qubit], [0.4 + 0.1 * qubit])
    expected.append(spec.name, qubits, angles(spec))
    found = statevector(to_simulator(circuit.to_message()))
    np.testing.assert_allclose(found, statevector(expected), atol=1e-14)


@pytest.mark.parametrize("spec", [NEW[0], NEW[2], NEW[6]], ids=lambda spec: spec.name)
def test_the_converter_keeps_qiskits_gate_of_that_name(
    spec: GateSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = made(load("generate_gates").shapes())["QISKIT_SHAPES"]
    monkeypatch.setitem(operations.GATE_SHAPES, spec.name, known[spec.name])
    kind = type("NewGate", (Gate,), {"__module__": "qiskit.circuit.library.standard_gates.new"})
    circuit = QuantumCircuit(3)
    circuit.append(kind(spec.name, spec.num_qubits, angles(spec)), range(spec.num_qubits))
    message = circuit_to_proto(circuit)
    assert [operation.name for operation in message.operations] == [spec.name]
    ours = Circuit.from_gates(3, [(spec.name, range(spec.num_qubits), angles(spec))])
    np.testing.assert_allclose(statevector(to_simulator(message)), statevector(ours), atol=1e-14)


@pytest.mark.parametrize("name", ["iswap", "ecr", "rcccx", "dcx", "rxx", "swap", "h"])
def test_a_gate_of_the_table_takes_many_controls(name: str) -> None:
    circuit = some_circuit(GATES[name], extra=5 if name != "rcccx" else 4)
    (leaf,) = interpret(circuit)
    np.testing.assert_allclose(statevector(circuit), leaf.state, atol=1e-12)


@settings(deadline=None)
@given(st.sampled_from([spec for spec in SPECS if spec.num_parameters]), st.integers(0, 2**32))
def test_a_formula_gives_the_records_matrix(spec: GateSpec, seed: int) -> None:
    assert isinstance(spec.target_matrices, Known), "the engine computes all gates of the table by itself"
    row = np.random.default_rng(seed).uniform(-7, 7, spec.num_parameters)
    expected = spec.target_matrices(row[None])[0]
    assert (np.abs(expected) > 0.0)[~_spec_support(spec)].sum() == 0
    if spec.formula not in (formulas.SWAP, formulas.NOTHING, formulas.PHASE):
        found = np.zeros(16, complex)
        parametric(spec.formula, row, 0, found)
        np.testing.assert_allclose(found[: expected.size].reshape(expected.shape), expected, atol=1e-15)


def test_each_formula_belongs_to_a_gate() -> None:
    assert {spec.formula for spec in SPECS} == set(range(formulas.XX_PLUS_YY + 1))
