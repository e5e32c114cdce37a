"""Which gates a spread state takes before which of its index bits are exchanged.

A state of n wires lies on 2^k ranks. The top k bits of the index are a rank's number; wires there are far,
and a gate that changes one waits until its wire has come near. Between two exchanges all gates run that can;
then the wires go far that gates change last, as Belady chose pages (A study of replacement algorithms for a
virtual-storage computer, IBM Systems Journal 5, 78, 1966). Controls, selectors and diagonal gates on far
wires need no exchange: there they are constants of a rank.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from basicaer.simulator.methods.statevector.engine._arrays import Complexes, Ints, Reals, StagePlan
from basicaer.simulator.methods.statevector.engine.columns import factors, fused, passes, steps
from basicaer.simulator.methods.statevector.engine.planning import _planner as planner

__all__ = ["Exchange", "FusedGates", "Layout", "Schedule", "Sector", "rearranged", "scheduled", "specialised"]

_NEVER = 1 << 62
_LAST = 1 << 60


class FusedGates(NamedTuple):
    """What `fuse_columns` gives."""

    ops: Ints
    mats: Complexes
    operands: Ints
    targets: Ints
    read: Ints


class Exchange(NamedTuple):
    """The top bits of a rank's part are exchanged with these bits of its number: the lowest of them with the
    first. Ranks whose number has a bit of `idle` have nothing to give but zeros.
    """

    bits: tuple[int, ...]
    idle: int


class Sector(NamedTuple):
    """A plan for what runs at once, on all ranks that aren't idle, and the exchange behind it."""

    plan: StagePlan
    exchange: Exchange


class Schedule(NamedTuple):
    """Sectors, and where each wire is at their end: its bit of the whole index; and which wires are live."""

    sectors: list[Sector]
    phys: npt.NDArray[np.int64]
    live: int


class Layout(NamedTuple):
    """Where the wires are: wire w has bit phys[w] of the index, of which the lowest `local` are in each rank.

    `live` has the wires that may be other than 0. Blocks have `block_bits` bits, vectors `lane_bits`.
    """

    phys: npt.NDArray[np.int64]
    local: int
    live: int
    block_bits: int
    lane_bits: int

    @property
    def far(self) -> set[int]:
        """The wires that are in the ranks' numbers."""
        return {wire for wire, bit in enumerate(self.phys.tolist()) if bit >= self.local}


def scheduled(gates: FusedGates, layout: Layout) -> Schedule:
    """Schedule gates on a state that lies as `layout` says. A state without live wires is laid out anew."""
    targets, read = gates.targets.tolist(), gates.read.tolist()
    left = list(range(len(targets)))
    if not layout.live:
        uses = _next_uses(targets, left)
        order = sorted(range(len(layout.phys)), key=lambda wire: uses.get(wire, _LAST))
        phys = np.empty(len(order), np.int64)
        phys[order] = np.arange(len(order))
        layout = layout._replace(phys=phys)
    sectors: list[Sector] = []
    while True:
        now, left = _split(targets, read, left, layout.far)
        goal = None
        if left:
            uses, far = _next_uses(targets, left), layout.far
            ranked = sorted(
                range(len(layout.phys)), key=lambda wire: (-uses.get(wire, _LAST), wire not in far)
            )
            goal = set(ranked[: len(far)])
        sector, layout = _sector(gates, now, layout, goal)
        sectors.append(sector)
        if not left:
            return Schedule(sectors, layout.phys, layout.live)


def rearranged(layout: Layout, far: Iterable[int], order: Sequence[int] = ()) -> Schedule:
    """Schedule no gates, so that the wires `far` are far at the end; the near ones lie in `order` then,
    from the least significant bit on, if that is given.
    """
    nothing = FusedGates(
        np.zeros((0, fused.COLUMNS), np.int64),
        np.zeros(64, np.complex128),
        np.zeros(0, np.int64),
        np.zeros(0, np.int64),
        np.zeros(0, np.int64),
    )
    sectors: list[Sector] = []
    goal = set(far)
    if goal != layout.far:
        sector, layout = _sector(nothing, [], layout, goal)
        sectors.append(sector)
    if len(order):
        home = layout.phys.copy()
        home[list(order)] = np.arange(len(order))
        if (home != layout.phys).any():
            made = _planned(nothing, [], layout, home)
            sectors.append(Sector(made, Exchange((), _idle(layout))))
            layout = layout._replace(phys=home)
    return Schedule(sectors, layout.phys, layout.live)


