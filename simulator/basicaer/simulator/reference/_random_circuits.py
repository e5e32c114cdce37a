"""Random valid circuits for property tests, with everything that a circuit can have.

All choices come from one `random.Random`. Hypothesis has a strategy for these
(`randoms(use_true_random=False)`) whose choices it shrinks.
"""

from __future__ import annotations

import math
from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt
from basicaer.simulator.circuit._circuit import Circuit
from basicaer.simulator.circuit._expressions import (
    Binary,
    ClassicalType,
    ClbitRef,
    Expression,
    Literal,
    RegisterRef,
    VariableRef,
)
from basicaer.simulator.circuit._expressions import (
    BinaryOperator as Op,
)
from basicaer.simulator.circuit._expressions import (
    ClassicalKind as Kind,
)
from basicaer.simulator.circuit._gate_table import GATES
from basicaer.simulator.circuit._operations import (
    Block,
    Case,
    ForLoop,
    IfElse,
    Initialize,
    Register,
    Store,
    SwitchCase,
    Variable,
    WhileLoop,
)
from basicaer.simulator.reference._random_expressions import BIT, BOOL, FLOAT, random_expression

_COUNTER = 0
_VARIABLES = (
    Variable("counter", ClassicalType(Kind.UINT, 8)),
    Variable("small", ClassicalType(Kind.UINT, 3)),
    Variable("signed", ClassicalType(Kind.INT, 5)),
    Variable("real", FLOAT),
    Variable("single", ClassicalType(Kind.FLOAT, 32)),
    Variable("turn", ClassicalType(Kind.ANGLE, 6)),
    Variable("flag", BOOL),
    Variable("wide", ClassicalType(Kind.UINT, 64)),
)


def random_unitary(random: Random, width: int) -> npt.NDArray[np.complex128]:
    """Return a unitary matrix of 2^width by 2^width."""
    size = 2**width
    numbers = [complex(random.uniform(-1, 1), random.uniform(-1, 1)) for _ in range(size * size)]
    # The identity keeps the matrix regular when all numbers are alike, as shrunken ones are.
    matrix, _ = np.linalg.qr(np.array(numbers).reshape(size, size) + 3 * np.eye(size))
    return matrix


def random_circuit(
    random: Random, *, num_qubits: int, num_clbits: int = 0, num_instructions: int, dynamic: bool = False
) -> Circuit:
    """Return a valid circuit of about `num_instructions` instructions.

    Without `dynamic` it has gates alone, and a measurement of each qubit at the end for which there is a
    classical bit. With it, anything may come anywhere. Loops end after a few turns.
    """
    return _Builder(random, num_qubits, num_clbits, dynamic).circuit(num_instructions)


