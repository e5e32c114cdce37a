"""Bears servers in a few milliseconds each: imports and compiles everything once, then forks.

A server that starts from nothing needs seconds for its imports, most of which are numba's and Qiskit's; five
hundred crashes in ten minutes leave no time for that. A child is `basicaer.service.main.run`, as `basicaer
serve` calls it. gRPC must not be started before a fork, and isn't: it is only imported.

    stdin    a line of JSON for each server: {"config": {…}, "die_after": N or null, "plant": name or null}
    stdout   "listening PID ADDRESS" and "ended PID STATUS"; everything else goes to the log on stderr
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any, NoReturn, SupportsIndex

from basicaer.service import main
from basicaer.service.config import Config
from basicaer.service.doors.requests import Requests
from basicaer.service.execution import ThreadExecutor
from basicaer.service.telemetry import Logs
from basicaer.v1 import job_service_pb2

from tests.chaos import faults

_POLL_SECONDS = 0.01


def _settings(raw: dict[str, Any]) -> Config:
    return Config(**{**raw, "data_dir": Path(raw["data_dir"])})


def _sleep(seconds: float | SupportsIndex) -> None:
    threading.Event().wait(float(seconds))


def _serve(order: dict[str, Any], output: int) -> NoReturn:
    status = 1
    try:
        if order["plant"]:
            faults.PLANTS[order["plant"]]()
        if order["die_after"]:
            faults.die_after(order["die_after"])
        signal.signal(signal.SIGUSR1, lambda *_: faults.fail_syncs())
        # Python sleeps until a time of the monotonic clock, which libfaketime takes for one of the clock that
        # it fakes: after a jump that fails with EINVAL.
        time.sleep = _sleep

        def announce(address: str, _http_url: str) -> None:
            os.write(output, f"listening {os.getpid()} {address}\n".encode())

        main.run(_settings(order["config"]), Logs("warning", "text"), announce)
        status = 0
    except BaseException as error:
        print(f"ERROR the server did not serve: {error!r}", file=sys.stderr, flush=True)
    finally:
        os._exit(status)


def _nurse() -> None:
    config = Config(data_dir=Path("unused"))
    ThreadExecutor(config).warm_up()
    Requests([job_service_pb2.SubmitJobRequest.DESCRIPTOR], config).warm_up()
    if threading.active_count() > 1:
        raise RuntimeError(f"threads that a fork would lose: {threading.enumerate()}")
    children: set[int] = set()
    output = sys.stdout.fileno()
    pending = b""
    os.write(output, b"ready\n")
    while True:
        ready, _, _ = select.select([0], [], [], _POLL_SECONDS)
        if ready:
            data = os.read(0, 65_536)
            if not data:
                break
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                child = os.fork()
                if child == 0:
                    _serve(json.loads(line), output)
                children.add(child)
        for child in list(children):
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                children.discard(child)
                os.write(output, f"ended {child} {os.waitstatus_to_exitcode(status)}\n".encode())
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)


if __name__ == "__main__":
    _nurse()
