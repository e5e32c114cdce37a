"""Noise models: beside Aer's, and where their channels come to stand."""

from __future__ import annotations

from functools import partial
from random import Random
from typing import Any

import numpy as np
import pytest
import qiskit
import qiskit_aer
from basicaer.simulator import (
    Channel,
    Circuit,
    CircuitError,
    ClassicalKind,
    ClassicalType,
    ClbitRef,
    ForLoop,
    IfElse,
    LateChannel,
    NoiseModel,
    OptionError,
    ReadoutError,
    Save,
    SaveKind,
    ValidCircuit,
    Variable,
    run,
)
from qiskit_aer import noise

from tests.unit.simulator.noise.noisy_circuits import WRONG, assert_counts_are_the_references

FLIP = Channel.pauli({"X": 1.0})
SIGN = Channel.pauli({"Z": 1.0})
NEVER = ReadoutError(np.array([[0.0, 1.0], [1.0, 0.0]]))
# Both bits are told wrong, or none.
TOGETHER = ReadoutError(np.eye(4)[::-1])


def told(circuit: Circuit) -> list[tuple[str, list[int], list[int]]]:
    """The instructions of the outermost block."""
    from basicaer.simulator.circuit._layout import Layout

    body, offsets = circuit.body, Layout(circuit.operations).offsets(circuit.body)
    return [
        (
            circuit.operations[index].name,
            body.qubits[offsets.qubits[i] : offsets.qubits[i + 1]].tolist(),
            body.clbits[offsets.clbits[i] : offsets.clbits[i + 1]].tolist(),
        )
        for i, index in enumerate(body.operations)
    ]


def bit(circuit: Circuit, model: NoiseModel) -> int:
    """The only outcome."""
    (row,) = run(circuit, shots=20, seed=1, noise_model=model).outcomes.tolist()
    return int(row[0])


@pytest.mark.parametrize("seed", range(5))
def test_aer_has_the_same_noise(seed: int) -> None:
    random = Random(seed)
    ours, theirs = Circuit(4, 4), qiskit.QuantumCircuit(4, 4)
    for _ in range(30):
        if random.random() < 0.5:
            name, qubit = random.choice(["h", "sx", "t"]), random.randrange(4)
            ours.append(name, [qubit])
            getattr(theirs, name)(qubit)
        else:
            name, pair = random.choice(["cx", "cz", "swap"]), random.sample(range(4), 2)
            ours.append(name, pair)
            getattr(theirs, name)(*pair)
    one, two = Channel.depolarizing(0.02), Channel.depolarizing(0.05, 2)
    relax, rare = Channel.thermal_relaxation(50, 60, 3, 0.1), Channel.depolarizing(0.3, 2)
    model = NoiseModel().add(one, ["h", "t"]).add(two, ["cx", "cz"]).add(relax, ["sx"])
    model.add(rare, ["cx"], qubits=[1, 2]).add(relax, ["swap"])
    known = noise.NoiseModel()
    known.add_all_qubit_quantum_error(noise.depolarizing_error(0.02, 1), ["h", "t"])
    known.add_all_qubit_quantum_error(noise.depolarizing_error(0.05, 2), ["cx", "cz"])
    relaxing = noise.thermal_relaxation_error(50, 60, 3, 0.1)
    known.add_all_qubit_quantum_error(relaxing, ["sx"])
    known.add_quantum_error(noise.depolarizing_error(0.3, 2), ["cx"], [1, 2])
    known.add_all_qubit_quantum_error(relaxing.tensor(relaxing), ["swap"])
    theirs.save_density_matrix()
    simulator = qiskit_aer.AerSimulator(method="density_matrix", noise_model=known)
    expected = np.asarray(simulator.run(theirs, optimization_level=0).result().data(0)["density_matrix"])
    ours.append("save", range(4), save=Save("final", SaveKind.DENSITY_MATRIX))
    found = run(ours, shots=1, noise_model=model, method="density_matrix").saved["final"]
    np.testing.assert_allclose(found, expected, atol=1e-10)


