"""Calls of a live server with one extreme in an otherwise good request: each is answered, soon, in clean
words.

An input is numbers: which of the good requests, and then, as pairs, a place of it and the extreme that is put
there, counted through as `variations` does. With one pair it is what `make test` goes through from end to
end; with more, a fuzzer looks for what two extremes do together.
"""

from __future__ import annotations

import contextlib
import functools
import re
import time
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

import grpc
from basicaer.v1 import error_reason_pb2, job_pb2, job_service_pb2_grpc
from basicaer.v1 import job_service_pb2 as pb
from google.protobuf import message_factory
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from tests.fuzz.inputs.bases import bases
from tests.fuzz.inputs.seeds import specs
from tests.fuzz.inputs.variations import Place, as_bytes, company_of, extremes, places, set_extreme
from tests.fuzz.server.live import Live, live, reason_of
from tests.fuzz.targets import Target
from tests.fuzz.wire import METHODS, allowed_of

__all__ = ["EXTREMES", "MOST_PAIRS", "every_input"]

_SERVICE = pb.DESCRIPTOR.services_by_name["JobService"]
_BY_NAME = {method.name: method for method in METHODS}
_STREAMS = ("RunJob", "WatchJob", "ReadResult")
# An answer may take so long (seconds). It is late when it took longer in each of some tries, since a busy
# machine may stop anybody once.
_SOON, _TRIES, _HANGS = 1.0, 3, 60.0
# What a message for people may have: a few sentences (bytes). A job's own may quote more than a call's.
_LONGEST = 2_000
_MESSAGES = 200
_POINTER = re.compile(r"\n  [^\n]*\n *\^$")
MOST_PAIRS = 4
# Of a field that is in other company, each so many-th extreme.
_STEP = 7
# At the end of an input: the request is sent twice over in one message.
TWICE = b"\xff"


class _Desk:
    """The server that is called, and a final job of it."""

    def __init__(self) -> None:
        self.live: Live | None = None
        self._job_id = ""
        self._token = ""

    @contextlib.contextmanager
    def around(self) -> Iterator[None]:
        """Runs it."""
        # A thousand of the largest base's programs are a message that the server takes.
        with live(max_message_bytes=1 << 20) as self.live:
            self._job_id = ""
            yield

    @property
    def stub(self) -> job_service_pb2_grpc.JobServiceStub:
        assert self.live is not None
        return job_service_pb2_grpc.JobServiceStub(self.live.channel)

    def fill_in(self, request: Any) -> None:
        """Puts the server's own names where placeholders are."""
        if getattr(request, "job_id", "") == "@job":
            request.job_id = self._final_job()
        if getattr(request, "page_token", "") == "@token":
            self._final_job()
            request.page_token = self._token

    def _final_job(self) -> str:
        # Deleted by an input, or by the server since it is old.
        try:
            self.stub.GetJob(pb.GetJobRequest(job_id=self._job_id))
        except grpc.RpcError:
            for _ in range(2):
                messages = list(self.stub.RunJob(pb.RunJobRequest(spec=specs()[2])))
            self._job_id = messages[0].job.job_id
            self._token = self.stub.ListJobs(pb.ListJobsRequest(page_size=1)).next_page_token
        return self._job_id


_desk = _Desk()


def every_input() -> Iterator[bytes]:
    """Yields an input for each field of each request and each of its extremes.

    Where the field was there before, and now has other fields beside it, for some of the extremes.
    """
    fields: set[tuple[str, str]] = set()
    companies: set[tuple[str, str, Any]] = set()
    for base, (name, message) in enumerate(bases()):
        yield bytes([base])
        yield bytes([base]) + TWICE
        for number, place in enumerate(_places_of(base)):
            field, company = (
                (name, place.field.full_name),
                (name, place.field.full_name, company_of(message, place)),
            )
            if company in companies:
                continue
            step = _STEP if field in fields else 1
            fields.add(field)
            companies.add(company)
            for extreme in range(len(companies) % step, extremes(message, place), step):
                yield bytes([base]) + pair(number, extreme)


@functools.cache
def _places_of(base: int) -> Sequence[Place]:
    """Returns the places of a good request."""
    return tuple(places(bases()[base][1]))


def pair(place: int, extreme: int) -> bytes:
    """Returns the part of an input that puts an extreme to a place."""
    return place.to_bytes(2, "big") + extreme.to_bytes(2, "big")


