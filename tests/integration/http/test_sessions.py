"""Signing in to the page: a cookie that only the page itself can use."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

import pytest
from basicaer.service.access import TokenStore

from tests.conftest import ServerProcess

PAGE = {"Sec-Fetch-Site": "same-origin"}
BELL = {
    "backendName": "qasm_simulator",
    "programs": [{"openqasm3": "qubit q; bit c; c = measure q;"}],
}


class Asked:
    """A response, read to its end."""

    def __init__(self, url: str, method: str, path: str, body: object, headers: Mapping[str, str]) -> None:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
        sent = None if body is None else json.dumps(body)
        own = {"Content-Type": "application/json"} if sent else {}
        connection.request(method, path, sent, {**own, **headers})
        answer = connection.getresponse()
        self.status, self.cookies = answer.status, answer.headers.get_all("set-cookie") or []
        text = answer.read()
        self.json = json.loads(text) if text else {}
        connection.close()


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ServerProcess, str, str]]:
    """A server that wants to know who calls, a token of it, and that token's id."""
    folder = tmp_path_factory.mktemp("sessions")
    with TokenStore(folder / "data") as tokens:
        token, text = tokens.create("ada", "user", None)
    server = ServerProcess(folder / "data", folder / "log", "--auth", "token")
    yield server, text, token.token_id
    server.kill()


Guarded = tuple[ServerProcess, str, str]


def _signed_in(guarded: Guarded) -> str:
    server, token, _ = guarded
    answer = Asked(server.http_url, "POST", "/page/session", {"token": token}, PAGE)
    assert answer.status == 204
    (cookie,) = answer.cookies
    return cookie


def test_signing_in_and_out(guarded: Guarded) -> None:
    server, token, _ = guarded
    before = Asked(server.http_url, "GET", "/page/session", None, PAGE)
    assert (before.json["needed"], before.json["signedIn"]) == (True, False)
    cookie = _signed_in(guarded)
    assert cookie == f"basicaer={token}; HttpOnly; SameSite=Strict; Path=/"
    brought = {"Cookie": cookie.partition(";")[0], **PAGE}
    now = Asked(server.http_url, "GET", "/page/session", None, brought).json
    assert (now["signedIn"], now["principal"], now["admin"]) == (True, "token:ada", False)
    assert now["grpcPort"] == server.port
    assert Asked(server.http_url, "POST", "/v1/jobs", BELL, brought).status == 200
    assert Asked(server.http_url, "GET", "/v1/jobs", None, brought).status == 200
    assert Asked(server.http_url, "GET", "/page/load", None, brought).status == 403
    ended = Asked(server.http_url, "DELETE", "/page/session", None, brought).cookies
    assert all("Max-Age=0" in each for each in ended)


def test_over_tls_the_cookie_stays_there(guarded: Guarded) -> None:
    server, token, _ = guarded
    host = urlsplit(server.http_url).netloc
    # A proxy ends TLS: the browser says so.
    headers = {**PAGE, "Origin": f"https://{host}"}
    (cookie,) = Asked(server.http_url, "POST", "/page/session", {"token": token}, headers).cookies
    assert cookie.startswith("__Host-basicaer=")
    assert cookie.endswith("; Secure")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
    ],
)
def test_no_other_page_can_use_the_cookie(guarded: Guarded, headers: dict[str, str]) -> None:
    server = guarded[0]
    brought = {"Cookie": _signed_in(guarded).partition(";")[0], **headers}
    for method, path, body in (
        ("POST", "/v1/jobs", BELL),
        ("POST", "/v1/jobs:run", BELL),
        ("POST", "/v1/jobs/x:cancel", {}),
        ("DELETE", "/v1/jobs/x", None),
        ("POST", "/page/drawing", {"openqasm3": "qubit q;"}),
        ("POST", "/page/session", {"token": guarded[1]}),
        ("DELETE", "/page/session", None),
    ):
        assert Asked(server.http_url, method, path, body, brought).status in (401, 403)


def test_reading_is_for_the_page_and_its_reader(guarded: Guarded) -> None:
    server = guarded[0]
    cookie = {"Cookie": _signed_in(guarded).partition(";")[0]}
    # Another site's link to a result; a typed address.
    linked = {**cookie, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert Asked(server.http_url, "GET", "/v1/jobs", None, linked).status == 401
    typed = {**cookie, "Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}
    assert Asked(server.http_url, "GET", "/v1/jobs", None, typed).status == 200


@pytest.mark.parametrize(
    "body", [{}, [], {"token": 1}, {"token": ""}, {"token": "a b"}, {"token": "a\r\nSet-Cookie: b=c"}]
)
def test_what_is_no_token(guarded: Guarded, body: object) -> None:
    answer = Asked(guarded[0].http_url, "POST", "/page/session", body, PAGE)
    assert (answer.status, answer.cookies) == (400, [])


def test_a_token_that_is_not_the_servers(guarded: Guarded) -> None:
    answer = Asked(guarded[0].http_url, "POST", "/page/session", {"token": "basicaer_x"}, PAGE)
    assert (answer.status, answer.cookies) == (401, [])


def test_a_header_goes_before_the_cookie(guarded: Guarded) -> None:
    brought = {"Cookie": _signed_in(guarded).partition(";")[0], **PAGE, "Authorization": "Bearer x"}
    assert Asked(guarded[0].http_url, "GET", "/v1/jobs", None, brought).status == 401


@pytest.mark.parametrize("cookie", ["basicaer", "=;=;", 'basicaer="', "basicaer=a b", "\xe4=1"])
def test_cookies_that_are_none(guarded: Guarded, cookie: str) -> None:
    assert Asked(guarded[0].http_url, "GET", "/v1/jobs", None, {"Cookie": cookie, **PAGE}).status == 401


def test_a_revoked_token_ends_the_session(guarded: Guarded) -> None:
    server = guarded[0]
    with TokenStore(server.data_dir) as tokens:
        token, text = tokens.create("ben", "admin", None)
        brought = {"Cookie": f"basicaer={text}", **PAGE}
        assert Asked(server.http_url, "GET", "/page/load", None, brought).status == 200
        tokens.revoke(token.token_id)
    assert Asked(server.http_url, "GET", "/page/load", None, brought).status == 401
    assert Asked(server.http_url, "GET", "/page/session", None, brought).json["signedIn"] is False


def test_strangers_learn_nothing(guarded: Guarded) -> None:
    url = guarded[0].http_url
    assert Asked(url, "GET", "/page/load", None, PAGE).status == 401
    assert Asked(url, "POST", "/page/drawing", {"openqasm3": "qubit q;"}, PAGE).status == 401
    told = Asked(url, "GET", "/page/session", None, PAGE).json
    assert (told["principal"], told["admin"]) == ("", False)
