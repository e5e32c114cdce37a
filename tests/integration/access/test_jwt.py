"""JWTs: every claim that is checked, every trick that is known, and keys that are renewed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import math
import time
from pathlib import Path
from typing import Any

import grpc
import jwt
import pytest
from basicaer.service.access import Callers
from basicaer.service.config import Config
from basicaer.service.errors import CredentialsFileError, ServiceError
from basicaer.v1 import job_service_pb2 as pb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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


def _signed(issuer: Issuer, claims: str, header: str = '{"alg": "ES256", "kid": "first"}') -> str:
    """A JWT with these very texts, which no library would sign."""
    head = ".".join(
        base64.urlsafe_b64encode(text.encode("utf-8", "surrogatepass")).decode().rstrip("=")
        for text in (header, claims)
    )
    algorithm = jwt.algorithms.ECAlgorithm(jwt.algorithms.ECAlgorithm.SHA256)
    signature = algorithm.sign(head.encode(), issuer.keys["first"])
    return f"{head}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def _claims(**claims: str) -> str:
    """Good claims as JSON, but for those that are given as JSON."""
    good = {"iss": json.dumps(ISSUER), "aud": json.dumps(AUDIENCE), "sub": '"ada"', "exp": f"{2**33}"}
    return "{" + ", ".join(f'"{name}": {text}' for name, text in {**good, **claims}.items()) + "}"


_NO_TIMES = (
    *(
        "1" + "0" * 400,
        "9" * 5_000,
        "1e400",
        "-1e400",
        "NaN",
        "Infinity",
        '"9999999999"',
        '" 9999999999 "',
        "true",
    ),
    *("null", "[9999999999]", "{}", '""', "253402300800", "1e300"),
)
_NO_NAMES = (
    *(
        '""',
        '" "',
        '"\\u0000"',
        '"ada\\u001b[2J"',
        '"ada\\n"',
        '" ada"',
        '"\\u00a0"',
        '"\\ud800"',
        '"a\\udfff"',
    ),
    *(
        '"\\u202eada"',
        '"\\u009b"',
        '"a\\u200bb"',
        json.dumps("x" * 256),
        "7",
        "null",
        '["ada"]',
        '{"a": 1}',
        "true",
    ),
)


@pytest.mark.parametrize(
    "claims",
    [
        *({name: text} for name in ("exp", "nbf", "iat") for text in _NO_TIMES),
        *({"sub": text} for text in _NO_NAMES),
        *({"aud": text} for text in ("[]", "{}", "7", '[["basicaer"]]', '["other", 7]', "null")),
        *({"iss": text} for text in ('["https://issuer.example"]', "7", "{}", '""')),
        {"nested": "[" * 50_000 + "]" * 50_000},
    ],
    ids=lambda claims: "{} {:.20}".format(*next(iter(claims.items()))).encode("ascii", "replace").decode(),
)
def test_claims_of_any_kind_are_refused_in_words(
    issuer: Issuer, gate: Callers, claims: dict[str, str]
) -> None:
    assert _cause(gate, _signed(issuer, _claims(**claims)))


@pytest.mark.parametrize(
    "header",
    [
        *(
            f'{{"alg": "ES256", "kid": {kid}}}'
            for kid in ("7", "[]", "{}", "true", '["first"]', '"\\ud800"', '""')
        ),
        *(f'{{"alg": {alg}, "kid": "first"}}' for alg in ('"none"', '"HS256"', "null", "[]", "7", '"es256"')),
        *(
            '{"kid": "first"}',
            "[]",
            "7",
            '"ES256"',
            "",
            "{",
            "[" * 50_000,
            '{"alg": "ES256", "crit": ["exp"]}',
        ),
        '{"alg": "ES256", "kid": "first", "b64": false, "crit": ["b64"]}',
    ],
    ids=lambda header: header[:40].encode("ascii", "replace").decode(),
)
def test_headers_of_any_kind_are_refused_in_words(issuer: Issuer, gate: Callers, header: str) -> None:
    assert _cause(gate, _signed(issuer, _claims(), header))


def test_what_is_right_is_let_in(issuer: Issuer, gate: Callers) -> None:
    for claims in (
        _claims(),
        _claims(sub='"Zo\\u00eb \\u91cf\\u5b50"'),
        _claims(exp="4102444800.5", nbf="-1", iat="1"),
        _claims(aud=json.dumps(["other", AUDIENCE])),
        _claims(sub=json.dumps("x" * 255)),
    ):
        caller = gate.bearer([("authorization", f"Bearer {_signed(issuer, claims)}")])
        assert caller is not None
        assert caller.expires is not None


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.sampled_from(["exp", "nbf", "iat", "sub", "aud", "iss", "roles", "jti"]), _JSON, max_size=3
    ),
    st.dictionaries(st.sampled_from(["kid", "alg", "typ", "crit", "b64"]), _JSON, max_size=1),
)
def test_any_claim_and_header_is_let_in_under_a_sane_name_or_refused(
    issuer: Issuer, gate: Callers, claims: dict[str, Any], header: dict[str, Any]
) -> None:
    body = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "exp": 2**33, **claims}
    token = _signed(issuer, json.dumps(body), json.dumps({"alg": "ES256", "kid": "first", **header}))
    caller, reason = None, "UNAUTHENTICATED"
    try:
        caller = gate.bearer([("authorization", f"Bearer {token}")])
    except ServiceError as error:
        reason = error.reason_name
    assert reason == "UNAUTHENTICATED"
    if caller is not None:
        assert caller.expires is not None
        assert math.isfinite(caller.expires)
        assert caller.principal.isprintable()
        assert caller.principal == f"jwt:{body['sub']}" != "jwt:"


def test_a_time_that_no_number_holds_is_unauthenticated_on_the_wire(
    issuer: Issuer, start_server: StartServer
) -> None:
    server = start_server(
        *(
            "--auth",
            "jwt",
            "--jwks-file",
            str(issuer.path),
            "--jwt-issuer",
            ISSUER,
            "--jwt-audience",
            AUDIENCE,
        )
    )
    token = _signed(issuer, _claims(exp="1" + "0" * 400))
    with stub_of(server.address, token) as stub, pytest.raises(grpc.RpcError) as caught:
        stub.GetServerInfo(pb.GetServerInfoRequest())
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize(
    "names",
    [
        [],
        [b""],
        [b" "],
        [b"\0"],
        [b"a\0b"],
        [b"ada\x1b[2J"],
        [b"\xff"],
        [b"ada", b"eve"],
        [b"x" * 256],
        [b"ada\n"],
    ],
    ids=repr,
)
def test_a_certificates_name_is_one_that_can_be_seen(gate: Callers, names: list[bytes]) -> None:
    context = {"x509_pem_cert": [b"pem"], "x509_common_name": names}
    with pytest.raises(ServiceError) as caught:
        gate.certificate_holder(context)
    assert caught.value.reason_name == "PERMISSION_DENIED"
    good = gate.certificate_holder({**context, "x509_common_name": ["Zoë".encode()]})
    assert good.principal == "cert:Zoë"
