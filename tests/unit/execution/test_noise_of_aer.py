"""Noise models of Aer and of devices, converted and simulated exactly, beside Aer itself."""

from __future__ import annotations

import warnings
from random import Random
from typing import Any

import numpy as np
import pytest
from basicaer import simulator as sim
from basicaer.client import Channel, NoiseModel, OptionInvalidError
from basicaer.client.conversion.from_qiskit import circuit_to_proto
from basicaer.client.jobs import _models_of_aer
from basicaer.service.execution.circuits.noise_model import noise_model
from basicaer.service.execution.circuits.reading import to_simulator
from basicaer.service.wire import NO_COLUMNS
from qiskit import QuantumCircuit
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.quantum_info import Kraus, SuperOp, random_quantum_channel, random_unitary
from qiskit_aer import AerSimulator, noise

WIDTH = 3


def states(circuit: QuantumCircuit, ours: NoiseModel | None, theirs: Any = None) -> tuple[Any, Any]:
    """The density matrix of all qubits at the end: ours, and Aer's."""
    saving = circuit.copy()
    saving.save_density_matrix()
    simulator = AerSimulator(method="density_matrix", noise_model=theirs)
    expected = np.asarray(simulator.run(saving).result().data(0)["density_matrix"])
    whole = to_simulator(circuit_to_proto(circuit))
    whole.append("save", range(circuit.num_qubits), save=sim.Save("final", sim.SaveKind.DENSITY_MATRIX))
    model = None if ours is None else noise_model(ours.to_message(), NO_COLUMNS, lambda: None)
    found = sim.run(whole, shots=1, method="density_matrix", noise_model=model)
    return found.saved["final"], expected


def device(seed: int = 1, **options: Any) -> GenericBackendV2:
    return GenericBackendV2(
        WIDTH, coupling_map=[[0, 1], [1, 0], [1, 2]], seed=seed, noise_info=True, **options
    )