def specialised(plan: StagePlan, rank: int, local: int, real: npt.DTypeLike) -> StagePlan:
    """Return the plan as one rank runs it, on states of type `real`. Its number is the constant value of the
    bits from `local` on.
    """
    stages, rows, terms = plan.stages.copy(), plan.rows.copy(), plan.terms.copy()
    low, above = (1 << local) - 1, rank << local
    stages[:, passes.OUTER] &= low
    masks, values = rows[:, steps.OUTER_MASK], rows[:, steps.OUTER_VALUE]
    misses = (above & (masks & ~low)) != (values & ~low)
    masks &= low
    values &= low
    # No base has these.
    masks[misses], values[misses] = 0, 1
    for pick, times in ((steps.PICK1, 1), (steps.PICK2, 2)):
        far = rows[:, pick] >= local
        chosen = rank >> (rows[far, pick] - local) & 1
        rows[far, steps.FIRST] += times * rows[far, steps.STRIDE] * chosen
        rows[far, pick] = -1
    for row in rows[rows[:, steps.OP] == steps.LAYER]:
        part = terms[row[steps.P0] : row[steps.P0] + row[steps.P1]]
        high = part[:, factors.KEY] & ~low
        fits = (above & high) == high
        part[:, factors.KEY] = np.where(fits, part[:, factors.KEY] & low, _NEVER)
    coefs: Reals = plan.coefs.astype(real, copy=False)
    return StagePlan(stages, rows, coefs, terms)


def _next_uses(targets: Sequence[int], left: Sequence[int]) -> dict[int, int]:
    """Return for each wire when it is first changed."""
    uses: dict[int, int] = {}
    seen = 0
    for turn, number in enumerate(left):
        new = targets[number] & ~seen
        seen |= new
        while new:
            bit = new & -new
            uses[bit.bit_length() - 1] = turn
            new ^= bit
    return uses


def _split(
    targets: Sequence[int], read: Sequence[int], left: Sequence[int], far: set[int]
) -> tuple[list[int], list[int]]:
    """Return what can run while these wires are far, and what is left, both in order."""
    fixed = sum(1 << wire for wire in far)
    blocked = blocked_targets = 0
    now, rest = [], []
    for number in left:
        changed, looked_at = targets[number], read[number]
        if changed & (fixed | blocked) or looked_at & blocked_targets:
            blocked |= changed | looked_at
            blocked_targets |= changed
            rest.append(number)
        else:
            now.append(number)
    return now, rest


def _idle(layout: Layout) -> int:
    return sum(
        1 << int(layout.phys[wire]) - layout.local for wire in layout.far if not layout.live >> wire & 1
    )


def _sector(
    gates: FusedGates, now: Sequence[int], layout: Layout, goal: set[int] | None
) -> tuple[Sector, Layout]:
    """Return gates with the exchange that makes the wires of `goal` far, and how the state lies behind it."""
    far, local = layout.far, layout.local
    leaves = sorted((goal or far) - far)
    enters = sorted(far - (goal or far))
    home = layout.phys.copy()
    for place, wire in enumerate(leaves):
        # To the top of each rank's part, where halves and quarters are contiguous.
        bit = local - len(leaves) + place
        other = int(np.flatnonzero(home == bit)[0])
        home[other], home[wire] = home[wire], bit
    made = _planned(gates, now, layout, home)
    live = layout.live
    for number in now:
        live |= int(gates.targets[number])
    exchange = Exchange(tuple(int(home[wire]) - local for wire in enters), _idle(layout))
    for leaving, entering in zip(leaves, enters, strict=True):
        home[leaving], home[entering] = home[entering], home[leaving]
    return Sector(made, exchange), layout._replace(phys=home, live=live)


def _planned(gates: FusedGates, now: Sequence[int], layout: Layout, home: npt.NDArray[np.int64]) -> StagePlan:
    fixed = sum(1 << wire for wire in layout.far)
    ops = np.ascontiguousarray(gates.ops[list(now)])
    made = planner.plan(
        *(ops, gates.mats, gates.operands, len(ops), layout.phys.copy(), home.copy(), layout.live),
        *(min(layout.block_bits, layout.local), layout.lane_bits, fixed),
    )
    # Of the compiler's arrays these are the beginnings.
    return StagePlan(made.stages.copy(), made.rows.copy(), made.coefs.copy(), made.terms.copy())
