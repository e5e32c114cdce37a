"""What `import basicaer.client` costs a program that starts."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from benchmarks._report import Figure

ROUNDS = 9


def _seconds(program: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], check=True)
    return time.perf_counter() - start


def measure() -> list[Figure]:
    """Compares a process that imports the client with one that imports nothing."""
    pairs = [(_seconds("pass"), _seconds("import basicaer.client")) for _ in range(ROUNDS)]
    cost = statistics.median(full - empty for empty, full in pairs)
    return [Figure("import basicaer.client", f"{cost:.2f} s", "< 0.3 s", cost < 0.3)]
