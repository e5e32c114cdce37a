"""Runs jobs in this process, on whatever thread it is called; the simulator frees the GIL while it works."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass

from basicaer import simulator as sim
from basicaer.service import version
from basicaer.service.config import Config
from basicaer.service.errors import ServiceError
from basicaer.service.execution import openqasm2
from basicaer.service.execution._cache import ProgramCache
from basicaer.service.execution._faults import too_large
from basicaer.service.execution._interface import ExecutionControl, ExecutionOutcome, PreparedJob
from basicaer.service.execution._preparation import PreparedProgram, check_for_backend, load_program
from basicaer.service.execution.backends import Backend, Task, backend_infos, find_backend
from basicaer.service.execution.options import Settings, read_options
from basicaer.service.execution.results import LargeArrays, add_counts
from basicaer.v1 import error_reason_pb2, job_pb2, job_service_pb2, result_pb2

__all__ = ["ThreadExecutor"]

_log = logging.getLogger(__name__)

_SEED_BITS = 63
# For the programs that callers send again and again; they are small.
_CACHE_BYTES = 16 * 1024 * 1024
# What a job may have to be `quick`: the sum of its weights, its shots over all programs, and the instructions
# of a program.
_QUICK_WEIGHT = 20_000.0
_QUICK_SHOTS = 20_000
_QUICK_INSTRUCTIONS = 48
# What Job.required_bytes holds; no machine has more.
_MOST_BYTES = 2**64 - 1


class _Control:
    """Stops one attempt, and adds up the progress of its programs. Each program has a `RunControl` of its
    own.

    One thread runs the programs; others cancel and read. What they read is replaced whole, so that no lock is
    needed.
    """

    __slots__ = ("_cancelled", "_current", "_shots", "_total", "_weights")

    def __init__(self, weights: Sequence[float], shots: int) -> None:
        self._weights = weights
        self._total = sum(weights) or 1.0
        self._shots = shots
        self._cancelled = False
        # Programs done, their weight, and the control of the one that runs.
        self._current = (0, 0.0, sim.RunControl())

    def cancel(self) -> None:
        self._cancelled = True
        self._current[2].cancel()

    def begin(self, index: int) -> sim.RunControl:
        """The control for program `index`, which is run next."""
        control = sim.RunControl()
        self._current = (index, sum(self._weights[:index]), control)
        # A cancel before this line has set the flag; a later one finds the new control.
        if self._cancelled:
            control.cancel()
        return control

    def end(self) -> None:
        """All programs are done."""
        self._current = (len(self._weights), self._total, sim.RunControl())

    def progress(self) -> job_pb2.Progress:
        done, weight, control = self._current
        total = len(self._weights)
        if done < total:
            weight += self._weights[done] * control.fraction
        return job_pb2.Progress(
            fraction=min(weight / self._total, 1.0),
            shots_done=min(done * self._shots + control.shots_done, total * self._shots),
            shots_total=total * self._shots,
            programs_done=done,
            programs_total=total,
        )


@dataclass(frozen=True, slots=True, eq=False)
class _PreparedJob:
    """A job that was checked."""

    backend: Backend
    settings: Settings
    programs: Sequence[PreparedProgram]
    weights: Sequence[float]
    required_bytes: int
    size_bytes: int
    quick: bool

    @property
    def num_programs(self) -> int:
        return len(self.programs)

    @property
    def shots(self) -> int:
        return self.settings.shots

    def new_control(self) -> ExecutionControl:
        return _Control(self.weights, self.settings.shots)


class ThreadExecutor:
    """The `Executor` of one process. Thread-safe. Make it on a thread that lives as long as the process."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._version = version()
        self._cache = ProgramCache(_CACHE_BYTES)
        openqasm2.load()

    def backends(self) -> list[job_service_pb2.BackendInfo]:
        """What ListBackends answers."""
        return backend_infos(self._config)

    def warm_up(self) -> None:
        """Imports and compiles whatever the first job would have to wait for.

        Takes a second or two, and about a minute the first time on a machine, when the kernels are compiled.
        """
        openqasm2.warm()
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

    def prepare(self, spec: job_pb2.JobSpec) -> PreparedJob:
        """See `Executor.prepare`."""
        config = self._config
        backend = find_backend(spec.backend_name)
        if not 1 <= len(spec.programs) <= config.max_programs:
            raise _wrong_number(len(spec.programs), config.max_programs)
        settings = read_options(spec.options, backend, max_shots=config.max_shots)
        programs: list[PreparedProgram] = []
        for index, source in enumerate(spec.programs):
            program = self._load(source, index)
            check_for_backend(program, index, backend, settings)
            programs.append(program)
        size = sum(program.size_bytes for program in programs)
        if settings.initial is not None:
            size += settings.initial.nbytes
        weights = [_weight(program.circuit.circuit) for program in programs]
        return _PreparedJob(
            backend=backend,
            settings=settings,
            programs=programs,
            weights=weights,
            quick=sum(weights) <= _QUICK_WEIGHT
            and len(programs) * settings.shots <= _QUICK_SHOTS
            and all(_is_quick(program.circuit, settings) for program in programs),
            required_bytes=min(size + _required_bytes(programs, backend, settings), _MOST_BYTES),
            size_bytes=size,
        )

    def _load(self, source: job_pb2.Program, index: int) -> PreparedProgram:
        """Program `index` of a job, checked now or a short while ago."""
        key = source.SerializeToString()
        program = self._cache.get(key)
        if program is None:
            limits = self._config
            program = load_program(
                source, index, max_bytes=limits.max_program_bytes, max_instructions=limits.max_instructions
            )
            self._cache.put(key, program)
        return program

    def execute(self, prepared: PreparedJob, control: ExecutionControl, *, job_id: str) -> ExecutionOutcome:
        """See `Executor.execute`."""
        if not isinstance(prepared, _PreparedJob) or not isinstance(control, _Control):
            raise TypeError("a job and a control of this executor's are needed")
        settings = prepared.settings
        seed = secrets.randbits(_SEED_BITS) if settings.seed is None else settings.seed
        result = result_pb2.Result(
            backend_name=prepared.backend.name, backend_version=self._version, success=True
        )
        arrays = LargeArrays()
        first_error: job_pb2.JobError | None = None
        for index, program in enumerate(prepared.programs):
            started = time.perf_counter()
            entry = result.programs.add(
                status=job_pb2.JOB_STATUS_DONE,
                header=program.header,
                shots=settings.shots,
                seed_simulator=seed,
            )
            try:
                _run(prepared, index, seed, control.begin(index), entry, arrays)
            except sim.SimulationCancelled:
                return ExecutionOutcome(job_pb2.JOB_STATUS_CANCELLED)
            except Exception as error:
                entry.status = job_pb2.JOB_STATUS_ERROR
                entry.error.CopyFrom(_program_error(error, index, job_id))
                if first_error is None:
                    first_error = entry.error
            entry.time_taken = time.perf_counter() - started
        control.end()
        result.success = first_error is None
        parts = arrays.place(result, self._config.max_inline_result_bytes)
        if first_error is None:
            return ExecutionOutcome(job_pb2.JOB_STATUS_DONE, result, parts)
        return ExecutionOutcome(job_pb2.JOB_STATUS_ERROR, result, parts, first_error)


