"""Two hundred random circuits over all instructions, beside qiskit-aer.

The circuits are drawn from fixed seeds. Those without random outcomes are compared by their states, the
others by their counts: the two samples must not be told apart by a chi-squared test at a level of 1e-6, so
that a correct server fails by chance once in ten thousand sets of seeds.
"""

from __future__ import annotations

import random
import warnings
from typing import Any

import numpy as np
import pytest
from basicaer.client.qiskit import BasicAerBackend
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Gate
from qiskit.circuit.classical import expr, types
from qiskit.circuit.library import (
    Initialize,
    MCPhaseGate,
    MCXGate,
    UnitaryGate,
    get_standard_gate_name_mapping,
)
from qiskit.quantum_info import random_statevector, random_unitary
from qiskit.transpiler.preset_passmanagers import generate_preset_pass_manager
from scipy import stats

aer = pytest.importorskip("qiskit_aer")

SHOTS = 1000
LEVEL = 1e-6
GATES = [
    gate
    for name, gate in sorted(get_standard_gate_name_mapping().items())
    if name not in ("measure", "reset", "delay", "global_phase")
]

# Where it rewrites a gate, Qiskit 1.4's transpiler loses the gate's condition.
NATIVE_GATES = [
    gate for gate in GATES if gate.name in ("x", "y", "z", "h", "s", "rx", "p", "u", "cx", "cz", "ccx")
]


class Author:
    """Writes one random circuit; without `variables`, the same one with expressions in their place."""

    def __init__(self, seed: int, *, variables: bool = True) -> None:
        self.variables = variables
        self.random = random.Random(seed)
        self.seed = seed
        self.width = self.random.randint(1, 5)
        first = self.random.randint(1, self.width)
        registers = [QuantumRegister(first, "qa")]
        if first < self.width:
            registers.append(QuantumRegister(self.width - first, "qb"))
        self.first, self.second = ClassicalRegister(2, "ca"), ClassicalRegister(3, "cb")
        self.circuit = QuantumCircuit(*registers, self.first, self.second, name=f"random-{seed}")
        self.circuit.global_phase = self.angle()

    def angle(self) -> float:
        return self.random.uniform(-2 * np.pi, 2 * np.pi)

    def qubits(self, count: int) -> list[int]:
        return self.random.sample(range(self.width), count)

    def gate(self, *, native: bool = False) -> Gate:
        """A standard gate that fits: one that Aer runs itself, or perhaps one with a control more."""
        known = NATIVE_GATES if native else GATES
        gate = self.random.choice([gate for gate in known if gate.num_qubits <= self.width])
        made = gate.base_class(*(self.angle() for _ in gate.params))
        if (
            not native
            and made.name != "id"
            and made.num_qubits < min(3, self.width)
            and self.random.random() < 0.2
        ):
            return made.control(1, ctrl_state=self.random.randint(0, 1))
        return made

    def append(self, gate: Gate) -> None:
        self.circuit.append(gate, self.qubits(gate.num_qubits))

    def unitary_step(self) -> None:
        """One instruction without a random outcome."""
        kind = self.random.randrange(12)
        seed = self.random.randrange(2**31)
        few = self.random.randint(1, min(3, self.width))
        if kind == 0:
            self.append(UnitaryGate(random_unitary(2**few, seed=seed)))
        elif kind == 1:
            self.append(MCXGate(self.width - 1) if self.width > 1 else UnitaryGate(np.eye(2)))
        elif kind == 2:
            self.append(MCPhaseGate(self.angle(), max(1, self.width - 1)) if self.width > 1 else self.gate())
        elif kind == 3:
            custom = QuantumCircuit(few, name=f"custom-{seed}", global_phase=self.angle())
            for _ in range(3):
                custom.rx(self.angle(), self.random.randrange(few))
                custom.rz(self.angle(), self.random.randrange(few))
            self.append(custom.to_gate())
        elif kind == 4:
            self.circuit.barrier()
            self.circuit.delay(100, self.random.randrange(self.width), unit="dt")
        elif kind == 5:
            with self.circuit.for_loop(range(self.random.randint(0, 4))):
                self.append(self.gate())
        else:
            self.append(self.gate())

    def random_step(self) -> None:
        """One instruction with a random outcome, or one that depends on an outcome."""
        circuit, bit = self.circuit, self.random.randrange(5)
        qubit = self.random.randrange(self.width)
        kind = self.random.randrange(9)
        if kind == 0:
            circuit.reset(qubit)
        elif kind == 1:
            few = self.random.randint(1, min(2, self.width))
            circuit.append(
                Initialize(random_statevector(2**few, seed=self.random.randrange(99)).data), self.qubits(few)
            )
        elif kind == 2:
            with circuit.if_test((self.first, self.random.randrange(4))) as otherwise:
                self.append(self.gate())
            with otherwise:
                self.append(self.gate())
        elif kind == 3:
            with circuit.if_test(expr.less(self.second, self.random.randrange(8))):
                self.append(self.gate())
        elif kind == 4:
            with circuit.switch(self.second) as case:
                with case(1, 3):
                    self.append(self.gate())
                with case(case.DEFAULT):
                    circuit.measure(qubit, bit)
        elif kind == 5:
            with circuit.for_loop(range(3)):
                circuit.h(qubit)
                circuit.measure(qubit, bit)
                with circuit.if_test((circuit.clbits[bit], 1)):
                    circuit.break_loop() if self.random.random() < 0.5 else circuit.continue_loop()
                self.append(self.gate())
        elif kind == 6:
            circuit.h(qubit)
            circuit.measure(qubit, bit)
            with circuit.while_loop((circuit.clbits[bit], 1)):
                circuit.h(qubit)
                circuit.measure(qubit, bit)
        elif kind == 7 and hasattr(circuit, "store"):
            three = expr.lift(3, types.Uint(4))
            number = expr.bit_xor(three, expr.cast(self.second, types.Uint(4)))
            if self.variables:
                variable = circuit.add_var(f"number{len(circuit.data)}", three)
                circuit.store(variable, expr.bit_xor(variable, expr.cast(self.second, types.Uint(4))))
                number = variable
            with circuit.if_test(expr.logic_or(circuit.clbits[bit], expr.greater(number, 3))):
                self.append(self.gate())
        elif hasattr(Gate, "c_if"):
            condition = self.first if bit < 2 else circuit.clbits[bit]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                gate = self.gate(native=True).to_mutable()
                self.append(gate.c_if(condition, self.random.randrange(2)))
        circuit.measure(self.random.randrange(self.width), self.random.randrange(5))

    def write(self, *, outcomes: bool) -> QuantumCircuit:
        for qubit in range(self.width):
            self.circuit.ry(self.angle(), qubit)
        for _ in range(self.random.randint(5, 15)):
            self.unitary_step()
            if outcomes and self.random.random() < 0.4:
                self.random_step()
        if outcomes:
            self.circuit.measure(range(min(5, self.width)), range(min(5, self.width)))
        return self.circuit


