"""Specs of jobs, through the executor: refused with a reason of the contract, or run to a readable result."""

from __future__ import annotations

import contextlib
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from random import Random

from basicaer.client import BasicAerError, Result
from basicaer.service.config import Config
from basicaer.service.doors.grpc._status import DETAILS_LIMIT, status_of
from basicaer.service.errors import ServiceError
from basicaer.service.execution import ExecutionOutcome, ThreadExecutor
from basicaer.v1 import error_reason_pb2 as reasons
from basicaer.v1 import job_pb2
from google.protobuf.message import DecodeError

from tests.fuzz.inputs.mutation import mutate_bytes, mutate_message
from tests.fuzz.inputs.seeds import OPENQASM2_WORDS, WORDS, specs
from tests.fuzz.targets import Target
from tests.outcomes import whole

__all__ = ["SPECS"]

_REFUSALS = (
    reasons.ERROR_REASON_PROGRAM_INVALID,
    reasons.ERROR_REASON_PROGRAM_TOO_LARGE,
    reasons.ERROR_REASON_OPTION_INVALID,
    reasons.ERROR_REASON_BACKEND_NOT_FOUND,
    reasons.ERROR_REASON_JOB_EXCEEDS_MEMORY,
)
_FAILURES = (
    reasons.ERROR_REASON_SIMULATION_FAILED,
    reasons.ERROR_REASON_PROGRAM_INVALID,
    reasons.ERROR_REASON_OPTION_INVALID,
)
# What is run, and for how long (bytes, seconds).
_MOST_MEMORY = 1 << 20
_RUN_TIME = 0.2
_WORDS = (*WORDS, *OPENQASM2_WORDS)


class _Bench:
    """The executor that is given the specs."""

    def __init__(self) -> None:
        self.executor: ThreadExecutor | None = None

    @contextlib.contextmanager
    def around(self) -> Iterator[None]:
        """Makes it, with narrow limits."""
        config = Config(
            data_dir=Path(tempfile.gettempdir()),
            workers=1,
            max_memory_bytes=1 << 26,
            max_shots=2_000,
            max_programs=8,
            max_rows=64,
            max_program_bytes=20_000,
            max_instructions=2_000,
            max_inline_result_bytes=4 * _MOST_MEMORY,
        )
        with contextlib.closing(ThreadExecutor(config)) as self.executor:
            yield


_bench = _Bench()


def _run(data: bytes) -> None:
    try:
        spec = job_pb2.JobSpec.FromString(data)
    except DecodeError:
        return
    executor = _bench.executor
    assert executor is not None
    try:
        prepared = executor.prepare(spec)
    except ServiceError as error:
        assert error.reason in _REFUSALS, error
        assert error.message
        assert status_of(error).ByteSize() <= DETAILS_LIMIT
        return
    if prepared.required_bytes > _MOST_MEMORY:
        return
    control = prepared.new_control()
    # A loop without an end is a valid program.
    timer = threading.Timer(_RUN_TIME, control.cancel)
    timer.start()
    try:
        outcome = whole(executor.execute(prepared, control, job_id="fuzzed"))
    finally:
        timer.cancel()
    _check_outcome(outcome)


def _check_outcome(outcome: ExecutionOutcome) -> None:
    if outcome.status == job_pb2.JOB_STATUS_CANCELLED:
        return
    assert outcome.status in (job_pb2.JOB_STATUS_DONE, job_pb2.JOB_STATUS_ERROR)
    assert (outcome.error is None) == (outcome.status == job_pb2.JOB_STATUS_DONE)
    assert outcome.result is not None
    for program in outcome.result.programs:
        if program.status != job_pb2.JOB_STATUS_DONE:
            assert program.error.reason in _FAILURES, program.error
    message = type(outcome.result).FromString(outcome.result.SerializeToString())
    assert not outcome.parts, "all of so small a result is inside of it"
    result = Result(message)
    for index, program in enumerate(message.programs):
        with contextlib.suppress(BasicAerError):
            result.get_counts(index)
        if program.status == job_pb2.JOB_STATUS_DONE and program.HasField("counts"):
            assert sum(result.get_counts(index).values()) == program.shots


def _mutate(data: bytes, random: Random) -> bytes:
    try:
        spec = job_pb2.JobSpec.FromString(data)
    except DecodeError:
        return mutate_bytes(data, random)
    for _ in range(random.randrange(1, 4)):
        mutate_message(spec, random, _WORDS)
    return spec.SerializeToString()


SPECS = Target(
    name="specs",
    run=_run,
    seeds=lambda: [spec.SerializeToString() for spec in specs()],
    mutate=_mutate,
    around=_bench.around,
)
