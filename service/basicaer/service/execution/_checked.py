"""A job of `ThreadExecutor` that was checked: its programs, what they cost, and how they are run."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace

from basicaer.service.execution._interface import ExecutionControl, PreparedJob
from basicaer.service.execution._progress import Control, Share
from basicaer.service.execution.backends import Backend
from basicaer.service.execution.options import Settings
from basicaer.service.execution.preparing.need import advice
from basicaer.service.execution.preparing.programs import Cost
from basicaer.service.execution.preparing.runs import ProgramRun
from basicaer.service.execution.preparing.spreading import Programs, spread_advice
from basicaer.service.parsing import MOST_DIAGNOSTICS
from basicaer.v1.diagnostic_pb2 import Diagnostic

__all__ = ["CheckedJob", "new_seed", "with_seed"]

_SEED_BITS = 63


@dataclass(frozen=True, slots=True, eq=False)
class CheckedJob:
    """A job that was checked."""

    backend: Backend
    settings: Settings
    runs: Sequence[ProgramRun]
    costs: Sequence[Cost]
    shares: Sequence[Share]
    nodes: int
    required_bytes: int
    result_bytes: int
    size_bytes: int
    quick: bool
    # Of the settings, what its memory depends on.
    max_inline_bytes: int
    max_nodes: int

    @property
    def num_programs(self) -> int:
        return len(self.runs)

    @property
    def warnings(self) -> Sequence[Diagnostic]:
        told: list[Diagnostic] = []
        for index, run in enumerate(self.runs):
            for warning in run.program.warnings[: MOST_DIAGNOSTICS - len(told)]:
                # The program is kept for other jobs too.
                its = Diagnostic(program_index=index)
                its.MergeFrom(warning)
                told.append(its)
        return told

    @property
    def shots(self) -> int:
        return self.settings.shots

    @property
    def max_run_time(self) -> float | None:
        return self.settings.max_run_time

    def memory_advice(self, available: int) -> str:
        its = (self.runs, self.costs, self.backend, self.settings)
        job = Programs(*its, self.size_bytes, self.max_inline_bytes)
        return advice(*its, self.required_bytes, available) + spread_advice(job, self.max_nodes, available)

    def new_control(self) -> ExecutionControl:
        return Control(self.shares)


def new_seed() -> int:
    """Return a seed for a job that has none."""
    return secrets.randbits(_SEED_BITS)


def with_seed(prepared: PreparedJob) -> PreparedJob:
    """Return a job of `ThreadExecutor` with a seed, as those need it who run it together."""
    if not isinstance(prepared, CheckedJob):
        raise TypeError("a job of this executor's is needed")
    if prepared.settings.seed is not None:
        return prepared
    return replace(prepared, settings=replace(prepared.settings, seed=new_seed()))
