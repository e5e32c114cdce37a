"""Compiles the kernels for the kind of processor that NUMBA_CPU_NAME names, by running them.

    NUMBA_CPU_NAME=x86-64-v4 NUMBA_CPU_FEATURES=… NUMBA_CACHE_DIR=EMPTY \
        python -m deploy.wheel.compile FOLDER x86-64-v4

`build.py` calls it. For the target aarch64-v8, what was run here is compiled once more, by `cross`. Only what
this very process compiles can be shipped, so that it has no helpers.
"""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path

from basicaer.service.config import Config
from basicaer.service.doors.requests import Requests
from basicaer.service.execution import ThreadExecutor
from basicaer.simulator._warm import run_stabilizers
from basicaer.simulator.methods.statevector.engine.machine import _meanings
from basicaer.simulator.methods.statevector.engine.machine._kept import ship
from basicaer.v1 import job_service_pb2

from deploy.wheel.cross import AARCH64, for_aarch64, remember


def main() -> None:
    """Compile what a server needs from its start on, and ship it."""
    folder, target = Path(sys.argv[1]), sys.argv[2]
    gc.disable()
    # The mode for small numbers that only x86 has. Before the first kernel is compiled.
    if target == AARCH64:
        _meanings.IS_X86 = False
        remember()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    config = Config(data_dir=Path("unused"))
    executor = ThreadExecutor(config)
    executor.warm_up()
    Requests([job_service_pb2.SubmitJobRequest.DESCRIPTOR], config).warm_up()
    run_stabilizers()
    executor.close()
    count = ship(folder, target, for_aarch64 if target == AARCH64 else None)
    print(f"{target}: {count} kernels{', which were not run' if target == AARCH64 else ''}")


if __name__ == "__main__":
    main()
