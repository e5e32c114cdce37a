"""The methods that a circuit can be run by: what each takes, what it costs, and which one is chosen."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from basicaer.simulator import _costs
from basicaer.simulator._abilities import (
    RunRequest,
    refused_by_chains,
    refused_by_density_matrices,
    refused_by_maps,
    refused_by_stabilizers,
    refused_by_states,
    saves_map,
)
from basicaer.simulator._errors import CircuitError, OptionError
from basicaer.simulator._memory import chain_bytes, map_bytes, mixed_bytes, required_bytes, saved_bytes
from basicaer.simulator._outcomes import num_words
from basicaer.simulator.compiler._wires import num_active
from basicaer.simulator.methods.density_matrix._method import DENSITY_MATRIX
from basicaer.simulator.methods.density_matrix._superop import SUPEROP
from basicaer.simulator.methods.matrix_product_state import _estimate as chains
from basicaer.simulator.methods.statevector._method import STATEVECTOR

MethodName: TypeAlias = Literal[
    "statevector", "density_matrix", "stabilizer", "matrix_product_state", "superop"
]

_SMALL_WIRES = 20
"""Without noise, a state vector of so many qubits is taken at once: it is no more than 16 MiB."""

_AT_ONCE = 0.01
"""A stabilizer method that takes so few seconds is taken without a look at the others."""
_WORTH_TRYING, _TRIED = 0.1, 0.15
"""A matrix product state is tried where the best other method takes so many seconds, for this part of that.
"""
_LEAST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class MethodChoice:
    """A method for a run, why it is taken, and the most bytes that the run needs.

    Those of a matrix product state are an estimate. `seconds` is about how long it takes on one core; None
    where that wasn't looked at. Where nothing that can run the circuit fits into memory, `fits` is false.
    """

    method: MethodName
    reason: str
    required_bytes: int
    seconds: float | None
    fits: bool


class Chosen(NamedTuple):
    """A method, why it is taken, and whether it fits into memory.

    For as many `seconds`, if any are given, a matrix product state is tried before: nobody knows its bonds.
    """

    method: MethodName
    reason: str
    fits: bool = True
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class _Known:
    """What a method refuses, as a reason for people or None, and what it costs: seconds, and bytes.

    `state` are the bytes of one state, which are known before anything is compiled.
    """

    refuses: Callable[[RunRequest], str | None]
    seconds: Callable[[RunRequest], float]
    bytes: Callable[[RunRequest], int]
    state: Callable[[RunRequest], int] | None = None


def choose_method(
    request: RunRequest, method: str = "automatic", max_memory_bytes: int | None = None
) -> MethodChoice:
    """Return which method `run` takes for a request, and what it costs. Nothing runs.

    Raises `OptionError` for a method that doesn't exist, and `CircuitError` for one that can't run the
    circuit, and where none can, whatever the memory.
    """
    name, reason, fits, _ = choose(request, method, max_memory_bytes)
    known = _METHODS[name]
    is_small = name == "statevector" and method == "automatic" and request.num_wires <= _SMALL_WIRES
    needed = known.bytes(request)
    return MethodChoice(name, reason, needed, None if is_small else known.seconds(request), fits)


def method_bytes(request: RunRequest) -> dict[MethodName, int]:
    """Return what a run needs by each of the methods that can do it, as `MethodChoice` has it."""
    return {
        _named(name): known.bytes(request)
        for name, known in _for_shots(request)
        if known.refuses(request) is None
    }


def bond_bound(request: RunRequest) -> float:
    """Return the logarithm to base 2 of what the bonds of a matrix product state come to, at most, as far as
    qubits stay where they are.
    """
    return float(chains.bonds(request.circuit, request.matrix_product_state).max(initial=0.0))


def choose(request: RunRequest, method: str, most_bytes: int | None) -> Chosen:
    """Return the method for a run. Raises as `choose_method`."""
    if method == "automatic":
        count = min(request.circuit.num_qubits, _SMALL_WIRES + 1)
        if count > _SMALL_WIRES and not request.initial:
            count = num_active(request.circuit)
        return (_small(request) if count <= _SMALL_WIRES else None) or _fastest(request, most_bytes)
    known = _METHODS.get(method)
    if known is None:
        names = ", ".join(["automatic", *_METHODS])
        raise OptionError("method", f"there is no method {method!r}; there are {names}")
    reason = known.refuses(request)
    if reason is not None:
        others = [name for name, other in _for_shots(request) if other.refuses(request) is None]
        advice = f"; {' and '.join(others)} can" if others else ""
        raise CircuitError(f"the method {method} can't do this: {reason}{advice}")
    return Chosen(_named(method), "it was asked for")


def _small(request: RunRequest) -> Chosen | None:
    """Return the state vector of a small circuit without noise: its counts by a seed are promised."""
    if request.ready.is_noisy or request.num_wires > _SMALL_WIRES or refused_by_states(request) is not None:
        return None
    return Chosen("statevector", f"a state vector of {request.num_wires} qubits is small")


def _fastest(request: RunRequest, most_bytes: int | None) -> Chosen:
    limit = most_bytes if most_bytes is not None else _physical_bytes()
    seconds: dict[str, float] = {}
    too_large: dict[str, int] = {}
    refused: dict[str, str] = {}
    clifford = refused_by_stabilizers(request)
    quick = _AT_ONCE if clifford is not None else _seconds_of_stabilizers(request)
    if quick < _AT_ONCE and _bytes_of_stabilizers(request) <= limit:
        return Chosen("stabilizer", f"all gates are Clifford gates, so it takes about {quick:.1g} s")
    if (found := _small(request)) is not None:
        return found
    small = request.num_wires <= _SMALL_WIRES
    for name, known in _for_shots(request):
        reason = clifford if name == "stabilizer" else known.refuses(request)
        least = 0 if reason is not None or known.state is None else known.state(request)
        if reason is not None:
            refused[name] = reason
        elif least > limit:
            refused[name] = f"it needs {_size(least)} of {_size(limit)}"
            too_large[name] = least
        elif not (small and name == "matrix_product_state" and seconds):
            # Of what is little a chain's cost is known too roughly to be compared.
            seconds[name] = known.seconds(request)
    for best in sorted(seconds, key=lambda name: seconds[name]):
        # To know what is needed takes a compilation, so that only those are asked that may be taken.
        needed = _METHODS[best].bytes(request)
        if needed > limit:
            refused[best] = f"it needs {_size(needed)} of {_size(limit)}"
            too_large[best] = needed
            continue
        costs = [f"{name} about {cost:.2g} s" for name, cost in seconds.items() if name not in too_large]
        reason = f"the fastest of {', '.join(costs)}" if len(costs) > 1 else "the only one that can"
        # What isn't asked for is never cut.
        is_worth = seconds[best] > _WORTH_TRYING and request.matrix_product_state is None
        is_worth = is_worth and "matrix_product_state" in seconds and best != "matrix_product_state"
        tried = _TRIED * seconds[best] if is_worth else None
        return Chosen(_named(best), reason + (_listed(refused) if refused else ""), seconds=tried)
    if too_large:
        # One state is not all that a run needs.
        for name in too_large:
            too_large[name] = needed = _METHODS[name].bytes(request)
            refused[name] = f"it needs {_size(needed)} of {_size(limit)}"
        best = (
            "statevector" if "statevector" in too_large else min(too_large, key=lambda name: too_large[name])
        )
        return Chosen(_named(best), f"no method fits{_listed(refused)}", fits=False)
    raise CircuitError(f"no method can run this circuit{_listed(refused)}")


def _for_shots(request: RunRequest) -> list[tuple[str, _Known]]:
    """Return the methods that may be taken unasked: a superoperator is of no use unless it is saved."""
    has_maps = saves_map(request)
    return [(name, known) for name, known in _METHODS.items() if has_maps or name != "superop"]


def _listed(refused: Mapping[str, str]) -> str:
    return f" ({'; '.join(f'{name}: {reason}' for name, reason in refused.items())})"


def _size(count: int) -> str:
    for unit in ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB"):
        if count < 1 << 10:
            return f"{count} {unit}"
        count >>= 10
    return f"2^{count.bit_length() + 59} bytes"


def _named(name: str) -> MethodName:
    match name:
        case "statevector" | "density_matrix" | "stabilizer" | "matrix_product_state" | "superop":
            return name
    raise AssertionError(name)


def _physical_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _seconds_of_states(request: RunRequest) -> float:
    return _costs.of_states(request.work, request.num_wires, request.shots)


def _bytes_of_states(request: RunRequest) -> int:
    return required_bytes(
        request.ready,
        dtype=request.dtype,
        shots=request.shots,
        memory=request.memory,
        statevector=request.statevector,
        initial=request.initial,
        threads=request.threads,
    )


def _seconds_of_density_matrices(request: RunRequest) -> float:
    return _costs.of_density_matrices(request.work, request.num_wires, request.shots)


def _bytes_of_density_matrices(request: RunRequest) -> int:
    return mixed_bytes(
        request.ready,
        request.dtype,
        request.shots,
        memory=request.memory,
        initial=request.initial,
        threads=request.threads,
    )


def _seconds_of_maps(request: RunRequest) -> float:
    return _costs.of_maps(request.work)


def _bytes_of_maps(request: RunRequest) -> int:
    return map_bytes(request.ready, request.dtype)


def _seconds_of_stabilizers(request: RunRequest) -> float:
    return request.of_stabilizers[0]


def _bytes_of_stabilizers(request: RunRequest) -> int:
    kept = 16 * num_words(request.circuit.num_clbits) * request.shots if request.memory else 0
    kept += saved_bytes(request.circuit, request.dtype, request.shots)
    return _LEAST_BYTES + kept + request.of_stabilizers[1]


def _seconds_of_chains(request: RunRequest) -> float:
    return _costs.of_chains(request.work, request.shots, request.matrix_product_state)


def _bytes_of_chains(request: RunRequest) -> int:
    _, size = chains.estimate(request.circuit, request.shots, request.matrix_product_state)
    return chain_bytes(request.ready, size, request.shots, memory=request.memory)


_METHODS: dict[str, _Known] = {
    "statevector": _Known(
        refused_by_states,
        _seconds_of_states,
        _bytes_of_states,
        lambda request: STATEVECTOR.required_bytes(request.num_wires, np.dtype(request.dtype)),
    ),
    "density_matrix": _Known(
        refused_by_density_matrices,
        _seconds_of_density_matrices,
        _bytes_of_density_matrices,
        lambda request: DENSITY_MATRIX.required_bytes(request.num_wires, np.dtype(request.dtype)),
    ),
    "superop": _Known(
        refused_by_maps,
        _seconds_of_maps,
        _bytes_of_maps,
        lambda request: SUPEROP.required_bytes(request.circuit.num_qubits, np.dtype(request.dtype)),
    ),
    "stabilizer": _Known(refused_by_stabilizers, _seconds_of_stabilizers, _bytes_of_stabilizers),
    "matrix_product_state": _Known(refused_by_chains, _seconds_of_chains, _bytes_of_chains),
}
