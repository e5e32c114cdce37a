"""What the clients were told, and whether it is true.

Every acknowledgement is written down here when it reaches a client. A contradiction between two of them is a
violation at once; at the end the whole ledger is compared with the store's own files, without a server.
"""

from __future__ import annotations

import sqlite3
import struct
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import google_crc32c
from basicaer.service.jobs.model.states import FINAL, TRANSITIONS
from basicaer.v1 import job_pb2, result_pb2

from tests.chaos.programs import Program, essence

__all__ = ["Known", "Ledger"]

_LENGTH = struct.Struct("<I")
Status: TypeAlias = job_pb2.JobStatus.ValueType
_NAME = job_pb2.JobStatus.Name
# Of a job that goes on.
_NONE = job_pb2.JOB_STATUS_UNSPECIFIED
_INITIAL = job_pb2.JOB_STATUS_INITIALIZING


@dataclass
class Known:
    """A job as its clients know it."""

    request_id: str
    # None for a job that only its cancellation ends.
    program: Program | None
    job_id: str = ""
    # Its status events by their sequence, as they were told: time, status, attempt.
    told: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    cancel_acknowledged: bool = False
    # A call of CancelJob was made, and what it did isn't known.
    cancel_tried: bool = False
    final: Status = _NONE
    deleted: bool = False
    delete_tried: bool = False
    # Bits of it were flipped in the store, so that it may be refused, and found otherwise there.
    damaged: bool = False


