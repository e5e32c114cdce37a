"""Bears servers and workers in a moment each: imports everything once, then forks.

A process that starts from nothing needs seconds of a processor for its imports, which leaves no time for
hundreds of kills. A child is `basicaer`, with a defect when one is planted.

    python -m tests.cluster.nursery SOCKET [--plant PLANT] [--ray]

Through the socket, a file descriptor, comes a message for each child: its arguments as JSON, with descriptors
for its standard output and error. The answer is its process id.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import socket
import sys
import threading
import traceback
from pathlib import Path
from typing import NoReturn

# Some are only imported so that no child has to.
import asyncpg  # noqa: F401
import basicaer.service.config._load
import basicaer.service.main  # noqa: F401
from basicaer.service.cli import main
from basicaer.service.config import Config
from basicaer.service.doors.requests import Requests
from basicaer.service.execution import ThreadExecutor
from basicaer.v1 import job_service_pb2

from tests.cluster.plants import PLANTS
from tests.cluster.processes import MOST_BYTES


def _live(arguments: list[str], plant: str, output: int, errors: int) -> NoReturn:
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for descriptor, place in ((os.open(os.devnull, os.O_RDONLY), 0), (output, 1), (errors, 2)):
            os.dup2(descriptor, place)
            os.close(descriptor)
        # Python's own know what the nursery's were.
        sys.stdout, sys.stderr = (open(place, "w", closefd=False) for place in (1, 2))  # noqa: SIM115
        if plant:
            PLANTS[plant]()
        sys.argv = ["basicaer", *arguments]
        main()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)


def _nurse(orders: socket.socket, plant: str) -> None:
    config = Config(data_dir=Path("unused"))
    ThreadExecutor(config).warm_up()
    Requests([job_service_pb2.SubmitJobRequest.DESCRIPTOR], config).warm_up()
    if threading.active_count() > 1:
        raise RuntimeError(f"threads that a fork would lose: {threading.enumerate()}")
    # Those that have ended are forgotten by the system.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    children: list[int] = []
    while True:
        message, descriptors, _, _ = socket.recv_fds(orders, MOST_BYTES, 2)
        if not message:
            break
        child = os.fork()
        if child == 0:
            orders.close()
            _live(json.loads(message), plant, *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        with contextlib.suppress(ProcessLookupError):
            children.append(os.pidfd_open(child))
        orders.send(str(child).encode())
    for handle in children:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(handle, signal.SIGKILL)


def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("socket", type=int)
    parser.add_argument("--plant", default="")
    parser.add_argument("--ray", action="store_true", help="some will drive a cluster")
    chosen = parser.parse_args()
    if chosen.ray:
        import basicaer.service.execution.ray  # noqa: F401 - so that no child has to
    _nurse(socket.socket(fileno=chosen.socket), chosen.plant)


if __name__ == "__main__":
    _main()
