"""A 512 MiB state vector into a numpy array over loopback, against a bare stream of the same chunks."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks._report import Figure
from benchmarks._servers import bare_server, real_server
from benchmarks.service._bare import write_recording

NUM_QUBITS = 25
ROUNDS = 5
MEGABYTE = 1e6

# Each download runs in a process of its own, so that its peak memory is its own too.
_BARE = """
import json, sys, time, grpc, numpy
from basicaer.v1 import job_service_pb2 as pb, job_service_pb2_grpc as rpc
channel = grpc.insecure_channel(sys.argv[1], options=[("grpc.max_receive_message_length", 64 << 20)])
stub = rpc.JobServiceStub(channel)
grpc.channel_ready_future(channel).result(30)
start = time.perf_counter()
stream = stub.ReadResult(pb.ReadResultRequest())
array = numpy.empty(next(stream).header.array.size_bytes, dtype=numpy.uint8)
target = memoryview(array)
for message in stream:
    chunk = message.chunk
    target[chunk.offset : chunk.offset + len(chunk.data)] = chunk.data
print(json.dumps({"seconds": time.perf_counter() - start}))
"""
REAL = """
import json, sys, time
from pathlib import Path
from basicaer.client import BasicAerProvider
def memory(field):
    # Not ru_maxrss: a child begins with its parent's.
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(field))
provider = BasicAerProvider(sys.argv[1])
job = provider.retrieve_job(sys.argv[2])
job.status()
before = memory("VmRSS:")
start = time.perf_counter()
state = job.result().get_statevector()
seconds = time.perf_counter() - start
peak = memory("VmHWM:")
assert abs(state[0]) ** 2 > 0.49 and abs(state[-1]) ** 2 > 0.49, (state[0], state[-1])
print(json.dumps({"seconds": seconds, "bytes_over_array": peak - before - state.nbytes}))
"""


def _download(program: str, *arguments: str) -> dict[str, float]:
    command = [sys.executable, "-c", program, *arguments]
    told: dict[str, float] = json.loads(
        subprocess.run(command, check=True, capture_output=True, text=True).stdout
    )
    return told


def measure() -> list[Figure]:
    """Make a state of 25 qubits on a real server, then read it by turns with the bare stream."""
    from basicaer.client import BasicAerProvider

    from benchmarks._programs import state_spec

    with tempfile.TemporaryDirectory() as folder:
        recording = Path(folder, "recording")
        write_recording(recording, [])
        state_bytes = 16 << NUM_QUBITS
        with (
            real_server(f"{folder}/data") as (address, _),
            bare_server(str(recording), state_bytes) as (bare_address, _),
        ):
            with BasicAerProvider(address) as provider:
                backend = provider.get_backend("statevector_simulator")
                job = backend.run(state_spec(NUM_QUBITS).programs[0].circuit)
                job.wait_for_final_state()
                job_id = job.job_id()
            runs = [(_download(_BARE, bare_address), _download(REAL, address, job_id)) for _ in range(ROUNDS)]
    ratio = statistics.median(bare["seconds"] / real["seconds"] for bare, real in runs)
    bare_rate = state_bytes / MEGABYTE / statistics.median(bare["seconds"] for bare, _ in runs)
    real_rate = state_bytes / MEGABYTE / statistics.median(real["seconds"] for _, real in runs)
    extra = statistics.median(real["bytes_over_array"] for _, real in runs) / (1 << 20)
    return [
        Figure(
            f"a {state_bytes >> 20} MiB state to a numpy array",
            f"{ratio:.0%} of bare ({real_rate:,.0f} of {bare_rate:,.0f} MB/s)",
            "≥ 70 %",
            ratio >= 0.70,
        ),
        Figure("the same: peak client memory over the array", f"{extra:.0f} MiB", "≤ 64 MiB", extra <= 64),
    ]
