"""Channels and readout errors of the contract: what is one is done, what is none is refused at its place."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from basicaer import simulator as sim
from basicaer.client import Channel, Circuit, ReadoutError
from basicaer.service.errors import ServiceError
from basicaer.service.execution import ThreadExecutor
from basicaer.service.execution.circuits.reading import to_simulator
from basicaer.v1 import circuit_pb2 as pb
from basicaer.v1 import job_pb2
from google.protobuf.json_format import ParseDict
from hypothesis import given
from hypothesis import strategies as st

FLIP = [[0, 1], [1, 0]]
CHANNELS: dict[str, tuple[Channel, sim.Channel]] = {
    "pauli": (Channel.pauli({"IX": 0.25, "YZ": 0.75}), sim.Channel.pauli({"IX": 0.25, "YZ": 0.75})),
    "depolarizing": (Channel.depolarizing(0.25, 2), sim.Channel.depolarizing(0.25, 2)),
    "thermal_relaxation": (
        Channel.thermal_relaxation(math.inf, 75.0, 5, 0.5),
        sim.Channel.thermal_relaxation(math.inf, 75.0, 5, 0.5),
    ),
    "kraus": (Channel.from_kraus([FLIP]), sim.Channel.from_kraus([FLIP])),
    "superoperator": (
        Channel.from_superoperator(np.diag([1, -1, -1, 1])),
        sim.Channel.from_superoperator(np.diag([1, -1, -1, 1])),
    ),
    "mixture": (
        Channel.mixture([(0.5, [("rx", [1], [0.5]), ("reset", [0])]), (0.5, [("unitary", [0], FLIP)])]),
        sim.Channel.mixture([(0.5, [("rx", [1], [0.5]), ("reset", [0])]), (0.5, [("unitary", [0], FLIP)])]),
    ),
}


def read(channel: Channel) -> sim.Channel:
    circuit = Circuit(4).channel(channel, list(range(channel.num_qubits)))
    found = to_simulator(circuit.to_message()).operations[0].channel
    assert found is not None
    return found


@pytest.mark.parametrize("kind", CHANNELS)
def test_a_channel_of_each_kind_is_that_of_the_simulator(kind: str) -> None:
    ours, theirs = CHANNELS[kind]
    assert ours.message.WhichOneof("kind") == kind
    np.testing.assert_allclose(read(ours).superoperator, theirs.superoperator, atol=1e-14)


def test_each_kind_of_the_contract_is_read() -> None:
    assert set(CHANNELS) == {field.name for field in pb.Channel.DESCRIPTOR.oneofs_by_name["kind"].fields}


@given(
    st.lists(st.floats(0.01, 1.0), min_size=1, max_size=16),
    st.sampled_from([1, 2]),
)
def test_any_probabilities_of_pauli_products_arrive(weights: list[float], width: int) -> None:
    names = [a + b for a in ("IXYZ" if width == 2 else ("",)) for b in "IXYZ"][: len(weights)]
    given_ = dict(zip(names, [w / sum(weights[: len(names)]) for w in weights], strict=False))
    found = read(Channel.pauli(given_)).superoperator
    np.testing.assert_allclose(found, sim.Channel.pauli(given_).superoperator, atol=1e-12)


def test_readout_errors_arrive() -> None:
    rows = np.array([[0.5, 0.25, 0.125, 0.125], [0, 1, 0, 0], [0, 0, 1, 0], [0.25] * 4])
    circuit = Circuit(1, 3).readout_error(ReadoutError(rows), [2, 0])
    found = to_simulator(circuit.to_message())
    readout = found.operations[0].readout
    assert readout is not None
    np.testing.assert_array_equal(readout.probabilities, rows)
    assert found.body.clbits.tolist() == [2, 0]


Values = dict[str, Any]


def _square(*numbers: float) -> list[float]:
    return [part for number in numbers for part in (number, 0.0)]


BAD: list[tuple[Values, str, str]] = [
    ({}, "channel", "it is empty; set pauli"),
    ({"pauli": {}}, "channel.pauli", "1 to 4 letters"),
    ({"pauli": {"paulis": ["X"]}}, "channel.pauli", "1 paulis and 0 probabilities"),
    ({"pauli": {"paulis": ["X", "X"], "probabilities": [0.5, 0.5]}}, "channel.pauli.paulis", "twice"),
    ({"pauli": {"paulis": ["X"], "probabilities": [0.5]}}, "channel.pauli", "sum to 0.5"),
    ({"pauli": {"paulis": ["X"], "probabilities": ["NaN"]}}, "channel.pauli", "nan"),
    ({"pauli": {"paulis": ["XXXXX"], "probabilities": [1]}}, "channel.pauli.paulis", "5 letters"),
    ({"depolarizing": {"probability": 1.5}}, "channel.depolarizing", "from 0 to 1.33333"),
    ({"depolarizing": {"numQubits": 4_000_000_000}}, "channel.depolarizing", "it is 1 to 4"),
    ({"thermalRelaxation": {"t1": 1, "t2": 3}}, "channel.thermal_relaxation", "at most 2 t1"),
    ({"kraus": {}}, "channel.kraus", "1 to 3 axes"),
    ({"kraus": {"shape": [2, 2], "values": _square(1, 0, 0, 1)}}, "channel.kraus", "it is (m, 2^k, 2^k)"),
    (
        {"kraus": {"shape": [1, 2, 2], "values": _square(1, 0, 0, 0.5)}},
        "channel.kraus",
        "doesn't keep the trace",
    ),
    ({"kraus": {"shape": [2000, 1, 1], "values": [1, 0] * 2000}}, "channel.kraus", "at most 1,024"),
    ({"superoperator": {"shape": [2, 2], "values": _square(1, 0, 0, 1)}}, "channel.superoperator", "4^k"),
    (
        {"superoperator": {"shape": [4, 4], "values": _square(*np.diag([1, -1, -1, -1]).reshape(-1))}},
        "channel.superoperator",
        "eigenvalue",
    ),
    ({"mixture": {}}, "channel.mixture", "sum to 0"),
    (
        {"mixture": {"circuits": [{"probability": 1, "instructions": [{"name": "magic", "qubits": [0]}]}]}},
        "channel.mixture",
        "'magic'",
    ),
    (
        {
            "mixture": {
                "circuits": [{"probability": 1, "instructions": [{"name": "reset", "qubits": [0]}] * 9}]
            }
        },
        "channel.mixture.circuits[0]",
        "9 resets",
    ),
    (
        {"mixture": {"circuits": [{"probability": 1, "instructions": [{"name": "x", "qubits": [9]}]}]}},
        "channel.mixture",
        "1 to 4 qubits",
    ),
    (
        {"mixture": {"circuits": [{"probability": 1, "instructions": [{"name": "unitary", "qubits": [0]}]}]}},
        "channel.mixture.circuits[0].instructions[0]",
        "needs `matrix`",
    ),
]


@pytest.mark.parametrize(("channel", "path", "words"), BAD)
def test_what_is_no_channel_is_refused_at_its_place(
    executor: ThreadExecutor, make_spec: Any, channel: Values, path: str, words: str
) -> None:
    good = {"name": "h"}
    circuit = ParseDict(
        {"numQubits": 1, "operations": [good, {"name": "channel", "channel": channel}]}, pb.Circuit()
    )
    _refused(executor, make_spec(circuit), f"operations[1] (channel) {path}: ", words)


@pytest.mark.parametrize(
    ("probabilities", "words"),
    [
        ([], "0 probabilities"),
        ([1, 0, 0], "3 prob"),
        ([1, 0, 0.5, 0.25], "row 1"),
        ([1.5, -0.5, 0, 1], "negative"),
    ],
)
def test_what_is_no_readout_error_is_refused_at_its_place(
    executor: ThreadExecutor, make_spec: Any, probabilities: Sequence[float], words: str
) -> None:
    circuit = pb.Circuit(num_clbits=1)
    circuit.operations.add(name="readout_error", readout=pb.ReadoutError(probabilities=probabilities))
    path = "operations[0] (readout_error) readout"
    _refused(executor, make_spec(circuit), path, words)


def test_noise_of_another_name_is_refused(executor: ThreadExecutor, make_spec: Any) -> None:
    channel = Channel.pauli({"X": 1.0}).message
    for operation in (pb.Operation(name="x", channel=channel), pb.Operation(name="channel")):
        circuit = pb.Circuit(num_qubits=1, operations=[operation])
        _refused(executor, make_spec(circuit), "operations[0]", "`channel`")


def _refused(executor: ThreadExecutor, spec: job_pb2.JobSpec, path: str, words: str) -> None:
    with pytest.raises(ServiceError) as caught:
        executor.prepare(spec)
    assert caught.value.reason_name == "PROGRAM_INVALID"
    assert path in caught.value.message
    assert words in caught.value.message


def test_channels_that_take_gigabytes_are_refused_before_they_are_made(
    executor: ThreadExecutor, make_spec: Any
) -> None:
    circuit = pb.Circuit(num_qubits=4)
    for number in range(1_000):
        depolarizing = pb.DepolarizingChannel(probability=number / 1_000, num_qubits=4)
        circuit.operations.add(name="channel", channel=pb.Channel(depolarizing=depolarizing))
    with pytest.raises(ServiceError) as caught:
        executor.prepare(make_spec(circuit))
    assert caught.value.reason_name == "PROGRAM_TOO_LARGE"
    assert caught.value.metadata["limit"] == "max_noise_bytes"


@pytest.mark.parametrize("backend", ["statevector_simulator", "unitary_simulator"])
@pytest.mark.parametrize("nested", [False, True])
def test_a_backend_of_states_refuses_channels_by_name(
    executor: ThreadExecutor, make_spec: Any, backend: str, nested: bool
) -> None:
    circuit = Circuit(1)
    if nested:
        with circuit.for_loop(range(2)):
            circuit.channel(Channel.depolarizing(0.5), 0)
    else:
        circuit.channel(Channel.depolarizing(0.5), 0)
    spec = make_spec(circuit.to_message(), backend=backend)
    words = "for_loop" if nested and backend == "unitary_simulator" else "channel"
    with pytest.raises(ServiceError, match=f"can't run {words}") as caught:
        executor.prepare(spec)
    assert "use qasm_simulator" in caught.value.message


def test_a_channel_that_stands_nowhere_is_no_matter(executor: ThreadExecutor, make_spec: Any) -> None:
    message = Circuit(1).h(0).to_message()
    message.operations.add(name="channel", channel=Channel.depolarizing(0.5).message)
    for backend in ("statevector_simulator", "unitary_simulator", "qasm_simulator"):
        executor.prepare(make_spec(message, backend=backend))


def with_model(make_spec: Any, channels: Sequence[pb.Channel], gate: str = "h") -> job_pb2.JobSpec:
    """A job with one gate on qubit 0, and a model whose channel k comes with "h" on qubit k."""
    spec: job_pb2.JobSpec = make_spec(getattr(Circuit(4), gate)(0).to_message())
    for number, channel in enumerate(channels):
        spec.options.noise_model.channels.append(channel)
        spec.options.noise_model.rules.add(channel=number, operations=["h"], qubits=[number])
    return spec


@pytest.mark.parametrize(("channel", "path", "words"), BAD)
def test_what_is_no_channel_of_a_model_is_refused_where_it_is_met(
    executor: ThreadExecutor, make_spec: Any, channel: Values, path: str, words: str
) -> None:
    bad = ParseDict(channel, pb.Channel())
    with pytest.raises(ServiceError) as caught:
        executor.prepare(with_model(make_spec, [bad]))
    assert caught.value.reason_name == "OPTION_INVALID"
    field = path.replace("channel", "options.noise_model.channels[0]", 1)
    assert caught.value.message.startswith(f"{field}: ")
    assert caught.value.metadata["field"] == field
    assert words in caught.value.message


def test_channels_of_a_model_that_nothing_meets_take_no_memory(
    executor: ThreadExecutor, make_spec: Any
) -> None:
    spec: job_pb2.JobSpec = make_spec(Circuit(4).h(0).to_message())
    for number in range(1_000):
        spec.options.noise_model.channels.append(Channel.depolarizing(number / 1_000, 4).message)
        spec.options.noise_model.rules.add(channel=number, operations=["mcx"])
    executor.prepare(spec)
    spec.programs[0].circuit.CopyFrom(Circuit(4).mcx([0, 1, 2], 3).to_message())
    with pytest.raises(ServiceError) as caught:
        executor.prepare(spec)
    assert caught.value.reason_name == "PROGRAM_TOO_LARGE"
    assert caught.value.metadata["limit"] == "max_noise_bytes"
    assert caught.value.message.startswith("options.noise_model: channels[")
