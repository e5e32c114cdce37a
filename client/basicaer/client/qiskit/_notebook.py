"""A job in a notebook: a status line with a bar that follows the job's events while other cells run."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable
from typing import Any, Protocol

from basicaer.client._status import JobEvent
from basicaer.client.jobs._provider import BasicAerJob as PlainJob
from basicaer.client.qiskit._view import View
from qiskit.exceptions import QiskitError

__all__ = ["Shown", "current_view", "show_live"]


class Shown(Protocol):
    """What is shown: a job of Qiskit's interface, as much of it as that takes."""

    @property
    def client(self) -> PlainJob:
        """The same job without Qiskit."""

    def backend(self) -> Any:
        """Return the backend that the job runs on."""

    def job_id(self) -> str:
        """Return the job's id."""

    def done(self) -> bool:
        """Return whether the job is DONE."""

    def error_message(self) -> str | None:
        """Return why the job failed or was cancelled; None when it did neither."""

    def events(self) -> Iterable[JobEvent]:
        """Yield what happens to the job up to its final event."""


def current_view(job: Shown) -> View:
    """Return where a job stands now, by one call."""
    view = View()
    view.status = job.client.status()
    if view.status.final:
        view.fraction = float(job.done())
        view.error = job.error_message() or ""
    elif (progress := job.client.progress()) is not None:
        view.fraction = progress.fraction
    return view


def show_live(job: Shown) -> threading.Thread | None:
    """Display a job in the notebook's present cell, and return the thread that keeps it up to date.

    Return None where the job is final already, so that there is nothing to follow.
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


def _markup(job: Shown, view: View) -> str:
    return view.markup(str(job.backend()), job.job_id())
