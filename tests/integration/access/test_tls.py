"""TLS: encryption, certificates that are renewed while the server runs, and files that won't do."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
import trustme
from basicaer.client import AsyncBasicAerProvider, BasicAerProvider, ServerUnavailableError
from basicaer.service.access import TokenStore
from basicaer.service.access._tls import server_credentials
from basicaer.service.config import Config
from basicaer.service.errors import CredentialsFileError
from basicaer.v1 import job_service_pb2 as pb
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.conftest import StartServer, open_channel
from tests.integration.access.conftest import Authority, stub_of
from tests.integration.conftest import Wire


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """An authority that has signed a server's certificate."""
    made = Authority(tmp_path)
    made.write_server()
    return made


def _works(address: str, credentials: grpc.ChannelCredentials) -> bool:
    with stub_of(address, "", credentials) as stub:
        try:
            return bool(stub.GetServerInfo(pb.GetServerInfoRequest(), timeout=20).version)
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.UNAVAILABLE:
                raise
            return False


async def _version_by_the_twin(address: str) -> str:
    async with AsyncBasicAerProvider(address) as twin:
        return (await twin.server_info()).version


def test_the_client_and_the_command_line_speak_tls(
    start_server: StartServer, authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    server = start_server(*authority.options(), "--auth", "token")
    with TokenStore(server.data_dir) as store:
        _, token = store.create("ada", "user", None)
    ca_file = authority.write_ca()
    with BasicAerProvider(server.address, token=token, credentials=authority.client()) as provider:
        assert provider.server_info().version
    monkeypatch.setenv("BASICAER_CA_FILE", ca_file)
    monkeypatch.setenv("BASICAER_TOKEN", token)
    with BasicAerProvider(server.address) as provider:
        assert provider.get_backend("qasm_simulator")
    assert asyncio.run(_version_by_the_twin(server.address))
    command = [sys.executable, "-m", "basicaer.service.cli", "run", "-", "--server", server.address]
    program = 'OPENQASM 2.0; include "qelib1.inc"; qreg q[1]; creg c[1]; x q[0]; measure q -> c;'
    done = subprocess.run(command, input=program, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "100.0 %" in done.stdout
    monkeypatch.delenv("BASICAER_CA_FILE")
    with (
        BasicAerProvider(server.address, token="", timeout=3.0) as provider,
        pytest.raises(ServerUnavailableError),
    ):
        provider.server_info()


def test_a_renewed_certificate_is_served_without_a_restart(
    start_server: StartServer, authority: Authority, wire: Wire
) -> None:
    server = start_server(*authority.options())
    following = trustme.CA()
    new_roots = grpc.ssl_channel_credentials(following.cert_pem.bytes())
    with stub_of(server.address, "", authority.client()) as stub:
        job = wire.submit(stub, wire.endless())
        watch = stub.WatchJob(pb.WatchJobRequest(job_id=job.job_id))
        next(watch)
        assert not _works(server.address, new_roots)
        authority.write_server(following)
        assert _works(server.address, new_roots)
        assert not _works(server.address, authority.client())
        # A connection that is there stays.
        stub.CancelJob(pb.CancelJobRequest(job_id=job.job_id))
        assert wire.statuses(list(watch))[-1] == "CANCELLED"


def test_half_a_renewal_is_waited_out(start_server: StartServer, authority: Authority) -> None:
    server = start_server(*authority.options())
    key, certificate = authority.folder / "server.key", authority.folder / "server.crt"
    old = key.read_bytes(), certificate.read_bytes()
    following = trustme.CA()
    authority.write_server(following)
    new = key.read_bytes(), certificate.read_bytes()
    for half_key, half_certificate in ((new[0], old[1]), (old[0], new[1]), (b"", new[1]), (new[0], b"")):
        key.write_bytes(half_key)
        certificate.write_bytes(half_certificate)
        assert _works(server.address, authority.client())
    key.write_bytes(new[0])
    certificate.write_bytes(new[1])
    assert _works(server.address, grpc.ssl_channel_credentials(following.cert_pem.bytes()))
    log = server.log.read_text()
    assert "kept what was read before" in log
    assert "PRIVATE KEY" not in log
    assert old[0].splitlines()[1].decode() not in log


def test_the_authority_of_clients_may_be_replaced(start_server: StartServer, authority: Authority) -> None:
    ca_file = Path(authority.write_ca())
    server = start_server(*authority.options(), "--tls-client-ca", str(ca_file), "--auth", "certificate")
    following = trustme.CA()
    assert _works(server.address, authority.client("ada"))
    assert not _works(server.address, authority.client("ada", following))
    following.cert_pem.write_to_path(str(ca_file))
    assert _works(server.address, authority.client("ada", following))
    assert not _works(server.address, authority.client("ada"))


def test_mutual_tls_may_be_asked_for_beside_tokens_alone(
    start_server: StartServer, authority: Authority, wire: Wire
) -> None:
    options = [*authority.options(), "--tls-client-ca", authority.write_ca(), "--auth", "token"]
    server = start_server(*options)
    with TokenStore(server.data_dir) as store:
        _, token = store.create("ada", "user", None)
    # A certificate alone tells this server nothing.
    with stub_of(server.address, "", authority.client("ada")) as stub, wire.fails() as failure:
        stub.GetServerInfo(pb.GetServerInfoRequest())
    assert failure.metadata == {"cause": "missing"}
    with stub_of(server.address, token, authority.client("ada")) as stub:
        assert stub.GetServerInfo(pb.GetServerInfoRequest()).version


def test_a_probe_needs_no_token(start_server: StartServer, authority: Authority) -> None:
    server = start_server(*authority.options(), "--auth", "token", "--no-reflection")
    with open_channel(server.address, authority.client()) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        assert health.Check(health_pb2.HealthCheckRequest()).status == health_pb2.HealthCheckResponse.SERVING
        reflect: grpc.StreamStreamMultiCallable[bytes, bytes] = channel.stream_stream(
            "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
        )
        with pytest.raises(grpc.RpcError) as caught:
            list(reflect(iter([b""])))
        assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("broken", ["no key", "another's key", "no certificate", "no file"])
def test_files_that_will_not_do_are_told_in_one_line(
    authority: Authority, broken: str, tmp_path: Path
) -> None:
    key, certificate = authority.folder / "server.key", authority.folder / "server.crt"
    secret = key.read_text()
    if broken == "no key":
        key.write_text(secret.replace("PRIVATE", "PRIVAT"))
    elif broken == "another's key":
        trustme.CA().issue_cert("x.example").private_key_pem.write_to_path(str(key))
    elif broken == "no certificate":
        certificate.write_text("nothing")
    else:
        certificate.unlink()
    command = [sys.executable, "-m", "basicaer.service.cli", "serve", "--listen", "127.0.0.1:0"]
    command += ["--data-dir", str(tmp_path / "data"), *authority.options()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.splitlines()) == 1
    assert str(authority.folder) in done.stderr
    assert secret.splitlines()[1] not in done.stderr


@pytest.mark.parametrize(
    ("key", "is_taken"),
    [
        (rsa.generate_private_key(65537, 2048), True),
        (ec.generate_private_key(ec.SECP256R1()), True),
        (ec.generate_private_key(ec.SECP384R1()), True),
        (ec.generate_private_key(ec.SECP521R1()), False),
        (ec.generate_private_key(ec.SECP256K1()), False),
        (ed25519.Ed25519PrivateKey.generate(), False),
    ],
    ids=["RSA", "P-256", "P-384", "P-521", "secp256k1", "Ed25519"],
)
def test_keys_that_grpc_has_no_handshake_with_are_refused(key: Any, is_taken: bool, tmp_path: Path) -> None:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    today = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, today, today + timedelta(days=1))
    digest = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    (tmp_path / "crt").write_bytes(builder.sign(key, digest).public_bytes(Encoding.PEM))
    (tmp_path / "key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    config = Config(data_dir=tmp_path, tls_certificate=tmp_path / "crt", tls_key=tmp_path / "key")
    if is_taken:
        assert server_credentials(config) is not None
    else:
        with pytest.raises(CredentialsFileError, match=r"key is of a kind .* P-256"):
            server_credentials(config)


def test_the_command_line_shows_a_certificate(start_server: StartServer, authority: Authority) -> None:
    ca_file = authority.write_ca()
    options = [*authority.options(), "--tls-client-ca", ca_file, "--auth", "certificate"]
    server = start_server(*options)
    made = authority.ca.issue_cert(common_name="ada")
    made.private_key_pem.write_to_path(str(authority.folder / "ada.key"))
    made.cert_chain_pems[0].write_to_path(str(authority.folder / "ada.crt"))
    command = [sys.executable, "-m", "basicaer.service.cli", "info", "--server", server.address]
    command += ["--ca-file", ca_file]
    shown = ["--cert-file", f"{authority.folder}/ada.crt", "--key-file", f"{authority.folder}/ada.key"]
    done = subprocess.run([*command, *shown], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert server.address in done.stdout
    assert subprocess.run(command, capture_output=True, timeout=60).returncode == 3
    half = subprocess.run([*command, *shown[:2]], capture_output=True, text=True, timeout=60)
    assert half.returncode == 1
    assert "key" in half.stderr
