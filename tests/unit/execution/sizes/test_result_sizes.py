"""What is told of a result's size before its job runs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from basicaer.client import Circuit
from basicaer.service.config import Config
from basicaer.service.errors import ServiceError
from basicaer.service.execution import ThreadExecutor
from basicaer.v1 import job_pb2, result_pb2

from tests.fuzz.inputs.seeds import specs

INLINE = 100


@pytest.fixture(scope="module")
def executor() -> Iterator[ThreadExecutor]:
    made = ThreadExecutor(
        Config(data_dir=Path("unused"), max_memory_bytes=1 << 30, max_inline_result_bytes=INLINE)
    )
    yield made
    made.close()


def sizes(executor: ThreadExecutor, spec: job_pb2.JobSpec) -> tuple[int, int]:
    """What was said of the arrays, and what they took."""
    prepared = executor.prepare(spec)
    outcome = executor.execute(prepared, prepared.new_control(), job_id="j")
    assert outcome.result is not None
    message = outcome.result.SerializeToString() + b"".join(outcome.entries)
    programs = result_pb2.Result.FromString(message).programs
    arrays = sum(memoryview(part.data).nbytes for part in outcome.parts)
    failed = any(program.status != job_pb2.JOB_STATUS_DONE for program in programs)
    return (0 if failed else prepared.result_bytes), arrays


def test_a_result_has_what_was_said_at_least(executor: ThreadExecutor) -> None:
    compared = 0
    for spec in specs():
        # Some are no valid jobs.
        with contextlib.suppress(ServiceError):
            least, taken = sizes(executor, spec)
            assert least <= taken
            compared += 1
    assert compared > 10


def test_of_most_saves_the_size_is_known(executor: ThreadExecutor) -> None:
    circuit = (
        Circuit(4, 4).h(0).save_statevector().save_probabilities([0, 1]).save_expectation_value("Z", [0])
    )
    circuit.save_statevector("each", pershot=True)
    circuit.measure_all(add_bits=False)
    spec = job_pb2.JobSpec(
        backend_name="qasm_simulator", programs=[job_pb2.Program(circuit=circuit.to_message())]
    )
    spec.options.shots = 7
    spec.options.memory = True
    least, taken = sizes(executor, spec)
    # Of the small ones it isn't known whether they lie in the message.
    assert least == 8 * 16 * 16
    assert taken in (least, least + 4 * 8 + 8 + 7 * 8)
