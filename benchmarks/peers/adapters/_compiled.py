"""BasicAer's simulator given a circuit that was planned beforehand, as peers' are built and fused."""

from __future__ import annotations

from typing import Any, ClassVar

from benchmarks.peers._families import Circuit
from benchmarks.peers.adapters._base import Job, Setting
from benchmarks.peers.adapters._basicaer import BasicAer


class Compiled(BasicAer):
    """Differs from `BasicAer` by what validation and planning take."""

    note: ClassVar[str] = "basicaer, validated and planned outside of the timer"

    def job(self, circuit: Circuit, setting: Setting) -> Job:
        ready: Any = self.simulator.CompiledCircuit(self.packed(circuit))
        statevector, dtype, threads = self.simulator.statevector, self.dtype, setting.threads
        statevector(ready, dtype=dtype, threads=threads)  # it plans at the first run
        return lambda: statevector(ready, dtype=dtype, threads=threads)


ADAPTER = Compiled
