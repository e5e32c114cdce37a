"""The server's result as a `qiskit.result.Result`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import qiskit
from basicaer.client._experiment import ExperimentResult
from basicaer.client._result import Result
from qiskit.quantum_info import Statevector
from qiskit.result import Result as QiskitResult

__all__ = ["qiskit_result"]


def qiskit_result(result: Result, metadata: Sequence[Any] | None, *, counts: bool) -> QiskitResult:
    """Returns the same data in Qiskit's class.

    `metadata` is that of the circuits, one for each experiment, in place of what went over the wire. With
    `counts`, an experiment without a measurement has counts too: none, or zero in every shot, as in BasicAer.
    """
    experiments = []
    for index, experiment in enumerate(result.results):
        made = _experiment(experiment, counts)
        if metadata is not None and index < len(metadata):
            made["header"]["metadata"] = metadata[index]
        experiments.append(made)
    return QiskitResult.from_dict(
        {
            "backend_name": result.backend_name,
            "backend_version": result.backend_version,
            "qobj_id": result.job_id,
            "job_id": result.job_id,
            "success": result.success,
            "status": _status(result),
            "date": result.date.isoformat(),
            "header": {},
            "results": experiments,
            "time_taken": result.time_taken,
        }
    )


def _status(result: Result) -> str:
    failed = next((each.error for each in result.results if each.error is not None), None)
    if result.success or failed is None:
        return result.status
    some = any(each.success for each in result.results)
    return f"{'PARTIAL COMPLETED' if some else 'ERROR'}: {failed.message}"


def _experiment(experiment: ExperimentResult, counts: bool) -> dict[str, Any]:
    status = (
        experiment.status if experiment.error is None else f"{experiment.status}: {experiment.error.message}"
    )
    return {
        "shots": experiment.shots,
        "success": experiment.success,
        "status": status,
        "data": _data(experiment, counts) if experiment.success else {},
        "header": experiment.header.to_dict(),
        "seed": experiment.seed,
        "seed_simulator": experiment.seed,
        "time_taken": experiment.time_taken,
        "metadata": {"method": experiment.method},
    }


def _data(experiment: ExperimentResult, counts: bool) -> Mapping[str, Any]:
    data = {name: _value(name, experiment.data.get(name)) for name in experiment.data.names()}
    if counts and "counts" not in data:
        data["counts"] = {"0x0": experiment.shots} if experiment.header.memory_slots else {}
    return data


def _value(name: str, value: Any) -> Any:
    """A single number as a number, and a state vector as Qiskit's (an array before 1.0, as BasicAer gave)."""
    if not isinstance(value, np.ndarray):
        return value
    if np.iscomplexobj(value) and value.ndim == 1:
        return value if qiskit.__version__.startswith("0.") else Statevector(value)
    if value.dtype == np.float64 and value.shape == (1,):
        return float(value[0])
    return value
