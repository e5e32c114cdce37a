"""What the job engine itself costs: durable jobs a second and CPU time per job, with an executor that does
nothing.

    python benchmarks/job_engine.py [--jobs 4000] [--callers 16] [--profile]

No gRPC and no simulation: a job is checked, committed, scheduled, "run", committed again, and its final event
with the result reaches its caller. One line for each number of callers.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import pstats
import resource
import statistics
import tempfile
import time
from pathlib import Path

from basicaer.service.config import Config
from basicaer.service.execution._interface import ExecutionControl, ExecutionOutcome, PreparedJob
from basicaer.service.jobs import JobManager
from basicaer.service.store import SQLiteStore
from basicaer.v1 import job_pb2, result_pb2


class _Control:
    def cancel(self) -> None: ...

    def progress(self) -> job_pb2.Progress:
        return job_pb2.Progress()


class _Prepared:
    required_bytes = 64
    size_bytes = 256
    num_programs = 1
    shots = 1024
    max_run_time = None

    def __init__(self, quick: bool) -> None:
        self.quick = quick

    def new_control(self) -> ExecutionControl:
        return _Control()


class _NoWork:
    """Knows the result beforehand."""

    def __init__(self, quick: bool) -> None:
        self._quick = quick

    def prepare(self, spec: job_pb2.JobSpec) -> PreparedJob:
        return _Prepared(self._quick)

    def execute(self, prepared: PreparedJob, control: ExecutionControl, *, job_id: str) -> ExecutionOutcome:
        result = result_pb2.Result(backend_name="qasm_simulator", backend_version="0", success=True)
        program = result.programs.add(status=job_pb2.JOB_STATUS_DONE, shots=1024, seed_simulator=1)
        program.counts.words_per_outcome = 1
        program.counts.outcomes.extend((0, 3))
        program.counts.counts.extend((500, 524))
        return ExecutionOutcome(job_pb2.JOB_STATUS_DONE, result)


def _bell() -> job_pb2.JobSpec:
    spec = job_pb2.JobSpec(backend_name="qasm_simulator")
    circuit = spec.programs.add().circuit
    circuit.num_qubits = circuit.num_clbits = 2
    for name in ("h", "cx", "measure"):
        circuit.operations.add(name=name)
    circuit.body.operations.extend((0, 1, 2, 2))
    circuit.body.qubits.extend((0, 0, 1, 0, 1))
    circuit.body.clbits.extend((0, 1))
    return spec


async def _measure(manager: JobManager, jobs: int, callers: int) -> None:
    latencies: list[float] = []
    spec = _bell()

    async def call(number: int) -> None:
        for count in range(jobs // callers):
            began = time.perf_counter()
            watch = await manager.run(spec, f"{began}-{number}-{count}")
            while await watch.next() is not None:
                pass
            assert watch.result is not None
            watch.close()
            latencies.append(time.perf_counter() - began)

    before = resource.getrusage(resource.RUSAGE_SELF)
    began = time.perf_counter()
    await asyncio.gather(*(call(number) for number in range(callers)))
    elapsed = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_SELF)
    done = len(latencies)
    user, system = after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime
    print(
        f"{callers:4d} callers: {done / elapsed:5.0f} jobs/s, CPU a job {1e6 * (user + system) / done:.0f} µs"
        f" ({1e6 * user / done:.0f} user), p50 {1e3 * statistics.median(latencies):.2f} ms,"
        f" p99 {1e3 * sorted(latencies)[done * 99 // 100]:.2f} ms"
    )


async def _main(jobs: int, callers: list[int], directory: Path) -> None:
    for quick in (True, False):
        print("small jobs, run before they are committed:" if quick else "others, committed, queued and run:")
        config = Config(data_dir=directory / str(quick))
        manager = JobManager(SQLiteStore(config.data_dir), _NoWork(quick), config)
        await manager.start()
        await _measure(manager, 200, 4)
        for count in callers:
            await _measure(manager, jobs, count)
        await manager.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--jobs", type=int, default=4000, help="jobs in each measurement")
    parser.add_argument("--callers", type=int, nargs="*", default=[1, 16, 256], help="calls at once")
    parser.add_argument("--profile", action="store_true", help="profile the event loop's thread")
    parser.add_argument(
        "--data-dir", type=Path, default=None, help="where the store lies; a temporary directory if unset"
    )
    arguments = parser.parse_args()
    profile = cProfile.Profile()
    with tempfile.TemporaryDirectory(dir=arguments.data_dir) as directory:
        if arguments.profile:
            profile.enable()
        asyncio.run(_main(arguments.jobs, arguments.callers, Path(directory)))
        if arguments.profile:
            profile.disable()
            pstats.Stats(profile).sort_stats("tottime").print_stats(40)
