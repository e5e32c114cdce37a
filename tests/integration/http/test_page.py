"""The page's files: what they say to browsers, and how much of them there is."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Any

import pytest
from basicaer.service.config import DEFAULT_HTTP, Config
from basicaer.service.doors.web import WebDoor
from basicaer.service.main import Service

from tests.conftest import StartServer
from tests.web import Web

# For the first view, compressed.
MOST_BYTES = 300_000


def test_the_first_view_is_small(web: Web) -> None:
    document = web.call("GET", "/").body.decode()
    names = re.findall(r'(?:href|src)="(/page/[^"]+)"', document)
    assert len(names) == 3
    answers = [web.call("GET", name, None, accept_encoding="gzip") for name in names]
    assert {answer.headers["content-encoding"] for answer in answers} == {"gzip"}
    # With the editor, too.
    script = gzip.decompress(answers[-1].body).decode()
    chunks = re.findall(r'"\./([\w-]+\.js)"', script)
    assert chunks
    answers += [web.call("GET", f"/page/{name}", None, accept_encoding="gzip") for name in chunks]
    assert sum(len(answer.body) for answer in answers) < MOST_BYTES


@pytest.mark.parametrize("path", ["/", "/write", "/server", "/jobs/01a2293155b7723c9e3ccbb0d2b8e6fa"])
def test_a_view_lets_nothing_else_in(web: Web, path: str) -> None:
    first, second = web.call("GET", path), web.call("GET", path)
    policy = first.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy.replace("http-equiv", "")
    (nonce,) = re.findall(r"'nonce-([^']+)'", policy)
    assert f'content="{nonce}"' in first.body.decode()
    assert nonce not in second.body.decode()
    assert first.headers["cache-control"] == "no-store"
    for header in ("x-content-type-options", "referrer-policy", "cross-origin-opener-policy"):
        assert header in first.headers


def test_nothing_of_anybody_else_is_named(web: Web) -> None:
    folder = Path(__file__).parents[3] / "service/basicaer/service/doors/http/page/static"
    for file in folder.iterdir():
        found = re.findall(r"https?://[\w.-]+", file.read_text()) if file.suffix != ".txt" else []
        # Names of XML's, which nobody fetches.
        assert {url for url in found if url not in ("http://www.w3.org", "https://codemirror.net")} == set()


def test_files_are_asked_for_again_only_when_they_changed(web: Web) -> None:
    first = web.call("GET", "/page/page.css")
    again = web.call("GET", "/page/page.css", None, if_none_match=first.headers["etag"])
    assert (again.status, again.body) == (304, b"")
    assert first.headers["cache-control"] == "no-cache"


def test_what_is_not_there(web: Web) -> None:
    assert web.call("GET", "/page/none.js").status == 404
    assert web.call("GET", "/page/../__init__.py").status == 404
    assert web.call("GET", "/page/packages.json").status == 404
    assert web.call("GET", "/nothing").status == 404
    assert web.call("POST", "/write", {}).status == 405
    assert web.call("GET", "/page/drawing").status == 405
    assert web.call("PUT", "/page/session", {}).status == 405


@pytest.mark.parametrize(
    "body", [{}, [], {"a": "b"}, {"openqasm3": 1}, {"openqasm2": "", "openqasm3": ""}, b"text"]
)
def test_what_is_no_program(web: Web, body: object) -> None:
    assert web.call("POST", "/page/drawing", body).status == 400


def test_drawings(web: Web) -> None:
    drawn = web.call("POST", "/page/drawing", {"openqasm3": "qubit[2] q; U(0, 0, 0) q[1]; reset q[0];"}).json
    assert drawn["qubits"] == ["q[0]", "q[1]"]
    labels = [label for column in drawn["columns"] for piece in column for label in piece["labels"].values()]
    assert sorted(labels) == ["U(0, 0, 0)", "|0⟩"]
    assert "fault" in web.call("POST", "/page/drawing", {"openqasm3": "qubit[2] q; nothing q;"}).json
    assert "fault" in web.call("POST", "/page/drawing", {"openqasm3": "qubit[1000] q;"}).json
    assert "fault" in web.call("POST", "/page/drawing", {"openqasm2": "x" * 60_000}).json
    assert web.call("POST", "/page/drawing", {"openqasm2": "x" * 70_000}).status == 413


async def test_where_the_default_port_is_taken_it_is_a_free_one(tmp_path: Path) -> None:
    first = Service(Config(listen="127.0.0.1:0", data_dir=tmp_path / "1", drain_grace=0.0))
    second = Service(Config(listen="127.0.0.1:0", data_dir=tmp_path / "2", drain_grace=0.0))
    async with first, second:
        urls = {first.http_url, second.http_url}
        assert len(urls) == 2
        assert urls - {f"http://{DEFAULT_HTTP}"}


@pytest.mark.parametrize("listen", ["", "127.0.0.1:0"])
def test_a_port_is_taken_before_anything_else_starts(tmp_path: Path, listen: str) -> None:
    """Of two servers that start at once, the second must not find out when it begins to answer."""

    def door(own: str) -> WebDoor:
        # Of its other parts nothing is asked for before somebody comes.
        nothing: Any = None
        return WebDoor(nothing, nothing, Config(data_dir=tmp_path, http_listen=own), nothing)

    first, second = door(listen), door("")
    taken = first.bind()
    with pytest.raises(OSError, match="no other server"):
        door(taken.removeprefix("http://")).bind()
    assert second.bind() != taken
    for each in (first, second):
        assert each._socket is not None
        each._socket.close()


def test_it_can_be_turned_off(start_server: StartServer) -> None:
    server = start_server("--http-listen", "none")
    assert server.http_url == ""
