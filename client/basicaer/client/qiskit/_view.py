"""What a person sees of a job: a line of text with a bar, the same in a terminal and in a notebook."""

from __future__ import annotations

import dataclasses
import html

from basicaer.client._status import JobEvent
from basicaer.client._status import JobStatus as PlainStatus

__all__ = ["View"]

_BAR = 30


@dataclasses.dataclass(slots=True)
class View:
    """Where a job stands, as far as its events have told."""

    status: PlainStatus = PlainStatus.INITIALIZING
    fraction: float = 0.0
    ahead: int | None = None
    error: str = ""

    def take(self, event: JobEvent) -> None:
        """Take in what happened."""
        if event.status is not None:
            self.status, self.ahead = event.status, None
            self.error = event.error.message if event.error else ""
            if event.status is PlainStatus.DONE:
                self.fraction = 1.0
        if event.progress is not None:
            self.fraction = event.progress.fraction
        if event.queue_position is not None:
            self.ahead = event.queue_position

    def text(self) -> str:
        """Return one line, with a bar while the job runs."""
        parts = [f"Job Status: {self.status.value}"]
        if self.status is PlainStatus.QUEUED and self.ahead is not None:
            parts.append(f"({self.ahead} ahead)")
        if self.status is PlainStatus.RUNNING:
            full = round(self.fraction * _BAR)
            parts.append(f"{'█' * full}{'·' * (_BAR - full)} {self.fraction:4.0%}")
        if self.error:
            parts.append(f"({self.error})")
        return " ".join(parts)

    def markup(self, backend: str, job_id: str) -> str:
        """Return HTML: the job's id and backend, its status, and a progress bar."""
        note = f": {self.error}" if self.error else ""
        if self.ahead is not None:
            note = f" ({self.ahead} ahead)"
        return (
            "<div><b>BasicAerJob</b> "
            f"<code>{html.escape(job_id)}</code> on <code>{html.escape(backend)}</code><br>"
            f"{html.escape(self.status.value + note)} "
            f'<progress value="{self.fraction:.3f}" max="1"></progress></div>'
        )
