"""A server without compiled kernels is there at once, and runs small jobs; large ones wait for theirs."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from basicaer.v1 import job_service_pb2 as pb

from tests.conftest import ServerProcess, StartServer
from tests.integration.conftest import Wire

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def _told(server: ServerProcess, text: str) -> bool:
    """Whether the log, which a thread writes, says so within some seconds."""
    until = time.monotonic() + 20
    while text not in server.log.read_text() and time.monotonic() < until:
        time.sleep(0.1)
    return text in server.log.read_text()


def test_a_server_without_kernels(
    server: ServerProcess, start_server: StartServer, wire: Wire, tmp_path: Path
) -> None:
    cold = start_server(prefix=["env", f"NUMBA_CACHE_DIR={tmp_path / 'kernels'}"])
    assert _told(cold, "tier: plain; no compiled kernels")
    with cold.stub() as stub:
        result = wire.run(stub, wire.bell(seed_simulator=7))[-1].result
        # Nobody has waited for kernels.
        assert "tier: full" not in cold.log.read_text()
        assert stub.GetServerInfo(pb.GetServerInfoRequest()).kernel_tier == pb.KERNEL_TIER_PLAIN
    with server.stub() as stub:
        assert stub.GetServerInfo(pb.GetServerInfoRequest()).kernel_tier == pb.KERNEL_TIER_FULL
        expected = wire.run(stub, wire.bell(seed_simulator=7))[-1].result
    assert result.programs[0].counts == expected.programs[0].counts
    # In order, though much isn't compiled yet: past its deadline a server leaves with another status.
    assert cold.stop() == 0


def test_a_job_that_waits_for_kernels_waits_for_the_next_server(
    start_server: StartServer, wire: Wire, tmp_path: Path
) -> None:
    kernels = ["env", f"NUMBA_CACHE_DIR={tmp_path / 'kernels'}"]
    cold = start_server("--drain-grace", "0", prefix=kernels)
    with cold.stub() as stub:
        job = wire.submit(stub, wire.state(16))
        wire.wait_running(stub, job.job_id)
    assert cold.stop() == 0
    with start_server(prefix=kernels).stub() as stub:
        assert wire.wait_running(stub, job.job_id).attempt == 2
