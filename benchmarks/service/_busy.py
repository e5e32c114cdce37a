"""A server whose processors all simulate: how long other calls take meanwhile.

The bare server answers the same calls under the same load: its times are what the machine's scheduler costs.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import grpc
from basicaer.v1 import job_pb2
from basicaer.v1 import job_service_pb2 as pb
from basicaer.v1 import job_service_pb2_grpc as rpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from benchmarks._programs import volume_spec
from benchmarks._report import Figure
from benchmarks._servers import CHANNEL_OPTIONS, bare_server, real_server
from benchmarks.service._bare import write_recording

NUM_QUBITS = 24
REPEATS = 100
"""How often each job's circuit is repeated, so that it outlasts the measurement."""
CALLS = 2000
PAUSE = 0.001
BOUND = 0.020


def _start(stub: rpc.JobServiceStub, spec: job_pb2.JobSpec) -> str:
    """Submit a job and return its id as soon as it makes progress."""
    job_id = str(stub.SubmitJob(pb.SubmitJobRequest(spec=spec)).job.job_id)
    while True:
        job = stub.GetJob(pb.GetJobRequest(job_id=job_id)).job
        if job.status == job_pb2.JOB_STATUS_RUNNING and job.progress.fraction > 0.0:
            return job_id
        if job.status in (job_pb2.JOB_STATUS_DONE, job_pb2.JOB_STATUS_ERROR):
            raise RuntimeError(f"the job should run: {job}")
        time.sleep(0.02)


def _timed(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _p99(times: list[float]) -> float:
    return sorted(times)[len(times) * 99 // 100]


def _row(name: str, times: list[float], bound: float | None) -> Figure:
    p99, p50 = _p99(times), statistics.median(times)
    return Figure(
        name,
        f"p99 {p99 * 1e3:.1f} ms (p50 {p50 * 1e3:.2f}, worst {max(times) * 1e3:.0f}; {len(times):,} calls)",
        "the peer" if bound is None else f"≤ {bound * 1e3:.0f} ms",
        bound is None or p99 <= bound,
    )


def measure() -> list[Figure]:
    """Two jobs of 24 qubits run without end, while one client calls both servers by turns."""
    with tempfile.TemporaryDirectory() as folder:
        recording = Path(folder, "recording")
        write_recording(recording, [])
        with (
            real_server(f"{folder}/data", "--workers", "2") as (address, _),
            bare_server(str(recording)) as (bare_address, _),
            grpc.insecure_channel(address, options=CHANNEL_OPTIONS) as channel,
            grpc.insecure_channel(bare_address, options=CHANNEL_OPTIONS) as bare_channel,
        ):
            stub, bare = rpc.JobServiceStub(channel), rpc.JobServiceStub(bare_channel)
            health = health_pb2_grpc.HealthStub(channel)
            jobs = [_start(stub, volume_spec(NUM_QUBITS, REPEATS)) for _ in range(2)]
            request, check = pb.GetJobRequest(job_id=jobs[0]), health_pb2.HealthCheckRequest()
            times: dict[str, list[float]] = {"get": [], "health": [], "bare": []}
            for _ in range(CALLS):
                for name, call in (
                    ("get", lambda: stub.GetJob(request)),
                    ("health", lambda: health.Check(check)),
                    ("bare", lambda: bare.GetJob(request)),
                ):
                    times[name].append(_timed(call))
                    time.sleep(PAUSE)
            running = [stub.GetJob(pb.GetJobRequest(job_id=job_id)).job for job_id in jobs]
            if any(job.status != job_pb2.JOB_STATUS_RUNNING for job in running):
                raise RuntimeError("the jobs ended before the measurement did")
            for job_id in jobs:
                stub.CancelJob(pb.CancelJobRequest(job_id=job_id))
    load = "two jobs of 24 qubits run"
    return [
        _row(f"GetJob while {load}", times["get"], BOUND),
        _row(f"health check while {load}", times["health"], BOUND),
        _row("the bare server's GetJob meanwhile", times["bare"], None),
    ]
