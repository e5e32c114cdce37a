"""Code for AArch64 is made of what was compiled here, and checked as far as it can be without running."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.wheel.cross import CrossError, needed

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="code is made so on x86-64 alone")

PROGRAM = """
import numpy as np
from basicaer.simulator.methods.statevector.engine.machine import _simd
from basicaer.simulator.methods.statevector.engine.machine._atomics import fetch_add
from basicaer.simulator.methods.statevector.engine.machine._borrowed import inlined
from basicaer.simulator.methods.statevector.engine.machine._linking import linked
from deploy.wheel.cross import CrossError, for_aarch64, needed, remember
from numba import njit

remember()

def made(function, *args):
    dispatcher = linked(njit(nogil=True, error_model="numpy")(function))
    dispatcher(*args)
    (found,) = dispatcher.overloads.values()
    return found

@inlined
def scaled(x):
    return 3.0 * np.cos(x)

def some_work(numbers, counters):
    vector = _simd.load(numbers, 0)
    _simd.store(numbers, 0, _simd.fma(vector, _simd.splat(scaled(numbers[1])), vector))
    rest = np.zeros(int(fetch_add(counters, 0, 1)) + 2)
    return numbers.sum() + len(rest)

def flushing():
    _simd.restore_denormals(_simd.flush_denormals())

found = made(some_work, np.arange(8.0), np.zeros(1, np.int64))
(name, kind, (code, names)), *rest = for_aarch64(found)
print(kind, (name, kind) == found._reduce()[0][:2], rest[0] is found._reduce()[1])
print(int.from_bytes(code[18:20], "little"), "cos" in needed(code), b"aarch64" in names)
try:
    for_aarch64(made(flushing))
except CrossError as error:
    print(error)
"""


def test_code_for_aarch64_is_that_and_calls_what_numba_provides() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=200,
        check=True,
    )
    kept, code, refused = done.stdout.splitlines()
    assert kept == "object True True"
    # The machine in an ELF file's header.
    assert code == "183 True True"
    assert refused == "flushing has @llvm.x86.sse.stmxcsr, which AArch64 hasn't"


def test_a_file_for_another_processor_is_refused() -> None:
    with pytest.raises(CrossError, match="no 64-bit object file"):
        needed(Path(sys.executable).read_bytes()[:64])
