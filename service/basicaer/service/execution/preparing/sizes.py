"""How large a job's result is at least, as far as that shows before it runs."""

from __future__ import annotations

from collections.abc import Sequence

from basicaer import simulator as sim
from basicaer.service.errors import ServiceError
from basicaer.service.execution.backends import Backend, Task
from basicaer.service.execution.options import Settings
from basicaer.service.execution.preparing.runs import ProgramRun
from basicaer.service.execution.results.writer import ENTRY_RESERVE, MOST_RESULT_BYTES
from basicaer.service.parsing import too_large

__all__ = ["check_message_size", "least_array_bytes", "least_message_bytes"]


def least_array_bytes(
    runs: Sequence[ProgramRun], backend: Backend, settings: Settings, max_inline_bytes: int
) -> int:
    """Return what the arrays beside a result's message take, whatever the simulations give; an int of any
    size. Within `max_inline_bytes` all together may lie in the message.
    """
    total = large = 0
    for run in runs:
        for size in _arrays_of(run, backend, settings):
            total += run.simulations * size
            large += run.simulations * size if size > max_inline_bytes else 0
    return max(total - max_inline_bytes, large)


def _arrays_of(run: ProgramRun, backend: Backend, settings: Settings) -> list[int]:
    """Return the bytes of each array of one simulation."""
    if run.estimation is not None:
        # They are one for all simulations.
        return [8 * (run.num_values + run.num_derivatives) // run.simulations]
    circuit = run.program.circuit.circuit
    found = sim.sure_saves(circuit, settings.dtype, run.shots)
    if backend.task is not Task.SHOTS:
        found.append(
            settings.dtype.itemsize << circuit.num_qubits * (2 if backend.task is Task.UNITARY else 1)
        )
    if settings.memory:
        found.append(run.shots * 8 * max(1, -(-circuit.num_clbits // 64)))
    return found


def least_message_bytes(runs: Sequence[ProgramRun]) -> int:
    """Return what a result's message takes, whatever the simulations give."""
    return sum(run.entries * (len(run.program.header) + ENTRY_RESERVE) for run in runs)


def check_message_size(runs: Sequence[ProgramRun]) -> None:
    """Refuse a job whose result can't be told in one message.

    Raises:
        ServiceError: PROGRAM_TOO_LARGE.
    """
    least = least_message_bytes(runs)
    if least > MOST_RESULT_BYTES:
        fault = too_large(
            "result_bytes",
            MOST_RESULT_BYTES,
            least,
            f"each entry of the result repeats its circuit's name, metadata and registers, together {least:,}"
            f" bytes, and the most is {MOST_RESULT_BYTES:,}; shorten them, or run fewer rows in a job",
        )
        raise ServiceError(fault.reason, fault.message, metadata=fault.metadata, field="programs")
