"""Runs jobs in this process, on whatever thread it is called; the simulator frees the GIL while it works."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from basicaer import simulator as sim
from basicaer.service import version
from basicaer.service.config import Config, available_memory
from basicaer.service.errors import ServiceError, exceeds_memory
from basicaer.service.execution._cache import ProgramCache
from basicaer.service.execution._costs import is_quick, required_bytes, share
from basicaer.service.execution._entries import EntryContext, RowError, estimate, run_row
from basicaer.service.execution._interface import ExecutionControl, ExecutionOutcome, PreparedJob
from basicaer.service.execution._preparation import (
    PreparedProgram,
    check_for_backend,
    load_program,
    program_key,
)
from basicaer.service.execution._progress import Control, Share
from basicaer.service.execution._runs import ProgramRun, read_run
from basicaer.service.execution.backends import Backend, backend_infos, find_backend
from basicaer.service.execution.options import Settings, read_options
from basicaer.service.execution.results import LargeArrays
from basicaer.service.parsing import UNBOUNDED, Parsers, Patience, TakesLongError, openqasm2, too_large
from basicaer.v1 import error_reason_pb2, job_pb2, job_service_pb2, result_pb2

__all__ = ["ThreadExecutor"]

_log = logging.getLogger(__name__)

_SEED_BITS = 63
# For the programs that callers send again and again; they are small.
_CACHE_BYTES = 16 * 1024 * 1024
# What a text may make a parser process take. Valid ones of 16 MiB were seen to take 2.7 GB.
_LEAST_PARSER_MEMORY, _MOST_PARSER_MEMORY = 512 * 1024**2, 3 * 1024**3
# Short texts that are checked in a moment.
_FEW_TEXTS = 8
# What Job.required_bytes holds; no machine has more.
_MOST_BYTES = 2**64 - 1


@dataclass(frozen=True, slots=True, eq=False)
class _PreparedJob:
    """A job that was checked."""

    backend: Backend
    settings: Settings
    runs: Sequence[ProgramRun]
    shares: Sequence[Share]
    required_bytes: int
    size_bytes: int
    quick: bool

    @property
    def num_programs(self) -> int:
        return len(self.runs)

    @property
    def shots(self) -> int:
        return self.settings.shots

    @property
    def max_run_time(self) -> float | None:
        return self.settings.max_run_time

    def new_control(self) -> ExecutionControl:
        return Control(self.shares)


class ThreadExecutor:
    """The `Executor` of one process. Thread-safe. Make it on a thread that lives as long as the process."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._version = version()
        self._cache = ProgramCache(_CACHE_BYTES)
        self._parsers = Parsers(config.validation_workers, _parser_memory(config))
        openqasm2.load()

    def backends(self) -> list[job_service_pb2.BackendInfo]:
        """What ListBackends answers."""
        return backend_infos(self._config)

    def warm_up(self, on_compile: Callable[[str], None] | None = None) -> None:
        """Imports and compiles whatever the first job would have to wait for.

        Takes a second or two, and about a minute the first time on a machine, when the kernels are compiled.
        `on_compile` is called with the processor's name before that minute begins.
        """
        openqasm2.warm()
        with sim.told_of_compiling(on_compile):
            for dtype in ("c16", "c8"):
                sim.warm_up(dtype)
        text = (
            'OPENQASM 2.0; include "qelib1.inc"; qreg q[2]; creg c[2]; h q[0]; cx q[0],q[1]; measure q -> c;'
        )
        for backend in ("qasm_simulator", "statevector_simulator"):
            spec = job_pb2.JobSpec(
                backend_name=backend,
                programs=[job_pb2.Program(openqasm2=text)],
                options=job_pb2.RunOptions(shots=1),
            )
            prepared = self.prepare(spec)
            self.execute(prepared, prepared.new_control(), job_id="warm-up")

    def close(self) -> None:
        """Ends the parser processes. A `prepare` that waits for one raises GivenUpError. Idempotent."""
        self._parsers.close()

    def prepare(self, spec: job_pb2.JobSpec, patience: Patience | None = UNBOUNDED) -> PreparedJob:
        """See `Executor.prepare`."""
        config = self._config
        backend = find_backend(spec.backend_name)
        if not 1 <= len(spec.programs) <= config.max_programs:
            raise _wrong_number(len(spec.programs), config.max_programs)
        if patience is None and sum(source.HasField("openqasm2") for source in spec.programs) > _FEW_TEXTS:
            raise TakesLongError
        settings = read_options(spec.options, backend, max_shots=config.max_shots)
        runs: list[ProgramRun] = []
        size = 0
        for index, source in enumerate(spec.programs):
            program = self._load(source, index, patience)
            size += program.size_bytes
            if size > config.max_memory_bytes:
                # A thousand short texts can stand for more than the machine holds.
                raise exceeds_memory(size, config.max_memory_bytes)
            check_for_backend(program, index, backend, settings)
            runs.append(read_run(source, index, program, backend, settings, max_shots=config.max_shots))
        rows = sum(run.simulations for run in runs if run.values is not None)
        if rows > config.max_rows:
            fault = too_large(
                "max_rows", config.max_rows, rows, f"{rows:,} rows, and the most is {config.max_rows:,}"
            )
            raise ServiceError(fault.reason, fault.message, metadata=fault.metadata, field="programs")
        size += sum(run.values.nbytes for run in runs if run.values is not None)
        if settings.initial is not None:
            size += settings.initial.nbytes
        shares = [share(run) for run in runs]
        return _PreparedJob(
            backend=backend,
            settings=settings,
            runs=runs,
            shares=shares,
            quick=is_quick(runs, shares, settings),
            required_bytes=min(size + required_bytes(runs, backend, settings), _MOST_BYTES),
            size_bytes=size,
        )

    def _load(self, source: job_pb2.Program, index: int, patience: Patience | None) -> PreparedProgram:
        """Program `index` of a job, checked now or a short while ago."""
        key = program_key(source)
        program = None if key is None else self._cache.get(key)
        if program is None:
            limits = self._config
            program = load_program(
                source,
                index,
                self._parsers,
                patience,
                max_bytes=limits.max_program_bytes,
                max_instructions=limits.max_instructions,
            )
            if key is not None:
                self._cache.put(key, program)
        return program

    def execute(self, prepared: PreparedJob, control: ExecutionControl, *, job_id: str) -> ExecutionOutcome:
        """See `Executor.execute`."""
        if not isinstance(prepared, _PreparedJob) or not isinstance(control, Control):
            raise TypeError("a job and a control of this executor's are needed")
        settings = prepared.settings
        seed = secrets.randbits(_SEED_BITS) if settings.seed is None else settings.seed
        result = result_pb2.Result(
            backend_name=prepared.backend.name, backend_version=self._version, success=True
        )
        arrays = LargeArrays()
        first_error: job_pb2.JobError | None = None
        for index, run in enumerate(prepared.runs):
            for row in range(run.entries):
                started = time.perf_counter()
                number = len(result.programs)
                entry = result.programs.add(
                    status=job_pb2.JOB_STATUS_DONE,
                    header=run.program.header,
                    shots=run.shots,
                    seed_simulator=seed,
                    program_index=index,
                    row=row,
                )
                context = EntryContext(prepared.backend.task, settings, control, arrays, seed, number, index)
                try:
                    if run.estimation is None:
                        run_row(run, row, context, entry)
                    else:
                        estimate(run, context, entry)
                except sim.SimulationCancelled:
                    return ExecutionOutcome(job_pb2.JOB_STATUS_CANCELLED)
                except Exception as error:
                    entry.status = job_pb2.JOB_STATUS_ERROR
                    entry.error.CopyFrom(_entry_error(error, run, index, row, job_id))
                    if first_error is None:
                        first_error = entry.error
                entry.time_taken = time.perf_counter() - started
        control.end()
        result.success = first_error is None
        parts = arrays.place(result, self._config.max_inline_result_bytes)
        if first_error is None:
            return ExecutionOutcome(job_pb2.JOB_STATUS_DONE, result, parts)
        return ExecutionOutcome(job_pb2.JOB_STATUS_ERROR, result, parts, first_error)


