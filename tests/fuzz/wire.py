"""Calls of a live server: any bytes as any RPC's request. Every answer is one that the contract lists.

An input is a number that chooses the RPC, and the request's bytes. In these "@job" and "@token" stand for a
final job of the server and for one of its page tokens, so that an input means the same to every server.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from random import Random
from typing import Any

import grpc
from basicaer.v1 import job_service_pb2 as pb
from basicaer.v1 import job_service_pb2_grpc
from google.protobuf import message_factory
from google.protobuf.message import DecodeError, Message

from tests.fuzz.inputs.mutation import mutate_bytes, mutate_message
from tests.fuzz.inputs.seeds import OPENQASM2_WORDS, WORDS, golden, specs
from tests.fuzz.server.live import Live, live, reason_of
from tests.fuzz.targets import Target

__all__ = ["METHODS", "WIRE", "allowed_of"]

_SERVICE = pb.DESCRIPTOR.services_by_name["JobService"]
METHODS = tuple(_SERVICE.methods)
_STREAMS = ("RunJob", "WatchJob", "ReadResult")
# May last as long as their caller likes, so that the time is up is no failure of the server's.
_WAITING = ("RunJob", "WatchJob", "GetJob")
_PATIENCE, _LIMIT = 0.25, 60.0
# Messages of a stream that are looked at.
_MOST_MESSAGES = 50

# What the service's comment says of each RPC, as "CODE REASON".
_ANY = {
    "INVALID_ARGUMENT OPTION_INVALID",
    "RESOURCE_EXHAUSTED PROGRAM_TOO_LARGE",
    "UNAVAILABLE DRAINING",
    "UNAVAILABLE STORE_BUSY",
}
_SUBMITTING = {
    "INVALID_ARGUMENT PROGRAM_INVALID",
    "NOT_FOUND BACKEND_NOT_FOUND",
    "ALREADY_EXISTS REQUEST_ID_REUSED",
    "RESOURCE_EXHAUSTED QUEUE_FULL",
    "RESOURCE_EXHAUSTED JOB_EXCEEDS_MEMORY",
}
_FOUND = "NOT_FOUND JOB_NOT_FOUND"
_LISTED: dict[str, set[str]] = {
    "SubmitJob": _SUBMITTING,
    "RunJob": _SUBMITTING,
    "WatchJob": {_FOUND, "OUT_OF_RANGE EVENTS_COMPACTED"},
    "GetJob": {_FOUND},
    "ListJobs": {"INVALID_ARGUMENT BAD_PAGE_TOKEN"},
    "CancelJob": {_FOUND},
    "DeleteJob": {_FOUND, "FAILED_PRECONDITION JOB_NOT_FINAL"},
    "ReadResult": {
        _FOUND,
        "NOT_FOUND PART_NOT_FOUND",
        "FAILED_PRECONDITION RESULT_NOT_READY",
        "FAILED_PRECONDITION RESULT_EXPIRED",
        "FAILED_PRECONDITION RESULT_UNAVAILABLE",
        "FAILED_PRECONDITION ETAG_MISMATCH",
        "OUT_OF_RANGE READ_OFFSET_OUT_OF_RANGE",
    },
    "GetServerInfo": set(),
    "ListBackends": set(),
}


def allowed_of(method: str) -> set[str]:
    """Returns the failures of an RPC that the contract lists."""
    return _LISTED[method] | _ANY


class _Server:
    """The server that is called, and what placeholders stand for."""

    def __init__(self) -> None:
        self.live: Live | None = None
        self._names: dict[str, str] = {}

    @contextlib.contextmanager
    def around(self) -> Iterator[None]:
        """Runs it."""
        with live() as self.live:
            yield

    def fill_in(self, method: Any, data: bytes) -> bytes:
        """Returns a request with this server's names in it."""
        try:
            request: Any = message_factory.GetMessageClass(method.input_type).FromString(data)
        except DecodeError:
            return data
        filled = False
        for field in ("job_id", "page_token"):
            if field in method.input_type.fields_by_name and getattr(request, field) in ("@job", "@token"):
                setattr(request, field, self._name(getattr(request, field)))
                filled = True
        return request.SerializeToString() if filled else data

    def forget(self) -> None:
        """Takes other names from now on, since the job may be gone."""
        self._names = {}

    def _name(self, placeholder: str) -> str:
        if not self._names:
            assert self.live is not None
            stub = job_service_pb2_grpc.JobServiceStub(self.live.channel)
            for _ in range(2):
                messages = list(stub.RunJob(pb.RunJobRequest(spec=specs()[2])))
            token = stub.ListJobs(pb.ListJobsRequest(page_size=1)).next_page_token
            self._names = {"@job": messages[0].job.job_id, "@token": token}
        return self._names[placeholder]


