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


def least_array_bytes(runs: Sequence[ProgramRun], backend: Backend, settings: Settings) -> int:
    """Return what the arrays of a result take, whatever the simulations give; an int of any size."""
    return sum(_arrays_of(run, backend, settings) for run in runs)


def _arrays_of(run: ProgramRun, backend: Backend, settings: Settings) -> int:
    if run.estimation is not None:
        return 8 * (run.num_values + run.num_derivatives)
    circuit = run.program.circuit.circuit
    kept = sim.least_saved_bytes(circuit, settings.dtype, run.shots)
    if backend.task is not Task.SHOTS:
        kept += settings.dtype.itemsize << circuit.num_qubits * (2 if backend.task is Task.UNITARY else 1)
    if settings.memory:
        kept += run.shots * 8 * max(1, -(-circuit.num_clbits // 64))
    return run.simulations * kept


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
