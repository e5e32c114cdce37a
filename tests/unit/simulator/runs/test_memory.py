"""The memory that a run will need, known beforehand and not exceeded."""

from __future__ import annotations

import threading
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from basicaer.simulator import (
    Circuit,
    CircuitError,
    ClbitRef,
    Initialize,
    required_bytes,
    run,
    statevector,
    unitary,
)
from basicaer.simulator.methods.statevector.engine.machine._helpers import helpers

from tests.traced import traced


def peak(call: Callable[[], object]) -> int:
    """The most memory that `call` allocates."""
    with traced():
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        call()
        return tracemalloc.get_traced_memory()[1] - before


def test_a_trace_ends_after_those_who_help() -> None:
    ended = threading.Event()

    def help_late() -> None:
        time.sleep(0.05)
        ended.set()

    with traced():
        helpers().submit(help_late)
    assert ended.is_set()


def gates(num_qubits: int, num_clbits: int = 0) -> Circuit:
    circuit = Circuit(num_qubits, num_clbits)
    for qubit in range(num_qubits):
        circuit.append("h", [qubit])
    return circuit.append("cx", [0, num_qubits - 1]).append("rccx", [0, 1, 2])


def measured(num_qubits: int) -> Circuit:
    circuit = gates(num_qubits, num_qubits)
    for qubit in range(num_qubits):
        circuit.append("measure", [qubit], [], [qubit])
    return circuit


def branched(num_qubits: int) -> Circuit:
    circuit = measured(num_qubits)
    circuit.append("h", [0], condition=ClbitRef(1))
    for _ in range(5):
        circuit.append("h", [0]).append("measure", [0], [], [0])
    return circuit


def initialized(num_qubits: int) -> Circuit:
    state = np.full(2**num_qubits, 2 ** (-num_qubits / 2), dtype=complex)
    qubits = list(reversed(range(num_qubits)))
    return Circuit(num_qubits).append("initialize", qubits, initialize=Initialize(state))


@pytest.mark.parametrize("dtype", [np.complex128, np.complex64])
@pytest.mark.parametrize(
    ("method", "call", "circuit", "options"),
    [
        ("statevector", statevector, gates(20), {}),
        ("statevector", statevector, gates(4), {}),
        ("statevector", statevector, initialized(20), {}),
        ("unitary", unitary, gates(10), {}),
        ("run", run, measured(20), {"shots": 10}),
        ("run", run, measured(12), {"shots": 300_000}),
        ("run", run, measured(12), {"shots": 300_000, "memory": True}),
        ("run", run, branched(12), {"shots": 2000, "statevector": True}),
        ("run", run, branched(18), {"shots": 30}),
    ],
)
def test_no_run_takes_more_than_it_said(
    method: Any, call: Callable[..., object], circuit: Circuit, options: dict[str, Any], dtype: npt.DTypeLike
) -> None:
    call(circuit, dtype=dtype, **options)  # what is only made once does not count
    needed = required_bytes(circuit, method=method, dtype=dtype, **options)
    taken = peak(lambda: call(circuit, dtype=dtype, **options))
    assert taken <= needed
    assert needed <= 12 * taken + (1 << 20)


def test_memory_grows_by_the_state() -> None:
    assert required_bytes(gates(30)) > 16 << 30
    assert required_bytes(gates(30)) < 17 << 30
    assert 8 << 30 < required_bytes(gates(30), dtype=np.complex64) < 9 << 30
    assert required_bytes(gates(15), method="unitary") > 16 << 30
    assert required_bytes(gates(30), initial=True) > 32 << 30


def test_ten_thousand_qubits_have_an_answer() -> None:
    circuit = branched(30)
    wide = Circuit(10_000, 30, operations=circuit.operations, body=circuit.body)
    assert required_bytes(wide, method="run", memory=True, statevector=True) > 16 << 10_000
    assert required_bytes(wide, method="unitary") > 16 << 20_000


def test_faults_are_found_first() -> None:
    with pytest.raises(CircuitError):
        required_bytes(Circuit(1).append("h", [1]))
