"""Cancellation from another thread, and progress."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest
from basicaer.simulator import (
    Block,
    Circuit,
    ForLoop,
    Initialize,
    Instruction,
    Literal,
    Operation,
    RunControl,
    SimulationCancelled,
    WhileLoop,
    run,
    statevector,
    unitary,
)

from tests.unit.simulator.shorthand import block_of

FOREVER = 1_000_000


class Watched(RunControl):
    """Tells when the run has been checked `enough` times, so that it is in the middle of its work."""

    def __init__(self, enough: int = 100) -> None:
        super().__init__()
        self.checks = 0
        self.enough = enough
        self.working = threading.Event()

    def check(self) -> None:
        self.checks += 1
        if self.checks == self.enough:
            self.working.set()
        super().check()


def endless_loop() -> Circuit:
    circuit = Circuit(1, 1)
    return circuit.append("while_loop", while_loop=WhileLoop(Literal(True), circuit.block([("h", [0])])))


def empty_endless_loop() -> Circuit:
    return Circuit(1, 1).append("while_loop", while_loop=WhileLoop(Literal(True), Block()))


def endless_outcomes() -> Circuit:
    circuit = Circuit(2, 1)
    again = circuit.block([("h", [0]), ("measure", [0], [], [0])])
    return circuit.append("while_loop", while_loop=WhileLoop(Literal(True), again))


def long_for_loop() -> Circuit:
    return Circuit(1, 1).append("for_loop", for_loop=ForLoop(range(2**63), Block()))


def many_gates() -> Circuit:
    # h on q, then cx from q to q + 1, round and round: no engine can make few gates of that.
    turns = np.arange(FOREVER // 2) % 20
    qubits = np.stack([turns, turns, (turns + 1) % 20], axis=1).reshape(-1)
    body = block_of(np.tile([0, 1], len(turns)), qubits)
    return Circuit(20, operations=[Operation("h"), Operation("cx")], body=body)


@pytest.mark.parametrize(
    "make", [endless_loop, empty_endless_loop, endless_outcomes, long_for_loop, many_gates]
)
def test_cancel_stops_a_run_from_another_thread(make: Callable[[], Circuit]) -> None:
    circuit, control = make(), Watched()
    raised: list[SimulationCancelled] = []

    def simulate() -> None:
        try:
            run(circuit, shots=100, control=control)
        except SimulationCancelled as error:
            raised.append(error)

    thread = threading.Thread(target=simulate)
    thread.start()
    assert control.working.wait(60)
    assert not control.cancelled
    control.cancel()
    thread.join(60)
    assert not thread.is_alive()
    assert [str(error) for error in raised] == ["the simulation was cancelled"]
    assert control.cancelled
    assert control.fraction < 1.0


@pytest.mark.parametrize(
    ("call", "circuit"),
    [
        (statevector, Circuit(1).append("h", [0])),
        (unitary, Circuit(1).append("h", [0])),
        (run, Circuit(1)),
        (run, Circuit(1, 1).append("h", [0]).append("measure", [0], [], [0]).append("h", [0])),
    ],
)
def test_a_cancelled_control_starts_nothing(call: Callable[..., object], circuit: Circuit) -> None:
    control = RunControl()
    control.cancel()
    with pytest.raises(SimulationCancelled):
        call(circuit, control=control)


@pytest.mark.parametrize(
    "gate",
    [
        ("h", [0]),
        ("h", [21]),
        ("cx", [21, 0]),
        ("rz", [10], [0.5]),
        ("rccx", [0, 21, 11]),
        ("swap", [20, 21]),
        ("initialize", [21], [], [], {"initialize": Initialize(label="+")}),
        ("global_phase", [], [1.0]),
    ],
)
def test_one_large_gate_is_checked_many_times(gate: Instruction) -> None:
    """Blocks of 2^18 amplitudes take milliseconds, so that a cancelled run stops at once."""
    control = Watched()
    # From a state that is known to be simple, a gate is little work.
    start = None if gate[0] == "initialize" else np.full(1 << 22, 1 / (1 << 11))
    statevector(Circuit.from_gates(22, [gate]), initial=start, control=control)
    assert control.checks >= 8


def test_reading_out_a_large_state_is_checked_many_times() -> None:
    control = Watched()
    circuit = Circuit(22, 2)
    for qubit in range(22):
        circuit.append("h", [qubit])
    circuit.append("measure", [0], [], [0]).append("h", [0]).append("measure", [21], [], [1])
    run(circuit, shots=1, control=control, statevector=True)
    assert control.checks >= 60


class Recorded(RunControl):
    """Keeps the fraction and the shots that another thread could have seen."""

    def __init__(self) -> None:
        super().__init__()
        self.fractions: list[float] = []
        self.shots: list[int] = []

    def check(self) -> None:
        self.fractions.append(self.fraction)
        self.shots.append(self.shots_done)
        super().check()


def test_progress_of_a_sampled_run_follows_its_gates() -> None:
    control = Recorded()
    circuit = Circuit(3, 1)
    for _ in range(10):
        circuit.append("h", [0])
    circuit.append("measure", [0], [], [0])
    run(circuit, shots=20, control=control)
    assert control.fractions == sorted(control.fractions)
    # A small circuit is one call of compiled code, so nothing lies between.
    assert {0, 10} <= {round(10 * fraction) for fraction in control.fractions}
    assert (control.fraction, control.shots_done) == (1.0, 20)


def test_progress_of_a_branched_run_follows_its_shots() -> None:
    control = Recorded()
    circuit = Circuit(1, 1)
    for _ in range(5):
        circuit.append("h", [0]).append("measure", [0], [], [0])
    run(circuit, shots=100, control=control, seed=1)
    assert control.fractions == sorted(control.fractions)
    assert len(set(control.shots)) > 10
    assert all(
        abs(fraction - shots / 100) < 1e-9
        for fraction, shots in zip(control.fractions, control.shots, strict=True)
    )
    assert (control.fraction, control.shots_done) == (1.0, 100)


def test_a_control_may_serve_several_runs() -> None:
    control = RunControl()
    for _ in range(2):
        run(Circuit(1, 1).append("h", [0]), shots=5, control=control)
        assert (control.fraction, control.shots_done) == (1.0, 5)
    control.start(work=10.0, shots=3)
    assert (control.fraction, control.shots_done) == (0.0, 0)
