"""What a job will cost: its work, as far as it shows before it runs, and its memory."""

from __future__ import annotations

from collections.abc import Sequence

from basicaer import simulator as sim
from basicaer.service.execution._progress import Share
from basicaer.service.execution.backends import Backend, Task
from basicaer.service.execution.options import Settings
from basicaer.service.execution.preparing.methods import choose, looks_at_rows
from basicaer.service.execution.preparing.programs import Cost
from basicaer.service.execution.preparing.runs import ProgramRun
from basicaer.service.execution.results.writer import MOST_RESULT_BYTES

__all__ = ["cost", "is_quick", "required_bytes", "share"]

# What a job may have to be `quick`: the sum of its weights, its shots over all programs, the simulations for
# rows of inputs, and the instructions of a program.
_QUICK_WEIGHT = 20_000.0
_QUICK_SHOTS = 20_000
_QUICK_ROWS = 4
_QUICK_INSTRUCTIONS = 48
# Costs that are kept with a program, for other options each.
_MOST_KEPT = 8
# Amplitudes that a core changes in a second: what a weight is counted in.
_RATE = 5e8
# Products of an observable that take about as long as a gate.
_PRODUCTS_PER_GATE = 8
# What an entry of the result takes beside its data, as bytes and in Python, or one that says why it failed;
# and an array's description beside its names, which are there twice.
_ENTRY_BYTES = 2_000
_ARRAY_BYTES = 1_000
# A count in the result's message takes at most so many bytes for each 7 bits.
_VARINT_BITS = 7
# What is small enough to be sent along with an event is a message at first, and is then put together.
_TIMES_INLINE = 6


def cost(run: ProgramRun, index: int, backend: Backend, settings: Settings, max_memory_bytes: int) -> Cost:
    """Return the cost of program `index` of a job, where one may need so much memory.

    It is kept with the program: the same ones come again and again.

    Raises:
        ServiceError: OPTION_INVALID or PROGRAM_INVALID: the method, or none, can run it.
    """
    known = run.program.costs
    key = (
        backend.task,
        settings.dtype.char,
        settings.memory,
        settings.initial is None,
        settings.threads,
        run.shots,
        run.estimation is None,
        settings.method,
        settings.matrix_product_state,
    )
    found = known.get(key)
    if found is None:
        message, arrays = _message_bytes(run, backend, settings), _array_bytes(run, backend, settings)
        choice = choose(run, index, backend, settings, max(1, max_memory_bytes - message))
        if choice.seconds is None or choice.method == "statevector":
            weight = _weight(run, backend, settings)
        else:
            weight = choice.seconds * _RATE
        found = Cost(
            choice.method,
            choice.reason,
            weight,
            choice.required_bytes,
            message,
            arrays,
            weight <= _QUICK_WEIGHT
            and choice.method == "statevector"
            and run.program.gradients is None
            and _is_short(run, settings),
        )
        if looks_at_rows(run, settings):
            # It is for these values.
            return found
        if len(known) >= _MOST_KEPT:
            known.clear()
        known[key] = found
    return found


def share(run: ProgramRun, its: Cost) -> Share:
    """Return the work of a program."""
    return Share(run.simulations, its.weight, run.shots)


def is_quick(runs: Sequence[ProgramRun], costs: Sequence[Cost]) -> bool:
    """Whether a job certainly takes no longer than about a millisecond, and next to no memory."""
    return (
        sum(its.weight * run.simulations for run, its in zip(runs, costs, strict=True)) <= _QUICK_WEIGHT
        and sum(run.shots * run.simulations for run in runs) <= _QUICK_SHOTS
        and sum(run.simulations for run in runs if run.values is not None) <= _QUICK_ROWS
        and all(its.is_short for its in costs)
    )


