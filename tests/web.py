"""Clients of the HTTP door: one that makes requests, and one that looks like a gRPC stub, so that what is
tested of a door can be tested of both.
"""

from __future__ import annotations

import http.client
import json
import select
import ssl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import grpc
from basicaer.v1 import job_service_pb2 as pb
from basicaer.v1.diagnostic_pb2 import Diagnostics
from google.protobuf import any_pb2, json_format
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

TIMEOUT = 60.0
_PIECE = 64 * 1024
_Made = TypeVar("_Made", bound=Message)


@dataclass
class Answer:
    """A response that was read to its end; the names of its headers in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """What the body says."""
        return json.loads(self.body)


@dataclass
class Frame:
    """A server-sent event; `comment` is a comment instead."""

    identity: str | None = None
    event: str = "message"
    data: str = ""
    comment: str = ""

    @property
    def json(self) -> Any:
        """What the data say."""
        return json.loads(self.data)


@dataclass
class Web:
    """Makes requests to a server."""

    url: str
    token: str = ""
    context: ssl.SSLContext | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def connect(self) -> http.client.HTTPConnection:
        """Return a connection, not open yet."""
        host = urlsplit(self.url).netloc
        if self.url.startswith("https:"):
            return http.client.HTTPSConnection(host, timeout=TIMEOUT, context=self.context)
        return http.client.HTTPConnection(host, timeout=TIMEOUT)

    def begin(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        body: Any,
        headers: dict[str, str],
    ) -> http.client.HTTPResponse:
        """Send a request, and return the response when its head is there."""
        told = {**self.headers, **headers}
        if self.token:
            told["Authorization"] = f"Bearer {self.token}"
        data = body
        if isinstance(body, dict):
            data = json.dumps(body).encode()
            told.setdefault("Content-Type", "application/json")
        if data is not None:
            told["Content-Length"] = str(len(data))
        connection.putrequest(method, path, skip_host="Host" in told, skip_accept_encoding=True)
        for name, value in told.items():
            connection.putheader(name, value)
        connection.endheaders()
        for begin in range(0, len(data or b""), _PIECE):
            # Who is refused meanwhile needn't send the rest. By TLS other things come, too.
            if not self.context and select.select([connection.sock], [], [], 0)[0]:
                break
            connection.send(data[begin : begin + _PIECE])
        return connection.getresponse()

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Return the response to a request; `body` is bytes, or a dict for JSON."""
        connection = self.connect()
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            response = self.begin(connection, method, path, body, named)
            told = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status, told, response.read())
        finally:
            connection.close()

    @contextmanager
    def events(
        self, path: str, method: str = "GET", body: Any = None, **headers: str
    ) -> Iterator[Iterator[Frame] | Answer]:
        """Give the events of a stream as they come, or the response that is none."""
        connection = self.connect()
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            response = self.begin(connection, method, path, body, {"Accept": "text/event-stream", **named})
            told = {name.lower(): value for name, value in response.headers.items()}
            if told.get("content-type") == "text/event-stream":
                yield _frames(response)
            else:
                yield Answer(response.status, told, response.read())
        finally:
            connection.close()


def _frames(response: http.client.HTTPResponse) -> Iterator[Frame]:
    frame, filled = Frame(), False
    while line := response.readline():
        text = line.decode().rstrip("\n")
        if not text:
            if filled:
                yield frame
            frame, filled = Frame(), False
            continue
        filled = True
        name, _, value = text.partition(":")
        value = value.removeprefix(" ")
        if name == "":
            frame.comment = value
        elif name == "id":
            frame.identity = value
        elif name == "event":
            frame.event = value
        elif name == "data":
            frame.data += value


class WebError(grpc.RpcError):
    """A problem as gRPC's callers would get it."""

    def __init__(self, answer: Answer | None) -> None:
        super().__init__(answer)
        self.problem: dict[str, Any] = answer.json if answer is not None else {}
        self.http_status = answer.status if answer is not None else 0

    def code(self) -> grpc.StatusCode:
        """The code that the status stands for, as far as tests ask for it."""
        by_reason = {"JOB_NOT_FINAL": grpc.StatusCode.FAILED_PRECONDITION}
        by_status = {
            0: grpc.StatusCode.UNAVAILABLE,
            400: grpc.StatusCode.INVALID_ARGUMENT,
            401: grpc.StatusCode.UNAUTHENTICATED,
            403: grpc.StatusCode.PERMISSION_DENIED,
            404: grpc.StatusCode.NOT_FOUND,
            409: grpc.StatusCode.ALREADY_EXISTS,
            413: grpc.StatusCode.RESOURCE_EXHAUSTED,
            429: grpc.StatusCode.RESOURCE_EXHAUSTED,
            500: grpc.StatusCode.INTERNAL,
            503: grpc.StatusCode.UNAVAILABLE,
        }
        return by_reason.get(self.problem.get("reason", "")) or by_status[self.http_status]

    def details(self) -> str:
        """The text."""
        return str(self.problem.get("detail", ""))

    def trailing_metadata(self) -> Any:
        """The details, as gRPC has them."""
        if "reason" not in self.problem:
            return ()
        told: list[Message] = [
            error_details_pb2.ErrorInfo(
                reason=self.problem["reason"], domain="basicaer.dev", metadata=self.problem["metadata"]
            )
        ]
        if "fieldViolations" in self.problem:
            wrong = {"fieldViolations": self.problem["fieldViolations"]}
            told.append(json_format.ParseDict(wrong, error_details_pb2.BadRequest()))
        if "retryDelay" in self.problem:
            delay = {"retryDelay": self.problem["retryDelay"]}
            told.append(json_format.ParseDict(delay, error_details_pb2.RetryInfo()))
        if "diagnostics" in self.problem:
            told.append(json_format.ParseDict(self.problem["diagnostics"], Diagnostics()))
        status = status_pb2.Status(message=self.details())
        for one in told:
            packed = any_pb2.Any()
            packed.Pack(one)
            status.details.append(packed)
        return (("grpc-status-details-bin", status.SerializeToString()),)


