"""Who can reach the server, and what they prove who they are with: TLS files, tokens, keys."""

from __future__ import annotations

import sqlite3
import stat
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from basicaer.service.access import TokenStore, server_credentials
from basicaer.service.config import DEFAULT_HTTP, Config
from basicaer.service.config._checks import is_loopback
from basicaer.service.doctor._finding import Finding
from basicaer.service.errors import CredentialsFileError, DataDirectoryError

__all__ = ["proofs", "reach", "tls"]

# A certificate that ends sooner should have been renewed (days).
_RENEWAL = 14


def reach(config: Config) -> Finding:
    """Whether strangers can call."""
    check = "listening"
    http = config.http_listen or DEFAULT_HTTP
    addresses = [config.listen, *([http] if http != "none" else [])]
    reached = [address for address in addresses if not is_loopback(address)]
    if not reached:
        return Finding.ok(check, f"on {' and '.join(addresses)}, for this machine alone")
    places = " and ".join(reached)
    if not config.auth:
        return Finding.warning(
            check,
            f"on {places}: everyone who reaches it may read, stop and delete all jobs",
            "Set --auth token and make tokens with 'basicaer token create'; leave out --insecure-no-auth.",
        )
    if config.tls_certificate is None:
        return Finding.warning(
            check,
            f"on {places} without TLS: who sees the traffic reads tokens, programs and results",
            "Set --tls-certificate and --tls-key, unless a proxy on this machine ends TLS.",
        )
    return Finding.ok(check, f"on {places}, with TLS and {', '.join(config.auth)}")


def tls(config: Config) -> Iterator[Finding]:
    """Whether the certificates fit, and until when."""
    check = "TLS"
    if config.tls_certificate is None or config.tls_key is None:
        return
    try:
        server_credentials(config)
    except CredentialsFileError as error:
        yield Finding.failed(check, str(error), "Name the right files, readable by the server's user.")
        return
    for path in (config.tls_certificate, config.tls_client_ca):
        if path is not None:
            yield _expiry(check, path)
    if stat.S_IMODE(config.tls_key.stat().st_mode) & 0o077:
        yield Finding.warning(
            check, f"{config.tls_key} can be read by other accounts", f"chmod 600 {config.tls_key}"
        )


def _expiry(check: str, path: Path) -> Finding:
    from cryptography import x509

    now = datetime.now(UTC)
    certificates = x509.load_pem_x509_certificates(path.read_bytes())
    end = min(certificate.not_valid_after_utc for certificate in certificates)
    begin = max(certificate.not_valid_before_utc for certificate in certificates)
    seen = f"{path} is valid until {end:%Y-%m-%d}"
    renew = "Renew it, and put the new files in place of the old: a running server takes them by itself."
    if end <= now:
        return Finding.failed(check, f"{path} expired on {end:%Y-%m-%d}", renew)
    if begin > now:
        return Finding.failed(check, f"{path} is valid only from {begin:%Y-%m-%d %H:%M}", "Set the clock.")
    return Finding.warning(check, seen, renew) if (end - now).days < _RENEWAL else Finding.ok(check, seen)


def proofs(config: Config) -> Iterator[Finding]:
    """Whether anybody could get in."""
    if "token" in config.auth and not config.database:
        yield _tokens(config.data_dir)
    if "jwt" in config.auth:
        from basicaer.service.access._jwt import JwtVerifier

        try:
            JwtVerifier(config)
        except CredentialsFileError as error:
            yield Finding.failed("JWTs", str(error), "Set --jwks-file to the issuer's public keys.")
        else:
            yield Finding.ok("JWTs", f"{config.jwks_file} has keys")


def _tokens(data_dir: Path) -> Finding:
    check, remedy = "tokens", f"basicaer token create NAME --data-dir {data_dir}"
    valid = 0
    # Opening the file would make it.
    if (data_dir / "tokens.sqlite3").exists():
        try:
            with TokenStore(data_dir) as store:
                valid = sum(token.state(time.time()) == "valid" for token in store.tokens())
        except (DataDirectoryError, sqlite3.Error) as error:
            return Finding.failed(check, str(error), "Give the file back to the server's user.")
    return Finding.ok(check, f"{valid} valid") if valid else Finding.warning(check, "none is valid", remedy)
