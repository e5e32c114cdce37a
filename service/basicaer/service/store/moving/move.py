"""The move itself: what is there already is left as it is, since servers may have gone on with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from basicaer.service.store.moving.report import MoveReport
from basicaer.service.store.moving.source import Source, SourceJob, UnmovableError
from basicaer.service.store.moving.target import Target
from basicaer.service.store.postgresql.objects.results import Objects

__all__ = ["move_store"]

# What a job counts, beside the bytes of its result's file, in how far the move is.
_JOB_BYTES = 4096


def move_store(
    directory: Path,
    database: str,
    objects: Objects | None,
    largest: int,
    report: MoveReport,
    progress: Callable[[float, int], None],
) -> None:
    """Take all jobs of a data directory over to a database, and fill a report. `progress` is told how far
    that is, from 0 to 1, and how many jobs there are. Results of more than `largest` bytes go to `objects`.

    Raises:
        DataDirectoryError: One of the two can't be used.
        ServiceError: STORE_BUSY: the database, or the object store, went away; call again.
        ValueError: `database` is no URL of one.
    """
    with closing(Source(directory)) as source, closing(Target(database, objects, largest)) as target:
        report.shown = target.shown
        _Move(source, target, report, progress).run()
        target.tell_waiting()
        source.note_moved(target.shown)


class _Move:
    def __init__(
        self, source: Source, target: Target, report: MoveReport, progress: Callable[[float, int], None]
    ) -> None:
        self._source = source
        self._target = target
        self._report = report
        self._progress = progress
        self._jobs, in_files = source.sizes()
        self._all = self._jobs * _JOB_BYTES + in_files
        self._done = 0

    def run(self) -> None:
        for batch in self._source.jobs():
            there = self._target.known([job.record.job_id for job in batch if isinstance(job, SourceJob)])
            together = []
            for job in batch:
                if isinstance(job, UnmovableError):
                    self._skip(job)
                elif job.record.job_id in there:
                    self._report.there += 1
                    self._add(job.file_bytes or 0)
                elif job.file is None:
                    together.append(job)
                else:
                    self._move_with_file(job)
            if together:
                refused = self._target.add(together)
                self._report.moved += len(together) - len(refused)
                for one in refused:
                    self._skip(one)
            self._add(len(batch) * _JOB_BYTES)

    def _move_with_file(self, job: SourceJob) -> None:
        def pieces() -> Iterator[bytes]:
            for piece in self._source.pieces(job):
                yield piece
                self._add(len(piece))

        try:
            refused = self._target.add_with_file(job, pieces())
        except UnmovableError as error:
            refused = error
        if refused is None:
            self._report.moved += 1
        else:
            self._skip(refused)

    def _skip(self, job: UnmovableError) -> None:
        self._report.skipped.append((job.job_id, str(job)))

    def _add(self, size: int) -> None:
        self._done += size
        self._progress(min(self._done / max(self._all, 1), 1.0), self._jobs)
