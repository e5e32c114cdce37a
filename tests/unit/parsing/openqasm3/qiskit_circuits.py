"""Random circuits of Qiskit's with control flow, classical expressions and variables."""

from __future__ import annotations

import math
from random import Random
from typing import Any

from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Clbit
from qiskit.circuit.classical import expr, types
from qiskit.circuit.library import standard_gates as gates

__all__ = ["dynamic_circuit"]

_ONE = (gates.HGate, gates.XGate, gates.SGate, gates.SXGate, gates.TdgGate, gates.SXdgGate)
_TURNING = (gates.RXGate, gates.RYGate, gates.RZGate, gates.PhaseGate)
_TWO = (
    gates.CXGate,
    gates.CZGate,
    gates.CHGate,
    gates.SwapGate,
    gates.iSwapGate,
    gates.ECRGate,
    gates.DCXGate,
)
_TWO_TURNING = (gates.RXXGate, gates.RYYGate, gates.RZZGate, gates.RZXGate, gates.CRXGate, gates.CPhaseGate)
_COMPARISONS = (expr.equal, expr.not_equal, expr.less, expr.less_equal, expr.greater, expr.greater_equal)
_BITWISE = (expr.bit_and, expr.bit_or, expr.bit_xor)


def dynamic_circuit(random: Random) -> QuantumCircuit:
    """Returns a circuit of two or three qubits, which ends with a measurement of all."""
    return _Builder(random).circuit()


