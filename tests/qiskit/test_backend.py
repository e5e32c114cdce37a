"""The provider, its backends, and what `transpile` and `run` make of them."""

from __future__ import annotations

import subprocess
import sys
import warnings
from typing import Any

import numpy as np
import pytest
import qiskit
from basicaer.client import _errors as errors
from basicaer.client.qiskit import BasicAerBackend, BasicAerProvider
from qiskit import QuantumCircuit, transpile
from qiskit.circuit.library import UnitaryGate, get_standard_gate_name_mapping
from qiskit.exceptions import QiskitError
from qiskit.providers import BackendV2, QiskitBackendNotFoundError
from qiskit.quantum_info import Operator

NAMES = ["basic_simulator", "qasm_simulator", "statevector_simulator", "unitary_simulator"]
OLD = qiskit.__version__.startswith("0.")


def bell() -> QuantumCircuit:
    circuit = QuantumCircuit(2, 2, name="bell")
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 1])
    return circuit


def test_importing_the_package_loads_nothing_of_qiskit() -> None:
    code = "import sys, basicaer.client.qiskit; sys.exit('qiskit' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_name_that_the_package_lacks_is_an_attribute_error() -> None:
    import basicaer.client.qiskit as package

    with pytest.raises(AttributeError, match="no attribute 'QasmSimulator'"):
        _ = package.QasmSimulator
    newer = {"BasicAerPrimitiveJob", "EstimatorV2", "SamplerV2"} if OLD else set()
    assert [name for name in package.__all__ if name not in newer and not hasattr(package, name)] == []
    assert dir(package) == sorted(package.__all__)


def test_backends_are_found_by_name_and_filter(provider: BasicAerProvider) -> None:
    assert sorted(backend.name for backend in provider.backends()) == NAMES
    assert [str(one) for one in provider.backends("unitary_simulator")] == ["unitary_simulator"]
    few = provider.backends(filters=lambda backend: "memory" in backend.options)
    assert len(few) == len(NAMES)
    assert len(provider.backends(simulator=True)) == len(NAMES)
    assert provider.backends(local=True) == []
    assert provider.backends("aer_simulator") == []
    assert provider.get_backend("qasm_simulator") is provider.get_backend("qasm_simulator")


def test_a_backend_that_there_is_not_is_an_error_of_both_trees(provider: BasicAerProvider) -> None:
    with pytest.raises(QiskitBackendNotFoundError, match="the server has: basic_simulator"):
        provider.get_backend("aer_simulator")
    with pytest.raises(errors.BackendNotFoundError):
        provider.get_backend()


@pytest.mark.parametrize("name", NAMES)
def test_backends_have_no_width_and_no_coupling(provider: BasicAerProvider, name: str) -> None:
    backend = provider.get_backend(name)
    assert isinstance(backend, BackendV2)
    assert backend.provider is provider
    assert backend.num_qubits is None
    assert backend.coupling_map is None
    assert backend.max_qubits > 10
    assert backend.max_circuits >= 1000
    assert backend.target.num_qubits is None
    assert {"h", "cx", "unitary", "delay", "mcx", "rzz"} <= set(backend.operation_names)
    assert ("measure" in backend.operation_names) is (name != "unitary_simulator")
    assert ("if_else" in backend.operation_names) is (name != "unitary_simulator")
    assert backend.configuration().backend_name == name
    assert backend.status().operational
    assert backend.properties() is None


def test_the_name_can_be_called_where_it_was_a_method(backend: BasicAerBackend) -> None:
    assert backend.name == "qasm_simulator"
    assert callable(backend.name) is OLD
    assert (backend.name() if OLD else backend.name) == "qasm_simulator"


@pytest.mark.parametrize("level", range(4))
def test_transpile_leaves_every_native_gate(backend: BasicAerBackend, level: int) -> None:
    for name, gate in get_standard_gate_name_mapping().items():
        if name in ("measure", "reset", "delay", "id", "global_phase"):
            continue
        angles = [0.3 * (place + 1) for place in range(len(gate.params))]
        circuit = QuantumCircuit(gate.num_qubits)
        kind = gate.base_class
        circuit.append(kind(*angles), range(gate.num_qubits))
        if level < 2:
            assert transpile(circuit, backend, optimization_level=level).count_ops() == {name: 1}
        made = transpile(circuit, backend, optimization_level=level)
        assert made.num_qubits == circuit.num_qubits
        # Higher levels leave a swap at the end to whoever reads the outcomes.
        assert name == "swap" or np.allclose(Operator(made).data, Operator(circuit).data)


