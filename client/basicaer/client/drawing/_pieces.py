"""What each instruction looks like: a label on each of its qubits, and whether a line joins them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from basicaer.client._errors import CircuitError
from basicaer.client._printable import printable
from basicaer.client.openqasm3._expressions import Expressions
from basicaer.client.openqasm3._gates import GATES
from basicaer.client.openqasm3._layout import Layout
from basicaer.client.openqasm3._names import Names
from basicaer.client.openqasm3._numbers import number
from basicaer.v1 import circuit_pb2 as pb

__all__ = ["Piece", "Pieces"]

_CONTROL, _OPEN_CONTROL, _SWAP = "●", "○", "×"
# Of words of OpenQASM 3 those that people write in another way.
_NAMES = {
    "id": "I",
    "x": "X",
    "y": "Y",
    "z": "Z",
    "h": "H",
    "s": "S",
    "sdg": "S†",
    "sx": "√X",
    "inv @ sx": "√X†",
}
_NAMES |= {"t": "T", "tdg": "T†", "p": "P", "u": "U", "u_2": "U2", "rx": "Rx", "ry": "Ry", "rz": "Rz"}
_CAST = re.compile(r"\b(?:u?int|float|bit|bool|angle)(?:\[\d+\])?\((-?[\w.]+(?:\[\d+\])?)\)")
_DEEPEST = 60
_MOST_LABEL = 40


class Piece(NamedTuple):
    """Something to be drawn: `labels` by qubit, and whether a line joins the first and the last of them."""

    labels: dict[int, str]
    is_joined: bool = True


class _Shape(NamedTuple):
    """How many operands an operation has."""

    qubits: int
    clbits: int = 0
    parameters: int = 0


class Pieces:
    """Draws the instructions of one circuit, up to so many. `qubits` are their names.

    `left_out` tells whether there were more.
    """

    def __init__(self, circuit: pb.Circuit, most: int) -> None:
        names = Names(())
        self._circuit = circuit
        self.qubits = Layout(circuit.quantum_registers, circuit.num_qubits, "q", names).texts
        clbits = Layout(circuit.classical_registers, circuit.num_clbits, "c", names, circuit.outputs)
        self._clbits = clbits.texts
        self._variables = [names.new(each.name) for each in circuit.variables]
        self._expressions = Expressions(circuit, clbits, self._variables)
        self._left = most
        self.left_out = False
        self._depth = 0

    def number(self, value: float) -> str:
        """Return a number: exactly if it is a fraction of π, else its first digits."""
        text = number(value)
        return text.replace("pi", "π") if "pi" in text else f"{value:.4g}"

    def of(self, block: pb.Block) -> Iterator[Piece]:
        """Return a block's instructions."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise CircuitError(f"Blocks that lie more than {_DEEPEST} deep in one another are not drawn.")
        parameters = self._parameters(block)
        at_qubit = at_clbit = at_parameter = 0
        for index in block.operations:
            if not self._left:
                self.left_out = True
                break
            self._left -= 1
            operation = self._circuit.operations[index]
            shape = _shape(operation)
            qubits = block.qubits[at_qubit : at_qubit + shape.qubits]
            clbits = block.clbits[at_clbit : at_clbit + shape.clbits]
            values = parameters[at_parameter : at_parameter + shape.parameters]
            if len(qubits) < shape.qubits or len(clbits) < shape.clbits or len(values) < shape.parameters:
                raise CircuitError("A block's columns are not as long as its instructions need.")
            at_qubit += shape.qubits
            at_clbit += shape.clbits
            at_parameter += shape.parameters
            yield from self._instruction(operation, qubits, clbits, values)
        self._depth -= 1

    def _parameters(self, block: pb.Block) -> list[str]:
        texts = [self.number(value) for value in block.parameters]
        for place, variable, factor in zip(
            block.term_parameters, block.term_variables, block.term_factors, strict=True
        ):
            times = "" if abs(factor) == 1.0 else f"{self.number(abs(factor))}·"
            before = "" if texts[place] == "0" else texts[place]
            sign = "-" if factor < 0 else "+" if before else ""
            texts[place] = f"{before}{sign}{times}{self._variables[variable]}"
        return texts

    def _instruction(
        self, operation: pb.Operation, qubits: Sequence[int], clbits: Sequence[int], values: Sequence[str]
    ) -> Iterator[Piece]:
        if not operation.HasField("condition"):
            yield from self._unconditional(operation, qubits, clbits, values)
            return
        inside = list(self._unconditional(operation, qubits, clbits, values))
        yield from self._bracketed(f"if {self._text(operation.condition)}", inside)

    def _unconditional(
        self, operation: pb.Operation, qubits: Sequence[int], clbits: Sequence[int], values: Sequence[str]
    ) -> Iterator[Piece]:
        name = operation.name
        match name:
            case "measure":
                labels = {
                    qubit: f"M→{self._clbits[clbit]}" for qubit, clbit in zip(qubits, clbits, strict=True)
                }
                yield Piece(labels, is_joined=False)
            case "reset":
                yield Piece(dict.fromkeys(qubits, "|0⟩"), is_joined=False)
            case "barrier":
                yield Piece(dict.fromkeys(qubits, "░"), is_joined=False)
            case "delay":
                yield Piece(dict.fromkeys(qubits, f"delay({values[0]}{operation.unit})"), is_joined=False)
            case "readout_error":
                yield self._beside(f"misread {', '.join(self._clbits[clbit] for clbit in clbits)}")
            case "store":
                yield self._beside(self._assignment(operation.store))
            case "break_loop" | "continue_loop":
                yield self._beside(name.removesuffix("_loop"))
            case "if_else":
                choice = operation.if_else
                yield from self._bracketed(
                    f"if {self._text(choice.condition)}",
                    list(self.of(choice.then_block)),
                    [("else", list(self.of(choice.else_block)))] if choice.HasField("else_block") else [],
                )
            case "while_loop":
                loop = operation.while_loop
                yield from self._bracketed(f"while {self._text(loop.condition)}", list(self.of(loop.body)))
            case "for_loop":
                yield from self._bracketed(
                    self._turns(operation.for_loop), list(self.of(operation.for_loop.body))
                )
            case "switch_case":
                switch = operation.switch_case
                cases = [
                    (
                        "default" if case.is_default else f"case {', '.join(map(str, case.values))}",
                        list(self.of(case.body)),
                    )
                    for case in switch.cases
                ]
                yield from self._bracketed(f"switch {self._text(switch.target)}", [], cases)
            case _:
                yield self._gate(operation, qubits, values)

    def _gate(self, operation: pb.Operation, qubits: Sequence[int], values: Sequence[str]) -> Piece:
        name = operation.name
        call = GATES.get(name)
        word, targets_wanted = _word(name)
        controls = len(qubits) - targets_wanted if call else operation.num_controls
        extra = operation.num_controls
        state = operation.control_state if operation.HasField("control_state") else (1 << extra) - 1
        state |= ((1 << max(controls - extra, 0)) - 1) << extra
        labels = {
            qubit: _CONTROL if state >> place & 1 else _OPEN_CONTROL
            for place, qubit in enumerate(qubits[:controls])
        }
        word = _short(printable(operation.label)) or (word if call else _noise_or_state(operation))
        values = [*values, *(self._text(each) for each in operation.parameter_expressions)]
        text = f"{word}({', '.join(values)})" if values else word
        targets = qubits[controls:]
        if word == "swap":
            labels |= dict.fromkeys(targets, _SWAP)
        elif len(targets) == 1:
            labels[targets[0]] = text
        else:
            labels |= {qubit: f"{text}:{place}" for place, qubit in enumerate(targets)}
        if not labels:
            return self._beside(text)
        return Piece(labels)

    def _bracketed(
        self, head: str, inside: list[Piece], others: Sequence[tuple[str, list[Piece]]] = ()
    ) -> Iterator[Piece]:
        """Return pieces in brackets, with further parts behind their own heads."""
        every = [*inside, *(piece for _, part in others for piece in part)]
        held = {qubit for piece in every for qubit in piece.labels}
        qubits = range(min(held), max(held) + 1) if held else range(len(self.qubits))
        yield _across(qubits, f"╟{head}:", "╟")
        yield from inside
        for text, part in others:
            yield _across(qubits, f"╫{text}:", "╫")
            yield from part
        yield _across(qubits, "╢", "╢")

    def _beside(self, text: str) -> Piece:
        """Return what has no qubit: a text on the first one, that all have to wait for."""
        return _across(range(len(self.qubits)), text, "·")

    def _turns(self, loop: pb.ForLoop) -> str:
        variable = f"{self._variables[loop.variable]} in " if loop.HasField("variable") else ""
        if loop.values:
            return _short(f"for {variable}{', '.join(map(str, loop.values))}")
        turns = loop.range
        step = f"{turns.step}:" if turns.step != 1 else ""
        return f"for {variable}{turns.start}:{step}{turns.stop - (1 if turns.step > 0 else -1)}"

    def _text(self, expression: pb.Expression) -> str:
        try:
            return _plain(self._expressions.condition(expression))
        except CircuitError:
            # OpenQASM 3 has no words for a few, such as the bits of a float.
            return "…"

    def _assignment(self, store: pb.Store) -> str:
        try:
            return _plain(self._expressions.assignment(store))
        except CircuitError:
            return "… = …"


