"""Measures our methods other than ideal state vectors beside stim, Aer and others, and prints a table.

`python -m benchmarks.peers.methods [--only WORD]`: all run in one process, in turn, on as many threads as
OMP_NUM_THREADS says, and medians of processor times are compared; on several threads those of the clock. Set
OPENBLAS_NUM_THREADS too. qsim, qulacs and quimb are measured where `--packages` names a folder with them.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.peers._report import duration, table
from benchmarks.peers.methods import _method_works
from benchmarks.peers.methods._method_works import THREADS, Work
from benchmarks.peers.methods._noise_works import NOISY_WORKS

WORKS = (*_method_works.WORKS, *NOISY_WORKS)


def measured(work: Work) -> tuple[float, float]:
    """Return the medians of our times and of the peer's."""
    runs = work.make()
    # Kernels are compiled and libraries loaded by the first of ours; a peer's takes too long to run in vain.
    runs[0]()
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(work.rounds):
        for run, own in zip(runs, times, strict=True):
            own.append(_seconds(run))
    return statistics.median(times[0]), statistics.median(times[1])


def _seconds(run: Callable[[], Any]) -> float:
    clock = time.process_time if THREADS == 1 else time.perf_counter
    start = clock()
    run()
    return clock() - start


def main() -> int:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers.methods", description=__doc__)
    parser.add_argument("--only", default="", help="a part of the names of works")
    parser.add_argument("--packages", default="", help="a folder with packages that this environment lacks")
    options = parser.parse_args()
    # Behind all others, so that none of them is hidden.
    sys.path.append(options.packages)
    rows = []
    for work in WORKS:
        if options.only not in f"{work.name} {work.peer}":
            continue
        try:
            ours, theirs = measured(work)
        except ModuleNotFoundError as error:
            print(f"{work.name}: {error.name} isn't here", file=sys.stderr, flush=True)
            continue
        ratio = theirs / ours
        met = "yes" if ratio >= work.bound else "no"
        rows.append(
            [work.name, work.peer, duration(ours), duration(theirs), f"{ratio:.1f}", f"{work.bound:g}", met]
        )
        print(f"{work.name}: {ratio:.1f} times as fast as {work.peer}", file=sys.stderr, flush=True)
    print(table(["work", "peer", "ours", "theirs", "times as fast", "at least", "met"], rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
