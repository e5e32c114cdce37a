"""Ranks encrypt what they exchange where the Ray on their node encrypts."""

from __future__ import annotations

from pathlib import Path

import pytest
import trustme
from basicaer.service.execution.ray.rank import tls_of_ray


@pytest.mark.parametrize("value", ["1", "true", "True"])
def test_they_take_what_ray_was_started_with(tmp_path: Path, value: str) -> None:
    authority = trustme.CA()
    own = authority.issue_cert("127.0.0.1")
    files = {
        name: tmp_path / name for name in ("RAY_TLS_SERVER_CERT", "RAY_TLS_SERVER_KEY", "RAY_TLS_CA_CERT")
    }
    own.cert_chain_pems[0].write_to_path(files["RAY_TLS_SERVER_CERT"])
    own.private_key_pem.write_to_path(files["RAY_TLS_SERVER_KEY"])
    authority.cert_pem.write_to_path(files["RAY_TLS_CA_CERT"])
    found = tls_of_ray({"RAY_USE_TLS": value, **{name: str(path) for name, path in files.items()}})
    assert found is not None
    assert [each["issuer"] for each in found.client.get_ca_certs()]


@pytest.mark.parametrize("environment", [{}, {"RAY_USE_TLS": "0", "RAY_TLS_CA_CERT": "/nowhere"}])
def test_without_it_they_do_not(environment: dict[str, str]) -> None:
    assert tls_of_ray(environment) is None
