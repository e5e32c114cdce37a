"""Which hosts and origins are let in.

A page from elsewhere must not get at a server that its reader can reach, on their own machine say. It could
in two ways. It may call the server by the server's address: then the browser says of which origin the page
is, and only the server's own and those that are set are let in. Or its name may suddenly stand for the
server's address (DNS rebinding): then the browser takes the two for one origin, but the request names the
page's host. An address in the place of a name can't be such a name.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from basicaer.service.config import Config
from basicaer.service.errors import ServiceError
from basicaer.v1 import error_reason_pb2 as reasons
from starlette.datastructures import Headers

__all__ = ["Guard"]

_METHODS = "GET, HEAD, POST, DELETE"
_ASKED = "Authorization, Content-Type, Idempotency-Key, If-None-Match, If-Range, Last-Event-ID, Prefer, Range"
_SHOWN = "Content-Range, ETag, Location, Preference-Applied, Repr-Digest, Retry-After"
_PREFLIGHT_SECONDS = 600


class Guard:
    """Looks at each request before anything else does."""

    def __init__(self, config: Config) -> None:
        own = config.http_listen.rpartition(":")[0].strip("[]").lower()
        self._names = {"localhost", own, *(name.lower() for name in config.http_hosts)}
        self._origins = {origin.lower().rstrip("/") for origin in config.http_origins}

    def check(self, headers: Headers) -> list[tuple[str, str]]:
        """Return the headers that let a page read the response, if a page of another origin may.

        Raises:
            ServiceError: PERMISSION_DENIED: the host isn't this server's, or the origin may not call.
        """
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._is_ours(hosts[0]):
            raise _denied(
                "host",
                "This server isn't known by the name in the request's Host; --http-hosts tells it its names.",
            )
        origin = headers.get("origin")
        if origin is None:
            site, mode = headers.get("sec-fetch-site", ""), headers.get("sec-fetch-mode", "")
            if site in ("cross-site", "same-site") and mode != "navigate":
                raise _denied("origin", "Pages of other origins can't use this server.")
            return []
        if origin.lower() in self._origins:
            return [
                ("access-control-allow-origin", origin),
                ("access-control-expose-headers", _SHOWN),
                ("vary", "Origin"),
            ]
        # Whatever the scheme: a proxy may end TLS.
        if origin.lower().partition("://")[2] != hosts[0].lower():
            raise _denied(
                "origin", "Pages of this origin can't use this server; --http-origins lets them (CORS)."
            )
        return []

    @staticmethod
    def preflight() -> list[tuple[str, str]]:
        """Return the headers that answer a browser's question what a page may send."""
        return [
            ("access-control-allow-methods", _METHODS),
            ("access-control-allow-headers", _ASKED),
            ("access-control-max-age", str(_PREFLIGHT_SECONDS)),
        ]

    def _is_ours(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name.rstrip(".") in self._names:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


def _denied(cause: str, message: str) -> ServiceError:
    return ServiceError(reasons.ERROR_REASON_PERMISSION_DENIED, message, metadata={"cause": cause})
