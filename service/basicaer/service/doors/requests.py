"""A request's bytes as a message: scanned, then parsed; the long ones on threads, so that the loop goes on.

A broken message or one beyond a limit becomes a typed error here (gRPC would answer both with a bare status).
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Generic, TypeAlias, TypeVar

from basicaer.service.config import Config
from basicaer.service.errors import ServiceError
from basicaer.service.wire import (
    MOST_MADE,
    NO_COLUMNS,
    Columns,
    Scanned,
    Scanner,
    WireSpec,
    invalid_message,
    long_spec,
    read_around,
    read_in_pieces,
    wire_spec,
)
from basicaer.v1 import error_reason_pb2 as reasons
from basicaer.v1 import job_service_pb2 as pb
from google.protobuf.message import DecodeError, Message

__all__ = ["JobRequest", "Reader", "Requests"]

# What the loop itself reads: that takes a millisecond at most, whatever it holds.
_AT_ONCE = 4 * 1024
_THREADS = 2
# What takes many fresh pages.
_LARGE = 1024 * 1024

_Request = TypeVar("_Request", bound=Message)
_JobMessage = TypeVar("_JobMessage", pb.SubmitJobRequest, pb.RunJobRequest)
_Made = TypeVar("_Made")
# Makes what a method takes of its request's bytes and message.
_Finish: TypeAlias = Callable[[bytes, _Request, Columns, Scanned], _Made]


class _LeftError(Exception):
    """The caller has gone."""


class JobRequest(Generic[_JobMessage]):
    """A request with a spec, and the spec by itself."""

    __slots__ = ("message", "spec")

    def __init__(self, message: _JobMessage, spec: WireSpec) -> None:
        self.message: _JobMessage = message
        self.spec = spec


class Requests:
    """What all methods read their requests with."""

    def __init__(self, kinds: Sequence[Any], config: Config) -> None:
        self.scanner = Scanner(kinds, config)
        self.most_bytes = config.max_message_bytes
        # By the monotonic clock.
        self.last_large = 0.0
        self.threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="request-reader")

    def reader(self, kind: type[_Request]) -> Reader[_Request, _Request]:
        """Return what reads requests of a type."""
        return Reader(self, kind, _message_alone)

    def job_reader(self, kind: type[_JobMessage]) -> Reader[_JobMessage, JobRequest[_JobMessage]]:
        """Return what reads requests with a spec."""
        return Reader(self, kind, _job_request, kind.DESCRIPTOR.fields_by_name["spec"].number)

    def warm_up(self) -> None:
        """Has the compiled code loaded before a call waits for it."""
        reader = self.job_reader(pb.SubmitJobRequest)
        reader.read_in_pieces(pb.SubmitJobRequest(spec=long_spec()).SerializeToString())

    def close(self) -> None:
        """Read no more long requests."""
        self.threads.shutdown(wait=False, cancel_futures=True)


def compile_readers() -> None:
    """Has the code that reads requests compiled, and kept."""
    requests = Requests([pb.SubmitJobRequest.DESCRIPTOR], Config(data_dir=Path("unused")))
    requests.warm_up()
    requests.close()


class Reader(Generic[_Request, _Made]):
    """Reads the requests of one method."""

    def __init__(
        self,
        shared: Requests,
        kind: type[_Request],
        finish: _Finish[_Request, _Made],
        spec: int | None = None,
    ) -> None:
        """`spec` is the number of the field that isn't read here when it has too many parts."""
        self._shared = shared
        self._kind = kind
        self._finish = finish
        self._spec = spec

    async def read(self, data: bytes) -> _Made:
        """Return the request of these bytes.

        Raises:
            ServiceError: OPTION_INVALID or PROGRAM_TOO_LARGE: they are none, or beyond a limit.
        """
        if len(data) <= _AT_ONCE:
            return self._at_once(data)
        if len(data) > _LARGE:
            self._shared.last_large = time.monotonic()
        if len(data) > self._shared.most_bytes:
            raise _too_long(len(data), self._shared.most_bytes)
        left = threading.Event()
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._shared.threads, self.read_in_pieces, data, left.is_set
            )
        finally:
            left.set()

    def _at_once(self, data: bytes) -> _Made:
        scanned = self._shared.scanner.scan(self._kind.DESCRIPTOR, data)
        try:
            message = self._kind.FromString(data)
        except DecodeError:
            raise invalid_message(self._kind.DESCRIPTOR) from None
        return self._finish(data, message, NO_COLUMNS, scanned)

    def read_in_pieces(self, data: bytes, left: Callable[[], bool] = lambda: False) -> _Made:
        """Return the request of these bytes, read on this thread; give up once the caller has left. Raises
        as `read`.
        """

        def pause() -> None:
            if left():
                raise _LeftError

        pause()
        scanned = self._shared.scanner.scan(self._kind.DESCRIPTOR, data, with_maps=True)
        try:
            if self._spec is not None and scanned.parts > MOST_MADE:
                message, columns = read_around(self._kind, data, self._spec, scanned.parts, pause), NO_COLUMNS
            else:
                message, columns = read_in_pieces(self._kind, data, pause)
        except DecodeError:
            raise invalid_message(self._kind.DESCRIPTOR) from None
        return self._finish(data, message, columns, scanned)


def _message_alone(data: bytes, message: _Request, columns: Columns, scanned: Scanned) -> _Request:
    return message


def _job_request(
    data: bytes, message: _JobMessage, columns: Columns, scanned: Scanned
) -> JobRequest[_JobMessage]:
    number = message.DESCRIPTOR.fields_by_name["spec"].number
    return JobRequest(message, wire_spec(data, number, message.spec, columns, scanned))


def _too_long(size: int, most: int) -> ServiceError:
    return ServiceError(
        reasons.ERROR_REASON_PROGRAM_TOO_LARGE,
        f"The request has {size:,} bytes, and this server takes at most {most:,}. "
        "Split the job, or define repeated parts of a program once as a gate.",
        metadata={"limit": "max_message_bytes", "max": str(most), "actual": str(size)},
    )
