"""`basicaer doctor` on sound deployments and on broken ones."""

from __future__ import annotations

import datetime
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, TypedDict

import pytest
import trustme
from basicaer.service.config import Config
from basicaer.service.doctor import Verdict, _access, _machine

from tests.conftest import ServerProcess, StartServer
from tests.integration.conftest import Wire

COMMAND = [sys.executable, "-m", "basicaer.service.cli", "doctor"]


def _doctor(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("BASICAER_")}
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, timeout=90, env=environment, check=False
    )


def _checks(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    return {one["check"]: one for one in json.loads(done.stdout)["checks"]}


class TlsFiles(TypedDict):
    tls_certificate: Path
    tls_key: Path


def _certificate(folder: Path, **life: Any) -> TlsFiles:
    """A server's certificate and key as settings."""
    made = trustme.CA().issue_cert("localhost", **life)
    certificate, key = folder / "server.crt", folder / "server.key"
    made.cert_chain_pems[0].write_to_path(str(certificate))
    made.private_key_pem.write_to_path(str(key))
    key.chmod(0o600)
    return {"tls_certificate": certificate, "tls_key": key}


def test_a_sound_deployment(server: ServerProcess, tmp_path: Path) -> None:
    # Beside a server, which has its memory already, and on a machine that is shared with others.
    done = _doctor("--server", server.address, "--data-dir", str(tmp_path), "--max-memory-bytes", "64MiB")
    assert done.returncode == 0, done.stdout
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    for check in ("settings", "free space", "memory", "listening", "kernels", "server", "version", "circuit"):
        assert any(line.startswith(("ok ", "warning ")) and f"  {check}: " in line for line in lines), check
    assert sum("SERVING" in line for line in lines) == 2


def test_the_circuit_leaves_nothing_behind(start_server: StartServer, tmp_path: Path) -> None:
    from basicaer.v1 import job_service_pb2 as pb

    server = start_server()
    done = _doctor("--json", "--server", server.address, "--data-dir", str(tmp_path))
    checks = _checks(done)
    assert checks["circuit"]["verdict"] == "ok", done.stdout
    assert checks["clocks"]["verdict"] == "ok"
    with server.stub() as stub:
        assert not stub.ListJobs(pb.ListJobsRequest()).jobs


def test_no_server(tmp_path: Path) -> None:
    done = _doctor("--json", "--server", "127.0.0.1:9", "--data-dir", str(tmp_path))
    assert done.returncode == 1
    assert json.loads(done.stdout)["healthy"] is False
    finding = _checks(done)["server"]
    assert finding["verdict"] == "failed"
    assert "basicaer serve" in finding["seen"]


def test_settings_that_dont_fit_are_found(tmp_path: Path) -> None:
    done = _doctor("--json", "--listen", "0.0.0.0:50051", "--data-dir", str(tmp_path))
    assert done.returncode == 1
    finding = _checks(done)["settings"]
    assert finding["verdict"] == "failed"
    assert "--auth token" in finding["seen"]


def test_a_draining_server(start_server: StartServer, wire: Wire, tmp_path: Path) -> None:
    import signal

    from basicaer.v1 import job_service_pb2 as pb
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    server = start_server("--drain-grace", "80s")
    with server.stub() as stub, server.channel() as channel:
        job = wire.submit(stub, wire.endless())
        wire.wait_running(stub, job.job_id)
        told = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        next(told)
        server.signal(signal.SIGTERM)
        next(told)
        done = _doctor("--json", "--server", server.address, "--data-dir", str(tmp_path))
        told.cancel()
        stub.CancelJob(pb.CancelJobRequest(job_id=job.job_id))
    checks = _checks(done)
    assert done.returncode == 1
    assert checks["health"]["verdict"] == "failed"
    assert checks["server"]["verdict"] == "ok"
    assert "stopping" in checks["circuit"]["seen"]


def test_the_data_directory(tmp_path: Path) -> None:
    open_to_all, none, file = tmp_path / "open", tmp_path / "none", tmp_path / "file"
    open_to_all.mkdir(mode=0o755)
    file.touch()
    assert _machine.data_directory(Config(data_dir=none)).verdict is Verdict.OK
    found = _machine.data_directory(Config(data_dir=open_to_all))
    assert found.verdict is Verdict.WARNING
    assert found.remedy == f"chmod 700 {open_to_all}"
    open_to_all.chmod(0o700)
    assert _machine.data_directory(Config(data_dir=open_to_all)).verdict is Verdict.OK
    assert _machine.data_directory(Config(data_dir=file)).verdict is Verdict.FAILED
    assert not none.exists()


def test_more_memory_than_there_is(tmp_path: Path) -> None:
    found = _machine.memory(Config(data_dir=tmp_path, max_memory_bytes=1 << 60))
    assert found.verdict is Verdict.FAILED
    assert "--max-memory-bytes" in found.remedy
    assert _machine.memory(Config(data_dir=tmp_path, max_memory_bytes=1 << 20)).verdict is Verdict.OK


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("always [madvise] never\n", Verdict.OK),
        ("[always] madvise never\n", Verdict.OK),
        ("always madvise [never]\n", Verdict.WARNING),
    ],
)
def test_huge_pages(tmp_path: Path, text: str, verdict: Verdict) -> None:
    path = tmp_path / "enabled"
    path.write_text(text)
    assert _machine.huge_pages(path).verdict is verdict


