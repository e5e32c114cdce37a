"""Checker processes: they say what this process would, end with their callers, and have bounded memory."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from basicaer.service.config import Config
from basicaer.service.errors import ServiceError
from basicaer.service.execution import ThreadExecutor
from basicaer.service.execution._acceptance import accept
from basicaer.service.execution._checkers import Checkers, decode_refusal, encode_refusal
from basicaer.service.parsing import GivenUpError, Patience
from basicaer.service.wire import invalid_message, read_spec
from basicaer.v1 import circuit_pb2, error_reason_pb2, job_pb2
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.inputs.seeds import specs

CONFIG = Config(data_dir=Path("unused"), max_memory_bytes=1 << 30, max_nodes=4)
SPECS = [spec.SerializeToString() for spec in specs()]


@pytest.fixture(scope="module")
def checkers() -> Iterator[Checkers]:
    made = Checkers(CONFIG, 1 << 30)
    yield made
    made.close()


@pytest.fixture(scope="module")
def executor() -> Iterator[ThreadExecutor]:
    made = ThreadExecutor(CONFIG)
    yield made
    made.close()


def ifs(count: int) -> bytes:
    """Returns a spec of so many ifs, each of which takes a fraction of a millisecond to check."""
    circuit = circuit_pb2.Circuit(num_qubits=1, num_clbits=1)
    circuit.operations.add(name="x")
    for _ in range(count):
        choice = circuit.operations.add(name="if_else").if_else
        choice.condition.clbit = 0
        choice.then_block.operations.append(0)
        choice.then_block.qubits.append(0)
    circuit.body.operations.extend(range(1, count + 1))
    spec = job_pb2.JobSpec(backend_name="qasm_simulator", programs=[job_pb2.Program(circuit=circuit)])
    return spec.SerializeToString()


def told(error: ServiceError) -> tuple[object, ...]:
    return error.reason, error.message, error.metadata, error.retry_after, error.field


def here(executor: ThreadExecutor, data: bytes) -> object:
    """Returns what this process says of a spec."""
    try:
        spec = read_spec(data)
        job, _ = accept(
            spec.message,
            lambda: executor.prepare(spec.message, columns=spec.columns, size=spec.size),
            max_memory_bytes=CONFIG.max_memory_bytes,
            max_metadata_bytes=CONFIG.max_metadata_bytes,
            most_result_bytes=CONFIG.most_result_bytes,
        )
    except DecodeError:
        return told(invalid_message(job_pb2.JobSpec.DESCRIPTOR))
    except ServiceError as error:
        return told(error)
    return job


def there(checkers: Checkers, data: bytes) -> object:
    """Returns what a checker says of it."""
    try:
        return checkers.check(data, Patience())
    except ServiceError as error:
        return told(error)


@pytest.mark.parametrize("number", range(len(SPECS)))
def test_a_checker_says_what_this_process_does(
    checkers: Checkers, executor: ThreadExecutor, number: int
) -> None:
    assert there(checkers, SPECS[number]) == here(executor, SPECS[number])


@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_it_says_the_same_of_what_is_broken(
    checkers: Checkers, executor: ThreadExecutor, data: st.DataObject
) -> None:
    spec = bytearray(data.draw(st.sampled_from(SPECS)))
    for _ in range(data.draw(st.integers(1, 3))):
        spec[data.draw(st.integers(0, len(spec) - 1))] = data.draw(st.integers(0, 255))
    assert there(checkers, bytes(spec)) == here(executor, bytes(spec))


def _is_past(end: float) -> bool:
    return time.monotonic() > end


def test_a_checker_is_left_with_its_caller(checkers: Checkers) -> None:
    spec = ifs(49_000)
    for seconds in (0.05, 0.5, 2.0):
        with pytest.raises(GivenUpError):
            checkers.check(spec, Patience(partial(_is_past, time.monotonic() + seconds)))
        assert not checkers._processes._busy
    # What is asked next is answered by another process.
    assert isinstance(there(checkers, SPECS[0]), job_pb2.Job | tuple)


def test_a_job_that_takes_too_much_memory_is_refused() -> None:
    checkers = Checkers(CONFIG, 48 << 20)
    try:
        with pytest.raises(ServiceError, match="48 MiB") as caught:
            checkers.check(ifs(30_000), Patience())
        assert caught.value.reason_name == "PROGRAM_TOO_LARGE"
        assert caught.value.metadata["limit"] == "checker_memory"
        assert isinstance(there(checkers, ifs(10)), job_pb2.Job)
    finally:
        checkers.close()


def test_a_refusal_survives_its_way() -> None:
    error = ServiceError(
        error_reason_pb2.ERROR_REASON_PROGRAM_INVALID,
        "ä\n",
        metadata={"a": "b"},
        retry_after=2.5,
        field="programs[0]",
    )
    assert told(decode_refusal(encode_refusal(error))) == told(error)


def test_a_result_that_the_database_does_not_take_is_refused_there_too() -> None:
    circuit = circuit_pb2.Circuit(num_qubits=23)
    spec = job_pb2.JobSpec(backend_name="statevector_simulator", programs=[job_pb2.Program(circuit=circuit)])
    of_database = replace(CONFIG, database="postgresql://basicaer:secret@db/jobs")
    of_both = replace(of_database, object_store="s3://results")
    for config, refused in ((CONFIG, False), (of_both, False), (of_database, True)):
        checkers = Checkers(config, 1 << 30)
        try:
            answer = there(checkers, spec.SerializeToString())
        finally:
            checkers.close()
        if refused:
            assert isinstance(answer, tuple)
            assert answer[0] == error_reason_pb2.ERROR_REASON_RESULT_TOO_LARGE
        else:
            assert isinstance(answer, job_pb2.Job)
