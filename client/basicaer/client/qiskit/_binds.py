"""`parameter_binds`: values for the unbound parameters of circuits, as rows of a program's inputs.

Two forms are taken. Aer's has a dict for each circuit, with a list of values for each parameter: the i-th run
takes the i-th of each. That of `execute` has a dict for each run, with one value for each parameter, and
every circuit is run with every dict. In both a key is a `Parameter`, a `ParameterVector` (with as many
values, a run), an input variable's `expr.Var`, or the name of one of these.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from basicaer.client._errors import CircuitError
from basicaer.client._from_qiskit import CircuitWithInputs
from basicaer.v1 import job_pb2

__all__ = ["bound_programs"]


def bound_programs(circuits: Sequence[CircuitWithInputs], binds: Any) -> list[job_pb2.Program]:
    """Returns a program for each circuit, with a row of inputs for each run that `binds` asks for.

    Raises: CircuitError when a parameter has no value, or a value has no parameter; when lists differ in
    length.
    """
    given = _as_dicts(binds)
    if not any(given):
        return [
            job_pb2.Program(circuit=circuit.message, inputs=_inputs(circuit, [{}])) for circuit in circuits
        ]
    sweeps = [_is_sweep(bind) for bind in given]
    if not any(sweeps):
        return [job_pb2.Program(circuit=one.message, inputs=_inputs(one, given)) for one in circuits]
    if len(given) != len(circuits):
        raise CircuitError(
            f"parameter_binds has {len(given)} dicts of lists, but there are {len(circuits)} circuits."
        )
    return [
        job_pb2.Program(circuit=circuit.message, inputs=_inputs(circuit, _rows(bind)))
        for circuit, bind in zip(circuits, given, strict=True)
    ]


def _as_dicts(binds: Any) -> list[Mapping[Any, Any]]:
    if binds is None:
        return []
    if isinstance(binds, Mapping):
        binds = [binds]
    if not isinstance(binds, Sequence) or not all(isinstance(bind, Mapping) for bind in binds):
        raise CircuitError("parameter_binds must be a list of dicts.")
    return list(binds)


def _is_sweep(bind: Mapping[Any, Any]) -> bool:
    """Whether a dict gives lists of values, one for each run."""
    return any(np.ndim(value) > _is_vector(key) for key, value in bind.items())


def _is_vector(key: Any) -> bool:
    """Whether this is a ParameterVector, which takes an array where a parameter takes a number."""
    return hasattr(key, "params") and hasattr(key, "name")


def _rows(bind: Mapping[Any, Any]) -> list[dict[Any, Any]]:
    """Aer's lists as one dict for each run."""
    for key, values in bind.items():
        if np.ndim(values) <= _is_vector(key):
            raise CircuitError(f"parameter_binds gives {_name(key)!r} one value, but others lists.")
    lengths = {len(values) for values in bind.values()}
    if len(lengths) > 1:
        raise CircuitError(f"The lists of parameter_binds have different lengths: {sorted(lengths)}.")
    if lengths == {0}:
        raise CircuitError("The lists of parameter_binds are empty.")
    runs = zip(*bind.values(), strict=True)
    return [dict(zip(bind, run, strict=True)) for run in runs]


def _inputs(circuit: CircuitWithInputs, runs: Sequence[Mapping[Any, Any]]) -> job_pb2.Inputs | None:
    if not circuit.names and not any(runs):
        return None
    names = list(circuit.names.values())
    if not names:
        # Nothing depends on the values, but each run was asked for.
        _row({}, runs[0], circuit.message.name)
    known = dict(circuit.names) | {name: name for name in names}
    values: list[float] = []
    for run in runs:
        found = _row(known, run, circuit.message.name)
        values += [found[name] for name in names]
    return job_pb2.Inputs(names=names, values=values)


def _row(known: Mapping[Any, str], run: Mapping[Any, Any], circuit: str) -> dict[str, float]:
    """The values of one run by the names of the inputs."""
    found: dict[str, float] = {}
    for key, value in _unrolled(run):
        if key not in known:
            raise CircuitError(f"parameter_binds has {_name(key)!r}, which circuit {circuit!r} doesn't use.")
        try:
            found[known[key]] = float(value)
        except (TypeError, ValueError):
            raise CircuitError(
                f"parameter_binds gives {_name(key)!r} the value {value!r}, which is not a real number."
            ) from None
    if missing := [name for name in known.values() if name not in found]:
        names = ", ".join(repr(name) for name in dict.fromkeys(missing))
        raise CircuitError(
            f"Circuit {circuit!r} has parameters without a value: {names}. "
            "Give parameter_binds, or bind them with circuit.assign_parameters({...})."
        )
    return found


def _unrolled(run: Mapping[Any, Any]) -> list[tuple[Any, Any]]:
    """Pairs of single parameters and values."""
    pairs = []
    for key, value in run.items():
        if not _is_vector(key):
            pairs.append((key, value))
        elif len(key) != len(value):
            raise CircuitError(
                f"parameter_binds gives {key.name!r} {len(value)} values, but it has {len(key)} elements."
            )
        else:
            pairs += zip(key, value, strict=True)
    return pairs


def _name(key: Any) -> Any:
    return getattr(key, "name", key)
