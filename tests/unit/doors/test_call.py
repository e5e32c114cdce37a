"""What a call is, without a door that carries it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from basicaer.service.access import Callers
from basicaer.service.callers import Caller
from basicaer.service.config import Config
from basicaer.service.doors.call import Call, Headers, Method
from basicaer.service.doors.codes import CODE_NAMES
from basicaer.service.errors import JobNotFoundError, ServiceError
from basicaer.service.telemetry import Metrics, Telemetry, Tracing
from basicaer.service.vital import Vital
from basicaer.v1 import error_reason_pb2 as reasons
from google.rpc import code_pb2

ADA = Caller("token:ada", admin=False)


class Noted:
    """A span that notes how its call ended."""

    def __init__(self) -> None:
        self.began: list[object] = []
        self.ended: list[str] = []

    def call(self, method: str, headers: Headers) -> Noted:
        self.began.append((method, list(headers)))
        return self

    def end(self, code: str) -> None:
        self.ended.append(code)


class Bench:
    """One method, and what is told of its calls."""

    def __init__(self, data_dir: Path) -> None:
        self.metrics = Metrics("1")
        self.span = Noted()
        config = Config(data_dir=data_dir, auth=("token",))
        self.callers = Callers(config, Vital())
        telemetry = Telemetry(self.metrics, cast(Tracing, self.span))
        self.method = Method("GetJob", self.callers, telemetry)

    def call(self, headers: Callable[[], Headers | None] = lambda: None) -> Call:
        return Call(self.method, headers)

    def calls(self, code: str) -> float | None:
        return self.metrics.registry.get_sample_value(
            "basicaer_rpc_calls_total", {"method": "GetJob", "code": code}
        )

    def refusals(self, cause: str) -> float | None:
        return self.metrics.registry.get_sample_value("basicaer_access_refusals_total", {"cause": cause})


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def nowhere() -> str:
    raise AssertionError("where it came from is asked for when it had no right alone")


def test_every_reason_is_a_failure_of_a_kind_that_google_names() -> None:
    assert set(CODE_NAMES) == set(reasons.ErrorReason.values())
    assert set(CODE_NAMES.values()) <= set(code_pb2.Code.keys()) - {"OK"}


async def test_a_call_that_is_answered(bench: Bench) -> None:
    call = bench.call(lambda: [("traceparent", "it")])
    assert bench.method.metrics.open == 1
    async with call.session(ADA):
        call.is_about(ADA, object())
        call.answered()
    call.end()
    assert bench.method.metrics.open == 0
    assert bench.calls("OK") == 1
    assert bench.span.began == [("GetJob", [("traceparent", "it")])]
    assert bench.span.ended == ["OK"]


def test_a_call_whose_caller_has_gone(bench: Bench) -> None:
    call = bench.call()
    call.cancelled()
    call.end()
    assert bench.calls("CANCELLED") == 1
    assert bench.span.ended == ["CANCELLED"]


def test_an_error_of_ours_is_told_as_it_is(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    call, error = bench.call(), JobNotFoundError("a secret\njob")
    with caplog.at_level(logging.DEBUG):
        assert call.failed(error, nowhere) is error
    call.end()
    assert bench.calls("NOT_FOUND") == 1
    assert "call refused" in caplog.messages
    assert "secret" not in caplog.text


def test_a_caller_without_the_right_is_counted(bench: Bench) -> None:
    call = bench.call()
    error = ServiceError(reasons.ERROR_REASON_UNAUTHENTICATED, "Who are you?", metadata={"cause": "missing"})
    assert call.failed(error, lambda: "ipv4:192.0.2.1:1") is error
    call.end()
    assert bench.calls("UNAUTHENTICATED") == 1
    assert bench.refusals("missing") == 1


def test_a_defect_is_told_by_an_id_alone(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    call = bench.call()
    told = call.failed(ZeroDivisionError("a secret"), nowhere)
    call.end()
    assert told.reason == reasons.ERROR_REASON_INTERNAL
    assert told.metadata["error_id"] in caplog.text
    assert "secret" not in told.message
    assert bench.calls("INTERNAL") == 1


def test_a_call_that_is_turned_away_was_never_under_way(bench: Bench) -> None:
    error = ServiceError(reasons.ERROR_REASON_PERMISSION_DENIED, "You may not.", metadata={})
    bench.method.turned_away(error, lambda: "unix:")
    assert bench.method.metrics.open == 0
    assert bench.calls("PERMISSION_DENIED") == 1
    assert bench.refusals("permission_denied") == 1
    assert bench.span.began == []
