"""Options of Aer's and of devices: which are passed over with a warning, and which can't be."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
import qiskit
from basicaer.client import CircuitError, OptionInvalidError
from basicaer.client.qiskit import BasicAerBackend, BasicAerProvider
from qiskit import QuantumCircuit
from qiskit.exceptions import QiskitError


def flip() -> QuantumCircuit:
    circuit = QuantumCircuit(1)
    circuit.x(0)
    circuit.measure_all()
    return circuit


class Noise:
    """Stands for a NoiseModel; Aer's has neither a truth value nor a length."""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("noise_model", Noise()),
        ("noise_model", {"errors": [{}]}),
        ("noise_model", "a"),
        ("noise_model", True),
        ("meas_level", 1),
        ("init_qubits", False),
        ("method", "unitary"),
        ("method", "superop"),
        ("method", "nonsense"),
    ],
)
def test_what_would_change_the_result_is_refused_by_name(
    backend: BasicAerBackend, name: str, value: Any
) -> None:
    with pytest.raises(OptionInvalidError, match=name) as caught:
        backend.run(flip(), **{name: value})
    assert isinstance(caught.value, QiskitError)
    assert caught.value.field == f"options.{name}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("noise_model", None),
        ("noise_model", False),
        ("noise_model", {}),
        ("meas_level", 2),
        ("meas_level", None),
        ("meas_return", "avg"),
        ("init_qubits", True),
    ],
)
def test_what_asks_for_nothing_is_fine(backend: BasicAerBackend, name: str, value: Any) -> None:
    assert backend.run(flip(), shots=3, **{name: value}).result().get_counts() == {"1": 3}


@pytest.mark.parametrize(("name", "value"), [("fusion_enable", True), ("device", "GPU")])
def test_hints_are_warned_of(backend: BasicAerBackend, name: str, value: Any) -> None:
    with pytest.warns(UserWarning, match=f"Option {name} is not used"):
        job = backend.run(flip(), shots=3, **{name: value})
    assert job.result().get_counts() == {"1": 3}


def test_a_method_is_followed_and_told(backend: BasicAerBackend, provider: BasicAerProvider) -> None:
    result = backend.run(flip(), shots=3, method="density_matrix").result()
    assert result.results[0].metadata["method"] == "density_matrix"
    assert result.get_counts() == {"1": 3}
    with pytest.raises(QiskitError, match="There is no method 'extended_stabilizer'"):
        backend.run(flip(), method="extended_stabilizer")
    with pytest.warns(UserWarning, match="Option method is not used"):
        provider.get_backend("statevector_simulator").run(flip(), method="statevector").result()


def test_a_matrix_is_what_the_unitary_simulator_gives(provider: BasicAerProvider) -> None:
    circuit = QuantumCircuit(1)
    with pytest.warns(UserWarning, match="method"):
        provider.get_backend("unitary_simulator").run(circuit, method="unitary").result()


@pytest.mark.parametrize("shots", [1e1, np.int64(10), np.uint8(10), np.float64(10), np.array(10)])
def test_integers_are_taken_in_any_form(backend: BasicAerBackend, shots: Any) -> None:
    job = backend.run(flip(), shots=shots, seed_simulator=shots, max_parallel_threads=shots)
    assert job.result().get_counts() == {"1": 10}
    backend.set_options(shots=shots)
    assert backend.run(flip()).result().get_counts() == {"1": 10}


@pytest.mark.parametrize("name", ["shots", "seed_simulator", "max_parallel_threads"])
@pytest.mark.parametrize("value", [2.5, float("nan"), float("inf"), True, "10", 1j, [1]])
def test_what_is_no_integer_is_refused_by_name(backend: BasicAerBackend, name: str, value: Any) -> None:
    with pytest.raises(OptionInvalidError, match=f"{name} is not an integer") as caught:
        backend.run(flip(), **{name: value})
    assert caught.value.field == f"options.{name}"


@pytest.mark.parametrize("program", ["OPENQASM 2.0;", b"x", 3, ["OPENQASM 2.0;"]])
def test_programs_that_the_client_runs_are_told_where(backend: BasicAerBackend, program: Any) -> None:
    with pytest.raises(CircuitError, match=r"provider\.client\.get_backend"):
        backend.run(program)


def test_names_that_need_qiskit_1_say_so() -> None:
    import basicaer.client.qiskit as adapter

    names = {"SamplerV2", "EstimatorV2", "BasicAerPrimitiveJob"}
    if not qiskit.__version__.startswith("0."):
        assert names <= set(dir(adapter))
        assert all(getattr(adapter, name) for name in names)
        return
    assert not names & set(dir(adapter))
    for name in names:
        with pytest.raises(ImportError, match=rf"{name} needs Qiskit 1\.0 or newer.*0\.46"):
            exec(f"from basicaer.client.qiskit import {name}", {})
    assert "basicaer.client.qiskit.primitives._sampler" not in sys.modules