_server = _Server()


def _run(data: bytes) -> None:
    server = _server.live
    assert server is not None
    method = METHODS[(data[0] if data else 0) % len(METHODS)]
    limit = _PATIENCE if method.name in _WAITING else _LIMIT
    path = f"/{_SERVICE.full_name}/{method.name}"
    kind = message_factory.GetMessageClass(method.output_type)
    request = _server.fill_in(method, data[1:])
    try:
        if method.name in _STREAMS:
            open_stream: grpc.UnaryStreamMultiCallable[bytes, bytes] = server.channel.unary_stream(path)
            stream = open_stream(request, timeout=limit)
            for _, answer in zip(range(_MOST_MESSAGES), stream, strict=False):
                kind.FromString(answer)
            stream.cancel()
        else:
            ask: grpc.UnaryUnaryMultiCallable[bytes, bytes] = server.channel.unary_unary(path)
            kind.FromString(ask(request, timeout=limit))
            if method.name == "DeleteJob":
                _server.forget()
    except grpc.RpcError as error:
        code = error.code()
        if not (code is grpc.StatusCode.DEADLINE_EXCEEDED and method.name in _WAITING):
            told = f"{code.name} {reason_of(error)}"
            assert told in allowed_of(method.name), f"{method.name}: {told}: {error}"
    server.check()


def _seeds() -> list[bytes]:
    made: list[tuple[str, Message]] = []
    for spec in specs():
        made.append(("SubmitJob", pb.SubmitJobRequest(spec=spec, request_id=f"{len(made)}")))
        made.append(("RunJob", pb.RunJobRequest(spec=spec)))
        made.append(("SubmitJob", pb.SubmitJobRequest(spec=spec, validate_only=True)))
    for method in METHODS:
        kind = message_factory.GetMessageClass(method.input_type)
        made += [(method.name, message) for message in [*golden(kind), kind()]]
    numbers = {method.name: number for number, method in enumerate(METHODS)}
    return [bytes([numbers[name]]) + message.SerializeToString() for name, message in made]


def _mutate(data: bytes, random: Random) -> bytes:
    if not data or not random.randrange(20):
        return mutate_bytes(data, random)
    method = METHODS[data[0] % len(METHODS)]
    try:
        message = message_factory.GetMessageClass(method.input_type).FromString(data[1:])
    except DecodeError:
        return data[:1] + mutate_bytes(data[1:], random)
    words = (*WORDS, *OPENQASM2_WORDS, "@job", "@token")
    for _ in range(random.randrange(1, 4)):
        mutate_message(message, random, words)
    if "job_id" in method.input_type.fields_by_name and random.randrange(4):
        message.job_id = "@job"  # type: ignore[attr-defined]  # of the requests that have it
    if random.randrange(10):
        return data[:1] + message.SerializeToString()
    return data[:1] + mutate_bytes(message.SerializeToString(), random)


WIRE = Target(
    name="wire",
    run=_run,
    seeds=_seeds,
    mutate=_mutate,
    around=_server.around,
)
