"""A large result from a node of a Ray cluster to a client, beside what Ray itself moves between two nodes."""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from basicaer.v1 import job_pb2, job_service_pb2, job_service_pb2_grpc

from benchmarks._programs import state_spec
from benchmarks._report import Figure
from benchmarks._servers import memory_of
from benchmarks.service._state_stream import REAL
from tests.cluster.processes import Part, launch, parts
from tests.cluster.ray import RayCluster
from tests.conftest import open_channel
from tests.postgresql import running
from tests.s3 import running as s3_running

NUM_QUBITS = 24
ROUNDS = 5
_MIB = 1 << 20
# On the head there is room for a process that is kept warm, and no other: the job runs on the second node.
_MEMORY = (640 * _MIB, 1536 * _MIB)
_OBJECTS = 768 * _MIB

# Each line asks for one array.
_RAY = """
import json, sys, time, numpy, ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy
ray.init(address=sys.argv[1], log_to_driver=False, configure_logging=False)
here = ray.get_runtime_context().get_node_id()
(there,) = [node["NodeID"] for node in ray.nodes() if node["Alive"] and node["NodeID"] != here]
@ray.remote(num_cpus=0, scheduling_strategy=NodeAffinitySchedulingStrategy(there, soft=False))
class Holder:
    def __init__(self, size):
        self.array = numpy.ones(size, numpy.uint8)
    def give(self):
        return self.array
holder = Holder.remote(int(sys.argv[2]))
ray.get(holder.__ray_ready__.remote())
print("ready", flush=True)
for _ in sys.stdin:
    start = time.perf_counter()
    array = ray.get(holder.give.remote())
    seconds = time.perf_counter() - start
    assert array[0] == array[-1] == 1
    del array
    print(seconds, flush=True)
"""


@contextlib.contextmanager
def _mover(nodes: RayCluster, size: int) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", _RAY, nodes.url.removeprefix("ray://"), str(size)]
    with subprocess.Popen(
        command, env=nodes.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as mover:
        assert mover.stdout is not None
        mover.stdout.readline()
        try:
            yield mover
        finally:
            mover.kill()


def _moved(mover: subprocess.Popen[str]) -> float:
    """Return how many seconds Ray takes for an array of the result's size."""
    assert mover.stdin is not None
    assert mover.stdout is not None
    mover.stdin.write("again\n")
    mover.stdin.flush()
    return float(mover.stdout.readline())


@contextlib.contextmanager
def _service(nodes: RayCluster) -> Iterator[tuple[Part, Part]]:
    """Run a server, and a worker that drives the nodes, with an object store."""
    with (
        tempfile.TemporaryDirectory() as made,
        running() as database,
        s3_running() as store,
        contextlib.ExitStack() as stack,
    ):
        folder = Path(made)
        large = ("--object-store", "s3://results", "--object-store-endpoint", store.endpoint)

        def start(arguments: Mapping[str, str], *command: str) -> Part:
            environment = {**nodes.environment, **store.variables, **arguments}
            part = Part(folder, command[0], *command, *large, launch=partial(launch, environment=environment))
            stack.callback(part.kill)
            part.begin()
            part.ready()
            return part

        (shape,), _ = parts(folder, lambda _: database.base_url, 1, 0)
        server = start({}, *shape.arguments)
        worker = start(
            {"BASICAER_DATABASE": database.base_url}, "work", "--executor", nodes.url, "--workers", "1"
        )
        yield server, worker


def _run(stub: job_service_pb2_grpc.JobServiceStub) -> str:
    """Run a job to its end, with which its result is in the store; return its id."""
    request = job_service_pb2.SubmitJobRequest(spec=state_spec(NUM_QUBITS))
    job_id = stub.SubmitJob(request, timeout=60).job.job_id
    status = job_pb2.JOB_STATUS_UNSPECIFIED
    for message in stub.WatchJob(job_service_pb2.WatchJobRequest(job_id=job_id), timeout=600):
        if message.event.WhichOneof("kind") == "status":
            status = message.event.status.status
    if status != job_pb2.JOB_STATUS_DONE:
        raise RuntimeError(f"the job ended as {job_pb2.JobStatus.Name(status)}")
    return job_id


def _read(address: str, job_id: str) -> float:
    """Return how many seconds a client takes to have the state as an array."""
    command = [sys.executable, "-c", REAL, address, job_id]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=dict(os.environ))
    return float(json.loads(done.stdout)["seconds"])


def measure() -> list[Figure]:
    """Run jobs, read their results, and let Ray move as much, by turns."""
    size = 16 << NUM_QUBITS
    with RayCluster(memory=_MEMORY, objects=_OBJECTS) as nodes, _service(nodes) as (server, worker):
        assert server.process is not None
        assert worker.process is not None
        with open_channel(server.address) as channel, _mover(nodes, size) as mover:
            stub = job_service_pb2_grpc.JobServiceStub(channel)
            _moved(mover)
            before = memory_of(server.process.pid, "VmRSS")
            turns = []
            for _ in range(ROUNDS):
                ray = _moved(mover)
                job_id = _run(stub)
                turns.append((ray, _read(server.address, job_id)))
                stub.DeleteJob(job_service_pb2.DeleteJobRequest(job_id=job_id), timeout=60)
            extra = (memory_of(server.process.pid, "VmHWM") - before) / _MIB
    ray, read = (statistics.median(column) for column in zip(*turns, strict=True))
    ratio = statistics.median(its / ours for its, ours in turns)
    rate = size / 1e6
    return [
        Figure(
            f"a {size // _MIB} MiB result of a Ray node's, from the store to a client",
            f"{ratio:.0%} of ray.get between nodes ({rate / read:,.0f} of {rate / ray:,.0f} MB/s)",
            "≥ 70 %",
            ratio >= 0.70,
        ),
        Figure("the same: peak memory of the server over before", f"{extra:.0f} MiB", "< 64 MiB", extra < 64),
    ]
