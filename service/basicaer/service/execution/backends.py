"""The backends and their options, as one table: submission is checked against it, and ListBackends
shows it.

Names and behaviour are those of BasicAer in Qiskit 0.46; `basic_simulator` is the name that its
`qasm_simulator` has in later versions.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from basicaer import simulator as sim
from basicaer.service import version
from basicaer.service.config import Config
from basicaer.service.errors import ServiceError
from basicaer.v1 import error_reason_pb2, job_pb2, job_service_pb2

__all__ = [
    "BACKENDS",
    "DEFAULT_CHOP_THRESHOLD",
    "DEFAULT_SHOTS",
    "METHODS",
    "Backend",
    "Task",
    "backend_infos",
    "find_backend",
]

METHODS: Mapping[sim.MethodName, job_pb2.SimulationMethod.ValueType] = {
    "statevector": job_pb2.SIMULATION_METHOD_STATEVECTOR,
    "density_matrix": job_pb2.SIMULATION_METHOD_DENSITY_MATRIX,
    "stabilizer": job_pb2.SIMULATION_METHOD_STABILIZER,
    "matrix_product_state": job_pb2.SIMULATION_METHOD_MATRIX_PRODUCT_STATE,
    "superop": job_pb2.SIMULATION_METHOD_SUPEROP,
}
"""The simulator's methods, as the contract has them."""

DEFAULT_SHOTS = 1024
DEFAULT_CHOP_THRESHOLD = 1e-15


class Task(enum.Enum):
    """What a backend computes."""

    SHOTS = enum.auto()
    STATEVECTOR = enum.auto()
    UNITARY = enum.auto()


@dataclass(frozen=True, slots=True)
class Backend:
    """A backend: name, purpose, and the fields of `RunOptions` that it takes, with their defaults."""

    name: str
    description: str
    task: Task
    options: dict[str, str]


# What each option of RunOptions does.
_DESCRIPTIONS = {
    "shots": "How often each program is run.",
    "memory": "Whether the outcome of each shot is returned too.",
    "seed_simulator": "The seed of the random numbers, for repeatable outcomes. Random when unset.",
    "seed_stream": "Which stream of the seed the first entry draws from, to repeat one of an earlier job.",
    "initial_statevector": "The state before the first instruction: 2^n amplitudes of norm 1.",
    "initial_unitary": "The matrix before the first instruction: unitary, 2^n by 2^n.",
    "chop_threshold": "Real and imaginary parts of returned amplitudes below this magnitude become 0.",
    "precision": "The arithmetic: PRECISION_DOUBLE (complex128) or PRECISION_SINGLE (complex64).",
    "max_parallel_threads": "The most threads that the job may use; 0 leaves it to the server.",
    "noise_model": "Channels and readout errors that come with the operations of all programs.",
    "method": "How the state is held. SIMULATION_METHOD_AUTOMATIC takes the fastest method that fits.",
    "matrix_product_state": "Bounds for matrix product states: max_bond_dimension and truncation_threshold.",
    "nodes": "Over how many nodes each state vector is spread, a power of two; 0 leaves it to the server.",
    "max_run_time": "How long the job may run, in seconds; unset leaves it to the server.",
}

_COMMON = {
    "seed_simulator": "",
    "seed_stream": "0",
    "chop_threshold": str(DEFAULT_CHOP_THRESHOLD),
    "precision": "PRECISION_DOUBLE",
    "max_parallel_threads": "0",
    "max_run_time": "",
}

_SHOTS = {
    "shots": str(DEFAULT_SHOTS),
    "memory": "false",
    "initial_statevector": "",
    "noise_model": "",
    "method": "SIMULATION_METHOD_AUTOMATIC",
    "matrix_product_state": "",
    "nodes": "0",
    **_COMMON,
}

BACKENDS: dict[str, Backend] = {
    backend.name: backend
    for backend in (
        Backend(
            "qasm_simulator",
            "Runs a circuit many times, and counts the outcomes of its measurements.",
            Task.SHOTS,
            _SHOTS,
        ),
        Backend(
            "basic_simulator",
            "The same as qasm_simulator, under its name in Qiskit 1 and later.",
            Task.SHOTS,
            _SHOTS,
        ),
        Backend(
            "statevector_simulator",
            "Runs a circuit once, and returns its final state; with measurements, the state that they leave. "
            "Whatever `shots` says, there is one.",
            Task.STATEVECTOR,
            {"shots": "1", "memory": "false", "initial_statevector": "", **_COMMON},
        ),
        Backend(
            "unitary_simulator",
            "Returns the unitary matrix of a circuit without measurements, resets and classical control. "
            "Whatever `shots` says, there is one.",
            Task.UNITARY,
            {"shots": "1", "initial_unitary": "", **_COMMON},
        ),
    )
}


def find_backend(name: str) -> Backend:
    """Return the backend of this name.

    Raises:
        ServiceError: BACKEND_NOT_FOUND.
    """
    backend = BACKENDS.get(name)
    if backend is None:
        available = ", ".join(BACKENDS)
        raise ServiceError(
            error_reason_pb2.ERROR_REASON_BACKEND_NOT_FOUND,
            f"There is no backend {name[:128]!r}. Available: {available}.",
            metadata={"backend_name": name[:128], "available": available},
            field="backend_name",
        )
    return backend


def backend_infos(config: Config) -> list[job_service_pb2.BackendInfo]:
    """Return what ListBackends answers, in the order of the names."""
    gates = [
        job_service_pb2.GateInfo(
            name=spec.name,
            num_qubits=0 if spec.any_controls else spec.num_qubits,
            num_parameters=spec.num_parameters,
            description=spec.doc,
        )
        for spec in dict.fromkeys(sim.GATES.values())
    ]
    return [
        job_service_pb2.BackendInfo(
            name=backend.name,
            description=backend.description,
            version=version(),
            max_qubits=_max_qubits(backend, config.max_memory_bytes),
            gates=gates,
            options=[
                job_service_pb2.OptionInfo(name=name, default_value=default, description=_DESCRIPTIONS[name])
                for name, default in backend.options.items()
            ],
            methods=[job_pb2.SIMULATION_METHOD_AUTOMATIC, *METHODS.values()]
            if "method" in backend.options
            else (),
        )
        for _, backend in sorted(BACKENDS.items())
    ]


def _max_qubits(backend: Backend, memory: int) -> int:
    """Return the most qubits that fit in single precision when gates act on all of them."""
    method: Literal["unitary", "run"] = "unitary" if backend.task is Task.UNITARY else "run"
    most = 0
    circuit = sim.Circuit(1).append("h", [0])
    while sim.required_bytes(circuit, method=method, dtype=np.complex64, shots=1) <= memory:
        most += 1
        circuit.num_qubits += 1
        circuit.append("h", [most])
    return most
