"""Noise through a live server: drawn, counted, and refused where a backend has no place for it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from basicaer.client import (
    BasicAerProvider,
    Channel,
    Circuit,
    NoiseModel,
    Observable,
    OptionInvalidError,
    Program,
    ProgramInvalidError,
    ReadoutError,
)

from tests.conftest import ServerProcess


@pytest.fixture
def provider(server: ServerProcess) -> Iterator[BasicAerProvider]:
    with BasicAerProvider(server.address) as connection:
        yield connection


def test_certain_noise_gives_certain_counts(provider: BasicAerProvider) -> None:
    circuit = Circuit(2, 2).channel(Channel.pauli({"X": 1.0}), 0).cx(0, 1).measure([0, 1], [0, 1])
    circuit.readout_error(ReadoutError([[0, 1], [1, 0]]), 1)
    result = provider.get_backend("qasm_simulator").run(circuit, shots=100).result()
    assert result.get_counts() == {"01": 100}


def test_expectation_values_are_means_over_what_is_drawn(provider: BasicAerProvider) -> None:
    observables: list[Observable] = ["ZZ", "IZ"]
    circuit = Circuit(2).h(0).cx(0, 1).channel(Channel.pauli({"I": 0.75, "X": 0.25}), 0)
    backend = provider.get_backend("qasm_simulator")
    job = backend.run(Program(circuit, observables=observables), shots=20_000, seed_simulator=5)
    values = job.result().get_expectation_values()
    np.testing.assert_allclose(values.reshape(-1), [0.5, 0.0], atol=0.03)


@pytest.mark.parametrize("name", ["statevector_simulator", "unitary_simulator"])
def test_a_backend_of_states_names_what_it_cannot_run(provider: BasicAerProvider, name: str) -> None:
    circuit = Circuit(1).channel(Channel.depolarizing(0.5), 0)
    with pytest.raises(ProgramInvalidError, match=f"{name} can't run channel"):
        provider.get_backend(name).run(circuit)


def test_what_is_no_channel_is_told_at_its_place(provider: BasicAerProvider) -> None:
    # As a map it is Hermitian and keeps the trace; as a channel it would make negative probabilities.
    transposition = np.eye(4)[[0, 2, 1, 3]]
    circuit = Circuit(1).h(0).channel(Channel.from_superoperator(transposition), 0)
    with pytest.raises(
        ProgramInvalidError, match=r"operations\[1\] \(channel\) channel.superoperator: .*eigenvalue"
    ):
        provider.get_backend("qasm_simulator").run(circuit)


def test_a_noise_model_comes_with_the_operations_that_its_rules_name(provider: BasicAerProvider) -> None:
    flip = Channel.pauli({"X": 1.0})
    model = NoiseModel().add(flip, ["h"], qubits=[1]).add(flip, ["cx"], qubits=[0, 1], before=True)
    model.add_readout(ReadoutError([[0, 1], [1, 0]]), [2])
    circuit = Circuit(3, 3).h(1).h(1).cx(0, 1).cx(1, 0).measure([0, 1, 2], [0, 1, 2])
    backend = provider.get_backend("qasm_simulator")
    # The flip after each h makes qubit 1 a 1. Both are flipped before cx(0, 1), where qubit 0 flips qubit 1,
    # which flips qubit 0 by cx(1, 0).
    assert backend.run(circuit, shots=50, noise_model=model).result().get_counts() == {"110": 50}
    assert NoiseModel.from_json(model.to_json()).to_message() == model.to_message()


def test_a_noise_model_is_for_texts_and_inputs_too(provider: BasicAerProvider) -> None:
    backend = provider.get_backend("qasm_simulator")
    model = NoiseModel().add(Channel.pauli({"X": 1.0}))
    text = "OPENQASM 3.0; qubit q; output bit c; if (true) { U(0, 0, 0) q; } c = measure q;"
    assert backend.run(text, shots=5, noise_model=model).result().get_counts() == {"1": 5}
    sweep = Circuit(1, 1)
    sweep.rx(sweep.add_input("theta"), 0).measure(0, 0)
    job = backend.run(Program(sweep, inputs={"theta": [0.0, np.pi]}), shots=5, noise_model=model)
    assert [job.result().get_counts(row) for row in range(2)] == [{"1": 5}, {"0": 5}]


def with_dt(seconds: float) -> NoiseModel:
    model = NoiseModel()
    model.dt = seconds
    return model


def test_places_bits_together_and_relaxation_through_a_server(provider: BasicAerProvider) -> None:
    backend = provider.get_backend("qasm_simulator")
    flip = Channel.pauli({"X": 1.0})
    model = with_dt(1e-9).add(flip, ["cx"], qubits=[0, 1], places=[1])
    model.add_readout(ReadoutError(np.eye(4)[::-1]), [0, 2]).add_relaxation(1e-6, 1e-6, qubits=[3])
    circuit = Circuit(4, 4).cx(0, 1).x(3).delay(100_000, 3, "dt").measure([0, 1, 2, 3], [0, 1, 2, 3])
    assert backend.run(circuit, shots=50, noise_model=model).result().get_counts() == {"0111": 50}
    assert NoiseModel.from_json(model.to_json()).to_message() == model.to_message()
    assert (model.dt, NoiseModel().dt, model.basis_gates) == (1e-9, None, None)
    without = NoiseModel().add_relaxation(1e-6, 1e-6)
    with pytest.raises(OptionInvalidError, match="delay of 100000 dt, whose length isn't known"):
        backend.run(circuit, noise_model=without)


def test_what_a_noise_model_cannot_do_is_told_by_name(provider: BasicAerProvider) -> None:
    backend = provider.get_backend("qasm_simulator")
    circuit = Circuit(1, 1).h(0).measure(0, 0)
    wide = NoiseModel().add(Channel.depolarizing(0.1, 2), ["h"])
    with pytest.raises(OptionInvalidError, match="a channel of 2 qubits was to come with h on 1") as caught:
        backend.run(circuit, noise_model=wide)
    assert caught.value.field == "options.noise_model"
    for model, words in (
        (NoiseModel().add(Channel.depolarizing(0.1), ["barrier"]), r"rules\[0\]: barrier has no noise"),
        (NoiseModel().add(Channel.depolarizing(0.1), ["h"], qubits=[0, 0]), r"rules\[0\]: .*doesn't fit"),
        (NoiseModel().add_readout(ReadoutError(np.eye(4))), r"readout\[0\]: a readout error of 2 bits"),
        (NoiseModel().add(Channel.depolarizing(0.1), ["h"], places=[0, 1]), r"rules\[0\]: .*places"),
        (NoiseModel().add_relaxation(1e-6, 3e-6), r"relaxation\[0\]: .*at most 2 t1"),
        (with_dt(-1.0), "dt: dt is -1.0"),
    ):
        with pytest.raises(OptionInvalidError, match=rf"options\.noise_model\.{words}"):
            backend.run(circuit, noise_model=model)
    many = NoiseModel()
    for _ in range(3_000):
        many.add(Channel.depolarizing(0.1), ["h"])
    large = Circuit(1)
    for _ in range(4_000):
        large.h(0)
    with pytest.raises(OptionInvalidError, match="with its noise it has more than 10,000,000 instructions"):
        backend.run(large.measure_all(), noise_model=many)
    for name in ("statevector_simulator", "unitary_simulator"):
        with pytest.raises(OptionInvalidError, match=f"noise_model: {name} has no such option"):
            provider.get_backend(name).run(Circuit(1).h(0), noise_model=wide)


def test_the_command_line_takes_a_noise_model(server: ServerProcess, tmp_path: Path) -> None:
    def run(model: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "model.json").write_text(model)
        (tmp_path / "x.qasm").write_text("OPENQASM 3.0; qubit q; output bit c; U(0, 0, 0) q; c = measure q;")
        command = [sys.executable, "-m", "basicaer.service.cli", "run", str(tmp_path / "x.qasm"), "--json"]
        command += ["--server", server.address, "--noise", str(tmp_path / "model.json")]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    done = run(NoiseModel().add(Channel.pauli({"X": 1.0})).to_json())
    assert json.loads(done.stdout)["programs"][0]["counts"] == {"1": 1024}, done.stderr
    wrong = run('{"rules": 5}')
    assert wrong.returncode == 2
    assert "--noise" in wrong.stderr
