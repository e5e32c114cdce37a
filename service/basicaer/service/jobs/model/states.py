"""The state machine of a job: which status may follow which. Nothing else decides it.

INITIALIZING ─→ QUEUED ─→ RUNNING ─→ DONE | ERROR | CANCELLED
                  │  ↑ ↖      │
                  │  │   ─────┘  the server stopped in the middle
                  ↓  │
               VALIDATING        its programs are not in memory any more (→ RUNNING, ERROR, CANCELLED)
"""

from __future__ import annotations

from collections.abc import Mapping

from basicaer.v1 import job_pb2
from basicaer.v1.job_pb2 import JobStatus

__all__ = [
    "CANCELLED",
    "DONE",
    "ERROR",
    "FINAL",
    "QUEUED",
    "RUNNING",
    "TRANSITIONS",
    "VALIDATING",
    "check",
    "name_of",
]

INITIALIZING = job_pb2.JOB_STATUS_INITIALIZING
QUEUED = job_pb2.JOB_STATUS_QUEUED
VALIDATING = job_pb2.JOB_STATUS_VALIDATING
RUNNING = job_pb2.JOB_STATUS_RUNNING
CANCELLED = job_pb2.JOB_STATUS_CANCELLED
DONE = job_pb2.JOB_STATUS_DONE
ERROR = job_pb2.JOB_STATUS_ERROR

TRANSITIONS: Mapping[JobStatus.ValueType, frozenset[JobStatus.ValueType]] = {
    INITIALIZING: frozenset({QUEUED}),
    # Waiting. CANCELLED by its caller; ERROR when it was started too often or fits the server no more.
    QUEUED: frozenset({VALIDATING, RUNNING, CANCELLED, ERROR}),
    # Its stored programs are read again. QUEUED when the server stopped meanwhile.
    VALIDATING: frozenset({QUEUED, RUNNING, CANCELLED, ERROR}),
    # QUEUED when the server stopped meanwhile; the next attempt follows.
    RUNNING: frozenset({QUEUED, DONE, ERROR, CANCELLED}),
    CANCELLED: frozenset(),
    DONE: frozenset(),
    ERROR: frozenset(),
}

FINAL = frozenset(status for status, following in TRANSITIONS.items() if not following)


def name_of(status: JobStatus.ValueType) -> str:
    """Return a status as people and programs read it, without the contract's prefix."""
    return JobStatus.Name(status).removeprefix("JOB_STATUS_")


def check(status: JobStatus.ValueType, following: JobStatus.ValueType) -> None:
    """Refuses a transition that isn't in the table, which would be a defect of ours.

    Raises:
        RuntimeError: It isn't.
    """
    if following not in TRANSITIONS[status]:
        raise RuntimeError(f"a job can't go from {JobStatus.Name(status)} to {JobStatus.Name(following)}")