class Ledger:
    """All jobs by their request id, what was counted, and the violations."""

    def __init__(self) -> None:
        self.known: dict[str, Known] = {}
        self.by_job: dict[str, Known] = {}
        self.counts: Counter[str] = Counter()
        self.violations: list[str] = []

    def is_damaged(self, job_id: str) -> bool:
        """Whether bits of the job were flipped."""
        return job_id in self.by_job and self.by_job[job_id].damaged

    def violation(self, text: str) -> None:
        """Writes down a broken promise."""
        self.violations.append(text)

    def attempt(self, request_id: str, program: Program | None) -> Known:
        """A submission that is about to be made."""
        return self.known.setdefault(request_id, Known(request_id, program))

    def accepted(self, known: Known, job: job_pb2.Job, final_before: Status = _NONE) -> None:
        """A submission was acknowledged; for `final_before` see `seen`."""
        if not known.job_id:
            known.job_id = job.job_id
            self.counts["jobs"] += 1
            if self.by_job.setdefault(job.job_id, known) is not known:
                self.violation(f"job {job.job_id} was given to two requests")
        elif known.job_id != job.job_id:
            self.violation(f"request {known.request_id} made the jobs {known.job_id} and {job.job_id}")
        self.seen(known, job, final_before)

    def seen(self, known: Known, job: job_pb2.Job, final_before: Status) -> None:
        """A call has returned the job.

        `final_before` is the final status that was known when the call was made, or none. What another client
        hears of meanwhile may overtake the answer on its way.
        """
        if known.told and job.status in FINAL and job.sequence < max(known.told):
            self.violation(f"job {job.job_id}: final at {job.sequence}, after event {max(known.told)}")
        if job.status in FINAL:
            self.ended(known, job.status)
        elif final_before:
            self.violation(f"job {job.job_id}: {_NAME(job.status)} after {_NAME(final_before)}")

    def event(self, known: Known, event: job_pb2.Event) -> None:
        """A status event has reached a watcher."""
        self.counts["events"] += 1
        fact = (event.time.ToNanoseconds(), event.status.status, event.status.attempt)
        if known.told.setdefault(event.sequence, fact) != fact:
            self.violation(f"job {known.job_id}: event {event.sequence} was told in two ways")
        if event.status.status in FINAL:
            self.ended(known, event.status.status)

    def ended(self, known: Known, status: Status) -> None:
        """A final status was told."""
        if known.final and known.final != status:
            self.violation(f"job {known.job_id}: first {_NAME(known.final)}, then {_NAME(status)}")
        known.final = status
        if status == job_pb2.JOB_STATUS_ERROR:
            self.violation(f"job {known.job_id} ended in ERROR")
        if known.cancel_acknowledged and status != job_pb2.JOB_STATUS_CANCELLED:
            self.violation(f"job {known.job_id}: {_NAME(status)} after an acknowledged cancellation")
        if status == job_pb2.JOB_STATUS_CANCELLED and not known.cancel_tried:
            self.violation(f"job {known.job_id}: CANCELLED, which nobody asked for")

    def result(self, known: Known, result: result_pb2.Result) -> None:
        """A result has reached a client."""
        self.counts["results"] += 1
        if known.program is not None and essence(result) != known.program.expected:
            self.violation(f"job {known.job_id}: the result is not that of {known.program.name}")

    def check_store(self, directory: Path) -> None:
        """Compares everything with the files of a server that has ended."""
        connection = sqlite3.connect(directory / "jobs.sqlite3")
        # A damaged text needn't be one.
        connection.text_factory = lambda data: data.decode(errors="replace")
        try:
            (health,) = connection.execute("PRAGMA integrity_check").fetchone()
            if health != "ok":
                self.violation(f"the database is damaged: {health}")
            for request_id, number in connection.execute(
                "SELECT request_id, count(*) FROM jobs GROUP BY request_id"
                " HAVING count(*) > 1 OR request_id IS NULL"
            ):
                self.violation(f"request {request_id} has {number} jobs in the store")
            rows = connection.execute(
                "SELECT job_id, request_id, status, sequence, events, job, result_file, message_size,"
                " coalesce(result, (SELECT data FROM payloads WHERE payloads.job_id = jobs.job_id"
                " AND kind = 'result')) FROM jobs"
            )
            stored = {row[0] for row in rows if self._check_job(row, directory)}
        finally:
            connection.close()
        for job_id, known in self.by_job.items():
            if job_id not in stored and not known.delete_tried and not known.damaged:
                self.violation(f"job {job_id} was acknowledged, and is lost")

    def _check_job(self, row: tuple[Any, ...], directory: Path) -> bool:
        job_id, request_id, status, sequence, packed, job, file, message_size, message = row
        known = self.known.get(request_id)
        # One value of a damaged row is another: it may be either of these.
        if (known is not None and known.damaged) or self.is_damaged(job_id):
            return True
        if known is None:
            self.violation(f"job {job_id} of nobody")
            return True
        if known.deleted and known.job_id == job_id:
            self.violation(f"job {job_id} was deleted, and is there")
        if known.job_id and known.job_id != job_id:
            self.violation(f"request {request_id} made {known.job_id}, and {job_id} is stored")
        known.job_id = job_id
        events = _unpack(packed)
        self._check_events(known, events, sequence)
        if status not in FINAL or job_pb2.Job.FromString(job).status != status:
            self.violation(f"job {job_id} is stored as {_NAME(status)}")
            return True
        self.ended(known, status)
        if status == job_pb2.JOB_STATUS_DONE:
            data = (directory / "results" / file).read_bytes() if file else b""
            self._check_result(known, message or data[-message_size:], data)
        return True

    def _check_events(self, known: Known, events: list[job_pb2.Event], sequence: int) -> None:
        if [event.sequence for event in events] != list(range(1, sequence + 1)):
            self.violation(f"job {known.job_id}: its stored events have a gap")
            return
        before = _INITIAL
        for event in events:
            if event.status.status not in TRANSITIONS[before]:
                self.violation(f"job {known.job_id}: {_NAME(event.status.status)} follows {_NAME(before)}")
            before = event.status.status
        stored = {
            event.sequence: (event.time.ToNanoseconds(), event.status.status, event.status.attempt)
            for event in events
        }
        for number, fact in known.told.items():
            if stored.get(number) != fact:
                self.violation(f"job {known.job_id}: event {number} was told, and is not the stored one")

    def _check_result(self, known: Known, message: bytes, data: bytes) -> None:
        result = result_pb2.Result.FromString(message)
        self.result(known, result)
        start = 0
        for program in result.programs:
            for array in program.arrays:
                if not array.data:
                    part = data[start : start + array.size_bytes]
                    start += array.size_bytes
                    if len(part) != array.size_bytes or google_crc32c.value(part) != array.crc32c:
                        self.violation(f"job {known.job_id}: the file of its result is damaged")


def _unpack(packed: bytes) -> list[job_pb2.Event]:
    events, offset = [], 0
    while offset < len(packed):
        (size,) = _LENGTH.unpack_from(packed, offset)
        offset += _LENGTH.size
        events.append(job_pb2.Event.FromString(packed[offset : offset + size]))
        offset += size
    return events