class _Builder:
    """Makes one circuit. `_in_loop` and `_in_while` tell what the present block is in."""

    def __init__(self, random: Random, num_qubits: int, num_clbits: int, dynamic: bool) -> None:
        self._random = random
        self._dynamic = dynamic
        bits = list(range(num_clbits))
        registers = [Register("all", num_clbits, tuple(bits))] if bits else []
        if num_clbits > 1:
            random.shuffle(bits)
            registers.append(Register("some", num_clbits - 1, tuple(bits[1:])))
        self._circuit = Circuit(
            num_qubits,
            num_clbits,
            global_phase=random.uniform(-math.pi, math.pi),
            classical_registers=registers,
            variables=_VARIABLES,
        )
        self._in_loop = False
        self._in_while = False

    def circuit(self, num_instructions: int) -> Circuit:
        """Return the circuit."""
        circuit = self._circuit
        for _ in range(num_instructions):
            for name, qubits, params, clbits, fields in self._instructions(2):
                circuit.append(name, qubits, params, clbits, **fields)
        if not self._dynamic:
            for bit in range(min(circuit.num_qubits, circuit.num_clbits)):
                circuit.append("measure", [bit], [], [bit])
        return circuit

    def _instructions(self, depth: int) -> list[tuple[str, list[int], list[Any], list[int], dict[str, Any]]]:
        """One random instruction, or a few that belong together."""
        random = self._random
        if not self._dynamic or random.random() < 0.5:
            name, qubits, params, fields = self._gate()
            if self._dynamic and params and random.random() < 0.3:
                params = [self._expression(FLOAT) for _ in params]
            return [(name, qubits, params, [], self._conditioned(fields))]
        kinds = ["measure", "reset", "initialize", "store"]
        kinds += ["if", "switch", "for", "while"] if depth else []
        kinds += ["jump"] if self._in_loop else []
        kind = random.choice(kinds)
        qubits = self._qubits(1)
        match kind:
            case "measure" if self._circuit.num_clbits:
                clbit = random.randrange(self._circuit.num_clbits)
                return [("measure", qubits, [], [clbit], self._conditioned({}))]
            case "initialize":
                qubits = self._qubits(random.randrange(1, self._circuit.num_qubits + 1))
                return [
                    (
                        "initialize",
                        qubits,
                        [],
                        [],
                        self._conditioned({"initialize": self._state(len(qubits))}),
                    )
                ]
            case "store":
                return [("store", [], [], [], self._conditioned({"store": self._store()}))]
            case "jump":
                name = random.choice(["break_loop", "continue_loop"])
                return [(name, [], [], [], {"condition": self._expression(BOOL)})]
            case "if" | "switch" | "for":
                return [self._flow(kind, depth - 1)]
            case "while" if not self._in_while:
                start = Store(VariableRef(_COUNTER), Literal(0))
                return [("store", [], [], [], {"store": start}), self._while(depth - 1)]
            case _:
                return [("reset", qubits, [], [], self._conditioned({}))]

    def _expression(self, type_: ClassicalType) -> Expression:
        return random_expression(self._random, self._circuit, type_, 2)

    def _conditioned(self, fields: dict[str, Any]) -> dict[str, Any]:
        if self._dynamic and self._random.random() < 0.2:
            return {**fields, "condition": self._expression(BOOL)}
        return fields

    def _qubits(self, count: int) -> list[int]:
        return self._random.sample(range(self._circuit.num_qubits), count)

    def _gate(self) -> tuple[str, list[int], list[Any], dict[str, Any]]:
        random, size = self._random, self._circuit.num_qubits
        if random.random() < 0.1:
            width = random.randrange(1, min(size, 3) + 1)
            return "unitary", self._qubits(width), [], {"matrix": random_unitary(random, width)}
        names = [name for name, spec in GATES.items() if spec.num_qubits <= size]
        name = random.choice([*names, "barrier", "delay"])
        if name == "barrier":
            return name, self._qubits(random.randrange(size + 1)), [], {}
        if name == "delay":
            return name, self._qubits(1), [100.0], {"unit": "dt"}
        spec = GATES[name]
        fields: dict[str, Any] = {}
        width = spec.num_qubits
        extra = random.randrange(size - width + 1) if random.random() < 0.3 else 0
        if extra:
            fields["num_controls"] = extra
            if random.random() < 0.7:
                fields["control_state"] = random.randrange(2**extra)
        width += extra
        if spec.any_controls:
            width = random.randrange(width, size + 1)
        return name, self._qubits(width), [random.uniform(-7, 7) for _ in range(spec.num_parameters)], fields

    def _state(self, width: int) -> Initialize:
        match self._random.randrange(3):
            case 0:
                return Initialize(amplitudes=random_unitary(self._random, width)[:, 0].copy())
            case 1:
                return Initialize(label="".join(self._random.choice("01+-rl") for _ in range(width)))
            case _:
                return Initialize(basis_state=self._random.randrange(2**width))

    def _store(self) -> Store:
        random, circuit = self._random, self._circuit
        variables = [number for number in range(len(circuit.variables)) if number != _COUNTER]
        if circuit.num_clbits and random.random() < 0.4:
            if random.random() < 0.5:
                return Store(ClbitRef(random.randrange(circuit.num_clbits)), self._expression(BIT))
            number = random.randrange(len(circuit.classical_registers))
            type_ = ClassicalType(Kind.UINT, circuit.classical_registers[number].size)
            return Store(RegisterRef(number), self._expression(type_))
        number = random.choice(variables)
        return Store(VariableRef(number), self._expression(circuit.variables[number].type))

    def _block(self, depth: int, *, in_loop: bool = False, before: tuple[Any, ...] = ()) -> Block:
        was = self._in_loop
        self._in_loop = was or in_loop
        instructions = [*before]
        for _ in range(self._random.randrange(3)):
            instructions += self._instructions(depth)
        self._in_loop = was
        return self._circuit.block(instructions)

    def _flow(self, kind: str, depth: int) -> tuple[str, list[int], list[Any], list[int], dict[str, Any]]:
        random = self._random
        if kind == "if":
            other = self._block(depth) if random.random() < 0.5 else None
            choice = IfElse(self._expression(BOOL), self._block(depth), other)
            return "if_else", [], [], [], {"if_else": choice}
        if kind == "for":
            values: range | tuple[int, ...] = range(*sorted(random.sample(range(5), 2)))
            if random.random() < 0.5:
                values = tuple(random.randrange(8) for _ in range(random.randrange(3)))
            variable = random.choice([None, 1, 2])
            return (
                "for_loop",
                [],
                [],
                [],
                {"for_loop": ForLoop(values, self._block(depth, in_loop=True), variable)},
            )
        target = self._expression(random.choice([BIT, ClassicalType(Kind.UINT, 3)]))
        cases = [
            Case(tuple(random.sample(range(8), random.randrange(1, 4))), self._block(depth))
            for _ in range(random.randrange(3))
        ]
        cases.append(Case((), self._block(depth), is_default=True))
        return (
            "switch_case",
            [],
            [],
            [],
            {"switch_case": SwitchCase(target, tuple(cases[: random.randrange(1, 5)]))},
        )

    def _while(self, depth: int) -> tuple[str, list[int], list[Any], list[int], dict[str, Any]]:
        counted = Binary(Op.LESS, VariableRef(_COUNTER), Literal(3))
        condition = Binary(Op.LOGIC_AND, counted, self._expression(BOOL))
        step = Store(VariableRef(_COUNTER), Binary(Op.ADD, VariableRef(_COUNTER), Literal(1)))
        self._in_while = True
        body = self._block(depth, in_loop=True, before=(("store", [], [], [], {"store": step}),))
        self._in_while = False
        return "while_loop", [], [], [], {"while_loop": WhileLoop(condition, body)}
