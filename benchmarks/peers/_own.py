"""Figures that need no peer: two jobs side by side, memory, cancellation, the start, generated code."""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers._families import FAMILIES
from benchmarks.peers._figures import SECONDS, Start, started
from benchmarks.peers._machine import Limits
from benchmarks.peers._process import ROOT, ProgramError
from benchmarks.peers._report import duration, table, verdict
from benchmarks.peers.adapters import OURS

PAIRS = 12
PAIRED = (("qv", 16, 10), ("qv", 22, 1), ("ising", 22, 1))
"""(family, qubits, loops) of the jobs that run side by side."""
PAIR_RATIO = 1.15
PEAK_QUBITS = (20, 24)
PEAK_RATIO = 1.1
CANCELLED_QUBITS = 28
CANCEL_MOMENTS = (0.02, 0.5, 1.5, 4.0)
"""Seconds: while memory is taken for the first time, and later."""
CANCEL_SECONDS = 0.1
STARTS = 7
KERNELS = ""
"""A part of the names of the kernels whose instructions are counted."""
START_SECONDS = 1.0
_FIRST_CIRCUIT = """
from basicaer.simulator import Circuit, statevector
state = statevector(Circuit.from_gates(3, [("h", [0]), ("cx", [0, 1]), ("rx", [2], [0.5])]))
assert abs(abs(state[0]) ** 2 + abs(state[3]) ** 2 - 0.9388) < 1e-3, state
"""


def side_by_side(start: Start, limits: Limits) -> str:
    """Two of our jobs in one process, one thread each, against one alone; and what the machine loses."""
    rows, ratios = [], []
    with started([start(OURS, "double", 1)]) as (program,):
        for family, qubits, loops in PAIRED:
            name = f"{family} {qubits} qubits"
            try:
                program.ask("build", seconds=SECONDS, family=family, qubits=qubits, setting=(0, 1))
                pairs = [program.ask("side_by_side", seconds=SECONDS, loops=loops) for _ in range(PAIRS)]
            except ProgramError as failure:
                rows.append([name, "-", "-", str(failure)])
                continue
            # The shortest ones: whatever else runs takes a processor from two jobs sooner than from one.
            alone, pair = (min(each[key] for each in pairs) for key in ("alone", "pair"))
            ratios.append(pair / alone)
            rows.append([name, duration(alone), duration(pair), f"{ratios[-1]:.2f}"])
    loss = 1.0
    for name, (one, all_of_them) in (("arithmetic", limits.flops), ("memory", limits.bandwidth)):
        loss = max(loss, limits.threads * one / all_of_them)
        rows.append([f"this machine's {name}", "-", "-", f"{limits.threads * one / all_of_them:.2f}"])
    worst = max(ratios, default=float("inf"))
    bound = verdict(worst <= PAIR_RATIO, f"a job takes at most {PAIR_RATIO} times as long beside another one")
    if loss > PAIR_RATIO:
        bound = "\n\nNot judged: something else uses the machine, which loses as much by itself."
    head = ["job", "alone", "each of two", "ratio"]
    return f"### Two jobs side by side, one thread each\n\n{table(head, rows)}{bound}"


def memory(start: Start, precisions: Sequence[str]) -> str:
    """Peak memory of ours above what the idle process holds, over the size of the state."""
    rows, worst = [], 0.0
    for precision in precisions:
        for family in FAMILIES:
            row = [precision, family]
            with started([start(OURS, precision)]) as (program,):
                try:
                    # A smaller circuit first: what a process makes once is not the run's.
                    for qubits in (PEAK_QUBITS[0] - 2, *PEAK_QUBITS):
                        program.ask("build", seconds=SECONDS, family=family, qubits=qubits, setting=(0, 2))
                        peak = program.ask("peak", seconds=SECONDS)
                        state_bytes = (16 if precision == "double" else 8) << qubits
                        ratio = (peak["after"] - peak["before"]) / state_bytes
                        if qubits in PEAK_QUBITS:
                            row.append(f"{ratio:.3f}")
                            worst = max(worst, ratio)
                except ProgramError as failure:
                    row.append(str(failure))
                    worst = float("inf")
            rows.append([*row, "-", "-"][: 2 + len(PEAK_QUBITS)])
    bound = verdict(worst <= PEAK_RATIO, f"no run takes more than {PEAK_RATIO} times its state")
    head = ["precision", "family", *(f"{qubits} qubits" for qubits in PEAK_QUBITS)]
    return f"### Peak memory over the state's size\n\n{table(head, rows)}{bound}"


def cancel(python: Path, precisions: Sequence[str], threads: int) -> str:
    """How long a run of 2 or 4 GiB goes on after it was cancelled."""
    rows, worst = [], 0.0
    for precision in precisions:
        sizes = [str(CANCELLED_QUBITS), str(threads), *map(str, CANCEL_MOMENTS)]
        found = _answer(python, "benchmarks.peers._cancel", precision, *sizes)
        for name, moment, seconds in json.loads(found):
            rows.append([precision, name, duration(moment), duration(seconds)])
            worst = max(worst, seconds)
    bound = verdict(
        worst <= CANCEL_SECONDS, f"a run ends within {duration(CANCEL_SECONDS)} of its cancellation"
    )
    head = ["precision", "what ran", "cancelled after", "ended after another"]
    return f"### Cancelling a run of {CANCELLED_QUBITS} qubits\n\n{table(head, rows)}{bound}"


def first_start(python: Path) -> str:
    """Return a process that imports the simulator and runs a first small circuit, kernels being on the
    disk.
    """
    _answer(python, "", _FIRST_CIRCUIT)
    programs = {"import": "import basicaer.simulator", "import and a first circuit": _FIRST_CIRCUIT}
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in programs}
    for _ in range(STARTS):
        for name, program in programs.items():
            begun, computed = time.perf_counter(), _children_seconds()
            _answer(python, "", program)
            times[name].append((time.perf_counter() - begun, _children_seconds() - computed))
    rows = []
    for name, taken in times.items():
        wall, processor = zip(*taken, strict=True)
        rows.append([name, *map(duration, (statistics.median(wall), min(wall), min(processor)))])
    shortest = min(wall for wall, _ in times["import and a first circuit"])
    bound = verdict(
        shortest <= START_SECONDS, f"a process has its first state within {duration(START_SECONDS)}"
    )
    head = ["a new process", "median", "shortest", "processor time"]
    return f"### The start, with kernels that were compiled before\n\n{table(head, rows)}{bound}"


def _children_seconds() -> float:
    """Return the processor time of all processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def instructions(python: Path) -> str:
    """Return the vector instructions of our kernels; see `_instructions`."""
    return _answer(python, "benchmarks.peers._instructions", KERNELS).strip()


def _answer(python: Path, module: str, *arguments: str) -> str:
    """Return what a process prints that runs a module or, without one, the program that is its argument."""
    # A process that may not write bytecode would compile Python at each start.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    what = ["-m", module] if module else ["-c"]
    command = [str(python), *what, *arguments]
    ended = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return ended.stdout
