"""`parameter_binds`: values for the unbound parameters of circuits, as rows of a program's inputs.

Two forms are taken. Aer's has a dict for each circuit, with a list of values for each parameter: the i-th run
takes the i-th of each. That of `execute` has a dict for each run, with one value for each parameter, and
every circuit is run with every dict. In both a key is a `Parameter`, a `ParameterVector` (with as many
values, a run), an input variable's `expr.Var`, or the name of one of these; a name that a parameter and a
variable share is the parameter's. As in Aer, what isn't for a circuit is passed over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from basicaer.client._errors import CircuitError
from basicaer.client.conversion._unbound import Given, Unbound, key_name
from basicaer.v1 import job_pb2

__all__ = ["bound_programs"]


def bound_programs(circuits: Sequence[Unbound], binds: Any) -> list[list[job_pb2.Program]]:
    """Return for each circuit its programs, with a row of inputs for each run that `binds` asks for.

    Raises:
        CircuitError: A parameter has no value, or lists differ in length.
    """
    given = _as_dicts(binds)
    if not any(given):
        return [_programs(circuit, [[]]) for circuit in circuits]
    if not _are_sweeps(circuits, given):
        return [_programs(circuit, [circuit.given(bind) for bind in given]) for circuit in circuits]
    if len(given) != len(circuits):
        raise CircuitError(
            f"parameter_binds has {len(given)} dicts of lists, but there are {len(circuits)} circuits."
        )
    return [
        _programs(circuit, _runs(circuit.given(bind))) for circuit, bind in zip(circuits, given, strict=True)
    ]


def _as_dicts(binds: Any) -> list[Mapping[Any, Any]]:
    if binds is None:
        return []
    if isinstance(binds, Mapping):
        binds = [binds]
    if not isinstance(binds, Sequence) or not all(isinstance(bind, Mapping) for bind in binds):
        raise CircuitError("parameter_binds must be a list of dicts.")
    return list(binds)


def _are_sweeps(circuits: Sequence[Unbound], binds: Sequence[Mapping[Any, Any]]) -> bool:
    """Whether dicts give lists of values, one for each run; what no circuit takes tells only if nothing else
    does.
    """
    known = [given for bind in binds for circuit in circuits for given in circuit.given(bind)]
    if known:
        return any(_dimensions(given) > given.rank for given in known)
    return any(np.ndim(value) for bind in binds for value in bind.values())


def _dimensions(given: Given) -> int:
    try:
        return np.ndim(given.value)
    except ValueError:
        raise CircuitError(
            f"parameter_binds gives {key_name(given.key)!r} lists of different lengths."
        ) from None


def _runs(sweep: Sequence[Given]) -> list[list[Given]]:
    """Aer's lists as what is given for each run."""
    for given in sweep:
        if _dimensions(given) <= given.rank:
            raise CircuitError(f"parameter_binds gives {key_name(given.key)!r} one value, but others lists.")
    lengths = {len(given.value) for given in sweep}
    if len(lengths) > 1:
        raise CircuitError(f"The lists of parameter_binds have different lengths: {sorted(lengths)}.")
    if lengths == {0}:
        raise CircuitError("The lists of parameter_binds are empty.")
    count = lengths.pop() if lengths else 1
    return [[given._replace(value=given.value[run]) for given in sweep] for run in range(count)]


def _programs(circuit: Unbound, runs: Sequence[Sequence[Given]]) -> list[job_pb2.Program]:
    rows = np.array([circuit.row(run) for run in runs], dtype=np.float64).reshape(len(runs), -1)
    if not circuit.inputs:
        # A row without values can't be told from none.
        return circuit.programs(rows) * len(runs)
    return circuit.programs(rows)
