"""Processes that compile kernels end with whoever started them, however that ended."""

from __future__ import annotations

import subprocess
import sys

import psutil

# It starts a process that would sleep for long, says its number, and is killed meanwhile.
_PARENT = """
import subprocess, sys, time
child = (
    "from basicaer.simulator.methods.statevector import _parts; import time;"
    " _parts.leave_with_parent(); print('ready', flush=True); time.sleep(1000)"
)
process = subprocess.Popen([sys.executable, "-c", child], stdout=subprocess.PIPE)
process.stdout.readline()
print(process.pid, flush=True)
time.sleep(1000)
"""


def test_they_end_with_a_parent_that_was_killed() -> None:
    parent = subprocess.Popen([sys.executable, "-c", _PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    assert child.is_running()
    parent.kill()
    parent.wait()
    parent.stdout.close()
    child.wait(60)
