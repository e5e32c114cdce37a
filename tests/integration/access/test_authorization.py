"""Who may do what: every RPC as every kind of caller, against live servers."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from basicaer.v1 import job_pb2
from basicaer.v1 import job_service_pb2 as pb

from tests.integration.access.conftest import Callers, Stub, secret_part
from tests.integration.conftest import Wire

Code = grpc.StatusCode
# Callers that aren't let in, and what they are told.
REFUSED = {
    "none": (Code.UNAUTHENTICATED, "missing"),
    "bad secret": (Code.UNAUTHENTICATED, "unknown"),
    "unknown id": (Code.UNAUTHENTICATED, "unknown"),
    "expired": (Code.UNAUTHENTICATED, "expired"),
    "revoked": (Code.UNAUTHENTICATED, "revoked"),
    "jwt expired": (Code.UNAUTHENTICATED, "expired"),
    "jwt without role": (Code.PERMISSION_DENIED, None),
}
MUTUALLY_REFUSED = {
    "bad token": (Code.UNAUTHENTICATED, "unknown"),
    "no name": (Code.PERMISSION_DENIED, None),
}


@dataclass
class Target:
    """The owner's final job, and how it was submitted."""

    job_id: str
    request_id: str


def _spec(request_id: str) -> job_pb2.JobSpec:
    spec = Wire.bell()
    spec.labels["request"] = request_id
    return spec


def _submit(stub: Stub, target: Target) -> str:
    return stub.SubmitJob(
        pb.SubmitJobRequest(spec=_spec(target.request_id), request_id=target.request_id)
    ).job.job_id


def _run(stub: Stub, target: Target) -> str:
    return Wire.run(stub, _spec(target.request_id), target.request_id)[0].job.job_id


def _watch(stub: Stub, target: Target) -> str:
    request = pb.WatchJobRequest(job_id=target.job_id, after_sequence=0)
    return next(iter(list(stub.WatchJob(request)))).job.job_id


def _get(stub: Stub, target: Target) -> str:
    return stub.GetJob(pb.GetJobRequest(job_id=target.job_id)).job.job_id


def _list(stub: Stub, target: Target) -> str:
    """The owner's job's id if it is listed, by every road to it."""
    requests = [
        pb.ListJobsRequest(page_size=1000),
        pb.ListJobsRequest(page_size=1000, statuses=[job_pb2.JOB_STATUS_DONE]),
        pb.ListJobsRequest(page_size=1000, backend_name="qasm_simulator"),
        pb.ListJobsRequest(page_size=1000, labels={"request": target.request_id}),
    ]
    found = [target.job_id in {job.job_id for job in stub.ListJobs(request).jobs} for request in requests]
    assert len(set(found)) == 1
    return target.job_id if found[0] else ""


def _cancel(stub: Stub, target: Target) -> str:
    return stub.CancelJob(pb.CancelJobRequest(job_id=target.job_id)).job.job_id


def _delete(stub: Stub, target: Target) -> str:
    stub.DeleteJob(pb.DeleteJobRequest(job_id=target.job_id))
    return target.job_id


def _read(stub: Stub, target: Target) -> str:
    assert next(iter(stub.ReadResult(pb.ReadResultRequest(job_id=target.job_id)))).header.etag
    return target.job_id


def _info(stub: Stub, target: Target) -> str:
    return stub.GetServerInfo(pb.GetServerInfoRequest()).version and ""


def _backends(stub: Stub, target: Target) -> str:
    return stub.ListBackends(pb.ListBackendsRequest()).backends[0].name and ""


# What each RPC gives: the id of the job that it was about.
RPCS: dict[str, Callable[[Stub, Target], str]] = {
    "SubmitJob": _submit,
    "RunJob": _run,
    "WatchJob": _watch,
    "GetJob": _get,
    "ListJobs": _list,
    "CancelJob": _cancel,
    "DeleteJob": _delete,
    "ReadResult": _read,
    "GetServerInfo": _info,
    "ListBackends": _backends,
}
ABOUT_A_JOB = ["WatchJob", "GetJob", "CancelJob", "DeleteJob", "ReadResult"]
BY_REQUEST_ID = ["SubmitJob", "RunJob"]
ABOUT_NONE = ["GetServerInfo", "ListBackends"]


def _target(callers: Callers) -> Target:
    request_id = uuid.uuid4().hex
    with callers.as_caller["owner"]() as stub:
        job_id = Wire.run(stub, _spec(request_id), request_id)[0].job.job_id
    return Target(job_id, request_id)


@pytest.fixture
def target(callers: Callers) -> Target:
    """A job of the owner's."""
    return _target(callers)


@pytest.fixture
def mutual_target(mutual: Callers) -> Target:
    """A job of the owner's on the server with mutual TLS."""
    return _target(mutual)


def test_the_table_has_every_rpc() -> None:
    service = pb.DESCRIPTOR.services_by_name["JobService"]
    assert set(RPCS) == {method.name for method in service.methods}
    assert set(RPCS) == {*ABOUT_A_JOB, *BY_REQUEST_ID, *ABOUT_NONE, "ListJobs"}


