"""Rows of inputs, estimations, and saves: what a job gives for them, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import google_crc32c
import numpy as np
import pytest
from basicaer.service.config import Config
from basicaer.service.errors import ServiceError
from basicaer.service.execution import ExecutionOutcome, PreparedJob, ThreadExecutor
from basicaer.v1 import circuit_pb2 as pb
from basicaer.v1 import error_reason_pb2, job_pb2, result_pb2

from tests.outcomes import whole

FLOAT = pb.ClassicalType(kind=pb.CLASSICAL_KIND_FLOAT)
THETAS = [0.0, 0.5, 2.0]


def ry_circuit(*extra: str, measured: bool = False) -> pb.Circuit:
    """ry(2 * theta) on one qubit, and what is named after it."""
    names = ["ry", *extra, *(["measure"] if measured else [])]
    return pb.Circuit(
        name="ry",
        num_qubits=1,
        num_clbits=1 if measured else 0,
        variables=[pb.Variable(name="theta", type=FLOAT, input=True)],
        operations=[pb.Operation(name=name) for name in names],
        body=pb.Block(
            operations=range(len(names)),
            qubits=[0] * len(names),
            clbits=[0] if measured else [],
            parameters=[0.0],
            term_parameters=[0],
            term_variables=[0],
            term_factors=[2.0],
        ),
    )


def rows(*values: float) -> job_pb2.Inputs:
    return job_pb2.Inputs(names=["theta"], values=values)


def z_and_x(**fields: Any) -> job_pb2.Estimation:
    observables = [pb.Observable(paulis=[letter], coefficients=[1.0]) for letter in "ZX"]
    return job_pb2.Estimation(observables=observables, **fields)


def spec_of(*programs: job_pb2.Program, backend: str = "qasm_simulator", **options: Any) -> job_pb2.JobSpec:
    return job_pb2.JobSpec(backend_name=backend, programs=programs, options=job_pb2.RunOptions(**options))


def execute(executor: ThreadExecutor, spec: job_pb2.JobSpec) -> ExecutionOutcome:
    prepared = executor.prepare(spec)
    return whole(executor.execute(prepared, prepared.new_control(), job_id="test"))


def entries(executor: ThreadExecutor, *programs: job_pb2.Program, **options: Any) -> Any:
    outcome = execute(executor, spec_of(*programs, **options))
    assert outcome.status == job_pb2.JOB_STATUS_DONE
    assert outcome.result is not None
    return outcome.result.programs


def read(array: result_pb2.Array) -> Any:
    assert google_crc32c.value(array.data) == array.crc32c
    return np.frombuffer(array.data, dtype=array.dtype).reshape(tuple(array.shape))


def counts(entry: result_pb2.ProgramResult) -> list[int]:
    return list(entry.counts.counts)


def test_each_row_gives_an_entry(executor: ThreadExecutor) -> None:
    bell = job_pb2.Program(openqasm2='include "qelib1.inc"; qreg q[1]; creg c[1]; x q[0]; measure q -> c;')
    swept = job_pb2.Program(circuit=ry_circuit(measured=True), inputs=rows(0.0, np.pi / 2, 0.4), shots=200)
    found = entries(executor, bell, swept, seed_simulator=3)
    assert [(entry.program_index, entry.row) for entry in found] == [(0, 0), (1, 0), (1, 1), (1, 2)]
    assert [entry.header.name for entry in found][1:] == ["ry"] * 3
    assert [entry.shots for entry in found] == [1024, 200, 200, 200]
    assert [list(entry.counts.outcomes) for entry in found] == [[1], [0], [1], [0, 1]]
    # Each entry has a stream of its own, so that equal rows don't give equal counts.
    swept.inputs.CopyFrom(rows(0.4, 0.4, 0.4, 0.4))
    several = [counts(entry) for entry in entries(executor, swept, seed_simulator=3)]
    assert len({tuple(count) for count in several}) > 1
    assert [counts(entry) for entry in entries(executor, swept, seed_simulator=3)] == several


def test_rows_of_states_and_matrices(executor: ThreadExecutor) -> None:
    program = job_pb2.Program(circuit=ry_circuit(), inputs=rows(*THETAS))
    states = entries(executor, program, backend="statevector_simulator")
    matrices = entries(executor, program, backend="unitary_simulator")
    for theta, state, matrix in zip(THETAS, states, matrices, strict=True):
        expected = [np.cos(theta), np.sin(theta)]
        np.testing.assert_allclose(read(state.arrays[0]), expected, atol=1e-12)
        np.testing.assert_allclose(read(matrix.arrays[0])[:, 0], expected, atol=1e-12)
    assert [state.arrays[0].part for state in states] == [f"{row}/statevector" for row in range(3)]


@pytest.mark.parametrize("backend", ["qasm_simulator", "statevector_simulator"])
def test_expectation_values_of_all_rows(executor: ThreadExecutor, backend: str) -> None:
    program = job_pb2.Program(circuit=ry_circuit(), inputs=rows(*THETAS), estimation=z_and_x())
    (entry,) = entries(executor, program, backend=backend)
    (array,) = entry.arrays
    assert (array.name, array.part, array.dtype) == ("expectation_values", "0/expectation_values", "<f8")
    doubled = 2 * np.array(THETAS)
    np.testing.assert_allclose(read(array), np.stack([np.cos(doubled), np.sin(doubled)], 1), atol=1e-12)
    assert (entry.shots, entry.method, entry.HasField("counts")) == (1, "sampled", False)


def test_expectation_values_of_pairs(executor: ThreadExecutor) -> None:
    estimation = z_and_x(rows=[2, 0, 2, 1], indices=[0, 1, 1, 0])
    program = job_pb2.Program(circuit=ry_circuit(), inputs=rows(*THETAS), estimation=estimation)
    (entry,) = entries(executor, program)
    expected = [np.cos(4), 0.0, np.sin(4), np.cos(1)]
    np.testing.assert_allclose(read(entry.arrays[0]), expected, atol=1e-12)


def test_the_noise_of_an_estimation_has_the_precision(executor: ThreadExecutor) -> None:
    estimation = z_and_x(rows=[0] * 4000, indices=[0] * 4000, precision=0.25)
    program = job_pb2.Program(circuit=ry_circuit(), inputs=rows(0.5), estimation=estimation)
    values = [read(entries(executor, program, seed_simulator=seed)[0].arrays[0]) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(values[0], values[1])
    assert not np.array_equal(values[0], values[2])
    assert abs(values[0].mean() - np.cos(1.0)) < 5 * 0.25 / 4000**0.5
    assert abs(values[0].std() / 0.25 - 1) < 0.06
    # A program of a sweep doesn't repeat the noise of the one before it.
    first, second = entries(executor, program, program, seed_simulator=1)
    assert not np.array_equal(read(first.arrays[0]), read(second.arrays[0]))


def test_an_estimation_of_random_outcomes_is_a_mean_over_shots(executor: ThreadExecutor) -> None:
    program = job_pb2.Program(
        circuit=ry_circuit(measured=True), inputs=rows(0.6, 0.6), estimation=z_and_x(), shots=500
    )
    (entry,) = entries(executor, program, seed_simulator=1)
    values = read(entry.arrays[0])
    assert (entry.shots, entry.method) == (500, "branched")
    # After the measurement nothing is left of X, and Z is 1 or -1 in each shot.
    np.testing.assert_allclose(values[:, 1], 0.0, atol=1e-12)
    np.testing.assert_allclose(values[:, 0] * 250 % 1, 0.0, atol=1e-9)
    assert abs(values[:, 0] - np.cos(1.2)).max() < 0.3
    assert values[0, 0] != values[1, 0]


def save(label: str, **kind: Any) -> pb.Operation:
    return pb.Operation(name="save", num_qubits=1, save=pb.Save(label=label, **kind))


def saving(*operations: pb.Operation) -> job_pb2.Program:
    table = [pb.Operation(name="h"), *operations]
    body = pb.Block(operations=range(len(table)), qubits=[0] * len(table))
    circuit = pb.Circuit(num_qubits=1, global_phase=np.pi, operations=table, body=body)
    return job_pb2.Program(circuit=circuit)


def test_saves_are_arrays_of_the_entry(executor: ThreadExecutor) -> None:
    program = saving(
        save("statevector", statevector=pb.SaveStatevector()),
        save("p", probabilities=pb.SaveProbabilities()),
        save("e", expectation_value=pb.Observable(paulis=["X", "Z"], coefficients=[2.0, 1.0])),
        pb.Operation(name="x"),
        pb.Operation(name="y"),
    )
    for backend in ("qasm_simulator", "basic_simulator", "statevector_simulator"):
        (entry,) = entries(executor, program, backend=backend)
        found = {array.name: read(array) for array in entry.arrays}
        # On the simulator of states too: what the circuit saves takes the place of the final state.
        assert sorted(found) == ["e", "p", "statevector"]
        np.testing.assert_allclose(found["statevector"], [-(0.5**0.5)] * 2, atol=1e-12)
        np.testing.assert_allclose(found["p"], [0.5, 0.5], atol=1e-12)
        np.testing.assert_allclose(found["e"], [2.0], atol=1e-12)
    single = entries(executor, program, precision=job_pb2.PRECISION_SINGLE)[0].arrays
    assert {array.dtype for array in single} == {"<c8", "<f8"}


def test_a_row_that_fails_leaves_the_others(executor: ThreadExecutor) -> None:
    quotient = pb.BinaryExpression(
        operator=pb.BINARY_OPERATOR_DIV,
        left=pb.Expression(literal=pb.Literal(float_value=1.0)),
        right=pb.Expression(variable=0),
    )
    circuit = ry_circuit()
    circuit.operations.append(pb.Operation(name="rx", parameter_expressions=[pb.Expression(binary=quotient)]))
    circuit.body.operations.append(1)
    circuit.body.qubits.append(0)
    program = job_pb2.Program(circuit=circuit, inputs=rows(1.0, 0.0, 2.0))
    outcome = execute(executor, spec_of(program, backend="statevector_simulator"))
    assert outcome.status == job_pb2.JOB_STATUS_ERROR
    assert outcome.result is not None
    assert outcome.error is not None
    statuses = [entry.status == job_pb2.JOB_STATUS_DONE for entry in outcome.result.programs]
    assert statuses == [True, False, True]
    assert outcome.error.reason == error_reason_pb2.ERROR_REASON_SIMULATION_FAILED
    assert (outcome.error.program_index, dict(outcome.error.metadata)) == (0, {"row": "1"})
    assert outcome.error.message.startswith("row 1: ")
    program.estimation.CopyFrom(z_and_x())
    outcome = execute(executor, spec_of(program))
    assert outcome.error is not None
    assert outcome.error.metadata["row"] == "1"


def refused(executor: ThreadExecutor, program: job_pb2.Program, **options: Any) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        executor.prepare(spec_of(program, **options))
    return caught.value


H = 'include "qelib1.inc"; qreg q[1]; h q[0];'


def integer_rows(
    *integers: int, words: int = 1, names: Sequence[str] = ("n",), values: Sequence[float] = ()
) -> job_pb2.Program:
    """A program of two inputs, one of which is given by integers."""
    circuit = ry_circuit()
    circuit.variables.add(name="n", input=True, type=pb.ClassicalType(kind=pb.CLASSICAL_KIND_INT))
    inputs = job_pb2.Inputs(
        names=["theta"] if values else [],
        values=values,
        integer_names=names,
        integers=integers,
        words_per_integer=words,
    )
    return job_pb2.Program(circuit=circuit, inputs=inputs)


@pytest.mark.parametrize(
    ("program", "field", "words"),
    [
        (job_pb2.Program(openqasm2=H, inputs=rows(1.0)), "inputs", "OpenQASM 2 has no inputs"),
        (
            job_pb2.Program(circuit=pb.Circuit(num_qubits=1), inputs=rows(1.0)),
            "inputs",
            "the circuit has no inputs",
        ),
        (job_pb2.Program(circuit=ry_circuit()), "inputs", "no values for them: theta"),
        (job_pb2.Program(circuit=ry_circuit(), inputs=rows()), "inputs", "0 values; give rows of 1"),
        (
            job_pb2.Program(circuit=ry_circuit(), inputs=job_pb2.Inputs(names=["phi"], values=[1.0])),
            "inputs",
            "'phi'",
        ),
        (job_pb2.Program(circuit=ry_circuit(), inputs=rows(1.0, np.nan)), "inputs", "nan in row 1"),
        (integer_rows(1, 2, words=0), "inputs", "'theta' is missing"),
        (integer_rows(), "inputs", "0 values; give rows of 1"),
        (integer_rows(1, 2, 3, words=2), "inputs", "3 values; give rows of 2"),
        (integer_rows(1, words=2_000), "inputs", "words_per_integer: 2,000; the most is 1,563"),
        (integer_rows(1, 2, names=["n", "n"]), "inputs", "given twice"),
        (integer_rows(1, values=[1.0, 2.0]), "inputs", "there are 1 rows of them, and 2 of values"),
        (integer_rows(1, names=[], values=[1.0]), "inputs", "integers: 1 values of no names"),
        (job_pb2.Program(openqasm2=H, estimation=job_pb2.Estimation()), "estimation", "no observable"),
        (job_pb2.Program(openqasm2=H, estimation=z_and_x(precision=-1.0)), "estimation", "precision: -1"),
        (
            job_pb2.Program(openqasm2=H, estimation=z_and_x(rows=[0])),
            "estimation",
            "indices: there are 1 rows",
        ),
        (
            job_pb2.Program(openqasm2=H, estimation=z_and_x(rows=[0, 1], indices=[0, 0])),
            "estimation",
            "rows[1]: 1 is out of range; there are 1",
        ),
        (
            job_pb2.Program(openqasm2=H, estimation=z_and_x(rows=[0], indices=[2])),
            "estimation",
            "indices[0]: 2 is out of range; there are 2",
        ),
        (
            job_pb2.Program(
                openqasm2=H,
                estimation=job_pb2.Estimation(observables=[pb.Observable(paulis=["ZZ"], coefficients=[1.0])]),
            ),
            "estimation",
            "observables[0].paulis[0]: it has 2 letters",
        ),
        (job_pb2.Program(openqasm2=H, shots=0), "shots", "0 is not allowed; give 1 to 100,000"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_field(
    executor: ThreadExecutor, program: job_pb2.Program, field: str, words: str
) -> None:
    error = refused(executor, program)
    assert error.field == f"programs[0].{field}"
    assert words in error.message
    assert error.metadata["program_index"] == "0"


def test_what_a_backend_cannot_do_is_refused(executor: ThreadExecutor) -> None:
    estimated = job_pb2.Program(openqasm2=H, estimation=z_and_x())
    assert "no state to estimate from" in refused(executor, estimated, backend="unitary_simulator").message
    saved = saving(save("memory", probabilities=pb.SaveProbabilities()))
    assert "save" in refused(executor, saved, backend="unitary_simulator").message
    assert "saves 'memory'" in refused(executor, saved, memory=True).message
    executor.prepare(spec_of(saved))
    saved.estimation.CopyFrom(z_and_x())
    assert "saves something" in refused(executor, saved).message
    assert "it keeps nothing" in refused(executor, saving(save("x"))).message


def test_rows_are_limited(config: Config) -> None:
    executor = ThreadExecutor(Config(data_dir=config.data_dir, max_rows=4))
    program = job_pb2.Program(circuit=ry_circuit(), inputs=rows(*THETAS))
    executor.prepare(spec_of(program))
    with pytest.raises(ServiceError) as caught:
        executor.prepare(spec_of(program, program))
    assert caught.value.reason_name == "PROGRAM_TOO_LARGE"
    assert caught.value.metadata == {"limit": "max_rows", "max": "4", "actual": "6"}


def test_other_rows_of_the_same_program_are_not_checked_again(executor: ThreadExecutor) -> None:
    program = job_pb2.Program(circuit=ry_circuit(), inputs=rows(0.1), estimation=z_and_x())
    first: Any = executor.prepare(spec_of(program))
    program.inputs.values[0] = 0.2
    program.shots = 7
    program.estimation.precision = 0.5
    second: Any = executor.prepare(spec_of(program))
    assert first.runs[0].program is second.runs[0].program
    program.estimation.observables[0].coefficients[0] = 2.0
    third: Any = executor.prepare(spec_of(program))
    assert first.runs[0].program is not third.runs[0].program


def test_the_memory_of_all_rows_is_counted(executor: ThreadExecutor) -> None:
    circuit = ry_circuit()
    circuit.num_qubits = 16
    one, four = (
        executor.prepare(
            spec_of(job_pb2.Program(circuit=circuit, inputs=rows(*values)), backend="statevector_simulator")
        ).required_bytes
        for values in ([0.0], [0.0] * 4)
    )
    assert four == pytest.approx(one + 3 * (16 << 16), rel=0.01)


def test_progress_and_cancellation_over_rows(executor: ThreadExecutor) -> None:
    program = job_pb2.Program(circuit=ry_circuit(measured=True), inputs=rows(*THETAS), shots=10)
    prepared: PreparedJob = executor.prepare(spec_of(program, program))
    control = prepared.new_control()
    assert control.progress().shots_total == 60
    outcome = whole(executor.execute(prepared, control, job_id="test"))
    assert outcome.status == job_pb2.JOB_STATUS_DONE
    assert control.progress() == job_pb2.Progress(
        fraction=1.0, shots_done=60, shots_total=60, programs_done=2, programs_total=2
    )
    control = prepared.new_control()
    control.cancel()
    assert whole(executor.execute(prepared, control, job_id="test")).status == job_pb2.JOB_STATUS_CANCELLED


def test_sweeps_of_many_rows_are_not_quick(executor: ThreadExecutor) -> None:
    few = job_pb2.Program(circuit=ry_circuit(), inputs=rows(0.1, 0.2))
    many = job_pb2.Program(circuit=ry_circuit(), inputs=rows(*[0.1] * 100), shots=1)
    assert executor.prepare(spec_of(few)).quick
    assert not executor.prepare(spec_of(many)).quick
