"""Which values make sense, alone and beside each other.

What is refused here would fail later and less clearly, or, worse, not fail: a server that everyone in the
network can use must have been meant.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence

from basicaer.service.config._setting import Setting
from basicaer.service.config._values import Values
from basicaer.service.errors import SettingError

__all__ = ["check", "is_loopback"]

_ADDRESS = re.compile(r"(\[[0-9a-fA-F:.%]+\]|[^\s:/\[\]]+):([0-9]{1,5})")
_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*", re.IGNORECASE)
_ORIGIN = re.compile(r"https?://[^\s/?#@,]+", re.IGNORECASE)
_OBJECTS = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9._-]+)*/?")
_ENDPOINT = re.compile(r"https?://[^\s/?#@]+/?", re.IGNORECASE)
_METHODS = ("token", "jwt", "certificate")
# Those with a shared secret (HS256) would let whoever can check a token make one, and "none" is no signature.
_ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES256K", "ES384", "ES512", "EdDSA"}
)


def is_loopback(listen: str) -> bool:
    """Return whether only this machine can reach an address (HOST:PORT)."""
    host = listen.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def check(config: Values, settings: Sequence[Setting]) -> None:
    """Check a whole configuration.

    Raises:
        SettingError: It can't be used; names the setting, and what to do.
    """
    for setting in settings:
        _check_number(setting, getattr(config, setting.name))
    _check_address("listen", config.listen)
    _check_telemetry(config)
    if config.database and not config.database.startswith(("postgresql://", "postgres://")):
        raise SettingError("database", "is not a URL such as postgresql://basicaer@db/jobs")
    _check_object_store(config)
    if config.max_nodes & (config.max_nodes - 1):
        raise SettingError("max_nodes", f"must be a power of two, but is {config.max_nodes}")
    if config.health_listen:
        _check_address("health_listen", config.health_listen)
    _check_tls(config)
    _check_methods(config)
    _check_reach("listen", config.listen, config)
    _check_http(config)


def _check_object_store(config: Values) -> None:
    for name, value, allowed, example in (
        ("object_store", config.object_store, _OBJECTS, "s3://bucket/prefix"),
        ("object_store_endpoint", config.object_store_endpoint, _ENDPOINT, "https://minio.example.org:9000"),
    ):
        if value and not allowed.fullmatch(value):
            why = (
                ": a folder that servers share keeps no promise about what is written when it fails"
                if value.startswith("file:")
                else ""
            )
            raise SettingError(name, f"{value!r} is not a URL such as {example}{why}")
    if config.object_store and not config.database:
        raise SettingError(
            "object_store",
            "is for servers with --database; others keep large results in their data directory",
        )


def _check_address(name: str, address: str) -> None:
    match = _ADDRESS.fullmatch(address)
    if match is None or int(match[2]) > 65_535:
        raise SettingError(name, f"{address!r} is not HOST:PORT, such as 127.0.0.1:50051 or [::]:0")


def _check_number(setting: Setting, value: float | None) -> None:
    if setting.least is None or value is None:
        return
    most = setting.kind.most
    # "Not" at most, since NaN is neither.
    if most is not None and not value <= most:
        raise SettingError(setting.name, f"must be at most {most:,}")
    if setting.at_least and value < setting.least:
        raise SettingError(setting.name, f"must not be negative, but is {value}")
    if not setting.at_least and value <= setting.least:
        raise SettingError(setting.name, f"must be greater than {setting.least}, but is {value}")


def _check_telemetry(config: Values) -> None:
    if config.trace_endpoint and not config.trace_endpoint.startswith(("http://", "https://")):
        raise SettingError(
            "trace_endpoint", f"{config.trace_endpoint!r} is not a URL such as http://127.0.0.1:4317"
        )
    if not config.metrics_listen:
        return
    _check_address("metrics_listen", config.metrics_listen)
    if not is_loopback(config.metrics_listen) and not config.insecure_metrics:
        raise SettingError(
            "metrics_listen",
            f"{config.metrics_listen} can be reached from other machines, and metrics have neither TLS nor "
            "callers. Listen on 127.0.0.1; --insecure-metrics lets everyone read them",
        )


def _check_tls(config: Values) -> None:
    if (config.tls_certificate is None) != (config.tls_key is None):
        missing, present = (
            ("tls_key", "tls_certificate") if config.tls_key is None else ("tls_certificate", "tls_key")
        )
        raise SettingError(missing, f"must be set too, since {present} is: TLS needs both")
    if config.tls_client_ca is not None and config.tls_certificate is None:
        raise SettingError("tls_certificate", "must be set, since tls_client_ca is: mutual TLS needs both")


def _check_methods(config: Values) -> None:
    for method in config.auth:
        if method not in _METHODS:
            raise SettingError("auth", f"{method!r} is none of {', '.join(_METHODS)}")
    if "certificate" in config.auth and config.tls_client_ca is None:
        raise SettingError("tls_client_ca", "must be set, since auth has 'certificate'")
    if "jwt" in config.auth:
        for name in ("jwks_file", "jwt_issuer", "jwt_audience", "jwt_algorithms"):
            if not getattr(config, name):
                raise SettingError(name, "must be set, since auth has 'jwt'")
    for algorithm in config.jwt_algorithms:
        if algorithm not in _ALGORITHMS:
            raise SettingError("jwt_algorithms", f"{algorithm!r} is none of {', '.join(sorted(_ALGORITHMS))}")


def _check_http(config: Values) -> None:
    for name in config.http_hosts:
        if not _HOST.fullmatch(name):
            raise SettingError("http_hosts", f"{name!r} is not a name such as lab.example.org")
    for origin in config.http_origins:
        if not _ORIGIN.fullmatch(origin):
            raise SettingError("http_origins", f"{origin!r} is not an origin such as https://app.example.org")
    if config.http_listen not in ("", "none"):
        _check_address("http_listen", config.http_listen)
        _check_reach("http_listen", config.http_listen, config)


def _check_reach(name: str, listen: str, config: Values) -> None:
    if is_loopback(listen):
        return
    if not config.auth and not config.insecure_no_auth:
        raise SettingError(
            name,
            f"{listen} can be reached from other machines, and callers aren't asked who they are. Set "
            "--auth token and make tokens with 'basicaer token create', or listen on 127.0.0.1; "
            "--insecure-no-auth lets everyone in",
        )
    if config.tls_certificate is None and not config.insecure_no_tls:
        raise SettingError(
            name,
            f"{listen} can be reached from other machines, and without TLS the network reads along. "
            "Set --tls-certificate and --tls-key, or listen on 127.0.0.1; --insecure-no-tls is for a "
            "server behind a proxy that ends TLS",
        )
