"""What the documents show is run, and what exists is documented."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from basicaer.service.cli import cli
from basicaer.v1 import error_reason_pb2, job_service_pb2

from tests.conftest import ServerProcess

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
PROGRAMS = (ROOT / "docs/programs.md").read_text()
CLIENTS = (ROOT / "docs/clients.md").read_text()
ADDRESS = "127.0.0.1:50051"
COUNTS = re.compile(r"'([01]+)': (\d+)")


def _blocks(language: str, document: str = README) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", document, flags=re.M | re.S)


def _commands() -> list[str]:
    """The commands behind `$ ` in console blocks; a quote may span lines."""
    found = []
    for block in _blocks("console"):
        for command in re.split(r"^\$ ", block, flags=re.M):
            if command.strip():
                found.append(command.strip())
    return found


def _environment() -> dict[str, str]:
    return os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def _shell(command: str) -> str:
    run = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=ROOT,
        env=_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, f"{command}\n{run.stdout}\n{run.stderr}"
    return run.stdout


@pytest.mark.parametrize("program", _blocks("python") + _blocks("python", PROGRAMS))
def test_python_examples_run(program: str, server: ServerProcess) -> None:
    program = program.replace(ADDRESS, server.address)
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stderr
    if "get_counts" not in program:
        assert re.fullmatch(r"\[\[.*\d\.\d+.*\]\]\n", run.stdout, re.DOTALL), run.stdout
        return
    counts = dict(COUNTS.findall(run.stdout))
    # Of a program with noise every outcome is one.
    assert set(counts) == ({"00", "01", "10", "11"} if "Channel" in program else {"00", "11"})
    assert sum(map(int, counts.values())) == 1000


@pytest.mark.parametrize("command", [c for c in _commands() if not c.startswith("make")])
def test_shell_examples_run(command: str, server: ServerProcess) -> None:
    # The document's address is a fixed one, and its request id would be a duplicate in a second run.
    output = _shell(command.replace(ADDRESS, server.address))
    if "--list-services" in command:
        assert "basicaer.v1.JobService" in output
        assert "grpc.health.v1.Health" in output
    elif command.startswith("buf curl"):
        assert "JOB_STATUS_QUEUED" in output
        assert "JOB_STATUS_DONE" in output
        assert '"outcomes"' in output
    else:
        assert "1000" in output or "%" in output


def test_the_three_ways_give_the_same_counts(server: ServerProcess) -> None:
    """One seed, one program, one server: Python, shell and raw gRPC must agree."""
    python = subprocess.run(
        [sys.executable, "-c", _blocks("python")[0].replace(ADDRESS, server.address)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    by_python = {key: int(value) for key, value in COUNTS.findall(python.stdout)}
    raw = next(c for c in _commands() if c.startswith("buf curl") and "RunJob" in c)
    answer = _shell(raw.replace(ADDRESS, server.address))
    counts = re.search(r'"counts":\s*\[([^\]]*)\]\s*\}', answer)
    assert counts is not None, answer
    by_grpc = [int(value) for value in re.findall(r"\d+", counts.group(1))]
    assert by_grpc == [by_python["00"], by_python["11"]]


@pytest.mark.parametrize("language", ["go", "typescript", "java", "rust", "cpp"])
def test_the_lines_shown_of_an_example_are_its_own(language: str) -> None:
    files = subprocess.run(
        ["git", "ls-files", f"examples/{language}"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    own = {line.strip() for name in files.stdout.split() for line in (ROOT / name).read_text().splitlines()}
    (block,) = _blocks(language, CLIENTS)
    assert [line for line in block.splitlines() if line.strip() not in own] == []


def test_the_readme_is_what_a_newcomer_reads() -> None:
    assert README.count("\n") <= 180


def test_every_rpc_is_told() -> None:
    service = job_service_pb2.DESCRIPTOR.services_by_name["JobService"]
    told = (ROOT / "docs/explanations/architecture.md").read_text()
    assert [m.name for m in service.methods if f"`{m.name}`" not in told] == []


def test_every_command_and_option_of_the_command_line_has_help() -> None:
    told = (ROOT / "docs/reference/command-line.md").read_text()
    for name, command in cli.commands.items():
        assert command.help, name
        assert f"| `basicaer {name}" in told, f"the reference does not name `basicaer {name}`"
        for parameter in command.params:
            if isinstance(parameter, click.Option) and not parameter.hidden:
                assert parameter.help, f"basicaer {name} {parameter.opts}"


def test_every_make_target_of_the_readme_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.M))
    assert set(re.findall(r"`make ([a-z-]+)`", README)) <= targets


def test_every_error_reason_shows_an_example() -> None:
    text = (ROOT / "protos/basicaer/v1/error_reason.proto").read_text()
    for name in error_reason_pb2.ErrorReason.keys():  # noqa: SIM118 - an enum wrapper is not a mapping
        if name != "ERROR_REASON_UNSPECIFIED":
            short = name.removeprefix("ERROR_REASON_")
            assert f'{{"reason": "{short}"' in text, name


def test_nothing_committed_names_a_registry_or_a_folder_of_one_machine() -> None:
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    pattern = re.compile(
        r"files\.pythonhosted|registry\.npmjs|crates\.io|proxy\.golang|\.maven\.org|/root/|/home/\w+/"
    )
    this = Path(__file__).name
    hits = []
    for name in files.stdout.split("\0"):
        path = ROOT / name
        if name and path.name != this and path.is_file():
            text = path.read_bytes().decode("utf-8", errors="ignore")
            hits += [name] if pattern.search(text) else []
    assert hits == []
