"""Each kind of noise in the contract, by each method that can take it, beside sums over Kraus operators; what
can't is refused by name.
"""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from basicaer import simulator as sim
from basicaer.client import Channel, Circuit, NoiseModel, ReadoutError
from basicaer.service.execution.circuits.noise_model import noise_model
from basicaer.service.execution.circuits.reading import to_simulator
from basicaer.service.wire import NO_COLUMNS
from basicaer.simulator._methods import MethodName
from basicaer.simulator.reference import distribution, interpret
from basicaer.v1 import circuit_pb2 as pb
from qiskit import QuantumCircuit
from qiskit.quantum_info import SuperOp, random_quantum_channel

# A superoperator has no outcomes.
METHODS: tuple[MethodName, ...] = tuple(method for method in get_args(MethodName) if method != "superop")
SHOTS = 4000
DAMPING = [np.diag([1.0, 0.8**0.5]), np.array([[0.0, 0.2**0.5], [0.0, 0.0]])]
X = np.array([[0.0, 1.0], [1.0, 0.0]])
FLIPS = [0.8**0.5 * np.eye(2), 0.2**0.5 * X]

# Of each kind one that is a mixture of Pauli products, where there is one, and one that is none.
CHANNELS: dict[str, Channel] = {
    "pauli": Channel.pauli({"II": 0.7, "XZ": 0.2, "YI": 0.1}),
    "depolarizing": Channel.depolarizing(0.3, 2),
    "thermal_relaxation": Channel.thermal_relaxation(50, 70, 20, 0.2),
    "thermal_relaxation, of phases": Channel.thermal_relaxation(np.inf, 70, 20),
    "thermal_relaxation, by resets": Channel.thermal_relaxation(50, 40, 20, 0.2),
    "kraus": Channel.from_kraus(DAMPING),
    "kraus, of flips": Channel.from_kraus(FLIPS),
    "superoperator": Channel.from_superoperator(SuperOp(random_quantum_channel(4, 4, rank=3, seed=5)).data),
    "superoperator, of flips": Channel.from_superoperator(sum(np.kron(each, each) for each in FLIPS)),
    "mixture": Channel.mixture(
        [(0.5, [("rx", [1], [0.5]), ("reset", [0])]), (0.5, [("unitary", [0], FLIPS[1] / 0.2**0.5)])]
    ),
    "mixture, of rotations": Channel.mixture(
        [(0.5, [("rx", [0], [0.5])]), (0.5, [("t", [0]), ("cx", [0, 1])])]
    ),
    "mixture, of flips": Channel.mixture([(0.9, []), (0.1, [("x", [1]), ("z", [0])])], 2),
}
# What a stabilizer group can't follow.
NOT_CLIFFORD = {
    "thermal_relaxation",
    "thermal_relaxation, by resets",
    "kraus",
    "superoperator",
    "mixture",
    "mixture, of rotations",
}


def noisy(channel: Channel) -> sim.Circuit:
    """A Clifford circuit with the channel at several places, in a branch too; all of it is measured."""
    circuit = Circuit(3, 4).h(0).cx(0, 1).s(1).h(2)
    width = channel.num_qubits
    circuit.channel(channel, [1, 0][:width]).h(1).measure(2, 3)
    with circuit.if_test((3, 1)):
        circuit.channel(channel, [2, 1][:width])
    circuit.cx(1, 2).channel(channel, [0, 2][:width]).h(0)
    return to_simulator(circuit.measure([0, 1, 2], [0, 1, 2]).to_message())


def assert_are_drawn_from(result: sim.RunResult, expected: dict[int, float]) -> None:
    counts = {int(row[0]): int(count) for row, count in zip(result.outcomes, result.counts, strict=True)}
    assert sum(counts.values()) == SHOTS
    for outcome in expected.keys() | counts.keys():
        mean = SHOTS * expected.get(outcome, 0.0)
        assert abs(counts.get(outcome, 0) - mean) < 5 * mean**0.5 + 5, outcome
        assert mean > 1e-9 or outcome not in counts


def test_each_kind_of_the_contract_is_here() -> None:
    kinds = {field.name for field in pb.Channel.DESCRIPTOR.oneofs_by_name["kind"].fields}
    assert {str(each.message.WhichOneof("kind")) for each in CHANNELS.values()} == kinds
    assert {"statevector", "density_matrix", "stabilizer", "matrix_product_state"} <= set(METHODS)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", CHANNELS)
