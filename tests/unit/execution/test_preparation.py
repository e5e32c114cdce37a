"""Preparing jobs: the memory that they will need, the cache of checked programs, sharing among threads."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from basicaer.service.config import Config
from basicaer.service.errors import ServiceError
from basicaer.service.execution import ThreadExecutor
from basicaer.service.execution._cache import ProgramCache
from basicaer.service.execution._preparation import load_program
from basicaer.service.execution.executor import _parser_memory
from basicaer.service.parsing import Parsers
from basicaer.v1 import job_pb2

BELL = 'OPENQASM 2.0; include "qelib1.inc"; qreg q[2]; creg c[2]; h q[0]; cx q[0],q[1]; measure q -> c;'


def test_the_need_of_a_state_is_known_before(executor: ThreadExecutor, make_spec: Any) -> None:
    text = "qreg q[20];"
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
    prepared = executor.prepare(
        make_spec(f'include "qelib1.inc"; qreg q[{qubits}]; h q[0];', backend=backend)
    )
    assert 2**60 <= prepared.required_bytes < 2**64


def test_a_program_that_is_sent_again_is_not_checked_again(executor: ThreadExecutor, make_spec: Any) -> None:
    first = executor.prepare(make_spec(BELL, shots=5))
    second = executor.prepare(make_spec(BELL, shots=6))
    assert first.runs[0].program is second.runs[0].program  # type: ignore[attr-defined] # its own class
    assert (first.shots, second.shots, first.num_programs) == (5, 6, 1)
    assert first.size_bytes > 0


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
        assert _parser_memory(config) == share


def test_the_spec_is_neither_kept_nor_changed(executor: ThreadExecutor, make_spec: Any) -> None:
    spec = make_spec("qreg q[1];", BELL, memory=True)
    before = spec.SerializeToString(deterministic=True)
    prepared = executor.prepare(spec)
    assert spec.SerializeToString(deterministic=True) == before
    spec.Clear()
    assert executor.execute(prepared, prepared.new_control(), job_id="test").result.programs[1].counts


def test_many_threads_run_one_prepared_job(executor: ThreadExecutor, make_spec: Any) -> None:
    prepared = executor.prepare(make_spec(BELL, "qreg q[2];", seed_simulator=1))
    barrier = threading.Barrier(8)

    def run_one() -> bytes:
        barrier.wait()
        outcome = executor.execute(prepared, prepared.new_control(), job_id="test")
        return outcome.result.programs[0].counts.SerializeToString()

    with ThreadPoolExecutor(8) as pool:
        results = [future.result() for future in [pool.submit(run_one) for _ in range(8)]]
    assert len(set(results)) == 1


def test_warming_up_runs_everything_once(executor: ThreadExecutor) -> None:
    executor.warm_up()
