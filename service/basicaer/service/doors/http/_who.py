"""Who calls by HTTP: whoever bears the token in `Authorization`, or in the cookie of the page that signed in.

A browser sends a cookie with whatever any page makes it send. So it counts only where the server's own page
asks: the browser says so itself, and nobody else can say it in its place.
"""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie

from basicaer.service.access import Callers
from basicaer.service.callers import ANYONE, Caller
from basicaer.service.doors.http._exchange import Exchange

__all__ = ["COOKIES", "caller_of", "cookie_token", "is_own_page"]

COOKIES = ("__Host-basicaer", "basicaer")
"""Names of the cookie: over TLS, and without."""


def caller_of(exchange: Exchange, callers: Callers) -> Caller:
    """Return who calls.

    Raises:
        ServiceError: UNAUTHENTICATED, PERMISSION_DENIED, STORE_BUSY.
    """
    if callers.open_to_all:
        return ANYONE
    metadata = exchange.metadata()
    if "authorization" not in exchange.headers:
        token = cookie_token(exchange)
        if token and is_own_page(exchange):
            metadata.append(("authorization", f"Bearer {token}"))
    return callers.bearer(metadata) or callers.certificate_holder(exchange.certificate())


def is_own_page(exchange: Exchange) -> bool:
    """Return whether a request is made by the server's own page, or, if it changes nothing, by its reader."""
    site = exchange.headers.get("sec-fetch-site")
    origin = exchange.headers.get("origin")
    if origin is not None and origin.partition("://")[2].lower() != exchange.headers.get("host", "").lower():
        return False
    if exchange.method in ("GET", "HEAD"):
        return site in (None, "same-origin", "none")
    return site == "same-origin" or (site is None and origin is not None)


def cookie_token(exchange: Exchange) -> str:
    """Return the token that the page's cookie brings along, whatever it is; "" without one."""
    try:
        found = SimpleCookie(exchange.headers.get("cookie", ""))
    except CookieError:
        return ""
    return next((found[name].value for name in COOKIES if name in found), "")
