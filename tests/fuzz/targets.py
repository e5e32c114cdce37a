"""All targets by their names, each imported when it is wanted: a fuzzer has to watch what it needs alone."""

from __future__ import annotations

import importlib

from tests.fuzz.target import Target

__all__ = ["TARGETS", "find"]

TARGETS = ("command", "headers", "openqasm2", "responses", "settings", "specs", "wire")


def find(name: str) -> Target:
    """Returns a target of `TARGETS`, which is a module's constant."""
    found = getattr(importlib.import_module(f"tests.fuzz.{name}"), name.upper())
    assert isinstance(found, Target)
    return found
