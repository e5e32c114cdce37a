"""What the document says of access is done as it says, by an operator and a caller in their folders."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
ACCESS = (ROOT / "docs/access.md").read_text()
COMMAND = [sys.executable, "-m", "basicaer.service.cli"]


def _commands() -> list[list[str]]:
    """The lines of its blocks, as arguments of `basicaer`."""
    lines = "".join(re.findall(r"^```sh\n(.*?)^```", ACCESS, flags=re.M | re.S)).splitlines()
    return [shlex.split(line)[1:] for line in lines]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that the commands name."""
    path = tmp_path_factory.mktemp("access")
    authority = trustme.CA()
    made = authority.issue_cert("127.0.0.1")
    made.private_key_pem.write_to_path(str(path / "server.key"))
    made.cert_chain_pems[0].write_to_path(str(path / "server.crt"))
    authority.cert_pem.write_to_path(str(path / "ca.crt"))
    shutil.copy(ROOT / "examples" / "shell" / "bell.qasm", path)
    return path


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    """The operator's part: a token, and a server."""
    create, serve = _commands()[:2]
    subprocess.run([*COMMAND, *create], cwd=folder, check=True, timeout=60)
    serve = [argument.replace(":50051", ":0") for argument in serve]
    with subprocess.Popen([*COMMAND, *serve], cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = process.stdout.readline().rpartition(":")[2].strip()
        yield f"127.0.0.1:{port}"
        process.kill()


def test_the_callers_command(folder: Path, address: str) -> None:
    run = [argument.replace("simulator.example.org:50051", address) for argument in _commands()[2]]
    done = subprocess.run([*COMMAND, *run], cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "1,000 shots" in done.stdout


def test_the_python_program_with_an_environment(folder: Path, address: str) -> None:
    program = re.findall(r"^```python\n(.*?)^```", README, flags=re.M | re.S)[0]
    environment = {**os.environ, "BASICAER_CA_FILE": "ca.crt", "BASICAER_TOKEN_FILE": "ada.token"}
    done = subprocess.run(
        [sys.executable, "-c", program.replace("127.0.0.1:50051", address)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"'00': \d+", done.stdout)


def test_without_the_token_nobody_gets_in(folder: Path, address: str) -> None:
    done = subprocess.run(
        [*COMMAND, "jobs", "--server", address, "--ca-file", "ca.crt"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert "--token-file" in done.stderr


def test_the_threat_model_names_tests_that_are_there() -> None:
    text = (ROOT / "SECURITY.md").read_text()
    names = set(re.findall(r"`(tests/[\w/.]+)`", text))
    assert names
    assert [name for name in names if not (ROOT / name).exists()] == []
    files = {path.name for path in (ROOT / "tests").rglob("test_*.py")}
    assert [name for name in re.findall(r"`(test_\w+\.py)`", text) if name not in files] == []
