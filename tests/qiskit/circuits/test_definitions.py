"""Gates are what they define, whatever they are called: nests of gates that share few names.

Each circuit is drawn by hypothesis and compared with Qiskit's matrix. Its gates come from everywhere that
Qiskit makes gates from, under names that clash with each other and with those of standard gates, and some are
given another definition once they stand in the circuit.
"""

from __future__ import annotations

import copy
import pickle
import random
from typing import Any

import numpy as np
from basicaer.client.qiskit import BasicAerProvider
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit, qasm2
from qiskit.circuit import (
    AnnotatedOperation,
    ControlModifier,
    Gate,
    InverseModifier,
    Parameter,
    PowerModifier,
)
from qiskit.circuit.library import (
    CXGate,
    GlobalPhaseGate,
    HGate,
    RZGate,
    SwapGate,
    SXGate,
    TGate,
    UGate,
)
from qiskit.quantum_info import Operator

NAMES = ("foo", "bar", "h", "cx", "u3", "rz", "swap", "ccx", "measure")
WIDTH = 4


def _is_qiskits(problem: BaseException) -> bool:
    """Whether Qiskit has failed: it takes gates for others of their name at times, and then fails in any way.

    A panic of its Rust is no Exception.
    """
    return isinstance(problem, Exception) or type(problem).__name__ == "PanicException"


class Defined(Gate):  # type: ignore[misc]  # Qiskit has no types
    """A gate whose definition is made when it is asked for."""

    def __init__(self, name: str, definition: QuantumCircuit, params: list[float]) -> None:
        super().__init__(name, definition.num_qubits, params)
        self._wanted = definition

    def _define(self) -> None:
        self._definition = self._wanted.copy()


