"""Signing in: a token becomes a cookie that no script can read, and that no other site's page can send.

The cookie is the token. So nothing is kept here, a revoked token ends the session, and a server that starts
again knows who is signed in.
"""

from __future__ import annotations

import json
import re
from http import HTTPStatus

from basicaer.service.access import Callers
from basicaer.service.callers import Caller
from basicaer.service.doors.http._documents import JSON
from basicaer.service.doors.http._exchange import Exchange
from basicaer.service.doors.http._who import COOKIES, caller_of, is_own_page
from basicaer.service.errors import ServiceError, option_invalid
from basicaer.v1 import error_reason_pb2 as reasons

__all__ = ["Sessions", "token_in"]

_MOST_BODY = 16 * 1024
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{1,8192}")


class Sessions:
    """`/page/session`: who is signed in (GET), signing in (POST) and out (DELETE)."""

    def __init__(self, callers: Callers, grpc_port: int) -> None:
        """`grpc_port` is told to the page, for the programs that it shows."""
        self._callers = callers
        self._grpc_port = grpc_port

    async def answer(self, exchange: Exchange) -> None:
        """Answer a request.

        Raises:
            ServiceError: UNAUTHENTICATED: the token is none of this server's; PERMISSION_DENIED: another
                page asks; OPTION_INVALID: that is no token.
        """
        match exchange.method:
            case "GET" | "HEAD":
                await self._tell(exchange)
            case "POST" | "DELETE" if not is_own_page(exchange):
                raise ServiceError(
                    reasons.ERROR_REASON_PERMISSION_DENIED,
                    "Only the server's own page signs in. Other programs send 'Authorization: Bearer TOKEN'.",
                    metadata={"cause": "origin"},
                )
            case "POST":
                await self._sign_in(exchange)
            case "DELETE":
                await exchange.start(HTTPStatus.NO_CONTENT, _forgotten())
                await exchange.finish()
            case _:
                await exchange.fail_untyped(
                    HTTPStatus.METHOD_NOT_ALLOWED,
                    "Here are GET, POST and DELETE alone.",
                    [("allow", "DELETE, GET, HEAD, POST")],
                )

    async def _tell(self, exchange: Exchange) -> None:
        caller: Caller | None = None
        try:
            caller = caller_of(exchange, self._callers)
        except ServiceError as error:
            if error.reason != reasons.ERROR_REASON_UNAUTHENTICATED:
                raise
        told = {
            "needed": not self._callers.open_to_all,
            "signedIn": caller is not None,
            "principal": caller.principal if caller else "",
            "admin": caller is not None and caller.admin,
            "grpcPort": self._grpc_port,
        }
        await exchange.answer(HTTPStatus.OK, JSON, json.dumps(told).encode())

    async def _sign_in(self, exchange: Exchange) -> None:
        token = token_in(await exchange.body(_MOST_BODY))
        if not self._callers.open_to_all:
            self._callers.bearer([("authorization", f"Bearer {token}")])
        # What the browser says, since a proxy may end TLS.
        is_secure = exchange.headers.get("origin", "").startswith("https://")
        name, more = (COOKIES[0], "; Secure") if is_secure else (COOKIES[1], "")
        cookie = f"{name}={token}; HttpOnly; SameSite=Strict; Path=/{more}"
        await exchange.start(HTTPStatus.NO_CONTENT, [("set-cookie", cookie), ("cache-control", "no-store")])
        await exchange.finish()


def token_in(body: bytes) -> str:
    """Return the token that somebody signs in with.

    Raises:
        ServiceError: OPTION_INVALID: there is none.
    """
    try:
        token = json.loads(body)["token"]
    except (ValueError, KeyError, TypeError, RecursionError):
        token = None
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise option_invalid("token", 'The body is not {"token": "…"} with a token of this server.')
    return token


def _forgotten() -> list[tuple[str, str]]:
    end = "Max-Age=0; HttpOnly; SameSite=Strict; Path=/"
    return [
        ("set-cookie", f"{COOKIES[0]}=; {end}; Secure"),
        ("set-cookie", f"{COOKIES[1]}=; {end}"),
        ("cache-control", "no-store"),
    ]
