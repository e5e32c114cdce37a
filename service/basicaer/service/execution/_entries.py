"""Runs what gives one entry of a result: a program, a row of its inputs, or all rows of an estimation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from basicaer import simulator as sim
from basicaer.service.execution._preparation import EXPECTATION_VALUES
from basicaer.service.execution._progress import Control
from basicaer.service.execution._runs import Estimation, ProgramRun
from basicaer.service.execution.backends import Task
from basicaer.service.execution.options import Settings
from basicaer.service.execution.results import LargeArrays, add_counts
from basicaer.v1 import result_pb2

__all__ = ["EntryContext", "RowError", "estimate", "run_row"]

# Streams of an entry: the simulator has the first ones for the entry itself, then come the noise and the
# rows.
_NOISE_STREAM = 3
_ROW_STREAMS = 4


@dataclass(frozen=True, slots=True, eq=False)
class EntryContext:
    """Where an entry belongs: number `number` of the result, of program `index` of the job."""

    task: Task
    settings: Settings
    control: Control
    arrays: LargeArrays
    seed: int
    number: int
    index: int


class RowError(Exception):
    """One row of an estimation has failed; `__cause__` says why."""

    def __init__(self, row: int) -> None:
        super().__init__(row)
        self.row = row


def run_row(run: ProgramRun, row: int, context: EntryContext, entry: result_pb2.ProgramResult) -> None:
    """Simulates one row, and adds what it gives to `entry`."""
    settings, task, number, arrays = context.settings, context.task, context.number, context.arrays
    control = context.control.begin(context.index, row)
    circuit = run.circuit(row)
    if task is Task.UNITARY:
        matrix = sim.unitary(
            circuit, dtype=settings.dtype, threads=settings.threads, initial=settings.initial, control=control
        )
        sim.chop(matrix, settings.chop_threshold)
        arrays.add(entry, number, "unitary", matrix)
        return
    outcome = sim.run(
        circuit,
        shots=run.shots,
        seed=sim.program_seed(context.seed, number),
        memory=settings.memory,
        dtype=settings.dtype,
        threads=settings.threads,
        initial_statevector=settings.initial,
        statevector=task is Task.STATEVECTOR,
        control=control,
    )
    entry.method = outcome.method
    if circuit.circuit.num_clbits:
        add_counts(entry, outcome)
        if outcome.memory is not None:
            arrays.add(entry, number, "memory", outcome.memory)
    # As in Aer, what the circuit saves as "statevector" is there instead of the final state.
    if outcome.statevector is not None and "statevector" not in outcome.saved:
        sim.chop(outcome.statevector, settings.chop_threshold)
        arrays.add(entry, number, "statevector", outcome.statevector)
    for label, array in outcome.saved.items():
        if array.dtype.kind == "c":
            sim.chop(array, settings.chop_threshold)
        arrays.add(entry, number, label, array)


def estimate(run: ProgramRun, context: EntryContext, entry: result_pb2.ProgramResult) -> None:
    """Simulates all rows of an estimation, and adds the expectation values to `entry`.

    Raises:
        RowError: The simulation of a row has failed.
        SimulationCancelled: The job was cancelled.
    """
    wanted, settings = run.estimation, context.settings
    if wanted is None:
        raise AssertionError("the program has no estimation")
    every_pair = (run.simulations, run.program.num_observables)
    values: npt.NDArray[np.float64] = np.empty(every_pair if wanted.rows is None else len(wanted.rows))
    for row, places, indices in _wanted(run, wanted):
        control = context.control.begin(context.index, row)
        try:
            outcome = sim.run(
                run.circuit(row),
                shots=run.shots,
                seed=_stream(context, _ROW_STREAMS + row),
                dtype=settings.dtype,
                threads=settings.threads,
                initial_statevector=settings.initial,
                control=control,
            )
        except sim.SimulationCancelled:
            raise
        except Exception as error:
            raise RowError(row) from error
        entry.method = outcome.method
        values[places] = outcome.saved[EXPECTATION_VALUES][indices]
    if wanted.precision > 0.0:
        noise = np.random.Generator(np.random.PCG64(_stream(context, _NOISE_STREAM)))
        values += noise.normal(0.0, wanted.precision, values.shape)
    context.arrays.add(entry, context.number, EXPECTATION_VALUES, values)


def _wanted(run: ProgramRun, wanted: Estimation) -> Iterator[tuple[int, Any, Any]]:
    """The rows that are needed, each with where its values belong and which of the observables' they are."""
    if wanted.rows is None or wanted.indices is None:
        yield from ((row, row, slice(None)) for row in range(run.simulations))
        return
    order = np.argsort(wanted.rows, kind="stable")
    for places in np.split(order, np.flatnonzero(np.diff(wanted.rows[order])) + 1):
        yield int(wanted.rows[places[0]]), places, wanted.indices[places]


def _stream(context: EntryContext, number: int) -> np.random.SeedSequence:
    """A stream of random numbers of the entry's own."""
    return np.random.SeedSequence(entropy=context.seed, spawn_key=(context.number, number))
