"""What a seed promises of a job: counts that stay as they were, and each entry again by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from basicaer import simulator as sim
from basicaer.service.config import Config
from basicaer.service.execution import ThreadExecutor
from basicaer.v1 import circuit_pb2, job_pb2, result_pb2
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.outcomes import whole

SEEDS = st.integers(0, 2**64 - 1)
STREAMS = st.one_of(st.just(0), st.integers(0, 2**32 - 1), st.just(2**32 - 1))


@pytest.fixture(scope="module")
def executor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ThreadExecutor]:
    made = ThreadExecutor(Config(listen="127.0.0.1:0", data_dir=tmp_path_factory.mktemp("seeds")))
    yield made
    made.close()


def coins(qubits: int) -> job_pb2.Program:
    """Uniformly random bits."""
    operations = [circuit_pb2.Operation(name="h"), circuit_pb2.Operation(name="measure")]
    body = circuit_pb2.Block(
        operations=[0] * qubits + [1] * qubits, qubits=[*range(qubits)] * 2, clbits=range(qubits)
    )
    circuit = circuit_pb2.Circuit(num_qubits=qubits, num_clbits=qubits, operations=operations, body=body)
    return job_pb2.Program(circuit=circuit)


def sweep(rows: list[float]) -> job_pb2.Program:
    """A rotation by each row's angle, measured."""
    program = coins(1)
    program.circuit.operations.insert(0, circuit_pb2.Operation(name="ry"))
    del program.circuit.operations[1]
    kind = circuit_pb2.ClassicalType(kind=circuit_pb2.CLASSICAL_KIND_FLOAT)
    program.circuit.variables.add(name="x", type=kind, input=True)
    body = program.circuit.body
    body.parameters.append(1.0)
    body.term_parameters.append(0)
    body.term_variables.append(0)
    body.term_factors.append(1.0)
    program.inputs.names.append("x")
    program.inputs.values.extend(rows)
    return program


def noisy() -> job_pb2.Program:
    """An expectation value with noise."""
    program = coins(1)
    del program.circuit.operations[1], program.circuit.body.operations[1], program.circuit.body.qubits[1]
    del program.circuit.body.clbits[:]
    program.estimation.observables.add(paulis=["Z"], coefficients=[1.0])
    program.estimation.precision = 0.5
    return program


def run(
    executor: ThreadExecutor, programs: list[job_pb2.Program], **options: Any
) -> list[result_pb2.ProgramResult]:
    spec = job_pb2.JobSpec(
        backend_name="qasm_simulator",
        programs=programs,
        options=job_pb2.RunOptions(shots=300, memory=True, **options),
    )
    prepared = executor.prepare(spec)
    outcome = executor.execute(prepared, prepared.new_control(), job_id="j")
    result = whole(outcome).result
    assert result is not None
    return list(result.programs)


def data_of(entry: result_pb2.ProgramResult) -> tuple[bytes, list[bytes]]:
    return entry.counts.SerializeToString(deterministic=True), [array.data for array in entry.arrays]


@settings(deadline=None, max_examples=40)
@given(data=st.data(), seed=SEEDS, stream=STREAMS)
def test_each_entry_is_repeated_alone_by_what_it_reports(
    executor: ThreadExecutor, data: st.DataObject, seed: int, stream: int
) -> None:
    kinds = st.one_of(
        st.integers(1, 70).map(lambda qubits: coins(min(qubits, 6))),
        st.lists(st.floats(-3, 3), min_size=1, max_size=4).map(sweep),
        st.builds(noisy),
    )
    programs = data.draw(st.lists(kinds, min_size=1, max_size=4))
    entries = run(executor, programs, seed_simulator=seed, seed_stream=stream)
    assert [entry.seed_stream for entry in entries] == [(stream + i) % 2**32 for i in range(len(entries))]
    for entry in entries:
        program = job_pb2.Program()
        program.CopyFrom(programs[entry.program_index])
        if program.HasField("inputs"):
            program.inputs.values[:] = [program.inputs.values[entry.row]]
        (alone,) = run(
            executor, [program], seed_simulator=entry.seed_simulator, seed_stream=entry.seed_stream
        )
        assert data_of(alone) == data_of(entry)


def test_a_seed_that_the_server_chose_repeats_too(executor: ThreadExecutor) -> None:
    entries = run(executor, [coins(5)] * 3)
    assert len({entry.seed_simulator for entry in entries}) == 1
    assert len({data_of(entry)[0] for entry in entries}) == 3
    again = run(executor, [coins(5)], seed_simulator=entries[2].seed_simulator, seed_stream=2)
    assert data_of(again[0]) == data_of(entries[2])


def test_counts_of_a_seed_are_those_that_they_were(executor: ThreadExecutor) -> None:
    """Entry i draws from the seed's stream i, as before entries told of it."""
    circuit = sim.Circuit(5, 5)
    for qubit in range(5):
        circuit.append("h", [qubit])
    for qubit in range(5):
        circuit.append("measure", [qubit], [], [qubit])
    for index, entry in enumerate(run(executor, [coins(5)] * 3, seed_simulator=7)):
        expected = sim.run(circuit, shots=300, seed=np.random.SeedSequence(7, spawn_key=(index,)))
        assert list(entry.counts.counts) == expected.counts.tolist()