@pytest.mark.parametrize("level", range(4))
def test_transpile_leaves_wide_gates_and_control_flow(backend: BasicAerBackend, level: int) -> None:
    circuit = QuantumCircuit(5, 2)
    circuit.initialize([0.6, 0.8], 0)
    circuit.mcx([0, 1, 2, 3], 4)
    circuit.append(UnitaryGate(np.eye(8)[::-1]), [0, 2, 4])
    circuit.delay(10, 0, unit="dt")
    circuit.reset(3)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(1)
    with circuit.for_loop(range(3)):
        circuit.rx(0.2, 1)
    with circuit.while_loop((circuit.clbits[1], 1)):
        circuit.measure(1, 1)
    circuit.measure(1, 1)
    kept = {"initialize", "mcx", "unitary", "reset", "if_else", "for_loop", "while_loop", "measure"}
    assert kept <= set(transpile(circuit, backend, optimization_level=level).count_ops())


def test_unknown_options_are_warned_of_and_ignored(backend: BasicAerBackend) -> None:
    with pytest.warns(UserWarning, match="Option foo is not used by this backend"):
        job = backend.run(bell(), shots=10, foo=1)
    assert sum(job.result().get_counts().values()) == 10


def test_options_are_used_until_they_are_changed(backend: BasicAerBackend) -> None:
    assert backend.options.shots == 1024
    backend.set_options(shots=7, memory=True, seed_simulator=3)
    result = backend.run(bell()).result()
    assert len(result.get_memory()) == 7
    assert result.results[0].seed == 3
    assert sum(backend.run(bell(), shots=9).result().get_counts().values()) == 9
    with pytest.raises(AttributeError):
        backend.set_options(shoots=1)


def test_simulators_of_states_take_shots_to_no_effect(provider: BasicAerProvider) -> None:
    circuit = QuantumCircuit(1)
    circuit.h(0)
    result = provider.get_backend("statevector_simulator").run(circuit, shots=100, memory=True).result()
    assert np.allclose(result.get_statevector(), [0.5**0.5, 0.5**0.5])
    result = provider.get_backend("unitary_simulator").run(circuit, shots=100).result()
    assert np.allclose(result.get_unitary() * 2**0.5, [[1, 1], [1, -1]])


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"shots": 0}, "shots"),
        ({"shots": "many"}, "shots is not an integer"),
        ({"seed_simulator": -1}, "seed_simulator must be at least 0"),
        ({"initial_statevector": [1, 1, 1, 1]}, "initial_statevector"),
        ({"initial_statevector": [1, 0]}, "initial_statevector"),
        ({"precision": "half"}, "precision"),
    ],
)
def test_bad_values_raise_from_run(backend: BasicAerBackend, options: dict[str, Any], text: str) -> None:
    with pytest.raises(QiskitError, match=text) as caught:
        backend.run(bell(), **options)
    assert isinstance(caught.value, errors.BasicAerError)
    assert text in str(caught.value)
    assert not str(caught.value).startswith(("'", '"'))


def test_bad_circuits_raise_from_run(backend: BasicAerBackend) -> None:
    with pytest.raises(QiskitError, match="no circuit"):
        backend.run([])
    with pytest.raises(QiskitError, match="QuantumCircuit is needed, not a str"):
        backend.run("bell")
    wide = QuantumCircuit(60)
    wide.h(range(60))
    with pytest.raises(QiskitError, match="memory"):
        backend.run(wide, method="statevector")
    circuit = QuantumCircuit(1)
    circuit.append(qiskit.circuit.Instruction("mystery", 1, 0, []), [0])
    with pytest.raises(QiskitError, match="mystery"):
        backend.run(circuit)


def test_a_server_out_of_reach_is_an_error_of_both_trees() -> None:
    with BasicAerProvider("127.0.0.1:1", timeout=1.0) as away:
        with pytest.raises(QiskitError) as caught:
            away.backends()
        assert isinstance(caught.value, errors.TransportError)


@pytest.mark.skipif(not OLD, reason="execute left Qiskit with 1.0")
def test_execute_runs_on_it(provider: BasicAerProvider) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from qiskit import execute

        theta = qiskit.circuit.Parameter("theta")
        circuit = QuantumCircuit(1, 1)
        circuit.rx(theta, 0)
        circuit.measure(0, 0)
        backend = provider.get_backend("qasm_simulator")
        job = execute([circuit, circuit], backend, shots=50, parameter_binds=[{theta: 0}, {theta: np.pi}])
        assert job.result().get_counts() == [{"0": 50}, {"1": 50}, {"0": 50}, {"1": 50}]
        state = [0, 0, 0, 1]
        job = execute(bell(), backend, shots=9, memory=True, seed_simulator=5, initial_statevector=state)
        result = job.result()
    assert len(result.get_memory(0)) == 9
    assert set(result.get_counts()) <= {"01", "10"}
