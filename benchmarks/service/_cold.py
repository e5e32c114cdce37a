"""A server with no kernel compiled yet: how soon it is ready, and has run its first jobs."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path

import grpc
from basicaer.v1 import job_pb2
from basicaer.v1 import job_service_pb2 as pb
from basicaer.v1 import job_service_pb2_grpc as rpc

from benchmarks._programs import bell_spec
from benchmarks._report import Figure
from benchmarks._servers import CHANNEL_OPTIONS, real_server

ROUNDS = 3
# Whether each server has a cache of kernels of its own, which is empty.
IS_COLD = True
SHOTS = 4096
# What `make run` runs: 20 qubits.
WIDE = Path(__file__).parents[2] / "examples" / "shell" / "grover.qasm"


def _seconds(stub: rpc.JobServiceStub, spec: job_pb2.JobSpec) -> float:
    start = time.perf_counter()
    *_, last = stub.RunJob(pb.RunJobRequest(spec=spec, brief=True), timeout=600)
    if not last.result.programs:
        raise RuntimeError(f"a first job has no result: {last}")
    return time.perf_counter() - start


def _round() -> tuple[float, float, float]:
    """Return the seconds to the server's address, and of a first job of 2 and of 20 qubits, in that order."""
    wide = job_pb2.JobSpec(backend_name="qasm_simulator")
    wide.programs.add(openqasm2=WIDE.read_text())
    wide.options.shots = SHOTS
    with tempfile.TemporaryDirectory() as folder:
        kernels = {"NUMBA_CACHE_DIR": f"{folder}/kernels"} if IS_COLD else {}
        start = time.perf_counter()
        with real_server(f"{folder}/data", environment={**os.environ, **kernels}) as (address, _):
            ready = time.perf_counter() - start
            with grpc.insecure_channel(address, options=CHANNEL_OPTIONS) as channel:
                stub = rpc.JobServiceStub(channel)
                return ready, _seconds(stub, bell_spec(SHOTS)), _seconds(stub, wide)


def measure() -> list[Figure]:
    """Start servers one after the other, and tell the medians."""
    names = (
        "a server without compiled kernels is ready after",
        "its first job, of 2 qubits, takes",
        "its next one, of 20 qubits, by kernels compiled meanwhile",
    )
    found = zip(*(_round() for _ in range(ROUNDS)), strict=True)
    return [
        Figure(name, f"{seconds:.2f} s", f"≤ {most} s", seconds <= most)
        for name, seconds, most in zip(names, map(statistics.median, found), (3, 2, 10), strict=True)
    ]
