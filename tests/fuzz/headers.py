"""What a call brings along to be let in: whatever isn't a right of this server's is refused, and says so."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import grpc
import jwt
from basicaer.service.access import Callers, TokenStore
from basicaer.service.config import Config
from basicaer.service.errors import ServiceError
from basicaer.v1 import error_reason_pb2 as reasons
from basicaer.v1 import job_service_pb2 as pb
from basicaer.v1 import job_service_pb2_grpc
from cryptography.hazmat.primitives.asymmetric import ec

from tests.fuzz.inputs.mutation import mutate_bytes, mutate_text
from tests.fuzz.server.live import Live, live, reason_of
from tests.fuzz.targets import Target

__all__ = ["HEADERS"]

_ISSUER, _AUDIENCE = "https://issuer.example", "basicaer"
_REFUSED = (reasons.ERROR_REASON_UNAUTHENTICATED, reasons.ERROR_REASON_PERMISSION_DENIED)
# What gRPC lets through in a value.
_SENDABLE = re.compile(r"[ -~]{0,4000}")
_WORDS = (
    "Bearer",
    "bearer",
    "BEARER ",
    "Basic",
    "basicaer_",
    "@token",
    "@jwt",
    ".",
    "==",
    "eyJ",
    "null",
    "e30",
)


class _Rights:
    """A server that asks, what it lets in, and the same gate without a network between."""

    def __init__(self) -> None:
        self.live: Live | None = None
        self.gate: Callers | None = None
        # What stands for them in an input, since they differ each time.
        self.texts: dict[str, str] = {}

    @contextlib.contextmanager
    def around(self) -> Iterator[None]:
        """Runs it."""
        with contextlib.ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="basicaer-fuzz-")))
            settings: dict[str, Any] = {
                "auth": ("token", "jwt"),
                "jwks_file": folder / "jwks.json",
                "jwt_issuer": _ISSUER,
                "jwt_audience": _AUDIENCE,
            }
            self.texts = {"@jwt": _issue(folder / "jwks.json")}
            with TokenStore(folder / "data") as store:
                self.texts["@token"] = store.create("ada", "user", None)[1]
            self.live = stack.enter_context(live(folder, **settings))
            self.gate = Callers(Config(data_dir=folder / "data", **settings))
            yield
            # What it keeps open is freed on a loop, which this thread has not.
            if self.gate._tokens is not None:
                self.gate._tokens.close()


_rights = _Rights()


def _issue(path: Path) -> str:
    """Writes an issuer's keys, and returns a JWT of its."""
    key = ec.generate_private_key(ec.SECP256R1())
    algorithm = jwt.algorithms.ECAlgorithm(jwt.algorithms.ECAlgorithm.SHA256)
    public: dict[str, Any] = algorithm.to_jwk(key.public_key(), as_dict=True)
    path.write_text(json.dumps({"keys": [{**public, "kid": "k", "use": "sig", "alg": "ES256"}]}))
    claims = {"iss": _ISSUER, "aud": _AUDIENCE, "sub": "bob", "exp": time.time() + 86_400.0}
    return jwt.encode(claims, key, "ES256", {"kid": "k"})


def _run(data: bytes) -> None:
    """Gives the lines of an input as values of the metadata "authorization"."""
    server, gate = _rights.live, _rights.gate
    assert server is not None
    assert gate is not None
    values = data.decode("latin-1").split("\n")[:3]
    for name, text in _rights.texts.items():
        values = [value.replace(name, text) for value in values]
    entitled = len(values) == 1 and _entitled(values[0])
    try:
        caller = gate.bearer([("authorization", value) for value in values])
    except ServiceError as error:
        assert error.reason in _REFUSED, error
        assert not entitled, "the bearer of a right was refused"
        assert not any(text in error.message for text in _rights.texts.values()), "a secret was told"
    else:
        assert caller is not None
        assert len(values) == 1
        assert _means_a_right(values[0]), f"{values} let somebody in"
    if not all(_SENDABLE.fullmatch(value) for value in values):
        return
    stub = job_service_pb2_grpc.JobServiceStub(server.channel)
    metadata = tuple(("authorization", value) for value in values)
    try:
        stub.GetServerInfo(pb.GetServerInfoRequest(), metadata=metadata, timeout=60)
    except grpc.RpcError as error:
        assert reason_of(error) in ("UNAUTHENTICATED", "PERMISSION_DENIED"), error
        assert not entitled
    else:
        # On the wire, values of one name may be joined, and spaces around them count for nothing.
        assert any(_means_a_right(value.strip()) for value in values), f"{values} let somebody in"
    server.check()


def _entitled(value: str) -> bool:
    scheme, _, text = value.partition(" ")
    return scheme.lower() == "bearer" and text in _rights.texts.values()


def _means_a_right(value: str) -> bool:
    """Whether a value is a right, even if a JWT's signature is written in another way, as with padding."""
    head, dot, signature = value.rpartition(".")
    own, _, ours = _rights.texts["@jwt"].rpartition(".")
    if dot and _entitled(f"{head}.{ours}") and head.endswith(own):
        return _decoded(signature) == _decoded(ours)
    return _entitled(value)


def _decoded(signature: str) -> bytes:
    with contextlib.suppress(ValueError):
        return base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    return b""


def _seeds() -> list[bytes]:
    # Of an issuer and a server that are nobody's.
    foreign = "eyJhbGciOiJFUzI1NiIsImtpZCI6ImsifQ.eyJzdWIiOiJib2IiLCJleHAiOjk5OTk5OTk5OTl9.AAAA"
    values = ("Bearer @token", "Bearer @jwt", "bearer basicaer_00000000_" + "A" * 43, f"Bearer {foreign}")
    return [*(value.encode() for value in values), b"", b"Bearer", b"Bearer @token\nBearer @jwt"]


def _mutate(data: bytes, random: Random) -> bytes:
    if not random.randrange(4):
        return mutate_bytes(data, random)
    text = mutate_text(data.decode("latin-1"), random, _WORDS)
    return text.encode("latin-1", errors="replace")


HEADERS = Target(
    name="headers",
    run=_run,
    seeds=_seeds,
    mutate=_mutate,
    words=_WORDS,
    around=_rights.around,
)
