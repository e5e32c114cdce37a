"""Callers of every kind: who has a token, who a JWT, who a certificate, and who nothing that counts."""

from __future__ import annotations

import contextlib
import json
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import jwt
import pytest
import trustme
from basicaer.service.access import TokenStore
from basicaer.v1 import job_service_pb2_grpc
from cryptography.hazmat.primitives.asymmetric import ec

from tests.conftest import ServerProcess, open_channel
from tests.web import Web, WebStub

ISSUER, AUDIENCE = "https://issuer.example", "basicaer"
Stub = job_service_pb2_grpc.JobServiceStub


class Issuer:
    """Signs JWTs, and publishes its keys in a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.keys: dict[str, ec.EllipticCurvePrivateKey] = {}
        self.renew("first")

    def renew(self, name: str) -> None:
        """Has one key from now on."""
        self.keys = {name: ec.generate_private_key(ec.SECP256R1())}
        algorithm = jwt.algorithms.ECAlgorithm(jwt.algorithms.ECAlgorithm.SHA256)
        document = {
            "keys": [
                {**algorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig", "alg": "ES256"}
                for kid, key in self.keys.items()
            ]
        }
        # As a rotation should do it: at once.
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps(document))
        new.replace(self.path)

    def sign(self, subject: str = "ada", *, roles: Any = ("quantum",), **claims: Any) -> str:
        """Return a JWT, valid unless the claims say otherwise; those that are None are left out."""
        ((kid, key),) = self.keys.items()
        body = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": subject,
            "exp": time.time() + 600,
            "roles": list(roles),
        }
        body = {name: value for name, value in {**body, **claims}.items() if value is not None}
        return jwt.encode(body, key, "ES256", {"kid": kid})


@dataclass
class Authority:
    """Signs certificates and writes them where a server reads them."""

    folder: Path
    ca: trustme.CA = field(default_factory=trustme.CA)

    def write_server(self, ca: trustme.CA | None = None) -> None:
        """Gives the server a new certificate, by default of this authority."""
        made = (ca or self.ca).issue_cert("127.0.0.1", "localhost")
        made.private_key_pem.write_to_path(str(self.folder / "server.key"))
        (self.folder / "server.crt").write_bytes(b"".join(pem.bytes() for pem in made.cert_chain_pems))

    def options(self) -> list[str]:
        """The server's flags for TLS."""
        return ["--tls-certificate", f"{self.folder}/server.crt", "--tls-key", f"{self.folder}/server.key"]

    def write_ca(self) -> str:
        """The authority's own certificate, in a file."""
        path = self.folder / "ca.crt"
        self.ca.cert_pem.write_to_path(str(path))
        return str(path)

    def web_client(self, common_name: str | None = None, ca: trustme.CA | None = None) -> ssl.SSLContext:
        """The same as `client`, for HTTP."""
        context = ssl.create_default_context(cadata=self.ca.cert_pem.bytes().decode())
        if common_name is not None:
            issue = (ca or self.ca).issue_cert
            made = issue(common_name=common_name) if common_name else issue("nobody@example.org")
            with made.private_key_and_cert_chain_pem.tempfile() as path:
                context.load_cert_chain(path)
        return context

    def client(self, common_name: str | None = None, ca: trustme.CA | None = None) -> grpc.ChannelCredentials:
        """What a client trusts this authority with, and shows its own certificate if it has a name, or ""."""
        roots = self.ca.cert_pem.bytes()
        if common_name is None:
            return grpc.ssl_channel_credentials(roots)
        issue = (ca or self.ca).issue_cert
        made = issue(common_name=common_name) if common_name else issue("nobody@example.org")
        return grpc.ssl_channel_credentials(
            roots, made.private_key_pem.bytes(), made.cert_chain_pems[0].bytes()
        )


def secret_part(token: str) -> str:
    """What of a token or a JWT nobody else could know: the random part, or the signature."""
    return token.split("_", 2)[2] if token.startswith("basicaer_") else token.rpartition(".")[2]


@contextlib.contextmanager
def stub_of(
    address: str, token: str = "", credentials: grpc.ChannelCredentials | None = None
) -> Iterator[Stub]:
    """A stub that shows a token, as a program without our client would."""
    channel_credentials = credentials or grpc.local_channel_credentials()
    if token:
        channel_credentials = grpc.composite_channel_credentials(
            channel_credentials, grpc.access_token_call_credentials(token)
        )
    with open_channel(address, channel_credentials) as channel:
        yield Stub(channel)


@dataclass
class Callers:
    """A server and the callers that know of it, by one of its doors: `as_caller[name]()` is a stub of one."""

    server: ServerProcess
    as_caller: dict[str, Callable[[], contextlib.AbstractContextManager[Stub]]]
    secrets: list[str]


