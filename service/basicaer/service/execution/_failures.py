"""Why a program failed while it ran, as its result tells."""

from __future__ import annotations

import logging

from basicaer import simulator as sim
from basicaer.service.errors import MOST_MESSAGE_BYTES, internal_error, shorten
from basicaer.service.execution._entries import RowError
from basicaer.service.execution.preparing.runs import ProgramRun
from basicaer.service.execution.results.writer import MOST_RESULT_BYTES, ResultFullError
from basicaer.service.printable import printable
from basicaer.simulator import distributed
from basicaer.v1 import error_reason_pb2, job_pb2

__all__ = ["entry_error", "is_everywhere", "is_lost"]

_log = logging.getLogger(__name__)


def is_everywhere(error: Exception) -> bool:
    """Return whether all processes that run a job together fail in this way, and go on together."""
    return isinstance(_cause(error), sim.SimulatorError | ResultFullError) and not is_lost(error)


def is_lost(error: Exception) -> bool:
    """Return whether a process failed since another one of the job isn't there any more."""
    return isinstance(_cause(error), distributed.PeerLost)


def entry_error(error: Exception, run: ProgramRun, index: int, row: int, job_id: str) -> job_pb2.JobError:
    """Return why an entry failed while it ran, with its row if its program has inputs."""
    row = error.row if isinstance(error, RowError) else row
    found = _program_error(_cause(error), index, job_id)
    if run.values is not None:
        found.message = f"row {row}: {found.message}"
        found.metadata["row"] = str(row)
    return found


def _cause(error: Exception) -> BaseException:
    return error.__cause__ or error if isinstance(error, RowError) else error


def _program_error(error: BaseException, index: int, job_id: str) -> job_pb2.JobError:
    """Why a program failed while it ran."""
    metadata: dict[str, str] = {}
    match error:
        case sim.SimulationFailed():
            reason, message = error_reason_pb2.ERROR_REASON_SIMULATION_FAILED, error.message
        case sim.OptionError():
            reason, message = (
                error_reason_pb2.ERROR_REASON_OPTION_INVALID,
                f"options.{error.option}: {error.message}",
            )
            metadata["field"] = f"options.{error.option}"
        case sim.CircuitError():
            reason, message = error_reason_pb2.ERROR_REASON_PROGRAM_INVALID, error.message
        case ResultFullError():
            reason = error_reason_pb2.ERROR_REASON_SIMULATION_FAILED
            message = (
                f"the job's result is full: it holds {MOST_RESULT_BYTES:,} bytes beside large arrays; run the"
                " programs in several jobs"
            )
        case MemoryError():
            reason = error_reason_pb2.ERROR_REASON_SIMULATION_FAILED
            message = "the machine ran out of memory; run fewer qubits or shots, or use single precision"
        case _:
            _log.error("job %s: program %d failed by a defect", job_id, index, exc_info=error)
            defect = internal_error()
            reason, message = defect.reason, defect.message
    message = printable(message, keep="\n")
    return job_pb2.JobError(
        reason=reason,
        message=shorten(message, MOST_MESSAGE_BYTES),
        program_index=index,
        metadata=metadata,
    )
