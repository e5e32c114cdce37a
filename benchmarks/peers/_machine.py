"""What this machine can do at most: multiply-adds in registers, and reading and writing memory in place."""

from __future__ import annotations

import functools
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from basicaer.simulator.methods.statevector.engine.machine._jit import compiled, intrinsic
from llvmlite import binding, ir
from numba.core import cgutils, types

# Eight chains hide a latency of four cycles on two units; ten leave room for operands among 16 registers.
_CHAINS = 10
_WIDTH = 8 if binding.get_host_cpu_features().get("avx512f") else 4
_BURST = 20_000_000
_ROUNDS = 5
BYTES = 2**30
"""The size of the array, as large as a state of 26 qubits, so that no cache holds it."""


@dataclass(frozen=True)
class Limits:
    """Medians and best of several rounds, on one thread and on all.

    FLOP/s in double precision count a fused multiply-add as two; bytes/s count reading and writing. The first
    number is one thread's, the second all threads' together.
    """

    threads: int
    flops: tuple[float, float]
    bandwidth: tuple[float, float]

    def seconds(self, flops: float, moved: float) -> float:
        """Return the shortest time for work of `flops` that moves `moved` bytes, on all threads."""
        return max(flops / self.flops[1], moved / self.bandwidth[1])


@intrinsic()
def _chains(_: Any, loops: Any, factor: Any) -> Any:
    """`loops` fused multiply-adds on each of `_CHAINS` vectors; returns one lane of each, added."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        vector = ir.VectorType(ir.DoubleType(), _WIDTH)
        count, scalar = arguments
        name = f"llvm.fma.v{_WIDTH}f64"
        fma = cgutils.get_or_insert_function(builder.module, ir.FunctionType(vector, [vector] * 3), name)
        splat = ir.Constant(vector, ir.Undefined)
        for lane in range(_WIDTH):
            splat = builder.insert_element(splat, scalar, ir.Constant(ir.IntType(32), lane))
        slots = [cgutils.alloca_once(builder, vector) for _ in range(_CHAINS)]
        for number, slot in enumerate(slots):
            builder.store(builder.fadd(splat, ir.Constant(vector, [float(number)] * _WIDTH)), slot)
        with cgutils.for_range(builder, count):
            for slot in slots:
                builder.store(builder.call(fma, [builder.load(slot), splat, splat]), slot)
        total = ir.Constant(ir.DoubleType(), 0.0)
        for slot in slots:
            lane = builder.extract_element(builder.load(slot), ir.Constant(ir.IntType(32), 0))
            total = builder.fadd(total, lane)
        return total

    return types.float64(types.int64, types.float64), generate


@compiled
def _burst(loops: int, factor: float) -> float:
    total: float = _chains(loops, factor)
    return total


@compiled
def _negate(values: Any) -> None:
    for index in range(values.size):
        values[index] = -values[index]


def limits(threads: int) -> Limits:
    """Measure, in about 3 s."""
    _burst(1, 0.5)
    _negate(np.zeros(8))
    array = np.ones(BYTES // 8)
    parts = np.array_split(array, threads)
    work = 2.0 * _BURST * _CHAINS * _WIDTH
    rates: dict[str, list[float]] = {"flop": [], "flops": [], "byte": [], "bytes": []}
    for _ in range(_ROUNDS):
        rates["flop"].append(work / _together([lambda: _burst(_BURST, 0.5)]))
        rates["flops"].append(threads * work / _together([lambda: _burst(_BURST, 0.5)] * threads))
        rates["byte"].append(2 * parts[0].nbytes / _together([lambda: _negate(parts[0])]))
        calls: list[Callable[[], object]] = [functools.partial(_negate, part) for part in parts]
        rates["bytes"].append(2 * array.nbytes / _together(calls))
    middle = {name: statistics.median(values) for name, values in rates.items()}
    return Limits(threads, (middle["flop"], middle["flops"]), (middle["byte"], middle["bytes"]))


def _together(calls: list[Callable[[], object]]) -> float:
    """Return the seconds until all `calls`, each in a thread of its own, have ended."""
    threads = [threading.Thread(target=call) for call in calls]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - start
