"""How a primitive is told where and how to run, and what its jobs tell."""

from __future__ import annotations

import copy
from datetime import datetime
from typing import Any

import numpy as np
import pytest
from basicaer.client import OptionInvalidError
from basicaer.client.qiskit import BasicAerProvider, EstimatorV2, SamplerV2
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.exceptions import QiskitError

BOTH = pytest.mark.parametrize("primitive", [SamplerV2, EstimatorV2])


def coin() -> QuantumCircuit:
    circuit = QuantumCircuit(1)
    circuit.h(0)
    circuit.measure_all()
    return circuit


def pub_of(primitive: Any) -> Any:
    circuit = QuantumCircuit(1)
    circuit.h(0)
    return coin() if primitive is SamplerV2 else (circuit, "X")


@BOTH
def test_where_it_runs_has_the_names_of_others(provider: BasicAerProvider, primitive: Any) -> None:
    backend = provider.get_backend("basic_simulator")
    for made, name in (
        (primitive(provider), "qasm_simulator"),
        (primitive(mode=provider), "qasm_simulator"),
        (primitive(backend), "basic_simulator"),
        (primitive(mode=backend), "basic_simulator"),
        (primitive(backend=backend), "basic_simulator"),
        (primitive(provider.client), "qasm_simulator"),
        (primitive(mode=provider.client.get_backend("basic_simulator")), "basic_simulator"),
    ):
        job = made.run([pub_of(primitive)])
        assert job.backend().name == name
        assert len(job.result()) == 1


@BOTH
def test_it_is_said_what_is_needed(provider: BasicAerProvider, primitive: Any) -> None:
    with pytest.raises(TypeError, match="one provider or backend, but 0 are given"):
        primitive()
    with pytest.raises(TypeError, match="but 2 are given"):
        primitive(provider, mode=provider)
    with pytest.raises(TypeError, match=r"not a builtins\.str"):
        primitive("qasm_simulator")
    for name in ("statevector_simulator", "unitary_simulator"):
        for source in (provider, provider.client):
            with pytest.raises(QiskitError, match=f"{name} runs a circuit once.*give qasm_simulator"):
                primitive(mode=source.get_backend(name))


def test_a_samplers_options_are_read_and_set(provider: BasicAerProvider) -> None:
    sampler = SamplerV2(provider, options={"default_shots": 7, "seed_simulator": 5}, precision="single")
    assert (sampler.default_shots, sampler.seed) == (7, 5)
    assert sampler.options.run_options == {"precision": "single"}

    def shots() -> Any:
        return sampler.run([coin()]).result()[0].data.meas.array

    assert len(shots()) == 7
    sampler.options.default_shots = 64
    assert np.array_equal(shots(), shots())
    sampler.options.update(seed_simulator=None, default_shots=1e2)
    assert len(shots()) == 100
    assert not np.array_equal(shots(), shots())
    assert SamplerV2(provider, options=sampler.options).default_shots == 100


def test_an_estimators_options_are_read_and_set(provider: BasicAerProvider) -> None:
    estimator = EstimatorV2(provider, default_precision=0.5, seed=3, shots=10)
    assert (estimator.default_precision, estimator.seed) == (0.5, 3)
    assert estimator.options.run_options == {"shots": 10}
    pub = pub_of(EstimatorV2)
    assert estimator.run([pub]).result()[0].data.evs != pytest.approx(1.0, abs=1e-6)
    estimator.options.default_precision = 0.0
    assert estimator.run([pub]).result()[0].data.evs == pytest.approx(1.0)


@BOTH
def test_an_option_that_there_is_not_is_named(provider: BasicAerProvider, primitive: Any) -> None:
    made = primitive(provider)
    for misuse in (
        lambda: setattr(made.options, "resilience_level", 1),
        lambda: made.options.resilience_level,
        lambda: made.options.update(seed_simulator=4, resilience_level=1),
        lambda: primitive(provider, options={"resilience_level": 1}),
    ):
        with pytest.raises(AttributeError, match=r"no option 'resilience_level'\. The options are: default_"):
            misuse()
    assert made.options.seed_simulator is None


