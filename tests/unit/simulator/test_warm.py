"""Who waits for kernels to be compiled is told so, and nobody else is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import basicaer.simulator as sim
from basicaer.simulator.engine._jit import compiled

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


def _told(folder: Path) -> str:
    program = folder / "program.py"
    program.write_text(PROGRAM)
    environment = {"NUMBA_CACHE_DIR": str(folder / "cache")}
    done = subprocess.run(
        [sys.executable, program], env=environment, capture_output=True, text=True, timeout=100, check=True
    )
    return done.stdout


def test_compiling_is_told_once_and_loading_never(tmp_path: Path) -> None:
    assert _told(tmp_path) == "1 True\n"
    assert _told(tmp_path) == "0 True\n"
