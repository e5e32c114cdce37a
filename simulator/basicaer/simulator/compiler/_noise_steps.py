"""Steps that draw what happens: errors among gates, operators by a state's weights, and misread bits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from basicaer.simulator._errors import SimulationFailed
from basicaer.simulator.circuit._channel_matrices import products
from basicaer.simulator.circuit._operations import Block, Observable
from basicaer.simulator.circuit._segment import Segment
from basicaer.simulator.methods.interface import Expectations, GatePlan, Method, S

Pattern: TypeAlias = tuple[tuple[int, int], ...]
"""What isn't usual in a run of gates: places where something is drawn, in order, and which event it is."""

_Indices = npt.NDArray[np.int64]

_MOST_EVENTS = 1 << 28
"""So many events at most are drawn at a time, in a few gigabytes."""

_LETTERS = "IXZY"


class Draw(NamedTuple):
    """The events of a channel: how likely any is, the sums of their shares up to each, and the numbers of the
    operators that each has.
    """

    probability: float
    shares: npt.NDArray[np.float64]
    operators: tuple[tuple[int, ...], ...]


@dataclass(slots=True, eq=False)
class NoisyStep:
    """A segment of gates, with places among them where events are drawn.

    `places[i]` is how many gates come before place i, which ascend; `qubits[i]` are its qubits, `draws[i]`
    has its events. `damped` are the gates, in order, that are operators of channels and make the norm less:
    what is missing is how likely one of the channel's others is, `jumps`, instead.
    """

    segment: Segment
    places: _Indices
    qubits: tuple[npt.NDArray[np.uint32], ...]
    draws: tuple[Draw, ...]
    damped: _Indices
    jumps: tuple[tuple[int, ...], ...]
    plans: dict[str, GatePlan[Any]] = field(default_factory=dict, init=False)
    """Plans of all gates without an event, by the names of their methods."""

    @property
    def count(self) -> int:
        """How many gates there are."""
        return len(self.segment.block)

    def operators(self, event: tuple[int, int]) -> tuple[int, ...]:
        """Return the numbers of the operators of an event, in the segment's table."""
        return self.draws[event[0]].operators[event[1]]

    def qubits_of(self, gate: int) -> npt.NDArray[np.uint32]:
        """Return the qubits of a gate."""
        block = self.segment.block
        starts = self.segment.layout.offsets(block).qubits
        return block.qubits[starts[gate] : starts[gate + 1]]

    def plan(
        self,
        method: Method[S],
        threads: int | None,
        start: int,
        stop: int,
        events: Pattern,
        behind: tuple[int, npt.NDArray[np.uint32]] | None = None,
    ) -> GatePlan[S]:
        """Return the plan of the gates from `start` to `stop`, with events of one operator among them, and
        perhaps an operator on some qubits behind them.
        """
        if events or start or stop < self.count or behind is not None:
            return method.plan(self._part(start, stop, events, behind), threads)
        plan = self.plans.get(method.name)
        if plan is None:
            plan = self.plans[method.name] = method.plan(self.segment, threads)
        return plan

    def _part(
        self, start: int, stop: int, events: Pattern, behind: tuple[int, npt.NDArray[np.uint32]] | None
    ) -> Segment:
        segment = self.segment
        block = segment.block
        offsets = segment.layout.offsets(block)
        operations = block.operations[start:stop]
        first = offsets.qubits[start]
        qubits = block.qubits[first : offsets.qubits[stop]]
        if events:
            at = self.places[[place for place, _ in events]]
            operations = np.insert(operations, at - start, [self.operators(event)[0] for event in events])
            own = [self.qubits[place] for place, _ in events]
            gaps = np.repeat(offsets.qubits[at] - first, [len(each) for each in own])
            qubits = np.insert(qubits, gaps, np.concatenate(own))
        if behind is not None:
            operations = np.append(operations, np.uint32(behind[0]))
            qubits = np.concatenate([qubits, behind[1]])
        parameters = block.parameters[offsets.parameters[start] : offsets.parameters[stop]]
        part = Block(operations, qubits, parameters=parameters)
        return Segment(segment.num_qubits, segment.operations, segment.layout, part)

    def draw(self, shots: int, generator: np.random.Generator) -> list[tuple[Pattern, int]]:
        """Draw what isn't usual in each of `shots` shots; returns the distinct patterns in the order of their
        first events, and how often each was drawn.

        Raises `SimulationFailed` where so much is drawn that no memory holds it.
        """
        if not self.draws:
            return [((), shots)]
        likely = np.array([draw.probability for draw in self.draws])
        largest, count = float(likely.max()), len(likely)
        if shots * count * largest > _MOST_EVENTS or shots * count >= 1 << 56:
            raise SimulationFailed(
                f"{shots:,} shots have more errors than can be drawn at a time; ask for fewer, or for the"
                " density matrix"
            )
        # Of all shots' places in a row, some as far apart as those of equal probability are.
        found = _hits(largest, shots * count, generator)
        found = found[generator.random(len(found)) * largest < likely[found % count]]
        shot, place = np.divmod(found, count)
        event = self._events(place, generator.random(len(found)))
        return _patterns(shot, place, event, shots)

    def _events(self, place: _Indices, points: npt.NDArray[np.float64]) -> _Indices:
        """Return which event happens at each place, by uniform numbers."""
        kinds = {id(draw): draw for draw in self.draws}
        of_place = np.array([id(draw) for draw in self.draws])[place]
        event = np.zeros(len(place), dtype=np.int64)
        for key, draw in kinds.items():
            chosen = of_place == key
            event[chosen] = np.searchsorted(draw.shares[:-1], points[chosen], side="right")
        return event


