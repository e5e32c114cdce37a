"""What a job will cost: its work, as far as it shows before it runs, and its memory."""

from __future__ import annotations

from collections.abc import Sequence

from basicaer import simulator as sim
from basicaer.service.execution._progress import Share
from basicaer.service.execution._runs import ProgramRun
from basicaer.service.execution.backends import Backend, Task
from basicaer.service.execution.options import Settings

__all__ = ["is_quick", "required_bytes", "share"]

# What a job may have to be `quick`: the sum of its weights, its shots over all programs, the simulations for
# rows of inputs, and the instructions of a program.
_QUICK_WEIGHT = 20_000.0
_QUICK_SHOTS = 20_000
_QUICK_ROWS = 4
_QUICK_INSTRUCTIONS = 48
# Products of an observable that take about as long as a gate.
_PRODUCTS_PER_GATE = 8
# An entry of the result, its header included, about; and what is kept of an array beside it.
_ENTRY_BYTES = 1_000


def share(run: ProgramRun) -> Share:
    """The work of a program."""
    circuit = run.program.circuit.circuit
    instructions = len(circuit) + 1.0
    for operation in circuit.operations:
        if operation.save is not None:
            products = sum(len(observable.paulis) for observable in operation.save.observables)
            instructions += products / _PRODUCTS_PER_GATE
    return Share(run.simulations, instructions * 2.0 ** min(circuit.num_qubits, 512), run.shots)


def is_quick(runs: Sequence[ProgramRun], shares: Sequence[Share], settings: Settings) -> bool:
    """Whether a job certainly takes no longer than about a millisecond, and next to no memory."""
    return (
        sum(part.weight * part.simulations for part in shares) <= _QUICK_WEIGHT
        and sum(part.shots * part.simulations for part in shares) <= _QUICK_SHOTS
        and sum(run.simulations for run in runs if run.values is not None) <= _QUICK_ROWS
        and all(_is_quick_program(run, settings) for run in runs)
    )


def _is_quick_program(run: ProgramRun, settings: Settings) -> bool:
    """Whether a small program has few instructions, each of which is run once, for all shots together."""
    program = run.program.circuit
    circuit = program.circuit
    return (
        len(circuit) <= _QUICK_INSTRUCTIONS
        and not any(
            operation.if_else or operation.while_loop or operation.for_loop or operation.switch_case
            for operation in circuit.operations
        )
        and not program.program(from_zero=settings.initial is None, threads=settings.threads).is_random
    )


def required_bytes(runs: Sequence[ProgramRun], backend: Backend, settings: Settings) -> int:
    """The most memory at any time: a simulation's need, and the results of those before it."""
    kept = 0
    most = 0
    for run in runs:
        need = sim.required_bytes(
            run.program.circuit,
            method="unitary" if backend.task is Task.UNITARY else "run",
            dtype=settings.dtype,
            shots=run.shots,
            memory=settings.memory and run.estimation is None,
            statevector=backend.task is Task.STATEVECTOR and run.estimation is None,
            initial=settings.initial is not None,
        )
        if run.estimation is not None:
            # The values, and their noise.
            kept += 16 * run.num_values
            most = max(most, kept + need)
            continue
        each = _kept_bytes(run, backend, settings)
        if run.values is not None:
            each += _ENTRY_BYTES
        most = max(most, kept + (run.simulations - 1) * each + need)
        kept += run.simulations * each
    return most


def _kept_bytes(run: ProgramRun, backend: Backend, settings: Settings) -> int:
    """The arrays that a simulation leaves."""
    circuit = run.program.circuit.circuit
    state = settings.dtype.itemsize << circuit.num_qubits
    kept = 0
    if backend.task is Task.STATEVECTOR:
        kept += state
    elif backend.task is Task.UNITARY:
        kept += settings.dtype.itemsize << 2 * circuit.num_qubits
    if settings.memory:
        kept += run.shots * 8 * max(1, -(-circuit.num_clbits // 64))
    for operation in circuit.operations:
        save = operation.save
        if save is not None and save.kind is sim.SaveKind.STATEVECTOR:
            kept += state
        elif save is not None and save.kind is sim.SaveKind.PROBABILITIES:
            kept += 8 << operation.num_qubits
        elif save is not None:
            kept += 8 * len(save.observables)
    return kept
