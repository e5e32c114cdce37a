"""What the benchmark asks of a program, whatever its interface."""

from __future__ import annotations

import abc
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from typing import Any, ClassVar, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from benchmarks.peers._families import Circuit

Job: TypeAlias = Callable[[], Any]
"""What is timed: runs a built native circuit, and returns whatever holds the result."""

SMALL = 14
"""Up to this many qubits one thread may beat several, so both are tried."""


class UnsupportedError(Exception):
    """The program cannot do what is asked; its text says why and is printed in the report."""


class Setting(NamedTuple):
    """How a program is run. The best one for a circuit is found by trying all that its adapter names.

    `fusion` is the number of qubits up to which gates are fused before the run (0: the circuit as built, or
    the library's own choice); `threads` is the number of threads.
    """

    fusion: int
    threads: int

    def __str__(self) -> str:
        fusion = f"fusion {self.fusion}" if self.fusion else "as built"
        return f"{fusion}, {self.threads} thread{'s' if self.threads > 1 else ''}"


@dataclass(frozen=True)
class Dynamic:
    """The repetition code on a ring: `data` data qubits, then as many that measure parities of neighbours.

    Each round, each data qubit gets rx(`angle`), which is what errs; each parity is measured and its qubit
    reset; and a data qubit both of whose parities alone are odd gets an x. Bit i of the outcome is the last
    round's parity of data qubits i and i + 1. With `tuned` a program may leave its defaults.
    """

    data: int
    rounds: int
    shots: int
    angle: float
    tuned: bool = True


class Adapter(abc.ABC):
    """One program. A worker has one adapter for its life, and times the jobs that it makes."""

    package: ClassVar[str]
    """The distribution whose version is reported."""
    precisions: ClassVar[tuple[str, ...]] = ("double", "single")
    fusions: ClassVar[tuple[int, ...]] = (0,)
    """The widths of fusion that are worth trying."""
    note: ClassVar[str] = ""
    """What a reader must know about the level at which the program is called."""

    def __init__(self, precision: str, threads: int) -> None:
        if precision not in self.precisions:
            raise UnsupportedError(f"no {precision} precision")
        self.precision = precision
        self.threads = threads
        self.set_up()

    @property
    def version(self) -> str:
        """The installed version."""
        return metadata.version(self.package)

    @property
    def dtype(self) -> npt.DTypeLike:
        """The numpy type of an amplitude."""
        return np.complex128 if self.precision == "double" else np.complex64

    def settings(self, num_qubits: int) -> list[Setting]:
        """Return the settings that may be the fastest for a circuit of `num_qubits` qubits."""
        counts = {1, self.threads} if num_qubits <= SMALL else {self.threads}
        return [
            Setting(fusion, threads)
            for threads in sorted(counts, reverse=True)
            for fusion in self.fusions
            if fusion <= num_qubits
        ]

    @abc.abstractmethod
    def set_up(self) -> None:
        """Import the library."""

    @abc.abstractmethod
    def job(self, circuit: Circuit, setting: Setting) -> Job:
        """Build `circuit` natively; the job goes from there to a state vector that is held in memory."""

    @abc.abstractmethod
    def amplitudes(self, state: Any) -> npt.NDArray[np.complexfloating[Any, Any]]:
        """Return what a job returned, as an array of 2^n amplitudes with qubit 0 as the least significant
        bit.
        """

    def sampling_job(self, circuit: Circuit, shots: int) -> Job:
        """Return a job that measures all qubits `shots` times after `circuit`. Returns whatever holds the
        counts.
        """
        raise UnsupportedError("not measured")

    def dynamic_job(self, program: Dynamic) -> Job:
        """Return a job that runs the repetition code `program`. Returns whatever holds the counts."""
        raise UnsupportedError("not measured")
