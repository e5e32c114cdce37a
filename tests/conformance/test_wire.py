"""The bytes on the wire, fixed for every language: `vectors.json` pairs JSON with its serialization.

A vector that fails is a breaking change. Nobody edits one: new fields get new vectors.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from basicaer.v1 import circuit_pb2, error_reason_pb2, job_pb2, job_service_pb2, result_pb2
from google.protobuf import descriptor_pool, json_format, message_factory
from google.protobuf.message import Message

VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text())


def _message(name: str) -> Message:
    descriptor = descriptor_pool.Default().FindMessageTypeByName(f"basicaer.v1.{name}")
    return message_factory.GetMessageClass(descriptor)()


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_json_becomes_the_golden_bytes(vector: dict[str, Any]) -> None:
    message = json_format.ParseDict(vector["json"], _message(vector["message"]))
    assert message.SerializeToString(deterministic=True).hex() == vector["hex"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_the_golden_bytes_become_json(vector: dict[str, Any]) -> None:
    message = _message(vector["message"])
    message.ParseFromString(bytes.fromhex(vector["hex"]))
    assert json_format.MessageToDict(message) == vector["json"]


def test_every_request_has_a_vector() -> None:
    service = job_service_pb2.DESCRIPTOR.services_by_name["JobService"]
    requests = {method.input_type.name for method in service.methods if method.input_type.fields}
    assert requests <= {vector["message"] for vector in VECTORS}


def test_status_numbers_and_reasons_are_fixed() -> None:
    assert dict(job_pb2.JobStatus.items()) == {
        "JOB_STATUS_UNSPECIFIED": 0,
        "JOB_STATUS_INITIALIZING": 1,
        "JOB_STATUS_QUEUED": 2,
        "JOB_STATUS_VALIDATING": 3,
        "JOB_STATUS_RUNNING": 4,
        "JOB_STATUS_CANCELLED": 5,
        "JOB_STATUS_DONE": 6,
        "JOB_STATUS_ERROR": 7,
    }
    assert error_reason_pb2.ERROR_REASON_PROGRAM_INVALID == 1
    assert error_reason_pb2.ERROR_REASON_INTERNAL == 25


def test_a_circuit_of_100_000_gates_takes_three_bytes_a_gate() -> None:
    """A one-qubit gate is one byte of operation and one of qubit; the packing keeps it so."""
    gates = 100_000
    circuit = circuit_pb2.Circuit(num_qubits=20)
    circuit.operations.add(name="h")
    circuit.body.operations.extend(np.zeros(gates, dtype=np.uint32).tolist())
    circuit.body.qubits.extend((np.arange(gates, dtype=np.uint32) % 20).tolist())
    assert len(circuit.SerializeToString()) < 3 * gates


def test_counts_survive_the_wire_at_any_width() -> None:
    counts = result_pb2.Counts(words_per_outcome=2, outcomes=[5, 1, 2**64 - 1, 2**63], counts=[3, 4])
    assert result_pb2.Counts.FromString(counts.SerializeToString()) == counts
