"""A server's backends as Qiskit's own: code from 0.46 to 2 runs on them once another line names the backend.

    from basicaer.client.qiskit import BasicAerProvider

    backend = BasicAerProvider("127.0.0.1:50051").get_backend("qasm_simulator")
    counts = backend.run(circuit, shots=1000).result().get_counts()

Importing this package loads nothing of Qiskit; what needs it is loaded when it's first asked for. The errors
are Qiskit's and the client's at once; see `_errors`.
"""

from __future__ import annotations

import contextlib
import importlib
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from basicaer.client.conversion.from_qiskit import (
    CircuitTooLargeError,
    CircuitWithInputs,
    ConversionError,
    NestingTooDeepError,
    circuit_to_program,
    circuit_to_proto,
)

if TYPE_CHECKING:
    from basicaer.client.qiskit._aer import AerSimulator as AerSimulator
    from basicaer.client.qiskit._backend import BasicAerBackend as BasicAerBackend
    from basicaer.client.qiskit._backend import BasicAerJob as BasicAerJob
    from basicaer.client.qiskit._monitor import job_monitor as job_monitor
    from basicaer.client.qiskit._provider import BasicAerProvider as BasicAerProvider
    from basicaer.client.qiskit.primitives._estimator import EstimatorV2 as EstimatorV2
    from basicaer.client.qiskit.primitives._gradient import EstimatorGradient as EstimatorGradient
    from basicaer.client.qiskit.primitives._job import BasicAerPrimitiveJob as BasicAerPrimitiveJob
    from basicaer.client.qiskit.primitives._sampler import SamplerV2 as SamplerV2

__all__ = [
    "AerSimulator",
    "BasicAerBackend",
    "BasicAerJob",
    "BasicAerPrimitiveJob",
    "BasicAerProvider",
    "CircuitTooLargeError",
    "CircuitWithInputs",
    "ConversionError",
    "EstimatorGradient",
    "EstimatorV2",
    "NestingTooDeepError",
    "SamplerV2",
    "circuit_to_program",
    "circuit_to_proto",
    "job_monitor",
]

# Those that need the second version of Qiskit's primitives, which came with 1.0.
_SINCE_QISKIT_1 = ("BasicAerPrimitiveJob", "EstimatorGradient", "EstimatorV2", "SamplerV2")
with contextlib.suppress(PackageNotFoundError):
    if version("qiskit").startswith("0."):
        __all__ = [name for name in __all__ if name not in _SINCE_QISKIT_1]

# Where each name is that needs Qiskit.
_LAZY = {
    "AerSimulator": "_aer",
    "BasicAerBackend": "_backend",
    "BasicAerJob": "_backend",
    "BasicAerPrimitiveJob": "primitives._job",
    "BasicAerProvider": "_provider",
    "EstimatorGradient": "primitives._gradient",
    "EstimatorV2": "primitives._estimator",
    "SamplerV2": "primitives._sampler",
    "job_monitor": "_monitor",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name not in __all__:
        raise ImportError(
            f"{name} needs Qiskit 1.0 or newer, and this is Qiskit {version('qiskit')}. Upgrade Qiskit, or "
            "run circuits with BasicAerProvider(...).get_backend(...).run(), as on every version.",
            name=name,
        )
    return getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