def _run(
    prepared: _PreparedJob,
    index: int,
    seed: int,
    control: sim.RunControl,
    entry: result_pb2.ProgramResult,
    arrays: LargeArrays,
) -> None:
    """Runs one program, and adds what it gives to `entry` and `arrays`."""
    settings, circuit = prepared.settings, prepared.programs[index].circuit
    task = prepared.backend.task
    if task is Task.UNITARY:
        matrix = sim.unitary(
            circuit, dtype=settings.dtype, threads=settings.threads, initial=settings.initial, control=control
        )
        sim.chop(matrix, settings.chop_threshold)
        arrays.add(entry, index, "unitary", matrix)
        return
    outcome = sim.run(
        circuit,
        shots=settings.shots,
        seed=sim.program_seed(seed, index),
        memory=settings.memory,
        dtype=settings.dtype,
        threads=settings.threads,
        initial_statevector=settings.initial,
        statevector=task is Task.STATEVECTOR,
        control=control,
    )
    entry.method = outcome.method
    if circuit.circuit.num_clbits:
        add_counts(entry, outcome)
        if outcome.memory is not None:
            arrays.add(entry, index, "memory", outcome.memory)
    if outcome.statevector is not None:
        sim.chop(outcome.statevector, settings.chop_threshold)
        arrays.add(entry, index, "statevector", outcome.statevector)


def _program_error(error: Exception, index: int, job_id: str) -> job_pb2.JobError:
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


def _weight(circuit: sim.Circuit) -> float:
    """The work of a program, as far as it shows before it runs."""
    return (len(circuit) + 1.0) * 2.0 ** min(circuit.num_qubits, 512)


def _is_quick(program: sim.CompiledCircuit, settings: Settings) -> bool:
    """Whether a small program has few instructions, each of which is run once, for all shots together."""
    circuit = program.circuit
    return (
        len(circuit) <= _QUICK_INSTRUCTIONS
        and not any(
            operation.if_else or operation.while_loop or operation.for_loop or operation.switch_case
            for operation in circuit.operations
        )
        and not program.program(from_zero=settings.initial is None, threads=settings.threads).is_random
    )


def _required_bytes(programs: Sequence[PreparedProgram], backend: Backend, settings: Settings) -> int:
    """The most memory at any time: a program's need, and the results of those before it, which are kept."""
    kept = 0
    most = 0
    for program in programs:
        circuit = program.circuit.circuit
        need = sim.required_bytes(
            program.circuit,
            method="unitary" if backend.task is Task.UNITARY else "run",
            dtype=settings.dtype,
            shots=settings.shots,
            memory=settings.memory,
            statevector=backend.task is Task.STATEVECTOR,
            initial=settings.initial is not None,
        )
        most = max(most, kept + need)
        if backend.task is Task.STATEVECTOR:
            kept += settings.dtype.itemsize << circuit.num_qubits
        elif backend.task is Task.UNITARY:
            kept += settings.dtype.itemsize << 2 * circuit.num_qubits
        if settings.memory:
            kept += settings.shots * 8 * max(1, -(-circuit.num_clbits // 64))
    return most
