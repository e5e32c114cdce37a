"""Runs jobs in this process, on whatever thread it is called; the simulator frees the GIL while it works."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from basicaer import simulator as sim
from basicaer.service import version
from basicaer.service.config import Config, available_memory
from basicaer.service.errors import ServiceError, exceeds_memory, option_invalid
from basicaer.service.execution._checked import CheckedJob, new_seed
from basicaer.service.execution._checkers import Checkers
from basicaer.service.execution._entries import EntryContext, estimate, run_row
from basicaer.service.execution._failures import entry_error, is_everywhere, is_lost
from basicaer.service.execution._interface import (
    ExecutionControl,
    ExecutionLostError,
    ExecutionOutcome,
    PreparedJob,
)
from basicaer.service.execution._progress import Control
from basicaer.service.execution.backends import backend_infos, find_backend
from basicaer.service.execution.options import read_options
from basicaer.service.execution.preparing.abilities import check_for_backend
from basicaer.service.execution.preparing.cache import ProgramCache
from basicaer.service.execution.preparing.costs import cost, is_quick, share
from basicaer.service.execution.preparing.programs import (
    LARGEST_KEY,
    PreparedProgram,
    load_program,
    program_key,
)
from basicaer.service.execution.preparing.runs import ProgramRun, read_run
from basicaer.service.execution.preparing.sizes import (
    check_message_size,
    least_array_bytes,
    least_message_bytes,
)
from basicaer.service.execution.preparing.spreading import Programs, spread
from basicaer.service.execution.results.writer import ResultFullError, ResultWriter
from basicaer.service.parsing import (
    LANGUAGES,
    UNBOUNDED,
    Parsers,
    Patience,
    TakesLongError,
    pause_of,
    text_of,
    too_large,
)
from basicaer.service.wire import NO_COLUMNS, Columns
from basicaer.simulator import distributed
from basicaer.v1 import job_pb2, job_service_pb2, result_pb2

__all__ = ["ThreadExecutor"]

# How many streams a seed has: those that the wire's uint32 can name.
_STREAMS = 2**32
# For the programs that callers send again and again; they are small.
_CACHE_BYTES = 16 * 1024 * 1024
# A larger job has its programs checked each time, unless they are many and small.
_MOST_KEPT = 1024 * 1024
# What a text or a job may make another process take. Valid ones of 16 MiB were seen to take 2.7 GB.
_LEAST_APART, _MOST_APART = 512 * 1024**2, 3 * 1024**3
# Short texts that are checked in a moment.
_FEW_TEXTS = 8


class ThreadExecutor:
    """The `Executor` of one process. Thread-safe. Make it on a thread that lives as long as the process."""

    def __init__(
        self,
        config: Config,
        parsers: Parsers | None = None,
        most_bytes: Callable[[int], int] | None = None,
    ) -> None:
        """`parsers` are those of texts; processes of their own when None. `most_bytes` says what each of so
        many nodes has for a job, in bytes; as much as the settings say when None.
        """
        self._config = config
        self._most_bytes = most_bytes or (lambda nodes: config.max_memory_bytes)
        self._version = version()
        self._cache = ProgramCache(_CACHE_BYTES)
        most_memory = _apart_memory(config)
        self._parsers = parsers or Parsers(config.validation_workers, most_memory)
        self._checkers = Checkers(config, most_memory)
        if parsers is None:
            for language in LANGUAGES.values():
                language.load()

    @property
    def largest_bytes(self) -> int:
        """See `Executor.largest_bytes`."""
        return self._config.max_memory_bytes

    def nodes(self) -> Sequence[job_service_pb2.Node]:
        """See `Executor.nodes`."""
        return ()

    @property
    def max_nodes(self) -> int:
        """See `Executor.max_nodes`."""
        return 1

    def backends(self) -> list[job_service_pb2.BackendInfo]:
        """Return what ListBackends answers."""
        return backend_infos(self._config)

    def warm_up(self, on_compile: Callable[[str], None] | None = None) -> None:
        """Import and compile whatever the first job would have to wait for.

        Takes a second or two, and about a minute the first time on a machine, when the kernels are compiled.
        `on_compile` is called with the processor's name before that minute begins.
        """
        for language in LANGUAGES.values():
            language.warm()
        with sim.told_of_compiling(on_compile):
            for dtype in ("c16", "c8"):
                sim.warm_up(dtype)
        programs = [language.program(language.bell) for language in LANGUAGES.values()]
        for backend in ("qasm_simulator", "statevector_simulator"):
            spec = job_pb2.JobSpec(
                backend_name=backend,
                programs=programs,
                options=job_pb2.RunOptions(shots=1),
            )
            prepared = self.prepare(spec)
            self.execute(prepared, prepared.new_control(), job_id="warm-up")

    def watch(self) -> None:
        """See `ServiceExecutor.watch`."""

    def close(self) -> None:
        """End the processes that parse and check. Who waits for one gets GivenUpError. Idempotent."""
        self._parsers.close()
        self._checkers.close()

    def prepare(
        self,
        spec: job_pb2.JobSpec,
        patience: Patience | None = UNBOUNDED,
        columns: Columns = NO_COLUMNS,
        size: int = 0,
    ) -> PreparedJob:
        """See `Executor.prepare`."""
        with sim.pausing(pause_of(patience)):
            # Even to ask a message for its size has protobuf serialize it, with the interpreter's lock held.
            most = max(_MOST_KEPT, LARGEST_KEY * len(spec.programs))
            return self._prepare(spec, patience, columns, is_kept=not columns and size <= most)

    def check_apart(self, spec: bytes | memoryview, patience: Patience | None = UNBOUNDED) -> job_pb2.Job:
        """See `Executor.check_apart`."""
        if patience is None:
            raise TakesLongError
        return self._checkers.check(spec, patience)

    def _prepare(
        self, spec: job_pb2.JobSpec, patience: Patience | None, columns: Columns, *, is_kept: bool
    ) -> PreparedJob:
        config = self._config
        backend = find_backend(spec.backend_name)
        if not 1 <= len(spec.programs) <= config.max_programs:
            raise _wrong_number(len(spec.programs), config.max_programs)
        if patience is None and sum(text_of(source) is not None for source in spec.programs) > _FEW_TEXTS:
            raise TakesLongError
        settings = read_options(
            spec.options, backend, columns, max_shots=config.max_shots, max_nodes=config.max_nodes
        )
        runs: list[ProgramRun] = []
        size = 0
        for index, source in enumerate(spec.programs):
            program = self._load(
                source, index, patience, columns, is_kept=is_kept, noise_model=settings.noise_model
            )
            size += program.size_bytes
            if size > config.max_memory_bytes:
                # A thousand short texts can stand for more than the machine holds.
                raise exceeds_memory(size, config.max_memory_bytes, "Send fewer programs in one job.")
            check_for_backend(program, index, backend, settings)
            runs.append(
                read_run(source, index, program, backend, settings, columns, max_shots=config.max_shots)
            )
        rows = sum(run.simulations for run in runs if run.values is not None)
        if rows > config.max_rows:
            fault = too_large(
                "max_rows", config.max_rows, rows, f"{rows:,} rows, and the most is {config.max_rows:,}"
            )
            raise ServiceError(fault.reason, fault.message, metadata=fault.metadata, field="programs")
        size += sum(run.inputs_bytes for run in runs)
        if settings.initial is not None:
            size += settings.initial.nbytes
        check_message_size(runs)
        alone = [
            cost(run, index, backend, settings, config.max_memory_bytes) for index, run in enumerate(runs)
        ]
        job = Programs(runs, alone, backend, settings, size, config.max_inline_result_bytes)
        nodes, costs, needed = spread(job, config.max_nodes, self._most_bytes)
        return CheckedJob(
            backend=backend,
            # The noise is in the programs, and its model holds the message that channels are made of.
            settings=replace(settings, noise_model=None),
            runs=runs,
            costs=costs,
            shares=[share(run, its) for run, its in zip(runs, costs, strict=True)],
            quick=nodes == 1 and is_quick(runs, costs) and not sim.is_compiling(),
            nodes=nodes,
            required_bytes=needed,
            result_bytes=least_array_bytes(runs, backend, settings, config.max_inline_result_bytes),
            size_bytes=size,
            max_inline_bytes=config.max_inline_result_bytes,
            max_nodes=config.max_nodes,
        )

    def _load(
        self,
        source: job_pb2.Program,
        index: int,
        patience: Patience | None,
        columns: Columns,
        *,
        is_kept: bool,
        noise_model: sim.NoiseModel | None,
    ) -> PreparedProgram:
        """Program `index` of a job, checked now or a short while ago, which `is_kept` allows."""
        key = program_key(source) if is_kept and noise_model is None else None
        program = None if key is None else self._cache.get(key)
        if program is None:
            program = load_program(
                source,
                index,
                self._parsers,
                patience,
                columns,
                max_bytes=self._config.max_program_bytes,
                max_instructions=self._config.max_instructions,
                noise_model=noise_model,
            )
            if key is not None:
                self._cache.put(key, program)
        return program

    def execute(
        self,
        prepared: PreparedJob,
        control: ExecutionControl,
        *,
        job_id: str,
        mesh: distributed.Mesh | None = None,
    ) -> ExecutionOutcome:
        """See `Executor.execute`. With a mesh this process has one part of the states that are spread; what
        goes wrong in it alone then ends the job, without a result.

        Raises:
            ExecutionLostError: Another process of the mesh is gone.
        """
        if not isinstance(prepared, CheckedJob) or not isinstance(control, Control):
            raise TypeError("a job and a control of this executor's are needed")
        settings = prepared.settings
        seed = new_seed() if settings.seed is None else settings.seed
        writer = ResultWriter(self._config.max_inline_result_bytes, least_message_bytes(prepared.runs))
        first_error: job_pb2.JobError | None = None
        number = 0
        for index, (run, its) in enumerate(zip(prepared.runs, prepared.costs, strict=True)):
            header = run.program.header
            for row in range(run.entries):
                started = time.perf_counter()
                stream = (settings.seed_stream + number) % _STREAMS
                entry = result_pb2.ProgramResult(
                    status=job_pb2.JOB_STATUS_DONE,
                    shots=run.shots,
                    seed_simulator=seed,
                    seed_stream=stream,
                    program_index=index,
                    row=row,
                )
                context = EntryContext(
                    *(prepared.backend.task, settings, its, control, writer, seed, stream, number, index),
                    mesh=mesh if its.nodes > 1 else None,
                )
                try:
                    if writer.is_full:
                        raise ResultFullError
                    if run.estimation is None:
                        run_row(run, row, context, entry)
                    else:
                        estimate(run, context, entry)
                    writer.check(entry, header)
                except sim.SimulationCancelled:
                    return ExecutionOutcome(job_pb2.JOB_STATUS_CANCELLED)
                except Exception as error:
                    writer.drop(entry)
                    told = entry_error(error, run, index, row, job_id)
                    if mesh is not None and not is_everywhere(error):
                        return _left(error, control, told)
                    entry.status = job_pb2.JOB_STATUS_ERROR
                    entry.error.CopyFrom(told)
                    if first_error is None:
                        first_error = entry.error
                entry.time_taken = time.perf_counter() - started
                writer.end(entry, header)
                number += 1
        control.end()
        result = result_pb2.Result(
            backend_name=prepared.backend.name, backend_version=self._version, success=first_error is None
        )
        entries, parts = writer.finish(result)
        if first_error is None:
            return ExecutionOutcome(job_pb2.JOB_STATUS_DONE, result, parts, entries=entries)
        return ExecutionOutcome(job_pb2.JOB_STATUS_ERROR, result, parts, first_error, entries)


def _left(error: Exception, control: Control, told: job_pb2.JobError) -> ExecutionOutcome:
    """Return the outcome of a process that can't go on with the others.

    Raises:
        ExecutionLostError: They are gone.
    """
    if control.cancelled:
        return ExecutionOutcome(job_pb2.JOB_STATUS_CANCELLED)
    if is_lost(error):
        raise ExecutionLostError(f"another process of the job is gone: {error}") from error
    return ExecutionOutcome(job_pb2.JOB_STATUS_ERROR, error=told)


def _apart_memory(config: Config) -> int:
    """Return what a process that parses or checks may take, in bytes: its share of what simulations leave
    free.
    """
    free = max(available_memory() - config.max_memory_bytes, 0)
    return min(max(free // config.validation_workers, _LEAST_APART), _MOST_APART)


def _wrong_number(count: int, most: int) -> ServiceError:
    if count == 0:
        return option_invalid("programs", "programs: there is none; give at least one.")
    fault = too_large("max_programs", most, count, f"a job has {count:,} programs, and the most is {most:,}")
    return ServiceError(fault.reason, fault.message, metadata=fault.metadata, field="programs")
