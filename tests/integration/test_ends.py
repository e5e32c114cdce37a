"""Ends have a bound: of a channel, of a provider, of a command and of the interpreter, whatever gRPC waits
for.
"""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time
from typing import Any

import pytest
from basicaer.client import BasicAerProvider, Circuit
from basicaer.client.transport._ends import close_channel, soon

from tests.conftest import ServerProcess

# Far more than any of the limits that are waited for, and far less than for ever (seconds).
_HANGS = 100.0

HANGING = """
import sys, threading, time, grpc
import grpc._channel
grpc._channel.Channel.close = lambda self: threading.Event().wait()
"""


class _Stuck:
    """A channel whose end never comes."""

    def close(self) -> None:
        threading.Event().wait()


def test_a_channel_that_does_not_close_is_left() -> None:
    channel: Any = _Stuck()
    close_channel(channel, 0.1)


def _run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=_HANGS, check=False)


@pytest.mark.parametrize("hanging", ["", HANGING], ids=["as it is", "gRPC hangs"])
@pytest.mark.parametrize(
    "end",
    [
        "pass",
        "provider.close()",
        "sys.exit(0)",
        "del provider, job; import gc; gc.collect()",
        "threading.Thread(target=job.result, daemon=True).start(); time.sleep(0.2)",
        "threading.Thread(target=lambda: list(job.events()), daemon=True).start(); time.sleep(0.2)",
    ],
)
def test_a_program_ends_with_a_job_under_way(server: ServerProcess, end: str, hanging: str) -> None:
    program = f"""{hanging}
import sys, threading, time
from basicaer.client import BasicAerProvider, Circuit
provider = BasicAerProvider(sys.argv[1])
circuit = Circuit(1, 1)
with circuit.while_loop(circuit.bit(0).negated()):
    circuit.x(0)
job = provider.get_backend("qasm_simulator").run(circuit, max_run_time=5.0)
print(job.job_id(), flush=True)
{end}
"""
    done = _run(program, server.address)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_a_command_ends_whatever_is_left(server: ServerProcess) -> None:
    program = f"""{HANGING}
import atexit
atexit.register(lambda: print("said at the end", flush=True))
threading.Thread(target=threading.Event().wait).start()
from basicaer.service.cli import main
sys.argv = ["basicaer", "info", "--server", sys.argv[1]]
main()
"""
    done = _run(program, server.address)
    assert done.returncode == 0, done.stderr
    assert "up since" in done.stdout
    assert done.stdout.endswith("said at the end\n")


def test_a_command_ends_though_the_last_words_do_not() -> None:
    program = """
import atexit, sys, threading
atexit.register(threading.Event().wait)
from basicaer.service.cli import main
sys.argv = ["basicaer", "jobs", "--limit", "0"]
main()
"""
    done = _run(program)
    assert done.returncode == 2
    assert "error:" in done.stderr


def test_what_the_collector_leaves_is_done_by_another_thread() -> None:
    done: list[str] = []
    over = threading.Event()

    def work() -> None:
        done.append(threading.current_thread().name)
        over.set()

    soon()(work)
    assert over.wait(_HANGS)
    assert done == ["basicaer-janitor"]


def test_a_job_that_nobody_holds_lets_go_of_its_stream(server: ServerProcess) -> None:
    with BasicAerProvider(server.address) as provider:
        backend = provider.get_backend("qasm_simulator")
        circuit = Circuit(1, 1)
        with circuit.while_loop(circuit.bit(0).negated()):
            circuit.x(0)
        jobs: list[object] = [backend.run(circuit, max_run_time=2.0) for _ in range(3)]
        assert _watches() >= 3
        # In a cycle, so that the collector frees them.
        jobs.append(jobs)
        del jobs
        gc.collect()
        until = time.monotonic() + _HANGS
        while _watches() and time.monotonic() < until:
            time.sleep(0.02)
        assert not _watches()


def _watches() -> int:
    return sum(thread.name == "basicaer-watch" for thread in threading.enumerate())
