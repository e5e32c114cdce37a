"""Pages of other origins, hosts that are none of ours, and clients that mean ill."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from basicaer.service.config import Config
from basicaer.service.doors.http import _protocol
from basicaer.service.errors import SettingError
from basicaer.service.main import Service

from tests.integration.conftest import Wire
from tests.integration.http.conftest import bell
from tests.web import Answer, Web


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8050", "127.0.0.1.evil.example", "[::1", ""])
def test_other_hosts_are_refused(web: Web, host: str) -> None:
    for path in ("/v1/info", "/healthz", "/v1/openapi.json"):
        answer = web.call("GET", path, Host=host)
        assert (answer.status, answer.json["metadata"]) == (403, {"cause": "host"})


@pytest.mark.parametrize("host", ["127.0.0.1", "LOCALHOST:99", "[::1]:80", "192.0.2.7"])
def test_addresses_and_the_local_host_are_let_in(web: Web, host: str) -> None:
    assert web.call("GET", "/v1/info", Host=host).status == 200


def test_pages_of_other_origins_are_refused(web: Web) -> None:
    for origin in ("https://evil.example", "null", "http://127.0.0.1:1"):
        for method, path in (("GET", "/v1/info"), ("POST", "/v1/jobs"), ("OPTIONS", "/v1/jobs")):
            answer = web.call(method, path, bell() if method == "POST" else None, Origin=origin)
            assert (answer.status, answer.json["metadata"]) == (403, {"cause": "origin"})
            assert not [name for name in answer.headers if name.startswith("access-control")]
    embedded = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors"}
    assert web.call("GET", "/v1/info", **embedded).status == 403
    assert web.call("GET", "/v1/info", Origin=web.url).status == 200


async def test_names_and_origins_that_are_set(service: Service) -> None:
    web = Web(service.http_url)

    def call(method: str, path: str, **headers: str) -> Answer:
        return web.call(method, path, None, **headers)

    def look() -> None:
        assert call("GET", "/v1/info", Host="lab.example.org:443").status == 200
        assert call("GET", "/v1/info", Host="other.example.org").status == 403
        asked = call("OPTIONS", "/v1/jobs", Origin="https://app.example.org")
        shared = "access-control-allow-origin"
        assert (asked.status, asked.headers[shared]) == (204, "https://app.example.org")
        assert "POST" in asked.headers["access-control-allow-methods"]
        answer = call("GET", "/v1/jobs/none", Origin="https://app.example.org")
        assert (answer.status, answer.headers["vary"]) == (404, "Origin")
        assert call("GET", "/v1/openapi.json").status == 404

    await asyncio.to_thread(look)


async def test_a_taken_port_is_told(service: Service, tmp_path: Path) -> None:
    taken = service.http_url.removeprefix("http://")
    second = Service(Config(listen="127.0.0.1:0", http_listen=taken, data_dir=tmp_path / "second"))
    with pytest.raises(OSError, match=f"can't listen on {taken}"):
        await second.start()


def _raw(web: Web) -> socket.socket:
    place = urlsplit(web.url)
    assert place.hostname
    assert place.port
    return socket.create_connection((place.hostname, place.port), timeout=60)


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 100_000,
        b"GET /" + b"a" * 100_000,
        b"\x16\x03\x01\x00\x00" * 9 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: x\r\n\r\n",
        b"POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
    ],
)
def test_what_is_not_http_ends(web: Web, head: bytes) -> None:
    with _raw(web) as connection:
        connection.sendall(head)
        assert b" 400 " in connection.recv(4096)
    assert web.call("GET", "/healthz").status == 200


def test_a_body_without_end_is_not_read(web: Web) -> None:
    # Whoever it is learns of it at once, and is cut off a little later.
    for head in (b"Content-Length: 999999999999\r\n", b"Transfer-Encoding: chunked\r\n"):
        with _raw(web) as connection:
            connection.sendall(
                b"POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                + head
                + b"\r\n"
            )
            connection.settimeout(30)
            piece = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
            with pytest.raises(ConnectionError):
                _send_for_ever(connection, piece)
    assert web.call("GET", "/healthz").status == 200


def _send_for_ever(connection: socket.socket, piece: bytes) -> None:
    while True:
        connection.sendall(piece)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(
        listen="127.0.0.1:0",
        http_listen="127.0.0.1:0",
        http_hosts=("lab.example.org",),
        http_origins=("https://app.example.org",),
        reflection=False,
        data_dir=tmp_path / "data",
        drain_grace=0.0,
    )


@pytest.fixture
async def hasty(service: Service, monkeypatch: pytest.MonkeyPatch) -> Service:
    """A server that doesn't wait for the rest of a request."""
    monkeypatch.setattr(_protocol, "_HEAD_SECONDS", 0.1)
    monkeypatch.setattr(_protocol, "_STUCK_SECONDS", 0.1)
    return service


@pytest.mark.parametrize("sent", [b"", b"GET /v1/in", b"GET /v1/info HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET"])
async def test_who_never_ends_a_request_is_cut_off(hasty: Service, sent: bytes) -> None:
    place = urlsplit(hasty.http_url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    writer.write(sent)
    # Each byte in time, and no end of them.
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(60):
            while not reader.at_eof():
                writer.write(b"a" if sent else b"")
                await writer.drain()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(reader.read(4096), 0.05)
    writer.close()


async def test_who_takes_nothing_is_cut_off(hasty: Service) -> None:
    web = Web(hasty.http_url)
    run = await asyncio.to_thread(
        web.call,
        "POST",
        "/v1/jobs:run",
        {
            "backendName": "statevector_simulator",
            "programs": [{"openqasm2": "OPENQASM 2.0;qreg q[20];U(1,0,0) q[19];"}],
        },
    )
    place = urlsplit(hasty.http_url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port, limit=1024)
    path = f"/v1/jobs/{run.json['job']['jobId']}/result/0/statevector"
    writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    state = hasty._http.server._state  # type: ignore[union-attr]  # it is there
    await asyncio.to_thread(Wire.until, lambda: not state.connections)
    writer.close()


def test_until_somebody_comes_nothing_of_it_is_loaded(tmp_path: Path) -> None:
    script = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from basicaer.service.config import Config\n"
        "from basicaer.service.main import Service\n"
        "async def main():\n"
        "    async with Service(Config(data_dir=Path(sys.argv[1]), listen='127.0.0.1:0')) as service:\n"
        "        assert service.http_url\n"
        "        print(*(name for name in ('uvicorn', 'starlette', 'h11', 'anyio') if name in sys.modules))\n"
        "asyncio.run(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.strip() == ""


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"http_listen": "everywhere"}, "http_listen"),
        ({"http_listen": "0.0.0.0:8050"}, "http_listen"),
        ({"http_listen": "0.0.0.0:8050", "auth": ("token",)}, "http_listen"),
        ({"http_hosts": ("https://lab.example.org",)}, "http_hosts"),
        ({"http_origins": ("app.example.org",)}, "http_origins"),
        ({"http_origins": ("*",)}, "http_origins"),
    ],
)
def test_settings_that_make_no_sense(tmp_path: Path, settings: dict[str, object], named: str) -> None:
    with pytest.raises(SettingError) as caught:
        Config(data_dir=tmp_path, **settings)  # type: ignore[arg-type]  # of several types
    assert caught.value.setting == named