@dataclass(slots=True, eq=False)
class KrausStep:
    """One of several operators on `qubits`, which the state says how likely they are.

    `numbers` are those of the operators in the table of `segment`, which has no instruction.
    """

    segment: Segment
    qubits: npt.NDArray[np.uint32]
    numbers: tuple[int, ...]
    _plans: dict[tuple[str, int], GatePlan[Any]] = field(default_factory=dict, init=False)
    _weights: dict[str, Expectations[Any]] = field(default_factory=dict, init=False)

    def weights(self, method: Method[S]) -> Expectations[S]:
        """Return what reads how likely the operators are."""
        found = self._weights.get(method.name)
        if found is None:
            segment = self.segment
            found = self._weights[method.name] = weights_of(method, segment, self.numbers, self.qubits)
        return found

    def plan(self, method: Method[S], threads: int | None, which: int) -> GatePlan[S]:
        """Return the plan of an operator, which doesn't keep the norm."""
        plan = self._plans.get((method.name, which))
        if plan is None:
            plan = operator_plan(method, self.segment, self.numbers[which], self.qubits, threads)
            self._plans[method.name, which] = plan
        return plan


@dataclass(frozen=True, slots=True, eq=False)
class ReadoutStep:
    """Bits that are told with an error: row t of `probabilities` has those of the values told for t."""

    clbits: tuple[int, ...]
    probabilities: npt.NDArray[np.float64]


def weights_of(
    method: Method[S], segment: Segment, numbers: Sequence[int], qubits: npt.NDArray[np.uint32]
) -> Expectations[S]:
    """Return what reads the weights of the operators `numbers` of a segment's table on `qubits`."""
    width = len(qubits)
    basis = products(width)
    # X Z is -i Y.
    factors = np.array(
        [1j ** bin(number & number >> 1 & 0x55555555).count("1") for number in range(len(basis))]
    )
    names = [
        "".join(_LETTERS[number >> 2 * j & 3] for j in reversed(range(width))) for number in range(len(basis))
    ]
    observables = []
    for number in numbers:
        matrix = segment.operations[number].matrix
        if matrix is None:
            raise AssertionError("a channel's operator is no matrix")
        square = matrix.conj().T @ matrix
        parts = (np.einsum("aij,ji->a", basis, square) * factors).real / len(square)
        held = np.flatnonzero(np.abs(parts) > 1e-15).tolist() or [0]
        observables.append(Observable(tuple(names[at] for at in held), tuple(parts[held].tolist())))
    return method.expectations(observables, qubits.tolist(), segment.num_qubits)


def operator_plan(
    method: Method[S], segment: Segment, number: int, qubits: npt.NDArray[np.uint32], threads: int | None
) -> GatePlan[S]:
    """Return the plan of one operator of a segment's table on `qubits`."""
    alone = Block(np.array([number], dtype=np.uint32), qubits)
    return method.plan(Segment(segment.num_qubits, segment.operations, segment.layout, alone), threads)


def _hits(probability: float, cells: int, generator: np.random.Generator) -> _Indices:
    """Draw which of `cells` cells are hit, each with this probability, in order."""
    found: list[_Indices] = []
    last = -1
    while last < cells:
        expected = (cells - last) * probability
        gaps = generator.geometric(probability, int(expected + 4.0 * expected**0.5) + 8)
        # Those of rare errors may be so long that their sum doesn't fit.
        found.append(last + np.cumsum(np.minimum(gaps, cells + 1)))
        last = int(found[-1][-1])
    hits = np.concatenate(found)
    return hits[hits < cells]


def _patterns(shot: _Indices, place: _Indices, event: _Indices, shots: int) -> list[tuple[Pattern, int]]:
    """Return the distinct patterns of events, each with its shots; those of a shot lie side by side."""
    begins = np.flatnonzero(np.diff(shot, prepend=-1))
    sizes = np.diff(begins, append=len(shot))
    alone = begins[sizes == 1]
    found: dict[Pattern, int] = {}
    keys, counts = np.unique(np.stack([place[alone], event[alone]]), axis=1, return_counts=True)
    for where, what, count in zip(*keys.tolist(), counts.tolist(), strict=True):
        found[((where, what),)] = count
    places, events = place.tolist(), event.tolist()
    for begin, size in zip(begins[sizes > 1].tolist(), sizes[sizes > 1].tolist(), strict=True):
        several = slice(begin, begin + size)
        pattern = tuple(zip(places[several], events[several], strict=True))
        found[pattern] = found.get(pattern, 0) + 1
    ordered = sorted(found.items())
    clean = shots - len(begins)
    return [*ordered, ((), clean)] if clean else ordered