def _drawn(first_seed: int, *, outcomes: bool) -> tuple[list[QuantumCircuit], list[QuantumCircuit]]:
    """A hundred circuits, and the same as Aer takes them."""
    circuits, for_aer = [], []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        manager = generate_preset_pass_manager(0, aer.AerSimulator())
        for seed in range(first_seed, first_seed + 110):
            circuit = Author(seed).write(outcomes=outcomes)
            # Aer ends the process when it meets a variable.
            without = Author(seed, variables=False).write(outcomes=outcomes)
            if not outcomes:
                circuit.save_statevector()
                without.save_statevector()
            try:
                for_aer.append(manager.run(without))
            except BaseException as error:
                # Some versions of Qiskit can't transpile a few of them, and one panics; the next seed
                # replaces these.
                if not isinstance(error, (KeyError, RuntimeError)) and "Panic" not in type(error).__name__:
                    raise
                continue
            circuits.append(circuit)
            if len(circuits) == 100:
                break
    assert len(circuits) == 100
    return circuits, for_aer


def _aer(circuits: list[QuantumCircuit], **options: int) -> list[dict[str, Any]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        result = aer.AerSimulator().run(circuits, **options).result()
    assert result.success, result.status
    return [result.data(index) for index in range(len(circuits))]


def test_a_hundred_states(backend: BasicAerBackend) -> None:
    circuits, for_aer = _drawn(0, outcomes=False)
    ours = backend.run(circuits, shots=1).result()
    for index, data in enumerate(_aer(for_aer, shots=1)):
        state = np.asarray(ours.data(index)["statevector"])
        expected = np.asarray(data["statevector"])
        assert np.allclose(state, expected, atol=1e-9), circuits[index].name


def test_a_hundred_samples(backend: BasicAerBackend) -> None:
    circuits, for_aer = _drawn(200, outcomes=True)
    ours = backend.run(circuits, shots=SHOTS, seed_simulator=11).result()
    for index, data in enumerate(_aer(for_aer, shots=SHOTS, seed_simulator=12)):
        level = _likeness(ours.data(index)["counts"], data["counts"])
        assert level > LEVEL, f"{circuits[index].name}: {level}"


def _likeness(one: dict[str, int], other: dict[str, int]) -> float:
    """The level at which two samples of the same size can be told apart; rare outcomes count as one."""
    outcomes = sorted(one.keys() | other.keys())
    table = np.array([[one.get(key, 0), other.get(key, 0)] for key in outcomes])
    rare = table.sum(axis=1) < 20
    table = np.vstack([table[~rare], table[rare].sum(axis=0)])
    table = table[table.sum(axis=1) > 0]
    if len(table) < 2:
        return 1.0
    return float(stats.chi2_contingency(table, correction=False).pvalue)
