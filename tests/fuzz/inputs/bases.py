"""Good requests, with every field of any request in reach of one of them: what extremes are put into."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from basicaer.client import Channel, Circuit, NoiseModel, ReadoutError
from basicaer.client._structures import complex_array
from basicaer.client.jobs._programs import programs_from
from basicaer.v1 import circuit_pb2, job_pb2
from basicaer.v1 import job_service_pb2 as pb
from google.protobuf.message import Message

from tests.fuzz.inputs.seeds import golden, specs, stabilized

__all__ = ["bases"]


def _classical() -> job_pb2.Program:
    """A circuit with every kind of classical value, operator's shape and assignment."""
    circuit = Circuit(2, 2)
    circuit.add_quantum_register("r", 1)
    register = circuit.add_classical_register("d", 2)
    number, whole = circuit.add_variable("n", "uint", 8), circuit.add_variable("i", "int")
    real, truth = circuit.add_variable("f", "float"), circuit.add_variable("t", "bool")
    circuit.store(number, (number + 3) % 2).store(whole, -whole).store(real, 0.5).store(truth, True)
    circuit.store(0, circuit.bit(1).negated()).store(register, 2).store(1, number[1])
    message = circuit.to_message()
    expression = circuit_pb2.Expression
    kind = circuit_pb2.ClassicalType(kind=circuit_pb2.CLASSICAL_KIND_FLOAT)
    function = circuit_pb2.CallExpression(
        function=circuit_pb2.MATH_FUNCTION_SIN,
        argument=expression(type=kind, cast=expression(variable=number.index)),
    )
    angle = expression(call=function)
    store = circuit_pb2.Store(variable=real.index, value=angle)
    wide = expression(register=0)
    wide = expression(
        binary=circuit_pb2.BinaryExpression(
            operator=circuit_pb2.BINARY_OPERATOR_LESS,
            left=wide,
            right=expression(literal=circuit_pb2.Literal(wide_value=b"\0" * 8 + b"\1")),
        )
    )
    made = [
        circuit_pb2.Operation(name="store", store=store),
        circuit_pb2.Operation(name="rx", parameter_expressions=[angle], condition=wide, label="turn"),
        circuit_pb2.Operation(name="x", num_qubits=2, num_controls=1, control_state=0),
    ]
    first = len(message.operations)
    message.operations.extend(made)
    message.body.operations.extend([first, first + 1, first + 2])
    message.body.qubits.extend([0, 0, 1])
    message.metadata["note"] = [1.5, {"deep": None}, True, "text"]
    message.quantum_registers[-1].bits[:] = [2]
    output = message.outputs.add(name="pairs", shape=[2], clbit=0)
    output.type.kind, output.type.width = circuit_pb2.CLASSICAL_KIND_INT, 2
    return job_pb2.Program(circuit=message)


def _flow() -> job_pb2.Program:
    """A circuit with every kind of control flow and of state to prepare."""
    circuit = Circuit(3, 3)
    circuit.h(0).measure([0], [0]).delay(5, 0, "ns").barrier().reset(1)
    with circuit.if_test(circuit.bit(0)) as otherwise:
        circuit.x(1)
    with otherwise:
        circuit.y(1)
    with circuit.for_loop(range(3)):
        circuit.rx(0.5, 2)
    with circuit.for_loop([1, 5]):
        circuit.continue_loop()
    with circuit.while_loop(circuit.bit(1)):
        circuit.break_loop()
    with circuit.switch(circuit.bit(2)) as case:
        with case(1):
            circuit.x(2)
        with case():
            circuit.z(2)
    circuit.initialize([0.6, 0.8], [2]).initialize("+0", [0, 1]).initialize(1, [0])
    circuit.unitary([[0, 1], [1, 0]], [2]).measure([2], [2])
    return programs_from(circuit)[0]


def _noisy() -> job_pb2.Program:
    """A circuit with every kind of channel, and a readout error."""
    flip = [[0, 1], [1, 0]]
    circuit = Circuit(2, 2).h(0).channel(Channel.pauli({"I": 0.75, "X": 0.25}), 0)
    circuit.channel(Channel.depolarizing(0.25, 2), [0, 1])
    circuit.channel(Channel.thermal_relaxation(50.0, 75.0, 0.5, 0.125), 1).channel(
        Channel.from_kraus([flip]), 0
    )
    circuit.channel(Channel.from_superoperator(np.diag([1, -1, -1, 1])), 0)
    turned: list[tuple[Any, ...]] = [("rx", [1], [0.5]), ("reset", [0])]
    circuit.channel(Channel.mixture([(0.5, turned), (0.5, [("unitary", [0], flip)])]), [0, 1])
    circuit.measure([0, 1], [0, 1]).readout_error(ReadoutError([[0.875, 0.125], [0.25, 0.75]]), 0)
    return programs_from(circuit)[0]


