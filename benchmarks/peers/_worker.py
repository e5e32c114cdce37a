"""The process in which one program lives: it reads commands as JSON lines and answers each with one.

It runs under the interpreter of the program's own virtual environment, so it imports nothing that the leader
alone has. What a library prints goes to stderr; the answers have a pipe of their own.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers import _families
from benchmarks.peers.adapters import Adapter, Dynamic, Job, Setting, UnsupportedError, load

Command = dict[str, Any]


class Worker:
    """Answers commands with one adapter and the job that was built last."""

    def __init__(self, name: str, precision: str, threads: int) -> None:
        self.adapter: Adapter = load(name, precision, threads)
        self._job: Job | None = None

    def hello(self, _: Command) -> Command:
        """Return the program's version and note."""
        return {"version": self.adapter.version, "note": self.adapter.note}

    def settings(self, command: Command) -> Command:
        """Return the settings worth trying at a size."""
        return {"settings": self.adapter.settings(command["qubits"])}

    def build(self, command: Command) -> Command:
        """Build a circuit natively, in place of the one before."""
        self._job = None
        circuit = self._circuit(command)
        start = time.perf_counter()
        self._job = self.adapter.job(circuit, Setting(*command["setting"]))
        return {"seconds": time.perf_counter() - start}

    def build_sampling(self, command: Command) -> Command:
        """Build a circuit that all qubits' measurements follow."""
        self._job = self.adapter.sampling_job(self._circuit(command), command["shots"])
        return {}

    def build_dynamic(self, command: Command) -> Command:
        """Build the repetition code."""
        self._job = self.adapter.dynamic_job(Dynamic(**command["program"]))
        return {}

    def time(self, command: Command) -> Command:
        """Run the job `loops` times; give one's mean seconds, and those of processor time on all threads."""
        job, start = self._ready(), time.process_time()
        wall = _seconds(job, command["loops"])
        return {"wall": wall, "processor": (time.process_time() - start) / command["loops"]}

    def side_by_side(self, command: Command) -> Command:
        """Run the job alone, and two of it at once in two threads of this process; give both times."""
        job = self._ready()
        job()
        alone = _seconds(job, command["loops"])
        pair = [threading.Thread(target=_seconds, args=(job, command["loops"])) for _ in range(2)]
        start = time.perf_counter()
        for thread in pair:
            thread.start()
        for thread in pair:
            thread.join()
        return {"alone": alone, "pair": (time.perf_counter() - start) / command["loops"]}

    def save(self, command: Command) -> Command:
        """Run the job once, and save its amplitudes as a file of numpy's."""
        state = self._ready()()
        np.save(command["path"], self.adapter.amplitudes(state).astype(np.complex128))
        return {}

    def peak(self, _: Command) -> Command:
        """Run the job once; give the peak of resident memory before and after, in bytes."""
        gc.collect()
        # 5 resets the peak to what is resident now (proc(5)).
        Path("/proc/self/clear_refs").write_text("5")
        before = _peak_resident()
        state = self._ready()()
        after = _peak_resident()
        del state
        return {"before": before, "after": after}

    def _ready(self) -> Job:
        if self._job is None:
            raise UnsupportedError("nothing was built")
        return self._job

    @staticmethod
    def _circuit(command: Command) -> _families.Circuit:
        return _families.circuit(
            command["family"], command["qubits"], scrambled=command.get("scrambled", False)
        )


def _seconds(job: Job, loops: int) -> float:
    start = time.perf_counter()
    for _ in range(loops):
        job()
    return (time.perf_counter() - start) / loops


def _peak_resident() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main(name: str, precision: str, threads: str) -> None:
    """Serve commands until stdin ends."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    worker: Worker | None = None
    for line in sys.stdin:
        command = json.loads(line)
        try:
            if worker is None:
                worker = Worker(name, precision, int(threads))
            handler: Callable[[Command], Command] = getattr(worker, command["do"])
            answer = handler(command)
        except Exception as error:  # whatever a peer raises is a result, which the report names
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
