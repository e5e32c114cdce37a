"""Measures BasicAer's simulator beside its peers, in one run on one machine, and prints tables in Markdown.

Every program lives in a process of its own; round after round, each runs in turn. A time goes from the native
circuit, already built, to the state vector in memory. The first rows say whether all compute the same.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.peers import _figures, _machine, _own, _report
from benchmarks.peers._families import FAMILIES
from benchmarks.peers._measure import Case, Measurement, rounds
from benchmarks.peers._process import ROOT, Program, ProgramError, stop_all
from benchmarks.peers.adapters import COMPILED, OURS, PEERS, precisions

OWN = ("pair", "memory", "cancel", "start", "instructions")
"""The parts that are about our program alone."""
SIZES = {"double": (4, 10, 16, 20, 24, 26), "single": (20, 24)}
PARTS = ("equality", "states", "machine", "shots", "dynamic", *OWN)

BUSY = 0.5
"""The load average above which other work distorts wall times."""


class Run:
    """One run: what was asked for, and what was found."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.names = [*options.peers, *([OURS, COMPILED] if options.ours else [])]
        self.cases: list[Case] = []
        self._limits: list[_machine.Limits] = []

    def start(self, name: str, precision: str, threads: int | None = None) -> Program:
        """Return a program that starts at its first command."""
        options, count = self.options, threads or self.options.threads
        python = options.python if name in (OURS, COMPILED) else options.peers_python
        environment = {"OMP_NUM_THREADS": str(count)}
        if name == "scaluq":
            # Kokkos warns without it; binding two processes' threads to the same cores would be worse.
            environment["OMP_PROC_BIND"] = "false"
        return Program(name, python, precision, count, environment)

    def able(self, precision: str) -> list[str]:
        """Return the programs that have state vectors of `precision`."""
        return [name for name in self.names if precision in precisions(name)]

    def equality(self) -> str:
        """Whether all programs compute the same."""
        return "\n\n".join(
            _figures.equality(self.start, self.able(precision), precision, self.options.families)
            for precision in self.options.precision
        )

    def states(self) -> str:
        """Return the times of all families and sizes; print each size as soon as it is there."""
        for precision in self.options.precision:
            names = self.able(precision)
            if absent := [name for name in self.names if name not in names]:
                emit(f"No {precision} precision: {', '.join(absent)}.")
            programs = [self.start(name, precision) for name in names]
            measurement = Measurement(
                precision,
                programs,
                clock=self.options.clock,
                complete=self.options.complete,
                scrambled=self.options.scrambled,
            )
            try:
                for qubits in self.options.sizes or SIZES[precision]:
                    self._size(measurement, precision, qubits)
            finally:
                stop_all(programs)
        return "### The best peer and ours by their shortest times\n\n" + _report.minima(self.cases)

    def _size(self, measurement: Measurement, precision: str, qubits: int) -> None:
        found = []
        for family in self.options.families:
            start = time.perf_counter()
            case = measurement.case(family, qubits, self.options.repeats or rounds(qubits))
            found.append(case)
            taken = time.perf_counter() - start
            best = _report.summary(case)
            print(f"{precision} {qubits} {family}, in {taken:.0f} s: {best}", file=sys.stderr, flush=True)
            if self.options.json:
                records = [dataclasses.asdict(each) for each in [*self.cases, *found]]
                self.options.json.write_text(json.dumps(records, indent=1))
        self.cases.extend(found)
        emit(_report.states(found))

    def limits(self) -> _machine.Limits:
        """Return the best that the machine has shown so far; measure again at each call."""
        self._limits.append(_machine.limits(self.options.threads))
        return _machine.Limits(
            self.options.threads,
            *(
                (
                    max(getattr(each, name)[0] for each in self._limits),
                    max(getattr(each, name)[1] for each in self._limits),
                )
                for name in ("flops", "bandwidth")
            ),
        )

    def parts(self) -> dict[str, Callable[[], str]]:
        """Return what each part of the report is made by, in order."""
        return {
            "equality": self.equality,
            "states": self.states,
            "machine": lambda: _figures.machine(self.limits(), self.cases),
            "shots": lambda: _figures.shots(self.start, self.names),
            "dynamic": lambda: _figures.dynamic(self.start, self.names),
            "pair": lambda: _own.side_by_side(self.start, self.limits()),
            "memory": lambda: _own.memory(self.start, self.options.precision),
            "cancel": lambda: _own.cancel(self.options.python, self.options.precision, self.options.threads),
            "start": lambda: _own.first_start(self.options.python),
            "instructions": lambda: _own.instructions(self.options.python),
        }