AsCaller = Callable[[], contextlib.AbstractContextManager[Stub]]
Doors = dict[str, Callers]


def web_stub_of(url: str, token: str = "", context: ssl.SSLContext | None = None) -> AsCaller:
    """The same as `stub_of`, by HTTP."""
    stub: Any = WebStub(Web(url, token, context))
    return lambda: contextlib.nullcontext(stub)


@pytest.fixture(scope="module", params=["grpc", "http"])
def callers(request: pytest.FixtureRequest, bearers: Doors) -> Callers:
    """Callers by tokens and JWTs, and by none that count, at each door."""
    return bearers[request.param]


@pytest.fixture(scope="module", params=["grpc", "http"])
def mutual(request: pytest.FixtureRequest, holders: Doors) -> Callers:
    """Callers by certificates, at each door; who has a token as well is its bearer."""
    return holders[request.param]


@pytest.fixture(scope="module")
def bearers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """A server that wants tokens or JWTs."""
    folder = tmp_path_factory.mktemp("callers")
    issuer = Issuer(folder / "jwks.json")
    with TokenStore(folder / "data") as store:
        tokens = {
            "owner": store.create("ada", "user", None)[1],
            "owner's second token": store.create("ada", "user", 600.0)[1],
            "other": store.create("bob", "user", None)[1],
            "admin": store.create("root", "admin", None)[1],
            "expired": store.create("ada", "user", -1.0)[1],
            "revoked": store.create("eve", "user", None)[1],
        }
        store.revoke("eve")
    tokens["bad secret"] = tokens["owner"][:-5] + "AAAAA"
    tokens["unknown id"] = "basicaer_00000000_" + "A" * 43
    # The same name as the owner's, of another issuer: somebody else.
    tokens["jwt of that name"] = issuer.sign("ada")
    tokens["jwt admin"] = issuer.sign("carol", roles=["boss"])
    tokens["jwt without role"] = issuer.sign("dan", roles=[])
    tokens["jwt expired"] = issuer.sign("ada", exp=time.time() - 60)
    options = ["--auth", "token,jwt", "--jwks-file", str(issuer.path), "--jwt-issuer", ISSUER]
    options += ["--jwt-audience", AUDIENCE, "--jwt-user-role", "quantum", "--jwt-admin-role", "boss"]
    options += ["--log-level", "debug", "--jwt-leeway", "1s", "--http-listen", "127.0.0.1:0"]
    server = ServerProcess(folder / "data", folder / "log", *options)

    def caller(token: str) -> AsCaller:
        return lambda: stub_of(server.address, token)

    def web_caller(token: str) -> AsCaller:
        return web_stub_of(server.http_url, token)

    known, secrets = {"none": "", **tokens}, list(tokens.values())
    yield {
        "grpc": Callers(server, {name: caller(token) for name, token in known.items()}, secrets),
        "http": Callers(server, {name: web_caller(token) for name, token in known.items()}, secrets),
    }
    server.kill()


@pytest.fixture(scope="module")
def holders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """A server that wants client certificates; who has a token as well is its bearer."""
    folder = tmp_path_factory.mktemp("mutual")
    authority = Authority(folder)
    authority.write_server()
    with TokenStore(folder / "data") as store:
        token = store.create("ada", "user", None)[1]
    options = [*authority.options(), "--tls-client-ca", authority.write_ca(), "--auth", "certificate,token"]
    options += ["--certificate-admins", "root,op", "--http-listen", "127.0.0.1:0"]
    server = ServerProcess(folder / "data", folder / "log", *options)
    # Each one's common name (None without a certificate), token, and authority if it is another one.
    known: dict[str, tuple[str | None, str, trustme.CA | None]] = {
        "owner": ("ada", "", None),
        "other": ("bob", "", None),
        "admin": ("root", "", None),
        "token of that name": ("ada", token, None),
        "bad token": ("ada", "basicaer_00000000_x", None),
        "no name": ("", "", None),
        "no certificate": (None, "", None),
        "certificate of another authority": ("ada", "", trustme.CA()),
    }

    def caller(name: str | None, token: str, ca: trustme.CA | None) -> AsCaller:
        credentials = authority.client(name, ca)
        return lambda: stub_of(server.address, token, credentials)

    def web_caller(name: str | None, token: str, ca: trustme.CA | None) -> AsCaller:
        return web_stub_of(server.http_url, token, authority.web_client(name, ca))

    yield {
        "grpc": Callers(server, {who: caller(*proof) for who, proof in known.items()}, [token]),
        "http": Callers(server, {who: web_caller(*proof) for who, proof in known.items()}, [token]),
    }
    server.kill()
