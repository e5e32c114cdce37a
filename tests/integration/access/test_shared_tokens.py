"""Tokens in a database: what one makes or revokes counts wherever it is asked."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import pytest
from basicaer.service.access import Callers, open_tokens
from basicaer.service.access._shared_tokens import SharedTokenStore
from basicaer.service.config import Config
from basicaer.service.errors import ServiceError, StoreBusyError

from tests.postgresql import PostgreSQL

CLI = [sys.executable, "-m", "basicaer.service.cli"]


def bearer(text: str) -> list[tuple[str, str | bytes]]:
    return [("authorization", f"Bearer {text}")]


def create(url: str) -> str:
    """A new admin's token, by the command line."""
    command = [*CLI, "token", "create", "ada", "--role", "admin", "--database", url]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


async def test_made_and_revoked_by_whoever_reaches_the_database(
    postgresql: PostgreSQL, tmp_path: Path
) -> None:
    url = postgresql.url(tmp_path)
    config = Config(data_dir=tmp_path / "data", database=url, auth=("token",))
    servers = [Callers(config) for _ in range(2)]
    try:
        text = await asyncio.to_thread(create, url)
        await asyncio.sleep(0.6)
        for server in servers:
            caller = server.bearer(bearer(text))
            assert caller is not None
            assert (caller.principal, caller.admin) == ("token:ada", True)
            with pytest.raises(ServiceError):
                server.bearer(bearer(text + "x"))
            with pytest.raises(ServiceError):
                server.bearer(bearer("basicaer_none_x"))
        with open_tokens(url, tmp_path) as tokens:
            assert [token.name for token in tokens.revoke("ada")] == ["ada"]
            assert [token.state(time.time()) for token in tokens.tokens()] == ["revoked"]
        await asyncio.sleep(1.0)
        for server in servers:
            with pytest.raises(ServiceError) as caught:
                server.bearer(bearer(text))
            assert caught.value.metadata["cause"] == "revoked"
    finally:
        for server in servers:
            await server.close()


def test_nobody_gets_in_while_the_database_is_away(new_postgresql: PostgreSQL, tmp_path: Path) -> None:
    tokens = open_tokens(new_postgresql.base_url, tmp_path)
    assert isinstance(tokens, SharedTokenStore)
    _, text = tokens.create("ada", "user", None)
    tokens.follow()
    assert tokens.match(text) is not None
    new_postgresql.stop()
    time.sleep(1.0)
    with pytest.raises(StoreBusyError):
        tokens.match(text)
    new_postgresql.start()
    until = time.monotonic() + 30
    while True:
        try:
            assert tokens.match(text) is not None
            break
        except StoreBusyError:
            assert time.monotonic() < until
            time.sleep(0.05)
    tokens.close()
