"""What the outside sees of a job's life: log lines, counts, and spans. Told when it is committed, not before.

A line for each end is worth its price to whoever asks later what happened to a job; the steps before it are
for debugging. No line holds a program, a label or an error's text, which may quote a program.
"""

from __future__ import annotations

import logging
import time

from basicaer.service.errors import ServiceError
from basicaer.service.jobs.model import states
from basicaer.service.jobs.model.clock import nanoseconds
from basicaer.service.jobs.model.entry import JobEntry
from basicaer.service.telemetry import Telemetry, TraceContext, event

__all__ = ["JobTelemetry"]

# By its documented name, which whoever filters log lines knows.
_log = logging.getLogger("basicaer.service.jobs._lifecycle")


class JobTelemetry:
    """Tells of the jobs of one server. `started` is for any thread, the rest for the event loop."""

    def __init__(self, telemetry: Telemetry) -> None:
        metrics = telemetry.metrics
        self._tracing = telemetry.tracing
        self._submissions = metrics.submissions
        self._accepted = metrics.submissions.labels("accepted")
        self._finished = {status: metrics.finished.labels(states.name_of(status)) for status in states.FINAL}
        self._wait = metrics.wait_seconds
        self._run = metrics.run_seconds
        self._result_bytes = metrics.result_bytes

    def accepted(self, entry: JobEntry) -> None:
        """Note that a new job was committed, and is about to be acknowledged."""
        self._accepted.inc()
        if _log.isEnabledFor(logging.DEBUG):
            event(_log, logging.DEBUG, "job accepted", job_id=entry.job_id, principal=entry.principal)
        if entry.trace is not None and self._tracing is not None:
            self._tracing.span("submit", entry.trace, entry.trace.began, time.time_ns(), job_id=entry.job_id)

    def answered(self, outcome: str) -> None:
        """Note that a submission was answered without a new job: "duplicate" or "validated"."""
        self._submissions.labels(outcome).inc()

    def refused(self, error: ServiceError) -> None:
        """Note that a submission was refused."""
        self._submissions.labels(error.reason_name.lower()).inc()
        event(_log, logging.INFO, "job refused", reason=error.reason_name)

    def started(self, entry: JobEntry) -> None:
        """Note that an attempt has begun."""
        event(
            _log,
            logging.DEBUG,
            "job started",
            job_id=entry.job_id,
            principal=entry.principal,
            attempt=entry.machine.head.attempt,
        )

    def finished(self, entry: JobEntry) -> None:
        """Note that a job's final state was committed."""
        head = entry.machine.head
        end = nanoseconds(head.end_time)
        self._finished[head.status].inc()
        if head.result_size_bytes:
            self._result_bytes.inc(head.result_size_bytes)
        wait = run = 0.0
        if head.attempt and head.HasField("start_time"):
            start = nanoseconds(head.start_time)
            wait, run = (start - nanoseconds(head.create_time)) / 1e9, (end - start) / 1e9
            self._wait.observe(wait)
            self._run.observe(run)
            if entry.trace is not None and self._tracing is not None:
                self._trace(entry, entry.trace, start, end)
        if _log.isEnabledFor(logging.INFO):
            self._tell_end(entry, wait, run)

    def _tell_end(self, entry: JobEntry, wait: float, run: float) -> None:
        head = entry.machine.head
        fields: dict[str, object] = {"status": states.name_of(head.status), "seconds": run, "waited": wait}
        if head.HasField("error"):
            fields["reason"] = ServiceError(head.error.reason, "").reason_name
        event(
            _log,
            logging.INFO,
            "job finished",
            job_id=entry.job_id,
            principal=entry.principal,
            attempt=head.attempt,
            **fields,
        )

    def _trace(self, entry: JobEntry, trace: TraceContext, start: int, end: int) -> None:
        assert self._tracing is not None
        head, tell = entry.machine.head, self._tracing.span
        tell("queue wait", trace, nanoseconds(head.create_time), start, job_id=entry.job_id)
        tell(
            "simulation",
            trace,
            start,
            end,
            job_id=entry.job_id,
            backend=head.backend_name,
            status=states.name_of(head.status),
            attempt=head.attempt,
        )
        tell("commit", trace, end, time.time_ns(), job_id=entry.job_id)
