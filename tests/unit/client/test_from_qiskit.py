"""The converter against Qiskit itself: gates, names, and what it refuses."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from basicaer import simulator as sim
from basicaer.client._from_qiskit import (
    CircuitTooLargeError,
    ConversionError,
    NestingTooDeepError,
    circuit_to_proto,
)
from basicaer.client._qiskit_operations import GATE_SHAPES
from basicaer.service.execution.programs import to_simulator
from basicaer.v1 import circuit_pb2 as pb
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import (
    AnnotatedOperation,
    ControlModifier,
    Gate,
    Instruction,
    InverseModifier,
    Parameter,
    PowerModifier,
    library,
)
from qiskit.circuit.classical import types
from qiskit.circuit.random import random_circuit
from qiskit.quantum_info import Operator, Statevector, random_clifford, random_unitary


def unitary(circuit: Any) -> Any:
    return sim.unitary(to_simulator(circuit_to_proto(circuit)))


# --- Gates ------------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 5), st.integers(1, 8), st.integers(0, 2**31))
def test_random_circuits_have_qiskits_matrix(qubits: int, depth: int, seed: int) -> None:
    circuit = random_circuit(qubits, depth, max_operands=min(qubits, 4), seed=seed)
    np.testing.assert_allclose(unitary(circuit), Operator(circuit).data, atol=1e-10)


@pytest.mark.parametrize("name", sorted(GATE_SHAPES))
def test_the_gates_that_the_converter_names_are_the_servers(name: str) -> None:
    spec = sim.GATES[name]
    assert (spec.num_qubits, spec.num_parameters) == GATE_SHAPES[name]


@pytest.mark.parametrize("name", sorted(library.get_standard_gate_name_mapping()))
def test_every_standard_gate_stays_one_instruction(name: str) -> None:
    gate = library.get_standard_gate_name_mapping()[name]
    if name in ("measure", "reset", "delay"):
        pytest.skip("no gate")
    gate = gate.base_class(*(0.1 * (place + 1) for place in range(len(gate.params))))
    circuit = QuantumCircuit(gate.num_qubits)
    circuit.append(gate, range(gate.num_qubits))
    message = circuit_to_proto(circuit)
    np.testing.assert_allclose(unitary(circuit), Operator(circuit).data, atol=1e-12)
    if name == "global_phase":
        assert message.global_phase == pytest.approx(0.1)
    else:
        assert [operation.name for operation in message.operations] == [name]


def _composite() -> Any:
    inner = QuantumCircuit(2, name="inner", global_phase=0.7)
    inner.x(0)
    inner.cp(0.3, 1, 0)
    return inner.to_gate()


def _controlled(gate: Any, count: int, state: int | str | None = None) -> Any:
    return gate.control(count, ctrl_state=state, annotated=False)


CONTROLLED: list[Callable[[], Any]] = [
    lambda: _controlled(library.XGate(), 3, 5),
    lambda: library.CXGate(ctrl_state=0),
    lambda: _controlled(library.PhaseGate(0.3), 4),
    lambda: _controlled(library.RZGate(0.2), 2, "01"),
    lambda: _controlled(library.SwapGate(), 2, 2),
    lambda: library.CUGate(0.1, 0.2, 0.3, 0.4),
    lambda: library.CUGate(0.1, 0.2, 0.3, 0.4, ctrl_state=0),
    lambda: _controlled(library.CUGate(0.1, 0.2, 0.3, 0.4, ctrl_state=0), 1),
    lambda: _controlled(library.CUGate(0.1, 0.2, 0.3, 0.4), 1, 0),
    lambda: _controlled(library.CRXGate(0.4, ctrl_state=0), 2, 1),
    lambda: _controlled(library.UnitaryGate(random_unitary(4, seed=3)), 2, 1),
    lambda: _controlled(library.GlobalPhaseGate(0.4), 2, 1),
    lambda: library.MCXGate(4, ctrl_state=3),
    lambda: library.C3SXGate(),
    lambda: library.RC3XGate(),
    lambda: library.CCZGate(ctrl_state=1),
    lambda: _controlled(_composite(), 2, 1),
    lambda: AnnotatedOperation(library.SGate(), [ControlModifier(2, 1), InverseModifier(), PowerModifier(3)]),
]


@pytest.mark.parametrize("make", CONTROLLED)
def test_controlled_gates(make: Callable[[], Any]) -> None:
    gate = make()
    circuit = QuantumCircuit(5)
    circuit.append(gate, list(range(5))[::-1][: gate.num_qubits])
    np.testing.assert_allclose(unitary(circuit), Operator(circuit).data, atol=1e-9)


def test_a_controlled_standard_gate_is_one_instruction_with_a_control_state() -> None:
    circuit = QuantumCircuit(4)
    circuit.append(_controlled(library.RZGate(0.2), 3, 5), [0, 1, 2, 3])
    (operation,) = circuit_to_proto(circuit).operations
    assert (operation.name, operation.num_controls, operation.control_state) == ("rz", 3, 5)


@pytest.mark.parametrize(
    "make",
    [
        _composite,
        lambda: library.QFTGate(4),
        lambda: library.PermutationGate([2, 0, 1]),
        lambda: library.PauliGate("XYZ"),
        lambda: library.DiagonalGate([1, -1, 1j, -1j]),
        lambda: library.StatePreparation([0.6, 0.0, 0.0, 0.8j]),
        lambda: library.UnitaryGate(random_unitary(8, seed=1)),
        lambda: random_clifford(3, seed=5),
        lambda: (
            library.ExcitationPreserving(3).assign_parameters([0.1] * 15).to_gate()
            if False
            else library.GRX(3, 0.2).to_gate()
        ),
    ],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_gates_that_the_service_does_not_know_are_expanded(make: Callable[[], Any]) -> None:
    gate = make()
    circuit = QuantumCircuit(5)
    circuit.append(gate, list(range(5))[::-1][: gate.num_qubits])
    circuit.append(gate, list(range(gate.num_qubits)))
    np.testing.assert_allclose(unitary(circuit), Operator(circuit).data, atol=1e-9)


def test_a_gate_with_a_matrix_alone_becomes_a_unitary() -> None:
    class OnlyMatrix(Gate):
        def __init__(self) -> None:
            super().__init__("only_matrix", 1, [])

        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            return np.array([[0, 1j], [1j, 0]], dtype=dtype)

    circuit = QuantumCircuit(1)
    circuit.append(OnlyMatrix(), [0])
    assert [operation.name for operation in circuit_to_proto(circuit).operations] == ["unitary"]
    np.testing.assert_allclose(unitary(circuit), [[0, 1j], [1j, 0]])


def test_a_gate_of_a_standard_name_with_its_own_definition_is_what_it_defines() -> None:
    other = QuantumCircuit(1, name="h")
    other.x(0)
    circuit = QuantumCircuit(1)
    circuit.append(other.to_gate(), [0])
    np.testing.assert_allclose(unitary(circuit), [[0, 1], [1, 0]])


def test_equal_operations_share_an_entry_of_the_table() -> None:
    circuit = QuantumCircuit(3, 3)
    for turn in range(50):
        circuit.rx(turn, turn % 3)
        circuit.cx(turn % 3, (turn + 1) % 3)
        circuit.append(library.UnitaryGate(np.eye(2)), [0])
        circuit.measure(0, turn % 3)
        circuit.barrier()
    message = circuit_to_proto(circuit)
    assert [operation.name for operation in message.operations] == [
        "rx",
        "cx",
        "unitary",
        "measure",
        "barrier",
    ]
    assert len(message.body.operations) == 250


def test_integers_and_bound_expressions_are_parameters_too() -> None:
    theta = Parameter("theta")
    circuit = QuantumCircuit(1)
    circuit.rx(1, 0)
    circuit.rx(np.float32(0.5), 0)
    circuit.rx(2 * theta, 0)
    assert list(circuit_to_proto(circuit.assign_parameters({theta: 0.25})).body.parameters) == [1.0, 0.5, 0.5]


# --- Names and bits ---------------------------------------------------------------------------------------


def test_name_metadata_phase_and_registers() -> None:
    circuit = QuantumCircuit(
        QuantumRegister(2, "a"),
        QuantumRegister(1, "b"),
        ClassicalRegister(2, "m"),
        name="named",
        global_phase=0.5,
        metadata={"run": 3, "tags": ["x"], "array": np.arange(2)},
    )
    message = circuit_to_proto(circuit)
    assert (message.name, message.global_phase) == ("named", 0.5)
    assert (message.num_qubits, message.num_clbits) == (3, 2)
    assert dict(message.metadata)["run"] == 3
    assert [(r.name, r.size, list(r.bits)) for r in message.quantum_registers] == [("a", 2, []), ("b", 1, [])]
    assert [(r.name, r.size, list(r.bits)) for r in message.classical_registers] == [("m", 2, [])]


def test_metadata_that_is_not_json_is_refused() -> None:
    with pytest.raises(ConversionError, match="metadata must be JSON"):
        circuit_to_proto(QuantumCircuit(1, metadata={"set": {1}}))


# --- Refusals ---------------------------------------------------------------------------------------------


def test_an_unbound_parameter_is_named_with_its_place() -> None:
    circuit = QuantumCircuit(1)
    circuit.h(0)
    circuit.rx(Parameter("theta"), 0)
    with pytest.raises(ConversionError, match=r"instruction 1 \(rx\): the parameter 'theta' has no value"):
        circuit_to_proto(circuit)


def test_an_unbound_global_phase_is_refused() -> None:
    with pytest.raises(ConversionError, match="'phi' has no value"):
        circuit_to_proto(QuantumCircuit(1, global_phase=Parameter("phi")))


def test_an_instruction_without_a_definition_is_named() -> None:
    circuit = QuantumCircuit(1)
    circuit.append(Instruction("mystery", 1, 0, []), [0])
    with pytest.raises(ConversionError, match="'mystery'"):
        circuit_to_proto(circuit)


def test_stretches_are_refused() -> None:
    circuit = QuantumCircuit(1)
    circuit.delay(circuit.add_stretch("s"), 0)
    with pytest.raises(ConversionError, match="duration"):
        circuit_to_proto(circuit)


def test_input_variables_are_refused() -> None:
    circuit = QuantumCircuit(1)
    circuit.add_input("given", types.Bool())
    with pytest.raises(ConversionError, match="'given' has no value"):
        circuit_to_proto(circuit)


def test_other_objects_are_refused() -> None:
    with pytest.raises(TypeError, match="QuantumCircuit is needed, not a str"):
        circuit_to_proto("h q[0];")


def _nested(levels: int, width: int) -> Any:
    circuit = QuantumCircuit(1)
    circuit.h(0)
    for _ in range(levels):
        gate = Gate("nested", 1, [])
        gate.definition = circuit
        circuit = QuantumCircuit(1)
        for _ in range(width):
            circuit.append(gate, [0])
    return circuit


def test_what_definitions_expand_to_is_counted_before() -> None:
    with pytest.raises(CircuitTooLargeError) as caught:
        circuit_to_proto(_nested(9, 10), max_instructions=10_000_000)
    assert caught.value.limit == 10_000_000
    assert caught.value.actual >= 100_000_000


def test_the_limit_is_exact() -> None:
    assert len(circuit_to_proto(_nested(3, 10), max_instructions=1000).body.operations) == 1000
    with pytest.raises(CircuitTooLargeError):
        circuit_to_proto(_nested(3, 10), max_instructions=999)


def test_a_definition_that_contains_itself_is_refused() -> None:
    gate, circuit = Gate("cycle", 1, []), QuantumCircuit(1)
    circuit.append(gate, [0])
    circuit.append(gate, [0])
    gate.definition = circuit
    circuit.data[0].operation.definition = circuit
    with pytest.raises(NestingTooDeepError):
        circuit_to_proto(circuit, max_instructions=1000)


def test_statevector_of_a_prepared_circuit() -> None:
    circuit = QuantumCircuit(3, global_phase=0.3)
    circuit.prepare_state(Statevector.from_label("+r1"))
    state = sim.statevector(to_simulator(circuit_to_proto(circuit)))
    np.testing.assert_allclose(state, Statevector(circuit).data, atol=1e-10)


def test_the_message_is_what_the_contract_says() -> None:
    circuit = QuantumCircuit(2, 2, name="bell")
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 1])
    expected = pb.Circuit(
        name="bell",
        num_qubits=2,
        num_clbits=2,
        quantum_registers=[pb.Register(name="q", size=2)],
        classical_registers=[pb.Register(name="c", size=2)],
        operations=[
            pb.Operation(name="h", num_qubits=1),
            pb.Operation(name="cx", num_qubits=2),
            pb.Operation(name="measure", num_qubits=1, num_clbits=1),
        ],
        body=pb.Block(operations=[0, 1, 2, 2], qubits=[0, 0, 1, 0, 1], clbits=[0, 1]),
    )
    assert circuit_to_proto(circuit) == expected


def test_the_public_module_loads_nothing_of_qiskit() -> None:
    code = "import sys, basicaer.client.qiskit as q; q.circuit_to_proto; sys.exit('qiskit' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