def test_channels_stand_before_or_after_and_before_measurements() -> None:
    model = NoiseModel().add(FLIP, ["x"]).add(SIGN, ["x"], before=True).add(FLIP, ["measure", "reset"])
    model.add_readout(WRONG)
    circuit = Circuit.from_gates(2, [("x", [1]), ("reset", [0]), ("measure", [1], [], [0])], 2)
    channel: tuple[str, list[int], list[int]] = ("channel", [1], [])
    assert told(model.applied(circuit)) == [
        channel,
        ("x", [1], []),
        channel,
        ("reset", [0], []),
        ("channel", [0], []),
        channel,
        ("measure", [1], [0]),
        ("readout_error", [], [0]),
    ]


def test_qubits_keep_their_numbers_where_others_are_idle_or_exchanged() -> None:
    model = NoiseModel().add(FLIP, ["id"], qubits=[7]).add_readout(NEVER, [3])
    circuit = Circuit(20, 2).append("h", [3]).append("h", [3]).append("id", [7]).append("id", [3])
    circuit.append("swap", [7, 3]).append("measure", [3], [], [0]).append("measure", [7], [], [1])
    # Qubit 7 is flipped, goes to qubit 3, and is told wrong there.
    assert bit(circuit, model) == 0b00
    assert bit(circuit, NoiseModel().add(FLIP, ["id"], qubits=[7])) == 0b01


def test_gates_that_move_past_measurements_keep_their_noise() -> None:
    circuit = Circuit(2, 2).append("h", [0]).append("measure", [0], [], [0]).append("reset", [0])
    circuit.append("x", [1]).append("cx", [0, 1]).append("measure", [1], [], [1])
    model = NoiseModel().add(Channel.depolarizing(0.2)).add(Channel.depolarizing(0.3, 2)).add_readout(WRONG)
    model.add(Channel.thermal_relaxation(5, 5, 1), ["measure"])
    result = run(circuit, shots=20_000, seed=2, noise_model=model)
    assert_counts_are_the_references(model.applied(circuit), result)


def test_noise_under_conditions_and_in_loops() -> None:
    circuit = Circuit(2, 2)
    circuit.append("measure", [0], [], [0], condition=ClbitRef(0))
    circuit.append("x", [0]).append("x", [1], condition=ClbitRef(1))
    inner = circuit.block([("x", [0])])
    turn = circuit.block([("if_else", [], [], [], {"if_else": IfElse(ClbitRef(1), inner, inner)})])
    circuit.append("for_loop", for_loop=ForLoop(range(2), turn)).append("measure", [0], [], [0])
    model = NoiseModel().add(FLIP, ["x"]).add_readout(NEVER)
    # Each x is undone; the first measurement isn't done, and so not told wrong.
    assert bit(circuit, model) == 0b01
    conditioned = Circuit(1, 1).append("x", [0]).append("measure", [0], [], [0])
    conditioned.append("measure", [0], [], [0], condition=ClbitRef(0))
    assert bit(conditioned, NoiseModel().add_readout(NEVER)) == 0b0


def test_names_are_those_of_gates_with_their_controls_and_of_labels() -> None:
    def count(circuit: Circuit) -> int:
        model = NoiseModel().add(Channel.depolarizing(0.1, 2), ["cx"]).add(FLIP, ["mine"])
        return sum(name == "channel" for name, _, _ in told(model.applied(circuit)))

    assert count(Circuit(2).append("x", [0, 1], num_controls=1)) == 1
    assert count(Circuit(2).append("x", [0, 1], num_controls=1, control_state=0)) == 0
    assert count(Circuit(2).append("x", [0], label="mine")) == 1
    assert count(Circuit(2).append("x", [0])) == 0