def emit(text: str) -> None:
    """Print a part of the report."""
    print(text, end="\n\n", flush=True)


def main() -> int:
    """Run what the command line asks for."""
    options = _options()
    run = Run(options)
    start = time.perf_counter()
    emit(f"# Programs beside each other: {_processor()}, {options.threads} threads, {time.strftime('%F %R')}")
    load = os.getloadavg()[0]
    if load > BUSY and options.clock == "wall":
        emit(
            f"**The machine is busy: load {load:.1f} before the start.** Threads that wait for each other, "
            "as OpenMP's do, then lose far more than others, so ratios flatter us. Use a quiet machine, or "
            "`--threads 1 --clock processor`."
        )
    versions = []
    for name in run.names:
        program = run.start(name, precisions(name)[0])
        try:
            hello = program.ask("hello", seconds=_figures.SECONDS)
            versions.append([name, hello["version"], hello["note"]])
        except ProgramError as failure:
            versions.append([name, "-", str(failure)])
        finally:
            program.stop()
    emit(_report.table(["program", "version", "note"], versions))
    if "machine" in options.parts:
        run.limits()
    for name, part in run.parts().items():
        if name in options.parts and (options.ours or name not in OWN):
            emit(part())
    emit(f"All this took {(time.perf_counter() - start) / 60:.0f} minutes.")
    return 0


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _list(known: tuple[str, ...]) -> Callable[[str], list[str]]:
    def parse(text: str) -> list[str]:
        names = [name for name in text.split(",") if name]
        if unknown := [name for name in names if name not in known]:
            raise argparse.ArgumentTypeError(f"no {', '.join(unknown)}; there are {', '.join(known)}")
        return names

    return parse


def _sizes(text: str) -> list[int]:
    return [int(size) for size in text.split(",")]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.peers",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    families, both = tuple(FAMILIES), ("double", "single")
    add("--families", type=_list(families), default=list(families), help=",".join(families))
    add("--sizes", type=_sizes, help=f"numbers of qubits; by default {SIZES}")
    add("--precision", type=_list(both), default=list(both), help=",".join(both))
    add("--peers", type=_list(PEERS), default=list(PEERS), help=",".join(PEERS))
    add("--no-ours", dest="ours", action="store_false", help="measure the peers alone")
    add("--parts", type=_list(PARTS), default=list(PARTS), help=",".join(PARTS))
    add("--repeats", type=int, help="rounds; by default fewer for larger sizes")
    add("--threads", type=int, default=2)
    add(
        "--clock",
        choices=("wall", "processor"),
        default="wall",
        help="processor time, with --threads 1, still means something while others use the machine",
    )
    add(
        "--scrambled",
        action="store_true",
        help="begin with random rotations, where a state of zeros may help",
    )
    add("--complete", action="store_true", help="repeat even peers that are far behind, at all sizes (hours)")
    add("--python", type=Path, default=Path(sys.executable), help="the interpreter that has BasicAer")
    add(
        "--peers-python",
        type=Path,
        default=ROOT / ".venv-peers/bin/python",
        help="the one that has the peers",
    )
    add("--json", type=Path, help="a file for every time that was taken")
    options = parser.parse_args()
    if not options.peers_python.exists():
        parser.error(f"no {options.peers_python}: `make bench-peers` sets it up")
    return options


if __name__ == "__main__":
    sys.exit(main())
