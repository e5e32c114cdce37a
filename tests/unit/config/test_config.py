"""Settings, and how much memory there is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from basicaer.service.config import Config, available_memory
from basicaer.service.errors import SettingError


def test_the_defaults_fit_this_machine(tmp_path: Path) -> None:
    config = Config(data_dir=tmp_path)
    assert config.workers >= 1
    assert 0 < config.max_memory_bytes < available_memory() * 1.01


@pytest.mark.parametrize(
    "settings",
    [
        {"workers": 0},
        {"max_shots": -1},
        {"drain_grace": -0.1},
        {"result_retention": -1.0},
        {"max_overtakes": -1},
        {"keepalive_time": float("nan")},
        {"job_retention": float("inf")},
        {"max_rows": 2**32},
        {"max_nodes": 3},
        {"max_nodes": 0},
        {"max_stored_bytes": 2**61},
    ],
)
def test_senseless_settings_are_named(tmp_path: Path, settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(settings))):
        Config(data_dir=tmp_path, **settings)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, 4096 * 1024),
        ({"memory.max": "max", "memory.current": "9"}, 4096 * 1024),
        ({"memory.max": "1000000", "memory.current": "400000"}, 600000),
        ({"memory.max": "1000", "memory.current": "4000"}, 0),
        ({"memory/memory.limit_in_bytes": "2000000", "memory/memory.usage_in_bytes": "500000"}, 1500000),
        ({"memory/memory.limit_in_bytes": str(2**63 - 4096)}, 4096 * 1024),
        # What systemd's MemoryMax sets, and a limit of the slice that the service is in.
        ({"own": "0::/a/b", "a/b/memory.max": "1000000", "a/b/memory.current": "0"}, 1000000),
        ({"own": "0::/a/b", "a/b/memory.max": "max", "a/memory.max": "2000000"}, 2000000),
        ({"own": "4:memory:/a\n0::/", "memory/a/memory.limit_in_bytes": "3000000"}, 3000000),
        ({"own": "0::/outside/of/the/container", "memory.max": "1000000"}, 1000000),
        # Files that are only cached don't count.
        (
            {
                "memory.max": "1000000",
                "memory.current": "900000",
                "memory.stat": "anon 1\ninactive_file 500000\nactive_file 7",
            },
            600000,
        ),
        (
            {
                "memory/memory.limit_in_bytes": "1000000",
                "memory/memory.usage_in_bytes": "900000",
                "memory/memory.stat": "inactive_file 7\ntotal_inactive_file 500000",
            },
            600000,
        ),
    ],
)
def test_memory_within_a_control_group(tmp_path: Path, files: dict[str, str], expected: int) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal:       9999 kB\nMemAvailable:       4096 kB\n")
    for name, text in files.items():
        path = tmp_path / "cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    assert available_memory(tmp_path / "cgroup", meminfo, tmp_path / "cgroup" / "own") == expected


def test_memory_where_the_kernel_tells_nothing(tmp_path: Path) -> None:
    assert available_memory(tmp_path, tmp_path / "none", tmp_path / "none") > 0


@pytest.mark.parametrize(
    ("name", "settings", "why"),
    [
        ("object_store", {"object_store": "s3://results"}, "--database"),
        ("object_store", {"object_store": "file:///mnt/lab", "database": "postgresql://db/x"}, "no promise"),
        ("object_store", {"object_store": "s3://", "database": "postgresql://db/x"}, "s3://bucket/prefix"),
        ("object_store_endpoint", {"object_store_endpoint": "minio:9000"}, "https://"),
    ],
)
def test_where_objects_are_kept_is_checked(
    tmp_path: Path, name: str, settings: dict[str, Any], why: str
) -> None:
    with pytest.raises(SettingError, match=why) as caught:
        Config(data_dir=tmp_path, **settings)
    assert caught.value.setting == name


def test_what_a_database_takes_of_a_result(tmp_path: Path) -> None:
    settings = (("", ""), ("postgresql://db/x", ""), ("postgresql://db/x", "s3://results/of-us"))
    kept = [
        Config(data_dir=tmp_path, database=database, object_store=store).most_result_bytes
        for database, store in settings
    ]
    assert kept == [None, 64 << 20, None]
