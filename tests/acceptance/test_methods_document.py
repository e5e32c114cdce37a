"""docs/methods.md: its Python runs, piece after piece, and its JSON is what the contract has."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Any

from basicaer.v1 import job_pb2, noise_pb2
from google.protobuf import json_format

from tests.conftest import ServerProcess

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "methods.md").read_text()


def _pieces(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, flags=re.M | re.S)


def test_the_python_runs(server: ServerProcess) -> None:
    pieces = _pieces("python")
    assert len(pieces) == 11
    names: dict[str, Any] = {}
    for piece in pieces:
        exec(compile(piece.replace("127.0.0.1:50051", server.address), "docs/methods.md", "exec"), names)
    names["provider"].close()


def test_the_go_is_the_examples() -> None:
    (piece,) = _pieces("go")
    source = (ROOT / "examples" / "go" / "circuits.go").read_text()
    # Its own test runs it against a server (`make example-go`).
    assert textwrap.indent(piece, "\t") in source


def test_the_json_is_the_contracts() -> None:
    options, model = _pieces("json")
    parsed = json_format.Parse(options, job_pb2.RunOptions())
    assert parsed.method == job_pb2.SIMULATION_METHOD_MATRIX_PRODUCT_STATE
    assert json_format.Parse(model, noise_pb2.NoiseModel()).rules[0].operations == ["cx"]
