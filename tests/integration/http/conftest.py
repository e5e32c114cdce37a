"""A server with the HTTP door, and a client of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf import json_format

from tests.conftest import ServerProcess
from tests.integration.conftest import Wire
from tests.web import Web


@pytest.fixture(scope="session")
def web_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with both doors."""
    folder = tmp_path_factory.mktemp("http")
    server = ServerProcess(folder / "data", folder / "log", "--http-listen", "127.0.0.1:0")
    yield server
    server.kill()


@pytest.fixture
def web(web_server: ServerProcess) -> Web:
    """A client of its HTTP."""
    return Web(web_server.http_url)


def bell(**options: Any) -> dict[str, Any]:
    """A Bell pair as OpenQASM text, as JSON."""
    return spec(Wire.qasm(**options))


def spec(message: Any) -> dict[str, Any]:
    """Return a spec as JSON."""
    made: dict[str, Any] = json_format.MessageToDict(message)
    return made
