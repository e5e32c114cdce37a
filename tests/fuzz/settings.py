"""What an operator writes: settings files and variables, and the files that settings name.

An input's first byte says which it is; the rest is what is in it. All of it is used, or refused in words.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

from basicaer.service.access import Callers, TokenStore, server_credentials
from basicaer.service.config import Config
from basicaer.service.config._load import load
from basicaer.service.config._setting import settings_of
from basicaer.service.doors.grpc._server import server_options
from basicaer.service.doors.service import _limits
from basicaer.service.errors import CredentialsFileError, DataDirectoryError, SettingError
from basicaer.service.wire import Scanner
from basicaer.v1 import job_service_pb2

from tests.fuzz.inputs.mutation import mutate_bytes, mutate_text
from tests.fuzz.targets import Target

__all__ = ["SETTINGS"]

_NAMES = tuple(setting.name for setting in settings_of(Config))
_WORDS = (
    *_NAMES,
    *("=", "[", "]", '"', "'", ",", "\n", "#", "none", "true", "false", "inf", "nan", "-1", "0x7f", "1e400"),
    *(
        "GiB",
        "KiB",
        "ms",
        "min",
        "30d",
        "0.5",
        "9" * 30,
        "9" * 400,
        "127.0.0.1:0",
        "[::1]:1",
        "0.0.0.0:99999",
    ),
    *('"kty"', '"RSA"', '"EC"', '"oct"', '"kid"', '"n"', '"AQAB"', '"crv"', '"P-256"', "{", "}", ":", "null"),
)
_JWK = '{"keys": [{"kty": "RSA", "kid": "a", "use": "sig", "n": "sXchN8Zp", "e": "AQAB", "alg": "RS256"}]}'
_EC = '{"keys": [{"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "kid": "1"'
_EC += ', "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}'
_TOML = """# a team's server
listen = "127.0.0.1:50051"
workers = 4
max_memory_bytes = "16GiB"
result_retention = "none"
drain_grace = 0.5
auth = ["token", "certificate"]
tls_certificate = "server.pem"
tls_key = "server.key"
tls_client_ca = "ca.pem"
reflection = false
"""
_PEM = "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUQ==\n-----END CERTIFICATE-----\n"


def _file(folder: Path, data: bytes) -> None:
    path = folder / "basicaer.toml"
    path.write_bytes(data)
    _use(load({"data_dir": str(folder / "data")}, path).config)


def _environment(folder: Path, data: bytes) -> None:
    """Lines of NAME=VALUE, after the prefix that our variables have."""
    before = dict(os.environ)
    try:
        for line in data.split(b"\n"):
            name, _, value = line.partition(b"=")
            # What no environment can hold is the caller's to see.
            if b"\0" not in line and name.isascii():
                os.environb[b"BASICAER_" + name.upper()] = value
        os.environ.setdefault("BASICAER_DATA_DIR", str(folder / "data"))
        _use(load({}, None).config)
    finally:
        os.environ.clear()
        os.environ.update(before)


def _use(config: Config) -> None:
    """What a server does with its settings before it takes a port."""
    server_options(config)
    _limits(config, Scanner([job_service_pb2.SubmitJobRequest.DESCRIPTOR], config))
    for setting in settings_of(Config):
        assert isinstance(setting.kind.show(getattr(config, setting.name)), str)


def _keys(folder: Path, data: bytes) -> None:
    path = folder / "jwks.json"
    path.write_bytes(data)
    config = Config(
        data_dir=folder, auth=("jwt",), jwks_file=path, jwt_issuer="https://issuer.example", jwt_audience="b"
    )
    Callers(config)


def _tokens(folder: Path, data: bytes) -> None:
    (folder / "tokens.sqlite3").write_bytes(data)
    with TokenStore(folder) as store:
        list(store.tokens())


def _certificate(folder: Path, data: bytes) -> None:
    for name, part in zip(("cert", "key", "ca"), [*data.split(b"\0"), b"", b""][:3], strict=True):
        (folder / name).write_bytes(part)
    server_credentials(
        Config(
            data_dir=folder,
            tls_certificate=folder / "cert",
            tls_key=folder / "key",
            tls_client_ca=folder / "ca",
        )
    )


_KINDS: tuple[Callable[[Path, bytes], None], ...] = (_file, _environment, _keys, _tokens, _certificate)


def _run(data: bytes) -> None:
    with tempfile.TemporaryDirectory(prefix="basicaer-fuzz-") as folder:
        try:
            _KINDS[(data[0] if data else 0) % len(_KINDS)](Path(folder), data[1:])
        except (SettingError, CredentialsFileError, DataDirectoryError, sqlite3.Error) as error:
            assert str(error).strip()


def _seeds() -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        with TokenStore(Path(folder)) as store:
            store.create("ada", "user", None)
        tokens = (Path(folder) / "tokens.sqlite3").read_bytes()
    lines = "\n".join(f"{name}=1" for name in _NAMES[:8])
    texts = [
        (0, _TOML),
        (0, ""),
        (1, "workers=2\nmax_shots=5\nauth=token,jwt"),
        (1, lines),
        (2, _JWK),
        (2, _EC),
    ]
    texts += [(0, f"{name} = 1") for name in _NAMES] + [(4, f"{_PEM}\0{_PEM}\0{_PEM}")]
    return [bytes([kind]) + text.encode() for kind, text in texts] + [b"\x03" + tokens]


def _mutate(data: bytes, random: Random) -> bytes:
    if not data or data[0] % len(_KINDS) == 3 or not random.randrange(6):
        return mutate_bytes(data, random)
    text = mutate_text(data[1:].decode(errors="surrogateescape"), random, _WORDS)
    return data[:1] + text.encode(errors="surrogateescape")


@contextlib.contextmanager
def _around() -> Iterator[None]:
    """No variable of this machine's own counts."""
    before = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("BASICAER_")}
    yield
    os.environ.update(before)


SETTINGS = Target(
    name="settings",
    run=_run,
    seeds=_seeds,
    mutate=_mutate,
    words=_WORDS,
    around=_around,
)
