"""Turns a circuit into rows, or says what of it isn't a Clifford circuit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from basicaer.simulator.circuit._channels import Channel
from basicaer.simulator.circuit._circuit import Circuit
from basicaer.simulator.circuit._gate_table import GATES
from basicaer.simulator.circuit._given_states import TABLEAU_GATES, GivenState
from basicaer.simulator.circuit._layout import CONTROL_FLOW, NO_EFFECT, Layout, Offsets
from basicaer.simulator.circuit._operations import Block, Case, Operation, Save, SaveKind
from basicaer.simulator.circuit._readout_error import ReadoutError
from basicaer.simulator.circuit._squares import squared
from basicaer.simulator.methods.stabilizer import _rows as rows
from basicaer.simulator.methods.stabilizer._builder import RowsBuilder, starts_of
from basicaer.simulator.methods.stabilizer._cliffords import letter_codes, named, pieces
from basicaer.simulator.methods.stabilizer._conditions import (
    ZERO,
    Bit,
    Bits,
    UnsupportedError,
    either,
    equal,
)
from basicaer.simulator.methods.stabilizer._rows import CONSTANT
from basicaer.simulator.methods.stabilizer._saves import VALUES

_Row = tuple[int, int, int, int]
_MOST_ROWS = 50_000_000
SAVED = (
    *(SaveKind.EXPECTATION_VALUES, SaveKind.EXPECTATION_VALUE_VARIANCE, *VALUES),
    *(SaveKind.DETECTORS, SaveKind.STABILIZER),
)
_MOST_SAVED = 12
_MOST_VARIED = 64
_FEW = 8
"""So many instructions at most between two that aren't plain are lowered one by one."""


def lowered(circuit: Circuit) -> rows.Rows:
    """Return the rows of a valid circuit without inputs. Raises `UnsupportedError` with the first thing it
    can't do.
    """
    return _Lowering(circuit).rows()


class _Loop:
    """Where the jumps out of a loop's turn lead: rows that are to be told it."""

    def __init__(self) -> None:
        self.breaks: list[int] = []
        self.continues: list[int] = []


