"""Running jobs: what each backend returns, one failure among several programs, cancellation, progress."""

from __future__ import annotations

import dataclasses
import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
import pytest
from basicaer.service.config import Config
from basicaer.service.errors import ServiceError
from basicaer.service.execution import ThreadExecutor
from basicaer.v1 import circuit_pb2 as pb
from basicaer.v1 import error_reason_pb2, job_pb2, result_pb2
from google.protobuf import json_format
from qiskit import QuantumCircuit, transpile
from qiskit_aer import AerSimulator

from tests.outcomes import whole

QASMBENCH = sorted((Path(__file__).parents[2] / "circuits" / "qasmbench").glob("*.qasm"))
BELL = 'OPENQASM 2.0; include "qelib1.inc"; qreg q[2]; creg c[2]; h q[0]; cx q[0],q[1]; measure q -> c;'
NO_MEASURE = 'include "qelib1.inc"; qreg q[2]; h q[0]; cx q[0],q[1];'
R = 0.5**0.5

# Divides by a variable that is zero.
FAILING = json_format.ParseDict(
    {
        "numQubits": 1,
        "variables": [{"name": "v", "type": {"kind": "CLASSICAL_KIND_UINT"}}],
        "operations": [
            {
                "name": "store",
                "store": {
                    "variable": 0,
                    "value": {
                        "binary": {
                            "operator": "BINARY_OPERATOR_DIV",
                            "left": {"literal": {"uintValue": 1}},
                            "right": {"variable": 0},
                        }
                    },
                },
            }
        ],
        "body": {"operations": [0]},
    },
    pb.Circuit(),
)


def read(array: result_pb2.Array) -> Any:
    assert google_crc32c.value(array.data) == array.crc32c
    assert array.size_bytes == len(array.data)
    return np.frombuffer(array.data, dtype=array.dtype).reshape(tuple(array.shape))


def counts(program: result_pb2.ProgramResult) -> dict[int, int]:
    assert program.counts.words_per_outcome == 1
    return dict(zip(program.counts.outcomes, program.counts.counts, strict=True))


# --- The backends -----------------------------------------------------------------------------------------


def test_counts(run: Any) -> None:
    outcome = run(BELL, shots=1000, seed_simulator=5)
    assert outcome.status == job_pb2.JOB_STATUS_DONE
    assert outcome.error is None
    assert outcome.parts == ()
    (program,) = outcome.result.programs
    assert (program.status, program.shots, program.seed_simulator) == (job_pb2.JOB_STATUS_DONE, 1000, 5)
    assert (program.method, len(program.arrays)) == ("sampled", 0)
    assert set(counts(program)) == {0, 3}
    assert sum(program.counts.counts) == 1000
    assert program.time_taken > 0
    assert (outcome.result.backend_name, outcome.result.success) == ("qasm_simulator", True)
    assert outcome.result.backend_version


def test_memory_has_the_outcome_of_each_shot(run: Any) -> None:
    (program,) = run(BELL, shots=300, memory=True, seed_simulator=5).result.programs
    (array,) = program.arrays
    memory = read(array)
    assert (array.name, array.part, array.dtype) == ("memory", "0/memory", "<u8")
    assert memory.shape == (300, 1)
    outcomes, times = np.unique(memory, return_counts=True)
    assert dict(zip(outcomes.tolist(), times.tolist(), strict=True)) == counts(program)


def test_a_circuit_without_classical_bits_has_no_counts(run: Any) -> None:
    (program,) = run(NO_MEASURE, memory=True).result.programs
    assert not program.HasField("counts")
    assert not program.arrays


def test_classical_bits_that_nothing_measures_stay_zero(run: Any) -> None:
    (program,) = run(NO_MEASURE + "creg c[2];", shots=7).result.programs
    assert counts(program) == {0: 7}


def test_a_statevector(run: Any) -> None:
    (program,) = run(NO_MEASURE, backend="statevector_simulator", shots=50).result.programs
    (array,) = program.arrays
    assert (array.name, array.part, array.dtype, list(array.shape)) == (
        "statevector",
        "0/statevector",
        "<c16",
        [4],
    )
    np.testing.assert_allclose(read(array), [R, 0, 0, R], atol=1e-15)
    assert program.shots == 1
    assert not program.HasField("counts")


def test_a_statevector_after_measurements_belongs_to_its_outcome(run: Any) -> None:
    seen = set()
    for seed in range(20):
        (program,) = run(BELL, backend="statevector_simulator", seed_simulator=seed).result.programs
        ((outcome, count),) = counts(program).items()
        expected = np.zeros(4)
        expected[outcome] = 1.0
        np.testing.assert_allclose(np.abs(read(program.arrays[0])), expected, atol=1e-15)
        assert count == 1
        seen.add(outcome)
    assert seen == {0, 3}


def test_a_unitary(run: Any) -> None:
    (program,) = run(
        'include "qelib1.inc"; qreg q[1]; s q[0]; barrier q;', backend="unitary_simulator"
    ).result.programs
    (array,) = program.arrays
    assert (array.name, array.part, list(array.shape)) == ("unitary", "0/unitary", [2, 2])
    np.testing.assert_allclose(read(array), np.diag([1, 1j]), atol=1e-15)