class WebStub:
    """The contract's methods, called by HTTP: messages in and out, as of gRPC's stub."""

    def __init__(self, web: Web) -> None:
        self._web = web

    def _call(self, kind: type[_Made], method: str, path: str, body: Any = None, **headers: str) -> _Made:
        try:
            answer = self._web.call(method, path, body, **headers)
        except OSError:
            raise WebError(None) from None
        if answer.status >= 400:
            raise WebError(answer)
        return json_format.Parse(answer.body, kind())

    def _stream(
        self, kind: type[_Made], path: str, method: str = "GET", body: Any = None, **headers: str
    ) -> Iterator[_Made]:
        try:
            with self._web.events(path, method, body, **headers) as frames:
                if isinstance(frames, Answer):
                    raise WebError(frames)
                for frame in frames:
                    if frame.event == "problem":
                        raise WebError(Answer(frame.json["status"], {}, frame.data.encode()))
                    if frame.data:
                        yield json_format.Parse(frame.data, kind())
        except OSError:
            raise WebError(None) from None

    def SubmitJob(self, request: pb.SubmitJobRequest) -> pb.SubmitJobResponse:
        query = "?validate_only=true" if request.validate_only else ""
        headers = {"Idempotency-Key": request.request_id} if request.request_id else {}
        return self._call(pb.SubmitJobResponse, "POST", f"/v1/jobs{query}", _dict(request.spec), **headers)

    def RunJob(self, request: pb.RunJobRequest) -> Iterable[pb.RunJobResponse]:
        query = _query(request, {"spec", "requestId"})
        headers = {"Idempotency-Key": request.request_id} if request.request_id else {}
        return self._stream(pb.RunJobResponse, f"/v1/jobs:run{query}", "POST", _dict(request.spec), **headers)

    def WatchJob(self, request: pb.WatchJobRequest) -> Iterable[pb.WatchJobResponse]:
        path = f"/v1/jobs/{request.job_id}:watch{_query(request, {'jobId'})}"
        return self._stream(pb.WatchJobResponse, path)

    def GetJob(self, request: pb.GetJobRequest) -> pb.GetJobResponse:
        path = f"/v1/jobs/{request.job_id}{_query(request, {'jobId'})}"
        return self._call(pb.GetJobResponse, "GET", path)

    def ListJobs(self, request: pb.ListJobsRequest) -> pb.ListJobsResponse:
        return self._call(pb.ListJobsResponse, "GET", f"/v1/jobs{_query(request, set())}")

    def CancelJob(self, request: pb.CancelJobRequest) -> pb.CancelJobResponse:
        body = {"reason": request.reason} if request.reason else None
        return self._call(pb.CancelJobResponse, "POST", f"/v1/jobs/{request.job_id}:cancel", body)

    def DeleteJob(self, request: pb.DeleteJobRequest) -> pb.DeleteJobResponse:
        return self._call(pb.DeleteJobResponse, "DELETE", f"/v1/jobs/{request.job_id}")

    def ReadResult(self, request: pb.ReadResultRequest) -> Iterable[pb.ReadResultResponse]:
        part = f"/{request.part}" if request.part else ""
        try:
            answer = self._web.call(
                "GET", f"/v1/jobs/{request.job_id}/result{part}", Accept="application/protobuf"
            )
        except OSError:
            raise WebError(None) from None
        if answer.status >= 400:
            raise WebError(answer)
        yield pb.ReadResultResponse(header=pb.ResultHeader(etag=answer.headers["etag"].strip('"')))
        yield pb.ReadResultResponse(chunk=pb.ResultChunk(data=answer.body))

    def GetServerInfo(self, request: pb.GetServerInfoRequest) -> pb.GetServerInfoResponse:
        return self._call(pb.GetServerInfoResponse, "GET", "/v1/info")

    def ListBackends(self, request: pb.ListBackendsRequest) -> pb.ListBackendsResponse:
        return self._call(pb.ListBackendsResponse, "GET", "/v1/backends")


def _dict(message: Message) -> dict[str, Any]:
    made: dict[str, Any] = json_format.MessageToDict(message)
    return made


def _query(request: Message, besides: set[str]) -> str:
    """The request's fields as a query, without those that are elsewhere."""
    pairs: list[tuple[str, str]] = []
    for name, value in _dict(request).items():
        if name in besides:
            continue
        if isinstance(value, dict):
            pairs += [(f"{name}[{key}]", text) for key, text in value.items()]
        elif isinstance(value, list):
            pairs += [(name, text) for text in value]
        else:
            pairs.append((name, str(value)))
    return f"?{urlencode(pairs, quote_via=quote)}" if pairs else ""
