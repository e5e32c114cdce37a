"""JWTs: every claim that is checked, every trick that is known, and keys that are renewed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from pathlib import Path
from typing import Any

import grpc
import pytest
from basicaer.service.access import Callers
from basicaer.service.config import Config
from basicaer.service.errors import CredentialsFileError, ServiceError
from basicaer.v1 import job_service_pb2 as pb

from tests.conftest import StartServer
from tests.integration.access.conftest import AUDIENCE, ISSUER, Issuer, stub_of
from tests.integration.conftest import Wire


@pytest.fixture
def issuer(tmp_path: Path) -> Issuer:
    """An issuer whose keys are in a file."""
    return Issuer(tmp_path / "jwks.json")


def _config(tmp_path: Path, **settings: Any) -> Config:
    return Config(
        data_dir=tmp_path,
        auth=("jwt",),
        jwks_file=tmp_path / "jwks.json",
        jwt_issuer=ISSUER,
        jwt_audience=AUDIENCE,
        jwt_leeway=5.0,
        **settings,
    )


@pytest.fixture
def gate(issuer: Issuer, tmp_path: Path) -> Callers:
    """What a server asks who calls."""
    return Callers(_config(tmp_path))


def _cause(gate: Callers, token: str) -> str:
    with pytest.raises(ServiceError) as caught:
        gate.bearer([("authorization", f"Bearer {token}")])
    assert caught.value.reason_name == "UNAUTHENTICATED"
    assert token not in str(caught.value)
    return caught.value.metadata["cause"]


def test_a_good_one_tells_who_calls_and_how_long(issuer: Issuer, gate: Callers) -> None:
    expires = int(time.time()) + 100
    caller = gate.bearer([("authorization", f"bearer {issuer.sign('ada', exp=expires)}")])
    assert caller is not None
    assert (caller.principal, caller.admin, caller.expires) == ("jwt:ada", False, expires + 5)


@pytest.mark.parametrize(
    ("claims", "cause"),
    [
        ({"exp": 1}, "expired"),
        ({"exp": None}, "missing_claim"),
        ({"sub": None}, "missing_claim"),
        ({"iss": None}, "missing_claim"),
        ({"aud": None}, "missing_claim"),
        ({"iss": "https://other.example"}, "issuer"),
        ({"aud": "another service"}, "audience"),
        ({"nbf": 2**33}, "not_yet_valid"),
        ({"sub": 7}, "malformed"),
    ],
)
def test_claims_that_will_not_do(issuer: Issuer, gate: Callers, claims: dict[str, Any], cause: str) -> None:
    arguments = {**claims}
    subject = arguments.pop("sub", "ada")
    assert _cause(gate, issuer.sign(subject, **arguments)) == cause


def test_clocks_may_differ_a_little(issuer: Issuer, gate: Callers) -> None:
    assert gate.bearer([("authorization", f"Bearer {issuer.sign(exp=time.time() - 2)}")])
    assert gate.bearer([("authorization", f"Bearer {issuer.sign(nbf=time.time() + 2)}")])
    assert _cause(gate, issuer.sign(exp=time.time() - 60)) == "expired"


def _segment(document: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")


def test_a_token_does_not_choose_how_it_is_checked(issuer: Issuer, gate: Callers, tmp_path: Path) -> None:
    good = issuer.sign()
    _, claims, signature = good.split(".")
    unsigned = f"{_segment({'alg': 'none', 'kid': 'first'})}.{claims}."
    # HS256 with the public key for its secret, which everyone knows.
    head = f"{_segment({'alg': 'HS256', 'kid': 'first'})}.{claims}"
    public = (tmp_path / "jwks.json").read_bytes()
    confused = (
        base64.urlsafe_b64encode(hmac.digest(public, head.encode(), hashlib.sha256)).decode().rstrip("=")
    )
    stranger = Issuer(tmp_path / "other.json")
    for token in (
        unsigned,
        f"{head}.{confused}",
        f"{_segment({'alg': 'ES256', 'kid': 'first'})}.{claims}.{signature[:-8]}AAAAAAAA",
        f"{_segment({'alg': 'ES256', 'kid': 'unknown'})}.{claims}.{signature}",
        stranger.sign(),
        "nonsense",
        "a.b.c",
        good + "x",
    ):
        assert _cause(gate, token) in ("signature", "algorithm", "malformed")


@pytest.mark.parametrize(
    ("roles", "admin"),
    [
        (["quantum"], False),
        ("openid quantum", False),
        (["boss"], True),
        (["quantum", "boss"], True),
        ([], None),
        (None, None),
        ({"quantum": 1}, None),
        ("quantum-not", None),
    ],
)
def test_roles(issuer: Issuer, tmp_path: Path, roles: Any, admin: bool | None) -> None:
    gate = Callers(_config(tmp_path, jwt_user_role="quantum", jwt_admin_role="boss", jwt_roles_claim="scope"))
    metadata = [("authorization", f"Bearer {issuer.sign(scope=roles)}")]
    if admin is None:
        with pytest.raises(ServiceError) as caught:
            gate.bearer(metadata)
        assert caught.value.reason_name == "PERMISSION_DENIED"
    else:
        caller = gate.bearer(metadata)
        assert caller is not None
        assert caller.admin is admin


def test_renewed_keys_count_at_once_and_old_ones_no_more(
    start_server: StartServer, issuer: Issuer, wire: Wire
) -> None:
    options = ["--auth", "jwt", "--jwks-file", str(issuer.path), "--jwt-issuer", ISSUER]
    server = start_server(*options, "--jwt-audience", AUDIENCE)
    old = issuer.sign()
    with stub_of(server.address, old) as stub:
        assert stub.GetServerInfo(pb.GetServerInfoRequest()).version
        issuer.path.write_text("half a file")
        # Until the file makes sense again, the keys from before count.
        assert stub.GetServerInfo(pb.GetServerInfoRequest()).version
        issuer.renew("second")
        with wire.fails() as failure:
            stub.GetServerInfo(pb.GetServerInfoRequest())
        assert (failure.code, failure.metadata) == (grpc.StatusCode.UNAUTHENTICATED, {"cause": "signature"})
    with stub_of(server.address, issuer.sign()) as stub:
        assert stub.GetServerInfo(pb.GetServerInfoRequest()).version


@pytest.mark.parametrize(
    "document",
    [
        "",
        "[]",
        "{}",
        '{"keys": []}',
        "[" * 200_000,
        '{"keys": [{"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", '
        '"y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0", "kid": ["a"]}]}',
        '{"keys": [{"kty": "oct", "kid": "a", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA"}]}',
    ],
)
def test_key_sets_that_will_not_do(issuer: Issuer, tmp_path: Path, document: str) -> None:
    issuer.path.write_text(document)
    with pytest.raises(CredentialsFileError, match=r"jwks\.json") as caught:
        Callers(_config(tmp_path))
    assert "c2VjcmV0" not in str(caught.value)
