"""Samplers and estimators under noise: ours, and Qiskit's own on a simulator of ours."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import pytest
from basicaer.client import Channel, NoiseModel, OptionInvalidError
from basicaer.client.qiskit import AerSimulator, BasicAerProvider, EstimatorV2, SamplerV2
from qiskit import QuantumCircuit, transpile
from qiskit.circuit.library import XGate
from qiskit.primitives import BackendEstimatorV2, BackendSamplerV2
from qiskit.providers.fake_provider import GenericBackendV2

# Of both qubits' parity 0.8 is left; and an x of this label is undone.
MODEL = (
    NoiseModel().add(Channel.pauli({"II": 0.9, "IX": 0.1}), ["cx"]).add(Channel.pauli({"X": 1.0}), ["undone"])
)
IN_BACKEND, IN_RUN = ({f"{kind}_options": {"noise_model": MODEL}} for kind in ("backend", "run"))
SHOTS = 10_000
SIGMA = 1 / SHOTS**0.5

SAMPLERS: dict[str, Callable[[BasicAerProvider], Any]] = {
    "backend_options": lambda provider: SamplerV2(provider, options=IN_BACKEND),
    "run_options": lambda provider: SamplerV2(provider, options={"run_options": {"noise_model": MODEL}}),
    "of a client": lambda provider: SamplerV2(
        provider.client, options={"run_options": {"noise_model": MODEL}}
    ),
    "of a backend": lambda provider: SamplerV2(provider.get_backend("qasm_simulator"), options=IN_BACKEND),
    "mode": lambda provider: SamplerV2(mode=AerSimulator(provider, noise_model=MODEL)),
    "from_backend": lambda provider: SamplerV2.from_backend(AerSimulator(provider, noise_model=MODEL)),
    "changed": lambda provider: SamplerV2(AerSimulator(provider), options=IN_BACKEND),
    "Qiskit's": lambda provider: BackendSamplerV2(backend=AerSimulator(provider, noise_model=MODEL)),
}
ESTIMATORS: dict[str, Callable[[BasicAerProvider], Any]] = {
    "backend_options": lambda provider: EstimatorV2(provider, options=IN_BACKEND, shots=SHOTS),
    "mode": lambda provider: EstimatorV2(mode=AerSimulator(provider, noise_model=MODEL), shots=SHOTS),
    "Qiskit's": lambda provider: BackendEstimatorV2(
        backend=AerSimulator(provider, noise_model=MODEL), options={"default_precision": SIGMA}
    ),
}


def bell() -> QuantumCircuit:
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.append(XGate(label="undone"), [1])
    return circuit


@pytest.mark.parametrize("name", SAMPLERS)
def test_samplers_have_noise(provider: BasicAerProvider, name: str) -> None:
    sampler = SAMPLERS[name](provider)
    sampler.options.seed_simulator = 3
    circuit = bell()
    circuit.measure_all()
    counts = sampler.run([circuit], shots=SHOTS).result()[0].data.meas.get_counts()
    even = (counts["00"] + counts["11"]) / SHOTS
    assert abs(even - 0.9) < 5 * SIGMA * 0.3


@pytest.mark.parametrize("name", ESTIMATORS)
def test_estimators_have_noise(provider: BasicAerProvider, name: str) -> None:
    estimator = ESTIMATORS[name](provider)
    estimator.options.seed_simulator = 3
    values = estimator.run([(bell(), ["ZZ", "XX"])]).result()[0].data.evs
    assert abs(values[0] - 0.8) < 5 * SIGMA
    assert abs(values[1] - 1.0) < 5 * SIGMA


def test_a_device_stands_for_its_simulator(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("BASICAER_SERVER", address)
    device = GenericBackendV2(2, seed=1)
    for qubits in device.target["cx"]:
        device.target["cx"][qubits].error = 0.5
    circuit = QuantumCircuit(2)
    circuit.x(0)
    circuit.cx(0, 1)
    circuit.measure_all()
    circuit = transpile(circuit, device, optimization_level=0)
    counts = (
        SamplerV2.from_backend(device, seed=2).run([circuit], shots=500).result()[0].data.meas.get_counts()
    )
    assert len(counts) == 4
    assert EstimatorV2.from_backend(device).options.default_precision == 0.0


def test_options_of_the_simulator_are_checked(provider: BasicAerProvider) -> None:
    sampler = SamplerV2(provider, options={"backend_options": {"device": "GPU"}})
    circuit = bell()
    circuit.measure_all()
    with pytest.raises(OptionInvalidError, match=r"device.*GPU"):
        sampler.run([circuit])
    sampler.options.backend_options = {"fusion_enable": False}
    assert sampler.run([circuit], shots=10).result()[0].data.meas.num_shots == 10


def test_options_of_an_earlier_pickle_have_the_others_defaults() -> None:
    options = SamplerV2(mode=BasicAerProvider("127.0.0.1:1")).options
    del options.__dict__["backend_options"]
    assert pickle.loads(pickle.dumps(options)).backend_options == {}
