"""Copies and pickles of the plain client's objects, blocking and asyncio."""

from __future__ import annotations

import asyncio
import copy
import inspect
import pickle
from typing import Any

import basicaer.client as client
import grpc
import numpy as np
import pytest
from basicaer.client import (
    AsyncBasicAerProvider,
    BasicAerError,
    BasicAerProvider,
    Circuit,
    Expression,
    JobStatus,
    Program,
    UnauthenticatedError,
)
from basicaer.client import _errors as errors
from basicaer.service.access import TokenStore

from tests.conftest import ServerProcess, StartServer

BELL = Circuit(2, 2).h(0).cx(0, 1).measure([0, 1], [0, 1])


def pickled(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))


WAYS = pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, pickled])


@pytest.fixture
def live(server: ServerProcess) -> Any:
    with BasicAerProvider(server.address, timeout=20.0, max_outage=None) as made:
        yield made


@WAYS
def test_backends(live: BasicAerProvider, way: Any) -> None:
    backend = live.get_backend("qasm_simulator")
    backend = copy.copy(backend)  # the provider's own keeps its options
    backend.set_options(shots=11, seed_simulator=5)
    made = way(backend)
    assert made.options.shots == 11
    assert (made.name, made.max_shots, made.operation_names) == (
        backend.name,
        backend.max_shots,
        backend.operation_names,
    )
    made.set_options(shots=12)
    assert backend.options.shots == 11
    assert sum(made.run(BELL).result().get_counts().values()) == 12
    assert live.get_backend("qasm_simulator").options.shots is None


def test_providers(live: BasicAerProvider) -> None:
    assert copy.copy(live) is copy.deepcopy(live) is live
    made = pickled(live)
    assert made is not live
    assert (made._transport.timeout, made._transport.max_outage) == (20.0, None)
    made.close()
    assert live.server_info().version
    with pytest.raises(client.ClientClosedError):
        made.server_info()
    assert pickled(live).server_info().version


@WAYS
def test_jobs(live: BasicAerProvider, way: Any) -> None:
    backend = live.get_backend("qasm_simulator")
    job = backend.run(BELL, shots=40, metadata={"n": [1, 2]}, labels={"a": "b"})
    made = way(job)
    assert made.job_id() == job.job_id()
    assert made.metadata == {"n": [1, 2]}
    assert made.labels() == {"a": "b"}
    assert made.result().get_counts() == job.result().get_counts()
    assert way(job).status() is JobStatus.DONE
    assert [event.status for event in way(job).events()][-1] is JobStatus.DONE


def test_a_job_that_is_yet_to_be_submitted_is_submitted_once(live: BasicAerProvider) -> None:
    job = live.get_backend("qasm_simulator").new_job(BELL, shots=40)
    made = pickled(job)
    made.submit()
    job.submit()
    assert made.job_id() == job.job_id()
    with pytest.raises(client.JobError, match="submitted already"):
        pickled(made).submit()


@WAYS
def test_results_and_what_they_are_made_of(live: BasicAerProvider, way: Any) -> None:
    job = live.get_backend("qasm_simulator").run(BELL, shots=40, memory=True)
    result = job.result()
    made = way(result)
    assert made.to_dict() == result.to_dict()
    assert (made.get_counts(), made.get_memory()) == (result.get_counts(), result.get_memory())
    counts = way(result.get_counts())
    assert (counts, counts.shots(), counts.creg_sizes) == (
        result.get_counts(),
        40,
        result.get_counts().creg_sizes,
    )
    state = live.get_backend("statevector_simulator").run(Circuit(2).h(0)).result()
    np.testing.assert_array_equal(way(state).get_statevector(), state.get_statevector())
    for event in job.events():
        assert way(event) == event
    assert way(live.server_info()) == live.server_info()


@WAYS
def test_a_result_of_failed_programs(live: BasicAerProvider, way: Any) -> None:
    circuit = Circuit(1, 1)
    value = circuit.add_input("x")
    circuit.rx(1 / value, 0).measure(0, 0)
    job = live.get_backend("qasm_simulator").run([Program(circuit, inputs={"x": [1.0, 0.0]})], shots=3)
    job.wait_for_final_state()
    result = job.partial_result()
    assert str(way(result).results[1].error) == str(result.results[1].error)
    assert str(way(job.error())) == str(job.error())


