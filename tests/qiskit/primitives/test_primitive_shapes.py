"""The shapes of the primitives' results, empty ones too, are those of Qiskit's own primitives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from basicaer.client.qiskit import BasicAerProvider, EstimatorV2, SamplerV2
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.primitives import StatevectorEstimator, StatevectorSampler
from qiskit.primitives.containers.bindings_array import BindingsArray
from qiskit.primitives.containers.observables_array import ObservablesArray
from qiskit.providers import JobStatus

AXES = st.lists(st.sampled_from([0, 1, 2, 3]), max_size=3).map(tuple)


def circuit_of(parameters: int, unused: bool = False) -> QuantumCircuit:
    """Two qubits; the last of the parameters may be one that no gate's angle depends on."""
    circuit = QuantumCircuit(2)
    circuit.h(0)
    angles = [Parameter(f"p{index}") for index in range(parameters)]
    for angle in angles[: parameters - unused]:
        circuit.ry(angle, 1)
    if unused and parameters:
        circuit.global_phase = angles[-1] - angles[-1]
    circuit.cx(0, 1)
    return circuit


@st.composite
def values_of(draw: Any, parameters: int) -> Any:
    """Parameter values in one of the forms that a PUB may have, of any shape."""
    shape = draw(AXES)
    if draw(st.booleans()):
        return np.zeros((*shape, parameters))
    if parameters == 0:
        return BindingsArray({}, shape=shape)
    names = tuple(f"p{index}" for index in range(parameters))
    return BindingsArray({names: np.zeros((*shape, parameters))})


def describe(result: Any) -> list[Any]:
    """All shapes of a result, and what else isn't left to chance."""
    found = []
    for entry in result:
        arrays = {
            name: (value.shape, getattr(value, "array", value).shape, getattr(value, "num_bits", None))
            for name, value in entry.data.items()
        }
        found.append((arrays, entry.data.shape, entry.metadata))
    return [found, result.metadata]


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_a_samplers_shapes_are_those_of_the_reference(provider: BasicAerProvider, data: Any) -> None:
    pubs = []
    for _ in range(data.draw(st.integers(0, 3))):
        parameters = data.draw(st.integers(0, 2))
        circuit = circuit_of(parameters)
        circuit.measure_all()
        pubs.append((circuit, data.draw(values_of(parameters)), data.draw(st.integers(1, 9))))
    ours, theirs = SamplerV2(provider).run(pubs).result(), StatevectorSampler().run(pubs).result()
    assert describe(ours) == describe(theirs)
    for entry in ours:
        assert entry.data.meas.get_counts() == {} or sum(entry.data.meas.get_counts().values()) > 0


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_an_estimators_shapes_are_those_of_the_reference(provider: BasicAerProvider, data: Any) -> None:
    pubs = []
    for _ in range(data.draw(st.integers(0, 3))):
        parameters = data.draw(st.integers(0, 2))
        values = data.draw(values_of(parameters))
        shape = values.shape if isinstance(values, BindingsArray) else values.shape[:-1]
        # A shape that fits: some of the last axes, each whole or of length 1.
        kept = shape[data.draw(st.integers(0, len(shape))) :]
        kept = tuple(length if data.draw(st.booleans()) else 1 for length in kept)
        letters = np.empty(kept, object)
        letters[...] = "ZZ"
        pubs.append((circuit_of(parameters), ObservablesArray(letters), values))
    ours, theirs = EstimatorV2(provider).run(pubs).result(), StatevectorEstimator().run(pubs).result()
    assert describe(ours) == describe(theirs)
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one.data.evs, other.data.evs, atol=1e-12)
        assert one.data.evs.dtype == other.data.evs.dtype


def test_without_parameters_each_set_of_values_is_a_run_of_its_own(provider: BasicAerProvider) -> None:
    circuit = circuit_of(0)
    circuit.measure_all()
    data = SamplerV2(provider, seed=1).run([(circuit, np.zeros((3, 0)))], shots=400).result()[0].data
    assert all(set(data.meas[index].get_counts()) == {"00", "11"} for index in range(3))
    assert len({data.meas[index].get_counts()["00"] for index in range(3)}) > 1


def test_noise_differs_where_the_parameters_do_not(provider: BasicAerProvider) -> None:
    pub = (circuit_of(0), "ZZ", BindingsArray({}, shape=(50,)))
    evs = EstimatorV2(provider, seed=1).run([pub], precision=0.1).result()[0].data.evs
    assert len(set(evs.tolist())) == 50


def test_a_parameter_that_no_gate_needs(provider: BasicAerProvider) -> None:
    circuit = circuit_of(2, unused=True)
    pub = (circuit, "ZZ", np.zeros((4, len(circuit.parameters))))
    np.testing.assert_allclose(EstimatorV2(provider).run([pub]).result()[0].data.evs, 1.0)


@pytest.mark.parametrize("primitive", [SamplerV2, EstimatorV2])
def test_a_job_with_nothing_to_run_is_done(provider: BasicAerProvider, primitive: Any) -> None:
    before = [job.job_id() for job in provider.jobs(limit=1)]
    job = primitive(provider).run([])
    assert job.job_id()
    assert job.status() is JobStatus.DONE
    assert job.done()
    assert job.in_final_state()
    assert not job.cancel()
    job.wait_for_final_state()
    assert list(job.result()) == []
    assert job.backend().name == "qasm_simulator"
    assert job.metrics()["num_circuits"] == 0
    assert [job.job_id() for job in provider.jobs(limit=1)] == before
