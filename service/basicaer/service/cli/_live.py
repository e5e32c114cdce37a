"""A job's events on a screen: a spinner and a progress bar on a terminal, plain lines anywhere else."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self, TextIO

from basicaer.service.cli._say import say
from basicaer.service.cli._text import bar, duration, supports_blocks
from basicaer.service.printable import printable

if TYPE_CHECKING:
    from basicaer.client import JobEvent
    from rich.progress import Progress, TaskID

__all__ = ["View", "open_view"]

_BAR_WIDTH = 30
# A plain log shows progress in so many steps at most.
_PLAIN_STEPS = 10


class View(Protocol):
    """Shows events as they come. A context manager: leaving it gives the terminal back."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def line(self, text: str) -> None:
        """Show a line that stays."""

    def event(self, event: JobEvent) -> None:
        """Show what happened."""


def open_view(stream: TextIO) -> View:
    """Return the view that suits a stream: live on a terminal, else lines without control characters."""
    return _LiveView(stream) if stream.isatty() else _PlainView(stream)


def _ahead(position: int) -> str:
    return "next in line" if position == 0 else f"{position:,} {'job' if position == 1 else 'jobs'} ahead"


def _ended(event: JobEvent, since: float | None) -> str:
    assert event.status is not None
    assert since is not None
    text = f"{event.status.name.lower():<9} after {duration(time.monotonic() - since)}"
    return text if event.error is None else f"{text}: {event.error}"


class _PlainView:
    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._blocks = supports_blocks(stream)
        self._began: float | None = None
        self._step = -1
        self._position: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        return

    def line(self, text: str) -> None:
        say(text, stream=self._stream)

    def event(self, event: JobEvent) -> None:
        self._began = self._began or time.monotonic()
        if event.status is not None:
            if event.status.final:
                if self._step >= 0 and event.status.name == "DONE":
                    self._bar(1.0)
                self.line(_ended(event, self._began))
            elif event.status.name == "RUNNING":
                self._step = -1
                self._bar(0.0)
            else:
                self.line(event.status.name.lower())
        elif event.progress is not None:
            self._bar(event.progress.fraction)
        elif event.queue_position is not None and event.queue_position != self._position:
            self._position = event.queue_position
            self.line(f"{'queued':<9} {_ahead(event.queue_position)}")

    def _bar(self, fraction: float) -> None:
        step = int(fraction * _PLAIN_STEPS)
        if step > self._step:
            self._step = step
            drawn = bar(fraction, _BAR_WIDTH, blocks=self._blocks)
            drawn = drawn.ljust(_BAR_WIDTH, "·" if self._blocks else ".")
            self.line(f"{'running':<9} {drawn} {100 * fraction:>3.0f} %")


class _LiveView:
    """Statuses stay as lines; below them moves what is going on now, and the bar stays when it is full."""

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            Progress,
            SpinnerColumn,
            TaskProgressColumn,
            TextColumn,
            TimeElapsedColumn,
        )

        self._console = Console(file=stream, highlight=False)
        self._progress: Progress = Progress(
            SpinnerColumn(finished_text="[green]✔[/]"),
            TextColumn("{task.description:<9}"),
            BarColumn(_BAR_WIDTH),
            TaskProgressColumn(),
            TextColumn("{task.fields[note]}", style="dim"),
            TimeElapsedColumn(),
            console=self._console,
        )
        self._task: TaskID | None = None
        self._began: float | None = None

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._progress.stop()

    def line(self, text: str) -> None:
        self._progress.console.print(printable(text), markup=False, emoji=False)

    def event(self, event: JobEvent) -> None:
        self._began = self._began or time.monotonic()
        if event.status is not None:
            self._status(event)
        elif self._task is not None and event.progress is not None:
            progress = event.progress
            note = ""
            if progress.programs_total > 1:
                number = min(progress.programs_done + 1, progress.programs_total)
                note = f"program {number} of {progress.programs_total}"
            self._progress.update(self._task, total=1.0, completed=progress.fraction, note=note)
        elif self._task is not None and event.queue_position is not None:
            self._progress.update(self._task, note=_ahead(event.queue_position))

    def _status(self, event: JobEvent) -> None:
        assert event.status is not None
        name = event.status.name
        self._leave(succeeded=name == "DONE")
        if event.status.final:
            self._progress.stop()
            mark = "[green]✔[/]" if name == "DONE" else "[red]✘[/]"
            self._progress.console.print(mark, end=" ")
            self.line(_ended(event, self._began))
        else:
            # A bar without a total pulses, which is what waiting looks like.
            total = 1.0 if name == "RUNNING" else None
            self._task = self._progress.add_task(name.lower(), total=total, note="")

    def _leave(self, *, succeeded: bool) -> None:
        """End the moving line of the status that is over: a full bar stays, any other becomes plain text."""
        if self._task is None:
            return
        task = self._progress.tasks[-1]
        if task.total is None:
            self._progress.remove_task(self._task)
            self._progress.console.print(f"[green]✔[/] {task.description}")
        else:
            if succeeded:
                self._progress.update(self._task, completed=1.0, note="")
            self._progress.stop_task(self._task)
            self._progress.refresh()
        self._task = None