def of_aer(backend: Any, **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return noise.NoiseModel.from_backend(backend, **options)


def workload(backend: Any, random: Random, delays: bool = True) -> QuantumCircuit:
    """A circuit of the device's own instructions."""
    circuit = QuantumCircuit(WIDTH)
    for _ in range(40):
        match random.randrange(6 if delays else 5):
            case 0:
                circuit.cx(*random.choice([(0, 1), (1, 0), (1, 2)]))
            case 1:
                circuit.rz(random.uniform(-3, 3), random.randrange(WIDTH))
            case 2:
                circuit.x(random.randrange(WIDTH))
            case 3:
                circuit.sx(random.randrange(WIDTH))
            case 4:
                circuit.reset(random.randrange(WIDTH))
            case _:
                length, unit = random.choice([(90_000, "dt"), (30, "us"), (25_000, "ns"), (1e-5, "s")])
                circuit.delay(length, random.randrange(WIDTH), unit)
    return circuit


@pytest.mark.parametrize("seed", range(2))
def test_a_devices_noise_is_what_aer_makes_of_it(seed: int) -> None:
    backend = device(seed)
    circuit = workload(backend, Random(seed))
    known = of_aer(backend)
    for made in (NoiseModel.from_backend(backend), NoiseModel.from_aer(known)):
        found, expected = states(circuit, made, known)
        np.testing.assert_allclose(found, expected, atol=1e-10)
        assert np.trace(found @ found).real < 0.999
    assert NoiseModel.from_backend(backend).basis_gates == ["cx", "id", "rz", "sx", "x"]


@pytest.mark.parametrize(
    "options",
    [
        {"gate_error": False},
        {"thermal_relaxation": False},
        {"temperature": 50},
        {"temperature": -50},
        {"gate_error": False, "thermal_relaxation": False},
    ],
)
def test_what_is_left_out_of_a_device_and_what_is_given(options: dict[str, Any]) -> None:
    backend = device(5)
    for qubit in backend.target.qubit_properties:
        qubit.frequency = 5e9
    circuit = workload(backend, Random(5))
    found, expected = states(circuit, NoiseModel.from_backend(backend, **options), of_aer(backend, **options))
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_lengths_stand_instead_of_the_devices() -> None:
    backend, other = device(6), device(6)
    other.target["cx"][0, 1].duration, other.target["x"][2,].duration = 30 * 1e-6, 20 * 1e-6
    lengths = [("cx", [0, 1], 30), ("x", (2,), 20)]
    made = NoiseModel.from_backend(backend, gate_lengths=lengths, gate_length_units="us")
    assert made.to_message() == NoiseModel.from_backend(other).to_message()


def test_errors_that_no_channel_has_and_times_that_are_not_known_are_as_aer_takes_them() -> None:
    backend = device(7)
    target = backend.target
    for name, qubits, error in (
        ("cx", (0, 1), 0.9),
        ("sx", (0,), 1e-9),
        ("x", (1,), 0.75),
        ("cx", (1, 0), None),
    ):
        target[name][qubits].error = error
    target.qubit_properties[1].t1 = None
    target.qubit_properties[2].t2 = 10 * target.qubit_properties[2].t1
    circuit = workload(backend, Random(8), delays=False)
    found, expected = states(circuit, NoiseModel.from_backend(target), of_aer(backend))
    np.testing.assert_allclose(found, expected, atol=1e-10)


def test_readout_errors_of_a_device() -> None:
    backend = device(3)
    told = NoiseModel.from_backend(backend).to_message().readout
    expected = of_aer(backend)._local_readout_errors
    assert {tuple(rule.qubits) for rule in told} == set(expected)
    for rule in told:
        rows = np.array(rule.error.probabilities).reshape(2, 2)
        np.testing.assert_allclose(rows, expected[tuple(rule.qubits)].probabilities, atol=1e-12)
    assert not NoiseModel.from_backend(backend, readout_error=False).to_message().readout


def test_devices_without_a_calibration_have_no_noise() -> None:
    plain = GenericBackendV2(2, noise_info=False, seed=1)
    assert repr(NoiseModel.from_backend(plain)) == "<NoiseModel: 0 rules, 0 readout errors>"
    with pytest.raises(OptionInvalidError, match="BackendV2 or a Target"):
        NoiseModel.from_backend(object())
    with pytest.raises(OptionInvalidError, match=r"cx on the qubits \[0, 2\]"):
        NoiseModel.from_backend(device(), gate_lengths=[("cx", [0, 2], 30)])
    with pytest.raises(OptionInvalidError, match="gate_length_units"):
        NoiseModel.from_backend(device(), gate_length_units="h")


def random_error(random: Random, width: int) -> Any:
    """One of Aer's errors, of any kind."""
    seed = random.randrange(2**31)
    # Those of many circuits take Aer long to make of three qubits.
    match random.choice([0, 1, 5, 7] if width == 3 else range(8)):
        case 0:
            return noise.depolarizing_error(random.uniform(0, 0.5), width)
        case 1:
            labels = random.sample([a + b + c for a in "IXYZ" for b in "IXYZ" for c in "IXYZ"], 6)
            weights = np.random.default_rng(seed).dirichlet(np.ones(6))
            return noise.pauli_error(
                [(label[:width], float(w)) for label, w in zip(labels, weights, strict=True)]
            )
        case 2:
            return product([relaxing(random) for _ in range(width)])
        case 3:
            channel = random_quantum_channel(2**width, 2**width, rank=random.randrange(1, 4), seed=seed)
            return noise.QuantumError(channel)
        case 4:
            depolarizing = noise.depolarizing_error(random.uniform(0, 0.3), width)
            return depolarizing.compose(product([relaxing(random) for _ in range(width)]))
        case 5:
            return noise.coherent_unitary_error(random_unitary(2**width, seed=seed))
        case 6:
            turning, broken = QuantumCircuit(width), QuantumCircuit(width)
            turning.rx(random.uniform(-3, 3), width - 1)
            broken.reset(0)
            broken.append(Kraus(random_quantum_channel(2, 2, seed=seed)).to_instruction(), [width - 1])
            return noise.QuantumError([(turning, 0.3), (broken, 0.2), (QuantumCircuit(width), 0.5)])
        case _:
            letters = random.sample(["X", "Y", "Z"], 2)
            labels = [letter * width for letter in letters]
            return noise.PauliLindbladError(labels, [random.uniform(0, 0.3) for _ in labels])


def relaxing(random: Random) -> Any:
    t1 = random.uniform(20, 100)
    return noise.thermal_relaxation_error(
        t1, t1 * random.uniform(0.3, 2), random.uniform(1, 20), random.random()
    )


def product(errors: list[Any]) -> Any:
    whole = errors[0]
    for error in errors[1:]:
        whole = whole.expand(error)
    return whole


@pytest.mark.parametrize("seed", range(8))
def test_random_noise_models_are_what_they_are_in_aer(seed: int) -> None:
    random = Random(seed)
    model = noise.NoiseModel()
    model.add_all_qubit_quantum_error(random_error(random, 1), ["h", "t"])
    model.add_all_qubit_quantum_error(random_error(random, 2), ["cx"])
    model.add_all_qubit_quantum_error(random_error(random, 3), ["ccx"])
    model.add_quantum_error(random_error(random, 1), ["h"], [1])
    for pair in ([0, 1], [2, 0]):
        model.add_quantum_error(random_error(random, 2), ["cx", "swap"], pair)
    circuit = QuantumCircuit(WIDTH)
    for _ in range(25):
        match random.randrange(5):
            case 0:
                circuit.h(random.randrange(WIDTH))
            case 1:
                circuit.t(random.randrange(WIDTH))
            case 2:
                circuit.cx(*random.sample(range(WIDTH), 2))
            case 3:
                circuit.swap(*random.sample(range(WIDTH), 2))
            case _:
                circuit.ccx(*random.sample(range(WIDTH), 3))
    found, expected = states(circuit, NoiseModel.from_aer(model), model)
    np.testing.assert_allclose(found, expected, atol=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_noise_in_circuits_is_what_it_is_in_aer(seed: int) -> None:
    random = Random(seed)
    circuit = QuantumCircuit(WIDTH)
    circuit.h(range(WIDTH))
    for _ in range(6):
        width = random.randrange(1, WIDTH + 1)
        circuit.append(random_error(random, width), random.sample(range(WIDTH), width))
    channel = random_quantum_channel(4, 4, rank=2, seed=seed)
    circuit.append(Kraus(channel), [2, 0])
    circuit.append(SuperOp(channel), [1, 2])
    found, expected = states(circuit, None)
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_a_model_is_converted_once_while_it_stays_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    model = noise.NoiseModel()
    model.add_all_qubit_quantum_error(noise.depolarizing_error(0.1, 1), ["h"])
    first = NoiseModel.from_aer(model)
    kept = first.to_message()
    with monkeypatch.context() as patch:
        patch.delattr(_models_of_aer, "channels_of_error")
        again = NoiseModel.from_aer(model).add(Channel.depolarizing(0.5), ["x"])
        assert first.to_message() == NoiseModel.from_aer(model).to_message() == kept != again.to_message()
    model.add_quantum_error(noise.depolarizing_error(0.2, 1), ["h"], [1])
    assert len(NoiseModel.from_aer(model).to_message().rules) == 2


def test_errors_that_no_channel_is_are_refused_by_name() -> None:
    wide, wild = noise.NoiseModel(), noise.NoiseModel()
    wide.add_all_qubit_quantum_error(noise.pauli_error([("XXXXX", 1.0)]), ["mine"], warnings=False)
    with pytest.raises(OptionInvalidError, match="of mine: an error of 5 qubits is wider"):
        NoiseModel.from_aer(wide)
    wild._default_quantum_errors["x"] = noise.PauliLindbladError(["X"], [-0.1])
    with pytest.raises(OptionInvalidError, match=r"of x: .*is not physical"):
        NoiseModel.from_aer(wild)
    narrow = noise.NoiseModel()
    narrow.add_all_qubit_quantum_error(noise.PauliLindbladError(["XIIIIZ"], [0.1]), ["mine"], warnings=False)
    (rule,) = NoiseModel.from_aer(narrow).to_message().rules
    assert list(rule.places) == [0, 5]
