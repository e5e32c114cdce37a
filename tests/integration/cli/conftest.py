"""Commands against the server that tests share."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ServerProcess
from tests.integration.conftest import BELL, COMMAND

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(server: ServerProcess) -> Run:
    """Runs a command against the shared server."""

    def command(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "BASICAER_SERVER": server.address, "COLUMNS": "80"}
        return subprocess.run(
            [*COMMAND, *arguments],
            **{"capture_output": True, "text": True, "timeout": 90, "env": environment, **options},
        )

    return command


@pytest.fixture
def bell(tmp_path: Path) -> str:
    """A file with a Bell pair."""
    path = tmp_path / "bell.qasm"
    path.write_text(BELL)
    return str(path)
