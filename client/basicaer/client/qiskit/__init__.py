"""A server's backends as Qiskit's own: code from 0.46 to 2 runs on them once another line names the backend.

    from basicaer.client.qiskit import BasicAerProvider

    backend = BasicAerProvider("127.0.0.1:50051").get_backend("qasm_simulator")
    counts = backend.run(circuit, shots=1000).result().get_counts()

Importing this package loads nothing of Qiskit; what needs it is loaded when it's first asked for. The errors
are Qiskit's and the client's at once; see `_errors`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from basicaer.client._from_qiskit import (
    CircuitTooLargeError,
    CircuitWithInputs,
    ConversionError,
    NestingTooDeepError,
    circuit_to_program,
    circuit_to_proto,
)

if TYPE_CHECKING:
    from basicaer.client.qiskit._backend import BasicAerBackend as BasicAerBackend
    from basicaer.client.qiskit._estimator import EstimatorV2 as EstimatorV2
    from basicaer.client.qiskit._job import BasicAerJob as BasicAerJob
    from basicaer.client.qiskit._monitor import job_monitor as job_monitor
    from basicaer.client.qiskit._primitive_job import BasicAerPrimitiveJob as BasicAerPrimitiveJob
    from basicaer.client.qiskit._provider import BasicAerProvider as BasicAerProvider
    from basicaer.client.qiskit._sampler import SamplerV2 as SamplerV2

__all__ = [
    "BasicAerBackend",
    "BasicAerJob",
    "BasicAerPrimitiveJob",
    "BasicAerProvider",
    "CircuitTooLargeError",
    "CircuitWithInputs",
    "ConversionError",
    "EstimatorV2",
    "NestingTooDeepError",
    "SamplerV2",
    "circuit_to_program",
    "circuit_to_proto",
    "job_monitor",
]

# Where each name is that needs Qiskit.
_LAZY = {
    "BasicAerBackend": "_backend",
    "BasicAerJob": "_job",
    "BasicAerPrimitiveJob": "_primitive_job",
    "BasicAerProvider": "_provider",
    "EstimatorV2": "_estimator",
    "SamplerV2": "_sampler",
    "job_monitor": "_monitor",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
