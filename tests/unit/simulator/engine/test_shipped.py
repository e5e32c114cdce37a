"""Kernels that come with the package are read, and none of other sources or for other processors."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from basicaer.simulator.methods.statevector.engine.machine._kept import TARGETS
from llvmlite import binding

PROGRAM = """
import sys
from pathlib import Path
from basicaer.simulator.methods.statevector.engine.machine import _kept
from basicaer.simulator.methods.statevector.engine.machine._jit import compiled

_kept._shipped_in = Path(sys.argv[1])
_kept.host_target.cache_clear()

@compiled
def twice(number):
    return number + number  # CHANGE

print(twice(1), twice(0.5), len(twice.stats.cache_hits), _kept.host_target())
for target in sys.argv[2:]:
    print(_kept.ship(_kept._shipped_in, target))
"""

HAS = binding.get_host_cpu_features()
OURS = [name for name, needed in TARGETS.items() if all(HAS.get(one) for one in needed)]
pytestmark = pytest.mark.skipif(not OURS, reason="code comes with the package for x86-64-v3 and newer")


def _run(folder: Path, *targets: str, change: str = "", **environment: str) -> str:
    program = folder / "program.py"
    program.write_text(PROGRAM.replace("CHANGE", change))
    cache = folder / f"cache-{len(list(folder.iterdir()))}"
    done = subprocess.run(
        [sys.executable, program, folder / "kernels", *targets],
        env={"NUMBA_CACHE_DIR": str(cache), **environment},
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    return done.stdout


def test_what_was_shipped_is_read_by_the_best_processor_that_it_came_for(tmp_path: Path) -> None:
    worst = OURS[-1]
    assert _run(tmp_path, worst) == "2 1.0 0 \n2\n"
    assert _run(tmp_path) == f"2 1.0 2 {worst}\n"
    assert _run(tmp_path, OURS[0], NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="").startswith("2 1.0 0 \n2")
    assert _run(tmp_path) == f"2 1.0 2 {OURS[0]}\n"


def test_what_was_shipped_of_other_sources_is_compiled_again(tmp_path: Path) -> None:
    _run(tmp_path, OURS[0])
    assert _run(tmp_path, change="of another version") == f"2 1.0 0 {OURS[0]}\n"
