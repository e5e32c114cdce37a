"""Times of state vectors: each program's best setting is found first, then all run in turn."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from benchmarks.peers._process import Program, ProgramError
from benchmarks.peers.adapters import COMPILED, OURS

BATCH_SECONDS = 0.02
"""A measurement repeats a short job until it has taken about this long."""
FAR = 5.0
"""A setting whose first run takes this many times the best one's is not tried further."""
LIMIT_SECONDS = 300.0
LARGE = 20
"""From this size on, a peer that is far from the best one is run once, to bound the run."""
CONTENDER = 1.5
"""A peer within this factor of the best peer is repeated at large sizes too."""
HOPELESS = 2.5
"""A peer beyond this factor of the best peer at a large size is not run at larger ones."""

NOT_RUN = "not run:"


@dataclass
class Timing:
    """One program's seconds for one circuit; `note` says why there are fewer or none.

    `built` is what building the native circuit took, with any fusion beforehand; it is in no other number.
    """

    program: str
    setting: tuple[int, int] = (0, 0)
    built: float = 0.0
    seconds: list[float] = field(default_factory=list)
    note: str = ""

    @property
    def median(self) -> float:
        """The median of the rounds, in seconds."""
        return statistics.median(self.seconds)

    @property
    def best(self) -> float:
        """The shortest of the rounds, in seconds."""
        return min(self.seconds)


@dataclass
class Case:
    """One family at one size and precision, with a timing for each program."""

    precision: str
    family: str
    qubits: int
    timings: dict[str, Timing]

    def best_peer(self, value: Callable[[Timing], float] = lambda timing: timing.median) -> Timing | None:
        """Return the fastest program that isn't ours, by `value`."""
        peers = [
            timing for name, timing in self.timings.items() if name not in (OURS, COMPILED) and timing.seconds
        ]
        return min(peers, key=value, default=None)

    def ratio(self, ours: str) -> str:
        """How many times longer the best peer takes than our program `ours`, by medians; "-" if unknown."""
        peer, mine = self.best_peer(), self.timings.get(ours)
        return f"{peer.median / mine.median:.2f}" if peer and mine and mine.seconds else "-"


def rounds(qubits: int) -> int:
    """How many rounds a size gets by default."""
    return 9 if qubits <= 16 else 5 if qubits <= 20 else 3 if qubits < 26 else 2


class Measurement:
    """Times all programs of one precision. Keeps what it learned of their settings from size to size."""

    def __init__(
        self, precision: str, programs: Sequence[Program], *, clock: str, complete: bool, scrambled: bool
    ) -> None:
        """`clock` is "wall" or "processor"; `scrambled` circuits begin with random rotations."""
        self._precision = precision
        self._programs = list(programs)
        self._clock = clock
        self._scrambled = scrambled
        self._complete = complete
        self._tuned: dict[tuple[str, str, int], list[tuple[float, tuple[int, int]]]] = {}
        self._cases: dict[tuple[str, int], Case] = {}

    def case(self, family: str, qubits: int, repeats: int) -> Case:
        """Measure every program on one circuit."""
        case = Case(self._precision, family, qubits, {})
        self._cases[family, qubits] = case
        ready = []
        for program in self._programs:
            timing = case.timings[program.name] = Timing(program.name)
            timing.note = self._hopeless(program.name, family, qubits)
            if timing.note:
                continue
            try:
                expected, timing.setting = self._tune(program, family, qubits)[0]
                timing.built = self._build(program, family, qubits, timing.setting)
            except ProgramError as failure:
                timing.note = str(failure)
                continue
            ready.append((program, timing, _loops(expected)))
        for number in range(repeats):
            # Whoever comes first would profit or suffer always from the same neighbour.
            first = number % max(1, len(ready))
            for program, timing, loops in ready[first:] + ready[:first]:
                if timing.note or (number and self._decided(case, timing)):
                    continue
                try:
                    timing.seconds.append(self._time(program, loops))
                except ProgramError as failure:
                    timing.note = str(failure)
        return case

    def _hopeless(self, name: str, family: str, qubits: int) -> str:
        """Why a peer is not run at this size, or nothing."""
        sizes = [size for known, size in self._cases if known == family and LARGE <= size < qubits]
        if self._complete or name in (OURS, COMPILED) or not sizes:
            return ""
        before = self._cases[family, max(sizes)]
        best, timing = before.best_peer(), before.timings[name]
        if best is None or not timing.seconds:
            return timing.note if timing.note.startswith(NOT_RUN) else ""
        factor = timing.median / best.median
        return (
            f"{NOT_RUN} {factor:.1f} times the best peer's time at {max(sizes)}" if factor > HOPELESS else ""
        )

    def _decided(self, case: Case, timing: Timing) -> bool:
        if self._complete or case.qubits < LARGE or timing.program in (OURS, COMPILED):
            return False
        best = case.best_peer(lambda peer: peer.best)
        return best is not None and timing.best > CONTENDER * best.best

    def _tune(self, program: Program, family: str, qubits: int) -> list[tuple[float, tuple[int, int]]]:
        """(seconds, setting) of the settings worth keeping for this circuit, the fastest first.

        All are tried up to 16 qubits, then those that were near the best at the next smaller of 16 and 20.
        """
        key = (program.name, family, qubits)
        if key in self._tuned:
            return self._tuned[key]
        if qubits <= 16:
            answer = program.ask("settings", seconds=LIMIT_SECONDS, qubits=qubits)
            settings = [(fusion, threads) for fusion, threads in answer["settings"]]
        else:
            near, most, before = (1.6, 3, 16) if qubits <= 20 else (1.1, 2, 20)
            smaller = self._tune(program, family, before)
            settings = [setting for time, setting in smaller if time <= near * smaller[0][0]][:most]
            if len(settings) == 1 and qubits > 20:
                self._tuned[key] = [(smaller[0][0] * 2.0 ** (qubits - before), settings[0])]
                return self._tuned[key]
        found: list[tuple[float, tuple[int, int]]] = []
        failures: list[ProgramError] = []
        for setting in settings:
            try:
                self._build(program, family, qubits, setting)
                seconds = self._time(program, 1)
                if qubits < LARGE and not (found and seconds > FAR * min(found)[0]):
                    seconds = self._time(program, _loops(seconds))
                found.append((seconds, setting))
            except ProgramError as failure:
                failures.append(failure)
        if not found:
            raise failures[0]
        self._tuned[key] = sorted(found)
        return self._tuned[key]

    def _build(self, program: Program, family: str, qubits: int, setting: tuple[int, int]) -> float:
        answer = program.ask(
            "build",
            seconds=LIMIT_SECONDS,
            family=family,
            qubits=qubits,
            setting=setting,
            scrambled=self._scrambled,
        )
        return float(answer["seconds"])

    def _time(self, program: Program, loops: int) -> float:
        return float(program.ask("time", seconds=LIMIT_SECONDS, loops=loops)[self._clock])


def _loops(seconds: float) -> int:
    return max(1, min(10_000, int(BATCH_SECONDS / seconds)))
