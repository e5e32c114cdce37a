"""Parts of results as bytes: the whole or a range of it, as they are stored or as a file of NumPy's."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from http import HTTPStatus

import numpy as np
from basicaer.service.callers import Caller
from basicaer.service.doors.http._documents import JSON, document_of
from basicaer.service.doors.http._exchange import Exchange
from basicaer.service.doors.service import JobService
from basicaer.service.errors import ServiceError, option_invalid
from basicaer.service.jobs import ResultReading
from basicaer.v1 import error_reason_pb2 as reasons
from basicaer.v1 import job_service_pb2 as pb
from basicaer.v1 import result_pb2

__all__ = ["send_result"]

PROTOBUF, NPY, BYTES = "application/protobuf", "application/x-npy", "application/octet-stream"
_SUFFIX = ".npy"
# By its reader alone, and asked for again each time.
_KEPT = "private, no-cache"
# A Result of 8 MiB is some 30 MiB of JSON, and takes seconds of a thread.
_MOST_JSON = 8 * 1024 * 1024
_RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})")


@dataclass(slots=True)
class _Form:
    """How a part is sent: of what type, after which bytes of its own, and with what after its etag."""

    kind: str
    head: bytes = b""
    mark: str = ""


async def send_result(
    service: JobService,
    request: pb.ReadResultRequest,
    caller: Caller,
    exchange: Exchange,
    answered: Callable[[], None],
) -> None:
    """Answer a ReadResult.

    Raises:
        ServiceError: As ReadResult's comment lists.
    """
    as_npy = request.part.endswith(_SUFFIX)
    if as_npy:
        request.part = request.part.removesuffix(_SUFFIX)
    await _Sending(service, request, caller, exchange, answered).send(as_npy)


class _Sending:
    """One answer."""

    def __init__(
        self,
        service: JobService,
        request: pb.ReadResultRequest,
        caller: Caller,
        exchange: Exchange,
        answered: Callable[[], None],
    ) -> None:
        self._service = service
        self._request = request
        self._caller = caller
        self._exchange = exchange
        self._answered = answered

    async def send(self, as_npy: bool) -> None:
        whole = self._request.part in ("", "result") and not as_npy
        if whole and PROTOBUF not in self._exchange.headers.get("accept", ""):
            await self._send_json()
            return
        header = await self._describe()
        as_stored = _Form(PROTOBUF if whole else BYTES)
        form = _Form(NPY, _npy_head(header.array), "-npy") if as_npy else as_stored
        await self._send_bytes(header, form)

    async def _describe(self) -> pb.ResultHeader:
        """Return what the part is: a range can only be told then."""
        asked = pb.ReadResultRequest(job_id=self._request.job_id, part=self._request.part, read_limit=1)
        async with self._reading(asked) as (reading, _):
            return reading.header

    def _reading(
        self, asked: pb.ReadResultRequest
    ) -> AbstractAsyncContextManager[tuple[ResultReading, Callable[[], Awaitable[None]]]]:
        return self._service.reading(asked, self._caller, self._exchange.peer_host)

    async def _send_json(self) -> None:
        data = []
        async with self._reading(self._request) as (reading, may_send):
            header = reading.header
            etag = _quoted(header.etag, "-json")
            if self._is_known(etag):
                await self._unchanged(etag)
                return
            if header.array.size_bytes > _MOST_JSON:
                raise option_invalid(
                    "Accept",
                    f"The Result has {header.array.size_bytes:,} bytes, too many for JSON. Ask with"
                    f" 'Accept: {PROTOBUF}', or for its parts.",
                )
            while (chunk := await reading.next()) is not None:
                await may_send()
                data.append(chunk.data)
        body = await document_of(result_pb2.Result.FromString(b"".join(data)))
        self._service.sent(len(body))
        self._answered()
        headers = [("etag", etag), ("vary", "Accept")]
        await self._exchange.answer(HTTPStatus.OK, JSON, body, headers, kept=_KEPT)

    async def _send_bytes(self, header: pb.ResultHeader, form: _Form) -> None:
        exchange, etag = self._exchange, _quoted(header.etag, form.mark)
        size = len(form.head) + header.array.size_bytes
        if self._is_known(etag):
            await self._unchanged(etag)
            return
        headers = [
            ("content-type", form.kind),
            ("accept-ranges", "bytes"),
            ("etag", etag),
            ("vary", "Accept"),
            ("cache-control", _KEPT),
        ]
        if not form.head:
            digest = base64.b64encode(header.array.crc32c.to_bytes(4, "big")).decode()
            headers.append(("repr-digest", f"crc32c=:{digest}:"))
        wanted = self._range(size, etag)
        if wanted is None:
            begin, end = 0, size
            status = HTTPStatus.OK
        else:
            begin, end = wanted
            status = HTTPStatus.PARTIAL_CONTENT
            headers.append(("content-range", f"bytes {begin}-{end - 1}/{size}"))
        headers.append(("content-length", str(end - begin)))
        if exchange.method == "HEAD" or begin == end:
            self._answered()
            await exchange.start(status, headers)
            await exchange.finish()
            return
        await self._stream(header, form, begin, end, lambda: self._begin(status, headers))

    async def _begin(self, status: HTTPStatus, headers: list[tuple[str, str]]) -> None:
        self._answered()
        await self._exchange.start(status, headers)

    async def _stream(
        self,
        header: pb.ResultHeader,
        form: _Form,
        begin: int,
        end: int,
        start: Callable[[], Awaitable[None]],
    ) -> None:
        exchange, head = self._exchange, form.head[begin:end]
        first, last = max(begin - len(form.head), 0), end - len(form.head)
        if last <= first:
            await start()
            await exchange.finish(head)
            return
        asked = pb.ReadResultRequest(
            job_id=self._request.job_id,
            part=self._request.part,
            read_offset=first,
            read_limit=last - first,
            # What was described must be what is sent.
            etag=header.etag,
        )
        async with self._reading(asked) as (reading, may_send):
            # What is damaged at its beginning is an error still, and not half an answer.
            chunk = await reading.next()
            await start()
            if head:
                await exchange.write(head)
            while chunk is not None:
                await may_send()
                await exchange.write(chunk.data)
                self._service.sent(len(chunk.data))
                chunk = await reading.next()
        await exchange.finish()

    async def _unchanged(self, etag: str) -> None:
        self._answered()
        await self._exchange.start(HTTPStatus.NOT_MODIFIED, [("etag", etag), ("vary", "Accept")])
        await self._exchange.finish()

    def _is_known(self, etag: str) -> bool:
        given = self._exchange.headers.get("if-none-match", "")
        return given.strip() == "*" or etag in (one.strip().removeprefix("W/") for one in given.split(","))

    def _range(self, size: int, etag: str) -> tuple[int, int] | None:
        """Return the begin and the end of the range that is asked for; None for everything.

        Raises:
            ServiceError: READ_OFFSET_OUT_OF_RANGE.
        """
        headers = self._exchange.headers
        match = _RANGE.fullmatch(headers.get("range", "").replace(" ", ""))
        # Several ranges, other units and what makes no sense may be answered by the whole (RFC 9110, 14.2).
        if match is None or match[0] == "bytes=-" or headers.get("if-range", etag) != etag:
            return None
        if not match[1]:
            begin, end = max(size - int(match[2]), 0), size
        else:
            begin, end = int(match[1]), min(int(match[2] or size) + 1, size)
            if match[2] and int(match[2]) < begin:
                return None
        if begin >= end:
            raise ServiceError(
                reasons.ERROR_REASON_READ_OFFSET_OUT_OF_RANGE,
                f"There are {size} bytes, so they can't be read from {begin}.",
                metadata={"read_offset": str(begin), "size_bytes": str(size)},
            )
        return begin, end


def _quoted(etag: str, mark: str) -> str:
    return f'"{etag}{mark}"'


def _npy_head(array: result_pb2.Array) -> bytes:
    head = io.BytesIO()
    described = {"descr": array.dtype, "fortran_order": False, "shape": tuple(array.shape)}
    np.lib.format.write_array_header_1_0(head, described)
    return head.getvalue()
