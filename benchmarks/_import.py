"""What `import basicaer.client` costs a program that starts."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time

from benchmarks._report import Figure

ROUNDS = 9


# pip compiles what it installs; a process that may not write bytecode would compile at each start instead.
_ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _seconds(program: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], check=True, env=_ENVIRONMENT)
    return time.perf_counter() - start


def measure() -> list[Figure]:
    """Compare a process that imports the client with one that imports nothing."""
    pairs = [(_seconds("pass"), _seconds("import basicaer.client")) for _ in range(ROUNDS)]
    cost = statistics.median(full - empty for empty, full in pairs)
    return [Figure("import basicaer.client", f"{cost:.2f} s", "< 0.3 s", cost < 0.3)]