@pytest.mark.parametrize(
    ("statement", "word"),
    [
        ("measure q[0] -> c[0];", "measure"),
        ("reset q[0];", "reset"),
        ("if (c==1) x q[0];", "x under classical control"),
    ],
)
def test_the_unitary_simulator_refuses_what_has_no_matrix(run: Any, statement: str, word: str) -> None:
    text = f'include "qelib1.inc"; qreg q[1]; creg c[1]; h q[0]; {statement}'
    with pytest.raises(ServiceError, match="use qasm_simulator") as caught:
        run(text, backend="unitary_simulator")
    assert caught.value.reason_name == "PROGRAM_INVALID"
    assert f"{word} (instruction 1)" in caught.value.message


def test_single_precision(run: Any) -> None:
    (program,) = run(
        NO_MEASURE, backend="statevector_simulator", precision=job_pb2.PRECISION_SINGLE
    ).result.programs
    assert program.arrays[0].dtype == "<c8"
    np.testing.assert_allclose(read(program.arrays[0]), [R, 0, 0, R], atol=1e-6)


def test_small_parts_of_amplitudes_become_zero(run: Any) -> None:
    text = 'include "qelib1.inc"; qreg q[1]; ry(0.002) q[0];'
    for threshold, expected in ((0.0, 0.001), (0.01, 0.0)):
        (program,) = run(text, backend="statevector_simulator", chop_threshold=threshold).result.programs
        np.testing.assert_allclose(read(program.arrays[0])[1], expected, atol=1e-9)


def test_an_initial_state_and_an_initial_matrix(run: Any) -> None:
    text = 'include "qelib1.inc"; qreg q[1]; creg c[1]; x q[0]; measure q -> c;'
    one = pb.ComplexArray(shape=[2], values=[0, 0, 1, 0])
    assert counts(run(text, shots=9, initial_statevector=one).result.programs[0]) == {0: 9}
    y = pb.ComplexArray(shape=[2, 2], values=[0, 0, 0, -1, 0, 1, 0, 0])
    text = 'include "qelib1.inc"; qreg q[1]; s q[0];'
    (program,) = run(text, backend="unitary_simulator", initial_unitary=y).result.programs
    np.testing.assert_allclose(read(program.arrays[0]), np.diag([1, 1j]) @ [[0, -1j], [1j, 0]], atol=1e-15)


def test_the_header_has_what_labels_the_data(run: Any) -> None:
    circuit = pb.Circuit(
        name="named",
        global_phase=0.5,
        num_qubits=1,
        num_clbits=2,
        quantum_registers=[pb.Register(name="q", size=1)],
        classical_registers=[pb.Register(name="c", size=2)],
    )
    circuit.metadata["run"] = 4
    header = run(circuit).result.programs[0].header
    assert header == result_pb2.ProgramHeader(
        name="named",
        global_phase=0.5,
        num_qubits=1,
        num_clbits=2,
        quantum_registers=circuit.quantum_registers,
        classical_registers=circuit.classical_registers,
        metadata=circuit.metadata,
    )


def test_arrays_that_make_the_message_long_are_parts(config: Config, make_spec: Any) -> None:
    executor = ThreadExecutor(Config(data_dir=config.data_dir, max_inline_result_bytes=1200))
    prepared = executor.prepare(
        make_spec(NO_MEASURE, "qreg q[6];", NO_MEASURE, backend="statevector_simulator")
    )
    outcome = whole(executor.execute(prepared, prepared.new_control(), job_id="test"))
    assert outcome.result is not None
    small, large, last = (program.arrays[0] for program in outcome.result.programs)
    assert len(small.data) == len(last.data) == 64
    assert (large.part, large.size_bytes, large.data) == ("1/statevector", 1024, b"")
    (part,) = outcome.parts
    assert part.part == "1/statevector"
    assert part.data.nbytes == 1024
    assert google_crc32c.value(bytes(part.data)) == large.crc32c
    assert np.frombuffer(part.data, "<c16")[0] == 1.0
    assert outcome.result.ByteSize() <= 1200


@pytest.mark.parametrize("path", QASMBENCH, ids=lambda path: path.stem)
def test_qasmbench_agrees_with_aer(run: Any, path: Path) -> None:
    text, shots = path.read_text(), 10_000
    ours = counts(run(text, shots=shots, seed_simulator=3).result.programs[0])
    simulator = AerSimulator(seed_simulator=4)
    circuit = transpile(QuantumCircuit.from_qasm_str(text), simulator, optimization_level=0)
    data = simulator.run(circuit, shots=shots).result().data(0)["counts"]
    theirs = {int(outcome, 16): count for outcome, count in data.items()}
    keys = {*ours, *theirs}
    distance = sum(abs(ours.get(key, 0) - theirs.get(key, 0)) for key in keys) / (2 * shots)
    assert distance < 0.01 + 0.01 * len(keys) ** 0.5