@WAYS
def test_circuits(live: BasicAerProvider, way: Any) -> None:
    circuit = Circuit(2, 2, name="it")
    angle: Expression = circuit.add_input("x")
    circuit.rx(2 * angle, 0)
    with circuit.if_test((0, 1)):
        circuit.x(1)
    made = way(Program(circuit, inputs={"x": 0.5}))
    assert made.to_message() == Program(circuit, inputs={"x": 0.5}).to_message()


def every_error() -> list[type[BasicAerError]]:
    found = [kind for _, kind in inspect.getmembers(errors, inspect.isclass)]
    return [kind for kind in found if issubclass(kind, BasicAerError)]


@WAYS
@pytest.mark.parametrize("kind", every_error(), ids=lambda kind: kind.__name__)
def test_errors(kind: type[BasicAerError], way: Any) -> None:
    error = kind("what", reason="R", metadata={"line": "3"}, retry_after=1.5)
    made = way(error)
    assert type(made) is kind
    assert str(made) == str(error)
    assert made.__dict__ == error.__dict__


def test_a_token_does_not_travel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not that of an argument, nor that of the environment, which counts where the pickle is loaded."""
    monkeypatch.setenv("BASICAER_TOKEN", "basicaer_environment")
    for provider in (
        BasicAerProvider("127.0.0.1:1", token="basicaer_secret"),
        BasicAerProvider("127.0.0.1:1"),
        AsyncBasicAerProvider("127.0.0.1:1", token="basicaer_secret"),
    ):
        data = pickle.dumps(provider)
        assert b"basicaer_secret" not in data
        assert b"basicaer_environment" not in data


def test_the_environments_token_is_shown_where_it_is_loaded(
    start_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = start_server("--auth", "token")
    with TokenStore(server.data_dir) as store:
        _, token = store.create("ada", "user", None)
    with BasicAerProvider(server.address, token=token) as provider:
        data = pickle.dumps(provider.get_backend("qasm_simulator").run(BELL, shots=3))
    with pytest.raises(UnauthenticatedError):
        pickle.loads(data).result()
    monkeypatch.setenv("BASICAER_TOKEN", token)
    assert pickle.loads(data).result().success


def test_encryption_is_never_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials can't be pickled, but that the line was encrypted can."""
    made: list[tuple[Any, ...]] = []
    real = grpc.secure_channel

    def make(*args: Any) -> grpc.Channel:
        made.append(args)
        return real(*args)

    monkeypatch.setattr(grpc, "secure_channel", make)
    with BasicAerProvider("127.0.0.1:1", credentials=grpc.ssl_channel_credentials()) as provider:
        data = pickle.dumps(provider)
    with pickle.loads(data) as again:
        assert len(made) == 2
        assert pickle.dumps(again) == data


def test_the_asyncio_client(server: ServerProcess) -> None:
    async def first() -> tuple[bytes, dict[str, int]]:
        async with AsyncBasicAerProvider(server.address, timeout=20.0) as provider:
            assert copy.deepcopy(provider) is copy.copy(provider) is provider
            backend = await provider.get_backend("qasm_simulator")
            made = copy.deepcopy(backend)
            made.set_options(shots=40)
            assert backend.options.shots is None
            job = await made.run(BELL)
            assert copy.deepcopy(job) is job
            result = await job.result()
            assert pickled(result).to_dict() == result.to_dict()
            return pickle.dumps((provider, made, job)), result.get_counts()

    async def second(data: bytes) -> dict[str, int]:
        provider, backend, job = pickle.loads(data)
        assert backend.provider is provider
        async with provider:
            assert backend.options.shots == 40
            assert (await (await backend.run(BELL)).result()).success
            return dict((await job.result()).get_counts())

    data, counts = asyncio.run(first())
    assert asyncio.run(second(data)) == asyncio.run(second(data)) == counts
