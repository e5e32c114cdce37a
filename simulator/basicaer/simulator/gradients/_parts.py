"""A segment of gates as its gradient needs it: backwards, in slices, with the matrices of what is asked for.

All that doesn't depend on values is made once; a row of values then takes a few calls of numpy for all gates.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from basicaer.simulator.circuit._layout import Layout
from basicaer.simulator.circuit._operations import Block
from basicaer.simulator.circuit._segment import Segment
from basicaer.simulator.gradients._chains import Chains
from basicaer.simulator.gradients._inverses import derivatives, gate_of, inverse_of
from basicaer.simulator.gradients._slices import slices_of
from basicaer.simulator.methods.statevector._engine import Plan

__all__ = ["Part"]

_Floats = npt.NDArray[np.float64]
_Matrices = npt.NDArray[np.complex128]


class Part:
    """A segment whose parameters are numbers of parameters; `varies` has those that inputs change.

    Raises:
        CircuitError: A gate's inverse isn't known.
    """

    def __init__(self, segment: Segment, varies: npt.NDArray[np.bool_]) -> None:
        self.segment = segment
        block, operations = segment.block, segment.operations
        offsets = segment.layout.offsets(block)
        used = np.unique(block.operations).tolist()
        gates = {number: gate_of(operations[number]) for number in used}
        kinds = block.operations.tolist()
        self._numbers = block.parameters.astype(np.int64)
        self._own = np.split(self._numbers, offsets.parameters[1:-1])
        qubits = [each.tolist() for each in np.split(block.qubits, offsets.qubits[1:-1])]
        # A phase of the whole state is none of its observables'.
        wanted = [bool(len(q)) and bool(varies[own].any()) for q, own in zip(qubits, self._own, strict=True)]
        self.slices = slices_of([gates[kind] for kind in kinds], qubits, wanted)
        self.sites = [site for part in self.slices for site in part.sites]
        chains = [chain for part in self.slices for chain in part.chains.values()]
        self._chains = Chains(chains, [operations[kind] for kind in kinds], self._own)
        self._groups: dict[str, list[int]] = defaultdict(list)
        for place, site in enumerate(self.sites):
            self._groups[operations[kinds[site.instruction]].name].append(place)
        self._inverse = _Inverse(segment, used)

    def forwards(self, values: _Floats, threads: int | None) -> Plan:
        """Return the plan of the segment with its parameters' values."""
        segment, block = self.segment, self.segment.block
        bound = Block(block.operations, block.qubits, block.clbits, values[self._numbers])
        return Plan(Segment(segment.num_qubits, segment.operations, segment.layout, bound), threads)

    def backwards(self, number: int, values: _Floats, threads: int | None) -> Plan:
        """Return the plan that undoes a slice in two states, which one more qubit tells apart."""
        part = self.slices[number]
        return Plan(self._inverse.segment(part.start, part.stop, values[self._numbers]), threads)

    def add(
        self, values: _Floats, singles: Sequence[_Matrices], sites: Sequence[_Matrices], out: _Floats
    ) -> None:
        """Add the gates' derivatives to `out`, by their parameters' numbers.

        `singles` has the transition matrices of each slice's chains, and `sites` those of `self.sites`.
        """
        if singles:
            self._chains.add(values, np.concatenate(singles), out)
        for name, places in self._groups.items():
            numbers = np.stack([self._own[self.sites[place].instruction] for place in places])
            _, changes = derivatives(name, values[numbers])
            by_width: dict[int, list[int]] = defaultdict(list)
            for row, place in enumerate(places):
                by_width[len(sites[place])].append(row)
            for rows in by_width.values():
                overlaps = np.stack([sites[places[row]] for row in rows])
                found = 2.0 * np.einsum("mpij,mji->mp", changes[rows], overlaps).real
                np.add.at(out, numbers[rows], found)


class _Inverse:
    """A segment's instructions from the last to the first, each by its inverse; for two states at once."""

    def __init__(self, segment: Segment, used: Sequence[int]) -> None:
        block = segment.block
        offsets = segment.layout.offsets(block)
        inverses = {number: inverse_of(segment.operations[number]) for number in used}
        table = list(segment.operations)
        for number, inverse in inverses.items():
            table[number] = inverse.operation
        self._table = tuple(table)
        self._layout = Layout(self._table)
        self._num_qubits = segment.num_qubits + 1
        self._clbits = block.clbits[:0]
        kinds = block.operations.tolist()
        order: list[int] = []
        signs: list[float] = []
        added: list[float] = []
        for instruction in range(len(kinds) - 1, -1, -1):
            inverse = inverses[kinds[instruction]]
            first = int(offsets.parameters[instruction])
            order += [first + place for place in inverse.order]
            signs += inverse.signs
            added += inverse.added
        self._order = np.array(order, dtype=np.int64)
        self._signs, self._added = np.array(signs), np.array(added)
        self._operations = block.operations[::-1]
        pieces = np.split(block.qubits, offsets.qubits[1:-1])
        self._qubits = np.concatenate(pieces[::-1])
        self._qubit_starts = offsets.qubits[-1] - offsets.qubits[::-1]
        self._parameter_starts = offsets.parameters[-1] - offsets.parameters[::-1]

    def segment(self, start: int, stop: int, parameters: _Floats) -> Segment:
        """Return what undoes the instructions start to stop; `parameters` are those of all instructions."""
        count = len(self._operations)
        first, last = count - stop, count - start
        place = slice(self._parameter_starts[first], self._parameter_starts[last])
        turned = self._signs[place] * parameters[self._order[place]] + self._added[place]
        qubits = self._qubits[self._qubit_starts[first] : self._qubit_starts[last]]
        block = Block(self._operations[first:last], qubits, self._clbits, turned)
        return Segment(self._num_qubits, self._table, self._layout, block)
