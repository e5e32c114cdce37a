"""The plain way: what kernels that aren't compiled yet do, by Python, where that takes a moment.

The results are the compiled kernels' to the last bit (`_interpreted` says why), so that nothing but the time
tells which of them ran. Each kernel has an estimate here; one without waits for its code always, as do states
of more than one block, which threads share.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from basicaer.simulator.methods.statevector._interpreted import interpreted, is_exact
from basicaer.simulator.methods.statevector.engine import _expectation as expectation
from basicaer.simulator.methods.statevector.engine import _readout as readout
from basicaer.simulator.methods.statevector.engine.blocks._executor import execute
from basicaer.simulator.methods.statevector.engine.columns import spans, steps
from basicaer.simulator.methods.statevector.engine.machine._kept import comes_from_others
from basicaer.simulator.methods.statevector.engine.planning._compile import lower_columns
from basicaer.simulator.methods.statevector.engine.planning._planner import plan

__all__ = ["interpretable", "plain"]

_MOST_SECONDS = 1.0
"""What Python may take for a call that would have to wait for its kernel."""

# Seconds, as measured on a Xeon (Sapphire Rapids), upwards.
_INSTRUCTION, _OPERATION, _ENTRY = 0.8e-3, 0.7e-3, 3e-6
_ROW, _VECTOR, _PRODUCT = 0.5e-3, 150e-6, 30e-6
_AMPLITUDE = 4e-6


def plain(kernel: Any, args: tuple[Any, ...]) -> Callable[..., Any] | None:
    """Return what computes a call of `kernel` in Python, with these arguments; None where that would take
    long, or may round in another way.
    """
    function = kernel.py_func
    estimate = _ESTIMATES.get(function) or _OF_INTEGERS.get(function)
    if estimate is None or (function in _ESTIMATES and not is_exact()) or estimate(*args) > _MOST_SECONDS:
        return None
    return interpreted(kernel)


def _of_lowering(table: Any, pool: Any, columns: Any, span: Any, *others: Any) -> float:
    entries = len(pool) if span[spans.STOP] > span[spans.START] else 0
    return _INSTRUCTION * float(span[spans.STOP] - span[spans.START]) + _ENTRY * entries


def _of_planning(ops: Any, mats: Any, operands: Any, count: int, *others: Any) -> float:
    return _OPERATION * count


def _of_running(
    state: Any, initial: complex, fresh: bool, plan: Any, v: int, block: Any, *others: Any
) -> float:
    if len(state) > 2 * len(block[0]):
        return np.inf
    rows = plan.rows
    vectors = 2.0 ** (rows[:, steps.SIZE] - v)
    each = np.where(rows[:, steps.OP] == steps.ANY, _PRODUCT * 2.0 ** rows[:, steps.P0], _VECTOR)
    moved = len(plan.stages) * (len(state) >> v)
    return _ROW * (len(rows) + len(plan.stages)) + float(vectors @ each) + _VECTOR / 10 * moved


def _of_sum(state: Any, start: int, stop: int, *others: Any) -> float:
    return _AMPLITUDE * (stop - start)


def _of_drawing(
    state: Any, start: int, stop: int, before: float, points: Any, first: int, last: int, *others: Any
) -> float:
    return _AMPLITUDE * (stop - start + last - first)


def _of_weights(state: Any, qubits: Any, low: int, high: int, *others: Any) -> float:
    return _AMPLITUDE * (high - low) * (1 + len(qubits))


def _of_collapse(state: Any, mask: int, value: int, factor: float, low: int, high: int) -> float:
    return _AMPLITUDE * (high - low)


def _of_flip(state: Any, qubit: int, low: int, high: int) -> float:
    return _AMPLITUDE * (high - low)


def _of_probabilities(state: Any, lower: Any, upper: Any, low: int, high: int, *others: Any) -> float:
    return _AMPLITUDE * (high - low)


def _of_expectations(
    state: Any, groups: Any, products: Any, weights: Any, low: int, high: int, *others: Any
) -> float:
    transforms = len(groups) * 12 + len(products)
    return _AMPLITUDE * (high - low) * transforms


def interpretable(kernel: Any, estimate: Callable[..., float]) -> None:
    """Let a kernel of another package, of integers alone, go the plain way, where `estimate`, called with its
    arguments, gives few seconds. The process that compiles kernels has to compile it too.
    """
    if hasattr(kernel, "py_func"):
        comes_from_others(kernel)
        _OF_INTEGERS[kernel.py_func] = estimate


_OF_INTEGERS: dict[Any, Callable[..., float]] = {}


_ESTIMATES: dict[Any, Callable[..., float]] = {
    kernel.py_func: estimate
    for kernel, estimate in (
        (lower_columns, _of_lowering),
        (plan, _of_planning),
        (execute, _of_running),
        (readout.sum_of_squares, _of_sum),
        (readout.draw, _of_drawing),
        (readout.add_weights, _of_weights),
        (readout.collapse, _of_collapse),
        (readout.flip, _of_flip),
        (expectation.add_probabilities, _of_probabilities),
        (expectation.add_expectation_values, _of_expectations),
    )
    # Without a compiler, as NUMBA_DISABLE_JIT has it, they are functions already.
    if hasattr(kernel, "py_func")
}
