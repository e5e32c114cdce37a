"""Requests by HTTP, their query and their body: refused by a field, or bytes that the readers of all doors
take for a request or refuse. An input's first byte tells by which rule.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

from basicaer.service.config import Config
from basicaer.service.doors.http._contract import Contract, Rule
from basicaer.service.doors.http._exchange import Exchange
from basicaer.service.doors.http._inputs import Inputs, JsonReader
from basicaer.service.doors.http._problems import problem
from basicaer.service.doors.requests import Requests
from basicaer.service.errors import ServiceError
from basicaer.v1 import error_reason_pb2 as reasons
from basicaer.v1 import job_service_pb2 as pb
from google.protobuf import json_format
from google.protobuf.message_factory import GetMessageClass

from tests.fuzz.inputs.mutation import mutate_bytes, mutate_text
from tests.fuzz.inputs.seeds import WORDS, specs
from tests.fuzz.targets import Target

__all__ = ["WEB"]

_REFUSALS = (reasons.ERROR_REASON_OPTION_INVALID, reasons.ERROR_REASON_PROGRAM_TOO_LARGE)
_QUERIES = (
    b"page_size=5&statuses=JOB_STATUS_DONE&labels[a]=b&create_time_from=2026-01-01T00:00:00Z",
    b"after_sequence=3&heartbeatInterval=1.5s",
    b"wait=20s&if_sequence_after=18446744073709551615",
    b"validate_only=true&request_id=%C3%A9",
)
_WORDS = (
    *WORDS,
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    '"',
    "null",
    "true",
    "NaN",
    "-1",
    "1e999",
    "\\ud800",
    "\\u0000",
)


class _Bench:
    """What reads requests, for each rule of the contract."""

    def __init__(self) -> None:
        self.readers: list[tuple[Rule, Inputs, Any]] = []

    @contextlib.contextmanager
    def around(self) -> Iterator[None]:
        """Makes it."""
        service = pb.DESCRIPTOR.services_by_name["JobService"]
        requests = Requests(
            [method.input_type for method in service.methods], Config(data_dir=Path(tempfile.gettempdir()))
        )
        bodies = JsonReader()
        for rule in Contract().rules:
            kind: Any = GetMessageClass(service.methods_by_name[rule.rpc].input_type)
            read = requests.job_reader(kind) if "spec" in rule.body else requests.reader(kind)
            self.readers.append((rule, Inputs(rule, kind, bodies, requests.most_bytes), read))
        try:
            yield
        finally:
            bodies.close()
            requests.close()


_bench = _Bench()


def _exchange(rule: Rule, query: bytes, body: bytes) -> Exchange:
    scope = {
        "type": "http",
        "method": rule.verb,
        "query_string": query,
        "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())],
        "path_params": dict.fromkeys(rule.in_path, "some"),
    }

    async def receive() -> Any:
        return {"type": "http.request", "body": body}

    async def send(_: Any) -> None:
        raise AssertionError

    return Exchange(scope, receive, send)


async def _read(number: int, query: bytes, body: bytes) -> None:
    rule, inputs, reader = _bench.readers[number % len(_bench.readers)]
    try:
        await reader.read(await inputs.read(_exchange(rule, query, body)))
    except ServiceError as error:
        assert error.reason in _REFUSALS, error
        assert json.loads(problem(error))["detail"]


def _run(data: bytes) -> None:
    query, _, body = data[1:].partition(b"\n")
    # h11 lets nothing else through.
    if data and query.isascii():
        asyncio.run(_read(data[0], query, body))


def _seeds() -> Sequence[bytes]:
    bodies = [json_format.MessageToJson(spec, indent=None).encode() for spec in specs()]
    queries = [_QUERIES[index % len(_QUERIES)] for index in range(len(bodies))]
    parts = zip(queries, bodies, strict=True)
    return [bytes([index]) + query + b"\n" + body for index, (query, body) in enumerate(parts)]


def _mutate(data: bytes, random: Random) -> bytes:
    if random.randrange(3):
        return mutate_text(data.decode(errors="replace"), random, _WORDS).encode(errors="replace")
    return mutate_bytes(data, random)


WEB = Target(name="web", run=_run, seeds=_seeds, mutate=_mutate, words=_WORDS, around=_bench.around)
