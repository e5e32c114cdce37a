"""Has the compiled kernels ready before somebody waits for them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
from basicaer.simulator._circuit import Circuit
from basicaer.simulator._operations import Observable, Save, SaveKind
from basicaer.simulator._run import run, statevector
from basicaer.simulator.engine._run import default_threads
from llvmlite import binding
from numba import config
from numba.core import event

_QUBITS = (3, 13)
"""A circuit that takes the short way from columns to amplitudes, and one that is planned in blocks."""


def warm_up(dtype: npt.DTypeLike = np.complex128) -> None:
    """Load the kernels for states of `dtype` from the disk's cache, or compile them, which is slow.

    Compiled code depends on the processor. The first call on a machine takes about a minute of processor
    time, in up to three processes; it fills the cache beside the package, or in `NUMBA_CACHE_DIR`, and later
    ones take less than a second.
    """
    with _Helpers() as helpers, told_of_compiling(lambda _: helpers.start()):
        statevector(_circuit(_QUBITS[0]), dtype=dtype)
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


def _circuit(num_qubits: int) -> Circuit:
    """Some of each kind of gate."""
    circuit = Circuit(num_qubits, 2)
    for qubit in range(num_qubits):
        circuit.append("rx", [qubit], [0.1 * qubit])
    return circuit.append("cx", [0, num_qubits - 1]).append("rzz", [0, 1], [0.3]).append("ccx", [0, 1, 2])


class _Helpers:
    """Processes that compile parts of the planner while this one compiles something else.

    What they do is found in the disk's cache; what they fail to do is done here, later. Leaving the context
    waits for them, or ends them on the way of an exception.
    """

    def __init__(self) -> None:
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Begins, where there is more than one processor to do it."""
        if default_threads() > 1:
            command = [sys.executable, "-m", "basicaer.simulator.engine._parts"]
            self._processes = [
                subprocess.Popen(
                    [*command, part],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
                for part in ("fusion", "stages")
            ]

    def __enter__(self) -> _Helpers:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        for process in self._processes:
            if kind is not None:
                process.kill()
            process.wait()


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


class _First(event.Listener):  # type: ignore[misc]  # numba has no types
    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell: Callable[[str], None] | None = tell

    def on_start(self, event: Any) -> None:
        tell, self._tell = self._tell, None
        if tell is not None:
            tell(config.CPU_NAME or binding.get_host_cpu_name())

    def on_end(self, event: Any) -> None:
        """What numba asks a listener to have."""
