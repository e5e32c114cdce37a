"""A state vector in parts, one on each rank, and everything that is done to it besides gates.

All ranks call the same methods in the same order. The index of an amplitude is a rank's number above the
index in the rank's part; which qubit has which bit of it changes with the gates.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from basicaer.simulator._control import RunControl
from basicaer.simulator.distributed._schedule import Exchange, Layout, Schedule, rearranged, specialised
from basicaer.simulator.distributed._transport import Transport
from basicaer.simulator.methods.interface import QuantumState
from basicaer.simulator.methods.statevector._state import ComplexDType, State, check_size
from basicaer.simulator.methods.statevector.engine.blocks._run import BLOCK_BITS, run_plan
from basicaer.simulator.methods.statevector.engine.machine._helpers import default_threads
from basicaer.simulator.methods.statevector.engine.machine._pages import zeros

__all__ = ["SpreadState"]

Floats: TypeAlias = "npt.NDArray[np.float64]"


class SpreadState(QuantumState):
    """2^num_qubits amplitudes on the ranks of `transport`, of which each has 2^local; all qubits are in 0."""

    __slots__ = ("bits", "dtype", "live", "local", "num_qubits", "part", "transport", "turned")

    def __init__(self, num_qubits: int, dtype: ComplexDType, transport: Transport) -> None:
        check_size(num_qubits)
        self.num_qubits = num_qubits
        self.dtype = dtype
        self.transport = transport
        self.local = num_qubits - (transport.size.bit_length() - 1)
        # Bit bits[q] of the index belongs to qubit q.
        self.bits: npt.NDArray[np.int64] = np.arange(num_qubits, dtype=np.int64)
        # Qubits that may be other than 0.
        self.live = 0
        # A rank's part is that of this number, exclusive-or its own: to flip a far qubit moves nothing.
        self.turned = 0
        self.part = State(self.local, zeros(1 << self.local, dtype))
        if not transport.rank:
            self.part.amplitudes[0] = 1.0

    @property
    def number(self) -> int:
        """Which part of the state this rank has: the upper bits of its amplitudes' indices."""
        return self.transport.rank ^ self.turned

    def rank_of(self, number: int) -> int:
        """Return the rank that has a part."""
        return number ^ self.turned

    @property
    def _real(self) -> type[np.float64 | np.float32]:
        return np.float64 if self.dtype.itemsize == 16 else np.float32

    @property
    def layout(self) -> Layout:
        """Where the qubits are."""
        real_bytes = self.dtype.itemsize // 2
        lane_bits = (64 // real_bytes).bit_length() - 1
        return Layout(self.bits.copy(), self.local, self.live, BLOCK_BITS[real_bytes], lane_bits)

    def copy(self, control: RunControl) -> SpreadState:
        """See `QuantumState.copy`."""
        made = object.__new__(SpreadState)
        made.num_qubits, made.dtype, made.transport = self.num_qubits, self.dtype, self.transport
        made.local, made.live, made.turned = self.local, self.live, self.turned
        made.bits = self.bits.copy()
        made.part = self.part.copy(control)
        return made

    def weights(self, qubits: Sequence[int], control: RunControl) -> Floats:
        """See `QuantumState.weights`."""
        if not qubits:
            return self.total(self.part.weights([], control), control)
        near = sorted((int(self.bits[qubit]), place) for place, qubit in enumerate(qubits))
        near = [(bit, place) for bit, place in near if bit < self.local]
        own = self.part.weights([bit for bit, _ in near], control)
        index = np.zeros(len(own), dtype=np.int64)
        for bit, (_, place) in enumerate(near):
            index |= (np.arange(len(own)) >> bit & 1) << place
        for place, bit in enumerate(self.local_bits(qubits)):
            # One that is constant in the part.
            index |= (bit == self.local + 1) << place
        sums = np.zeros(1 << len(qubits))
        sums[index] = own
        return self.total(sums, control)

    def collapse(self, values: Mapping[int, int], weight: float, control: RunControl) -> None:
        """See `QuantumState.collapse`."""
        near: dict[int, int] = {}
        for qubit, value in values.items():
            bit = int(self.bits[qubit])
            if bit < self.local:
                near[bit] = value
            elif self.number >> bit - self.local & 1 != value:
                self.part.amplitudes[:] = 0.0
                return
        self.part.collapse(near, weight, control)

    def flip(self, qubit: int, control: RunControl) -> None:
        """See `QuantumState.flip`."""
        bit = int(self.bits[qubit])
        self.live |= 1 << qubit
        if bit < self.local:
            self.part.flip(bit, control)
        else:
            self.turned ^= 1 << bit - self.local

    def prepare(
        self, qubits: Sequence[int], amplitudes: npt.NDArray[np.complex128], control: RunControl
    ) -> None:
        """See `QuantumState.prepare`. So many qubits must have room in one rank's part."""
        self.bring_near(qubits, control)
        self.part.prepare([int(self.bits[qubit]) for qubit in qubits], amplitudes, control)
        self.live |= sum(1 << qubit for qubit in qubits)

    def scale(self, factor: complex, control: RunControl) -> None:
        """Multiply every amplitude by `factor`."""
        self.part.scale(factor, control)

    def total(self, values: Floats, control: RunControl) -> Floats:
        """Return the sums of what the parts have, in the order of the parts."""
        order = [self.rank_of(number) for number in range(self.transport.size)]
        return self.transport.sum(values, control, order)

    def local_bits(self, qubits: Iterable[int]) -> list[int]:
        """Return for each qubit its bit in the part. Those that are constant there, or not held at all, have
        `local` for 0 and one more for 1.
        """
        found = []
        for qubit in qubits:
            if qubit >= self.num_qubits:
                found.append(self.local + qubit - self.num_qubits)
                continue
            bit = int(self.bits[qubit])
            far = bit - self.local
            found.append(bit if far < 0 else self.local + (self.number >> far & 1))
        return found

    def bring_near(self, qubits: Collection[int], control: RunControl) -> None:
        """Exchange bits until none of `qubits` is in a rank's number."""
        layout = self.layout
        coming = layout.far & set(qubits)
        if not coming:
            return
        # The upper ones leave, whose places are contiguous as they are.
        others = sorted(
            (qubit for qubit in range(self.num_qubits) if qubit not in layout.far and qubit not in qubits),
            key=lambda qubit: -int(self.bits[qubit]),
        )
        far = layout.far - coming | set(others[: len(coming)])
        self.follow(rearranged(layout, far), None, control)

    def straighten(self, control: RunControl) -> list[int]:
        """Bring the qubits into their order, from the least significant bit on, but for the order of the far
        ones. Returns the parts' numbers in the order of the qubits' index.
        """
        near = range(self.local)
        far = range(self.local, self.num_qubits)
        self.follow(rearranged(self.layout, far, near), None, control)
        shifts = [int(self.bits[qubit]) - self.local for qubit in far]
        return [
            sum((index >> place & 1) << shift for place, shift in enumerate(shifts))
            for index in range(self.transport.size)
        ]

    def follow(self, schedule: Schedule, threads: int | None, control: RunControl, work: float = 0.0) -> None:
        """Carry out a schedule, and report `work` in all; the bits are then the schedule's."""
        share = work / len(schedule.sectors) if schedule.sectors else 0.0
        count = threads or default_threads()
        size = min(self.layout.block_bits, self.local)
        for sector in schedule.sectors:
            if self.number & sector.exchange.idle:
                control.advance(share)
            else:
                own = specialised(sector.plan, self.number, self.local, self._real)
                run_plan(own, size, self.part.amplitudes, 1 + 0j, False, count, control, share)
            if sector.exchange.bits:
                self._exchange(sector.exchange, control)
        self.bits = schedule.phys.copy()
        self.live |= schedule.live
        if self.live != (1 << self.num_qubits) - 1:
            # Stages leave what was of use where qubits would be in 1 that are in 0.
            untouched = [qubit for qubit in range(self.num_qubits) if not self.live >> qubit & 1]
            self.collapse(dict.fromkeys(untouched, 0), 1.0, control)

    def _exchange(self, exchange: Exchange, control: RunControl) -> None:
        """Exchange the top bits of the part with bits of its number."""
        width, number = len(exchange.bits), self.number
        mine = sum((number >> bit & 1) << place for place, bit in enumerate(exchange.bits))
        slabs = self.part.amplitudes.reshape(1 << width, -1)
        nothing = slabs[0, :0]
        is_idle = bool(number & exchange.idle)
        for step in range(1, 1 << width):
            value = mine ^ step
            other = number
            for place, bit in enumerate(exchange.bits):
                other = other & ~(1 << bit) | (value >> place & 1) << bit
            rank, slab = self.rank_of(other), slabs[value]
            match is_idle, bool(other & exchange.idle):
                case False, False:
                    self.transport.swap(rank, slab, control)
                case False, True:
                    self.transport.trade(rank, slab, nothing, control)
                    slab[:] = 0.0
                case True, False:
                    self.transport.trade(rank, nothing, slab, control)
