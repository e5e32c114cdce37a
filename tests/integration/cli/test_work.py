"""`basicaer work` beside variables that are a server's, as a container has them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster.processes import Part
from tests.postgresql import PostgreSQL

SERVERS_OWN = {
    "BASICAER_LISTEN": "0.0.0.0:50051",
    "BASICAER_HTTP_LISTEN": "0.0.0.0:8080",
    "BASICAER_RUN_JOBS": "false",
}


def test_doors_of_a_server_are_not_a_workers(
    postgresql: PostgreSQL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in SERVERS_OWN.items():
        monkeypatch.setenv(name, value)
    worker = Part(tmp_path, "worker", "work", "--database", postgresql.url(tmp_path), "--workers", "1")
    try:
        worker.begin()
        worker.ready()
    finally:
        worker.kill()


def test_a_database_is_needed_nevertheless() -> None:
    command = [sys.executable, "-m", "basicaer.service.cli", "work"]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **SERVERS_OWN}, timeout=120, check=False
    )
    assert done.returncode == 2
    assert "--database names the database whose jobs are to be run" in done.stderr
