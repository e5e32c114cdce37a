"""What is known of each classical variable while a program is read, and what writes it.

Before a block that may run or not, or more than once, the known values that it may change are written there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from basicaer.service.parsing.openqasm3.machine._emitter import Emitter, Place
from basicaer.service.parsing.openqasm3.machine._names import Variable
from basicaer.service.parsing.openqasm3.values._functions import float_bits
from basicaer.service.parsing.openqasm3.values._operators import binary
from basicaer.service.parsing.openqasm3.values._types import (
    BIT,
    FLOAT,
    UINT,
    Constant,
    Type,
    Value,
    ValueProblem,
    converted,
    is_wide,
    part_type,
    parts_of,
    reference,
)
from basicaer.v1 import circuit_pb2 as pb

__all__ = ["Memory"]


class Memory:
    """What is known of all variables, and the instructions that write them."""

    def __init__(self, emitter: Emitter) -> None:
        self.emitter = emitter
        # Of the blocks that are open: what was there before each write, and before the circuit's memory was
        # only brought up to date.
        self._logs: list[dict[Variable, tuple[Constant | None, bool]]] = []
        self._kept: list[dict[Variable, tuple[Constant | None, bool]]] = []
        self._dirty: dict[Variable, None] = {}
        self.epoch = 0
        self._scratch: Place | None = None
        self._real: Place | None = None

    # --- reading and writing ----------------------------------------------------------------------------

    def read(self, variable: Variable) -> Value:
        """Return what a variable holds."""
        if variable.known is not None:
            return Value(variable.type, variable.known)
        place, type_ = self.place(variable), variable.type
        if place.imaginary is not None:
            part = part_type(type_)
            real, imaginary = (
                Value(part, expression=pb.Expression(variable=each.index))
                for each in (place, place.imaginary)
            )
            return Value(type_, parts=(real, imaginary))
        if not place.is_register:
            return Value(type_, expression=pb.Expression(variable=place.index))
        if type_.is_truth:
            value = Value(BIT, expression=pb.Expression(clbit=place.clbit))
            return value if type_.is_bit else converted(value, type_)
        bits = Value(Type("bit", type_.width), expression=pb.Expression(register=place.index))
        return converted(bits, type_)

    def read_bit(self, variable: Variable, bit: int) -> Value:
        """Return one bit of what a variable with bits holds."""
        known = variable.known
        if known is not None:
            assert isinstance(known, int)
            return Value(BIT, bool(known >> bit & 1))
        place = self.place(variable)
        if place.is_register:
            return Value(BIT, expression=pb.Expression(clbit=place.clbit + bit))
        index = pb.IndexExpression(
            target=pb.Expression(variable=place.index), index=reference(Value(UINT, bit))
        )
        return Value(BIT, expression=pb.Expression(index=index))

    def write(self, variable: Variable, value: Value) -> None:
        """Let a variable hold a value of its type."""
        self._log(variable)
        if value.known is not None:
            if variable.known != value.known or type(variable.known) is not type(value.known):
                self.epoch += 1
            variable.known = value.known
            variable.dirty = True
            self._dirty[variable] = None
            return
        if value.parts is not None:
            self._store_parts(variable, value.parts)
        else:
            self._store(variable, reference(value))
        self._forget(variable)

    def write_bit(self, variable: Variable, bit: int, value: Value) -> None:
        """Let one bit of a variable be a value of type bit."""
        known = variable.known
        if known is not None and value.known is not None:
            assert isinstance(known, int)
            changed = int(known) & ~(1 << bit) | int(bool(value.known)) << bit
            type_ = variable.type
            if type_.kind == "int" and changed >> (type_.width - 1) & 1:
                changed |= -1 << type_.width
            elif type_.kind == "int":
                changed &= (1 << type_.width) - 1
            self.write(variable, Value(type_, changed))
            return
        self.unknown(variable)
        place = self.place(variable)
        if place.is_register:
            store = pb.Store(clbit=place.clbit + bit, value=reference(value))
            self.emitter.emit(self.emitter.other(pb.Operation(name="store", store=store)))
            return
        type_ = Type("uint", variable.type.width)
        # The bit's own place is cleared, and set again where the value has it.
        mask = (1 << type_.width) - 1 ^ 1 << bit
        kept = binary("&", converted(self.read(variable), type_), Value(type_, mask))
        moved = binary("<<", converted(value, type_), Value(UINT, bit))
        self._store(variable, reference(converted(binary("|", kept, moved), variable.type)))

    def unknown(self, variable: Variable) -> None:
        """Let only the circuit's memory know what a variable holds."""
        self._log(variable)
        self.flush(variable)
        self._forget(variable)

    def _forget(self, variable: Variable) -> None:
        if variable.known is not None:
            self.epoch += 1
        variable.known = None
        variable.dirty = False
        self._dirty.pop(variable, None)

    def flush(self, variable: Variable) -> None:
        """Write what is known of a variable to the circuit's memory, if it doesn't have it yet."""
        if variable.dirty and variable.known is not None:
            if self._logs and variable not in self._logs[-1]:
                self._kept[-1].setdefault(variable, (variable.known, variable.dirty))
            value = Value(variable.type, variable.known)
            variable.dirty = False
            self._dirty.pop(variable, None)
            if variable.type.kind == "complex":
                self._store_parts(variable, parts_of(value))
            else:
                self._store(variable, reference(value))

    def _store(self, variable: Variable, expression: pb.Expression) -> None:
        place = self.place(variable)
        store = pb.Store(value=expression)
        type_ = variable.type
        if not place.is_register:
            store.variable = place.index
        elif type_.is_truth:
            store.clbit = place.clbit
            if not type_.is_bit:
                store.value.CopyFrom(reference(converted(Value(type_, expression=expression), BIT)))
        else:
            store.register = place.index
            bits = Type("bit", type_.width)
            if type_.kind not in ("bit", "uint"):
                store.value.CopyFrom(reference(converted(Value(type_, expression=expression), bits)))
        self.emitter.emit(self.emitter.other(pb.Operation(name="store", store=store)))

    def _store_parts(self, variable: Variable, parts: tuple[Value, Value]) -> None:
        place = self.place(variable)
        assert place.imaginary is not None
        # The imaginary part may be calculated from the real one that is there yet.
        if self._real is None:
            self._real = self.emitter.variable(".real", FLOAT)
        kept = Value(FLOAT, expression=pb.Expression(variable=self._real.index))
        self._store_variable(self._real, converted(parts[0], FLOAT))
        self._store_variable(place.imaginary, parts[1])
        self._store_variable(place, converted(kept, part_type(variable.type)))

    def _store_variable(self, place: Place, value: Value) -> None:
        store = pb.Store(variable=place.index, value=reference(value))
        self.emitter.emit(self.emitter.other(pb.Operation(name="store", store=store)))

    def place(self, variable: Variable) -> Place:
        """Return where in the circuit's memory a variable lies, from now on if it is not yet there."""
        if variable.place is None:
            type_ = variable.type
            has_bits_shown = variable.is_shown and variable.result is None
            if type_.kind == "bit" or has_bits_shown or is_wide(type_):
                size = max(type_.width, 1)
                variable.place = self.emitter.register(variable.name, size, is_shown=variable.is_shown)
            elif type_.kind == "duration":
                raise ValueProblem(
                    f"{variable.name!r} of type {type_} has a value that only a run knows; durations are "
                    "resolved before it"
                )
            elif type_.kind == "complex":
                variable.place = self.emitter.variable(variable.name, part_type(type_))
                variable.place.imaginary = self.emitter.variable(variable.name, part_type(type_))
            else:
                variable.place = self.emitter.variable(variable.name, variable.type)
        return variable.place

    def show(self, variable: Variable) -> None:
        """Let a register of the result be the one of a variable: its own, or one of a float's bits."""
        variable.is_shown = True
        if variable.type.kind in ("float", "complex"):
            size = variable.type.width * (1 + (variable.type.kind == "complex"))
            variable.result = self.emitter.register(variable.name, size, is_shown=True)
        else:
            self.place(variable)

    def flush_results(self, variables: Iterable[Variable]) -> None:
        """Write what results show of variables, at the program's end."""
        for variable in variables:
            if variable.result is None:
                self.flush(variable)
                continue
            bits = float_bits(self.read(variable))
            store = pb.Store(register=variable.result.index, value=reference(bits))
            self.emitter.emit(self.emitter.other(pb.Operation(name="store", store=store)))

    def scratch(self) -> int:
        """Return a hidden bit for a measurement whose outcome goes elsewhere at once."""
        if self._scratch is None:
            self._scratch = self.emitter.register("", 1, is_shown=False)
        return self._scratch.clbit

    # --- blocks -----------------------------------------------------------------------------------------

    @property
    def depth(self) -> int:
        """How many blocks are open."""
        return len(self._logs)

    def leave(self, depth: int) -> None:
        """Give up blocks in which a mistake was found, until so many are open."""
        del self._logs[depth:]

    def _log(self, variable: Variable) -> None:
        if self._logs:
            before = self._kept[-1].pop(variable, (variable.known, variable.dirty))
            self._logs[-1].setdefault(variable, before)

    def settle(self, variables: Iterable[Variable], *, forget: bool) -> None:
        """Write what is known of variables that a block may change; `forget` it for one that runs again."""
        for variable in variables:
            if forget:
                self.unknown(variable)
            else:
                self.flush(variable)

    @contextmanager
    def block(self) -> Iterator[dict[Variable, tuple[Constant | None, bool]]]:
        """Follow what a block changes, write it at the block's end, and go back to what was known before.

        What the block has changed is a key of what is given; it has to be forgotten behind the block.
        """
        log: dict[Variable, tuple[Constant | None, bool]] = {}
        self._logs.append(log)
        self._kept.append({})
        self.epoch += 1
        yield log
        self.flush_written()
        self._logs.pop()
        for variable, (known, dirty) in {**self._kept.pop(), **log}.items():
            variable.known, variable.dirty = known, dirty
            self._dirty.pop(variable, None)
            if dirty:
                self._dirty[variable] = None
        self.epoch += 1

    def flush_written(self) -> None:
        """Write what the innermost block has changed."""
        for variable in list(self._logs[-1]) if self._logs else list(self._dirty):
            self.flush(variable)

    def flush_all_written(self) -> None:
        """Write what any of the open blocks has changed, as for a jump out of several."""
        for log in self._logs:
            self.flush_here(log)

    def forget(self, variables: Iterable[Variable]) -> None:
        """Know no more of variables than the circuit's memory does."""
        for variable in variables:
            self._log(variable)
            self._forget(variable)

    def drop(self, variables: Iterable[Variable]) -> None:
        """Write no more what is known of variables that nobody reads any more."""
        for variable in variables:
            if not variable.is_shown:
                variable.dirty = False
                self._dirty.pop(variable, None)

    def flush_here(self, variables: Iterable[Variable]) -> None:
        """Write what is known of variables, in this block alone."""
        for variable in [*variables]:
            self.flush(variable)
