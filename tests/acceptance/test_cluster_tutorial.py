"""The tutorial of a cluster is followed to the letter, but for its ports: two of four processes die."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgresql import become, owner

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorials" / "cluster.md"
BLOCKS = re.findall(r"^```sh\n(.*?)^```", TUTORIAL.read_text(), flags=re.M | re.S)
ENVIRONMENT = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
LIMIT = 300


def _bash(block: str, folder: Path, *prefix: str) -> subprocess.CompletedProcess[str]:
    command = [*prefix, "bash", "-uc", block]
    return subprocess.run(
        command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=LIMIT, check=False
    )


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that whoever PostgreSQL runs as has too; with a short path, for the socket in it."""
    made = Path(tempfile.mkdtemp(prefix="basicaer-tutorial-"))
    if (user := owner()) is not None:
        os.chown(made, user.pw_uid, user.pw_gid)
    yield made
    shutil.rmtree(made)


@contextlib.contextmanager
def _database(folder: Path) -> Iterator[None]:
    prefix = [] if (user := owner()) is None else become(user)
    made = _bash(f"{BLOCKS[0]}", folder, *prefix)
    assert made.returncode == 0, made.stdout + made.stderr
    try:
        yield
    finally:
        path = BLOCKS[0].splitlines()[0]
        stopped = _bash(f"{path}\n{BLOCKS[-1].strip()} -m immediate", folder, *prefix)
        assert stopped.returncode == 0, stopped.stdout + stopped.stderr


def _begun(line: str, folder: Path) -> tuple[subprocess.Popen[str], str]:
    """Start a server or a worker; what it says when it is ready."""
    log = (folder / "log").open("a")
    started = subprocess.Popen(
        ["bash", "-uc", f"{BLOCKS[1]}exec {re.sub(r'127.0.0.1:[0-9]+', '127.0.0.1:0', line)}"],
        cwd=folder,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
    )
    log.close()
    assert started.stdout is not None
    return started, started.stdout.readline().strip()


# A lease of ten seconds ends in it, and five processes start.
@pytest.mark.timeout(900)
def test_a_cluster(folder: Path) -> None:
    _, _, start, who, bell, endless, kill, story, result, _ = BLOCKS
    with _database(folder), contextlib.ExitStack() as ending:
        said = []
        processes = []
        for line in start.splitlines():
            process, first = _begun(line, folder)
            ending.enter_context(process)
            ending.callback(process.kill)
            processes.append(process)
            said.append(first)
        assert said[2:] == [f"working as {os.uname().nodename}:{worker.pid}" for worker in processes[2:]]
        addresses = [first.removeprefix("listening on ") for first in said[:2]]

        def follow(block: str, status: int = 0) -> str:
            for port, address in zip((50051, 50052), addresses, strict=True):
                block = block.replace(f"127.0.0.1:{port}", address)
            done = _bash(block, folder)
            assert done.returncode == status, f"{block}\n{done.stdout}\n{done.stderr}\n{_log(folder)}"
            return done.stdout

        # A worker is there before the others know.
        members: list[str] = []
        while len(members) < 4:
            members = re.findall(r"^\S+:\d+  (?:no calls|calls at).*", follow(who), flags=re.M)
        assert sum("calls at" in line for line in members) == 2
        assert sum("no calls  0 of 1 running" in line for line in members) == 2
        assert "DONE" in follow(bell)
        follow(endless)
        follow(kill)
        killed = int((folder / "worker").read_text())
        assert killed in [worker.pid for worker in processes[2:]]
        told = follow(story, status=1)
        statuses = re.findall(r"^(queued|running|cancelled)\b", told, flags=re.M)
        assert statuses == ["queued", "running", "queued", "running", "cancelled"], told
        processes[0].kill()
        assert "1,000 shots" in follow(result)


def _log(folder: Path) -> str:
    return (folder / "log").read_text()[-2000:]