class Author:
    """Writes one circuit of up to four qubits."""

    def __init__(self, source: random.Random) -> None:
        self.random = source

    def angle(self) -> float:
        # Few of them, so that gates of one name have equal parameters and other bodies.
        return self.random.choice((0.0, 0.3, 0.7, -1.2))

    def standard(self, most: int) -> Gate:
        gates = [HGate(), TGate(), SXGate(), RZGate(self.angle()), UGate(self.angle(), 0.2, self.angle())]
        gates.append(GlobalPhaseGate(self.angle()))
        if most > 1:
            gates += [CXGate(), CXGate(ctrl_state=0), SwapGate()]
        return self.random.choice(gates)

    def body(self, width: int, depth: int) -> QuantumCircuit:
        circuit = QuantumCircuit(width, name=self.random.choice(NAMES), global_phase=self.angle())
        for _ in range(self.random.randint(0, 3)):
            gate = self.gate(width, depth - 1) if depth else self.standard(width)
            circuit.append(gate, self.random.sample(range(width), gate.num_qubits))
        return circuit

    def text(self) -> str:
        """A program with up to three gates of its own, each of which may call those before it."""
        lines = ["OPENQASM 2.0;"]
        known: list[tuple[str, int, int]] = []
        names = [name for name in NAMES if name != "measure"]
        for name in self.random.sample(names, self.random.randint(1, 3)):
            width, parameters = self.random.randint(1, 2), self.random.randint(0, 1)
            calls = [
                self.call(["a", "b"][:width], known, "v" if parameters else None)
                for _ in range(self.random.randint(0, 3))
            ]
            lines.append(
                f"gate {name}{'(v)' * parameters} {'a, b' if width > 1 else 'a'} {{ {' '.join(calls)} }}"
            )
            known.append((name, width, parameters))
        lines.append("qreg q[2];")
        lines += [self.call(["q[0]", "q[1]"], known, None) for _ in range(3)]
        return "\n".join(lines)

    def call(self, qubits: list[str], known: list[tuple[str, int, int]], value: str | None) -> str:
        operands = self.random.sample(qubits, len(qubits))
        fitting = [gate for gate in known if gate[1] <= len(qubits)]
        argument = value or str(self.angle())
        if fitting and self.random.random() < 0.7:
            name, width, parameters = self.random.choice(fitting)
            return f"{name}{f'({argument})' * parameters} {', '.join(operands[:width])};"
        if len(operands) > 1 and self.random.random() < 0.3:
            return f"CX {', '.join(operands)};"
        return f"U({argument}, 0.4, 0.1) {operands[0]};"

    def gate(self, most: int, depth: int) -> Any:
        """A gate of up to `most` qubits, from any source."""
        width = self.random.randint(1, most)
        kind = self.random.randrange(11)
        if depth <= 0 or kind == 0:
            return self.standard(most)
        if kind == 1 and most > 1:
            return qasm2.loads(self.text()).to_gate()
        if kind == 2:
            return self.random.choice(self.one_of_a_text(most))
        if kind == 3:
            return Defined(self.random.choice(NAMES), self.body(width, depth), [self.angle()])
        if kind == 4:
            gate = Gate(self.random.choice(NAMES), width, [self.angle()])
            gate.definition = self.body(width, depth)
            return gate
        if kind == 5:
            value = Parameter("value")
            inner = QuantumCircuit(width, name=self.random.choice(NAMES), global_phase=value)
            for qubit in range(width):
                inner.rx(value * self.random.choice((1, 2)), qubit)
            return inner.assign_parameters({value: self.angle()}).to_gate()
        if kind == 6 and most > 1:
            base = self.gate(most - 1, depth - 1)
            try:
                return base.control(1, ctrl_state=self.random.randrange(2))
            except BaseException as problem:
                if not _is_qiskits(problem):
                    raise
                return base
        if kind == 7:
            base = self.gate(most, depth - 1)
            return base.inverse() if hasattr(base, "inverse") else base
        if kind == 8:
            return self.annotated(most, depth)
        if kind == 9:
            return copy.deepcopy(self.gate(most, depth - 1))
        if kind == 10:
            return pickle.loads(pickle.dumps(self.body(width, depth).to_gate()))
        return self.body(width, depth).to_gate()

    def one_of_a_text(self, most: int) -> list[Gate]:
        found = [instruction.operation for instruction in qasm2.loads(self.text()).data]
        return [gate for gate in found if gate.num_qubits <= most] or [HGate()]

    def annotated(self, most: int, depth: int) -> Any:
        base = self.gate(most, depth - 1)
        modifiers: list[Any] = []
        room = most - base.num_qubits
        for _ in range(self.random.randint(1, 3)):
            kind = self.random.randrange(3)
            if kind == 0:
                modifiers.append(InverseModifier())
            elif kind == 1:
                modifiers.append(PowerModifier(self.random.choice((2, 3, -1))))
            elif room:
                modifiers.append(ControlModifier(1, self.random.randrange(2)))
                room -= 1
        return AnnotatedOperation(base, modifiers)

    def write(self) -> QuantumCircuit:
        circuit = self.body(WIDTH, 3)
        for _ in range(self.random.randint(0, 2)):
            circuit.compose(qasm2.loads(self.text()), self.random.sample(range(WIDTH), 2), inplace=True)
        # The same gate again, elsewhere.
        for instruction in list(circuit.data)[: self.random.randint(0, 2)]:
            width = instruction.operation.num_qubits
            circuit.append(instruction.operation, self.random.sample(range(WIDTH), width))
        for instruction in circuit.data:
            if type(instruction.operation) is Gate and self.random.random() < 0.2:
                instruction.operation.definition = self.body(instruction.operation.num_qubits, 1)
        return circuit


@settings(max_examples=100, deadline=None)
@given(st.randoms(use_true_random=False))
def test_gates_are_what_they_define(provider: BasicAerProvider, source: random.Random) -> None:
    circuit = Author(source).write()
    backend = provider.get_backend("unitary_simulator")
    jobs = [backend.run(circuit)]
    try:
        expected = Operator(circuit).data
    except BaseException as problem:
        if not _is_qiskits(problem):
            raise
        reject()
    # Qiskit's matrix has made and kept definitions that weren't there before.
    jobs.append(backend.run(circuit))
    for job in jobs:
        np.testing.assert_allclose(job.result().get_unitary(), expected, atol=1e-8)
