"""Requests are read alike before their kernels are compiled: Python finds what compiled code finds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from basicaer.service.config import Config
from basicaer.service.errors import ServiceError
from basicaer.service.wire import Scanner, _reading, _scan, read_in_pieces
from basicaer.simulator.methods.statevector._interpreted import interpreted
from basicaer.v1 import circuit_pb2, job_pb2
from basicaer.v1 import job_service_pb2 as pb
from google.protobuf.message import DecodeError
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.unit.wire.encoding import field, varint

ROOT = pb.SubmitJobRequest.DESCRIPTOR
SCANNER = Scanner([ROOT], Config(data_dir=Path("unused")))
_CALLS = ((_scan, "scan"), (_reading, "find_fields"), (_reading, "find_occurrences"), (_reading, "decode"))

messages = st.recursive(
    st.one_of(
        st.binary(max_size=12),
        st.builds(
            lambda number, value: varint(number << 3) + varint(value),
            st.integers(0, 40),
            st.integers(0, 2**70),
        ),
    ),
    lambda inner: st.one_of(
        st.builds(field, st.integers(1, 20), inner), st.lists(inner, max_size=4).map(b"".join)
    ),
    max_leaves=12,
)


def _found(data: bytes) -> Any:
    try:
        scanned = SCANNER.scan(ROOT, data, with_maps=True)
        message, _ = read_in_pieces(pb.SubmitJobRequest, data, lambda: None)
    except ServiceError as error:
        return error.message
    except DecodeError:
        return "broken"
    return scanned.parts, scanned.maps.tolist(), message.SerializeToString(deterministic=True)


JOB = pb.SubmitJobRequest(
    spec=job_pb2.JobSpec(
        backend_name="qasm_simulator",
        programs=[
            job_pb2.Program(
                circuit=circuit_pb2.Circuit(
                    num_qubits=3, body=circuit_pb2.Block(operations=range(300), qubits=[2**32 - 1, 0, 128])
                )
            )
        ],
    )
)
JOB.spec.metadata.update({"name": "a", "kind": "b"})


@settings(max_examples=150, deadline=None)
@given(messages)
@example(JOB.SerializeToString())
@example(varint(1 << 3 | 2) + b"\xff" * 9 + b"\x7f")
def test_python_finds_in_bytes_what_compiled_code_finds(data: bytes) -> None:
    compiled = _found(data)
    with pytest.MonkeyPatch.context() as patch:
        for module, name in _CALLS:
            patch.setattr(module, name, interpreted(getattr(module, name)))
        assert _found(data) == compiled
