"""What a client shows a server to be let in, and whether the line to it is fit for that.

A token opens all of its owner's jobs to whoever reads it. So it travels under TLS, or within this machine.
"""

from __future__ import annotations

import codecs
import os
from pathlib import Path

import grpc
from basicaer.client._errors import BasicAerError
from basicaer.client.transport._channel import is_local

__all__ = ["VARIABLES", "channel_credentials", "environments_tls"]

# With what the tokens of `basicaer token` begin.
_TOKEN_PREFIX = "basicaer_"
# What the environment may hold, and whether that is a secret itself.
VARIABLES = {
    "BASICAER_TOKEN": True,
    "BASICAER_TOKEN_FILE": False,
    "BASICAER_TLS": False,
    "BASICAER_CA_FILE": False,
    "BASICAER_CERT_FILE": False,
    "BASICAER_KEY_FILE": False,
}


def channel_credentials(
    address: str,
    token: str | None = None,
    credentials: grpc.ChannelCredentials | None = None,
    *,
    token_file: str | None = None,
    tls: bool | None = None,
    ca_file: str | None = None,
    cert_file: str | None = None,
    key_file: str | None = None,
) -> grpc.ChannelCredentials | None:
    """Return what a channel to an address is made with: encryption and token. None: neither.

    What isn't given is taken from the environment. An empty `token` stands for none at all; `credentials`
    stand for all that is said of TLS.

    Raises:
        BasicAerError: A file can't be read, or a token would travel readably over the network.
    """
    if credentials is None:
        credentials = _tls_credentials(tls, ca_file, cert_file, key_file)
    token = _token(token, token_file)
    if not token:
        return credentials
    if credentials is None:
        if not is_local(address):
            raise BasicAerError(
                f"The token isn't sent to {address}, since the connection isn't encrypted and others could "
                "read it. Set BASICAER_CA_FILE to the server's authority (or BASICAER_TLS=1 when the "
                "system knows it), or give credentials=grpc.ssl_channel_credentials()."
            )
        # gRPC itself makes sure of it once more: these connect to this machine alone.
        kind = (
            grpc.LocalConnectionType.UDS if address.startswith("unix") else grpc.LocalConnectionType.LOCAL_TCP
        )
        credentials = grpc.local_channel_credentials(kind)
    return grpc.composite_channel_credentials(credentials, grpc.access_token_call_credentials(token))


def _token(token: str | None, token_file: str | None) -> str:
    if token is None and token_file is None:
        token = os.environ.get("BASICAER_TOKEN")
        token_file = os.environ.get("BASICAER_TOKEN_FILE")
    if token is None:
        token = _text(_read(token_file, "token"), token_file) if token_file else ""
    token = token.strip()
    if not token.isascii() or not token.isprintable() or " " in token:
        # It is never shown, not even when it is wrong.
        raise BasicAerError("The token has characters that no token has; give it as it was printed.")
    return token


def _text(data: bytes, path: str) -> str:
    """Return what a file says, which any editor saved; those of Windows begin it with a mark of its
    encoding.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", errors="replace")
    if b"\0" in data:
        raise BasicAerError(
            f"The file of the token, {path}, isn't plain text (UTF-16, maybe); save it as UTF-8."
        )
    return data.decode("utf-8-sig", errors="replace")


def environments_tls() -> grpc.ChannelCredentials:
    """Return credentials that encrypt: what the environment says of them, the system's authorities
    otherwise.

    Raises:
        BasicAerError: A file can't be read.
    """
    return _tls_credentials(True, None, None, None) or grpc.ssl_channel_credentials()


def _tls_credentials(
    tls: bool | None, ca_file: str | None, cert_file: str | None, key_file: str | None
) -> grpc.ChannelCredentials | None:
    ca_file = ca_file or os.environ.get("BASICAER_CA_FILE")
    cert_file = cert_file or os.environ.get("BASICAER_CERT_FILE")
    key_file = key_file or os.environ.get("BASICAER_KEY_FILE")
    if tls is None:
        tls = os.environ.get("BASICAER_TLS", "").lower() in ("1", "true", "yes", "on")
    if bool(cert_file) != bool(key_file):
        raise BasicAerError("A client certificate needs both its file and that of its key.")
    if not (tls or ca_file or cert_file):
        return None
    return grpc.ssl_channel_credentials(
        _read(ca_file, "authority") if ca_file else None,
        _read(key_file, "key") if key_file else None,
        _read(cert_file, "certificate") if cert_file else None,
    )


def _read(path: str, what: str) -> bytes:
    if path.startswith(_TOKEN_PREFIX):
        raise BasicAerError(
            "A token was given where a file is wanted; give the file's path, or the token in BASICAER_TOKEN."
        )
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise BasicAerError(f"The file of the {what}, {path}, can't be read: {error.strerror}.") from None
