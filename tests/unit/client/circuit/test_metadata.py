"""Metadata of jobs and circuits: what is JSON travels, the rest stays with the job that has it."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest
from basicaer.client import AsyncBasicAerProvider, BasicAerProvider, Circuit, Program
from basicaer.client._structures import struct_from_dict
from hypothesis import given
from hypothesis import strategies as st
from qiskit import QuantumCircuit

from tests.conftest import ServerProcess

MARK = object()
ODD = {
    "plain": [1, "a", None],
    "array": np.arange(3),
    "mark": MARK,
    "deep": {"x": [1, {"y": 1j}]},
    "big": 10**400,
}


def plain_circuit(metadata: dict[str, Any]) -> Circuit:
    return Circuit(1, 1, metadata=metadata).measure(0, 0)


def qiskit_circuit(metadata: dict[str, Any]) -> QuantumCircuit:
    circuit = QuantumCircuit(1, 1, metadata=metadata)
    circuit.measure(0, 0)
    return circuit


@pytest.fixture
def provider(server: ServerProcess) -> Any:
    with BasicAerProvider(server.address) as made:
        yield made


def test_a_jobs_own_metadata_is_kept_and_others_see_what_is_json(provider: BasicAerProvider) -> None:
    job = provider.get_backend("qasm_simulator").run(plain_circuit({}), metadata=ODD)
    job.wait_for_final_state()
    assert job.metadata["mark"] is MARK
    assert provider.retrieve_job(job.job_id()).metadata == {"plain": [1, "a", None], "array": [0, 1, 2]}


@pytest.mark.parametrize("make", [plain_circuit, qiskit_circuit])
def test_a_circuits_metadata_comes_back_in_the_result(provider: BasicAerProvider, make: Any) -> None:
    circuits = [make({"n": 1}), make(ODD), Program(make({"mark": MARK})), make({})]
    before = [dict(circuit.metadata) for circuit in (circuits[0], circuits[1], circuits[3])]
    job = provider.get_backend("qasm_simulator").run(iter(circuits), shots=2)
    found = [experiment.header.metadata for experiment in job.result().results]
    assert found[0] == {"n": 1}
    assert found[1].keys() == ODD.keys()
    assert found[1]["mark"] is MARK
    assert found[2] == {"mark": MARK}
    assert found[3] == {}
    assert [list(circuits[i].metadata) for i in (0, 1, 3)] == [list(each) for each in before]
    others = provider.retrieve_job(job.job_id()).result().results
    assert others[0].header.metadata == {"n": 1}
    assert "mark" not in others[1].header.metadata


def test_rows_have_the_metadata_of_their_circuit(provider: BasicAerProvider) -> None:
    circuit = Circuit(1, 1, metadata={"mark": MARK})
    circuit.rx(circuit.add_input("x"), 0).measure(0, 0)
    job = provider.get_backend("qasm_simulator").run([Program(circuit, inputs={"x": [0.0, 1.0]})], shots=2)
    assert [each.header.metadata for each in job.result().results] == [{"mark": MARK}] * 2


def test_the_asyncio_client(server: ServerProcess) -> None:
    async def run() -> Any:
        async with AsyncBasicAerProvider(server.address) as provider:
            backend = await provider.get_backend("qasm_simulator")
            return (await (await backend.run(plain_circuit(ODD), metadata=ODD)).result()).results[0]

    assert asyncio.run(run()).header.metadata["mark"] is MARK


values = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.complex_numbers(), st.just(MARK)
    ),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner), st.sets(st.integers())),
)


@given(st.dictionaries(st.text(), values))
def test_any_metadata_can_be_given(metadata: dict[str, Any]) -> None:
    assert set(struct_from_dict(metadata).fields) <= set(metadata)
