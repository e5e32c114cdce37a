"""Long OpenQASM texts: how long others take while they are checked, and what a parser process costs."""

from __future__ import annotations

import random
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from typing import Any

import grpc
from basicaer.service.parsing import OPENQASM2, Parsers, Patience, openqasm2
from basicaer.v1 import job_pb2
from basicaer.v1 import job_service_pb2 as pb
from basicaer.v1 import job_service_pb2_grpc as rpc

from benchmarks._programs import bell_spec
from benchmarks._report import Figure
from benchmarks._servers import CHANNEL_OPTIONS, real_server

_LONG = 8 << 20
_CALLERS = 2
_SECONDS = 20.0
_WARM_UP = 1.0
_PAUSE = 0.005
_BOUND = 0.020
_SHORT = 100 << 10
_TURNS = 20
_LIMITS: dict[str, Any] = {"max_bytes": 16 << 20, "max_instructions": 10_000_000}
_HEAD = 'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[20];\ncreg c[20];\n'
_OWN = "gate maj a,b,c { cx c,b; cx c,a; ccx a,b,c; }\ngate turn(t) a,b { cx a,b; rz(t/2) b; cx a,b; }\n"


def _text(size: int, own_gates: bool) -> str:
    """Return a valid program of about so many bytes."""
    numbers, statements, length = random.Random(1), [_HEAD, _OWN], 0
    while length < size:
        a, b, c = numbers.sample(range(20), 3)
        angle = f"{numbers.uniform(-3, 3):.12f}"
        choices: tuple[str, ...]
        if own_gates:
            choices = (f"maj q[{a}],q[{b}],q[{c}];\n", f"turn({angle}) q[{a}],q[{b}];\n")
        else:
            choices = (f"h q[{a}];\n", f"cx q[{a}],q[{b}];\n", f"rz({angle}) q[{c}];\n")
        statements.append(numbers.choice(choices))
        length += len(statements[-1])
    return "".join(statements)


def _times(stub: rpc.JobServiceStub, seconds: float) -> list[float]:
    """How long Bell jobs take, one after the other, from the call to the result."""
    times = []
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        start = time.perf_counter()
        for _ in stub.RunJob(pb.RunJobRequest(spec=bell_spec())):
            pass
        times.append(time.perf_counter() - start)
        time.sleep(_PAUSE)
    return times


def _row(name: str, times: list[float], bound: float | None) -> Figure:
    p99, p50 = sorted(times)[len(times) * 99 // 100], statistics.median(times)
    return Figure(
        name,
        f"p99 {p99 * 1e3:.1f} ms (p50 {p50 * 1e3:.2f}, worst {max(times) * 1e3:.0f}; {len(times):,} calls)",
        "the same server" if bound is None else f"≤ {bound * 1e3:.0f} ms",
        bound is None or p99 <= bound,
    )


def _beside_long_texts() -> list[Figure]:
    spec = job_pb2.JobSpec(
        backend_name="qasm_simulator", programs=[job_pb2.Program(openqasm2=_text(_LONG, own_gates=False))]
    )
    request = pb.SubmitJobRequest(spec=spec, validate_only=True)
    done = threading.Event()
    checked: list[int] = []

    with (
        tempfile.TemporaryDirectory() as folder,
        real_server(folder) as (address, _),
        grpc.insecure_channel(address, options=CHANNEL_OPTIONS) as channel,
        grpc.insecure_channel(address, options=CHANNEL_OPTIONS) as other,
    ):
        stub, long_stub = rpc.JobServiceStub(channel), rpc.JobServiceStub(other)

        def check() -> None:
            while not done.is_set():
                long_stub.SubmitJob(request)
                checked.append(len(checked))

        _times(stub, _WARM_UP)
        alone = _times(stub, _SECONDS / 4)
        threads = [threading.Thread(target=check) for _ in range(_CALLERS)]
        for thread in threads:
            thread.start()
        beside = _times(stub, _SECONDS)
        done.set()
        for thread in threads:
            thread.join()
    texts = f"{_CALLERS} texts of {_LONG >> 20} MiB at a time are checked"
    return [
        _row("RunJob, Bell, one caller", alone, None),
        _row(f"the same while {texts}", beside, _BOUND),
    ]


def _median(call: Callable[[], object]) -> float:
    times = []
    for _ in range(_TURNS):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def _round_trip() -> Figure:
    text, parsers = _text(_SHORT, own_gates=True), Parsers(1, 1 << 30)
    try:
        parsers.parse(OPENQASM2, text, **_LIMITS, patience=Patience())
        process = _median(lambda: parsers.parse(OPENQASM2, text, **_LIMITS, patience=Patience()))
        thread = _median(lambda: openqasm2.parse(text, **_LIMITS))
    finally:
        parsers.close()
    ratio = process / thread
    return Figure(
        f"a text of {_SHORT >> 10} KiB with gates of its own, in a parser process",
        f"{ratio:.2f} times the thread's ({process * 1e3:.0f} of {thread * 1e3:.0f} ms)",
        "≤ 1.1",
        ratio <= 1.1,
    )


def measure() -> list[Figure]:
    """One caller runs Bell jobs alone, and while two others have long texts checked without end."""
    return [*_beside_long_texts(), _round_trip()]
