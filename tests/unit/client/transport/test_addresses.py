"""What can be an address, and what a person is told of everything else."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from basicaer.client import AsyncBasicAerProvider, BasicAerError, BasicAerProvider
from basicaer.client.transport._channel import resolve_address
from basicaer.service.cli._connection import Server, connect, health_of
from hypothesis import given
from hypothesis import strategies as st

WRONG = {
    "": "which is empty",
    "  ": "which is empty",
    ":99999": "which has no host",
    ":50051": "which has no host",
    "grpc://127.0.0.1:50051": "leave out 'grpc://'",
    "grpcs://there:443": "leave out 'grpcs://'",
    "http://127.0.0.1:50051": "leave out 'http://'",
    "https://there": "leave out 'https://'",
    "tcp://there:50051": "leave out 'tcp://'",
    "there:0": "a port is a number from 1 to 65535",
    "there:65536": "a port is a number from 1 to 65535",
    "there:99999": "a port is a number from 1 to 65535",
    "there:": "which is no address",
    "there:port": "which is no address",
    "there:50051/": "which is no address",
    "there 50051": "which is no address",
    "a:b:c": "which is no address",
    "::1": "stands in brackets",
    "fe80::1:50051": "stands in brackets",
    "unix:": "nothing behind its scheme",
    "dns:///": "nothing behind its scheme",
    "there:50051\x1b[31m": r"\x1b",
}
RIGHT = (
    *("127.0.0.1:50051", "localhost:1", "there.example:65535", "there", "[::1]:50051", "[fe80::1%eth0]:1"),
    *("unix:/tmp/socket", "unix:///tmp/socket", "unix-abstract:name", "dns:///there:50051", "ipv4:1.2.3.4:5"),
)


@pytest.mark.parametrize("address", WRONG)
@pytest.mark.parametrize(
    "use",
    [
        BasicAerProvider,
        AsyncBasicAerProvider,
        lambda address: connect(Server(address)).__enter__(),
        lambda address: health_of(Server(address)),
    ],
    ids=["provider", "asyncio", "commands", "health"],
)
def test_what_is_no_address_is_told_what_one_looks_like(use: Callable[[str], object], address: str) -> None:
    with pytest.raises(BasicAerError) as caught:
        use(address)
    assert "Give the server as HOST:PORT, such as 127.0.0.1:50051" in str(caught.value)
    assert WRONG[address] in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("address", [address for address in WRONG if address.strip()])
def test_the_environment_is_told_too(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("BASICAER_SERVER", address)
    with pytest.raises(BasicAerError, match="HOST:PORT"):
        BasicAerProvider()


@pytest.mark.parametrize("address", RIGHT)
def test_addresses_of_all_forms(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    assert resolve_address(address) == resolve_address(f" {address}\n") == address
    monkeypatch.setenv("BASICAER_SERVER", address)
    assert resolve_address(None) == address
    monkeypatch.setenv("BASICAER_SERVER", "")
    assert resolve_address(None) == "127.0.0.1:50051"


@given(st.text(max_size=300))
def test_any_text_is_an_address_or_told(text: str) -> None:
    with contextlib.suppress(BasicAerError):
        assert resolve_address(text) == text.strip()
        return
    with pytest.raises(BasicAerError) as caught:
        resolve_address(text)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 3000
