"""What an error looks like on the wire, for every reason and every size of its parts."""

from __future__ import annotations

from typing import TypeVar

import grpc
import pytest
from basicaer.service.doors.grpc._status import CODES, status_of
from basicaer.service.errors import ServiceError
from basicaer.v1 import error_reason_pb2
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from hypothesis import example, given
from hypothesis import strategies as st

Detail = TypeVar("Detail", bound=Message)
REASONS = error_reason_pb2.ErrorReason.values()


def _detail(status: status_pb2.Status, kind: type[Detail]) -> Detail | None:
    for packed in status.details:
        detail = kind()
        if packed.Unpack(detail):
            return detail
    return None


def test_every_reason_has_a_code() -> None:
    assert set(CODES) == set(REASONS)


@pytest.mark.parametrize("reason", REASONS)
def test_a_status_carries_the_reason(reason: error_reason_pb2.ErrorReason.ValueType) -> None:
    status = status_of(ServiceError(reason, "why", metadata={"a": "b"}, field="spec.options.shots"))
    info = _detail(status, error_details_pb2.ErrorInfo)
    assert isinstance(info, error_details_pb2.ErrorInfo)
    assert info.domain == "basicaer.dev"
    assert f"ERROR_REASON_{info.reason}" == error_reason_pb2.ErrorReason.Name(reason)
    assert dict(info.metadata) == {"a": "b"}
    assert (status.code, status.message) == (CODES[reason].value[0], "why")
    bad = _detail(status, error_details_pb2.BadRequest)
    if CODES[reason] is grpc.StatusCode.INVALID_ARGUMENT:
        assert isinstance(bad, error_details_pb2.BadRequest)
        assert [violation.field for violation in bad.field_violations] == ["spec.options.shots"]
    else:
        assert bad is None
    assert _detail(status, error_details_pb2.RetryInfo) is None


def test_a_delay_is_told() -> None:
    error = ServiceError(error_reason_pb2.ERROR_REASON_QUEUE_FULL, "full", retry_after=1.5)
    retry = _detail(status_of(error), error_details_pb2.RetryInfo)
    assert isinstance(retry, error_details_pb2.RetryInfo)
    assert retry.retry_delay.ToTimedelta().total_seconds() == 1.5


@example(message="\x00\t\x1b[2J\n\x9b\u202e\u2028\U00018cd6 ü", metadata={}, field="")
@given(
    message=st.one_of(st.text(max_size=50), st.integers(0, 9000).map("ü".__mul__)),
    metadata=st.dictionaries(st.text(max_size=100), st.text(max_size=300), max_size=40),
    field=st.text(max_size=2000),
)
def test_details_stay_small(message: str, metadata: dict[str, str], field: str) -> None:
    error = ServiceError(
        error_reason_pb2.ERROR_REASON_PROGRAM_INVALID,
        message,
        metadata=metadata,
        field=field,
        retry_after=1.0,
    )
    status = status_of(error)
    assert status.ByteSize() <= 3000
    assert len(status.message.encode()) <= 1000
    # People read it: what isn't printable, unassigned characters included, is an escape; the rest stays.
    shown = "".join(
        one if one == "\n" or one.isprintable() else one.encode("unicode_escape").decode() for one in message
    )
    if len(shown.encode()) <= 500:
        assert status.message == shown