@pytest.mark.parametrize(
    ("hard", "verdict"),
    [(128, Verdict.FAILED), (1024, Verdict.WARNING), (65_536, Verdict.OK), (-1, Verdict.OK)],
)
def test_descriptors(monkeypatch: pytest.MonkeyPatch, hard: int, verdict: Verdict) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda _what: (100, hard))
    found = _machine.descriptors()
    assert found.verdict is verdict
    assert bool(found.remedy) is (verdict is not Verdict.OK)


def test_a_clock_that_was_set_back(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite3"
    path.touch()
    assert _machine.clock(Config(data_dir=tmp_path)).verdict is not Verdict.FAILED
    os.utime(path, (time.time() + 3600,) * 2)
    assert _machine.clock(Config(data_dir=tmp_path)).verdict is Verdict.FAILED


@pytest.mark.parametrize(
    ("begins", "ends", "verdict"),
    [(-9, 90, Verdict.OK), (-9, 9, Verdict.WARNING), (-9, -1, Verdict.FAILED), (1, 90, Verdict.FAILED)],
)
def test_when_a_certificate_ends(tmp_path: Path, begins: int, ends: int, verdict: Verdict) -> None:
    now = datetime.datetime.now(datetime.UTC)
    files = _certificate(
        tmp_path,
        not_before=now + datetime.timedelta(days=begins),
        not_after=now + datetime.timedelta(days=ends),
    )
    (found,) = _access.tls(Config(data_dir=tmp_path, **files))
    assert found.verdict is verdict, found


def test_tls_files(tmp_path: Path) -> None:
    files = _certificate(tmp_path)
    files["tls_key"].chmod(0o644)
    assert [one.verdict for one in _access.tls(Config(data_dir=tmp_path, **files))][1:] == [Verdict.WARNING]
    files["tls_key"].write_text("no key")
    (found,) = _access.tls(Config(data_dir=tmp_path, **files))
    assert found.verdict is Verdict.FAILED
    assert str(files["tls_key"]) in found.seen


def test_who_can_reach_it(tmp_path: Path) -> None:
    files = _certificate(tmp_path)
    away: dict[str, Any] = {"data_dir": tmp_path, "listen": "0.0.0.0:1"}
    assert _access.reach(Config(data_dir=tmp_path)).verdict is Verdict.OK
    nobody_asked = Config(**away, insecure_no_auth=True, insecure_no_tls=True)
    assert "--auth" in _access.reach(nobody_asked).remedy
    readable = Config(**away, auth=("token",), insecure_no_tls=True)
    assert "--tls-certificate" in _access.reach(readable).remedy
    sound = Config(**away, auth=("token",), **files)
    assert _access.reach(sound).verdict is Verdict.OK
    (tokens,) = _access.proofs(sound)
    assert "token create" in tokens.remedy
    assert not (tmp_path / "tokens.sqlite3").exists()
