"""Where metrics and traces may go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from basicaer.service.config import Config
from basicaer.service.errors import SettingError


@pytest.mark.parametrize("listen", ["127.0.0.1:9464", "[::1]:0", "localhost:9464", ""])
def test_metrics_within_the_machine(tmp_path: Path, listen: str) -> None:
    assert Config(data_dir=tmp_path, metrics_listen=listen).metrics_listen == listen


@pytest.mark.parametrize("listen", ["0.0.0.0:9464", "[::]:9464", "metrics.example.org:9464"])
def test_metrics_for_others_must_be_meant(tmp_path: Path, listen: str) -> None:
    with pytest.raises(SettingError, match="--insecure-metrics"):
        Config(data_dir=tmp_path, metrics_listen=listen)
    assert Config(data_dir=tmp_path, metrics_listen=listen, insecure_metrics=True)


@pytest.mark.parametrize(
    ("name", "value"),
    [("metrics_listen", "9464"), ("metrics_listen", "127.0.0.1:99999"), ("trace_endpoint", "127.0.0.1:4317")],
)
def test_what_is_no_address_is_refused(tmp_path: Path, name: str, value: str) -> None:
    settings: dict[str, Any] = {"data_dir": tmp_path, name: value}
    with pytest.raises(SettingError, match=name):
        Config(**settings)
