"""Health as probes ask for it: the command, and the port that needs neither TLS nor a token."""

from __future__ import annotations

import asyncio
import socket
import sys
from pathlib import Path

import grpc
import pytest
import trustme
from basicaer.service.config import Config
from basicaer.service.errors import SettingError
from basicaer.service.main import Service
from basicaer.v1 import job_service_pb2, job_service_pb2_grpc

from tests.conftest import CHANNEL_OPTIONS, ServerProcess


async def _health(*arguments: str) -> tuple[int | None, str, str]:
    """Status and both outputs of `basicaer health`."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "basicaer.service.cli",
        "health",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A server with TLS that asks who calls, with a port for probes."""
    made = trustme.CA().issue_cert("127.0.0.1")
    made.private_key_pem.write_to_path(str(tmp_path / "key"))
    made.cert_chain_pems[0].write_to_path(str(tmp_path / "crt"))
    return Config(
        listen="127.0.0.1:0",
        health_listen="127.0.0.1:0",
        data_dir=tmp_path / "data",
        drain_grace=0.0,
        auth=("token",),
        tls_certificate=tmp_path / "crt",
        tls_key=tmp_path / "key",
    )


async def test_the_port_for_probes_tells_health_without_tls_and_token(service: Service) -> None:
    assert await _health("--server", service.health_address) == (0, "SERVING\n", "")
    await service._server.set_serving(False)
    status, out, err = await _health("--server", service.health_address, "--json")
    assert (status, out) == (1, '{"status": "NOT_SERVING"}\n')
    assert "starts or drains" in err


async def test_the_port_for_probes_tells_nothing_else(service: Service) -> None:
    async with grpc.aio.insecure_channel(service.health_address, CHANNEL_OPTIONS) as channel:
        stub = job_service_pb2_grpc.JobServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.GetServerInfo(job_service_pb2.GetServerInfoRequest())
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_the_command_asks_a_servers_own_port_too(server: ServerProcess) -> None:
    assert await _health("--server", server.address) == (0, "SERVING\n", "")


async def test_nobody_answers() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        status, out, err = await _health("--server", f"127.0.0.1:{taken.getsockname()[1]}")
    assert (status, out) == (3, "")
    assert "no server answers" in err


def test_an_address_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="health_listen"):
        Config(data_dir=tmp_path, health_listen="everywhere")


async def test_a_taken_port_is_told(service: Service, tmp_path: Path) -> None:
    other = Service(
        Config(listen="127.0.0.1:0", health_listen=service.health_address, data_dir=tmp_path / "other")
    )
    with pytest.raises(OSError, match=service.health_address):
        await other.start()
