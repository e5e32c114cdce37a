"""The package stim, imported when it is first needed: not every platform has one."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

from basicaer.simulator._errors import SimulationFailed

MISSING = "the stabilizer method needs the package stim, which isn't installed here: pip install stim"


@cache
def stim() -> Any:
    """Return the module. Raises `SimulationFailed` where it isn't installed."""
    try:
        return import_module("stim")
    except ImportError as error:
        raise SimulationFailed(MISSING) from error


@cache
def has_stim() -> bool:
    """Whether stim is installed."""
    try:
        stim()
    except SimulationFailed:
        return False
    return True
