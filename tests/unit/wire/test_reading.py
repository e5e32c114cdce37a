"""A message that is read in pieces is the one that protobuf reads at once, however it was written."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from basicaer.service.config import Config
from basicaer.service.errors import ServiceError
from basicaer.service.wire import (
    MOST_MADE,
    Columns,
    Scanner,
    _reading,
    read_around,
    read_in_pieces,
    read_spec,
    wire_spec,
)
from basicaer.v1 import circuit_pb2, job_pb2
from basicaer.v1 import job_service_pb2 as pb
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.inputs.seeds import specs
from tests.unit.wire.encoding import element, field, varint
from tests.unit.wire.paths import METHODS

SPECS = [spec.SerializeToString() for spec in specs()]
SCANNER = Scanner([method.input_type for method in METHODS], Config(data_dir=Path("unused")))
REPEATED = circuit_pb2.Circuit.DESCRIPTOR.fields_by_name["operations"]
_DTYPES = {"data": np.uint8, "parameters": np.float64, "term_factors": np.float64, "values": np.float64}


def restored(message: Any, columns: Columns) -> None:
    """Puts the long lists of a message, and of those in it, back into it."""
    for descriptor in message.DESCRIPTOR.fields:
        if descriptor.full_name in _reading._COLUMNS:
            name = descriptor.name
            if name == "data":
                message.data = bytes(columns.data(message, name))
            else:
                numbers = columns.numbers(message, name, _DTYPES.get(name, np.uint32)).tolist()
                assert columns.length(message, name) == len(numbers)
                message.ClearField(name)
                getattr(message, name).extend(numbers)
    for descriptor, value in message.ListFields():
        if descriptor.message_type is not None and not descriptor.message_type.GetOptions().map_entry:
            for child in value if descriptor.is_repeated else [value]:
                restored(child, columns)
    message.DiscardUnknownFields()


@settings(deadline=None)
@given(data=st.data())
def test_pieces_make_the_whole(data: st.DataObject) -> None:
    # Specs one after another are one in which everything is given several times.
    raw = b"".join(data.draw(st.lists(st.sampled_from(SPECS), max_size=4)))
    request = (
        field(1, raw) + field(2, b"id") + data.draw(st.sampled_from([b"", field(99, b"x"), field(1, raw)]))
    )
    SCANNER.scan(pb.SubmitJobRequest.DESCRIPTOR, request)
    whole = pb.SubmitJobRequest.FromString(request)
    whole.DiscardUnknownFields()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_reading, "_PIECE", data.draw(st.integers(1, 40)))
        patch.setattr(_reading, "_LONG_COLUMN", data.draw(st.integers(0, 40)))
        message, columns = read_in_pieces(pb.SubmitJobRequest, request)
    restored(message, columns)
    assert message == whole


@settings(deadline=None)
@given(
    values=st.lists(st.integers(0, 2**64 - 1), max_size=60),
    cuts=st.lists(st.integers(0, 60), max_size=3),
    packed=st.lists(st.booleans(), min_size=4, max_size=4),
    long=st.integers(0, 30),
)
def test_a_column_in_any_encoding(values: list[int], cuts: list[int], packed: list[bool], long: int) -> None:
    places = [0, *sorted(min(cut, len(values)) for cut in cuts), len(values)]
    body, key = b"", varint(2 << 3)
    for number, (start, end) in enumerate(itertools.pairwise(places)):
        numbers = [varint(value) for value in values[start:end]]
        if packed[number]:
            body += field(2, b"".join(numbers))
        else:
            body += b"".join(key + value for value in numbers)
    data = field(10, body)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_reading, "_PIECE", 1)
        patch.setattr(_reading, "_LONG_COLUMN", long)
        message, columns = read_in_pieces(circuit_pb2.Circuit, data)
    expected = list(circuit_pb2.Circuit.FromString(data).body.qubits)
    assert columns.numbers(message.body, "qubits", np.uint32).tolist() == expected


@settings(deadline=None)
@given(st.binary(max_size=60), st.sampled_from(SPECS), st.integers(0, 100))
def test_what_the_scanner_lets_pass_is_a_message(noise: bytes, spec: bytes, place: int) -> None:
    place = min(place, len(spec))
    for data in (noise, spec[:place] + noise + spec[place:]):
        try:
            SCANNER.scan(pb.SubmitJobRequest.DESCRIPTOR, data)
        except ServiceError:
            continue
        try:
            whole = pb.SubmitJobRequest.FromString(data)
        except DecodeError:
            # A text isn't UTF-8: whoever reads it in pieces finds that too.
            with pytest.raises(DecodeError):
                read_in_pieces(pb.SubmitJobRequest, data)
            continue
        assert read_in_pieces(pb.SubmitJobRequest, data)[0] == whole


def test_nobody_can_name_another_list_of_the_request() -> None:
    for number in (19_000, 19_999):
        with pytest.raises(ServiceError, match="not a valid"):
            SCANNER.scan(pb.SubmitJobRequest.DESCRIPTOR, field(1, field(number, b"")))


def long_request(names: list[str], operations: int = 20_000) -> bytes:
    """Returns a request of more bytes than are parsed at once, with its maps' entries in this order."""
    labels = b"".join(field(4, field(1, name.encode()) + field(2, b"x")) for name in names)
    entries = b"".join(field(1, field(1, name.encode()) + field(2, field(3, b"x"))) for name in names)
    body = field(10, field(1, bytes(operations)) + field(2, bytes(100_000)))
    circuit = field(1, b"name") + field(2, entries) + body
    spec = field(1, b"qasm_simulator") + field(2, field(1, circuit)) + labels + field(5, entries)
    return field(1, spec)


