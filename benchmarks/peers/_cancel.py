"""How long a large run goes on once it is cancelled: `python -m benchmarks.peers._cancel double 28 2 0.5 4`.

A thread simulates, and the main one cancels it at different moments. The time ends when the call has raised
and its memory is free again. Prints a JSON list of (what ran, seconds before the cancel, seconds after it).
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from basicaer.simulator import Circuit, RunControl, SimulationCancelled, run, statevector, warm_up

from benchmarks.peers._families import circuit
from benchmarks.peers.adapters._basicaer import BasicAer


def _cancelled(call: Callable[[RunControl], object], moment: float) -> float:
    """Return the seconds from the cancel to the end of `call`, cancelled after `moment` seconds."""
    control, ended = RunControl(), []

    def simulate() -> None:
        try:
            call(control)
        except SimulationCancelled:
            ended.append(time.perf_counter())

    thread = threading.Thread(target=simulate)
    thread.start()
    time.sleep(moment)
    start = time.perf_counter()
    control.cancel()
    thread.join()
    if not ended:
        raise RuntimeError("the run ended before it was cancelled")
    return ended[0] - start


def main(
    precision: str, num_qubits: int, threads: int, moments: Sequence[float]
) -> list[tuple[str, float, float]]:
    """Cancel gates at every moment (seconds), and measurements of the whole state at the last two."""
    adapter = BasicAer(precision, threads)
    dtype = adapter.dtype
    warm_up(dtype)
    gates = adapter.packed(circuit("qv", num_qubits))
    measured = Circuit(num_qubits, num_qubits)
    # More than any machine does in the longest of the moments.
    for turn in range(1000):
        measured.append("ry", [turn % num_qubits], [1.0])
        measured.append("measure", [turn % num_qubits], clbits=[0])
    options: dict[str, Any] = {"dtype": dtype, "threads": threads}
    runs: list[tuple[str, Callable[[RunControl], object], Sequence[float]]] = [
        ("gates", lambda control: statevector(gates, control=control, **options), moments),
        ("measurements", lambda control: run(measured, shots=100, control=control, **options), moments[-2:]),
    ]
    return [(name, moment, _cancelled(call, moment)) for name, call, chosen in runs for moment in chosen]


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), [*map(float, sys.argv[4:])])))
