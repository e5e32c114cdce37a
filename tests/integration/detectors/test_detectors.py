"""Memory experiments through a live server: bits at stim's rates, blocking and by asyncio."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import stim
from basicaer.client import (
    AsyncBasicAerProvider,
    BasicAerProvider,
    Channel,
    Circuit,
    CircuitError,
    Program,
    ProgramInvalidError,
    ProgramTooLargeError,
    ResultError,
)

from tests.conftest import ServerProcess

SHOTS = 300_000
CODE = stim.Circuit.generated(
    "surface_code:rotated_memory_z",
    distance=5,
    rounds=4,
    after_clifford_depolarization=0.005,
    before_measure_flip_probability=0.01,
    after_reset_flip_probability=0.01,
)


@pytest.fixture
def provider(server: ServerProcess) -> Iterator[BasicAerProvider]:
    with BasicAerProvider(server.address) as connection:
        yield connection


def test_detectors_fire_at_stims_rates(provider: BasicAerProvider) -> None:
    result = provider.get_backend("qasm_simulator").run(CODE, shots=SHOTS, seed_simulator=11).result()
    detectors, observables = result.get_detectors(), result.get_observables()
    assert detectors.shape == (SHOTS, CODE.num_detectors)
    assert detectors.dtype == np.bool_
    assert observables.shape == (SHOTS, 1)
    theirs = CODE.compile_detector_sampler(seed=12).sample(SHOTS, append_observables=True)
    found = np.concatenate([detectors, observables], axis=1).mean(axis=0)
    expected = theirs.mean(axis=0)
    deviation = np.sqrt((found * (1 - found) + expected * (1 - expected)) / SHOTS)
    np.testing.assert_array_less(np.abs(found - expected), 5 * deviation + 1e-9)
    packed = result.data()["detectors"]
    assert packed.shape == (SHOTS, -(-CODE.num_detectors // 8))
    assert packed.dtype == np.uint8
    np.testing.assert_array_equal(packed, np.packbits(detectors, axis=1, bitorder="little"))
    with pytest.raises(ResultError, match="No counts"):
        result.get_counts()


async def test_asyncio_takes_texts_and_circuits(server: ServerProcess) -> None:
    circuit = Circuit(1, 1).channel(Channel.pauli({"X": 1.0}), 0).measure(0, 0)
    circuit.save_detectors([[0]]).save_detectors([[0], []], label="observables")
    async with AsyncBasicAerProvider(server.address) as provider:
        backend = await provider.get_backend("qasm_simulator")
        programs = ["X_ERROR(1) 0\nM 0 1\nDETECTOR rec[-2]", circuit, Program(stim.Circuit("X 0\nM 0"))]
        job = await backend.run(programs, shots=3)
        result = await job.result()
    assert result.get_detectors(0).tolist() == [[True]] * 3
    assert result.get_detectors(1).tolist() == [[True]] * 3
    assert result.get_observables(1).tolist() == [[True, False]] * 3
    assert result.get_counts(2) == {"1": 3}
    for index, message in ((2, "No detectors"), (0, "No observables")):
        with pytest.raises(ResultError, match=message):
            result.get_detectors(index) if index else result.get_observables(index)


def test_mistakes_have_their_places(provider: BasicAerProvider) -> None:
    backend = provider.get_backend("qasm_simulator")
    with pytest.raises(ProgramInvalidError, match=r"programs\[0\].stim: line 2, column 8: 'no' is no target"):
        backend.run("H 0\nCX 0 1 no 3")
    with pytest.raises(ProgramTooLargeError, match=r"line 1, column 1: the circuit comes to .* instructions"):
        backend.run("REPEAT 100000000 {\nH 0\n}")
    found = backend.check("H 0\nCX 0 1 no 3")
    (error,) = found.errors
    assert (error.line, error.column, error.end_column) == (2, 8, 10)


def test_the_client_looks_at_the_bits() -> None:
    with pytest.raises(CircuitError, match="at least one list"):
        Circuit(1, 1).save_detectors([])
    with pytest.raises(CircuitError):
        Circuit(1, 1).save_detectors([[1]])


def test_the_same_seed_gives_the_same_bits(provider: BasicAerProvider) -> None:
    backend = provider.get_backend("qasm_simulator")
    one, two = (
        backend.run(CODE, shots=20_000, seed_simulator=5, max_parallel_threads=threads).result()
        for threads in (1, 2)
    )
    np.testing.assert_array_equal(one.get_detectors(), two.get_detectors())
