"""The package's face: what it exports, its examples, and what it does not load."""

from __future__ import annotations

import doctest
import subprocess
import sys

import basicaer.simulator
from basicaer.simulator import _errors
from basicaer.simulator.circuit import _circuit


def test_all_is_complete() -> None:
    public = {name for name in vars(basicaer.simulator) if not name.startswith("_")}
    modules = {name for name in public if type(getattr(basicaer.simulator, name)).__name__ == "module"}
    assert public - modules == set(basicaer.simulator.__all__)
    assert sorted(basicaer.simulator.__all__, key=str.lower) == sorted(
        set(basicaer.simulator.__all__), key=str.lower
    )


def test_every_error_is_a_simulator_error() -> None:
    raised = [
        value for value in vars(_errors).values() if isinstance(value, type) and issubclass(value, Exception)
    ]
    assert len(raised) == 6
    assert all(issubclass(error, basicaer.simulator.SimulatorError) for error in raised)


def test_examples_in_docstrings() -> None:
    for module in (basicaer.simulator, _circuit):
        found = doctest.testmod(module)
        assert found.attempted > 0
        assert found.failed == 0


def test_importing_loads_neither_qiskit_nor_the_reference() -> None:
    code = "import sys, basicaer.simulator; print({name.split('.')[0] for name in sys.modules}, *sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    for name in ("qiskit", "grpc", "google", "basicaer.simulator.reference"):
        assert f"'{name}'" not in loaded
        assert f" {name} " not in loaded
