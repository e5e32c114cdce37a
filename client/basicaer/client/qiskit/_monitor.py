"""`job_monitor`: a job's status in a terminal, as it changes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TextIO

from basicaer.client.qiskit._view import View

if TYPE_CHECKING:
    from basicaer.client.qiskit._backend import BasicAerJob

__all__ = ["job_monitor"]


def job_monitor(
    job: BasicAerJob,
    interval: float | None = None,
    quiet: bool = False,
    output: TextIO | None = None,
    line_discipline: str = "\r",
) -> None:
    """Show a job's status, place in the queue and progress on one line until it's final.

    The arguments are those of Qiskit 0.46. `interval` has no effect, since changes are pushed; `quiet` only
    waits; `output` is by default standard output; `line_discipline` stands before each new text.

    Raises:
        QiskitError: The server can't be reached.
    """
    stream = sys.stdout if output is None else output
    view, width, last = View(), 0, ""
    for event in job.events():
        view.take(event)
        text = view.text()
        if quiet or text == last:
            continue
        stream.write(f"{line_discipline}{text:{width}}")
        stream.flush()
        width, last = max(width, len(text)), text
    if not quiet:
        stream.write("\n")