class _Lowering:
    def __init__(self, circuit: Circuit) -> None:
        self._circuit = circuit
        self._table = circuit.operations
        self._layout = Layout(self._table)
        self._bits = Bits(circuit.num_clbits, circuit.classical_registers, circuit.variables)
        self._plain = np.array([_is_plain(operation) for operation in self._table], dtype=np.bool_)
        self._builder = RowsBuilder()
        self._templates: dict[tuple[int, bytes], list[_Row]] = {}
        self._loops: list[_Loop] = []

    def rows(self) -> rows.Rows:
        circuit = self._circuit
        self._block(circuit.body)
        return self._builder.finished(circuit.num_qubits, circuit.num_clbits, self._bits.initial)

    def _block(self, block: Block) -> None:
        """Append the rows of a block: runs of plain instructions together, the others one by one."""
        if not len(block):
            return
        plain = self._plain[block.operations]
        offsets = self._layout.offsets(block)
        borders = np.flatnonzero((plain[1:] != plain[:-1]) | ~plain[1:]) + 1
        operations = block.operations.tolist() if len(borders) else []
        for start, stop in pairwise((0, *borders.tolist(), len(block))):
            if operations and plain[start] and stop - start <= _FEW:
                for place in range(start, stop):
                    self._single(operations[place], block, offsets, place)
                continue
            part = Block(
                block.operations[start:stop],
                block.qubits[offsets.qubits[start] : offsets.qubits[stop]],
                block.clbits[offsets.clbits[start] : offsets.clbits[stop]],
                block.parameters[offsets.parameters[start] : offsets.parameters[stop]],
            )
            if plain[start]:
                self._run(part)
            else:
                self._event(self._table[part.operations[0]], part)

    def _single(self, index: int, block: Block, offsets: Offsets, place: int) -> None:
        """Append the rows of one plain instruction."""
        angles = block.parameters[offsets.parameters[place] : offsets.parameters[place + 1]]
        key = (index, angles.tobytes())
        template = self._templates.get(key)
        if template is None:
            template = self._templates[key] = self._template(self._table[index], tuple(angles.tolist()))
        qubit, bit = offsets.qubits[place], offsets.clbits[place]
        for code, first, second, extra in template:
            a = block.qubits[qubit + first] if first >= 0 else block.clbits[bit - 1 - first]
            b = block.qubits[qubit + second] if second >= 0 else block.clbits[bit - 1 - second]
            self._builder.row(code, int(a), int(b), extra)

    def _run(self, block: Block) -> None:
        """Append the rows of plain instructions, by columns."""
        offsets = self._layout.offsets(block)
        kinds = block.operations.astype(np.int64)
        templates: list[list[_Row]] = []
        shapes: list[int] = []
        numbers = np.zeros(len(block), dtype=np.int64)
        for index in np.unique(kinds).tolist():
            chosen = np.flatnonzero(kinds == index)
            operation = self._table[index]
            size = int(self._layout.parameters[index])
            if size and operation.name not in NO_EFFECT:
                places = offsets.parameters[chosen][:, None] + np.arange(size)
                # Of a circuit that is none of Clifford gates, the first angles mostly tell it.
                self._template(operation, tuple(block.parameters[places[0]].tolist()))
                values, inverse = np.unique(block.parameters[places], axis=0, return_inverse=True)
            else:
                values, inverse = np.zeros((1, 0)), np.zeros(len(chosen), dtype=np.int64)
            numbers[chosen] = len(templates) + inverse.reshape(-1)
            for row in values:
                templates.append(self._template(operation, tuple(row.tolist())))
                shapes.append(len(templates[-1]))
        counts = np.array(shapes, dtype=np.int64)[numbers]
        total = int(counts.sum())
        if not total:
            return
        starts = starts_of(shapes)
        owners = np.repeat(np.arange(len(block)), counts)
        within = np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts)
        flat = np.array([row for template in templates for row in template], dtype=np.int64).reshape(-1, 4)
        chunk = flat[starts[numbers[owners]] + within]
        # Places become qubits; a bit's place is counted from -1 down.
        for column in (1, 2):
            place = chunk[:, column]
            is_bit = place < 0
            qubits = place[~is_bit] + offsets.qubits[owners[~is_bit]]
            bits = -1 - place[is_bit] + offsets.clbits[owners[is_bit]]
            place[~is_bit] = (
                block.qubits[np.minimum(qubits, len(block.qubits) - 1)] if len(block.qubits) else 0
            )
            place[is_bit] = block.clbits[bits]
        self._builder.add(chunk)

    def _template(self, operation: Operation, parameters: tuple[float, ...]) -> list[_Row]:
        """Return the rows of a plain instruction, with places instead of qubits and bits."""
        if operation.name in NO_EFFECT:
            return []
        if operation.name == "measure":
            return [(rows.MEASURE, 0, -1, 0)]
        if operation.name == "reset":
            return [(rows.RESET, 0, 0, 0)]
        if operation.channel is not None:
            width = operation.channel.num_qubits
            table = self._channel(operation.channel)
            return [(rows.PAULI_1 if width == 1 else rows.PAULI_2, 0, width - 1, table)]
        if operation.readout is not None:
            return [(rows.FLIP, -1, -1, self._readout(operation.readout))]
        found = pieces(operation, parameters)
        if found is None:
            raise UnsupportedError(named(operation, parameters))
        return [(code, first, second, 0) for code, first, second in found]

    def _event(self, operation: Operation, block: Block) -> None:
        """Append the rows of an instruction that isn't plain."""
        if operation.condition is not None:
            condition = self._bits.condition(operation.condition)
            self._builder.choice(condition, lambda: self._unconditional(operation, block))
        else:
            self._unconditional(operation, block)

    def _unconditional(self, operation: Operation, block: Block) -> None:
        if operation.parameter_expressions:
            raise UnsupportedError(
                f"{operation.name} with a parameter that is computed while the circuit runs"
            )
        if operation.name in CONTROL_FLOW:
            self._flow(operation)
        elif operation.name in ("break_loop", "continue_loop"):
            loop = self._loops[-1]
            (loop.breaks if operation.name == "break_loop" else loop.continues).append(self._builder.count)
            self._builder.row(rows.JUMP, 0, 0, 0)
        elif operation.store is not None:
            targets = self._bits.targets(operation.store.target)
            self._builder.store(targets, self._bits.value(operation.store.value))
        elif operation.save is not None:
            self._save(operation.save, block)
        elif operation.initialize is not None:
            self._initialize(operation, block)
        elif operation.set_state is not None:
            self._set(operation.set_state, block)
        elif operation.channel is not None and operation.channel.num_qubits > 2:
            places = self._builder.list_of(block.qubits.tolist())
            self._builder.row(rows.PAULI_MANY, places, 0, self._channel(operation.channel))
        elif operation.readout is not None and len(block.clbits) > 1:
            places = self._builder.list_of(block.clbits.tolist())
            self._builder.row(rows.CONFUSE, places, 0, self._readout(operation.readout))
        else:
            self._single(int(block.operations[0]), block, self._layout.offsets(block), 0)

    def _flow(self, operation: Operation) -> None:
        """Append the rows of control flow."""
        if operation.if_else is not None:
            choice = operation.if_else
            other = choice.else_block
            self._builder.choice(
                self._bits.condition(choice.condition),
                lambda: self._block(choice.then_block),
                None if other is None else lambda: self._block(other),
            )
        elif operation.switch_case is not None:
            switch = operation.switch_case
            target = self._bits.value(switch.target)
            self._cases(target, switch.cases)
        elif operation.while_loop is not None:
            loop = operation.while_loop
            begin = self._builder.count
            turn = self._loop(lambda: self._while_turn(self._bits.condition(loop.condition), loop.body))
            self._builder.link(turn.continues, begin)
            self._builder.link(turn.breaks, self._builder.count)
        elif operation.for_loop is not None:
            turns = operation.for_loop
            ends: list[int] = []
            for value in turns.values:
                if turns.variable is not None:
                    places = self._bits.variable(turns.variable)
                    bits = [(CONSTANT, value >> place & 1) for place in range(len(places))]
                    self._builder.store(places, list(bits))
                turn = self._loop(lambda: self._block(turns.body))
                self._builder.link(turn.continues, self._builder.count)
                ends.extend(turn.breaks)
                if self._builder.count > _MOST_ROWS:
                    raise UnsupportedError(f"loops that come to more than {_MOST_ROWS:,} rows")
            self._builder.link(ends, self._builder.count)

    def _while_turn(self, condition: Bit, body: Block) -> None:
        """Append the rows of a loop: a choice around its body, which ends by a jump to the choice."""
        begin = self._builder.count

        def turn() -> None:
            self._block(body)
            self._builder.link([self._builder.count], begin)
            self._builder.row(rows.JUMP, 0, 0, 0)

        self._builder.choice(condition, turn)

    def _loop(self, body: Callable[[], None]) -> _Loop:
        """Append the rows of `body`, whose jumps are those of a loop; they are returned."""
        loop = _Loop()
        self._loops.append(loop)
        body()
        self._loops.pop()
        return loop

    def _cases(self, target: list[Bit], cases: Sequence[Case]) -> None:
        """Append the rows of a switch: the first case that fits, or else the next ones."""
        if not cases:
            return
        case, rest = cases[0], cases[1:]
        if case.is_default:
            self._block(case.body)
            return
        fits = ZERO
        for value in case.values:
            if value >= 0:
                number = [(CONSTANT, value >> place & 1) for place in range(max(1, value.bit_length()))]
                fits = either(fits, equal(target, list(number)))
        self._builder.choice(fits, lambda: self._block(case.body), lambda: self._cases(target, rest))

    def _save(self, save: Save, block: Block) -> None:
        if save.kind not in SAVED:
            raise UnsupportedError(f"save {save.label!r}: {save.kind.value.replace('_', ' ')}")
        if save.per_shot or save.conditional:
            how = "for each shot" if save.per_shot else "for each outcome"
            raise UnsupportedError(f"save {save.label!r}: {save.kind.value.replace('_', ' ')} {how}")
        qubits = tuple(range(self._circuit.num_qubits) if save.is_whole else block.qubits.tolist())
        if save.kind in VALUES and len(qubits) > _MOST_SAVED:
            raise UnsupportedError(
                f"save {save.label!r}: probabilities of {len(qubits)} qubits, more than {_MOST_SAVED}"
            )
        if save.kind is SaveKind.EXPECTATION_VALUE_VARIANCE:
            (observable,) = save.observables
            if len(observable.paulis) > _MOST_VARIED:
                raise UnsupportedError(
                    f"save {save.label!r}: the variance of a sum of {len(observable.paulis)} products, more"
                    f" than {_MOST_VARIED}"
                )
            # All that its value is made of.
            save = replace(save, observables=(observable, squared(observable)))
        if save.kind is SaveKind.DETECTORS:
            if self._loops:
                raise UnsupportedError(f"save {save.label!r}: detectors in a loop")
            self._builder.detectors(save)
            return
        self._builder.save(save, qubits)

    def _initialize(self, operation: Operation, block: Block) -> None:
        payload = operation.initialize
        qubits = block.qubits.tolist()
        if payload is None or payload.amplitudes is not None:
            raise UnsupportedError("initialize with amplitudes")
        label = payload.label
        if label is None:
            label = f"{payload.basis_state or 0:0{len(qubits)}b}" if qubits else ""
        for qubit in qubits:
            self._builder.row(rows.RESET, qubit, 0, 0)
        for qubit, letter in zip(qubits, reversed(label), strict=True):
            for code in letter_codes(letter):
                self._builder.row(code, qubit, 0, 0)

    def _set(self, given: GivenState, block: Block) -> None:
        if given.operations is None or given.qubits is None:
            raise UnsupportedError(f"set_state with a {given.kind.value}")
        qubits, places = block.qubits.tolist(), block.qubits[given.qubits].tolist()
        for qubit in qubits:
            self._builder.row(rows.RESET, qubit, 0, 0)
        found = [pieces(Operation(name), ()) or () for name in TABLEAU_GATES]
        start = 0
        for number in given.operations.tolist():
            width = 2 if TABLEAU_GATES[number] in ("cx", "swap") else 1
            for code, first, second in found[number]:
                self._builder.row(code, places[start + first], places[start + second], 0)
            start += width

    def _channel(self, channel: Channel) -> int:
        """Return the number of a channel's table."""
        probabilities = channel.pauli_probabilities
        if probabilities is None:
            raise UnsupportedError("a channel that is no mixture of Pauli operators")
        return self._builder.table(probabilities)

    def _readout(self, readout: ReadoutError) -> int:
        """Return the number of a readout error's table."""
        return self._builder.table(readout.probabilities.reshape(-1))


def _is_plain(operation: Operation) -> bool:
    """Whether an operation's instructions become rows by columns."""
    if operation.condition is not None or operation.parameter_expressions:
        return False
    if operation.channel is not None:
        return operation.channel.num_qubits <= 2
    if operation.readout is not None:
        return operation.readout.num_clbits == 1
    return operation.name in GATES or operation.name in ("unitary", "measure", "reset", *NO_EFFECT)