def _parser_memory(config: Config) -> int:
    """What a parser process may take, in bytes: its share of what simulations leave free."""
    free = max(available_memory() - config.max_memory_bytes, 0)
    return min(max(free // config.validation_workers, _LEAST_PARSER_MEMORY), _MOST_PARSER_MEMORY)


def _entry_error(error: Exception, run: ProgramRun, index: int, row: int, job_id: str) -> job_pb2.JobError:
    """Why an entry failed while it ran, with its row if its program has inputs."""
    cause: BaseException = error
    if isinstance(error, RowError) and error.__cause__ is not None:
        row, cause = error.row, error.__cause__
    found = _program_error(cause, index, job_id)
    if run.values is not None:
        found.message = f"row {row}: {found.message}"
        found.metadata["row"] = str(row)
    return found


def _program_error(error: BaseException, index: int, job_id: str) -> job_pb2.JobError:
    """Why a program failed while it ran."""
    metadata: dict[str, str] = {}
    match error:
        case sim.SimulationFailed():
            reason, message = error_reason_pb2.ERROR_REASON_SIMULATION_FAILED, error.message
        case sim.OptionError():
            reason, message = (
                error_reason_pb2.ERROR_REASON_OPTION_INVALID,
                f"options.{error.option}: {error.message}",
            )
            metadata["field"] = f"options.{error.option}"
        case sim.CircuitError():
            reason, message = error_reason_pb2.ERROR_REASON_PROGRAM_INVALID, error.message
        case MemoryError():
            reason = error_reason_pb2.ERROR_REASON_SIMULATION_FAILED
            message = "the machine ran out of memory; run fewer qubits or shots, or use single precision"
        case _:
            _log.error("job %s: program %d failed by a defect", job_id, index, exc_info=error)
            reason = error_reason_pb2.ERROR_REASON_INTERNAL
            message = "The server failed at this by a defect of its own; its log holds the cause."
    return job_pb2.JobError(reason=reason, message=message, program_index=index, metadata=metadata)


def _wrong_number(count: int, most: int) -> ServiceError:
    if count == 0:
        return ServiceError(
            error_reason_pb2.ERROR_REASON_OPTION_INVALID,
            "programs: there is none; give at least one.",
            metadata={"field": "programs"},
            field="programs",
        )
    fault = too_large("max_programs", most, count, f"a job has {count:,} programs, and the most is {most:,}")
    return ServiceError(fault.reason, fault.message, metadata=fault.metadata, field="programs")