def _assert_refused(callers: Callers, target: Target, rpc: str, name: str, code: Any, cause: Any) -> None:
    messages = set()
    for seen in (target, Target("no-such-job", "another-id")):
        with callers.as_caller[name]() as stub, Wire.fails() as failure:
            RPCS[rpc](stub, seen)
        assert (failure.code, failure.reason) == (code, code.name)
        assert failure.metadata == ({"cause": cause} if cause else {})
        messages.add(failure.message)
    assert len(messages) == 1
    with callers.as_caller["owner"]() as stub:
        assert _get(stub, target) == target.job_id


@pytest.mark.parametrize("rpc", RPCS)
@pytest.mark.parametrize("name", REFUSED)
def test_who_is_not_let_in_learns_nothing(callers: Callers, target: Target, rpc: str, name: str) -> None:
    _assert_refused(callers, target, rpc, name, *REFUSED[name])


@pytest.mark.parametrize("rpc", RPCS)
@pytest.mark.parametrize("name", MUTUALLY_REFUSED)
def test_who_is_not_let_in_by_certificate(
    mutual: Callers, mutual_target: Target, rpc: str, name: str
) -> None:
    _assert_refused(mutual, mutual_target, rpc, name, *MUTUALLY_REFUSED[name])


@pytest.mark.parametrize("rpc", RPCS)
@pytest.mark.parametrize("name", ["no certificate", "certificate of another authority"])
def test_without_a_certificate_there_is_no_connection(
    mutual: Callers, mutual_target: Target, rpc: str, name: str
) -> None:
    with mutual.as_caller[name]() as stub, Wire.fails() as failure:
        RPCS[rpc](stub, mutual_target)
    assert (failure.code, failure.reason) == (Code.UNAVAILABLE, "")


def _assert_other(callers: Callers, target: Target, rpc: str, name: str) -> None:
    with callers.as_caller[name]() as stub:
        if rpc in ABOUT_A_JOB:
            answers = []
            for job_id in (target.job_id, target.job_id[:-4] + "0000"):
                with Wire.fails() as failure:
                    RPCS[rpc](stub, Target(job_id, ""))
                assert failure.metadata == {"job_id": job_id}
                answers.append((failure.code, failure.reason, failure.message, failure.details_size))
            # Another's job and one that isn't there: the same, to the byte.
            assert answers[0] == answers[1]
            assert answers[0][:2] == (Code.NOT_FOUND, "JOB_NOT_FOUND")
        elif rpc in BY_REQUEST_ID:
            # The same request id is another's, so it makes a job of the caller's own.
            own = RPCS[rpc](stub, target)
            assert own not in ("", target.job_id)
        else:
            assert RPCS[rpc](stub, target) == ""
    with callers.as_caller["owner"]() as stub:
        assert _get(stub, target) == target.job_id


@pytest.mark.parametrize("rpc", RPCS)
@pytest.mark.parametrize("name", ["other", "jwt of that name"])
def test_others_see_nothing_of_a_job(callers: Callers, target: Target, rpc: str, name: str) -> None:
    _assert_other(callers, target, rpc, name)


@pytest.mark.parametrize("rpc", RPCS)
@pytest.mark.parametrize("name", ["other", "token of that name"])
def test_other_certificates_see_nothing_of_a_job(
    mutual: Callers, mutual_target: Target, rpc: str, name: str
) -> None:
    _assert_other(mutual, mutual_target, rpc, name)


@pytest.mark.parametrize("rpc", RPCS)
@pytest.mark.parametrize("name", ["owner", "owner's second token"])
def test_the_owner_may_do_everything(callers: Callers, target: Target, rpc: str, name: str) -> None:
    with callers.as_caller[name]() as stub:
        assert RPCS[rpc](stub, target) == ("" if rpc in ABOUT_NONE else target.job_id)


@pytest.mark.parametrize("rpc", RPCS)
def test_the_owner_by_certificate_may_do_everything(mutual: Callers, mutual_target: Target, rpc: str) -> None:
    with mutual.as_caller["owner"]() as stub:
        assert RPCS[rpc](stub, mutual_target) == ("" if rpc in ABOUT_NONE else mutual_target.job_id)


def _assert_admin(callers: Callers, target: Target, rpc: str, name: str) -> None:
    with callers.as_caller[name]() as stub:
        found = RPCS[rpc](stub, target)
    if rpc in BY_REQUEST_ID:
        # An admin's own jobs are its own too.
        assert found not in ("", target.job_id)
    else:
        assert found == ("" if rpc in ABOUT_NONE else target.job_id)


@pytest.mark.parametrize("rpc", RPCS)
@pytest.mark.parametrize("name", ["admin", "jwt admin"])
def test_an_admin_may_do_everything(callers: Callers, target: Target, rpc: str, name: str) -> None:
    _assert_admin(callers, target, rpc, name)