def _given() -> list[job_pb2.Program]:
    """Circuits that are given states of every kind of a run, and save what has a method of its own."""
    mixed = Circuit(1, 1).set_statevector([0.6, 0.8]).set_density_matrix([[0.5, 0], [0, 0.5]])
    mixed.set_stabilizer([[0, 1, 1]]).set_matrix_product_state([np.array([[[0.6], [0.8]]])]).measure(0, 0)
    maps = Circuit(1).set_superoperator(np.eye(4)).h(0).save_superoperator()
    chain = Circuit(2, 1).h(0).cx(0, 1).save_matrix_product_state().measure(0, 0)
    return programs_from([mixed, maps, chain])


@functools.cache
def bases() -> tuple[tuple[str, Message], ...]:
    """Returns the good requests, with the RPC of each: every field of any request is in reach of one of
    them.
    """
    spec = job_pb2.JobSpec.FromString(specs()[-1].SerializeToString())
    options = job_pb2.RunOptions(
        shots=9, max_parallel_threads=1, chop_threshold=1e-9, precision=job_pb2.PRECISION_DOUBLE
    )
    options.max_run_time.FromMilliseconds(200)
    options.initial_statevector.CopyFrom(circuit_pb2.ComplexArray(shape=[4], values=[0, 0, 1, 0, 0, 0, 0, 0]))
    state = job_pb2.JobSpec(backend_name="statevector_simulator", options=options)
    state.programs.extend(programs_from(Circuit(2).h(0).cx(0, 1)))
    matrices = programs_from(Circuit(2).h(0).set_unitary(np.eye(4)).save_unitary("first").cx(0, 1))
    unitary = job_pb2.JobSpec(backend_name="unitary_simulator", programs=matrices)
    unitary.options.initial_unitary.CopyFrom(complex_array(np.eye(4), 2))
    text = job_pb2.JobSpec(
        backend_name="qasm_simulator",
        programs=[
            job_pb2.Program(openqasm2='OPENQASM 2.0; include "qelib1.inc"; qreg q[1]; h q[0];', shots=3)
        ],
    )
    table = job_pb2.ExternFunction(name="f", arguments=[0, 1], values=[1, 0], default_value=1)
    text.programs.add(openqasm3="extern f(bit) -> bit; output bit c; c = f(1);", externs=[table])
    text.programs.add(stim="X_ERROR(0.5) 0\nM 0\nDETECTOR rec[-1]")
    text.programs.add(circuit=Circuit(1, 1).measure(0, 0).save_detectors([[0]]).to_message())
    jobs = [spec, state, unitary, text, stabilized(), *specs()[1:3]]
    jobs += [
        job_pb2.JobSpec(backend_name="qasm_simulator", programs=[made()])
        for made in (_classical, _flow, _noisy)
    ]
    for job in jobs[-3:]:
        job.options.shots = 3
        job.options.max_run_time.FromMilliseconds(200)
    model = NoiseModel().add(Channel.pauli({"I": 0.75, "X": 0.25}), ["h", "x"], qubits=[0], before=True)
    model.add(Channel.depolarizing(0.5), ["cx"], qubits=[0, 1], places=[1])
    model.add_readout(ReadoutError([[0.875, 0.125], [0.25, 0.75]]), [1])
    model.add_readout(ReadoutError(np.eye(4)), [1, 0]).add_relaxation(2.0, 3.0, 0.25, [0])
    model.dt = 0.5
    jobs[-1].options.noise_model.CopyFrom(model.to_message())
    jobs[-1].options.method = job_pb2.SIMULATION_METHOD_DENSITY_MATRIX
    chain = jobs[-3].options
    chain.method = job_pb2.SIMULATION_METHOD_MATRIX_PRODUCT_STATE
    chain.matrix_product_state.max_bond_dimension = 16
    chain.matrix_product_state.truncation_threshold = 1e-12
    chain.nodes = 1
    jobs.insert(-3, job_pb2.JobSpec(backend_name="qasm_simulator", programs=_given()))
    jobs[-4].options.shots = 3
    runs = [pb.RunJobRequest(spec=job) for job in jobs]
    runs[0].heartbeat_interval.FromSeconds(5)
    found: list[tuple[str, Message]] = [("RunJob", run) for run in runs]
    found += [("SubmitJob", pb.SubmitJobRequest(spec=job, validate_only=True)) for job in jobs[-3:]]
    found += [("SubmitJob", pb.SubmitJobRequest(spec=text, request_id="once"))]
    watch = pb.WatchJobRequest(job_id="@job", after_sequence=1)
    watch.heartbeat_interval.FromSeconds(5)
    get = pb.GetJobRequest(job_id="@job")
    get.wait.FromSeconds(1)
    listing = golden(pb.ListJobsRequest)[0]
    page = pb.ListJobsRequest(page_size=1, page_token="@token")
    found += [("WatchJob", watch), ("GetJob", get), ("ListJobs", listing), ("ListJobs", page)]
    found += [
        ("CancelJob", pb.CancelJobRequest(job_id="@job", reason="why")),
        ("DeleteJob", pb.DeleteJobRequest(job_id="@job")),
    ]
    found += [("ReadResult", pb.ReadResultRequest(job_id="@job", read_limit=50, chunk_size=10))]
    found += [("GetServerInfo", pb.GetServerInfoRequest()), ("ListBackends", pb.ListBackendsRequest())]
    return tuple(found)
