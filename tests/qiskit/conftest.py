"""A live server for the tests of the Qiskit adapter, which run on every version of Qiskit that is supported.

Only this file and those beside it are read there: an old Qiskit lives in an environment without the server,
whose Python is named by BASICAER_SERVER_PYTHON.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import qiskit.primitives
from basicaer.client.qiskit import BasicAerBackend, BasicAerProvider

# The second version of the primitives came with Qiskit 1.0.
NEEDS_PRIMITIVES = [
    "primitives/test_gradients.py",
    "primitives/test_primitives.py",
    "primitives/test_primitive_noise.py",
    "primitives/test_primitive_options.py",
    "primitives/test_primitive_shapes.py",
    "circuits/test_wide_circuits.py",
]
collect_ignore = [] if hasattr(qiskit.primitives, "BaseSamplerV2") else NEEDS_PRIMITIVES


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server process on port 0 that these tests share."""
    folder: Path = tmp_path_factory.mktemp("qiskit-server")
    python = os.environ.get("BASICAER_SERVER_PYTHON", sys.executable)
    command = [python, "-m", "basicaer.service.cli", "serve", "--listen", "127.0.0.1:0"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--data-dir", str(folder / "data")], stdout=subprocess.PIPE, stderr=log
        )
    assert process.stdout is not None
    line = process.stdout.readline().decode()
    assert line.startswith("listening on "), (folder / "log").read_text()[-2000:]
    yield line.removeprefix("listening on ").strip()
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.fixture(scope="session")
def provider(address: str) -> Iterator[BasicAerProvider]:
    """A provider of that server."""
    with BasicAerProvider(address) as made:
        yield made


@pytest.fixture
def backend(provider: BasicAerProvider) -> Iterator[BasicAerBackend]:
    """Its `qasm_simulator`, with the options as they were."""
    found = provider.get_backend("qasm_simulator")
    defaults = dict(found.options)
    yield found
    found.set_options(**defaults)
