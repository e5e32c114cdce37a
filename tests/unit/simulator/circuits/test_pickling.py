"""A circuit that was checked, compiled and planned here runs in another process, equal to the last bit."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from basicaer.simulator import (
    Circuit,
    Observable,
    Save,
    SaveKind,
    Template,
    ValidCircuit,
    run,
    statevector,
    unitary,
)
from basicaer.simulator.compiler._steps import gate_steps
from basicaer.simulator.methods.statevector import _engine
from basicaer.simulator.reference import random_circuit
from hypothesis import given, settings
from hypothesis import strategies as st

ELSEWHERE = """
import pickle, sys
from basicaer.simulator import run, statevector, unitary
from basicaer.simulator.methods.statevector import _engine

def planned(*rest):
    raise AssertionError("it was planned again")

work = pickle.load(open(sys.argv[1], "rb"))
_engine.compile_columns = planned
found = []
for kind, circuit, options in work:
    if kind == "run":
        result = run(circuit, **options)
        found.append((result.outcomes, result.counts, result.memory, result.statevector, result.saved))
    else:
        found.append({"statevector": statevector, "unitary": unitary}[kind](circuit, **options))
pickle.dump(found, open(sys.argv[2], "wb"))
"""


def elsewhere(work: Any, folder: Path) -> Any:
    """What another process makes of it, which mustn't plan anything."""
    (folder / "work").write_bytes(pickle.dumps(work))
    command = [sys.executable, "-c", ELSEWHERE, str(folder / "work"), str(folder / "found")]
    subprocess.run(command, check=True, timeout=100)
    return pickle.loads((folder / "found").read_bytes())


def here(kind: str, circuit: Any, options: dict[str, Any]) -> Any:
    if kind == "run":
        result = run(circuit, **options)
        return (result.outcomes, result.counts, result.memory, result.statevector, result.saved)
    return {"statevector": statevector, "unitary": unitary}[kind](circuit, **options)


def gates(num_qubits: int, seed: int = 1) -> Circuit:
    generator = np.random.default_rng(seed)
    circuit = Circuit(num_qubits, num_qubits, global_phase=0.5)
    for _ in range(30):
        first, second = generator.permutation(num_qubits)[:2].tolist()
        circuit.append("rx", [first], [float(generator.uniform(-3, 3))]).append("cx", [first, second])
        circuit.append("unitary", [second], matrix=np.diag([1.0, 1j]))
    return circuit


def dynamic() -> Circuit:
    """Measurements between gates, and saves."""
    circuit = gates(4)
    circuit.append("measure", [0], clbits=[0]).append("h", [0]).append("reset", [1]).append("ry", [1], [0.3])
    observable = Observable(("XZ", "YY"), (0.5, 1.5))
    values = Save("values", SaveKind.EXPECTATION_VALUES, (observable,))
    circuit.append("save", [0, 2], save=values).append("h", [3])
    circuit.append("save", [], save=Save("state", SaveKind.STATEVECTOR))
    for qubit in range(4):
        circuit.append("measure", [qubit], clbits=[qubit])
    return circuit


def same(one: Any, other: Any) -> None:
    if isinstance(one, tuple):
        for left, right in zip(one, other, strict=True):
            same(left, right)
    elif isinstance(one, dict):
        assert one.keys() == other.keys()
        for name in one:
            same(one[name], other[name])
    else:
        np.testing.assert_array_equal(one, other)
        assert getattr(one, "dtype", None) == getattr(other, "dtype", None)


def test_what_was_planned_here_runs_elsewhere_to_the_last_bit(tmp_path: Path) -> None:
    start = np.full(1 << 13, 2.0**-6.5, complex)
    shots = {"shots": 50, "seed": 3, "memory": True, "statevector": True}
    work: list[tuple[str, ValidCircuit, dict[str, Any]]] = [
        ("statevector", ValidCircuit(gates(9)), {}),
        ("statevector", ValidCircuit(gates(13)), {"dtype": "c8", "threads": 2}),
        ("statevector", ValidCircuit(gates(13)), {"initial": start}),
        ("unitary", ValidCircuit(gates(4)), {}),
        ("run", ValidCircuit(dynamic()), shots),
    ]
    expected = [here(*each) for each in work]
    for left, right in zip(expected, elsewhere(work, tmp_path), strict=True):
        same(left, right)


@contextmanager
def nothing_planned() -> Iterator[None]:
    def planned(*rest: object) -> None:
        raise AssertionError("it was planned again")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_engine, "compile_columns", planned)
        yield


@settings(deadline=None, max_examples=40)
@given(st.randoms(use_true_random=False), st.integers(0, 2**32))
def test_any_circuit_is_the_same_afterwards(random: Random, seed: int) -> None:
    circuit = random_circuit(random, num_qubits=4, num_clbits=3, num_instructions=12, dynamic=True)
    options = {"shots": 30, "seed": seed, "memory": True, "statevector": True}
    expected = here("run", circuit, options)
    same(here("run", pickle.loads(pickle.dumps(circuit)), options), expected)
    ready = ValidCircuit(circuit)
    same(here("run", ready, options), expected)
    again = pickle.loads(pickle.dumps(ready))
    same(here("run", again, options), expected)


def test_plans_and_arrays_are_kept_as_they_were() -> None:
    ready = ValidCircuit(gates(9))
    statevector(ready)
    again = pickle.loads(pickle.dumps(ready))
    with nothing_planned():
        same(statevector(again), statevector(ready))
    for each in (ready, again):
        (step,) = gate_steps(each.program(from_zero=True).steps)
        assert list(step.plans) == ["statevector"]
        for column in ("operations", "qubits", "parameters"):
            assert not getattr(step.segment.block, column).flags.writeable
        assert all(
            operation.matrix is None or not operation.matrix.flags.writeable
            for operation in each.circuit.operations
        )


def test_what_grows_afterwards_is_told_apart() -> None:
    again = pickle.loads(pickle.dumps(Circuit.from_gates(2, [("h", [0])])))
    again.append("h", [1]).append("x", [0])
    same(statevector(again), statevector(Circuit.from_gates(2, [("h", [0]), ("h", [1]), ("x", [0])])))


def test_a_template_and_what_it_binds(tmp_path: Path) -> None:
    from basicaer.simulator import Binary, BinaryOperator, ClassicalKind, ClassicalType, Variable, VariableRef

    kind = ClassicalType(ClassicalKind.FLOAT)
    circuit = Circuit(9, variables=[Variable("a", kind, True), Variable("b", kind, True)])
    both = Binary(BinaryOperator.MUL, VariableRef(0, kind), VariableRef(1, kind))
    for qubit in range(9):
        circuit.append("h", [qubit]).append("rx", [qubit], [both]).append("cx", [qubit, (qubit + 1) % 9])
    template = Template(circuit)
    row = template.rows(["a", "b"], [[0.3, 1.7]])[0]
    bound = template.bind(row)
    expected = statevector(bound)
    again = pickle.loads(pickle.dumps(template))
    assert [variable.name for variable in again.inputs] == ["a", "b"]
    same(statevector(again.bind(row)), expected)
    (found,) = elsewhere([("statevector", bound, {})], tmp_path)
    same(found, expected)