# --- Seeds ------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_counts_and_programs_have_streams_of_their_own(run: Any) -> None:
    first, again, other = (run(BELL, BELL, seed_simulator=seed).result for seed in (7, 7, 8))
    assert first.programs[0].counts == again.programs[0].counts
    assert first.programs[1].counts == again.programs[1].counts
    assert first.programs[0].counts != first.programs[1].counts
    assert first.programs[0].counts != other.programs[0].counts


def test_a_seed_that_the_server_chose_is_told_and_gives_the_same(run: Any) -> None:
    result = run(BELL).result
    seed = result.programs[0].seed_simulator
    assert run(BELL).result.programs[0].seed_simulator != seed
    assert run(BELL, seed_simulator=seed).result.programs[0].counts == result.programs[0].counts


def test_the_largest_seed(run: Any) -> None:
    assert run(BELL, seed_simulator=2**64 - 1).result.programs[0].seed_simulator == 2**64 - 1


# --- Failures ---------------------------------------------------------------------------------------------


def test_a_program_that_fails_leaves_the_others_their_results(run: Any) -> None:
    outcome = run(BELL, FAILING, BELL, FAILING)
    assert outcome.status == job_pb2.JOB_STATUS_ERROR
    assert not outcome.result.success
    good, bad, last, _ = outcome.result.programs
    assert [program.status for program in (good, bad, last)] == [
        job_pb2.JOB_STATUS_DONE,
        job_pb2.JOB_STATUS_ERROR,
        job_pb2.JOB_STATUS_DONE,
    ]
    assert sum(good.counts.counts) == sum(last.counts.counts) == 1024
    assert outcome.error == bad.error
    assert outcome.error.program_index == 1
    assert outcome.error.reason == error_reason_pb2.ERROR_REASON_SIMULATION_FAILED
    assert "zero" in outcome.error.message


def test_a_defect_is_logged_and_told_without_its_details(
    executor: ThreadExecutor, make_spec: Any, caplog: pytest.LogCaptureFixture
) -> None:
    prepared: Any = executor.prepare(make_spec(BELL, BELL))
    # What no circuit can be makes the simulator fail.
    program = dataclasses.replace(prepared.runs[1].program, circuit=None)
    broken = dataclasses.replace(prepared.runs[1], program=program)
    prepared = dataclasses.replace(prepared, runs=[prepared.runs[0], broken])
    with caplog.at_level(logging.ERROR):
        outcome = whole(executor.execute(prepared, prepared.new_control(), job_id="job-17"))
    assert outcome.status == job_pb2.JOB_STATUS_ERROR
    assert outcome.error is not None
    assert (outcome.error.program_index, "NoneType" in outcome.error.message) == (1, False)
    assert "job-17" in caplog.text
    assert "AttributeError" in caplog.text


def test_only_its_own_jobs_are_run(executor: ThreadExecutor) -> None:
    with pytest.raises(TypeError):
        executor.execute(object(), object(), job_id="test")  # type: ignore[arg-type] # that is the point


# --- Cancellation and progress ----------------------------------------------------------------------------

# Rotations about two axes by turns don't cancel, so this takes seconds at any speed.
# Each qubit is entangled in each layer, so that no gates become one.
LAYER = "rx(0.1) q; " + "".join(f"cx q[{qubit}],q[{qubit + 1}]; " for qubit in range(23))
LONG = 'include "qelib1.inc"; qreg q[24];' + LAYER * 100


def test_a_job_that_was_cancelled_before_it_started(executor: ThreadExecutor, make_spec: Any) -> None:
    prepared = executor.prepare(make_spec(BELL))
    control = prepared.new_control()
    control.cancel()
    outcome = whole(executor.execute(prepared, control, job_id="test"))
    assert outcome.status == job_pb2.JOB_STATUS_CANCELLED
    again = whole(executor.execute(prepared, prepared.new_control(), job_id="test"))
    assert again.status == job_pb2.JOB_STATUS_DONE


def test_a_running_job_stops_and_its_progress_only_grows(executor: ThreadExecutor, make_spec: Any) -> None:
    prepared = executor.prepare(make_spec(BELL, LONG, backend="statevector_simulator"))
    control = prepared.new_control()
    seen: list[job_pb2.Progress] = [control.progress()]
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(executor.execute, prepared, control, job_id="test")
        while seen[-1].programs_done < 1 or seen[-1].fraction < 1e-4:
            seen.append(control.progress())
        control.cancel()
        assert future.result(timeout=30).status == job_pb2.JOB_STATUS_CANCELLED
    fractions = [progress.fraction for progress in seen]
    assert fractions == sorted(fractions)
    assert seen[0].fraction == 0.0
    assert fractions[-1] < 1.0
    assert (seen[-1].programs_total, seen[-1].shots_total, seen[-1].shots_done) == (2, 2, 1)


def test_progress_ends_with_everything_done(executor: ThreadExecutor, make_spec: Any) -> None:
    prepared = executor.prepare(make_spec(BELL, FAILING, shots=10))
    control = prepared.new_control()
    whole(executor.execute(prepared, control, job_id="test"))
    assert control.progress() == job_pb2.Progress(
        fraction=1.0, shots_done=20, shots_total=20, programs_done=2, programs_total=2
    )
