"""Calls of subroutines, which are lowered anew at each call, and of extern functions, which are tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from basicaer.service.parsing._faults import ProgramFault
from basicaer.service.parsing.openqasm3._control import Frame
from basicaer.service.parsing.openqasm3._loops import Loops
from basicaer.service.parsing.openqasm3.machine._emitter import Emitter
from basicaer.service.parsing.openqasm3.machine._memory import Memory
from basicaer.service.parsing.openqasm3.machine._names import Array, Qubits, Scope, Symbol, Variable
from basicaer.service.parsing.openqasm3.syntax import _tree as tree
from basicaer.service.parsing.openqasm3.syntax._usage import has_early_return
from basicaer.service.parsing.openqasm3.values._externs import (
    MOST_COMPARED,
    Table,
    joined_key,
    key_width,
    table_from,
)
from basicaer.service.parsing.openqasm3.values._features import Feature
from basicaer.service.parsing.openqasm3.values._functions import balanced
from basicaer.service.parsing.openqasm3.values._operators import binary
from basicaer.service.parsing.openqasm3.values._types import UINT, Constant, Type, Value, converted
from basicaer.service.printable import printable
from basicaer.v1 import job_pb2

__all__ = ["Subroutines"]

# A call takes so much time beside what its statements take.
_STEPS_OF_A_CALL = 10
_DEEPEST_RECURSION = 24


class _Call:
    """A call that is being lowered: its definition, where its value goes, and how it is left early."""

    __slots__ = ("definition", "frame", "result")

    def __init__(self, definition: tree.Def, result: Variable | None, frame: Frame | None) -> None:
        self.definition = definition
        self.result = result
        self.frame = frame


class Subroutines(Loops):
    """Lowers calls."""

    def __init__(self, text: str, emitter: Emitter, memory: Memory, steps: int) -> None:
        super().__init__(text, emitter, memory, steps)
        self._calls: list[_Call] = []
        self.externs: Mapping[str, job_pb2.ExternFunction] = {}
        self._tables: dict[str, Table] = {}

    def call(self, call: tree.Call) -> Value | None:
        """Return what a subroutine gives, None for nothing."""
        found = self.scope.find(call.name)
        if isinstance(found, tree.Extern):
            return self._extern_value(call, found)
        if not isinstance(found, tree.Def):
            self.fail(
                call.at,
                f"{call.name!r} is no function" if found is not None else self.unknown_name(call.name),
            )
        if sum(each.definition is found for each in self._calls) > _DEEPEST_RECURSION:
            self.fail(
                call.at,
                f"{call.name!r} calls itself more than {_DEEPEST_RECURSION} deep; where it ends has to be "
                "known before the program runs, so write a loop",
                Feature.RECURSION,
            )
        if len(call.arguments) != len(found.parameters):
            self.fail(
                call.at,
                f"{call.name!r} takes {len(found.parameters)} argument{'s' * (len(found.parameters) != 1)}, "
                f"not {len(call.arguments)}",
            )
        result = None
        if found.result is not None:
            result = self.temporary(call.at, self.type_of(found.result), "result")
        names = self._classical_arguments(found, call)
        places = [place for place, parameter in enumerate(found.parameters) if parameter.type.word == "qubit"]

        def action(operands: list[Qubits]) -> None:
            quantum: dict[str, Symbol] = {}
            for place, operand in zip(places, operands, strict=True):
                parameter = found.parameters[place]
                quantum[parameter.name] = self._sized_qubits(parameter, operand, call.arguments[place].at)
            numbers = [number for operand in operands for number in operand.numbers]
            if len({*numbers}) < len(numbers):
                self.fail(call.at, "one qubit stands twice among the arguments")
            self._inline(found, result, {**names, **quantum})

        writes = [] if result is None else [result]
        for symbol in names.values():
            if isinstance(symbol, Array) and not symbol.is_constant:
                writes += symbol.elements
        self.with_qubits([call.arguments[place] for place in places], action, writes)
        return None if result is None else self.memory.read(result)

    def _inline(self, definition: tree.Def, result: Variable | None, names: dict[str, Symbol]) -> None:
        self.step(_STEPS_OF_A_CALL + len(definition.body))
        outer = self.scope
        self.scope = Scope(self._global_scope(), names, is_subroutine=True)
        frame = Frame("def") if has_early_return(definition.body) else None
        is_recursive = self._is_open(definition)
        self.recursion += is_recursive
        self._calls.append(_Call(definition, result, frame))
        if frame is None:
            # A return at the end leaves nothing out.
            self.in_order(definition.body)
        else:
            self.in_one_turn(frame, lambda: self.in_order(definition.body))
        self._calls.pop()
        self.recursion -= is_recursive
        self.memory.drop(each for each in self.scope.names.values() if isinstance(each, Variable))
        self.scope = outer

    def returned(self, statement: tree.Return) -> bool:
        """Lower a return: what follows it is never reached."""
        if not self._calls:
            self.fail(statement.at, "return stands outside of a subroutine; 'end;' ends the program")
        call = self._calls[-1]
        if call.result is None and statement.value is not None:
            self.fail(statement.value.at, f"{call.definition.name!r} gives no value; write -> and its type")
        if call.result is not None:
            if statement.value is None:
                self.fail(statement.at, f"{call.definition.name!r} gives a value of type {call.result.type}")
            self.memory.write(call.result, self.as_type(statement.value, call.result.type))
        if call.frame is not None:
            self.jump(call.frame)
        return True

    # --- extern functions -------------------------------------------------------------------------------

    def declare_extern(self, extern: tree.Extern) -> None:
        """Take the table of a function that is given with the program; another one can't be called."""
        parameters = []
        for node in extern.parameters:
            if node.axes is not None:
                self.fail(
                    node.at,
                    f"{extern.name!r} takes an array; an extern function has single values here",
                    Feature.EXTERN_ARRAY,
                )
            parameters.append(self.type_of(replace(node, word="bit") if node.word == "creg" else node))
        result = None if extern.result is None else self.type_of(extern.result)
        given = self.externs.get(extern.name)
        if given is not None:
            self._tables[extern.name] = table_from(given, parameters, result)

    def check_externs(self) -> None:
        """Check that the program declares all functions that are given.

        Raises:
            ProgramFault: It doesn't.
        """
        for name in self.externs:
            if name not in self._tables:
                raise ProgramFault(
                    f"the text declares no extern function {printable(name)!r}, which externs has"
                )

    def _extern_value(self, call: tree.Call, extern: tree.Extern) -> Value | None:
        table = self._tables.get(extern.name)
        if table is None:
            self.fail(
                call.at,
                f"{call.name!r} is an extern function without a table of its values; give one with the "
                "program (externs), or write it as a subroutine (def)",
            )
        if len(call.arguments) != len(table.parameters):
            self.fail(
                call.at, f"{call.name!r} takes {len(table.parameters)} arguments, not {len(call.arguments)}"
            )
        arguments = [
            self.as_type(argument, type_)
            for argument, type_ in zip(call.arguments, table.parameters, strict=True)
        ]
        if table.result is None:
            return None
        if all(argument.known is not None for argument in arguments):
            found = table.known(arguments)
            if found is None:
                self.fail(call.at, f"the table of {call.name!r} has neither these arguments nor a default")
            return found
        if not table.is_total():
            self.fail(
                call.at,
                f"only a run knows these arguments, of which the table of {call.name!r} lacks some; "
                "give a default",
            )
        return self._looked_up(call, table, arguments)

    def _looked_up(self, call: tree.Call, table: Table, arguments: Sequence[Value]) -> Value:
        """Return what a table has for arguments that only a run knows."""
        assert table.result is not None
        self.step(len(table.rows))
        result = self.temporary(call.at, table.result, "extern")
        rows: dict[Constant, list[tuple[Constant, ...]]] = {}
        for key, value in table.rows.items():
            rows.setdefault(value, []).append(key)
        width = key_width(table.parameters)

        def give(value: Constant) -> Callable[[], None]:
            return lambda: self.memory.write(result, Value(result.type, value))

        if width is None:
            self._compared(call, table, arguments, result)
            return self.memory.read(result)
        parts = []
        shift, whole = 0, Type("uint", width)
        for type_, argument in zip(table.parameters, arguments, strict=True):
            bits = converted(converted(argument, Type("uint", type_.width or 1)), whole)
            parts.append(binary("<<", bits, Value(UINT, shift)) if shift else bits)
            shift += type_.width or 1
        selector = self.once(call.at, balanced("|", parts), "key")
        options = [
            ([joined_key(table.parameters, key) for key in keys], give(value)) for value, keys in rows.items()
        ]
        otherwise = None if table.default is None else give(table.default)
        self.conditional += 1
        self.choose(call.at, selector, options, otherwise, [result])
        self.conditional -= 1
        return self.memory.read(result)

    def _compared(self, call: tree.Call, table: Table, arguments: Sequence[Value], result: Variable) -> None:
        """Let a variable be what a table has, whose rows are compared one after another."""
        assert table.default is not None
        if len(table.rows) > MOST_COMPARED:
            self.fail(
                call.at,
                f"the table of {call.name!r} has {len(table.rows):,} rows; with floats or more than 64 bits "
                f"of arguments that only a run knows it has at most {MOST_COMPARED:,}",
            )
        kept = [self.once(call.at, argument, f"argument {place}") for place, argument in enumerate(arguments)]
        self.memory.write(result, Value(result.type, table.default))
        self.memory.unknown(result)
        for key, value in table.rows.items():
            equal = [
                binary("==", argument, Value(type_, known))
                for argument, type_, known in zip(kept, table.parameters, key, strict=True)
            ]
            with self.emitter.nested() as body, self.memory.block():
                self.memory.write(result, Value(result.type, value))
            self.emit_if(balanced("&&", equal), body.message())
        self.memory.forget([result])

    # --- arguments --------------------------------------------------------------------------------------

    def _sized_qubits(self, parameter: tree.Parameter, operand: Qubits, at: int) -> Qubits:
        size = parameter.type.size
        if size is None:
            if len(operand.numbers) != 1:
                self.fail(at, f"{parameter.name!r} is one qubit, and these are {len(operand.numbers)}")
            return Qubits(operand.numbers, is_one=True)
        wanted = self.integer(size, "the size of qubit")
        if wanted != len(operand.numbers):
            self.fail(at, f"{parameter.name!r} has {wanted} qubits, and these are {len(operand.numbers)}")
        return Qubits(operand.numbers)

    def _classical_arguments(self, definition: tree.Def, call: tree.Call) -> dict[str, Symbol]:
        """Return what classical parameters stand for: copies of values, and arrays themselves."""
        made: dict[str, Symbol] = {}
        values: list[tuple[tree.Parameter, Value]] = []
        for parameter, argument in zip(definition.parameters, call.arguments, strict=True):
            if parameter.type.word == "qubit":
                continue
            if parameter.type.axes is not None:
                made[parameter.name] = self._array_argument(parameter, argument)
                continue
            values.append((parameter, self.as_type(argument, self.type_of(parameter.type))))
        # All arguments are evaluated before the first is written: one may be another call of this.
        self.recursion += self._is_open(definition)
        for parameter, value in values:
            variable = Variable(parameter.name, value.type)
            variable.place = self.temporary(parameter.at, value.type, "parameter").place
            if value.known is None:
                kept = self.temporary(parameter.at, value.type, "parameter")
                self.memory.place(kept)
                variable.place = kept.place
            self.memory.write(variable, value)
            made[parameter.name] = variable
        self.recursion -= self._is_open(definition)
        return made

    def _is_open(self, definition: tree.Def) -> bool:
        """Whether a call of a subroutine comes from within itself."""
        return any(each.definition is definition for each in self._calls)

    def _array_argument(self, parameter: tree.Parameter, argument: tree.Expression) -> Array:
        if not parameter.type.access:
            self.fail(
                parameter.at, f"the array {parameter.name!r} is given as readonly or as mutable; write which"
            )
        found = self.element(argument)
        if not isinstance(found, Array):
            self.fail(argument.at, f"{parameter.name!r} is an array; expected one, or a part of one")
        is_mutable = parameter.type.access == "mutable"
        if is_mutable and found.is_constant:
            self.fail(
                argument.at, f"{parameter.name!r} is mutable, and this array is a constant or read only"
            )
        self._check_shape(parameter, found, argument.at)
        return Array(found.type, found.elements, is_constant=not is_mutable)

    def _check_shape(self, parameter: tree.Parameter, found: Array, at: int) -> None:
        node = parameter.type
        base = self.type_of(tree.TypeNode(node.at, node.word, node.size))
        scalar = found.type._replace(axes=())
        if base != scalar:
            self.fail(
                at, f"{parameter.name!r} has elements of type {base}, and this has elements of type {scalar}"
            )
        if node.count is not None:
            count = self.integer(node.count, "the number of axes")
            if count != len(found.type.axes):
                self.fail(at, f"{parameter.name!r} has {count} axes, and this has {len(found.type.axes)}")
            return
        assert node.axes is not None
        axes = tuple(self.integer(each, "the size of an axis") for each in node.axes)
        if axes != found.type.axes:
            wanted = Type(base.kind, base.width, axes)
            self.fail(at, f"{parameter.name!r} is {wanted}, and this is {found.type}")
