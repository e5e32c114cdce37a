"""Rules of noise, put into a circuit block by block."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from operator import itemgetter
from typing import TypeAlias

import numpy as np
from basicaer.simulator._errors import CircuitError
from basicaer.simulator._pausing import current_pause
from basicaer.simulator.circuit._channels import Channel
from basicaer.simulator.circuit._circuit import Circuit
from basicaer.simulator.circuit._layout import Layout, Offsets
from basicaer.simulator.circuit._operations import Block, IfElse, Operation
from basicaer.simulator.circuit._readout_error import ReadoutError
from basicaer.simulator.noise._rules import Rule, Rules

_Placed: TypeAlias = list[tuple[int, tuple[int, ...]]]
"""Channels, as numbers of operations with their qubits."""


class Placing:
    """The operations of one circuit, and those of the noise in it."""

    def __init__(self, circuit: Circuit, rules: Rules, most: int | None) -> None:
        self._circuit = circuit
        self._most = math.inf if most is None else most
        self._pause = current_pause()
        self._all = rules
        # By the qubits that they are for.
        self._rules: dict[tuple[int, ...] | None, list[Rule]] = {}
        for rule in rules.channels:
            self._rules.setdefault(rule.qubits, []).append(rule)
        self._general: dict[tuple[int, bool], list[Rule]] = {}
        self._old = circuit.operations
        self._layout = Layout(self._old)
        self._table: list[Operation] = []
        self._new: list[int] = []
        self._added: dict[tuple[object, ...], int] = {}
        self._noise: dict[tuple[int, tuple[int, ...]], tuple[_Placed, _Placed]] = {}
        self._length = 0

    def circuit(self) -> Circuit:
        """Return the circuit with its noise.

        Raises:
            CircuitError: See `NoiseModel.applied`.
        """
        for operation in self._old:
            self._table.append(operation.with_blocks(self._block))
            self._new.append(len(self._table) - 1)
        body = self._block(self._circuit.body)
        return self._circuit.replaced(operations=self._table, body=body)

    def _block(self, block: Block) -> Block:
        """Return a block with noise; its parameters stay where they are."""
        offsets = self._layout.offsets(block)
        starts, bits = offsets.qubits.tolist(), offsets.clbits.tolist()
        all_qubits, all_clbits = block.qubits.tolist(), block.clbits.tolist()
        operations, qubits, clbits = list[int](), list[int](), list[int]()
        together = _Together(self._all)
        inputs = frozenset(block.term_parameters.tolist()) if self._all.relaxation else frozenset[int]()
        if self._all.together:
            for place, index in enumerate(block.operations.tolist()):
                own = all_qubits[starts[place] : starts[place + 1]]
                together.see(place, self._old[index], own, all_clbits[bits[place] : bits[place + 1]])
            together.end()
        for place, index in enumerate(block.operations.tolist()):
            if not place & 1023:
                self._pause()
            operation = self._old[index]
            own = tuple(all_qubits[starts[place] : starts[place + 1]])
            own_bits = all_clbits[bits[place] : bits[place + 1]]
            before, after = self._noise_of(index, own)
            if self._all.relaxation and operation.name == "delay":
                after = [*after, *self._relaxation(block, offsets, place, own, inputs)]
            error = None
            if operation.name == "measure" and place not in together.covered:
                error = self._all.readout.get(own[0], self._all.readout.get(None))
            for number, places in before:
                operations.append(number)
                qubits.extend(places)
            if error is not None and operation.condition is not None:
                # What is measured may be what the condition reads.
                operations.append(self._wrapped(index, own, own_bits, error))
                continue
            operations.append(self._new[index])
            qubits.extend(own)
            clbits.extend(own_bits)
            if error is not None:
                operations.append(self._readout_number(error))
                clbits.extend(own_bits)
            for wrong, told in together.after.get(place, ()):
                operations.append(self._readout_number(wrong))
                clbits.extend(told)
            for number, places in after:
                operations.append(number)
                qubits.extend(places)
            if self._length + len(operations) > self._most:
                raise CircuitError(f"with its noise it has more than {self._most:,} instructions")
        self._length += len(operations)
        return replace(
            block,
            operations=np.array(operations, dtype=np.uint32),
            qubits=np.array(qubits, dtype=np.uint32),
            clbits=np.array(clbits, dtype=np.uint32),
        )

    def _noise_of(self, index: int, qubits: tuple[int, ...]) -> tuple[_Placed, _Placed]:
        """Return the channels that come before and after an instruction."""
        key = (index, qubits)
        found = self._noise.get(key)
        if found is None:
            sides = (self._of_side(index, qubits, True), self._of_side(index, qubits, False))
            found = self._noise[key] = sides
        return found

    def _of_side(self, index: int, qubits: tuple[int, ...], before: bool) -> _Placed:
        operation = self._old[index]
        fitting = self._fitting(self._rules.get(qubits, []), operation, len(qubits), before)
        if not fitting:
            # Of an operation, these are the same for all qubits.
            key = (index, before)
            if key not in self._general:
                general = self._rules.get(None, [])
                self._general[key] = self._fitting(general, operation, len(qubits), before)
            fitting = self._general[key]
        found: _Placed = []
        for rule in fitting:
            placed = rule.placed(qubits)
            if placed is None:
                raise CircuitError(
                    f"a channel of {rule.channel.num_qubits} qubits was to come with {operation.name} on"
                    f" {len(qubits)}",
                    ("operations", index),
                )
            channel = rule.channel if isinstance(rule.channel, Channel) else rule.channel.channel()
            number = self._channel_number(channel, index)
            found.extend((number, each) for each in placed)
        return found

    def _fitting(self, rules: Sequence[Rule], operation: Operation, width: int, before: bool) -> list[Rule]:
        """Return those of some rules that fit an operation of `width` qubits, on one side of it."""
        found = []
        for rule in rules:
            self._pause()
            if (rule.before or operation.name == "measure") == before and rule.fits(operation, width):
                found.append(rule)
        return found

    def _relaxation(
        self,
        block: Block,
        offsets: Offsets,
        place: int,
        qubits: tuple[int, ...],
        inputs: frozenset[int],
    ) -> _Placed:
        """Return the channels of a delay, the instruction in this place of a block, whose parameters
        `inputs` are none yet.
        """
        index = int(block.operations[place])
        operation = self._old[index]
        relaxing = self._all.relaxing(qubits)
        if not relaxing:
            return []
        first = int(offsets.parameters[place])
        if operation.parameter_expressions or first in inputs:
            raise CircuitError(
                "qubits relax during a delay, whose duration is an input; bind it to a number",
                ("operations", index),
            )
        try:
            seconds = self._all.seconds(float(block.parameters[first]), operation.unit)
        except CircuitError as error:
            raise CircuitError(error.message, ("operations", index)) from None
        found: _Placed = []
        for qubit, how in relaxing:
            key = (how, seconds, None if operation.condition is None else index)
            if key not in self._added:
                channel = how.during(seconds)
                made = Operation("channel", 1, channel=channel, condition=operation.condition)
                self._added[key] = self._append(made)
            found.append((self._added[key], (qubit,)))
        return found

    def _channel_number(self, channel: Channel, index: int) -> int:
        """Return the number of the operation of a channel, under the condition of operation `index`."""
        condition = self._old[index].condition
        key = (id(channel), None if condition is None else index)
        if key not in self._added:
            made = Operation("channel", channel.num_qubits, channel=channel, condition=condition)
            self._added[key] = self._append(made)
        return self._added[key]

    def _readout_number(self, error: ReadoutError) -> int:
        key = (id(error),)
        if key not in self._added:
            self._added[key] = self._append(Operation("readout_error", 0, error.num_clbits, readout=error))
        return self._added[key]

    def _wrapped(self, index: int, qubits: tuple[int, ...], clbits: list[int], error: ReadoutError) -> int:
        """Return the number of an operation that measures and misreads under a condition."""
        operation = self._old[index]
        if operation.condition is None:
            raise AssertionError("a measurement without a condition needs no wrapping")
        plain = self._append(replace(operation, condition=None))
        inner = Block(
            np.array([plain, self._readout_number(error)]), np.array(qubits), np.array([*clbits, *clbits])
        )
        return self._append(Operation("if_else", if_else=IfElse(operation.condition, inner)))

    def _append(self, operation: Operation) -> int:
        self._table.append(operation)
        return len(self._table) - 1


class _Together:
    """Finds the measurements of a block that are told wrong together.

    `after` has the errors that come after instructions, by their places, with the bits that they change;
    `covered` has the places of the measurements that are among them, and so have no error of their own.
    """

    def __init__(self, rules: Rules) -> None:
        self.after: dict[int, list[tuple[ReadoutError, list[int]]]] = {}
        self.covered: set[int] = set()
        # By the first of their qubits, with their place among all of them.
        self._rules: dict[int, list[tuple[int, tuple[int, ...], ReadoutError]]] = {}
        for number, (qubits, error) in enumerate(rules.together):
            self._rules.setdefault(qubits[0], []).append((number, qubits, error))
        # Of the measurements that follow one another: by qubit the place and the bit.
        self._run: dict[int, tuple[int, int]] = {}
        self._bits: set[int] = set()

    def see(self, place: int, operation: Operation, qubits: Sequence[int], clbits: Sequence[int]) -> None:
        """Go on by an instruction."""
        if operation.name == "barrier":
            return
        measures = operation.name == "measure" and operation.condition is None
        if not measures or qubits[0] in self._run or clbits[0] in self._bits:
            self.end()
        if measures:
            self._run[qubits[0]] = place, clbits[0]
            self._bits.add(clbits[0])

    def end(self) -> None:
        """End the measurements that follow one another."""
        rules = [rule for qubit in self._run for rule in self._rules.get(qubit, ())]
        for _, qubits, error in sorted(rules, key=itemgetter(0), reverse=True):
            found = [self._run[qubit] for qubit in qubits if qubit in self._run]
            if len(found) < len(qubits) or any(place in self.covered for place, _ in found):
                continue
            self.covered.update(place for place, _ in found)
            last = max(place for place, _ in found)
            self.after.setdefault(last, []).append((error, [bit for _, bit in found]))
        self._run = {}
        self._bits = set()
