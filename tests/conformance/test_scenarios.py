"""Every runner plays every scenario, and turns JSON into the golden bytes and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import descriptor_pool, message_factory

from tests.conformance.runners import Runner
from tests.conformance.scenarios import SCENARIOS, play
from tests.conftest import ServerProcess

VECTORS: list[dict[str, Any]] = json.loads(Path(__file__).with_name("vectors.json").read_text())


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario["name"])
def test_scenario(scenario: dict[str, Any], runner_command: str, server: ServerProcess) -> None:
    play(scenario, runner_command, server.address)


def test_golden_bytes(runner_command: str, server: ServerProcess) -> None:
    with Runner(runner_command, server.address) as runner:
        for vector in VECTORS:
            made = runner.ask({"op": "encode", "message": vector["message"], "json": vector["json"]})
            assert _in_order(vector["message"], made["hex"]) == vector["hex"], vector["name"]
            read = runner.ask({"op": "decode", "message": vector["message"], "hex": vector["hex"]})
            assert read == {"json": vector["json"]}, vector["name"]


def _in_order(name: str, text: str) -> str:
    """The same fields by their numbers: languages differ in where they write a oneof."""
    descriptor = descriptor_pool.Default().FindMessageTypeByName(f"basicaer.v1.{name}")
    message = message_factory.GetMessageClass(descriptor)()
    message.ParseFromString(bytes.fromhex(text))
    return message.SerializeToString(deterministic=True).hex()
