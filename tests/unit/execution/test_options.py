"""Options: what each backend takes, defaults, and every refusal with its field."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from basicaer import simulator as sim
from basicaer.service.config import Config
from basicaer.service.errors import ServiceError
from basicaer.service.execution import ThreadExecutor, backend_infos
from basicaer.v1 import circuit_pb2 as pb
from basicaer.v1 import job_pb2

H = pb.Circuit(num_qubits=1, operations=[pb.Operation(name="h")], body=pb.Block(operations=[0], qubits=[0]))
R = 0.5**0.5


def array(values: Any) -> pb.ComplexArray:
    data = np.array(values, dtype="<c16")
    return pb.ComplexArray(shape=data.shape, data=data.tobytes())


NAN = [np.nan, 0]
BAD = [
    ("qasm_simulator", {"shots": 0}, "shots", "give 1 to 100,000"),
    ("qasm_simulator", {"shots": -1}, "shots", "-1"),
    ("qasm_simulator", {"shots": 100_001}, "shots", "100,000"),
    ("qasm_simulator", {"shots": 2**63 - 1}, "shots", "100,000"),
    ("statevector_simulator", {"shots": 0}, "shots", "give 1"),
    ("qasm_simulator", {"chop_threshold": float("nan")}, "chop_threshold", "nan"),
    ("statevector_simulator", {"chop_threshold": -1.0}, "chop_threshold", "-1.0"),
    ("qasm_simulator", {"precision": 9}, "precision", "number 9"),
    ("qasm_simulator", {"max_run_time": {"seconds": 0}}, "max_run_time", "more than 0 s"),
    ("unitary_simulator", {"max_run_time": {"seconds": -1}}, "max_run_time", "-1 s"),
    ("qasm_simulator", {"initial_unitary": array(np.eye(2))}, "initial_unitary", "has no such option"),
    (
        "unitary_simulator",
        {"initial_statevector": array([1, 0])},
        "initial_statevector",
        "has no such option",
    ),
    ("unitary_simulator", {"memory": True}, "memory", "has no such option"),
    ("qasm_simulator", {"initial_statevector": array(NAN)}, "initial_statevector", "NaN"),
    ("qasm_simulator", {"initial_statevector": array([np.inf, 0])}, "initial_statevector", "infinite"),
    ("qasm_simulator", {"initial_statevector": array([1e300, 1e300])}, "initial_statevector", "norm"),
    ("qasm_simulator", {"initial_statevector": array([1, 1])}, "initial_statevector", "norm is 1.414"),
    ("qasm_simulator", {"initial_statevector": array([1, 0, 0])}, "initial_statevector", "2^n"),
    ("qasm_simulator", {"initial_statevector": array([[1, 0]])}, "initial_statevector", "2^n"),
    ("qasm_simulator", {"initial_statevector": array([1, 0, 0, 0])}, "initial_statevector", "for 2 qubits"),
    (
        "qasm_simulator",
        {"initial_statevector": pb.ComplexArray(shape=[2], values=[1])},
        "initial_statevector",
        "even",
    ),
    ("unitary_simulator", {"initial_unitary": array([[1, 1], [0, 1]])}, "initial_unitary", "not unitary"),
    ("unitary_simulator", {"initial_unitary": array([1, 0])}, "initial_unitary", "2^n rows"),
    ("unitary_simulator", {"initial_unitary": array(np.eye(4))}, "initial_unitary", "for 2 qubits"),
]


@pytest.mark.parametrize(("backend", "options", "name", "words"), BAD)
def test_a_bad_option_is_named(
    executor: ThreadExecutor, make_spec: Any, backend: str, options: Any, name: str, words: str
) -> None:
    with pytest.raises(ServiceError) as caught:
        executor.prepare(make_spec(H, backend=backend, **options))
    error = caught.value
    assert error.reason_name == "OPTION_INVALID"
    assert error.field == f"options.{name}"
    assert error.metadata == {"field": f"options.{name}"}
    assert words in error.message


def test_defaults(executor: ThreadExecutor, make_spec: Any) -> None:
    assert executor.prepare(make_spec(H)).shots == 1024
    assert executor.prepare(make_spec(H, backend="statevector_simulator", shots=500)).shots == 1
    assert executor.prepare(make_spec(H, backend="unitary_simulator", shots=500)).shots == 1


def test_an_unknown_backend(executor: ThreadExecutor, make_spec: Any) -> None:
    with pytest.raises(ServiceError) as caught:
        executor.prepare(make_spec(H, backend="aer"))
    assert caught.value.reason_name == "BACKEND_NOT_FOUND"
    assert caught.value.metadata["backend_name"] == "aer"
    assert "qasm_simulator" in caught.value.metadata["available"]


def test_no_programs_and_too_many(make_spec: Any, config: Config) -> None:
    executor = ThreadExecutor(Config(data_dir=config.data_dir, max_programs=2))
    with pytest.raises(ServiceError, match="there is none") as caught:
        executor.prepare(make_spec())
    assert caught.value.metadata == {"field": "programs"}
    with pytest.raises(ServiceError, match="3 programs") as caught:
        executor.prepare(make_spec(H, H, H))
    assert caught.value.metadata == {"limit": "max_programs", "max": "2", "actual": "3"}


def test_too_many_instructions(make_spec: Any, config: Config) -> None:
    executor = ThreadExecutor(Config(data_dir=config.data_dir, max_instructions=2))
    long = pb.Circuit(
        num_qubits=1, operations=H.operations, body=pb.Block(operations=[0] * 3, qubits=[0] * 3)
    )
    with pytest.raises(ServiceError) as caught:
        executor.prepare(make_spec(long))
    assert caught.value.reason_name == "PROGRAM_TOO_LARGE"
    assert caught.value.metadata["limit"] == "max_instructions"


# --- ListBackends -----------------------------------------------------------------------------------------


def test_backends_are_listed_with_their_options_and_gates(config: Config) -> None:
    infos = backend_infos(config)
    assert [info.name for info in infos] == [
        "basic_simulator",
        "qasm_simulator",
        "statevector_simulator",
        "unitary_simulator",
    ]
    for info in infos:
        assert info.description
        assert {gate.name for gate in info.gates} == {spec.name for spec in sim.GATES.values()}
        assert all(gate.description for gate in info.gates)
        assert all(option.description for option in info.options)
        fields = job_pb2.RunOptions.DESCRIPTOR.fields_by_name
        assert {option.name for option in info.options} <= set(fields)
    assert {option.name for info in infos for option in info.options} == set(fields)


def test_the_most_qubits_follow_from_the_memory(config: Config) -> None:
    most = {info.name: info.max_qubits for info in backend_infos(config)}
    assert most == {
        "basic_simulator": 28,
        "qasm_simulator": 28,
        "statevector_simulator": 28,
        "unitary_simulator": 14,
    }