def required_bytes(runs: Sequence[ProgramRun], costs: Sequence[Cost], max_inline_bytes: int) -> int:
    """Return the most memory at any time: a simulation's need, and the results of those before it."""
    # What the result's message holds, and the arrays beside it.
    message = arrays = 0
    most = 0
    for run, its in zip(runs, costs, strict=True):
        # Of a simulation's arrays, its need knows.
        before = arrays
        if run.estimation is not None:
            # The values, and their noise.
            arrays += 16 * run.num_values + 8 * run.num_derivatives
            before = arrays
        else:
            arrays += run.simulations * its.array_bytes
            before += (run.simulations - 1) * its.array_bytes
        message += run.entries * its.message_bytes
        most = max(most, before + min(message, MOST_RESULT_BYTES) + its.need)
    inline = min(max_inline_bytes, message + arrays)
    return most + _TIMES_INLINE * inline


def _weight(run: ProgramRun, backend: Backend, settings: Settings) -> float:
    from_zero, is_whole = settings.initial is None, backend.task is not Task.SHOTS
    circuit = run.program.circuit.circuit
    instructions = len(circuit) + 1.0
    for operation in circuit.operations:
        if operation.save is not None:
            instructions += _reading_gates(operation)
    # A state that is wanted whole is written once; qubits that nothing acts on cost nothing else.
    weight = instructions * 2.0 ** min(run.program.circuit.wires(from_zero=from_zero).count, 512)
    if run.program.gradients is not None:
        # Back again, with two states for each observable.
        weight *= 1 + 2 * run.program.num_observables
    if is_whole or any(
        operation.save is not None and operation.save.kind is sim.SaveKind.STATEVECTOR
        for operation in circuit.operations
    ):
        weight += 2.0 ** min(circuit.num_qubits, 512)
    return weight


def _reading_gates(operation: sim.Operation) -> float:
    """Return about how many gates take as long as reading what is saved."""
    save = operation.save
    if save is None:
        return 0.0
    products = sum(len(observable.paulis) for observable in save.observables)
    if save.kind is sim.SaveKind.EXPECTATION_VALUE_VARIANCE:
        products += products * products // 2
    # Each entry of a density matrix is a sum over the other qubits, a row at a time.
    rows = 1 << operation.num_qubits if save.kind is sim.SaveKind.DENSITY_MATRIX else 0
    return (products + rows) / _PRODUCTS_PER_GATE


def _is_short(run: ProgramRun, settings: Settings) -> bool:
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


def _message_bytes(run: ProgramRun, backend: Backend, settings: Settings) -> int:
    """Return what an entry takes in the message, without its arrays and its header, which entries share."""
    if run.estimation is not None:
        return _ENTRY_BYTES + _ARRAY_BYTES
    circuit = run.program.circuit.circuit
    taken = _ENTRY_BYTES
    if backend.task is not Task.SHOTS or settings.memory:
        taken += _ARRAY_BYTES
    for operation in circuit.operations:
        if operation.save is not None:
            taken += sum(_ARRAY_BYTES + 2 * len(label.encode()) for label in operation.save.labels)
    saves_detectors = any(op.save is not None and op.save.detectors for op in circuit.operations)
    if backend.task is not Task.UNITARY and circuit.num_clbits and (settings.memory or not saves_detectors):
        words = max(1, -(-circuit.num_clbits // 64))
        outcomes = min(run.shots, 1 << min(circuit.num_clbits, 64))
        taken += outcomes * (8 * words + -(-run.shots.bit_length() // _VARINT_BITS))
    return taken


def _array_bytes(run: ProgramRun, backend: Backend, settings: Settings) -> int:
    """Return the arrays that a simulation leaves."""
    circuit = run.program.circuit.circuit
    state = settings.dtype.itemsize << circuit.num_qubits
    kept = 0
    if backend.task is Task.STATEVECTOR:
        kept += state
    elif backend.task is Task.UNITARY:
        kept += settings.dtype.itemsize << 2 * circuit.num_qubits
    if settings.memory:
        kept += run.shots * 8 * max(1, -(-circuit.num_clbits // 64))
    return kept + sim.saved_bytes(circuit, settings.dtype, run.shots)
