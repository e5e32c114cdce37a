"""Where a setting's value comes from, and what is said when it can't be right."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from basicaer.service.config import Config
from basicaer.service.config._load import load
from basicaer.service.config._setting import KINDS, settings_of
from basicaer.service.errors import SettingError

COMMAND = [sys.executable, "-m", "basicaer.service.cli", "config"]
LOCAL = "127.0.0.1:0"


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may have a server of its own."""
    for name in os.environ:
        if name.startswith("BASICAER_"):
            monkeypatch.delenv(name)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with settings."""
    path = tmp_path / "basicaer.toml"
    path.write_text(
        'data_dir = "jobs"\nworkers = 3\nmax_shots = 5\nmax_message_bytes = "1MiB"\n'
        'result_retention = "none"\nauth = ["token"]\nreflection = false\ndrain_grace = 2.5\n'
    )
    return path


def test_a_flag_goes_before_a_variable_and_that_before_the_file(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BASICAER_MAX_SHOTS", "6")
    monkeypatch.setenv("BASICAER_WORKERS", "4")
    monkeypatch.setenv("BASICAER_AUTH", "token, certificate")
    monkeypatch.setenv("BASICAER_TLS_CLIENT_CA", "ca")
    monkeypatch.setenv("BASICAER_TLS_CERTIFICATE", "crt")
    monkeypatch.setenv("BASICAER_TLS_KEY", "key")
    loaded = load({"workers": "7"}, file)
    config = loaded.config
    assert (config.workers, config.max_shots, config.max_message_bytes) == (7, 6, 1 << 20)
    assert (config.result_retention, config.drain_grace, config.reflection) == (None, 2.5, False)
    assert config.auth == ("token", "certificate")
    assert (config.tls_client_ca, config.data_dir) == (Path("ca"), Path("jobs"))
    assert config.max_programs == Config(data_dir=file).max_programs
    origins = loaded.origins
    assert (origins["workers"], origins["max_shots"]) == ("--workers", "BASICAER_MAX_SHOTS")
    assert (origins["max_message_bytes"], origins["auth"]) == (str(file), "BASICAER_AUTH")
    assert "max_programs" not in origins


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("workers", "many"),
        ("workers", "0"),
        ("workers", "1.5"),
        ("max_memory_bytes", "much"),
        ("drain_grace", "none"),
        ("drain_grace", "-1s"),
        ("listen", "nowhere"),
        ("listen", "127.0.0.1:65536"),
        ("reflection", "perhaps"),
        ("auth", "password"),
        ("jwt_algorithms", "HS256"),
        ("keepalive_time", "0"),
        ("data_dir", ""),
        ("keepalive_time", "9" * 400),
        ("max_message_bytes", "9" * 400),
        ("max_message_bytes", "9999999TiB"),
        ("result_retention", "99999d"),
        ("workers", "4294967296"),
    ],
)
@pytest.mark.parametrize("source", ["flag", "variable", "file"])
def test_a_wrong_value_names_its_setting_and_its_source(
    name: str, value: str, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "basicaer.toml"
    path.write_text(f'{name} = "{value}"\n' if source == "file" else "")
    if source == "variable":
        monkeypatch.setenv(f"BASICAER_{name.upper()}", value)
    origin = {
        "flag": f"--{name.replace('_', '-')}",
        "variable": f"BASICAER_{name.upper()}",
        "file": str(path),
    }
    with pytest.raises(SettingError) as caught:
        load({name: value} if source == "flag" else {}, path)
    assert str(caught.value).startswith(f"{origin[source]}: {name} ")
    assert (caught.value.setting, caught.value.origin) == (name, origin[source])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("worker = 3", "did you mean workers"),
        ("max-shots = 3", "did you mean max_shots"),
        ("colour = 1", "basicaer config --help"),
        ("workers = ", "not TOML"),
        ("[server]\nworkers = 3", "server is not a setting"),
        ("auth = " + "[" * 5000, "lists in lists"),
        ("drain_grace = nan", "drain_grace"),
        ("max_memory_bytes = inf", "max_memory_bytes"),
        (f"max_memory_bytes = 0x{'f' * 9000}", "max_memory_bytes"),
        (f"workers = 0x{'f' * 9000}", "workers"),
    ],
)
def test_a_file_that_is_wrong_is_named(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "basicaer.toml"
    path.write_text(text)
    with pytest.raises(SettingError, match=told) as caught:
        load({}, path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "latin-1"])
def test_a_file_in_another_encoding_is_told_by_it(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "basicaer.toml"
    path.write_bytes("# café\r\nworkers = 2\r\n".encode(encoding))
    marked = encoding in ("utf-8-sig", "utf-16")
    told = "begins with a byte order mark; save it as UTF-8 without one" if marked else "is not TOML"
    with pytest.raises(SettingError, match=told) as caught:
        load({}, path)
    assert str(path) in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"none\.toml"):
        load({}, tmp_path / "none.toml")


@pytest.mark.parametrize("name", ["tls_key", "tls_certificate", "jwks_file"])
def test_a_key_in_the_place_of_its_path_is_not_told_again(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"BASICAER_{name.upper()}", "-----BEGIN PRIVATE KEY-----\nMIIBsecret\n")
    with pytest.raises(SettingError, match="path") as caught:
        load({}, None)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "setting", "fix"),
    [
        ({"listen": "0.0.0.0:1"}, "listen", "--auth token"),
        ({"listen": "[::]:1"}, "listen", "--auth token"),
        ({"listen": "example.org:1"}, "listen", "127.0.0.1"),
        ({"listen": "0.0.0.0:1", "insecure_no_tls": True}, "listen", "--insecure-no-auth"),
        ({"listen": "0.0.0.0:1", "insecure_no_auth": True}, "listen", "--tls-certificate"),
        ({"listen": "0.0.0.0:1", "auth": ("token",)}, "listen", "--insecure-no-tls"),
        ({"listen": LOCAL, "tls_certificate": Path("c")}, "tls_key", "tls_certificate"),
        ({"listen": LOCAL, "tls_key": Path("k")}, "tls_certificate", "tls_key"),
        ({"listen": LOCAL, "tls_client_ca": Path("a")}, "tls_certificate", "tls_client_ca"),
        ({"listen": LOCAL, "auth": ("certificate",)}, "tls_client_ca", "certificate"),
        ({"listen": LOCAL, "auth": ("jwt",)}, "jwks_file", "jwt"),
        ({"listen": LOCAL, "auth": ("jwt",), "jwks_file": Path("j")}, "jwt_issuer", "jwt"),
    ],
)
def test_what_must_be_meant_is_asked_for(
    tmp_path: Path, settings: dict[str, Any], setting: str, fix: str
) -> None:
    with pytest.raises(SettingError) as caught:
        Config(data_dir=tmp_path, **settings)
    assert caught.value.setting == setting
    assert fix in str(caught.value)


@pytest.mark.parametrize(
    "settings",
    [
        {"listen": "127.0.0.2:1"},
        {"listen": "localhost:1"},
        {"listen": "[::1]:1"},
        {"listen": "0.0.0.0:1", "insecure_no_auth": True, "insecure_no_tls": True},
        {"listen": "0.0.0.0:1", "auth": ("token",), "insecure_no_tls": True},
        {
            "listen": "0.0.0.0:1",
            "auth": ("token",),
            "tls_certificate": Path("c"),
            "tls_key": Path("k"),
        },
    ],
)
def test_what_is_meant_is_allowed(tmp_path: Path, settings: dict[str, Any]) -> None:
    assert Config(data_dir=tmp_path, **settings).listen == settings["listen"]


def test_every_setting_is_described() -> None:
    for setting in settings_of(Config):
        assert len(setting.help) > 15, setting.name
        assert setting.help.endswith("."), setting.name
        assert setting.default_text, setting.name
        assert setting.kind in KINDS, setting.name


def _config(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, timeout=60, env={**os.environ, **environment}
    )


def test_the_command_shows_values_sources_and_no_secret(file: Path) -> None:
    done = _config(
        "--config", str(file), "--max-shots", "9", BASICAER_WORKERS="2", BASICAER_TOKEN="basicaer_1_secret"
    )
    assert done.returncode == 0, done.stderr
    lines = {line.split(" = ")[0]: line for line in done.stdout.splitlines()}
    assert lines["max_shots"].split("# ")[1] == "--max-shots"
    assert lines["workers"].split("# ")[1] == "BASICAER_WORKERS"
    assert lines["data_dir"].split("# ")[1] == str(file)
    assert lines["max_programs"].split("# ")[1] == "default"
    assert "secret" not in done.stdout
    assert "BASICAER_TOKEN" in done.stdout
    assert set(tomllib.loads(done.stdout)) == {setting.name for setting in settings_of(Config)}
    document = json.loads(_config("--json", "--workers", "2").stdout)
    assert document["settings"]["workers"] == {"value": 2, "source": "--workers"}


def test_what_the_command_prints_is_such_a_file(file: Path, tmp_path: Path) -> None:
    printed = tmp_path / "printed.toml"
    printed.write_text(_config("--config", str(file)).stdout)
    first, second = load({}, file).config, load({}, printed).config
    for setting in settings_of(Config):
        if setting.name != "max_memory_bytes":  # what is free changes all the time
            assert getattr(first, setting.name) == getattr(second, setting.name), setting.name


def test_the_help_teaches_each_setting() -> None:
    text = " ".join(_config("--help").stdout.split())
    for setting in settings_of(Config):
        assert setting.flag in text
        assert setting.variable in text.replace(" ", "")
    for kind in KINDS:
        assert kind.unit in text


def test_neither_the_client_nor_the_help_loads_pydantic() -> None:
    for code in (
        "import basicaer.client",
        "from basicaer.service.cli import cli; cli.main(['serve', '--help'], standalone_mode=False)",
    ):
        program = (
            f"import sys; {code}; print(sorted({{'pydantic', 'jwt', 'cryptography'}} & set(sys.modules)))"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
        assert done.stdout.splitlines()[-1] == "[]", done.stderr
