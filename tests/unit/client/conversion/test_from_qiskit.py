"""The message that the converter makes of a circuit, and what it refuses."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from basicaer import simulator as sim
from basicaer.client.conversion.from_qiskit import CircuitTooLargeError, ConversionError, circuit_to_proto
from basicaer.service.execution.circuits.reading import to_simulator
from basicaer.v1 import circuit_pb2 as pb
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import CircuitInstruction, Instruction, Measure, Parameter, Reset, library
from qiskit.circuit.classical import types
from qiskit.quantum_info import Statevector


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


# --- Several operands, and what a body leaves behind ------------------------------------------------------


@pytest.mark.parametrize("own_class", [True, False])
def test_measure_and_reset_of_several_qubits_are_one_for_each(own_class: bool) -> None:
    circuit = QuantumCircuit(3, 3)
    measure, reset = (
        (Measure(), Reset())
        if own_class
        else (
            Instruction("measure", 2, 2, []),
            Instruction("reset", 2, 0, []),
        )
    )
    qubits, clbits = circuit.qubits, circuit.clbits
    circuit._append(CircuitInstruction(measure, (qubits[2], qubits[0]), (clbits[0], clbits[1])))
    circuit._append(CircuitInstruction(reset, (qubits[1], qubits[2]), ()))
    body = circuit_to_proto(circuit).body
    assert list(body.qubits) == [2, 0, 1, 2]
    assert list(body.clbits) == [0, 1]
    assert circuit_to_proto(circuit, max_instructions=4).body == body
    with pytest.raises(CircuitTooLargeError):
        circuit_to_proto(circuit, max_instructions=3)


def test_a_measurement_needs_a_bit_for_each_qubit() -> None:
    circuit = QuantumCircuit(2, 1)
    circuit._append(CircuitInstruction(Instruction("measure", 2, 1, []), circuit.qubits, circuit.clbits))
    with pytest.raises(ConversionError, match="2 qubits and 1 classical bits; it takes as many of both"):
        circuit_to_proto(circuit)


def test_a_body_of_one_instruction_leaves_nothing_else_in_the_table() -> None:
    circuit = QuantumCircuit(2, 1)
    circuit.x(1)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.append(Instruction("save_statevector", 2, 0, []), [0, 1])
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(0)
    with circuit.if_test((circuit.clbits[0], 1)), circuit.for_loop(range(2)):
        circuit.y(0)
        with circuit.if_test((circuit.clbits[0], 0)) as otherwise:
            circuit.z(0)
        with otherwise:
            circuit.h(0)
    message = circuit_to_proto(circuit)
    assert [(o.name, o.HasField("condition")) for o in message.operations] == [
        ("x", False),
        ("save", True),
        ("x", True),
        ("y", False),
        ("z", False),
        ("h", False),
        ("if_else", False),
        ("for_loop", False),
        ("if_else", False),
    ]
    to_simulator(message)
