"""Detectors through the executor: bits by shot, what they need, and what has none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from basicaer.client import Channel, Circuit, NoiseModel
from basicaer.service.errors import ServiceError
from basicaer.service.execution import ExecutionOutcome, ThreadExecutor
from basicaer.v1 import circuit_pb2, error_reason_pb2, job_pb2, result_pb2

from tests.outcomes import whole

TEXT = "X 0\nX_ERROR(1) 1\nM 0 1 1\nDETECTOR rec[-1]\nDETECTOR rec[-3]\nDETECTOR rec[-1] rec[-2] rec[-3]\n"
MANY = TEXT + "DETECTOR rec[-2]\n" * 8 + "OBSERVABLE_INCLUDE(2) rec[-2]"


def spec(program: job_pb2.Program, backend: str = "qasm_simulator", **options: Any) -> job_pb2.JobSpec:
    return job_pb2.JobSpec(
        backend_name=backend, programs=[program], options=job_pb2.RunOptions(**{"shots": 5, **options})
    )


def execute(executor: ThreadExecutor, asked: job_pb2.JobSpec) -> ExecutionOutcome:
    prepared = executor.prepare(asked)
    return whole(executor.execute(prepared, prepared.new_control(), job_id="test"))


def entry_of(executor: ThreadExecutor, asked: job_pb2.JobSpec) -> result_pb2.ProgramResult:
    outcome = execute(executor, asked)
    assert outcome.result is not None
    return outcome.result.programs[0]


def test_bits_are_packed_by_shot(executor: ThreadExecutor) -> None:
    entry = entry_of(executor, spec(job_pb2.Program(stim=MANY)))
    found = {array.name: array for array in entry.arrays}
    assert set(found) == {"detectors", "observables"}
    detectors, observables = found["detectors"], found["observables"]
    assert (detectors.dtype, list(detectors.shape), detectors.bits_per_row) == ("|u1", [5, 2], 11)
    assert detectors.data == bytes([0b11111001, 0b111]) * 5
    assert (list(observables.shape), observables.bits_per_row, observables.data) == ([5, 1], 3, b"\4" * 5)
    assert not entry.HasField("counts")
    assert entry.header.num_clbits == 3
    assert [(each.name, each.size) for each in entry.header.classical_registers] == [("rec", 3)]


def test_counts_and_memory_are_there_where_memory_is_asked_for(executor: ThreadExecutor) -> None:
    entry = entry_of(executor, spec(job_pb2.Program(stim=TEXT), memory=True))
    assert [array.name for array in entry.arrays] == ["memory", "detectors"]
    assert (list(entry.counts.outcomes), list(entry.counts.counts)) == ([7], [5])
    plain = entry_of(executor, spec(job_pb2.Program(stim="X 0\nM 0 1")))
    assert (list(plain.counts.outcomes), list(plain.arrays)) == ([1], [])


def test_a_typed_circuit_saves_them_too(executor: ThreadExecutor) -> None:
    circuit = Circuit(1, 2).x(0).measure(0, 0).channel(Channel.pauli({"X": 1.0}), 0).measure(0, 1)
    circuit.save_detectors([[0], [0, 1], []], label="odd")
    (array,) = entry_of(executor, spec(job_pb2.Program(circuit=circuit.to_message()))).arrays
    assert (array.name, array.bits_per_row, array.data) == ("odd", 3, b"\2" * 5)


def refusal(executor: ThreadExecutor, asked: job_pb2.JobSpec) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        executor.prepare(asked)
    return caught.value


def saving(*lists: list[int]) -> circuit_pb2.Circuit:
    return Circuit(1, 2).measure(0, 0).save_detectors(lists).to_message()


def test_what_has_none_is_refused_by_name(executor: ThreadExecutor) -> None:
    with_gate = Circuit(1, 1).t(0).measure(0, 0).save_detectors([[0]])
    refused = refusal(executor, spec(job_pb2.Program(circuit=with_gate.to_message())))
    assert refused.reason == error_reason_pb2.ERROR_REASON_PROGRAM_INVALID
    assert "t, which is no Clifford gate" in refused.message
    for backend in ("statevector_simulator", "unitary_simulator"):
        refused = refusal(executor, spec(job_pb2.Program(stim=TEXT), backend))
        assert refused.reason == error_reason_pb2.ERROR_REASON_PROGRAM_INVALID
        assert backend in refused.message


def test_a_text_has_its_noise_in_itself(executor: ThreadExecutor) -> None:
    model = NoiseModel().add(Channel.depolarizing(0.5)).to_message()
    refused = refusal(executor, spec(job_pb2.Program(stim=TEXT), noise_model=model))
    assert "leave options.noise_model out" in refused.message
    assert refused.field == "programs[0].stim"


def test_lists_that_do_not_fit_are_refused(executor: ThreadExecutor) -> None:
    circuit = saving([0], [1])
    detectors = circuit.operations[-1].save.detectors
    detectors.sizes[1] = 4
    assert (
        "its sizes are 5 together, and its clbits are 2"
        in refusal(executor, spec(job_pb2.Program(circuit=circuit))).message
    )
    detectors.sizes[1] = 1
    detectors.clbits[0] = 2
    assert (
        "classical bit 2 is not one of the 2"
        in refusal(executor, spec(job_pb2.Program(circuit=circuit))).message
    )
    circuit.operations[-1].save.detectors.Clear()
    assert "at least one" in refusal(executor, spec(job_pb2.Program(circuit=circuit))).message


def test_the_bits_are_charged_for(executor: ThreadExecutor) -> None:
    text = "M 0\n" + "DETECTOR rec[-1]\n" * 800
    few, many = (
        executor.prepare(spec(job_pb2.Program(stim=text), shots=shots)).required_bytes
        for shots in (1_000, 100_000)
    )
    assert many - few > 99_000 * 100


def test_large_bits_are_a_part_beside_the_message(executor: ThreadExecutor) -> None:
    text = "M 0\nX_ERROR(0.5) 0\nM 0\n" + "DETECTOR rec[-1]\n" * 800
    outcome = execute(executor, spec(job_pb2.Program(stim=text), shots=50_000, seed_simulator=1))
    (part,) = outcome.parts
    assert part.part == "0/detectors"
    bits = np.frombuffer(part.data, np.uint8).reshape(50_000, 100)
    assert set(np.unique(bits)) == {0, 255}
    assert abs((bits[:, 0] == 255).mean() - 0.5) < 5 * 0.5 / 50_000**0.5