def test_a_valid_circuit_is_made_noisy_once() -> None:
    ready = ValidCircuit(Circuit(1).append("x", [0]))
    model = NoiseModel().add(FLIP)
    assert model.valid(ready) is model.valid(ready)
    before = model.valid(ready)
    assert model.add(SIGN).valid(ready) is not before
    assert NoiseModel().applied(ready.circuit) is ready.circuit


def test_late_channels_are_made_once_and_when_they_are_met() -> None:
    made = list[int]()

    def flip(qubit: int) -> Channel:
        made.append(qubit)
        return FLIP

    model = NoiseModel()
    for qubit in range(100):
        model.add(LateChannel(1, partial(flip, qubit)), ["x"], qubits=[qubit])
    circuit = Circuit(100, 1).append("x", [7]).append("h", [8]).append("x", [7]).append("x", [7])
    circuit.append("measure", [7], [], [0])
    assert bit(circuit, model) == 0
    assert made == [7]
    with pytest.raises(CircuitError, match="a channel of 2 qubits has 1"):
        NoiseModel().add(LateChannel(2, lambda: FLIP)).applied(Circuit(2).append("cx", [0, 1]))


FAULTS: dict[str, tuple[Any, str]] = {
    "barrier": (lambda: NoiseModel().add(FLIP, ["barrier"]), "barrier has no noise"),
    "qubits": (lambda: NoiseModel().add(Channel.depolarizing(0.1, 2), ["cx"], qubits=[0]), "doesn't fit"),
    "places": (lambda: NoiseModel().add(FLIP, ["cx"], places=[0, 1]), "doesn't fit the places"),
    "places of qubits": (
        lambda: NoiseModel().add(FLIP, ["cx"], qubits=[0, 1], places=[2]),
        r"doesn't fit the places \[2\]",
    ),
    "places of any": (lambda: NoiseModel().add(FLIP, places=[0]), "operations aren't named"),
    "bits": (lambda: NoiseModel().add_readout(TOGETHER), "2 bits needs as many distinct qubits, not None"),
    "bits of one": (lambda: NoiseModel().add_readout(TOGETHER, [1, 1]), "as many distinct qubits"),
    "times": (lambda: NoiseModel().add_relaxation(1e-6, 3e-6), "t2 is at most 2 t1"),
    "dt": (lambda: setattr(NoiseModel(), "dt", -1.0), "dt is -1.0"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_rules_that_mean_nothing_are_refused(fault: str) -> None:
    make, message = FAULTS[fault]
    with pytest.raises(OptionError, match=message):
        make()


def test_a_channel_of_another_width_is_refused_where_it_meets_an_instruction() -> None:
    model = NoiseModel().add(Channel.depolarizing(0.1, 2), ["ccx"])
    with pytest.raises(CircuitError, match="2 qubits was to come with ccx on 3"):
        model.applied(Circuit(3).append("ccx", [0, 1, 2]))
    model = NoiseModel().add(FLIP, ["x"], places=[1])
    with pytest.raises(CircuitError, match="1 qubits was to come with x on 1"):
        model.applied(Circuit(1).append("x", [0]))


def test_channels_on_some_of_an_instructions_qubits() -> None:
    pair = Channel.pauli({"XX": 1.0})
    model = NoiseModel().add(FLIP, ["cx"], places=[1]).add(pair, ["ccx"], qubits=[2, 0, 1], places=[2, 0])
    circuit = Circuit(3).append("cx", [2, 0]).append("ccx", [2, 0, 1]).append("ccx", [0, 1, 2])
    assert [qubits for name, qubits, _ in told(model.applied(circuit)) if name == "channel"] == [[0], [1, 2]]


def test_measurements_that_follow_one_another_are_told_wrong_together() -> None:
    circuit = Circuit(3, 3).append("measure", [2], [], [0]).append("barrier", [0, 1])
    circuit.append("measure", [1], [], [2]).append("measure", [0], [], [1])
    model = NoiseModel().add_readout(NEVER, [0]).add_readout(TOGETHER, [1, 2])
    wrong: list[tuple[str, list[int], list[int]]] = [
        ("readout_error", [], [2, 0]),
        ("readout_error", [], [1]),
    ]
    noisy = told(model.applied(circuit))
    assert [each for each in noisy if each[0] == "readout_error"] == wrong
    assert [name for name, _, _ in noisy][2:4] == ["measure", "readout_error"]
    assert bit(circuit, model) == 0b111
    # Of those for the same qubits the last one counts.
    assert bit(circuit, model.add_readout(ReadoutError(np.eye(4)), [0, 2])) == 0b000


@pytest.mark.parametrize("between", ["gate", "again", "bit", "condition", "block"])
def test_measurements_that_do_not_are_told_wrong_alone(between: str) -> None:
    circuit = Circuit(2, 2).append("measure", [0], [], [0])
    model = NoiseModel().add_readout(TOGETHER, [0, 1]).add_readout(NEVER, [1])
    match between:
        case "gate":
            circuit.append("z", [1]).append("measure", [1], [], [1])
        case "again":
            circuit.append("measure", [0], [], [0]).append("z", [0]).append("measure", [1], [], [1])
        case "bit":
            circuit.append("measure", [1], [], [0]).append("measure", [1], [], [1])
        case "condition":
            circuit.append("measure", [1], [], [1], condition=ClbitRef(0))
        case _:
            inner = circuit.block([("measure", [1], [], [1])])
            circuit.append("for_loop", for_loop=ForLoop(range(1), inner))
    expected = {"bit": 0b11, "condition": 0b00}.get(between, 0b10)
    assert bit(circuit, model) == expected


@pytest.mark.parametrize("unit", ["dt", "", "ns", "s"])
def test_qubits_relax_during_delays(unit: str) -> None:
    model = NoiseModel().add_relaxation(50e-6, 70e-6, 0.1).add_relaxation(20e-6, 30e-6, qubits=[1])
    model.dt = 0.5e-9
    length = {"ns": 10_000.0, "s": 1e-5}.get(unit, 20_000.0)
    circuit = Circuit(3).append("h", [0]).append("cx", [0, 1])
    plain = circuit.replaced()
    circuit.append("delay", [1, 0], [length], unit=unit)
    plain.append("channel", [1], channel=Channel.thermal_relaxation(20, 30, 10))
    plain.append("channel", [0], channel=Channel.thermal_relaxation(50, 70, 10, 0.1))
    found = run(saved(model.applied(circuit)), shots=1, method="density_matrix").saved["final"]
    expected = run(saved(plain), shots=1, method="density_matrix").saved["final"]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def saved(circuit: Circuit) -> Circuit:
    return circuit.append("save", range(3), save=Save("final", SaveKind.DENSITY_MATRIX))


def test_delays_whose_length_is_not_known_are_refused() -> None:
    model = NoiseModel().add_relaxation(1e-6, 1e-6, qubits=[0])
    delay = Circuit(2).append("delay", [0], [5.0], unit="dt")
    with pytest.raises(CircuitError, match=r"delay of 5 dt, .* no dt"):
        model.applied(delay)
    with pytest.raises(CircuitError, match="the unit is none of"):
        model.applied(Circuit(2).append("delay", [0], [5.0], unit="h"))
    with pytest.raises(CircuitError, match="no length"):
        model.applied(Circuit(2).append("delay", [0], [-5.0], unit="s"))
    elsewhere = Circuit(2).append("delay", [1], [5.0], unit="dt")
    assert told(model.applied(elsewhere)) == told(elsewhere)
    open_ = Circuit(2, variables=[Variable("t", ClassicalType(ClassicalKind.FLOAT), is_input=True)])
    open_.append("delay", [0], [0.0], unit="s")
    body = open_.body
    zero, one = np.zeros(1, np.uint32), np.ones(1)
    termed = type(body)(body.operations, body.qubits, body.clbits, np.zeros(1), zero, zero, one)
    with pytest.raises(CircuitError, match="whose duration is an input"):
        model.applied(open_.replaced(body=termed))
