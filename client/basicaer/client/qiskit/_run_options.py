"""The options of `run`: what a backend takes under Qiskit's names, with defaults, and what is passed over."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from qiskit.providers import Options

__all__ = ["default_options", "server_options"]

_DEFAULTS: dict[str, Any] = {
    "shots": 1024,
    "memory": False,
    "seed_simulator": None,
    "initial_statevector": None,
    "initial_unitary": None,
    "chop_threshold": 1e-15,
    "precision": None,
    "max_parallel_threads": None,
    "max_run_time": None,
}
# The defaults that Qiskit's own backend of a name has otherwise.
_OWN_DEFAULTS: dict[str, dict[str, Any]] = {"basic_simulator": {"memory": True, "chop_threshold": None}}
# Qiskit's simulators of states and matrices take these, to no effect: they run once and measure no outcomes.
_WITHOUT_EFFECT = {"shots": 1, "memory": False}


def default_options(backend: str, names: set[str]) -> Options:
    """Returns Qiskit's container with the defaults of a backend that has these options.

    A None leaves an option to the server.
    """
    defaults = {**_DEFAULTS, **_OWN_DEFAULTS.get(backend, {})}
    given = {name: value for name, value in defaults.items() if name in names}
    return Options(**{**_WITHOUT_EFFECT, **given})


def server_options(names: set[str], defaults: Options, given: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the options to send: those given, else the backend's, as far as the server knows them.

    An option that the backend doesn't have is warned of and left out, as Qiskit's own simulators do.
    """
    for name in given:
        if name not in defaults:
            warnings.warn(f"Option {name} is not used by this backend", UserWarning, stacklevel=3)
    chosen = {**defaults, **{name: value for name, value in given.items() if value is not None}}
    return {name: value for name, value in chosen.items() if name in names and value is not None}
