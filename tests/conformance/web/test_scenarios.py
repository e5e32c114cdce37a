"""The conformance scenarios, played by a client that knows HTTP and JSON alone."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conformance.scenarios import SCENARIOS, play_by_http
from tests.conftest import ServerProcess

RUNNER = f"{sys.executable} -m tests.conformance.web.runner"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The HTTP door of a server."""
    folder = tmp_path_factory.mktemp("web")
    server = ServerProcess(folder / "data", folder / "log", "--http-listen", "127.0.0.1:0")
    yield server.http_url
    server.kill()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario["name"])
def test_scenario(scenario: dict[str, Any], url: str) -> None:
    play_by_http(scenario, RUNNER, url)
