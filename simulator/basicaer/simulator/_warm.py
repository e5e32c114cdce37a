"""Has the compiled kernels ready before somebody waits for them."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
from basicaer.simulator._run import run, statevector
from basicaer.simulator.circuit._circuit import Circuit
from basicaer.simulator.circuit._operations import Observable, Save, SaveKind
from basicaer.simulator.methods.stabilizer.kernels import _counts, _frames, _random, _shots, _tableau
from basicaer.simulator.methods.statevector._parts import PARTS, leave_with_parent, shares
from basicaer.simulator.methods.statevector.engine.machine._helpers import default_threads
from basicaer.simulator.methods.statevector.engine.machine._kept import alone, comes_from_others
from basicaer.simulator.stim_text._reader import read_stim
from llvmlite import binding
from numba import config
from numba.core import event

__all__ = ["compile_all", "leave_with_parent", "run_stabilizers", "told_of_compiling", "warm_up"]

# The process that compiles apart has these too: a server may need them for what it does at its start.
for _module in (_counts, _frames, _random, _shots, _tableau):
    for _function in vars(_module).values():
        if hasattr(_function, "py_func"):
            comes_from_others(_function)

_QUBITS = (3, 13)
"""A circuit that takes the short way from columns to amplitudes, and one that is planned in blocks."""


def warm_up(dtype: npt.DTypeLike = np.complex128) -> None:
    """Load the kernels for states of `dtype` from the disk's cache, or compile them, which is slow.

    Compiled code depends on the processor. The first call on a machine takes about half a minute of processor
    time, in up to three processes; it fills the cache beside the package, or in `NUMBA_CACHE_DIR`, and later
    ones take less than a second.
    """
    with _Parts() as parts, told_of_compiling(lambda _: parts.start()):
        statevector(_circuit(_QUBITS[0]), dtype=dtype)
        parts.finish()
        _run_all(dtype)


def compile_all() -> None:
    """Compile what `warm_up` loads, first what a server's first job needs: plans, and what runs them.

    Where another process is at it already, wait for that.
    """
    with alone(), _Parts() as parts:
        parts.start()
        parts.finish_own()
        statevector(_circuit(_QUBITS[0]))
        parts.finish()
        run(_sampled(), shots=2, seed=1)
        for dtype in ("c16", "c8"):
            _run_all(dtype)
        run_stabilizers()


def run_stabilizers() -> None:
    """Run Clifford circuits, with what a shot of its own needs: from one state, and with outcomes on the
    way.
    """
    for branches in (False, True):
        circuit = Circuit(70, 70)
        circuit.append("h", [0])
        for qubit in range(1, 70):
            circuit.append("cx", [qubit - 1, qubit])
        if branches:
            circuit.append("measure", [0], [], [0]).append("reset", [1]).append("h", [0])
        for qubit in range(70):
            circuit.append("measure", [qubit], [], [qubit])
        for shots in (1, 200):
            run(circuit, shots=shots, seed=1, method="stabilizer", memory=branches)
    run(read_stim("X_ERROR(0.5) 0\nM 0\nDETECTOR rec[-1]"), shots=200, seed=1, method="stabilizer")


def _run_all(dtype: npt.DTypeLike) -> None:
    for num_qubits in _QUBITS:
        circuit = _circuit(num_qubits)
        statevector(circuit, dtype=dtype)
        circuit.append("measure", [0], [], [0]).append("h", [0]).append("reset", [1])
        circuit.append("measure", [0], [], [1])
        probabilities = Save("probabilities", SaveKind.PROBABILITIES)
        circuit.append("save", [1], save=probabilities)
        observable = Observable(("I" * num_qubits, "XY" + "Z" * (num_qubits - 2)), (1.0, 1.0))
        values = Save("values", SaveKind.EXPECTATION_VALUES, (observable,))
        circuit.append("save", range(num_qubits), save=values)
        run(circuit, shots=2, seed=1, dtype=dtype, statevector=True)
    run(_sampled(), shots=2, seed=1, dtype=dtype)


def _sampled() -> Circuit:
    """Return a circuit that is measured at its end alone."""
    return _circuit(_QUBITS[1]).append("measure", [0], [], [0])


def _circuit(num_qubits: int) -> Circuit:
    """Return some of each kind of gate."""
    circuit = Circuit(num_qubits, 2)
    for qubit in range(num_qubits):
        circuit.append("rx", [qubit], [0.1 * qubit])
    return circuit.append("cx", [0, num_qubits - 1]).append("rzz", [0, 1], [0.3]).append("ccx", [0, 1, 2])


class _Parts:
    """The large parts of the engine, each compiled by a process of its own while this one does the rest.

    What they do is found in the disk's cache; what they fail to do is done here, later. Leaving the context
    ends them, and collects what compiling has left.
    """

    def __init__(self) -> None:
        self._processes: list[subprocess.Popen[bytes]] = []
        self._own: list[str] = []
        self._collects = False

    def start(self) -> None:
        """Begins, with a process for each other processor; `finish` does what is left for this one."""
        *others, self._own = shares(default_threads())
        for its in others:
            if its:
                command = [sys.executable, "-m", "basicaer.simulator.methods.statevector._parts"]
                command += [str(os.getpid()), *its]
                null = subprocess.DEVNULL
                self._processes.append(subprocess.Popen(command, stdin=null, stdout=null, stderr=null))
        # The collector would look through all that a compiler makes, again and again.
        self._collects = gc.isenabled()
        gc.disable()

    def finish_own(self) -> None:
        """Has those parts compiled that no process does."""
        while self._own:
            PARTS[self._own.pop(0)]()

    def finish(self) -> None:
        """Has all parts compiled."""
        self.finish_own()
        for process in self._processes:
            process.wait()

    def __enter__(self) -> _Parts:
        return self

    def __exit__(self, *error: object) -> None:
        for process in self._processes:
            process.kill()
            process.wait()
        if self._collects:
            gc.enable()
            gc.collect()


@contextmanager
def told_of_compiling(tell: Callable[[str], None] | None) -> Iterator[None]:
    """Within it, `tell` is called before the first kernel is compiled rather than loaded, once, with the name
    of the processor that it is compiled for.
    """
    if tell is None:
        yield
        return
    listener = _First(tell)
    event.register("numba:compile", listener)
    try:
        yield
    finally:
        event.unregister("numba:compile", listener)


class _First(event.Listener):
    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell: Callable[[str], None] | None = tell

    def on_start(self, event: Any) -> None:
        tell, self._tell = self._tell, None
        if tell is not None:
            tell(config.CPU_NAME or binding.get_host_cpu_name())

    def on_end(self, event: Any) -> None:
        """Return what numba asks a listener to have."""
