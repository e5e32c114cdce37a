"""The builder of noise: what it writes, and what it refuses at once."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from basicaer.client import Channel, Circuit, CircuitError, NoiseModel, OptionInvalidError, ReadoutError
from basicaer.client.openqasm3 import dumps


def test_equal_noise_shares_an_operation() -> None:
    circuit = Circuit(3, 3)
    for qubit in range(3):
        circuit.channel(Channel.depolarizing(0.5), qubit).channel(Channel.depolarizing(0.25), qubit)
        circuit.readout_error(ReadoutError(np.eye(2)), qubit)
    message = circuit.to_message()
    assert [operation.name for operation in message.operations] == ["channel", "channel", "readout_error"]
    assert list(message.body.operations) == [0, 1, 2] * 3
    assert list(message.body.qubits) == [0, 0, 1, 1, 2, 2]
    assert list(message.body.clbits) == [0, 1, 2]


def test_noise_stands_in_blocks_too() -> None:
    circuit = Circuit(1, 1)
    with circuit.if_test((0, 1)):
        circuit.channel(Channel.pauli({"X": 1.0}), 0)
    message = circuit.to_message()
    assert list(message.operations[1].if_else.then_block.qubits) == [0]


REFUSED: list[tuple[Callable[[], Any], str]] = [
    (lambda: Channel.pauli({}), "sum to 0"),
    (lambda: Channel.pauli({"X": 0.5}), "sum to 0.5"),
    (lambda: Channel.pauli({"X": 1.5, "I": -0.5}), "at least 0"),
    (lambda: Channel.pauli({"X": 0.5, "IX": 0.5}), "'IX' is no product of 1 letters"),
    (lambda: Channel.pauli({"x": 1.0}), "no product"),
    (lambda: Channel.pauli({"\ud800": 1.0}), "no product"),
    (lambda: Channel.depolarizing(1.4), "1.33333"),
    (lambda: Channel.depolarizing(0.5, 5), "not 5"),
    (lambda: Channel.thermal_relaxation(1.0, 2.5, 1.0), "at most 2 t1"),
    (lambda: Channel.thermal_relaxation(math.nan, 1.0, 1.0), "finite"),
    (lambda: Channel.thermal_relaxation(1.0, 1.0, -1.0), "gate_time"),
    (lambda: Channel.from_kraus([]), "1 to 4 qubits"),
    (lambda: Channel.from_kraus([[[1, 0], [0, 0]]]), "sum to the identity"),
    (lambda: Channel.from_kraus([np.eye(2), np.eye(4)]), "all of a size"),
    (lambda: Channel.from_kraus([np.eye(3)]), "shape"),
    (lambda: Channel.from_superoperator(np.eye(2)), "1 to 4 qubits"),
    (lambda: Channel.from_superoperator(np.eye(8)), "shape"),
    (lambda: Channel.mixture([]), "sum to 0"),
    (lambda: Channel.mixture([(1.0, [("cx", [0, 0])])]), "can't act on"),
    (lambda: Channel.mixture([(1.0, [("x", [1])])], 1), "name qubit 1"),
    (lambda: Channel.mixture([(1.0, [("rx", [0], [math.inf])])]), "finite"),
    (lambda: Channel.mixture([(1.0, [("\ud800", [0])])]), "surrogate"),
    (lambda: ReadoutError([[1.0]]), "shape"),
    (lambda: ReadoutError([[1.0, 0.0], [0.5, 0.4]]), "Row 1"),
    (lambda: ReadoutError("no"), "no matrix"),
    (lambda: Circuit(1).channel(Channel.depolarizing(0.5, 2), 0), "of 2 qubits, not of 1"),
    (lambda: Circuit(1).channel(Channel.depolarizing(0.5), 1), "no qubit 1"),
    (lambda: Circuit(1, 1).readout_error(ReadoutError(np.eye(4)), 0), "of 2 bits, not of 1"),
    (lambda: NoiseModel().add(Channel.depolarizing(0.5), "cx"), "list of names"),
    (lambda: NoiseModel().add(Channel.depolarizing(0.5), []), "list of names"),
    (lambda: NoiseModel().add(Channel.depolarizing(0.5), ["\ud800"]), "surrogate"),
    (lambda: NoiseModel().add(Channel.depolarizing(0.5), qubits=[]), "one or more"),
    (lambda: NoiseModel().add(Channel.depolarizing(0.5), qubits=[-1]), "one or more"),
    (lambda: NoiseModel.from_json("{"), "JSON"),
    (lambda: dumps(Circuit(1).channel(Channel.depolarizing(0.5), 0).to_message()), "channel"),
    (lambda: dumps(Circuit(1, 1).readout_error(ReadoutError(np.eye(2)), 0).to_message()), "readout"),
]


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_what_is_no_noise_is_refused_at_once(number: int) -> None:
    make, words = REFUSED[number]
    with pytest.raises((CircuitError, OptionInvalidError), match=words):
        make()


def test_a_model_is_restricted_to_what_some_qubits_have() -> None:
    one, other = Channel.depolarizing(0.25), Channel.depolarizing(0.5)
    wrong, together = ReadoutError([[0.75, 0.25], [0.0, 1.0]]), ReadoutError(np.eye(4))
    model = NoiseModel().add(other, ["x"], qubits=[7]).add(one, ["x"], qubits=[1]).add(one).add(other, ["y"])
    model.add(one, ["cx"], qubits=[1, 7]).add_readout(wrong, [1, 7]).add_readout(wrong)
    model.add_readout(together, [1, 2]).add_readout(together, [1, 7])
    model.add_relaxation(1.0, 1.0, qubits=[7]).add_relaxation(2.0, 1.0, qubits=[2, 7]).add_relaxation(
        3.0, 1.0
    )
    model.dt = 0.5
    expected = NoiseModel().add(one, ["x"], qubits=[1]).add(one).add(other, ["y"])
    expected.add_readout(wrong, [1]).add_readout(wrong).add_readout(together, [1, 2])
    expected.add_relaxation(2.0, 1.0, qubits=[2]).add_relaxation(3.0, 1.0)
    expected.dt = 0.5
    assert model.restricted({1, 2}).to_message() == expected.to_message()
    assert model.restricted(range(10)).to_message().rules == model.to_message().rules
