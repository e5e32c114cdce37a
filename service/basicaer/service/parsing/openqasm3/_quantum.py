"""Statements on qubits: gates with modifiers, on whole registers too; measurements, resets, barriers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from basicaer.service.parsing.openqasm3._operands import OneOf, Operands
from basicaer.service.parsing.openqasm3.machine._emitter import Emitter
from basicaer.service.parsing.openqasm3.machine._gates import (
    STANDARD,
    Part,
    RepeatedError,
    check_parameter,
    controlled,
    inverted,
    named,
    powered,
    reduced,
)
from basicaer.service.parsing.openqasm3.machine._memory import Memory
from basicaer.service.parsing.openqasm3.machine._names import Qubits, Scope
from basicaer.service.parsing.openqasm3.syntax import _tree as tree
from basicaer.service.parsing.openqasm3.values._types import (
    FLOAT,
    Type,
    Value,
    ValueProblem,
    converted,
    reference,
)
from basicaer.v1 import circuit_pb2 as pb

__all__ = ["PowerError", "Quantum", "is_near"]

_DEEPEST_GATE = 60
# Beyond this the length of a range has no name.
_FARTHEST = 1 << 61
# Those of more bits are unrolled.
_MOST_FAR = 1_000


class PowerError(Exception):
    """A gate has to be repeated by the exponent of one of its modifiers, which only a run knows."""

    def __init__(self, place: int, exponent: Value) -> None:
        super().__init__()
        self.place = place
        self.exponent = exponent


class Quantum(Operands):
    """Evaluates what is done to qubits."""

    def __init__(self, text: str, emitter: Emitter, memory: Memory, steps: int) -> None:
        super().__init__(text, emitter, memory, steps)
        self.global_phase = 0.0
        self.has_library = False
        self._made: dict[tuple[object, ...], list[Part]] = {}
        self._gates_open = 0
        self.has_stretch = False
        self.has_real_parameters = False

    @abstractmethod
    def lasting(self, expression: tree.Expression, what: str) -> float:
        """Return how long something is to take, in nanoseconds."""

    # --- gates ------------------------------------------------------------------------------------------

    def apply(self, statement: tree.Apply) -> None:
        """Append a gate on its operands.

        Raises:
            PowerError: It has to be repeated instead.
        """
        if statement.time is not None:
            self.lasting(statement.time, "a gate")
        parts, width = self._gate(statement, is_outside=True)
        parts, controls = self._modified(statement, parts)
        if len(statement.operands) != width + controls:
            if statement.name == "gphase" and not controls and not statement.operands:
                self._emit_parts(parts, ())
                return
            wanted = f"{width + controls} operand{'s' * (width + controls != 1)}"
            self.fail(statement.at, f"{statement.name!r} takes {wanted} here, not {len(statement.operands)}")
        self.with_qubits(statement.operands, lambda qubits: self._broadcast(statement, parts, qubits))

    def _gate(self, statement: tree.Apply, *, is_outside: bool) -> tuple[list[Part], int]:
        """Return what a gate is made of, without its modifiers, and how many qubits it has.

        Outside of definitions, which may be inverted, a gate is what the contract calls it where it can be.
        """
        name = statement.name
        values = [self._parameter(statement, each) for each in statement.arguments]
        if name == "gphase":
            self._check_count(statement, 1)
            return [Part("global_phase", tuple(values), ())], 0
        found = self.scope.find(name)
        if isinstance(found, tree.GateDef):
            self._check_count(statement, len(found.parameters))
            if found.native and (found.native == "u" or (is_outside and _adds_controls(statement))):
                return [Part(found.native, tuple(values), tuple(range(len(found.qubits))))], len(found.qubits)
            return self._expanded(found, values), len(found.qubits)
        gate = STANDARD.get(name)
        if found is not None or gate is None or not (self.has_library or name == "U"):
            self.fail(statement.at, self._no_gate(name, is_something=found is not None))
        self._check_count(statement, gate.parameters)
        values = [self.once(statement.at, value, f"parameter {place}") for place, value in enumerate(values)]
        if is_outside and not statement.modifiers and len(statement.operands) == gate.qubits:
            return [*self._whole(name, values)], gate.qubits
        return gate.parts(*values), gate.qubits

    def _parameter(self, statement: tree.Apply, argument: tree.Expression) -> Value:
        """Return a parameter of a gate: an angle, unless the program says that it is a real number."""
        given = self.value(argument)
        at = argument.at
        try:
            value = converted(given, FLOAT)
            at = statement.at
            check_parameter(value)
            return value if self.has_real_parameters or given.type.kind == "angle" else reduced(value)
        except ValueProblem as problem:
            self.fail(at, str(problem), problem.feature)

    def _whole(self, name: str, values: list[Value]) -> list[Part]:
        """Return a gate of the library as one part of the contract's name, and its phase."""
        gate = STANDARD[name]
        made = [Part(gate.name, tuple(values), tuple(range(gate.qubits)))]
        if gate.phase is not None:
            known = [value.known for value in values]
            if None in known:
                return gate.parts(*values)
            made.append(Part("global_phase", (Value(FLOAT, gate.phase(*known)),), ()))
        return made

    def _check_count(self, statement: tree.Apply, count: int) -> None:
        if len(statement.arguments) != count:
            what = f"{count} parameter{'s' * (count != 1)}" if count else "no parameters"
            self.fail(statement.at, f"{statement.name!r} takes {what}, not {len(statement.arguments)}")

    def _no_gate(self, name: str, *, is_something: bool) -> str:
        shown = name if len(name) <= 60 else f"{name[:60]}…"
        if is_something:
            return f"{shown!r} is no gate"
        if name in STANDARD:
            return f'the gate {shown!r} isn\'t declared; write include "stdgates.inc"; before it'
        close = self.resembling(name, STANDARD if self.has_library else ())
        cure = close or f"; define it with gate {shown} … {{ … }}"
        return f"the gate {shown!r} isn't declared{cure}"

    def _expanded(self, gate: tree.GateDef, values: list[Value]) -> list[Part]:
        """Return what a gate of the program's own is made of."""
        known = tuple(value.known for value in values)
        key = (gate.at, *known)
        if None not in known and (found := self._made.get(key)) is not None:
            return found
        self._gates_open += 1
        if self._gates_open > _DEEPEST_GATE:
            self.fail(
                gate.at, f"the gate {gate.name!r} is defined by itself, or more than {_DEEPEST_GATE} deep"
            )
        outer = self.scope
        scope = Scope(self._global_scope(), is_subroutine=True)
        for name, value in zip(gate.parameters, values, strict=True):
            scope.names[name] = value
        for number, name in enumerate(gate.qubits):
            scope.names[name] = Qubits((number,), is_one=True)
        self.scope = scope
        parts: list[Part] = []
        for statement in gate.body:
            self._gate_statement(statement, parts)
        self.scope = outer
        self._gates_open -= 1
        if None not in known and len(self._made) < 4096:
            self._made[key] = parts
        return parts

    def _global_scope(self) -> Scope:
        scope = self.scope
        while scope.outer is not None:
            scope = scope.outer
        return scope

    def _gate_statement(self, statement: tree.Statement, parts: list[Part]) -> None:
        """Append what a statement of a gate's definition is made of."""
        self.step()
        match statement:
            case tree.Apply():
                inner, width = self._gate(statement, is_outside=False)
                inner, controls = self._modified(statement, inner)
                if len(statement.operands) != width + controls and not (not statement.operands and not width):
                    self.fail(
                        statement.at,
                        f"{statement.name!r} takes {width + controls} qubits here, "
                        f"not {len(statement.operands)}",
                    )
                numbers: list[int] = []
                for operand in statement.operands:
                    if isinstance(operand, tree.Hardware):
                        self.fail(
                            operand.at, "a gate's definition acts on its own qubits, not on physical ones"
                        )
                    found = self.qubits(operand)
                    if isinstance(found, OneOf) or not found.is_one:
                        self.fail(operand.at, "a gate's definition acts on its own qubits, by their names")
                    numbers += found.numbers
                if len({*numbers}) < len(numbers):
                    self.fail(statement.at, "one qubit stands twice among the operands")
                parts += [_moved(part, numbers) for part in inner]
                self._check_length(len(parts), statement.at)
            case tree.Barrier() | tree.Nothing():
                pass
            case tree.For():
                self._gate_loop(statement, parts)
            case _:
                self.fail(statement.at, "a gate's definition has gates alone; a subroutine (def) can do more")

    def _gate_loop(self, loop: tree.For, parts: list[Part]) -> None:
        if not isinstance(loop.values, tree.Range | tree.List):
            self.fail(loop.at, "a loop in a gate's definition goes over a range or a set")
        for number in self.loop_values(loop.values):
            self.step()
            self.scope = Scope(self.scope, {loop.name: Value(Type("int", 64), number)})
            for statement in loop.body:
                self._gate_statement(statement, parts)
            assert self.scope.outer is not None
            self.scope = self.scope.outer

    def loop_values(self, values: tree.Range | tree.List) -> Sequence[int]:
        """Return the integers that a loop goes over, which are known beforehand."""
        if isinstance(values, tree.List):
            return [self.integer(each, "a value of the loop") for each in values.items]
        if values.start is None or values.stop is None:
            self.fail(values.at, "a loop's range has a start and a stop, as in [0:3]")
        start, stop = self.integer(values.start, "the start"), self.integer(values.stop, "the stop")
        step = 1 if values.step is None else self.integer(values.step, "a step")
        if step == 0:
            self.fail(values.at, "a step of 0 never arrives")
        found = range(start, stop + (1 if step > 0 else -1), step)
        if not is_near(found) and (stop - start) // step >= _MOST_FAR:
            self.fail(values.at, f"a loop over integers of more than 62 bits has at most {_MOST_FAR} turns")
        return found

    def _check_length(self, length: int, at: int) -> None:
        if length > self.emitter.max_instructions:
            self.emitter.count(length)
            self.fail(at, "the gate is too long")

    def _modified(self, statement: tree.Apply, parts: list[Part]) -> tuple[list[Part], int]:
        """Return what modifiers make of a gate, and how many controls they add.

        The parts' own qubits are counted from behind the controls.
        """
        counts: list[tuple[int, bool]] = []
        for place, modifier in reversed([*enumerate(statement.modifiers)]):
            if modifier.word == "inv":
                parts = inverted(parts)
            elif modifier.word == "pow":
                assert modifier.argument is not None
                exponent = self.value(modifier.argument)
                try:
                    parts = powered(parts, exponent, self.emitter.max_instructions)
                except ValueProblem as problem:
                    self.fail(modifier.at, str(problem), problem.feature)
                except RepeatedError as repeated:
                    self._check_repeated(statement, place)
                    raise PowerError(place, repeated.exponent) from None
            else:
                count = (
                    1
                    if modifier.argument is None
                    else self.integer(modifier.argument, "the number of controls")
                )
                if not 1 <= count <= 62:
                    self.fail(modifier.at, f"{modifier.word} takes from 1 to 62 controls, not {count}")
                parts = [_moved(part, range(count, count + 10_000)) for part in parts] if parts else parts
                marks = [(number, modifier.word == "ctrl") for number in range(count)]
                parts = controlled(parts, marks)
                counts.append((count, True))
        return parts, sum(count for count, _ in counts)

    def _check_repeated(self, statement: tree.Apply, place: int) -> None:
        """Check that a power by repetition may be taken last: what stands before it is for that no matter."""
        for modifier in statement.modifiers[:place]:
            if modifier.word == "pow" and modifier.argument is not None:
                exponent = self.value(modifier.argument)
                if not exponent.type.is_integer:
                    self.fail(modifier.at, "a power of one whose exponent only a run knows is an integer")

    def _broadcast(self, statement: tree.Apply, parts: list[Part], operands: list[Qubits]) -> None:
        sizes = {len(each.numbers) for each in operands if not each.is_one}
        if len(sizes) > 1:
            shown = " and ".join(map(str, sorted(sizes)))
            self.fail(
                statement.at, f"the registers have different sizes, {shown}; a gate takes them bit by bit"
            )
        count = sizes.pop() if sizes else 1
        for place in range(count):
            chosen = [each.numbers[0] if each.is_one else each.numbers[place] for each in operands]
            if len({*chosen}) < len(chosen):
                self.fail(statement.at, "one qubit stands twice among the operands")
            self._emit_parts(parts, chosen)

    def _emit_parts(self, parts: list[Part], qubits: Sequence[int]) -> None:
        emitter = self.emitter
        for part in parts:
            name, count, state = named(part)
            values = part.parameters
            if name == "global_phase" and not count and not self.conditional and values[0].known is not None:
                assert isinstance(values[0].known, float)
                self.global_phase += values[0].known
                continue
            operands = [qubits[each] for each, _ in part.controls] + [qubits[each] for each in part.qubits]
            if part.matrix is not None:
                self._emit_matrix(part, operands, count, state)
                continue
            known = [value.known for value in values if isinstance(value.known, int | float)]
            if len(known) < len(values):
                made = pb.Operation(name=name, num_qubits=len(operands), num_controls=count)
                if state is not None:
                    made.control_state = state
                made.parameter_expressions.extend(reference(value) for value in values)
                emitter.emit(emitter.other(made), operands)
                continue
            number = emitter.plain(name, len(operands), len(values), count, state)
            emitter.emit(number, operands, (), [float(value) for value in known])

    def _emit_matrix(self, part: Part, operands: list[int], count: int, state: int | None) -> None:
        assert part.matrix is not None
        made = pb.Operation(name="unitary", num_qubits=len(operands), num_controls=count)
        if state is not None:
            made.control_state = state
        made.matrix.shape.extend(part.matrix.shape)
        made.matrix.data = part.matrix.astype("<c16").tobytes()
        self.emitter.emit(self.emitter.other(made), operands)


def is_near(integers: Sequence[int]) -> bool:
    """Whether a range's integers, and one beyond them, have at most 62 bits."""
    assert isinstance(integers, range)
    return all(abs(each) < _FARTHEST for each in (integers.start, integers.stop, integers.step))


def _adds_controls(statement: tree.Apply) -> bool:
    """Whether a gate's modifiers, if it has any, give it controls alone."""
    return all(modifier.word in ("ctrl", "negctrl") for modifier in statement.modifiers)


def _moved(part: Part, numbers: Sequence[int]) -> Part:
    """Return a part on other qubits."""
    return part._replace(
        qubits=tuple(numbers[each] for each in part.qubits),
        controls=tuple((numbers[each], positive) for each, positive in part.controls),
    )
