"""Following a job to its end, and what is said then: shared by `run`, `watch` and `result`."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from basicaer.service.cli import _text
from basicaer.service.cli._errors import FAILED, CommandError
from basicaer.service.cli._live import View
from basicaer.service.cli._output import print_json
from basicaer.service.cli._say import say
from basicaer.service.cli.results import result_dict, result_lines, save_arrays, save_picture
from basicaer.service.printable import printable

if TYPE_CHECKING:
    from basicaer.client import BasicAerJob, JobError, JobEvent, Result

__all__ = ["check", "event_dict", "follow", "show_result"]


def follow(job: BasicAerJob, view: View | None, after_sequence: int | None = None) -> JobEvent:
    """Show a job's events in `view`, or print them as JSON when it is None; return the final one."""
    for event in job.events(after_sequence):
        if view is None:
            print_json(event_dict(event))
        else:
            view.event(event)
        if event.status is not None and event.status.final:
            return event
    raise CommandError(f"the events of job {job.job_id()} ended before the job did")


def event_dict(event: JobEvent) -> dict[str, Any]:
    """Return an event as JSON's types, without what is not set."""
    found: dict[str, Any] = {"sequence": event.sequence}
    if event.time is not None:
        found["time"] = event.time.isoformat()
    if event.status is not None:
        found |= {"status": event.status.name, "attempt": event.attempt}
    if event.progress is not None:
        found["progress"] = dataclasses.asdict(event.progress)
    if event.queue_position is not None:
        found["queue_position"] = event.queue_position
    if event.error is not None:
        found["error"] = {"reason": event.error.reason, "message": event.error.message}
    return found


def show_result(
    job: BasicAerJob,
    *,
    as_json: bool,
    top: int,
    save: str | None,
    plot: str | None,
    tell_method: bool = False,
) -> None:
    """Print a final job's result, that of a failed one too as far as there is one.

    Which method ran, and why, is told where it isn't the usual one, or with `tell_method`.

    Raises:
        JobError: The job failed or was cancelled; raised after what there is was printed.
        ResultUnavailableError, ResultExpiredError: There is nothing to print.
    """
    from basicaer.client import ResultUnavailableError

    cause = job.error()
    try:
        result = job.partial_result()
    except ResultUnavailableError:
        if cause is None:
            raise
        raise cause from None
    if save is not None:
        save_arrays(result, save)
    if plot is not None:
        save_picture(result, plot, top)
    if as_json:
        print_json({"status": job.status().name, **result_dict(result)})
    else:
        say(*result_lines(result, top), "", *_methods(result, tell_method), _summary(result))
    if cause is not None:
        raise cause


def _methods(result: Result, always: bool) -> list[str]:
    """Return by which methods programs ran and why, a line for each of these."""
    lines = []
    for program in result.results:
        method, cuts = program.simulation_method, program.matrix_product_state
        if not method or (method == "statevector" and program.nodes == 1 and not always):
            continue
        line = f"method {method}: {printable(program.reason)}"
        line += f"; over {program.nodes} nodes" if program.nodes > 1 else ""
        if cuts is not None:
            line += f"; bonds up to {cuts.largest_bond:,}"
            line += f", estimated fidelity {cuts.estimated_fidelity:.6g}" if cuts.discarded_weight else ""
        lines.append(line)
    return list(dict.fromkeys(lines))


def _summary(result: Result) -> str:
    if len(result.results) != 1 or result.results[0].error is not None:
        return f"{len(result.results)} programs in {_text.duration(result.time_taken)}"
    program = result.results[0]
    shots = f"{program.shots:,} shots {program.method}, " if program.shots > 1 else ""
    shots += f"seed {program.seed}, " if program.data.names() != ["unitary"] else ""
    return f"{shots}{program.header.n_qubits} qubits, {_text.duration(result.time_taken)}"


def check(job: BasicAerJob, final: JobEvent) -> None:
    """Raise for a job that is not DONE."""
    if final.status is not None and final.status.name != "DONE":
        cause: JobError | None = final.error
        what = cause.message if cause is not None else final.status.name
        raise CommandError(f"job {job.job_id()}: {what}", status=FAILED)
