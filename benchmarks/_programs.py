"""The circuits that the benchmarks submit, as packed messages."""

from __future__ import annotations

from basicaer.v1 import circuit_pb2, job_pb2

from benchmarks.peers._families import circuit as family_circuit


def bell_spec(shots: int = 1024) -> job_pb2.JobSpec:
    """Return a Bell pair, measured."""
    circuit = circuit_pb2.Circuit(name="bell", num_qubits=2, num_clbits=2)
    for name in ("h", "cx", "measure"):
        circuit.operations.add(name=name)
    circuit.body.operations.extend([0, 1, 2, 2])
    circuit.body.qubits.extend([0, 0, 1, 0, 1])
    circuit.body.clbits.extend([0, 1])
    spec = job_pb2.JobSpec(backend_name="qasm_simulator")
    spec.programs.add(circuit=circuit)
    spec.options.shots = shots
    return spec


def uniform_spec(num_qubits: int, shots: int) -> job_pb2.JobSpec:
    """Return qubits of which every outcome is as likely as another, measured."""
    spec = job_pb2.JobSpec(backend_name="qasm_simulator")
    spec.programs.add(
        openqasm3=f'include "stdgates.inc"; qubit[{num_qubits}] q; bit[{num_qubits}] c; h q; c = measure q;'
    )
    spec.options.shots = shots
    return spec


def state_spec(num_qubits: int) -> job_pb2.JobSpec:
    """Return a GHZ state, kept whole: 16 · 2^num_qubits bytes."""
    circuit = circuit_pb2.Circuit(name="ghz", num_qubits=num_qubits)
    for name in ("h", "cx"):
        circuit.operations.add(name=name)
    circuit.body.operations.extend([0] + [1] * (num_qubits - 1))
    circuit.body.qubits.append(0)
    for qubit in range(1, num_qubits):
        circuit.body.qubits.extend([qubit - 1, qubit])
    spec = job_pb2.JobSpec(backend_name="statevector_simulator")
    spec.programs.add(circuit=circuit)
    return spec


def endless_spec(num_qubits: int = 8) -> job_pb2.JobSpec:
    """Return a loop that only a cancellation ends: it keeps a worker busy while others wait."""
    circuit = circuit_pb2.Circuit(name="endless", num_qubits=num_qubits, num_clbits=1)
    circuit.operations.add(name="h")
    loop = circuit.operations.add(name="while_loop")
    loop.while_loop.condition.literal.bool_value = True
    loop.while_loop.condition.type.kind = circuit_pb2.CLASSICAL_KIND_BOOL
    loop.while_loop.body.operations.append(0)
    loop.while_loop.body.qubits.append(0)
    # A gate on each qubit before the loop, as only qubits that gates act on are simulated.
    circuit.body.operations.extend([0] * num_qubits + [1])
    circuit.body.qubits.extend(range(num_qubits))
    spec = job_pb2.JobSpec(backend_name="qasm_simulator")
    spec.programs.add(circuit=circuit)
    spec.options.shots = 1
    return spec


def volume_spec(num_qubits: int, repeats: int) -> job_pb2.JobSpec:
    """Return a quantum-volume circuit, `repeats` times over, whose state is kept whole."""
    gates = family_circuit("qv", num_qubits).gates
    circuit = circuit_pb2.Circuit(name="volume", num_qubits=num_qubits)
    for gate in gates:
        assert gate.matrix is not None
        matrix = circuit.operations.add(name="unitary", num_qubits=2).matrix
        matrix.shape.extend(gate.matrix.shape)
        matrix.data = gate.matrix.tobytes()
    circuit.body.operations.extend([*range(len(gates))] * repeats)
    circuit.body.qubits.extend([qubit for gate in gates for qubit in gate.qubits] * repeats)
    spec = job_pb2.JobSpec(backend_name="statevector_simulator")
    spec.programs.add(circuit=circuit)
    return spec