@BOTH
@pytest.mark.parametrize("client", [False, True])
def test_run_options_are_those_of_run(provider: BasicAerProvider, primitive: Any, client: bool) -> None:
    source = provider.client if client else provider
    made = primitive(
        source, options={"run_options": {"labels": {"who": primitive.__name__}, "metadata": {"a": 1}}}
    )
    job = made.run([pub_of(primitive)])
    job.result()
    (found,) = provider.jobs(limit=1, labels={"who": primitive.__name__})
    assert (found.job_id(), found.metadata) == (job.job_id(), {"a": 1})
    made.options.run_options = {"noise_model": {"errors": [1]}}
    with pytest.raises(OptionInvalidError, match="noise_model"):
        made.run([pub_of(primitive)])
    made.options.run_options = {"precision": "half"}
    with pytest.raises(QiskitError, match="half"):
        made.run([pub_of(primitive)])
    if primitive is SamplerV2:
        made.options.run_options = {"shots": 5}
        with pytest.raises(QiskitError, match="default_shots"):
            made.run([pub_of(primitive)])


def test_the_options_of_the_backend_count(provider: BasicAerProvider) -> None:
    backend = copy.copy(provider.get_backend("qasm_simulator"))
    backend.set_options(seed_simulator=11, shots=3)
    sampler = SamplerV2(backend)
    first, again = (sampler.run([coin()]).result()[0].data.meas.array for _ in range(2))
    assert len(first) == 1024
    assert np.array_equal(first, again)


@pytest.mark.parametrize("shots", [1e1, np.int64(10), np.float32(10)])
def test_shots_are_whole_numbers_of_any_type(provider: BasicAerProvider, shots: Any) -> None:
    sampler = SamplerV2(provider, default_shots=shots)
    results = [
        sampler.run([coin()]).result()[0],
        SamplerV2(provider).run([coin()], shots=shots).result()[0],
        SamplerV2(provider).run([(coin(), None, shots)]).result()[0],
    ]
    assert [result.data.meas.num_shots for result in results] == [10, 10, 10]
    with pytest.raises(QiskitError, match=r"shots is not an integer: 2\.5"):
        SamplerV2(provider).run([(coin(), None, 2.5)])


@BOTH
def test_metrics_tell_what_a_job_took(provider: BasicAerProvider, primitive: Any) -> None:
    job = primitive(provider).run([pub_of(primitive)] * 2)
    job.result()
    metrics = job.metrics()
    created, running, finished = (
        datetime.fromisoformat(metrics["timestamps"][name]) for name in ("created", "running", "finished")
    )
    assert created <= running <= finished
    assert metrics["usage"]["seconds"] == (finished - running).total_seconds()
    assert metrics["num_circuits"] == 2
    assert metrics["attempt"] == 1
    assert metrics["required_bytes"] > 0
    assert metrics["result_size_bytes"] > 0


def test_a_waiting_jobs_metrics_have_no_end(provider: BasicAerProvider) -> None:
    circuit = QuantumCircuit(1, 1)
    with circuit.while_loop((circuit.clbits[0], 0)):
        circuit.x(0)
    job = SamplerV2(provider).run([circuit])
    try:
        assert job.metrics()["timestamps"]["finished"] is None
        assert job.metrics()["usage"] == {"seconds": 0.0}
    finally:
        job.cancel()


def test_a_parameter_may_have_any_name_of_ours(provider: BasicAerProvider) -> None:
    circuit = QuantumCircuit(1)
    circuit.ry(Parameter("row0"), 0)
    evs = EstimatorV2(provider).run([(circuit, "Z", [[0.0], [np.pi]])]).result()[0].data.evs
    np.testing.assert_allclose(evs, [1.0, -1.0], atol=1e-12)
