"""Processes that compile kernels end with whoever started them, however that ended."""

from __future__ import annotations

import subprocess
import sys

import psutil
import pytest

# It starts a process that would sleep for long, says its number, and is killed meanwhile.
_PARENT = """
import os, subprocess, sys, time
child = (
    "from basicaer.simulator.methods.statevector import _parts; import sys, time;"
    " _parts.leave_with_parent(int(sys.argv[1])); print('ready', flush=True); time.sleep(1000)"
)
process = subprocess.Popen([sys.executable, "-c", child, str(os.getpid())], stdout=subprocess.PIPE)
if sys.argv[1] == "later":
    process.stdout.readline()
print(process.pid, flush=True)
time.sleep(1000)
"""


@pytest.mark.parametrize("when", ["at once", "later"])
def test_they_end_with_a_parent_that_was_killed(when: str) -> None:
    command = [sys.executable, "-c", _PARENT, when]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    assert child.is_running()
    parent.kill()
    parent.wait()
    parent.stdout.close()
    child.wait(60)
