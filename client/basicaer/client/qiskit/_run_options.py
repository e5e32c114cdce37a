"""The options of `run`: what a backend takes under Qiskit's names, with defaults, what is passed over, and
what can't be passed over.

A backend warns of an option that it doesn't have and goes on without it, as Qiskit's own simulators do. That
is fine for hints such as Aer's `fusion_enable`, but not for one that asks for other results: these are
refused.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sized
from typing import Any

from basicaer.client._errors import OptionInvalidError
from basicaer.client.jobs._noise_model import NoiseModel
from basicaer.client.qiskit._errors import translated
from qiskit.providers import Options

__all__ = ["default_options", "noise_of", "server_options"]

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
    "noise_model": None,
    "method": None,
    "matrix_product_state": None,
    "nodes": None,
}
# The defaults that Qiskit's own backend of a name has otherwise.
_OWN_DEFAULTS: dict[str, dict[str, Any]] = {"basic_simulator": {"memory": True, "chop_threshold": None}}
# Qiskit's simulators of states and matrices take these, to no effect: they run once and measure no outcomes.
_WITHOUT_EFFECT = {"shots": 1, "memory": False}


# Options of Aer and of devices that need no warning where they ask for nothing.
# Clifford circuits are told by the server itself.
_UNDERSTOOD = ("noise_model", "meas_level", "meas_return", "init_qubits", "use_clifford_optimization")
# Aer's ways to compute what a state vector gives too.
_METHODS_OF_COUNTS = (
    "automatic",
    "statevector",
    "density_matrix",
    "stabilizer",
    "matrix_product_state",
    "extended_stabilizer",
    "tensor_network",
)


def default_options(backend: str, names: set[str]) -> Options:
    """Return Qiskit's container with the defaults of a backend that has these options.

    A None leaves an option to the server.
    """
    defaults = {**_DEFAULTS, **_OWN_DEFAULTS.get(backend, {})}
    given = {name: value for name, value in defaults.items() if name in names}
    return Options(**{**_WITHOUT_EFFECT, **given})


def server_options(names: set[str], defaults: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options to send: those given, else the backend's, as far as the server knows them.

    An option that the backend doesn't have is warned of and left out, as Qiskit's own simulators do.

    Raises:
        OptionInvalidError: For one that asks for other results.
    """
    for name, value in given.items():
        if name in defaults:
            continue
        advice = _cannot_be_ignored(name, value, names)
        if advice:
            with translated():
                raise OptionInvalidError(
                    f"The option {name} can't be followed: {advice}.",
                    reason="OPTION_INVALID",
                    metadata={"field": f"options.{name}"},
                )
        if name not in _UNDERSTOOD:
            warnings.warn(f"Option {name} is not used by this backend", UserWarning, stacklevel=3)
    chosen = {**defaults, **{name: value for name, value in given.items() if value is not None}}
    taken = {name: value for name, value in chosen.items() if name in names and value is not None}
    if "noise_model" in taken:
        with translated():
            taken["noise_model"] = noise_of(taken["noise_model"])
    return taken


def noise_of(value: Any) -> NoiseModel | None:
    """Return the client's noise model for one of Aer's, or for the client's own; None for what is empty.

    Raises:
        OptionInvalidError: It is none, or can't be taken.
    """
    if isinstance(value, NoiseModel):
        return value
    if _is_nothing(value):
        return None
    if hasattr(value, "_default_quantum_errors"):
        return NoiseModel.from_aer(value)
    raise OptionInvalidError(
        f"The option noise_model can't be followed: {value!r} is neither Aer's NoiseModel nor the client's.",
        reason="OPTION_INVALID",
        metadata={"field": "options.noise_model"},
    )


def _cannot_be_ignored(name: str, value: Any, names: set[str]) -> str | None:
    """Return what to do instead, for an option that asks for other results than a backend with options
    `names` gives; None for all others.
    """
    if value is None:
        return None
    if "noise" in name:
        nothing = value is False or (isinstance(value, Sized) and not len(value))
        return (
            None
            if nothing
            else "this backend runs without it. Leave it out, or give qasm_simulator a noise_model"
        )
    if name == "meas_level" and value != 2:
        return "outcomes are classified bits. Leave it out, or give 2"
    if name == "init_qubits" and not value:
        return "all qubits begin in 0. Leave it out, or give initial_statevector"
    if name == "method" and str(value) not in _METHODS_OF_COUNTS:
        of_matrices = str(value) == "unitary" and "initial_unitary" in names
        if not of_matrices:
            return (
                "the server simulates state vectors. Leave it out, or use its unitary_simulator for a matrix"
            )
    return None


def _is_nothing(value: Any) -> bool:
    return value is None or value is False or (isinstance(value, Sized) and not len(value))
