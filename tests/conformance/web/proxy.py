"""An HTTP proxy that breaks answers in planned ways, and keeps what it was asked as the contract's requests.

Message 0 of an answer is its head, or the first of its events; the further ones are events, or blocks of
1 MiB. A connection serves one request.
"""

from __future__ import annotations

import http.client
import json
import re
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from tests.conformance.faults import Fault, Journal

__all__ = ["WebProxy"]

_BLOCK = 1 << 20
_WATCH = re.compile(r"/v1/jobs/([^/:]+):watch")
_RESULT = re.compile(r"/v1/jobs/([^/:]+)/result(?:/(.+))?")
_OWN = {"connection", "transfer-encoding", "content-length", "host", "keep-alive"}
# An event of a kind yet to be invented.
_NEWER = b'data: {"event": {"notYetInvented": {"x": 1}}}\n\n'


class WebProxy:
    """Use it in a `with`; then clients find it at `address`, which is a URL."""

    def __init__(self, target: str, faults: Sequence[Fault] = ()) -> None:
        self.journal = Journal(faults)
        self._server = _Server(urlsplit(target).netloc, self.journal)
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, name="web-proxy")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, target: str, journal: Journal) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target = target
        self.journal = journal


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Tells nothing: the journal does."""

    def _forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.server.journal.note(*_request_of(self.command, self.path, self.headers, body))
        connection = http.client.HTTPConnection(self.server.target, timeout=60)
        try:
            told = {name: value for name, value in self.headers.items() if name.lower() not in _OWN}
            connection.request(self.command, self.path, body or None, told)
            response = connection.getresponse()
            sent = self._sent(response)
            for index, (message, is_block) in enumerate(sent):
                if fault is None or index != fault.after:
                    self.wfile.write(message)
                    continue
                match fault.action:
                    # Not a byte of the answer, or less than its length: the connection was cut.
                    case "drop" | "end":
                        return
                    case "corrupt":
                        assert is_block
                        self.wfile.write(bytes([message[0] ^ 0xFF]) + message[1:])
                    case "extend":
                        self.wfile.write(
                            _NEWER + message.replace(b"data: {", b'data: {"notYetInvented": 1, ')
                        )
        except (BrokenPipeError, ConnectionResetError):
            # The client has left.
            pass
        finally:
            connection.close()

    do_GET = do_POST = do_DELETE = _forward  # noqa: N815 - the base class's names

    def _sent(self, response: http.client.HTTPResponse) -> Iterator[tuple[bytes, bool]]:
        """Yields an answer in messages, each with whether it is data."""
        head = f"HTTP/1.1 {response.status} {response.reason}\r\nConnection: close\r\n"
        for name, value in response.headers.items():
            if name.lower() not in _OWN or name.lower() == "content-length":
                head += f"{name}: {value}\r\n"
        begin = head.encode("latin-1") + b"\r\n"
        if response.headers.get_content_type() != "text/event-stream":
            if response.headers.get_content_type() != "application/octet-stream":
                yield begin + response.read(), False
                return
            yield begin, False
            while block := response.read(_BLOCK):
                yield block, True
            return
        frame = b""
        while line := response.readline():
            frame += line
            # A comment is no message, and comes with the next one.
            if line == b"\n" and b"data:" in frame:
                yield begin + frame, False
                begin, frame = b"", b""


def _request_of(verb: str, target: str, headers: Any, body: bytes) -> tuple[str, dict[str, Any]]:
    """Returns the contract's method that a request stands for, and what it asks, in protobuf's JSON form."""
    split = urlsplit(target)
    query = {name: values[-1] for name, values in parse_qs(split.query).items()}
    if (verb, split.path) == ("POST", "/v1/jobs"):
        return "SubmitJob", {"requestId": headers.get("Idempotency-Key"), "spec": json.loads(body)}
    if watch := _WATCH.fullmatch(split.path):
        cursor = headers.get("Last-Event-ID") or query.get("after_sequence")
        return "WatchJob", {"jobId": watch[1], "afterSequence": cursor}
    if verb == "GET" and (result := _RESULT.fullmatch(split.path)):
        first = re.match(r"bytes=(\d+)-", headers.get("Range", ""))
        return "ReadResult", {"jobId": result[1], "part": result[2], "readOffset": first and first[1]}
    return f"{verb} {split.path}", {}