def changed(data: bytes) -> tuple[str, Message, list[str]]:
    """Returns the RPC and the request that an input stands for, and in words what was done to it."""
    name, good = bases()[(data[0] if data else 0) % len(bases())]
    message = type(good).FromString(good.SerializeToString())
    done: list[str] = []
    for start in range(1, min(len(data) - 3, 4 * MOST_PAIRS), 4):
        there = list(places(message)) if done else _places_of(data[0] % len(bases()))
        if not there:
            break
        place = there[int.from_bytes(data[start : start + 2], "big") % len(there)]
        number = int.from_bytes(data[start + 2 : start + 4], "big") % extremes(message, place)
        set_extreme(message, place, number)
        done.append(f"{place} ({number})")
    return name, message, done


def _run(data: bytes) -> None:
    name, message, done = changed(data)
    _desk.fill_in(message)
    request = as_bytes(message)
    if data.endswith(TWICE):
        # What is singular is merged then, and what is repeated is there twice.
        request, done = request + request, [*done, "all of it twice"]
    text = f"{name} with {', '.join(done) or 'nothing changed'}"
    assert _desk.live is not None
    try:
        for tries in range(1, _TRIES + 1):
            seconds = _call(name, request, text)
            if seconds <= _SOON:
                break
            assert tries < _TRIES, f"{text}: the answer took {seconds:.1f} s"
    finally:
        # First of all, since a traceback tells more than what a caller is told.
        _desk.live.check()


def _call(name: str, request: bytes, text: str) -> float:
    """Calls, looks at all that is answered, and returns how long the first of it took (seconds)."""
    assert _desk.live is not None
    kind = message_factory.GetMessageClass(_BY_NAME[name].output_type)
    path = f"/{_SERVICE.full_name}/{name}"
    began = time.monotonic()
    try:
        if name not in _STREAMS:
            ask: grpc.UnaryUnaryMultiCallable[bytes, bytes] = _desk.live.channel.unary_unary(path)
            answer = ask(request, timeout=_HANGS)
            seconds = time.monotonic() - began
            _check_answer(kind.FromString(answer), text)
            return seconds
        open_stream: grpc.UnaryStreamMultiCallable[bytes, bytes] = _desk.live.channel.unary_stream(path)
        call = open_stream(request, timeout=_HANGS)
        stream = iter(call)
        first = next(stream, None)
        seconds = time.monotonic() - began
        if first is not None:
            _check_answer(kind.FromString(first), text)
        for _, answer in zip(range(_MESSAGES), stream, strict=False):
            _check_answer(kind.FromString(answer), text)
        call.cancel()
        return seconds
    except grpc.RpcError as error:
        seconds = time.monotonic() - began
        _check_failure(name, error, text)
        return seconds


def _check_failure(name: str, error: Any, text: str) -> None:
    told = f"{error.code().name} {reason_of(error)}"
    assert told in allowed_of(name), f"{text}: {told}: {error.details()}"
    _check_words(error.details(), text)
    for detail in status_pb2.Status.FromString(
        dict(error.trailing_metadata())["grpc-status-details-bin"]
    ).details:
        request = error_details_pb2.BadRequest()
        if detail.Unpack(request):
            for violation in request.field_violations:
                _check_words(violation.description, text)
                _check_words(violation.field or "-", text)


def _check_answer(answer: Message, text: str) -> None:
    """Looks at what the server says in words, which may quote the request: errors of jobs and programs."""
    for field, value in answer.ListFields():
        if field.message_type is None or field.message_type.GetOptions().map_entry:
            continue
        for item in value if field.is_repeated else (value,):
            if isinstance(item, job_pb2.JobError):
                assert item.reason != error_reason_pb2.ERROR_REASON_INTERNAL, f"{text}: {item}"
                _check_words(item.message, text)
            elif not item.DESCRIPTOR.full_name.startswith("google."):
                _check_answer(item, text)


def _check_words(words: str, text: str) -> None:
    assert words, f"{text}: an error without a word"
    assert len(words.encode()) <= _LONGEST, f"{text}: {len(words.encode())} bytes: {words[:200]}"
    # A message may show the line of a program, and point at its column.
    assert _POINTER.sub("", words).isprintable(), f"{text}: {words!r}"


def _seeds() -> Sequence[bytes]:
    return [bytes([base]) for base in range(len(bases()))]


def _mutate(data: bytes, random: Random) -> bytes:
    base = data[:1] if random.randrange(8) else bytes([random.randrange(len(bases()))])
    pairs = [data[start : start + 4] for start in range(1, len(data) - 3, 4)][: MOST_PAIRS - 1]
    if pairs and random.randrange(2):
        del pairs[random.randrange(len(pairs))]
    pairs.append(pair(random.getrandbits(16), random.getrandbits(16)))
    return base + b"".join(pairs)


EXTREMES = Target(
    name="extremes",
    run=_run,
    seeds=_seeds,
    mutate=_mutate,
    around=_desk.around,
)