@pytest.mark.parametrize("rpc", RPCS)
def test_an_admin_by_certificate_may_do_everything(mutual: Callers, mutual_target: Target, rpc: str) -> None:
    _assert_admin(mutual, mutual_target, rpc, "admin")


@pytest.mark.parametrize("name", ["owner", "owner's second token", "admin", "jwt admin"])
def test_who_sees_a_job_sees_whose_it_is(callers: Callers, target: Target, name: str) -> None:
    job_id = target.job_id
    with callers.as_caller[name]() as stub:
        listed = stub.ListJobs(pb.ListJobsRequest(labels={"request": target.request_id})).jobs
        watched = next(iter(list(stub.WatchJob(pb.WatchJobRequest(job_id=job_id, after_sequence=0)))))
        got = stub.GetJob(pb.GetJobRequest(job_id=job_id)).job
        cancelled = stub.CancelJob(pb.CancelJobRequest(job_id=job_id)).job
        own = stub.SubmitJob(pb.SubmitJobRequest(spec=Wire.bell())).job
    assert {job.principal for job in (*listed, watched.job, got, cancelled)} == {"token:ada"}
    assert own.principal == {"admin": "token:root", "jwt admin": "jwt:carol"}.get(name, "token:ada")


def test_whose_jobs_a_server_is_busy_with_is_for_admins(callers: Callers, wire: Wire) -> None:
    """Everybody is told of themselves, and of nobody else."""

    def busy(name: str) -> set[str]:
        with callers.as_caller[name]() as stub:
            loads = stub.GetServerInfo(pb.GetServerInfoRequest()).callers
        assert all(load.queued_jobs + load.running_jobs for load in loads)
        return {load.principal for load in loads}

    with callers.as_caller["owner"]() as owner, callers.as_caller["other"]() as other:
        jobs = [(stub, wire.submit(stub, wire.endless()).job_id) for stub in (owner, other)]
        try:
            assert {name: busy(name) for name in ("owner", "other", "jwt of that name")} == {
                "owner": {"token:ada"},
                "other": {"token:bob"},
                "jwt of that name": set(),
            }
            for admin in ("admin", "jwt admin"):
                assert {"token:ada", "token:bob"} <= busy(admin)
        finally:
            for stub, job_id in jobs:
                stub.CancelJob(pb.CancelJobRequest(job_id=job_id))
    for name in REFUSED:
        with wire.fails() as failure:
            busy(name)
        assert (failure.code, failure.reason) == (REFUSED[name][0], REFUSED[name][0].name)


def test_a_page_token_is_its_callers_own(callers: Callers) -> None:
    for _ in range(2):
        _target(callers)
    with callers.as_caller["owner"]() as stub:
        token = stub.ListJobs(pb.ListJobsRequest(page_size=1)).next_page_token
    assert token
    with callers.as_caller["other"]() as stub, Wire.fails() as failure:
        stub.ListJobs(pb.ListJobsRequest(page_size=1, page_token=token))
    assert failure.reason == "BAD_PAGE_TOKEN"


def test_running_jobs_are_hidden_too(callers: Callers, wire: Wire) -> None:
    with callers.as_caller["owner"]() as owner, callers.as_caller["other"]() as other:
        job = wire.submit(owner, wire.endless())
        wire.wait_running(owner, job.job_id)
        for call in (_watch, _get, _cancel, _delete, _read):
            with wire.fails() as failure:
                call(other, Target(job.job_id, ""))
            assert failure.reason == "JOB_NOT_FOUND"
        assert not other.ListJobs(pb.ListJobsRequest(statuses=[job_pb2.JOB_STATUS_RUNNING])).jobs
        owner.CancelJob(pb.CancelJobRequest(job_id=job.job_id))


@pytest.mark.parametrize("rpc", ["SubmitJob", "RunJob"])
def test_what_strangers_send_is_not_read(callers: Callers, wire: Wire, rpc: str) -> None:
    # Whoever is let in learns that it is too large, for which it must have been read.
    for name, reason in (("none", "UNAUTHENTICATED"), ("owner", "PROGRAM_TOO_LARGE")):
        with callers.as_caller[name]() as stub, wire.fails() as failure:
            kind = pb.SubmitJobRequest if rpc == "SubmitJob" else pb.RunJobRequest
            answer = getattr(stub, rpc)(kind(spec=wire.qasm("/" * (100 << 20))))
            list(answer) if rpc == "RunJob" else None
        assert failure.reason == reason


def test_no_secret_is_in_the_log(callers: Callers) -> None:
    for name, as_caller in callers.as_caller.items():
        with as_caller() as stub, Wire.fails() if name in REFUSED else contextlib.nullcontext():
            stub.GetServerInfo(pb.GetServerInfoRequest())
    # At the level "debug", and with whatever the tests above have left.
    log = callers.server.log.read_text()
    assert "call refused method=GetServerInfo" in log
    for secret in callers.secrets:
        assert secret not in log
        assert secret_part(secret) not in log
    data = b"".join(path.read_bytes() for path in callers.server.data_dir.iterdir() if path.is_file())
    for secret in callers.secrets:
        assert secret.encode() not in data
