"""The page's files, as `make page` wrote them."""

from __future__ import annotations

import gzip
import hashlib
import re
import secrets
from functools import cached_property
from http import HTTPStatus
from importlib.resources import files

from basicaer.service.doors.http._exchange import Exchange, HeaderList

__all__ = ["FILES", "PageFile", "PageFiles"]

FILES = "/page/"
"""Where they are, but for the document."""
_KINDS = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8",
}
_DOCUMENT = "index.html"
_NONCE = b"{{nonce}}"
# Those whose name changes with what they hold.
_HASHED = re.compile(r"-[A-Z0-9]{8}\.\w+$")
# Nothing of anybody else's, no scripts or styles but our files, and no page around this one. The editor's
# own styles have the nonce.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_CLOSED = (
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
    ("referrer-policy", "no-referrer"),
    ("x-frame-options", "DENY"),
)


class PageFile:
    """One file, plain and compressed."""

    def __init__(self, name: str, data: bytes) -> None:
        self.kind = _KINDS[name.rpartition(".")[2]]
        self.plain = data
        # Of the same bytes each time.
        self.packed = gzip.compress(data, 9, mtime=0)
        self.etag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
        self.kept = "public, max-age=31536000, immutable" if _HASHED.search(name) else "no-cache"


class PageFiles:
    """All of them; they are read when the first is asked for."""

    @cached_property
    def by_name(self) -> dict[str, PageFile]:
        """The files that the document names, and what these name."""
        folder = files("basicaer.service.doors.http.page") / "static"
        return {
            found.name: PageFile(found.name, found.read_bytes())
            for found in folder.iterdir()
            if found.name.rpartition(".")[2] in _KINDS
        }

    @cached_property
    def _document(self) -> bytes:
        return (files("basicaer.service.doors.http.page") / "static" / _DOCUMENT).read_bytes()

    async def send_document(self, exchange: Exchange) -> None:
        """Answer with the page itself."""
        nonce = secrets.token_urlsafe(16)
        headers = [("content-security-policy", _POLICY.format(nonce=nonce)), *_CLOSED]
        body = self._document.replace(_NONCE, nonce.encode())
        await exchange.answer(HTTPStatus.OK, "text/html; charset=utf-8", body, headers)

    async def send(self, exchange: Exchange, name: str) -> None:
        """Answer with a file."""
        found = self.by_name.get(name)
        if found is None:
            await exchange.fail_untyped(HTTPStatus.NOT_FOUND, "The page has no such file.")
            return
        headers: HeaderList = [("etag", found.etag), ("vary", "accept-encoding"), *_CLOSED]
        if exchange.headers.get("if-none-match") == found.etag:
            await exchange.start(HTTPStatus.NOT_MODIFIED, [*headers, ("cache-control", found.kept)])
            await exchange.finish()
            return
        body = found.plain
        if "gzip" in exchange.headers.get("accept-encoding", ""):
            headers = [*headers, ("content-encoding", "gzip")]
            body = found.packed
        await exchange.answer(HTTPStatus.OK, found.kind, body, headers, kept=found.kept)
