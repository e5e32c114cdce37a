"""A job in a notebook: a status line with a bar that follows the job's events while other cells run."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

from basicaer.client.qiskit._view import View
from qiskit.exceptions import QiskitError

if TYPE_CHECKING:
    from basicaer.client.qiskit._job import BasicAerJob

__all__ = ["current_view", "show_live"]


def current_view(job: BasicAerJob) -> View:
    """Returns where a job stands now, by one call."""
    view = View()
    view.status = job.client.status()
    if view.status.final:
        view.fraction = float(job.done())
        view.error = job.error_message() or ""
    elif (progress := job.client.progress()) is not None:
        view.fraction = progress.fraction
    return view


def show_live(job: BasicAerJob) -> threading.Thread | None:
    """Displays a job in the notebook's present cell, and returns the thread that keeps it up to date.

    Returns None where the job is final already, so that there is nothing to follow.
    """
    # Who displays something has imported IPython; nobody else needs it.
    display: Any = sys.modules["IPython"].display
    view = current_view(job)
    handle = display.display(display.HTML(_markup(job, view)), display_id=True)
    if view.status.final or handle is None:
        return None

    def follow() -> None:
        try:
            for event in job.events():
                view.take(event)
                handle.update(display.HTML(_markup(job, view)))
        except QiskitError as error:
            view.error = f"no longer followed: {error}"
            handle.update(display.HTML(_markup(job, view)))

    thread = threading.Thread(target=follow, name="basicaer-notebook", daemon=True)
    thread.start()
    return thread


def _markup(job: BasicAerJob, view: View) -> str:
    return view.markup(str(job.backend()), job.job_id())