def _across(qubits: Sequence[int], first: str, others: str) -> Piece:
    return Piece({qubit: others if place else first for place, qubit in enumerate(qubits)}, is_joined=False)


def _plain(text: str) -> str:
    """Return an expression without the casts of single values, which only the language needs."""
    return _short(_CAST.sub(r"\1", text))


def _short(text: str) -> str:
    return text if len(text) <= _MOST_LABEL else f"{text[: _MOST_LABEL - 1]}…"


def _word(name: str) -> tuple[str, int]:
    """Return what a gate does on its last qubits, and how many these are; the others are controls."""
    call = GATES.get(name)
    if call is None:
        return name, 0
    word = call.word
    while word.startswith("c") and word[1:] in GATES and call.targets > 1:
        word = word[1:]
        call = GATES[word]
    return _NAMES.get(word, word), call.targets


def _noise_or_state(operation: pb.Operation) -> str:
    """Return the word for what is no gate of the table."""
    match operation.name:
        case "channel":
            kind = operation.channel.WhichOneof("kind") or "channel"
            if kind == "depolarizing":
                return f"depolarizing({operation.channel.depolarizing.probability:.4g})"
            return kind
        case "initialize":
            label = _short(printable(operation.initialize.label))
            return f"|{label}⟩" if label else "initialize"
        case "set_state":
            return f"set {(operation.set_state.WhichOneof('state') or 'state').replace('_', ' ')}"
        case "save":
            return f"save {_short(printable(operation.save.label))}"
        case name:
            return name


def _shape(operation: pb.Operation) -> _Shape:
    """Return how many operands an operation has, where the message leaves it to the name too."""
    name = operation.name
    qubits, clbits, parameters = operation.num_qubits, operation.num_clbits, operation.num_parameters
    call = GATES.get(name)
    if call:
        qubits = qubits or call.qubits + operation.num_controls
        parameters = 0 if operation.parameter_expressions else call.parameters
        if qubits < call.targets + operation.num_controls:
            raise CircuitError(f"{name} needs more qubits than {qubits}.")
    elif name == "unitary":
        size = operation.matrix.shape[0] if operation.matrix.shape else 1
        qubits = qubits or operation.num_controls + size.bit_length() - 1
    elif name == "measure":
        qubits, clbits = 1, 1
    elif name == "reset":
        qubits = 1
    elif name == "delay":
        parameters = 1
    elif name == "initialize":
        amplitudes = operation.initialize.amplitudes
        size = amplitudes.shape[0].bit_length() - 1 if amplitudes.shape else 0
        qubits = size or len(operation.initialize.label) or qubits
    elif name == "readout_error":
        return _Shape(0, clbits or (len(operation.readout.probabilities).bit_length() - 1) // 2)
    return _Shape(qubits, clbits, parameters)
