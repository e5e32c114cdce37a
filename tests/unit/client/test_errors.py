"""Every way in which a call or a job fails becomes the right error, with all that the server said."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from basicaer import client
from basicaer.client._wire_errors import _CODES, REASONS, error_from_job, reason_name
from basicaer.v1 import error_reason_pb2, job_pb2
from google.protobuf import duration_pb2
from google.rpc import error_details_pb2, status_pb2

PASSING = (client.ServerUnavailableError, client.CallCancelledError, client.QueueFullError)
NAMES = [value.name.removeprefix("ERROR_REASON_") for value in error_reason_pb2.ErrorReason.DESCRIPTOR.values]


def test_every_reason_of_the_contract_is_mapped() -> None:
    assert set(REASONS) == set(NAMES) - {"UNSPECIFIED"}


def test_every_status_code_is_mapped() -> None:
    assert set(_CODES) == set(grpc.StatusCode) - {grpc.StatusCode.OK}


@pytest.mark.parametrize("reason", sorted(REASONS))
def test_a_call_carries_reason_metadata_and_cause(peer: Any, reason: str) -> None:
    def refuse(request: Any, context: grpc.ServicerContext) -> None:
        peer.abort(
            context, grpc.StatusCode.ABORTED, "what happened", reason, line="3", column="7", job_id="x"
        )

    peer.on("GetJob", refuse)
    # What may pass is asked for again until the time is over; for the others it has to be enough.
    timeout = 1.0 if issubclass(REASONS[reason], PASSING) else 30.0
    with (
        client.BasicAerProvider(peer.address, timeout=timeout) as provider,
        pytest.raises(REASONS[reason]) as caught,
    ):
        provider.retrieve_job("x")
    error = caught.value
    assert type(error) is REASONS[reason]
    assert (str(error), error.reason) == ("what happened", reason)
    assert error.metadata == {"line": "3", "column": "7", "job_id": "x"}
    assert (error.line, error.column, error.program_index) == (3, 7, None)
    assert isinstance(error.__cause__, grpc.RpcError)


def test_a_damaged_detail_is_left_aside(peer: Any, provider: client.BasicAerProvider) -> None:
    def refuse(request: Any, context: grpc.ServicerContext) -> None:
        context.set_trailing_metadata((("grpc-status-details-bin", b"\xff\xff\xff"),))
        context.abort(grpc.StatusCode.NOT_FOUND, "gone")

    peer.on("GetJob", refuse)
    with pytest.raises(client.NotFoundError, match="gone") as caught:
        provider.retrieve_job("x")
    assert caught.value.reason == ""


@pytest.mark.parametrize(("seconds", "expected"), [(2**63 - 1, 600.0), (-(2**63), 0.0), (2, 2.0)])
def test_a_delay_is_never_absurd(
    peer: Any, provider: client.BasicAerProvider, seconds: int, expected: float
) -> None:
    def refuse(request: Any, context: grpc.ServicerContext) -> None:
        status = status_pb2.Status(code=5, message="gone")
        delay = duration_pb2.Duration(seconds=seconds)
        status.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=delay))
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
        context.abort(grpc.StatusCode.NOT_FOUND, "gone")

    peer.on("GetJob", refuse)
    with pytest.raises(client.NotFoundError) as caught:
        provider.retrieve_job("x")
    assert caught.value.retry_after == expected


def test_memory_and_field_are_read_from_the_metadata(peer: Any, provider: client.BasicAerProvider) -> None:
    peer.on(
        "GetJob",
        lambda request, context: peer.abort(
            context,
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            reason="JOB_EXCEEDS_MEMORY",
            required_bytes="17592186044416",
            available_bytes="21474836480",
        ),
    )
    with pytest.raises(client.JobExceedsMemoryError) as caught:
        provider.retrieve_job("x")
    assert caught.value.required_bytes == 2**44
    assert caught.value.available_bytes == 20 * 2**30


def test_a_message_over_grpcs_own_limit_is_a_program_too_large(
    peer: Any, provider: client.BasicAerProvider
) -> None:
    peer.on("SubmitJob", lambda request, context: None)
    with pytest.raises(client.ProgramTooLargeError) as caught:
        provider.get_backend("qasm_simulator").run("x" * (5 << 20))
    assert caught.value.reason == "PROGRAM_TOO_LARGE"


def test_no_server_is_an_unavailable_one() -> None:
    with client.BasicAerProvider("127.0.0.1:1", timeout=1.0) as provider:
        with pytest.raises(client.ServerUnavailableError) as caught:
            provider.server_info()
        assert isinstance(caught.value, client.TransportError)
        assert not isinstance(caught.value, client.JobError)


def test_a_silent_server_is_a_timeout(peer: Any) -> None:
    peer.on("GetJob", lambda request, context: peer.hang(context))
    with (
        client.BasicAerProvider(peer.address, timeout=0.2) as provider,
        pytest.raises(client.CallTimeoutError),
    ):
        provider.retrieve_job("x")


def test_a_closed_provider_says_so(provider: client.BasicAerProvider) -> None:
    backend = provider.get_backend("qasm_simulator")
    provider.close()
    with pytest.raises(client.ClientClosedError):
        backend.run("OPENQASM 2.0;")


async def test_a_closed_asyncio_provider_says_so(peer: Any) -> None:
    async with client.AsyncBasicAerProvider(peer.address) as provider:
        backend = await provider.get_backend("qasm_simulator")
    with pytest.raises(client.ClientClosedError):
        await backend.run("OPENQASM 2.0;")


def test_a_web_address_is_refused_with_advice() -> None:
    with pytest.raises(client.BasicAerError, match="HOST:PORT"):
        client.BasicAerProvider("http://localhost:50051")


def test_the_address_comes_from_the_environment(peer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BASICAER_SERVER", peer.address)
    with client.BasicAerProvider() as provider:
        assert provider.server_info().version == "1"


def test_a_jobs_failure_is_a_job_error() -> None:
    cause = job_pb2.JobError(
        reason=error_reason_pb2.ERROR_REASON_SIMULATION_FAILED,
        message="1/0",
        program_index=2,
        metadata={"a": "b"},
    )
    error = error_from_job("id", job_pb2.JOB_STATUS_ERROR, cause)
    assert type(error) is client.JobFailedError
    assert (error.message, error.reason, error.program_index) == ("1/0", "SIMULATION_FAILED", 2)
    assert error.metadata["a"] == "b"
    cancelled = error_from_job("id", job_pb2.JOB_STATUS_CANCELLED, None)
    assert type(cancelled) is client.JobCancelledError
    assert cancelled.message == "Job id was cancelled."


def test_a_reason_of_a_later_version_keeps_its_number() -> None:
    assert reason_name(99) == "99"
    assert reason_name(0) == ""
