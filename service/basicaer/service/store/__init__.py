"""Where jobs, events and results are kept: an interface, SQLite behind it, and PostgreSQL."""

from basicaer.service.store._choice import database_setting, migrate_store, new_store
from basicaer.service.store._interface import (
    Barrier,
    DamagedJob,
    DeleteJob,
    ExistingJob,
    InsertJob,
    JobFilter,
    JobRecord,
    Listener,
    Probe,
    Reclaim,
    StagedResult,
    StoredResult,
    SweepJob,
    UpdateJob,
    Write,
)
from basicaer.service.store._shared import (
    Capacity,
    Claim,
    Front,
    Load,
    Member,
    News,
    Seen,
    SharedStore,
    Waiting,
)
from basicaer.service.store._store import JobStore
from basicaer.service.store._sums import damaged
from basicaer.service.store.moving.report import MoveReport
from basicaer.service.store.sqlite import SQLiteStore, StoreReport, check_store, obstacle, user_name

__all__ = [
    "Barrier",
    "Capacity",
    "Claim",
    "DamagedJob",
    "DeleteJob",
    "ExistingJob",
    "Front",
    "InsertJob",
    "JobFilter",
    "JobRecord",
    "JobStore",
    "Listener",
    "Load",
    "Member",
    "MoveReport",
    "News",
    "Probe",
    "Reclaim",
    "SQLiteStore",
    "Seen",
    "SharedStore",
    "StagedResult",
    "StoreReport",
    "StoredResult",
    "SweepJob",
    "UpdateJob",
    "Waiting",
    "Write",
    "check_store",
    "damaged",
    "database_setting",
    "migrate_store",
    "new_store",
    "obstacle",
    "user_name",
]