def test_a_channel_by_a_method(name: str, method: MethodName) -> None:
    circuit = noisy(CHANNELS[name])
    if method == "stabilizer" and name in NOT_CLIFFORD:
        with pytest.raises(sim.CircuitError, match=r"stabilizer can't do this: .*Pauli.*can"):
            sim.run(circuit, shots=SHOTS, seed=1, method=method)
        return
    result = sim.run(circuit, shots=SHOTS, seed=1, method=method)
    assert result.simulation_method == method
    assert_are_drawn_from(result, distribution(circuit, mixed=True))


@pytest.mark.parametrize("name", CHANNELS)
def test_a_channels_density_matrix_is_the_sum_over_its_operators(name: str) -> None:
    channel = CHANNELS[name]
    circuit = to_simulator(
        Circuit(3).ry(0.7, 0).cx(0, 1).ry(0.4, 2).channel(channel, [1, 2][: channel.num_qubits]).to_message()
    )
    (leaf,) = interpret(circuit, mixed=True)
    circuit.append("save", range(3), save=sim.Save("state", sim.SaveKind.DENSITY_MATRIX))
    found = sim.run(circuit, shots=1, method="density_matrix").saved["state"]
    np.testing.assert_allclose(found, leaf.state, atol=1e-12)


@pytest.mark.parametrize("name", CHANNELS)
def test_a_channels_superoperator_is_the_sum_over_its_operators(name: str) -> None:
    channel = CHANNELS[name]
    qubits = [1, 0][: channel.num_qubits]
    circuit = to_simulator(
        Circuit(2).ry(0.7, 0).cx(0, 1).channel(channel, qubits).save_superoperator("map").to_message()
    )
    result = sim.run(circuit, shots=1)
    assert result.simulation_method == "superop"
    own = next(op.channel for op in circuit.operations if op.channel is not None)
    gates = QuantumCircuit(2)
    gates.ry(0.7, 0)
    gates.cx(0, 1)
    wanted = SuperOp(gates).compose(SuperOp(own.superoperator), qubits)
    np.testing.assert_allclose(result.saved["map"], wanted.data, atol=1e-12)
    measured = to_simulator(
        Circuit(2, 1).channel(channel, qubits).measure(0, 0).save_superoperator().to_message()
    )
    with pytest.raises(sim.CircuitError, match="superop can't do this: measure, which gives outcomes"):
        sim.run(measured, method="superop")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("bits", [1, 2])
def test_a_readout_error_by_a_method(bits: int, method: MethodName) -> None:
    rows = np.random.default_rng(bits).dirichlet(np.ones(2**bits), 2**bits)
    circuit = Circuit(3, 3).h(0).cx(0, 1).measure([0, 1], [0, 1])
    circuit.readout_error(ReadoutError(rows), [1, 0][:bits])
    with circuit.if_test((1, 1)):
        circuit.x(2)
    whole = to_simulator(circuit.measure(2, 2).to_message())
    assert_are_drawn_from(sim.run(whole, shots=SHOTS, seed=2, method=method), distribution(whole, mixed=True))


@pytest.mark.parametrize("method", METHODS)
def test_a_noise_model_by_a_method(method: MethodName) -> None:
    told = (
        NoiseModel()
        .add(CHANNELS["depolarizing"], ["cx"])
        .add(Channel.pauli({"I": 0.7, "Y": 0.3}), ["cx"], places=[1])
    )
    told.add_readout(ReadoutError([[0.9, 0.1], [0.3, 0.7]])).add_relaxation(np.inf, 1.0)
    told.add_readout(ReadoutError(np.eye(4)[::-1] * 0.2 + np.eye(4) * 0.8), [1, 2])
    circuit = Circuit(3, 3).h(0).cx(0, 1).delay(0.5, 0, "s").h(0).cx(0, 2).measure([0, 1, 2], [0, 1, 2])
    model = noise_model(told.to_message(), NO_COLUMNS, lambda: None)
    whole = to_simulator(circuit.to_message())
    result = sim.run(whole, shots=SHOTS, seed=3, method=method, noise_model=model)
    assert_are_drawn_from(result, distribution(model.applied(whole), mixed=True))


def test_automatic_never_takes_what_cannot() -> None:
    for name, channel in CHANNELS.items():
        found = sim.run(noisy(channel), shots=10, seed=1).simulation_method
        assert found != "stabilizer" or name not in NOT_CLIFFORD