class _Builder:
    """Makes one circuit."""

    def __init__(self, random: Random) -> None:
        self._random = random
        qubits = random.randrange(2, 4)
        self._made: Any = QuantumCircuit(QuantumRegister(qubits, "q"), ClassicalRegister(2, "c"))
        self._made.add_register(ClassicalRegister(3, "d"))
        if random.random() < 0.3:
            self._made.add_bits([Clbit()])
        self._made.add_register(ClassicalRegister(qubits, "last"))
        self._writable = self._made.clbits[:-qubits]
        self._registers = list(self._made.cregs[:2])
        self._flags = [self._made.add_var(f"flag{place}", expr.lift(False)) for place in range(2)]
        self._numbers = [
            self._made.add_var(f"n{width}", expr.lift(random.randrange(1 << width), types.Uint(width)))
            for width in (3, 8)
        ]
        self._loops = self._whiles = 0

    def circuit(self) -> QuantumCircuit:
        for _ in range(self._random.randrange(2, 8)):
            self._instruction(2)
        self._made.measure(self._made.qubits, self._made.cregs[-1])
        return self._made

    # --- instructions -----------------------------------------------------------------------------------

    def _instruction(self, depth: int) -> None:
        random, made = self._random, self._made
        kinds = ["gate"] * 4 + ["measure"] * 3 + ["reset", "store", "barrier"]
        kinds += ["if", "else", "for", "while", "switch"] if depth else []
        kinds += ["jump"] if self._loops else []
        match random.choice(kinds):
            case "gate":
                self._gate()
            case "measure":
                made.measure(random.choice(made.qubits), random.choice(self._writable))
            case "reset":
                made.reset(random.choice(made.qubits))
            case "barrier":
                made.barrier(random.sample(made.qubits, 2))
            case "store":
                self._store()
            case "if":
                with made.if_test(self._condition()):
                    self._body(depth)
            case "else":
                with made.if_test(self._condition()) as otherwise:
                    self._body(depth)
                with otherwise:
                    self._body(depth)
            case "for":
                self._for(depth)
            case "while":
                self._while(depth)
            case "switch":
                self._switch(depth)
            case "jump":
                with made.if_test(self._condition()):
                    random.choice([made.break_loop, made.continue_loop])()

    def _body(self, depth: int) -> None:
        for _ in range(self._random.randrange(1, 3)):
            self._instruction(depth - 1)

    def _gate(self) -> None:
        random, made = self._random, self._made
        one, other = random.sample(made.qubits, 2)
        # OpenQASM 3's parameters are angles: beyond a turn, they aren't Qiskit's.
        angle = random.uniform(-math.tau, math.tau)
        match random.randrange(6):
            case 0 | 1:
                made.append(random.choice(_ONE)(), [one])
            case 2:
                made.append(random.choice(_TURNING)(angle), [one])
            case 3:
                made.append(random.choice(_TWO)(), [one, other])
            case 4:
                made.append(random.choice(_TWO_TURNING)(angle), [one, other])
            case 5:
                made.append(
                    gates.UGate(angle, 0.3, -1.1).control(1, ctrl_state=random.randrange(2)), [one, other]
                )

    def _store(self) -> None:
        random, made = self._random, self._made
        if random.random() < 0.5:
            number = random.choice(self._numbers)
            made.store(number, self._number(number.type.width, 2))
        else:
            made.store(random.choice(self._flags), self._truth(2))

    def _condition(self) -> Any:
        random = self._random
        if random.random() < 0.3:
            return random.choice(self._writable), random.randrange(2)
        if random.random() < 0.3:
            register = random.choice(self._registers)
            return register, random.randrange(1 << len(register))
        return self._truth(2)

    def _for(self, depth: int) -> None:
        random, made = self._random, self._made
        values = random.choice([range(3), range(1, 6, 2), (2, 1, 0), (3, 1), (0, 2, 5)])
        self._loops += 1
        with made.for_loop(values) as turn:
            if random.random() < 0.5:
                made.rx(turn * 0.4 + 0.1, random.choice(made.qubits))
            self._body(depth)
        self._loops -= 1

    def _while(self, depth: int) -> None:
        """A loop that ends: a variable of its own counts down."""
        made, self._whiles = self._made, self._whiles + 1
        left = made.add_var(f"left{self._whiles}", expr.lift(3, types.Uint(4)))
        self._loops += 1
        with made.while_loop(expr.logic_and(expr.greater(left, 0), self._truth(1))):
            made.store(left, expr.sub(left, expr.lift(1, types.Uint(4))))
            self._body(depth)
        self._loops -= 1

    def _switch(self, depth: int) -> None:
        random, made = self._random, self._made
        target = random.choice([*self._registers, *self._writable[:2], self._number(3, 1)])
        with made.switch(target) as case:
            most = 2 if isinstance(target, Clbit) else 4
            labels = random.sample(range(most), random.randrange(1, most))
            with case(*labels[:1]):
                self._body(depth)
            if labels[1:]:
                with case(*labels[1:]):
                    self._body(depth)
            if random.random() < 0.6:
                with case(case.DEFAULT):
                    self._body(depth)

    # --- expressions ------------------------------------------------------------------------------------

    def _truth(self, depth: int) -> Any:
        random = self._random
        if depth == 0:
            return random.choice([expr.lift(random.choice(self._writable)), *self._flags])
        match random.randrange(6):
            case 0:
                return expr.logic_not(self._truth(depth - 1))
            case 1:
                return random.choice([expr.logic_and, expr.logic_or])(
                    self._truth(depth - 1), self._truth(depth - 1)
                )
            case 2:
                return random.choice(_BITWISE)(self._truth(depth - 1), self._truth(depth - 1))
            case 3:
                return expr.index(self._number(3, depth - 1), random.randrange(3))
            case 4:
                return expr.cast(self._number(8, depth - 1), types.Bool())
            case _:
                width = random.choice([3, 8])
                return random.choice(_COMPARISONS)(
                    self._number(width, depth - 1), self._number(width, depth - 1)
                )

    def _number(self, width: int, depth: int) -> Any:
        """An integer. Constants stand beside other operands alone: Qiskit writes them without types."""
        random = self._random
        type_ = types.Uint(width)
        if depth == 0:
            leaves = [number for number in self._numbers if number.type.width == width]
            return random.choice(leaves + [expr.lift(each) for each in self._registers if len(each) == width])
        left = self._number(width, depth - 1)
        right = expr.lift(random.randrange(1 << width), type_)
        if random.random() < 0.5:
            right = self._number(width, depth - 1)
        match random.randrange(6):
            case 0:
                return expr.bit_not(left)
            case 1:
                return random.choice(_BITWISE)(left, right)
            case 2:
                shift = random.choice([expr.shift_left, expr.shift_right])
                return shift(left, expr.lift(random.randrange(4), types.Uint(3)))
            case 3:
                return random.choice([expr.add, expr.sub, expr.mul])(left, right)
            case 4:
                return expr.cast(self._number(random.choice([3, 8]), depth - 1), type_)
            case _:
                return expr.cast(self._truth(depth - 1), type_)
