"""What the client shows a server, and what it never shows the network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from basicaer.client import AsyncBasicAerProvider, BasicAerError, BasicAerProvider
from basicaer.client.transport._access import VARIABLES, _text, channel_credentials
from basicaer.service.cli._connection import CLIENT_VARIABLES

TOKEN = "basicaer_0a1b2c3d_not-a-real-one"


@pytest.fixture(autouse=True)
def nothing_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may have a token of its own."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def _shown(peer: Any, provider_of: Callable[[], BasicAerProvider]) -> list[str]:
    """The 'authorization' metadata that arrive at a server."""
    seen: list[str] = []
    original = peer.handlers["GetServerInfo"]

    def look(request: Any, context: grpc.ServicerContext) -> Any:
        metadata = context.invocation_metadata()
        seen.extend(str(value) for key, value in metadata if key == "authorization")
        return original(request, context)

    peer.on("GetServerInfo", look)
    with provider_of() as provider:
        provider.server_info()
    return seen


def test_a_token_is_shown_within_this_machine(peer: Any) -> None:
    assert _shown(peer, lambda: BasicAerProvider(peer.address, token=TOKEN)) == [f"Bearer {TOKEN}"]
    assert _shown(peer, lambda: BasicAerProvider(peer.address)) == []


def test_the_environment_has_a_token(peer: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}-of-the-file\n")
    monkeypatch.setenv("BASICAER_TOKEN_FILE", str(path))
    assert _shown(peer, lambda: BasicAerProvider(peer.address)) == [f"Bearer {TOKEN}-of-the-file"]
    monkeypatch.setenv("BASICAER_TOKEN", TOKEN)
    assert _shown(peer, lambda: BasicAerProvider(peer.address)) == [f"Bearer {TOKEN}"]
    assert _shown(peer, lambda: BasicAerProvider(peer.address, token="other")) == ["Bearer other"]
    assert _shown(peer, lambda: BasicAerProvider(peer.address, token="")) == []


@pytest.mark.parametrize(
    "address", ["192.0.2.1:50051", "example.org:50051", "127.0.0.1.example.org:1", "10.0.0.1:1"]
)
@pytest.mark.parametrize("kind", [BasicAerProvider, AsyncBasicAerProvider])
def test_a_token_never_travels_readably(
    address: str, kind: type[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BasicAerError, match="isn't encrypted") as caught:
        kind(address, token=TOKEN)
    assert TOKEN not in str(caught.value)
    assert "BASICAER_CA_FILE" in str(caught.value)
    monkeypatch.setenv("BASICAER_TOKEN", TOKEN)
    with pytest.raises(BasicAerError, match="isn't encrypted"):
        kind(address)
    # Without a token, or under TLS, it is the caller's business.
    assert channel_credentials(address, "") is None
    assert channel_credentials(address, TOKEN, grpc.ssl_channel_credentials()) is not None
    monkeypatch.setenv("BASICAER_TLS", "1")
    assert channel_credentials(address) is not None


@pytest.mark.parametrize("token", ["a b", "a\nb", "é", "\0"])
def test_what_can_be_no_token_is_refused_and_not_shown(token: str) -> None:
    with pytest.raises(BasicAerError) as caught:
        BasicAerProvider("127.0.0.1:1", token=token)
    assert token not in str(caught.value)


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"BASICAER_TOKEN_FILE": "/nowhere/token"}, "/nowhere/token"),
        ({"BASICAER_CA_FILE": "/nowhere/ca"}, "/nowhere/ca"),
        ({"BASICAER_CERT_FILE": "/nowhere/crt"}, "key"),
        ({"BASICAER_CERT_FILE": "/nowhere/crt", "BASICAER_KEY_FILE": "/nowhere/key"}, "/nowhere/key"),
    ],
)
def test_files_that_are_not_there_are_named(
    variables: dict[str, str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(BasicAerError, match=told):
        BasicAerProvider("127.0.0.1:1")


def test_a_token_in_the_place_of_its_file_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BASICAER_TOKEN_FILE", TOKEN)
    with pytest.raises(BasicAerError, match="where a file is wanted") as caught:
        BasicAerProvider("127.0.0.1:1")
    assert TOKEN not in str(caught.value)


def test_the_command_line_knows_the_same_variables() -> None:
    assert {**VARIABLES, "BASICAER_SERVER": False} == CLIENT_VARIABLES


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "  \r\n\r\n"])
@pytest.mark.parametrize("encoding", ["ascii", "utf-8-sig", "utf-16", "utf-16-le", "latin-1"])
def test_a_token_file_of_any_editor(tmp_path: Path, peer: Any, encoding: str, end: str) -> None:
    path = tmp_path / "token"
    path.write_bytes((TOKEN + end).encode(encoding))
    if encoding == "utf-16-le":
        with pytest.raises(BasicAerError, match=r"UTF-16, maybe\); save it as UTF-8") as caught:
            channel_credentials(peer.address, token_file=str(path))
        assert TOKEN not in str(caught.value)
        return
    credentials = channel_credentials(peer.address, token_file=str(path))
    assert credentials is not None
    assert _text(path.read_bytes(), str(path)).strip() == TOKEN
