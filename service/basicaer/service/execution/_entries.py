"""Runs what gives one entry of a result: a program, a row of its inputs, or all rows of an estimation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from basicaer import simulator as sim
from basicaer.service.execution._progress import Control
from basicaer.service.execution.backends import METHODS, Task
from basicaer.service.execution.options import Settings
from basicaer.service.execution.preparing.programs import EXPECTATION_VALUES, GRADIENTS, Cost
from basicaer.service.execution.preparing.runs import Estimation, ProgramRun
from basicaer.service.execution.results.writer import ResultWriter
from basicaer.simulator import distributed
from basicaer.v1 import result_pb2

__all__ = ["EntryContext", "RowError", "estimate", "run_row"]

# Streams of an entry: the simulator has the first ones for the entry itself, then come the noise and the
# rows.
_NOISE_STREAM = 3
_ROW_STREAMS = 4


@dataclass(frozen=True, slots=True, eq=False)
class EntryContext:
    """Where an entry belongs: number `number` of the result, of program `index` of the job. It draws from
    stream `stream` of the job's seed.
    """

    task: Task
    settings: Settings
    cost: Cost
    control: Control
    writer: ResultWriter
    seed: int
    stream: int
    number: int
    index: int
    # Joins this process to those that have the other parts of the state, where the program is spread.
    mesh: distributed.Mesh | None = None


class RowError(Exception):
    """One row of an estimation has failed; `__cause__` says why."""

    def __init__(self, row: int) -> None:
        super().__init__(row)
        self.row = row


def run_row(run: ProgramRun, row: int, context: EntryContext, entry: result_pb2.ProgramResult) -> None:
    """Simulate one row, and add what it gives to `entry`."""
    settings, task, number, writer = context.settings, context.task, context.number, context.writer
    control = context.control.begin(context.index, row)
    circuit = run.circuit(row)
    if task is Task.UNITARY:
        saved: dict[str, npt.NDArray[Any]] = {}
        matrix = sim.unitary(
            circuit,
            dtype=settings.dtype,
            threads=settings.threads,
            initial=settings.initial,
            saved=saved,
            control=control,
        )
        # As in Aer, what the circuit saves as "unitary" is there instead of the final matrix.
        if "unitary" not in saved:
            sim.chop(matrix, settings.chop_threshold)
            writer.add_array(entry, number, "unitary", matrix)
        _add_saved(circuit, saved, context, entry)
        return
    outcome = sim.run(
        circuit,
        shots=run.shots,
        # What was admitted is what this one takes.
        method=context.cost.method,
        max_memory_bytes=context.cost.need,
        seed=sim.program_seed(context.seed, context.stream),
        memory=settings.memory,
        dtype=settings.dtype,
        threads=settings.threads,
        initial_statevector=settings.initial,
        statevector=task is Task.STATEVECTOR,
        matrix_product_state=settings.matrix_product_state,
        control=control,
        spread=context.mesh,
    )
    _tell(entry, outcome, context)
    if circuit.circuit.num_clbits:
        # Beside detectors there are none without memory.
        if len(outcome.counts):
            writer.add_counts(entry, outcome)
        if outcome.memory is not None:
            writer.add_array(entry, number, "memory", outcome.memory)
    # As in Aer, what the circuit saves as "statevector" is there instead of the final state.
    if outcome.statevector is not None and "statevector" not in outcome.saved:
        sim.chop(outcome.statevector, settings.chop_threshold)
        writer.add_array(entry, number, "statevector", outcome.statevector)
    _add_saved(circuit, outcome.saved, context, entry)


def _add_saved(
    circuit: sim.ValidCircuit,
    saved: Mapping[str, npt.NDArray[Any]],
    context: EntryContext,
    entry: result_pb2.ProgramResult,
) -> None:
    saves = {op.save.label: op.save for op in circuit.circuit.operations if op.save is not None}
    for label, array in saved.items():
        if array.dtype.kind == "c":
            # Some methods know one precision alone.
            array = array.astype(context.settings.dtype, copy=False)
            sim.chop(array, context.settings.chop_threshold)
        context.writer.add_array(entry, context.number, label, array, saves.get(label))


def estimate(run: ProgramRun, context: EntryContext, entry: result_pb2.ProgramResult) -> None:
    """Simulate all rows of an estimation, and add the expectation values to `entry`.

    Raises:
        RowError: The simulation of a row has failed.
        SimulationCancelled: The job was cancelled.
    """
    wanted, settings = run.estimation, context.settings
    if wanted is None:
        raise AssertionError("the program has no estimation")
    every_pair = (run.simulations, run.program.num_observables)
    shape = every_pair if wanted.rows is None else (len(wanted.rows),)
    values: npt.NDArray[np.float64] = np.empty(shape)
    derivatives = None if wanted.by is None else np.empty((*shape, len(wanted.by)))
    for row, places, indices in _wanted(run, wanted):
        control = context.control.begin(context.index, row)
        try:
            if run.program.gradients is not None and derivatives is not None:
                found, gradient = run.program.gradients.of(
                    *run.row(row), threads=settings.threads, control=control
                )
                values[places] = found[indices]
                derivatives[places] = gradient[indices][:, wanted.by]
                _tell_method(entry, context)
                continue
            outcome = sim.run(
                run.circuit(row),
                shots=run.shots,
                method=context.cost.method,
                max_memory_bytes=context.cost.need,
                seed=_stream(context, _ROW_STREAMS + row),
                dtype=settings.dtype,
                threads=settings.threads,
                initial_statevector=settings.initial,
                matrix_product_state=settings.matrix_product_state,
                control=control,
                spread=context.mesh,
            )
        except sim.SimulationCancelled:
            raise
        except Exception as error:
            raise RowError(row) from error
        _tell(entry, outcome, context)
        values[places] = outcome.saved[EXPECTATION_VALUES][indices]
    if wanted.precision > 0.0:
        noise = np.random.Generator(np.random.PCG64(_stream(context, _NOISE_STREAM)))
        values += noise.normal(0.0, wanted.precision, values.shape)
    context.writer.add_array(entry, context.number, EXPECTATION_VALUES, values)
    if derivatives is not None:
        context.writer.add_array(entry, context.number, GRADIENTS, derivatives)


def _tell(entry: result_pb2.ProgramResult, outcome: sim.RunResult, context: EntryContext) -> None:
    """Say in `entry` how its shots were made."""
    entry.method = outcome.method
    _tell_method(entry, context)
    cuts = outcome.cuts
    if cuts is not None:
        entry.matrix_product_state.largest_bond = cuts.largest_bond
        entry.matrix_product_state.discarded_weight = cuts.discarded_weight
        entry.matrix_product_state.estimated_fidelity = cuts.kept_weight


def _tell_method(entry: result_pb2.ProgramResult, context: EntryContext) -> None:
    entry.simulation_method = METHODS[context.cost.method]
    if context.cost.nodes > 1:
        entry.nodes = context.cost.nodes
    entry.reason = context.cost.reason


def _wanted(run: ProgramRun, wanted: Estimation) -> Iterator[tuple[int, Any, Any]]:
    """Return the rows that are needed, each with where its values belong and which of the observables' they
    are.
    """
    if wanted.rows is None or wanted.indices is None:
        yield from ((row, row, slice(None)) for row in range(run.simulations))
        return
    order = np.argsort(wanted.rows, kind="stable")
    for places in np.split(order, np.flatnonzero(np.diff(wanted.rows[order])) + 1):
        yield int(wanted.rows[places[0]]), places, wanted.indices[places]


def _stream(context: EntryContext, number: int) -> np.random.SeedSequence:
    """Return a stream of random numbers of the entry's own."""
    return np.random.SeedSequence(entropy=context.seed, spawn_key=(context.stream, number))
