"""What docs/http.md and the README say of curl is done as they say, by bash and curl in a folder."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import ServerProcess

ROOT = Path(__file__).parents[2]


def _blocks(document: str) -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```", (ROOT / document).read_text(), flags=re.M | re.S)


BLOCKS = _blocks("docs/http.md")


@pytest.fixture(scope="module")
def http_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server started by the document's own line, but for its ports."""
    folder = tmp_path_factory.mktemp("http-document")
    serve = BLOCKS[0].split()
    assert serve[:2] == ["basicaer", "serve"]
    options = [argument.replace(":8050", ":0") for argument in serve[2:]]
    server = ServerProcess(folder / "data", folder / "log", *options)
    yield server
    server.kill()


def _done(block: str, server: ServerProcess, folder: Path) -> str:
    assert shutil.which("curl"), "no curl: apt-get install $(make -s debian-packages)"
    script = block.replace("http://127.0.0.1:8050", server.http_url)
    command = ["bash", "-euo", "pipefail", "-c", script]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_newcomers_circuit_and_state(http_server: ServerProcess, tmp_path: Path) -> None:
    run, state = BLOCKS[1:]
    answer = json.loads(_done(run, http_server, tmp_path))
    counts = answer["result"]["programs"][0]["counts"]
    assert sum(map(int, counts["counts"])) == 1000
    told = _done(state, http_server, tmp_path)
    assert "id: 3\ndata: " in told
    assert '"part": "0/statevector"' in told
    amplitudes = np.load(tmp_path / "statevector.npy")
    assert amplitudes.shape == (1 << 14,)
    assert amplitudes[[0, (1 << 13) + 1]] == pytest.approx(2**-0.5)


def test_the_readmes_state_by_curl_alone(http_server: ServerProcess, tmp_path: Path) -> None:
    (block,) = (block for block in _blocks("README.md") if "curl" in block)
    told = _done(block, http_server, tmp_path).splitlines()
    assert [line for line in told if line.startswith("id: ")] == [f"id: {sequence}" for sequence in range(4)]
    statuses = re.findall(r'"event": .*"JOB_STATUS_(\w+)"', "\n".join(told))
    assert statuses == ["QUEUED", "RUNNING", "DONE"]
    amplitudes = np.array([line.split() for line in told[-4:]], float)
    assert amplitudes == pytest.approx(np.array([[2**-0.5, 0], [0, 0], [0, 0], [2**-0.5, 0]]))
