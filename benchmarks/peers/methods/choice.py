"""Measures the automatic choice of a method beside every method by name, over circuits of all kinds.

`python -m benchmarks.peers.methods.choice [--only WORD]`, on one thread, by
processor time. A method is stopped when it has
taken four times as long as the choice; those that come near are measured again, in turn.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import threading
import time
from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias

from basicaer.simulator import (
    Circuit,
    CircuitError,
    MethodName,
    RunControl,
    RunResult,
    SimulationCancelled,
    SimulationFailed,
    run,
)

from benchmarks.peers._report import duration, table
from benchmarks.peers.methods._choice_works import Choosing, works

Name: TypeAlias = Literal["automatic"] | MethodName
_METHODS: tuple[Name, ...] = ("statevector", "density_matrix", "stabilizer", "matrix_product_state")
BOUND = 1.3
ROUNDS = 5
_LONGEST = 30.0
_SHORT = 0.02
_MOST_BYTES = 8 << 30


class Measured(NamedTuple):
    """Which method was chosen, in what time, and which would have been the fastest, in what time."""

    work: Choosing
    chosen: str
    seconds: float
    best: str
    best_seconds: float
    reason: str

    @property
    def ratio(self) -> float:
        """How many times as long as the best method the chosen one takes, 1 where that is the same."""
        return self.seconds / self.best_seconds


def _timed(circuit: Circuit, shots: int, method: Name, limit: float) -> tuple[float, RunResult] | None:
    """Run a circuit that nothing is known of; None where it takes longer than `limit`, or can't be run."""
    control = RunControl()
    timer = threading.Timer(limit, control.cancel)
    timer.start()
    fresh = circuit.replaced()
    start = time.process_time()
    try:
        found = run(
            fresh,
            shots=shots,
            seed=1,
            method=method,
            threads=1,
            max_memory_bytes=_MOST_BYTES,
            control=control,
        )
        return time.process_time() - start, found
    except (SimulationCancelled, SimulationFailed, MemoryError):
        return None
    except CircuitError:
        if method == "automatic":
            raise
        return None
    finally:
        timer.cancel()


def measured(work: Choosing) -> Measured:
    """Measure one circuit by the choice and by every method."""
    circuit = work.circuit

    def timed(method: Name, limit: float) -> tuple[float, RunResult] | None:
        return _timed(circuit, work.shots, method, limit)

    # The first run compiles kernels.
    timed("automatic", _LONGEST)
    first = timed("automatic", _LONGEST)
    if first is None:
        raise RuntimeError(f"{work.name}: the choice takes more than {_LONGEST} s")
    seconds, chosen = first
    tries = {name: timed(name, 4.0 * seconds + 0.1) for name in _METHODS if name != chosen.simulation_method}
    near = [name for name, found in tries.items() if found is not None and found[0] < 3.0 * seconds + 1e-3]
    rounds = 3 * ROUNDS if seconds < _SHORT else ROUNDS if seconds < 2.0 else 1
    times: dict[Name, list[float]] = {name: [] for name in ("automatic", chosen.simulation_method, *near)}
    for _ in range(rounds):
        for name, own in times.items():
            found = timed(name, _LONGEST)
            if found is not None:
                own.append(found[0])
    medians = {name: statistics.median(own) for name, own in times.items() if own}
    automatic = medians.pop("automatic")
    best = min(medians, key=lambda name: medians[name])
    return Measured(work, chosen.simulation_method, automatic, best, medians[best], chosen.reason)


def report(found: Sequence[Measured]) -> str:
    """Return a table of what was measured, and how many are within the bound."""
    rows = [
        [
            each.work.name,
            f"{each.work.shots:,}",
            each.chosen,
            duration(each.seconds),
            each.best,
            duration(each.best_seconds),
            f"{each.ratio:.2f}",
            "yes" if each.ratio <= BOUND else "no",
        ]
        for each in found
    ]
    header = ["circuit", "shots", "chosen", "in", "best", "in", "ratio", "met"]
    met = sum(each.ratio <= BOUND for each in found)
    return f"{table(header, rows)}\n\n{met} of {len(found)} within {BOUND} times the best"


def main() -> int:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers.methods.choice", description=__doc__)
    parser.add_argument("--only", default="", help="a part of the names of circuits")
    options = parser.parse_args()
    found = []
    for work in works():
        if options.only not in work.name:
            continue
        one = measured(work)
        found.append(one)
        told = (
            f"{work.name}: {one.chosen} {duration(one.seconds)}, best {one.best} {duration(one.best_seconds)}"
        )
        print(f"{told}, {one.ratio:.2f} ({one.reason})", file=sys.stderr, flush=True)
    print(report(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
