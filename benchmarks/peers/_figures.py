"""The other figures beside peers: equal states, sampling, dynamic circuits, and the share of the limit."""

from __future__ import annotations

import itertools
import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from benchmarks.peers._families import circuit
from benchmarks.peers._machine import Limits
from benchmarks.peers._measure import Case
from benchmarks.peers._process import Program, ProgramError, stop_all
from benchmarks.peers._report import duration, table, verdict
from benchmarks.peers.adapters import OURS, Dynamic

Start: TypeAlias = Callable[..., Program]
"""Makes a program from its name and precision, and its number of threads if not all."""

SECONDS = 300.0
CHECKED_QUBITS = (4, 9)
TOLERANCE = {"double": 1e-10, "single": 1e-4}
SHOTS = 1_000_000
SHOT_QUBITS = 20
REPETITION = Dynamic(data=6, rounds=5, shots=1_000, angle=0.3)
ROUNDS = 5
ROUNDS_HEAD = ("program", "median", "shortest")
SHOTS_SECONDS, DYNAMIC_FACTOR = 0.06, 10.0
"""What the project asks of itself: the longest time for the shots, and how far Aer's defaults are behind."""


@contextmanager
def started(programs: Sequence[Program]) -> Iterator[Sequence[Program]]:
    try:
        yield programs
    finally:
        stop_all(programs)


def equality(start: Start, names: Sequence[str], precision: str, families: Sequence[str]) -> str:
    """Compare every program's states with those of ours, or with the first program's if ours fails.

    Each family begins with random rotations here, so that a wrong order of qubits cannot hide in a symmetric
    state. The numbers are 1 - fidelity of the normalized states.
    """
    ordered = sorted(names, key=lambda name: name != OURS)
    rows = []
    with (
        started([start(name, precision) for name in ordered]) as programs,
        tempfile.TemporaryDirectory() as folder,
    ):
        for family, qubits in itertools.product(families, CHECKED_QUBITS):
            reference: Any = None
            row = [family, str(qubits)]
            for program in programs:
                try:
                    state = _state(program, family, qubits, Path(folder) / "state.npy")
                except ProgramError as failure:
                    row.append(str(failure))
                    continue
                if reference is None:
                    reference = state
                difference = 1.0 - abs(np.vdot(reference, state)) ** 2
                row.append(f"{'' if difference < TOLERANCE[precision] else 'DIFFERS '}{abs(difference):.0e}")
            rows.append(row)
    title = f"### Do all compute the same? 1 - fidelity, {precision} precision"
    return f"{title}\n\n{table(['family', 'qubits', *ordered], rows)}"


def _state(program: Program, family: str, qubits: int, path: Path) -> Any:
    setting = program.ask("settings", seconds=SECONDS, qubits=qubits)["settings"][0]
    program.ask("build", seconds=SECONDS, family=family, qubits=qubits, setting=setting, scrambled=True)
    program.ask("save", seconds=SECONDS, path=str(path))
    state = np.load(path)
    return state / np.linalg.norm(state)


def shots(start: Start, names: Sequence[str]) -> str:
    """10^6 shots of 20 qubits, from the built circuit (one layer of ry, so shots are the work) to counts."""
    chosen = [
        name for name in ("numpy", "aer", "qulacs", "qevedo", "qsim", OURS) if name in {*names, "numpy"}
    ]
    programs = {name: start(name, "single" if name == "qsim" else "double") for name in chosen}
    circuit_fields = {"family": "product", "qubits": SHOT_QUBITS, "shots": SHOTS}
    times, rows = _rounds(programs, "build_sampling", dict.fromkeys(programs, circuit_fields))
    bound = ""
    if ours := times.get(OURS):
        bound = verdict(min(ours) <= SHOTS_SECONDS, f"ours takes at most {duration(SHOTS_SECONDS)}")
    return f"### {SHOTS:,} shots from {SHOT_QUBITS} qubits\n\n{table(ROUNDS_HEAD, rows)}{bound}"


def dynamic(start: Start, names: Sequence[str]) -> str:
    """Return the repetition code against Aer, with Aer's defaults and at its best."""
    programs, fields = {}, {}
    for label, name, tuned in (
        ("aer, defaults", "aer", False),
        ("aer, branching", "aer", True),
        (OURS, OURS, True),
    ):
        if name in names:
            programs[label] = start(name, "double")
            fields[label] = {"program": asdict(replace(REPETITION, tuned=tuned))}
    times, rows = _rounds(programs, "build_dynamic", fields)
    title = (
        f"### Repetition code: {2 * REPETITION.data} qubits, {REPETITION.rounds} rounds of measure, reset "
        f"and conditional x, {REPETITION.shots:,} shots"
    )
    bound = ""
    ours = times.get(OURS)
    for label, taken in times.items():
        if ours and taken and label != OURS:
            factor = statistics.median(taken) / statistics.median(ours)
            claim = f"ours is {DYNAMIC_FACTOR:.0f} times faster than {label}: {factor:.1f} times"
            bound += verdict(factor >= DYNAMIC_FACTOR, claim)
    return f"{title}\n\n{table(ROUNDS_HEAD, rows)}{bound}"


def _rounds(
    programs: dict[str, Program], build: str, fields: dict[str, dict[str, Any]]
) -> tuple[dict[str, list[float]], list[list[str]]]:
    """Each labelled program's seconds in `ROUNDS` rounds after one that warms up, and its row of a table."""
    times: dict[str, list[float]] = {label: [] for label in programs}
    notes: dict[str, str] = {}
    with started([*programs.values()]):
        for number, (label, program) in itertools.product(range(ROUNDS + 1), programs.items()):
            if label in notes:
                continue
            try:
                if number == 0:
                    program.ask(build, seconds=SECONDS, **fields[label])
                seconds = float(program.ask("time", seconds=SECONDS, loops=1)["wall"])
            except ProgramError as failure:
                notes[label] = str(failure)
                continue
            if number:
                times[label].append(seconds)
    rows = [
        [label, notes[label], "-"]
        if label in notes
        else [label, duration(statistics.median(taken)), duration(min(taken))]
        for label, taken in times.items()
    ]
    return times, rows


def machine(limits: Limits, cases: Sequence[Case]) -> str:
    """Return the machine's limits and, for each double-precision `qv`, the share of them that ours
    reaches.
    """
    flop, flops = (value / 1e9 for value in limits.flops)
    byte, many = (value / 1e9 for value in limits.bandwidth)
    lines = [
        f"### This machine, {limits.threads} threads",
        f"Fused multiply-adds in registers: {flop:.0f} GFLOP/s on one thread, {flops:.0f} on all (double "
        f"precision). Reading and writing 1 GiB in place: {byte:.1f} GB/s on one thread, {many:.1f} on all.",
    ]
    for case in cases:
        if case.family != "qv" or case.precision != "double" or case.qubits < 20:
            continue
        # A dense two-qubit gate does 16 complex multiply-adds, 8 FLOP each, for each 4 amplitudes.
        work = len(circuit("qv", case.qubits).gates) * 2.0 ** (case.qubits - 2) * 128
        bound = limits.seconds(work, 2 * 16.0 * 2**case.qubits)
        for timing in case.timings.values():
            if timing.program == OURS and timing.seconds:
                share = (
                    f"{bound / timing.median:.0%} by the median, {bound / timing.best:.0%} by the shortest"
                )
                lines.append(
                    f"qv {case.qubits}: {work:.3g} FLOP gate by gate, at least {duration(bound)} here. "
                    f"Ours reaches {share} of that."
                )
    return "\n\n".join(lines)
