"""Which method is chosen, and what a chain may take that is tried."""

from __future__ import annotations

import numpy as np
import pytest
from basicaer.simulator import (
    Channel,
    Circuit,
    ClbitRef,
    NoiseModel,
    RunControl,
    RunRequest,
    SimulationFailed,
    ValidCircuit,
    run,
)
from basicaer.simulator import _methods as methods
from basicaer.simulator._costs import Work, of_states
from basicaer.simulator._methods import choose
from basicaer.simulator._programs import run_program
from basicaer.simulator.methods.matrix_product_state._method import MatrixProductState


def chain(size: int, steps: int, angle: float) -> Circuit:
    circuit = Circuit(size, size)
    for step in range(steps):
        for qubit in range(size):
            circuit.append("rx", [qubit], [0.3 + 0.01 * qubit])
        for qubit in range(step % 2, size - 1, 2):
            circuit.append("rzz", [qubit, qubit + 1], [angle])
    for qubit in range(size):
        circuit.append("measure", [qubit], [], [qubit])
    return circuit


def request(circuit: Circuit, shots: int = 100) -> RunRequest:
    return RunRequest(ValidCircuit(circuit), shots)


def test_a_chain_is_tried_whose_bonds_may_stay_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(methods, "_SMALL_WIRES", 4)
    monkeypatch.setattr(methods, "_WORTH_TRYING", 0.0)
    weak, strong = chain(12, 30, 1e-9), chain(12, 30, 1.0)
    assert choose(request(weak), "automatic", None)[0] == "statevector"
    monkeypatch.setattr(methods, "_TRIED", 1e6)
    found = run(weak, shots=100, seed=3)
    assert found.simulation_method == "matrix_product_state"
    assert found.reason.startswith("its bonds stayed small; without it, statevector")
    monkeypatch.setattr(methods, "_TRIED", 1.0)
    left = run(strong, shots=100, seed=3)
    assert left.simulation_method == "statevector"
    # What was tried leaves no trace in the counts.
    named = run(strong, shots=100, seed=3, method="statevector")
    np.testing.assert_array_equal(left.outcomes, named.outcomes)
    np.testing.assert_array_equal(left.counts, named.counts)


def test_a_chain_is_given_up_as_soon_as_it_is_clear_that_it_takes_too_long() -> None:
    circuit, most = ValidCircuit(chain(16, 60, 1.0)), 0.3
    method = MatrixProductState(most_seconds=most)
    program = circuit.program(from_zero=True)
    with pytest.raises(SimulationFailed, match="longer than it was given"):
        run_program(
            *(program, method, lambda: method.zero(16, np.dtype(np.complex128)), 1),
            *(np.random.SeedSequence(1), RunControl()),
            state_bytes=1 << 20,
        )
    assert method.meter.seconds < most / 2


def test_wide_clifford_circuits_are_taken_before_wires_are_looked_for() -> None:
    circuit = Circuit(30, 30).append("h", [0])
    for qubit in range(29):
        circuit.append("cx", [qubit, qubit + 1]).append("x", [qubit])
    ready = ValidCircuit(circuit.append("measure", [3], [], [3]))
    assert choose(RunRequest(ready), "automatic", None)[0] == "stabilizer"
    assert not ready._wires
    # Of these few are held, and they are no Clifford gates.
    few = Circuit(30, 1).append("t", [0])
    for qubit in range(30):
        few.append("x", [qubit])
    assert choose(request(few.append("h", [3])), "automatic", None)[0] == "statevector"


def test_errors_that_are_products_widen_no_bonds() -> None:
    model = NoiseModel().add(Channel.depolarizing(1e-3, 2), ["rzz"])
    found = run(model.applied(chain(30, 8, 1e-9)), shots=2, seed=1, max_memory_bytes=1 << 26)
    assert found.simulation_method == "matrix_product_state"


def test_only_measurements_on_the_way_count() -> None:
    circuit = Circuit(2, 2).append("h", [0]).append("measure", [0], [], [0]).append("measure", [1], [], [1])
    assert Work(circuit).looks == 0.0
    assert Work(circuit.append("x", [1])).looks == 1.0
    assert Work(circuit.append("z", [1], condition=ClbitRef(0))).looks == 2.0


def test_equal_errors_are_counted_once() -> None:
    def seconds(shots: int) -> float:
        noisy = NoiseModel().add(Channel.depolarizing(1e-3), ["rx"]).applied(chain(3, 2, 0.1))
        return of_states(Work(noisy), 3, shots)

    assert seconds(10**6) < 10.0 * seconds(10**4)
