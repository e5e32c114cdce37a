"""A circuit to statements: declarations, then block by block."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from basicaer.client._errors import CircuitError
from basicaer.client.openqasm3._expressions import Expressions
from basicaer.client.openqasm3._flow import instructions, own_loops
from basicaer.client.openqasm3._gates import DEFINITIONS, GATES, NEEDS, defined_words, modifiers
from basicaer.client.openqasm3._layout import Layout
from basicaer.client.openqasm3._matrices import array, label_gates, preparation, unitary
from basicaer.client.openqasm3._names import Names
from basicaer.client.openqasm3._numbers import number
from basicaer.client.openqasm3._types import Type, declared
from basicaer.v1 import circuit_pb2 as pb

__all__ = ["Writer"]

# What is written, or has no effect; a field that is newer than this module is refused.
_CIRCUIT_FIELDS = frozenset(
    (
        *("name", "metadata", "global_phase", "num_qubits", "num_clbits", "quantum_registers"),
        *("classical_registers", "variables", "operations", "body", "outputs"),
    )
)
_OPERATION_FIELDS = frozenset(
    (
        *("name", "num_qubits", "num_clbits", "num_parameters", "num_controls", "control_state", "condition"),
        *("parameter_expressions", "label", "matrix", "initialize", "store", "if_else", "while_loop"),
        *("for_loop", "switch_case", "unit", "save"),
    )
)
_HEAD = 'OPENQASM 3.0;\ninclude "stdgates.inc";'
# Parameters are angles in OpenQASM 3, and real numbers here: under a control, rx(2π) isn't rx(0).
_REAL_PARAMETERS = "pragma basicaer.real_parameters"
_UNITS = {
    **{unit: (1.0, unit) for unit in ("s", "ms", "us", "ns", "dt")},
    "µs": (1.0, "us"),
    "ps": (1e-3, "ns"),
    "": (1.0, "dt"),
}
# As deep as a server reads blocks, and as many instructions.
_DEEPEST = 60
_MOST_INSTRUCTIONS = 10_000_000

Lines = list[str]
_Render = Callable[[Sequence[int], Sequence[int], Lines], Lines]


class _Plan(NamedTuple):
    """An operation: how many operands of each kind it takes, and what writes it.

    `is_short` tells that it is one statement, which needs no braces under a condition.
    """

    qubits: int
    clbits: int
    parameters: int
    render: _Render
    is_short: bool = True


class Writer:
    """Writes one circuit."""

    def __init__(self, circuit: pb.Circuit) -> None:
        _check_fields(circuit, "A circuit", _CIRCUIT_FIELDS)
        if instructions(circuit) > _MOST_INSTRUCTIONS:
            raise CircuitError(
                f"The circuit has more than {_MOST_INSTRUCTIONS:,} instructions when blocks are written out."
            )
        self._circuit = circuit
        names = Names(defined_words(each.name for each in circuit.operations))
        # Whoever runs the text gives inputs by their names, so that these come first.
        self._inputs = [names.new(each.name) if each.input else "" for each in circuit.variables]
        self._qubits = Layout(circuit.quantum_registers, circuit.num_qubits, "q", names)
        self._clbits = Layout(circuit.classical_registers, circuit.num_clbits, "c", names, circuit.outputs)
        self._own_loops = own_loops(circuit)
        self._variables = [
            given if given and place not in self._own_loops.written else names.new(each.name)
            for place, (each, given) in enumerate(zip(circuit.variables, self._inputs, strict=True))
        ]
        self._names = names
        self._expressions = Expressions(circuit, self._clbits, self._variables)
        self._plans: dict[int, _Plan] = {}
        self._definitions: dict[str, str] = {}
        self._depth = 0
        self._has_reals = abs(circuit.global_phase) >= math.tau

    def text(self) -> str:
        """Return all of it.

        Raises:
            CircuitError: The language can't say a part of it.
        """
        body = self._block(self._circuit.body)
        if self._circuit.global_phase:
            body.insert(0, f"gphase({number(self._circuit.global_phase)});")
        head = [_HEAD, _REAL_PARAMETERS] if self._has_reals else [_HEAD]
        return "\n".join([*head, *self._definitions.values(), *self._declarations(), *body, ""])

    # --- declarations -----------------------------------------------------------------------------------

    def _declarations(self) -> Iterator[str]:
        for each in self._qubits.declared:
            yield f"qubit[{each.end - each.start}] {each.name};"
        # Where no variable is an output, results show all bits.
        others = any(not each.is_shown or each.word[:3] not in ("", "bit") for each in self._clbits.declared)
        for each in self._clbits.declared:
            word = each.word or f"bit[{each.end - each.start}]"
            yield f"{'output ' if others and each.is_shown else ''}{word} {each.name};"
        for place in range(len(self._variables)):
            word = self._word(place)
            given, name = self._inputs[place], self._variables[place]
            if given:
                yield f"input {word} {given};"
            if given != name and place not in self._own_loops.own:
                yield f"{word} {name};"
            if given and given != name:
                yield f"{name} = {given};"

    def _word(self, variable: int) -> str:
        return (declared(self._circuit.variables[variable].type) or Type(pb.CLASSICAL_KIND_UINT, 64)).word

    def _define(self, name: str) -> None:
        for each in NEEDS.get(name, ()):
            self._define(each)
        if name in DEFINITIONS:
            self._definitions.setdefault(name, DEFINITIONS[name])

    def _define_matrix(self, kind: str, text_of: Callable[[str], str]) -> str:
        self._define("u")
        name = self._names.new(kind)
        self._definitions[name] = text_of(name)
        return name

    # --- blocks -----------------------------------------------------------------------------------------

    def _block(self, block: pb.Block) -> Lines:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise CircuitError(f"Blocks that lie more than {_DEEPEST} deep in one another are not written.")
        plans, made = self._plans, []
        qubits, clbits = list(block.qubits), list(block.clbits)
        self._clbits.check_bits(clbits)
        parameters = self._parameters(block)
        at_qubit = at_clbit = at_parameter = 0
        for index in block.operations:
            plan = plans.get(index) or self._plan(index)
            next_qubit, next_clbit = at_qubit + plan.qubits, at_clbit + plan.clbits
            next_parameter = at_parameter + plan.parameters
            made += plan.render(
                qubits[at_qubit:next_qubit],
                clbits[at_clbit:next_clbit],
                parameters[at_parameter:next_parameter],
            )
            at_qubit, at_clbit, at_parameter = next_qubit, next_clbit, next_parameter
        if (at_qubit, at_clbit, at_parameter) != (len(qubits), len(clbits), len(parameters)):
            raise CircuitError("A block's columns are not as long as its instructions need.")
        self._depth -= 1
        return made

    def _parameters(self, block: pb.Block) -> Lines:
        texts = [number(value) for value in block.parameters]
        if block.term_variables or any(not -math.tau < value < math.tau for value in block.parameters):
            self._has_reals = True
        terms = zip(block.term_parameters, block.term_variables, block.term_factors, strict=True)
        for place, variable, factor in terms:
            term = self._variables[variable]
            if factor != 1.0:
                term = f"{number(abs(factor))} * {term}"
            before = texts[place]
            if before == "0.0":
                texts[place] = term if factor > 0 else f"-{term}"
            else:
                texts[place] = f"{before} {'+' if factor > 0 else '-'} {term}"
        return texts

    def _within(self, head: str, block: pb.Block) -> Lines:
        """Return a block in braces, without the closing one."""
        return [f"{head} {{", *_indented(self._block(block))]

    # --- operations -------------------------------------------------------------------------------------

    def _plan(self, index: int) -> _Plan:
        operation = self._circuit.operations[index]
        _check_fields(operation, operation.name, _OPERATION_FIELDS)
        plan = self._unconditional(operation)
        if operation.HasField("condition"):
            plan = self._conditional(plan, self._expressions.condition(operation.condition))
        self._plans[index] = plan
        return plan

    def _conditional(self, plan: _Plan, condition: str) -> _Plan:
        def render(qubits: Sequence[int], clbits: Sequence[int], parameters: Lines) -> Lines:
            lines = plan.render(qubits, clbits, parameters)
            if plan.is_short and len(lines) == 1:
                return [f"if ({condition}) {lines[0]}"]
            return [f"if ({condition}) {{", *_indented(lines), "}"] if lines else []

        return plan._replace(render=render)

    def _unconditional(self, operation: pb.Operation) -> _Plan:
        name = operation.name
        if name in GATES:
            return self._gate(operation)
        if name == "unitary":
            matrix = array(operation.matrix)
            width = operation.num_qubits or operation.num_controls + max(len(matrix).bit_length() - 1, 0)
            word = self._define_matrix("unitary", lambda name: unitary(name, matrix))
            return self._called(operation, word, width, operation.num_controls, [], 0)
        if name == "initialize":
            return self._initialize(operation)
        if name == "measure":
            return _Plan(
                1,
                1,
                0,
                lambda qubits, clbits, _: [
                    f"{self._clbits.texts[clbits[0]]} = measure {self._qubits.texts[qubits[0]]};"
                ],
            )
        if name == "reset":
            return _Plan(1, 0, 0, lambda qubits, *_: [f"reset {self._qubits.texts[qubits[0]]};"])
        if name == "barrier":
            return _Plan(
                operation.num_qubits,
                0,
                0,
                lambda qubits, *_: [f"barrier {self._qubits.operands(qubits)};"] if qubits else [],
            )
        if name == "delay":
            return self._delay(operation)
        if name in ("break_loop", "continue_loop"):
            return _Plan(0, 0, 0, lambda *_: [f"{name.removesuffix('_loop')};"])
        if name == "store":
            text = self._expressions.assignment(operation.store)
            return _Plan(0, 0, 0, lambda *_: [f"{text};"] if text else [])
        flow = {
            "if_else": self._if_else,
            "while_loop": self._while_loop,
            "for_loop": self._for_loop,
            "switch_case": self._switch_case,
        }.get(name)
        if flow is None:
            raise CircuitError(f"OpenQASM 3 has no {name!r}.")
        return _Plan(0, 0, 0, lambda *_: flow(operation), is_short=False)

    def _gate(self, operation: pb.Operation) -> _Plan:
        call = GATES[operation.name]
        self._define(call.definition)
        width = operation.num_qubits or call.qubits + operation.num_controls
        own = width - operation.num_controls - call.targets
        if own < 0:
            raise CircuitError(f"{operation.name} needs more qubits than {operation.num_qubits}.")
        expressions = [self._expressions.parameter(each) for each in operation.parameter_expressions]
        self._has_reals |= bool(expressions)
        count = 0 if expressions else call.parameters
        return self._called(
            operation, call.word, width, width - call.targets, expressions, count, call.arguments
        )

    def _called(
        self,
        operation: pb.Operation,
        word: str,
        width: int,
        controls: int,
        expressions: Lines,
        parameters: int,
        arguments: Callable[[Lines], str] = lambda _: "",
    ) -> _Plan:
        """Return the plan of a gate that is called by a word, behind modifiers for `controls` controls."""
        extra = operation.num_controls
        state = (1 << extra) - 1
        if operation.HasField("control_state"):
            state = operation.control_state
        own = ((1 << controls - extra) - 1) << extra
        head = modifiers(controls, state | own) + word
        texts = self._qubits.texts
        fixed = f"{head}{arguments(expressions)}" if not parameters else ""

        def render(qubits: Sequence[int], _: Sequence[int], values: Lines) -> Lines:
            operands = ", ".join([texts[qubit] for qubit in qubits])
            begin = fixed or f"{head}{arguments(values)}"
            return [f"{begin} {operands};" if operands else f"{begin};"]

        return _Plan(width, 0, parameters, render)

    def _delay(self, operation: pb.Operation) -> _Plan:
        texts = self._qubits
        if operation.parameter_expressions or operation.unit not in _UNITS:
            raise CircuitError(
                f"A delay of an expression, or in {operation.unit!r}, is not written as OpenQASM 3."
            )
        factor, unit = _UNITS[operation.unit]

        def render(qubits: Sequence[int], _: Sequence[int], values: Lines) -> Lines:
            return [f"delay[{values[0]} * {factor:g}{unit}] {texts.operands(qubits)};"] if qubits else []

        return _Plan(operation.num_qubits, 0, 1, render)

    def _initialize(self, operation: pb.Operation) -> _Plan:
        state, texts, width = operation.initialize, self._qubits.texts, operation.num_qubits
        word = ""
        gates: list[list[str]] = []
        if state.HasField("amplitudes"):
            amplitudes = array(state.amplitudes).reshape(-1)
            width = max(amplitudes.size.bit_length() - 1, 0)
            word = self._define_matrix("state", lambda name: preparation(name, amplitudes))
        else:
            width = len(state.label) or width
            gates = label_gates(state, width)

        def render(qubits: Sequence[int], *_: object) -> Lines:
            operands = [texts[qubit] for qubit in qubits]
            lines = [f"reset {operand};" for operand in operands]
            if word:
                return [*lines, f"{word} {', '.join(operands)};"]
            each = zip(operands, gates, strict=True)
            return lines + [f"{gate} {operand};" for operand, several in each for gate in several]

        return _Plan(width, 0, 0, render)

    # --- control flow -----------------------------------------------------------------------------------

    def _if_else(self, operation: pb.Operation) -> Lines:
        choice = operation.if_else
        lines = self._within(f"if ({self._expressions.condition(choice.condition)})", choice.then_block)
        if choice.HasField("else_block"):
            lines += self._within("} else", choice.else_block)
        return [*lines, "}"]

    def _while_loop(self, operation: pb.Operation) -> Lines:
        loop = operation.while_loop
        return [*self._within(f"while ({self._expressions.condition(loop.condition)})", loop.body), "}"]

    def _for_loop(self, operation: pb.Operation) -> Lines:
        loop = operation.for_loop
        values = _values(loop)
        if not values:
            return []
        if not loop.HasField("variable"):
            return [*self._within(f"for int {self._names.new('turn')} in {values}", loop.body), "}"]
        name = self._variables[loop.variable]
        word = self._word(loop.variable)
        if loop.variable in self._own_loops.own:
            return [*self._within(f"for {word} {name} in {values}", loop.body), "}"]
        inner = self._names.new(f"{name}_turn")
        lines = self._within(f"for {word} {inner} in {values}", loop.body)
        return [lines[0], f"  {name} = {inner};", *lines[1:], "}"]

    def _switch_case(self, operation: pb.Operation) -> Lines:
        target, bits = self._expressions.selector(operation.switch_case.target)
        lines: Lines = [f"switch ({target}) {{"]
        seen: set[int] = set()
        for case in operation.switch_case.cases:
            # The first case that fits is run, and one of the language's fits once.
            values = [
                value for value in dict.fromkeys(case.values) if value not in seen and value >> bits == 0
            ]
            seen.update(values)
            if case.is_default and len(lines) == 1:
                # The language's switch has a case before its default.
                return ["{", *_indented(self._block(case.body)), "}"]
            if case.is_default:
                lines += [*_indented([*self._within("default", case.body), "}"])]
                break
            if values:
                head = f"case {', '.join(map(str, values))}"
                lines += [*_indented([*self._within(head, case.body), "}"])]
        return [*lines, "}"] if len(lines) > 1 else []


def _check_fields(message: pb.Circuit | pb.Operation, what: str, known: frozenset[str]) -> None:
    for field, _ in message.ListFields():
        if field.name not in known:
            raise CircuitError(f"{what} with {field.name!r} is not written as OpenQASM 3.")


def _indented(lines: Iterable[str]) -> Lines:
    return [f"  {line}" for line in lines]


def _values(loop: pb.ForLoop) -> str:
    """Return what a loop goes over; nothing for a loop without turns."""
    if loop.values:
        return f"{{{', '.join(map(str, loop.values))}}}"
    if not loop.range.step:
        raise CircuitError("A loop's range has the step 0.")
    turns = range(loop.range.start, loop.range.stop, loop.range.step)
    if not turns:
        return ""
    step = f"{turns.step}:" if turns.step != 1 else ""
    return f"[{turns[0]}:{step}{turns[-1]}]"
