"""TLS and mutual TLS from files that may be replaced at any time: the next connection gets the new ones."""

from __future__ import annotations

import ssl
from pathlib import Path

import grpc
from basicaer.service.access._files import Reloaded
from basicaer.service.config import Config
from basicaer.service.errors import CredentialsFileError

__all__ = ["server_context", "server_credentials"]


def server_credentials(config: Config) -> grpc.ServerCredentials | None:
    """Return what a port is to be secured with; None when it is a plain one.

    Raises:
        CredentialsFileError: A file can't be read, isn't PEM, or the key is not the certificate's, or of a
            kind that gRPC has no handshake with.
    """
    certificate, key, client_ca = config.tls_certificate, config.tls_key, config.tls_client_ca
    if certificate is None or key is None:
        return None

    def read() -> grpc.ServerCertificateConfiguration:
        chain, private, roots = _read(certificate), _read(key), _read(client_ca) if client_ca else None
        _check_pair(certificate, chain, key, private)
        if client_ca and roots:
            _check_certificates(client_ca, roots)
        return grpc.ssl_server_certificate_configuration([(private, chain)], roots)

    paths = [certificate, key] if client_ca is None else [certificate, key, client_ca]
    files = Reloaded(paths, read)

    def fetch() -> grpc.ServerCertificateConfiguration | None:
        # gRPC asks at each connection, on a thread of its own; None leaves it at what it has.
        configuration, new = files.get()
        return configuration if new else None

    return grpc.dynamic_ssl_server_credentials(
        files.get()[0],
        fetch,  # type: ignore[arg-type]  # None means unchanged (gRPC's documentation); its stubs forget that
        require_client_authentication=client_ca is not None,
    )


def server_context(config: Config) -> Reloaded[ssl.SSLContext] | None:
    """Return the same for a port that isn't gRPC's: what a connection is to be secured with, as long as the
    files are what they are; None when it is a plain one.

    Raises:
        CredentialsFileError: As `server_credentials`.
    """
    certificate, key, client_ca = config.tls_certificate, config.tls_key, config.tls_client_ca
    if certificate is None or key is None:
        return None

    def read() -> ssl.SSLContext:
        _check_pair(certificate, _read(certificate), key, _read(key))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["http/1.1"])
        try:
            context.load_cert_chain(certificate, key)
            if client_ca is not None:
                _check_certificates(client_ca, _read(client_ca))
                context.load_verify_locations(client_ca)
                context.verify_mode = ssl.CERT_REQUIRED
        except (OSError, ssl.SSLError):
            # Replaced between two looks at it.
            raise CredentialsFileError(f"{certificate} and {key} can't be used for TLS.") from None
        return context

    return Reloaded([certificate, key] if client_ca is None else [certificate, key, client_ca], read)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CredentialsFileError(f"{path} can't be read: {error.strerror}.") from None


def _check_certificates(path: Path, pem: bytes) -> None:
    from cryptography import x509

    try:
        x509.load_pem_x509_certificates(pem)
    except ValueError:
        raise CredentialsFileError(f"{path} has no certificate in PEM.") from None


def _check_pair(certificate: Path, chain: bytes, key: Path, private: bytes) -> None:
    """gRPC would take anything, and fail at each handshake."""
    # Only with TLS: it takes a while to import.
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    _check_certificates(certificate, chain)
    try:
        # What goes wrong here is never told: its text might show parts of the key.
        loaded = load_pem_private_key(private, password=None)
    except (TypeError, ValueError, UnsupportedAlgorithm):
        raise CredentialsFileError(f"{key} has no key in PEM that is not encrypted.") from None
    if x509.load_pem_x509_certificates(chain)[0].public_key() != loaded.public_key():
        raise CredentialsFileError(f"{key} is not the key of the first certificate in {certificate}.")
    on_curve = isinstance(loaded, ec.EllipticCurvePrivateKey) and loaded.curve.name in (
        "secp256r1",
        "secp384r1",
    )
    if not (on_curve or isinstance(loaded, rsa.RSAPrivateKey)):
        raise CredentialsFileError(
            f"{key} is of a kind that gRPC has no handshake with: use RSA, or a key on the curve P-256 or"
            " P-384, such as 'openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256' makes."
        )
