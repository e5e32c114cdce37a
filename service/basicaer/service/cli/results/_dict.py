"""A result as JSON's types, for machines."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from basicaer.service.cli.results._bits import bit_rates
from basicaer.service.cli.results._names import OWN, counts_of
from basicaer.service.cli.results._outputs import output_dict

if TYPE_CHECKING:
    from basicaer.client import ExperimentResult, Result

__all__ = ["result_dict"]


def result_dict(result: Result) -> dict[str, Any]:
    """Return a result with counts by bit strings, and amplitudes as pairs of real and imaginary part."""
    return {
        "job_id": result.job_id,
        "backend": result.backend_name,
        "backend_version": result.backend_version,
        "success": result.success,
        "time_taken": result.time_taken,
        "programs": [_program_dict(result, index, program) for index, program in enumerate(result.results)],
    }


def _program_dict(result: Result, index: int, program: ExperimentResult) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": program.header.name,
        "status": program.status,
        "shots": program.shots,
        "seed": program.seed,
        "time_taken": program.time_taken,
    }
    if program.simulation_method:
        found |= {"simulation_method": program.simulation_method, "reason": program.reason}
    if program.matrix_product_state is not None:
        found["matrix_product_state"] = dataclasses.asdict(program.matrix_product_state)
    if program.nodes > 1:
        found["nodes"] = program.nodes
    if program.error is not None:
        found["error"] = {"reason": program.error.reason, "message": program.error.message}
        return found
    names = program.data.names()
    if "counts" in names:
        found["counts"] = counts_of(result, index)
    if "memory" in names:
        found["memory"] = result.get_memory(index)
    if "counts" in names and (outputs := result.get_outputs(index)).is_declared:
        found["outputs"] = output_dict(outputs, has_memory="memory" in names)
    for name in ("statevector", "unitary"):
        if name in names:
            found[name] = _plain(program.data.get(name))
    bits = program.data.bit_names()
    if bits:
        found["bits"] = {name: bit_rates(program.data.bits(name)) for name in bits}
    saved = {name: _plain(program.data.get(name)) for name in names if name not in (*OWN, *bits)}
    if saved:
        found["arrays"] = saved
    return found


def _plain(values: Any) -> Any:
    """Return an array as lists, with pairs for complex numbers; and those of a dict, or of a chain."""
    if isinstance(values, dict):
        return {name: _plain(value) for name, value in values.items()}
    if isinstance(values, list):
        return [_plain(value) for value in values]
    if hasattr(values, "to_dict"):
        return _plain(values.to_dict())
    if values.dtype.kind == "c":
        values = values.view(values.real.dtype).reshape(*values.shape, 2)
    return values.tolist()
