"""Preparing jobs: the memory that they will need, the cache of checked programs, sharing among threads."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from basicaer.service.config import Config
from basicaer.service.errors import ServiceError, exceeds_memory
from basicaer.service.execution import ThreadExecutor
from basicaer.service.execution.executor import _apart_memory
from basicaer.service.execution.preparing.cache import ProgramCache
from basicaer.service.execution.preparing.programs import load_program
from basicaer.service.parsing import Parsers
from basicaer.v1 import circuit_pb2, job_pb2

from tests.outcomes import whole

BELL = 'OPENQASM 2.0; include "qelib1.inc"; qreg q[2]; creg c[2]; h q[0]; cx q[0],q[1]; measure q -> c;'


def test_the_need_of_a_state_is_known_before(executor: ThreadExecutor, make_spec: Any) -> None:
    text = "qreg q[20]; U(1,2,3) q;"
    one = executor.prepare(make_spec(text, backend="statevector_simulator")).required_bytes
    three = executor.prepare(make_spec(text, text, text, backend="statevector_simulator")).required_bytes
    state = 16 << 20
    assert state <= one <= 4 * state
    # Programs run one after another, but their results are kept.
    assert three == pytest.approx(one + 2 * state, rel=0.01)
    single = executor.prepare(
        make_spec(text, backend="statevector_simulator", precision=job_pb2.PRECISION_SINGLE)
    ).required_bytes
    assert single < one
    shots = executor.prepare(make_spec(text, text)).required_bytes
    assert shots < state + one


@pytest.mark.parametrize("qubits", [60, 64, 10_000, 100_000])
@pytest.mark.parametrize("backend", ["qasm_simulator", "statevector_simulator", "unitary_simulator"])
def test_needs_that_no_machine_meets_are_numbers_too(
    executor: ThreadExecutor, make_spec: Any, qubits: int, backend: str
) -> None:
    options = {"method": job_pb2.SIMULATION_METHOD_STATEVECTOR} if backend == "qasm_simulator" else {}
    text = f'include "qelib1.inc"; qreg q[{qubits}]; h q;'
    prepared = executor.prepare(make_spec(text, backend=backend, **options))
    assert prepared.required_bytes >= 2**60
    refusal = exceeds_memory(prepared.required_bytes, 20 << 30, prepared.memory_advice(20 << 30))
    assert len(refusal.message) < 500
    assert int(refusal.metadata["required_bytes"]) >= 2**60
    assert str(2**64 - 1) not in f"{refusal.message} {refusal.metadata}".replace(",", "")


@pytest.mark.parametrize(
    ("text", "backend", "words"),
    [
        (
            "qreg q[127]; h q[3]; cx q[3],q[9]; x q[100];",
            "statevector_simulator",
            [
                "2^131 bytes",
                "20 GiB",
                "all 127 qubits",
                "gates act on 3 alone",
                "30 qubits fit, and 31 in single",
            ],
        ),
        (
            "qreg q[127]; creg c[2]; "
            + " ".join(f"h q[{qubit}];" for qubit in range(34))
            + " measure q[0] -> c[0];",
            "qasm_simulator",
            [
                *("256 GiB", "20 GiB", "34 of the 127 qubits", "that gates act on", "30 qubits fit"),
                "method=stabilizer needs 1 MiB",
            ],
        ),
        ("qreg q[40]; h q;", "unitary_simulator", ["2^84 bytes", "matrix of all 40", "15 qubits fit"]),
        ("qreg q[40]; h q;", "statevector_simulator", ["16 TiB", "40 of the 40 qubits"]),
    ],
)
def test_a_refusal_says_which_qubits_count_and_what_fits(
    executor: ThreadExecutor, make_spec: Any, text: str, backend: str, words: list[str]
) -> None:
    options = {"method": job_pb2.SIMULATION_METHOD_STATEVECTOR} if backend == "qasm_simulator" else {}
    prepared = executor.prepare(make_spec(f'include "qelib1.inc"; {text}', backend=backend, **options))
    refusal = exceeds_memory(prepared.required_bytes, 20 << 30, prepared.memory_advice(20 << 30))
    for word in words:
        assert word in refusal.message


def test_a_refusal_for_shots_speaks_of_no_qubits(executor: ThreadExecutor, make_spec: Any) -> None:
    text = 'include "qelib1.inc"; qreg q[2]; creg c[2]; h q; measure q -> c;'
    prepared = executor.prepare(make_spec(text, shots=100_000, memory=True))
    assert "shots" in prepared.memory_advice(1 << 20)
    assert "qubits" not in prepared.memory_advice(1 << 20)


def test_a_program_that_is_sent_again_is_not_checked_again(executor: ThreadExecutor, make_spec: Any) -> None:
    first = executor.prepare(make_spec(BELL, shots=5))
    second = executor.prepare(make_spec(BELL, shots=6))
    assert first.runs[0].program is second.runs[0].program  # type: ignore[attr-defined] # its own class
    assert (first.shots, second.shots, first.num_programs) == (5, 6, 1)
    assert first.size_bytes > 0


def test_equal_programs_of_a_large_job_are_checked_once(executor: ThreadExecutor, make_spec: Any) -> None:
    gates = 10_000
    body = circuit_pb2.Block(operations=[0] * gates + [1], qubits=[0] * (gates + 1), clbits=[0])
    operations = [circuit_pb2.Operation(name=name) for name in ("h", "measure")]
    circuit = circuit_pb2.Circuit(num_qubits=1, num_clbits=1, operations=operations, body=body)
    spec = make_spec(*[circuit] * 100)
    assert spec.ByteSize() > 2**20
    prepared = executor.prepare(spec, size=spec.ByteSize())
    assert len({id(run.program) for run in prepared.runs}) == 1  # type: ignore[attr-defined] # its own class


def test_the_cache_forgets_the_oldest(executor: ThreadExecutor) -> None:
    program = load_program(
        job_pb2.Program(openqasm2=BELL), 0, Parsers(1, 1 << 30), None, max_bytes=1000, max_instructions=10
    )
    cache = ProgramCache(3 * program.size_bytes)
    for key in (b"a", b"b", b"a", b"c"):
        if cache.get(key) is None:
            cache.put(key, program)
    assert cache.get(b"a") is program
    assert cache.get(b"b") is None
    cache.put(b"x" * 100_000, program)
    assert cache.get(b"x" * 100_000) is None


def test_programs_beyond_the_memory_are_refused_early(config: Config, make_spec: Any) -> None:
    executor = ThreadExecutor(Config(data_dir=config.data_dir, max_memory_bytes=1_000_000))
    long = 'include "qelib1.inc"; qreg q[1];' + "x q[0];" * 1500
    assert executor.prepare(make_spec(long)).size_bytes < 1_000_000
    with pytest.raises(ServiceError) as caught:
        executor.prepare(make_spec(long, long, long, "no program"))
    assert caught.value.reason_name == "JOB_EXCEEDS_MEMORY"


def test_parsers_share_what_simulations_leave_free(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("basicaer.service.execution.executor.available_memory", lambda: 20 << 30)
    for budget, workers, share in ((16, 2, 2 << 30), (16, 4, 1 << 30), (19, 4, 512 << 20), (1, 1, 3 << 30)):
        config = Config(data_dir=config.data_dir, max_memory_bytes=budget << 30, validation_workers=workers)
        assert _apart_memory(config) == share


def test_the_spec_is_neither_kept_nor_changed(executor: ThreadExecutor, make_spec: Any) -> None:
    spec = make_spec("qreg q[1]; U(1,2,3) q[0];", BELL, memory=True)
    before = spec.SerializeToString(deterministic=True)
    prepared = executor.prepare(spec)
    assert spec.SerializeToString(deterministic=True) == before
    spec.Clear()
    result = whole(executor.execute(prepared, prepared.new_control(), job_id="test")).result
    assert result is not None
    assert result.programs[1].counts


def test_many_threads_run_one_prepared_job(executor: ThreadExecutor, make_spec: Any) -> None:
    prepared = executor.prepare(make_spec(BELL, "qreg q[2]; CX q[0],q[1];", seed_simulator=1))
    barrier = threading.Barrier(8)

    def run_one() -> bytes:
        barrier.wait()
        outcome = whole(executor.execute(prepared, prepared.new_control(), job_id="test"))
        assert outcome.result is not None
        return outcome.result.programs[0].counts.SerializeToString()

    with ThreadPoolExecutor(8) as pool:
        results = [future.result() for future in [pool.submit(run_one) for _ in range(8)]]
    assert len(set(results)) == 1


def test_warming_up_runs_everything_once(executor: ThreadExecutor) -> None:
    executor.warm_up()


def test_a_program_that_is_known_costs_what_a_new_one_does(
    config: Config, executor: ThreadExecutor, make_spec: Any
) -> None:
    text = 'include "qelib1.inc"; qreg q[12]; creg c[12]; h q; reset q[0]; h q[0]; measure q -> c;'
    initial = circuit_pb2.ComplexArray(shape=[4096], data=bytes([0] * 6 + [240, 63]) + bytes(4095 * 16 + 8))
    every: list[dict[str, Any]] = [
        {"shots": 1},
        {"shots": 100_000},
        {"shots": 100_000, "memory": True},
        {"shots": 100_000, "precision": job_pb2.PRECISION_SINGLE},
        {"shots": 100_000, "initial_statevector": initial},
        {"shots": 1},
    ]
    for backend in ("qasm_simulator", "statevector_simulator"):
        for options in every:
            spec = make_spec(text, backend=backend, **options)
            known = executor.prepare(spec)
            fresh = ThreadExecutor(config)
            new = fresh.prepare(spec)
            fresh.close()
            assert (known.required_bytes, known.quick) == (new.required_bytes, new.quick)
