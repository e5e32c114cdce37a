"""Gates for a spread state: fused once, scheduled for where its qubits lie, the same on all ranks."""

from __future__ import annotations

import io
from typing import TypeAlias

import numpy as np
from basicaer.simulator._control import RunControl
from basicaer.simulator.circuit._segment import Segment
from basicaer.simulator.distributed._schedule import Exchange, FusedGates, Layout, Schedule, Sector, scheduled
from basicaer.simulator.distributed._state import SpreadState
from basicaer.simulator.methods.interface import GatePlan
from basicaer.simulator.methods.statevector._engine import Plan
from basicaer.simulator.methods.statevector._wide import apply_gate
from basicaer.simulator.methods.statevector.engine._arrays import StagePlan
from basicaer.simulator.methods.statevector.engine.planning._compile import fuse_columns

__all__ = ["SpreadPlan"]

_Key: TypeAlias = tuple[int, int, bytes, int]
# So many schedules are kept for each segment: a loop comes back to where its qubits lay.
_MOST_KEPT = 8


class SpreadPlan(GatePlan[SpreadState]):
    """A segment that is ready to be applied.

    Rank 0 schedules for all: on processors of two kinds, rounding might decide otherwise, and ranks that
    exchange at different places would wait for each other for ever.
    """

    __slots__ = ("_kept", "_plan", "_threads")

    def __init__(self, segment: Segment, threads: int | None) -> None:
        self._plan = Plan(segment, threads)
        self._threads = threads
        self._kept: dict[_Key, tuple[Schedule, complex]] = {}

    def apply(self, state: SpreadState, control: RunControl) -> None:
        """See `GatePlan.apply`."""
        work = 2.0**state.num_qubits
        for number, (start, stop, is_wide) in enumerate(self._plan.spans):
            if is_wide:
                self._apply_wide(start, state, control)
                control.advance(work)
            else:
                self._apply_native(number, state, control, work * (stop - start))

    def _apply_native(self, number: int, state: SpreadState, control: RunControl, work: float) -> None:
        key = number, state.dtype.itemsize, state.bits.tobytes(), state.live
        found = self._kept.get(key)
        if found is None:
            own = None
            if not state.transport.rank:
                own = _packed(*self.schedule(number, state.layout))
            found = _unpacked(state.transport.share(own, control))
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            self._kept[key] = found
        schedule, phase = found
        state.follow(schedule, self._threads, control, work)
        if phase != 1.0:
            state.scale(phase, control)

    def schedule(self, number: int, layout: Layout) -> tuple[Schedule, complex]:
        """Return how a run of the segment's gates is applied to a state that lies so, and the factor that it
        is to be multiplied by.
        """
        n = len(layout.phys)
        wire = np.arange(n, dtype=np.int64)
        known = np.array([-1 if layout.live >> qubit & 1 else 0 for qubit in range(n)], dtype=np.int64)
        ops, mats, operands, targets, read, phase = fuse_columns(*self._plan.columns_of(number), wire, known)
        made = scheduled(FusedGates(ops, mats, operands, targets, read), layout)
        live = sum(1 << qubit for qubit in range(n) if made.live >> int(wire[qubit]) & 1)
        return Schedule(made.sectors, made.phys[wire], live), phase

    def _apply_wide(self, number: int, state: SpreadState, control: RunControl) -> None:
        matrix, targets, controls = self._plan.wide(number)
        state.bring_near(targets, control)
        state.live |= sum(1 << qubit for qubit in targets)
        near: dict[int, int] = {}
        for qubit, value in controls.items():
            bit = int(state.bits[qubit])
            if bit < state.local:
                near[bit] = value
            elif state.number >> bit - state.local & 1 != value:
                return
        apply_gate(state.part, matrix, [int(state.bits[qubit]) for qubit in targets], near, control)


def _packed(schedule: Schedule, phase: complex) -> bytes:
    stream = io.BytesIO()
    heads = [[sector.exchange.idle, *sector.exchange.bits] for sector in schedule.sectors]
    numbers = [schedule.live, len(schedule.sectors), *schedule.phys.tolist()]
    for array in (np.array(numbers, np.int64), np.array([phase], np.complex128)):
        np.save(stream, array, allow_pickle=False)
    for head, sector in zip(heads, schedule.sectors, strict=True):
        np.save(stream, np.array(head, np.int64), allow_pickle=False)
        for part in sector.plan:
            np.save(stream, part, allow_pickle=False)
    return stream.getvalue()


def _unpacked(data: bytes | bytearray | memoryview) -> tuple[Schedule, complex]:
    stream = io.BytesIO(data)
    numbers = np.load(stream)
    phase = complex(np.load(stream)[0])
    sectors = []
    for _ in range(int(numbers[1])):
        idle, *bits = np.load(stream).tolist()
        stages, rows, coefs, terms = (np.load(stream) for _ in range(4))
        sectors.append(Sector(StagePlan(stages, rows, coefs, terms), Exchange(tuple(bits), idle)))
    return Schedule(sectors, numbers[2:].copy(), int(numbers[0])), phase
