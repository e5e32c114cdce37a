"""Compiles the kernels for the kind of processor that NUMBA_CPU_NAME names, by running them.

    NUMBA_CPU_NAME=x86-64-v4 NUMBA_CPU_FEATURES=… NUMBA_CACHE_DIR=EMPTY python deploy/wheel/compile.py FOLDER

`build.py` calls it. Only what this very process compiles can be shipped, so that it has no helpers.
"""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path

import basicaer.simulator as sim
from basicaer.service.config import Config
from basicaer.service.doors.requests import Requests
from basicaer.service.execution import ThreadExecutor
from basicaer.simulator.methods.statevector.engine.machine._kept import ship
from basicaer.v1 import job_service_pb2


def _run_other_methods() -> None:
    """Run Clifford circuits, with what a shot of its own needs, and noise."""
    for branches in (False, True):
        circuit = sim.Circuit(70, 70)
        circuit.append("h", [0])
        for qubit in range(1, 70):
            circuit.append("cx", [qubit - 1, qubit])
        if branches:
            circuit.append("measure", [0], [], [0]).append("reset", [1]).append("h", [0])
        for qubit in range(70):
            circuit.append("measure", [qubit], [], [qubit])
        for method in ("stabilizer", "automatic"):
            sim.run(circuit, shots=200, seed=1, method=method, memory=branches)


def main() -> None:
    """Compile what a server needs from its start on, and ship it."""
    target, folder = os.environ["NUMBA_CPU_NAME"], Path(sys.argv[1])
    gc.disable()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    config = Config(data_dir=Path("unused"))
    executor = ThreadExecutor(config)
    executor.warm_up()
    Requests([job_service_pb2.SubmitJobRequest.DESCRIPTOR], config).warm_up()
    _run_other_methods()
    executor.close()
    print(f"{target}: {ship(folder, target)} kernels")


if __name__ == "__main__":
    main()
