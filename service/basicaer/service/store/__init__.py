"""Where jobs, events and results are kept: an interface, and SQLite behind it."""

from ._interface import (
    Barrier,
    DeleteJob,
    ExistingJob,
    InsertJob,
    JobFilter,
    JobRecord,
    JobStore,
    Listener,
    Probe,
    Reclaim,
    StagedResult,
    StoredResult,
    SweepJob,
    UpdateJob,
    Write,
)
from ._sqlite import SQLiteStore

__all__ = [
    "Barrier",
    "DeleteJob",
    "ExistingJob",
    "InsertJob",
    "JobFilter",
    "JobRecord",
    "JobStore",
    "Listener",
    "Probe",
    "Reclaim",
    "SQLiteStore",
    "StagedResult",
    "StoredResult",
    "SweepJob",
    "UpdateJob",
    "Write",
]
