"""A client of the HTTP door behind the protocol of `README.md`: HTTP, JSON and server-sent events, no gRPC.

python -m tests.conformance.web.runner URL

It keeps what `README.md` asks of a client: one key for all tries of a submission, a cursor for events, a
range for what is left of an array. An error's reply has no `code`, which HTTP hasn't.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import google_crc32c
import numpy as np
from basicaer.client import Result
from basicaer.v1 import result_pb2
from google.protobuf import json_format

from tests.conformance.python_runner import seen_outputs, serve
from tests.web import Answer, Web

_Given = TypeVar("_Given")
_FINAL = {"DONE", "CANCELLED", "ERROR"}
_TRIES, _PAUSE = 8, 0.05


class _ProblemError(Exception):
    """An answer that says what is wrong."""

    def __init__(self, document: dict[str, Any]) -> None:
        super().__init__(document)
        self.document = document


class _BrokenError(Exception):
    """The connection ended before the answer did."""


class WebRunner:
    """One method for each operation of the protocol."""

    def __init__(self, url: str) -> None:
        self._web = Web(url)

    def reply(self, request: dict[str, Any]) -> dict[str, Any]:
        """Carries out one request."""
        arguments = {name: value for name, value in request.items() if name != "op"}
        try:
            reply: dict[str, Any] = getattr(self, request["op"])(**arguments)
        except _ProblemError as problem:
            told = problem.document
            return {"error": {"reason": told["reason"], "metadata": told["metadata"]}}
        return reply

    def submit(self, spec: dict[str, Any], request_id: str | None = None) -> dict[str, Any]:
        """A job."""
        key = request_id or uuid.uuid4().hex
        answer = _tried(lambda: self._ask("POST", "/v1/jobs", spec, Idempotency_Key=key))
        return {"job_id": answer.json["job"]["jobId"]}

    def watch(self, job_id: str, after_sequence: int = 0, until: str | None = None) -> dict[str, Any]:
        """The durable events."""
        events: list[dict[str, Any]] = []

        def follow() -> None:
            last = events[-1]["sequence"] if events else after_sequence
            for event in self._events(job_id, last):
                if event is None:
                    return
                sequence = int(event.get("sequence", 0))
                if "status" not in event or sequence <= last:
                    continue
                if sequence != last + 1:
                    raise _BrokenError
                last = sequence
                status = _status(event["status"]["status"])
                events.append({"sequence": sequence, "status": status})
                if status == until or status in _FINAL:
                    return
            raise _BrokenError

        _tried(follow)
        return {"events": events}

    def counts(self, job_id: str) -> dict[str, Any]:
        """The counts of every program."""
        result = self._result(job_id)
        return {"counts": [result.get_counts(index) for index in range(len(result.results))]}

    def outputs(self, job_id: str) -> dict[str, Any]:
        """The values of every program's outputs."""
        result = self._result(job_id)
        return {"outputs": [seen_outputs(result.get_outputs(index)) for index in range(len(result.results))]}

    def methods(self, job_id: str) -> dict[str, Any]:
        """How the state of every program was held, and why so."""
        result = self._result(job_id)
        return {
            "methods": [
                {"method": each.simulation_method.upper(), "reason": each.reason} for each in result.results
            ]
        }

    def state(self, job_id: str, part: str, at: list[int]) -> dict[str, Any]:
        """Some amplitudes."""
        message = self._message(job_id)
        (described,) = (
            array for program in message.programs for array in program.arrays if array.part == part
        )
        data = _tried(lambda: self._array(f"/v1/jobs/{job_id}/result/{part}"))
        array = np.frombuffer(data, described.dtype)
        return {
            "shape": list(array.shape),
            "amplitudes": [[float(array[i].real), float(array[i].imag)] for i in at],
        }

    def cancel(self, job_id: str, reason: str = "") -> dict[str, Any]:
        """A job that stops."""
        path = f"/v1/jobs/{job_id}:cancel"
        answer = _tried(lambda: self._ask("POST", path, {"reason": reason}))
        job = answer.json["job"]
        return {"cancelled": job["status"] == "JOB_STATUS_CANCELLED" or job.get("cancelRequested", False)}

    def _ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        try:
            answer = self._web.call(method, path, body, **headers)
        except (OSError, http.client.HTTPException) as cause:
            raise _BrokenError from cause
        if answer.status in (429, 503):
            raise _BrokenError
        if answer.status >= 400:
            raise _ProblemError(answer.json)
        return answer

    def _events(self, job_id: str, after: int) -> Iterator[dict[str, Any] | None]:
        """Yield what a stream has behind a sequence; None where nothing more will come."""
        try:
            with self._web.events(f"/v1/jobs/{job_id}:watch?after_sequence={after}") as frames:
                if isinstance(frames, Answer):
                    raise _ProblemError(frames.json)
                for frame in frames:
                    if frame.event == "problem":
                        raise _ProblemError(frame.json)
                    told = frame.json if frame.data else {}
                    if "event" in told:
                        yield told["event"]
                    job = told.get("job", {})
                    if _status(job.get("status", "")) in _FINAL and int(job["sequence"]) == after:
                        yield None
        except (OSError, http.client.HTTPException) as cause:
            raise _BrokenError from cause

    def _message(self, job_id: str) -> result_pb2.Result:
        answer = _tried(lambda: self._ask("GET", f"/v1/jobs/{job_id}/result"))
        # A newer server may say more.
        return json_format.Parse(answer.body, result_pb2.Result(), ignore_unknown_fields=True)

    def _result(self, job_id: str) -> Result:
        return Result(self._message(job_id))

    def _array(self, path: str) -> bytes:
        """Read an array, after a break from the first byte that is missing."""
        data = b""
        etag = ""
        for _ in range(_TRIES):
            asked = {"Range": f"bytes={len(data)}-", "If-Range": etag} if data else {}
            connection = self._web.connect()
            with contextlib.closing(connection):
                response = self._web.begin(connection, "GET", path, None, asked)
                if response.status >= 400:
                    raise _ProblemError(json.loads(response.read()))
                if response.status == 200:
                    data = b""
                etag, digest = response.headers["ETag"], response.headers["Repr-Digest"]
                try:
                    data += response.read()
                except http.client.IncompleteRead as broken:
                    data += broken.partial
                    continue
            sum_told = base64.b64decode(digest.removeprefix("crc32c=:").removesuffix(":"))
            if int.from_bytes(sum_told, "big") == google_crc32c.value(data):
                return data
            data = b""
        raise _BrokenError


def _status(name: str) -> str:
    return name.removeprefix("JOB_STATUS_")


def _tried(call: Callable[[], _Given]) -> _Given:
    """Returns what a call gives, tried again with growing pauses where the connection breaks."""
    for number in range(_TRIES):
        try:
            return call()
        except _BrokenError:
            time.sleep(_PAUSE * 2**number)
    return call()


if __name__ == "__main__":
    serve(WebRunner(sys.argv[1]))
