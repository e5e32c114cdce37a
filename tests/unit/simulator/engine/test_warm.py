"""Who waits for kernels to be compiled is told so, and nobody else is."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from basicaer.simulator import warm_up
from basicaer.simulator.methods.statevector._parts import PARTS, shares
from basicaer.simulator.methods.statevector.engine._readout import draw
from basicaer.simulator.methods.statevector.engine.blocks._executor import execute
from basicaer.simulator.methods.statevector.engine.planning._compile import lower_columns
from basicaer.simulator.methods.statevector.engine.planning._planner import plan

PROGRAM = """
import basicaer.simulator as sim
from basicaer.simulator.methods.statevector.engine.machine._jit import compiled

@compiled
def twice(number):
    return 2 * number

told = []
with sim.told_of_compiling(told.append):
    twice(1)
    twice(1.0)
twice(1j)
print(len(told), all(told))
"""


def _prepared(folder: Path, source: str) -> tuple[Path, dict[str, str]]:
    """A program, and an environment with a cache of its own."""
    program = folder / "program.py"
    program.write_text(source)
    return program, {"NUMBA_CACHE_DIR": str(folder / "cache")}


def _printed(folder: Path, source: str, *arguments: str) -> str:
    program, environment = _prepared(folder, source)
    command = [sys.executable, str(program), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100, check=True)
    return done.stdout


def test_compiling_is_told_once_and_loading_never(tmp_path: Path) -> None:
    assert _printed(tmp_path, PROGRAM) == "1 True\n"
    assert _printed(tmp_path, PROGRAM) == "0 True\n"


@pytest.mark.parametrize(
    ("part", "function", "kinds"),
    [("lowering", lower_columns, 1), ("planner", plan, 1), ("blocks", execute, 2), ("readout", draw, 2)],
)
def test_what_helpers_compile_is_what_is_needed(part: str, function: Any, kinds: int) -> None:
    """With other types of arguments they would compile code that nobody calls, besides what all need."""
    for dtype in ("c16", "c8"):
        warm_up(dtype)
    PARTS[part]()
    assert len(function.overloads) == kinds
    assert len(function._cache._cache_file._load_index()) == kinds


@pytest.mark.parametrize("workers", range(1, 7))
def test_parts_are_shared_out(workers: int) -> None:
    its = shares(workers)
    assert len(its) == workers
    assert sorted(part for each in its for part in each) == sorted(PARTS)
    # The two longest are never one's, where there is another.
    assert workers == 1 or not any({"planner", "lowering"} <= {*each} for each in its)


SAVE = """
import sys
from basicaer.simulator.methods.statevector.engine.machine._jit import compiled

@compiled
def twice(number):
    return number + number

for kind in sys.argv[1].split():
    twice({"i": 1, "f": 1.5, "c": 2j, "b": True}[kind])
print(len(twice.stats.cache_hits), twice(1), twice(1.5), twice(2j), twice(True))
"""


def test_processes_that_compile_the_same_at_once_save_it_in_order(tmp_path: Path) -> None:
    orders = ("i f c b", "f c b i", "c b i f", "b i f c")
    program, environment = _prepared(tmp_path, SAVE)
    running = [subprocess.Popen([sys.executable, program, order], env=environment) for order in orders]
    assert [process.wait(100) for process in running] == [0] * len(orders)
    assert _printed(tmp_path, SAVE, orders[0]) == "4 2 3.0 4j 2\n"


def _flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
@pytest.mark.parametrize(
    "damage", [lambda data: b"", lambda data: data[:-40], _flipped], ids=["empty", "cut", "bit"]
)
def test_a_damaged_kernel_is_compiled_again(
    tmp_path: Path, damage: Callable[[bytes], bytes], suffix: str
) -> None:
    def hits() -> int:
        count, *values = _printed(tmp_path, SAVE, "i f").split()
        assert values == ["2", "3.0", "4j", "2"]
        return int(count)

    assert hits() == 0
    files = [*(tmp_path / "cache").rglob(f"*twice*{suffix}")]
    assert files
    for file in files:
        file.write_bytes(damage(file.read_bytes()))
    assert hits() == 0
    assert hits() == 2
