"""The server's result as a `qiskit.result.Result`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from basicaer.client.qiskit._saved import saved_value, state_vector
from basicaer.client.results._experiment import ExperimentResult
from basicaer.client.results._json import as_json
from basicaer.client.results._result import Result
from qiskit.result import Result as QiskitResult

__all__ = ["JsonResult", "qiskit_result"]


class JsonResult(QiskitResult):
    """Qiskit's result, whose `to_dict` is JSON, as it was when Qiskit sent results as such.

    An amplitude is the list of its two parts there, which `Result.from_dict` understands.
    """

    def to_dict(self) -> dict[str, Any]:
        """Return everything in JSON's types."""
        found: dict[str, Any] = as_json(super().to_dict())
        return found


def qiskit_result(result: Result, metadata: Sequence[Any] | None, *, counts: bool) -> QiskitResult:
    """Return the same data in Qiskit's class.

    `metadata` is that of the circuits, one for each experiment, in place of what went over the wire. With
    `counts`, an experiment without a measurement has counts too: none, or zero in every shot, as in BasicAer.
    """
    experiments = []
    for index, experiment in enumerate(result.results):
        made = _experiment(experiment, counts)
        if metadata is not None and index < len(metadata):
            made["header"]["metadata"] = metadata[index]
        experiments.append(made)
    return JsonResult.from_dict(
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
        "metadata": _metadata(experiment),
    }


def _metadata(experiment: ExperimentResult) -> dict[str, Any]:
    """Return what Aer tells there, as far as it's known here, and why the method was taken."""
    own = "unitary" if "unitary" in experiment.data.names() else experiment.method
    method = experiment.simulation_method or own
    found: dict[str, Any] = {"method": method, "device": "CPU", "reason": experiment.reason}
    if experiment.simulation_method:
        found["measure_sampling"] = experiment.method == "sampled"
    cuts = experiment.matrix_product_state
    if cuts is not None:
        found["matrix_product_state"] = dataclasses.asdict(cuts)
    if experiment.nodes > 1:
        found["nodes"] = experiment.nodes
    return found


def _data(experiment: ExperimentResult, counts: bool) -> Mapping[str, Any]:
    data = {}
    for name in experiment.data.names():
        description, value = experiment.data.description(name), experiment.data.get(name)
        if description is not None and description.kind:
            data[name] = saved_value(value, description, has_bits=experiment.header.memory_slots > 0)
        else:
            data[name] = _value(value)
    if counts and "counts" not in data:
        data["counts"] = {"0x0": experiment.shots} if experiment.header.memory_slots else {}
    return data


def _value(value: Any) -> Any:
    """Return a single number as a number, and a state vector as Qiskit's (an array before 1.0, as BasicAer
    gave).
    """
    if not isinstance(value, np.ndarray):
        return value
    if np.iscomplexobj(value) and value.ndim == 1:
        return state_vector(value)
    if value.dtype == np.float64 and value.shape == (1,):
        return float(value[0])
    return value
