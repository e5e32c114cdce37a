"""A result as a file for numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from basicaer.service.cli.results._names import counts_of

if TYPE_CHECKING:
    from basicaer.client import Result

__all__ = ["save_arrays"]


def _several(values: Any) -> dict[str, Any]:
    """Return the arrays of outcomes, or of a chain of tensors, by names; one array by none."""
    if isinstance(values, dict):
        return values
    if not hasattr(values, "to_dict"):
        return {"": values}
    parts = values.to_dict().items()
    return {f"{part}/{place}": array for part, own in parts for place, array in enumerate(own)}


def save_arrays(result: Result, path: str) -> None:
    """Write every array and all counts of a result into one .npz file, named "0/statevector" and so on."""
    import numpy as np

    arrays: dict[str, Any] = {}
    for index, program in enumerate(result.results):
        for name in () if program.error is not None else program.data.names():
            if name == "counts":
                counts = counts_of(result, index)
                arrays[f"{index}/outcomes"] = np.array(list(counts), str)
                arrays[f"{index}/counts"] = np.array(list(counts.values()), np.int64)
            elif name == "memory":
                arrays[f"{index}/memory"] = np.array(result.get_memory(index), str)
            else:
                values = program.data.get(name)
                for outcome, array in _several(values).items():
                    arrays[f"{index}/{name}/{outcome}".rstrip("/")] = array
                if name in program.data.bit_names():
                    arrays[f"{index}/{name}.bits"] = np.int64(program.data.bits(name).shape[1])
    with click.open_file(path, "wb") as file:
        np.savez(file, **arrays)