def spec_of(request: bytes) -> Any:
    scanned = SCANNER.scan(pb.SubmitJobRequest.DESCRIPTOR, request, with_maps=True)
    message, columns = read_in_pieces(pb.SubmitJobRequest, request)
    return wire_spec(request, 1, message.spec, columns, scanned)


def test_the_order_of_a_map_is_no_other_request() -> None:
    first, second = spec_of(long_request(["a", "b"])), spec_of(long_request(["b", "a"]))
    assert first.raw != second.raw
    assert first.identity() == second.identity()
    assert first.identity() != spec_of(long_request(["a", "c"])).identity()
    assert first.identity() != spec_of(long_request(["a", "b"], operations=20_001)).identity()


def test_a_long_spec_is_stored_as_it_came() -> None:
    request = long_request(["a"])
    stored = read_spec(spec_of(request).serialized())
    restored(stored.message, stored.columns)
    assert stored.message == pb.SubmitJobRequest.FromString(request).spec


@settings(deadline=None)
@given(data=st.data())
def test_what_is_read_around_a_spec_is_the_rest(data: st.DataObject) -> None:
    rest = [field(2, b"id"), field(2, b"other"), field(99, b"x"), varint(3 << 3) + b"\x01"]
    pieces = data.draw(st.lists(st.sampled_from([*rest, *(field(1, spec) for spec in SPECS)]), max_size=8))
    request = b"".join(pieces)
    scanned = SCANNER.scan(pb.SubmitJobRequest.DESCRIPTOR, request)
    whole = pb.SubmitJobRequest.FromString(request)
    whole.ClearField("spec")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_reading, "_PIECE", data.draw(st.integers(1, 40)))
        message = read_around(pb.SubmitJobRequest, request, 1, scanned.parts)
    assert message == whole


def test_a_spec_of_very_many_parts_stays_bytes() -> None:
    circuit = field(job_pb2.Program.CIRCUIT_FIELD_NUMBER, element(REPEATED) * (MOST_MADE + 1))
    spec = field(job_pb2.JobSpec.PROGRAMS_FIELD_NUMBER, circuit)
    request = field(1, spec) + varint(3 << 3) + b"\x01"
    scanned = SCANNER.scan(pb.SubmitJobRequest.DESCRIPTOR, request, with_maps=True)
    made = wire_spec(request, 1, pb.SubmitJobRequest().spec, Columns(), scanned)
    assert made.is_apart
    assert bytes(made.serialized()) == spec
    assert len(made.identity()) == 16
