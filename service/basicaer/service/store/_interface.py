"""What a store and the jobs layer give each other: the records, the writes, and a result that is read.

A store keeps bytes and a few columns to find them by; what a job is and what may become of it is the jobs
layer's. Writes are objects that are handed over, committed in groups, and handed back through one listener,
so that a job costs neither a future nor a thread hop of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from basicaer.service.errors import ServiceError

__all__ = [
    "Barrier",
    "DamagedJob",
    "DeleteJob",
    "ExistingJob",
    "InsertJob",
    "JobFilter",
    "JobRecord",
    "Listener",
    "Observer",
    "Probe",
    "Reclaim",
    "StagedResult",
    "StoredResult",
    "SweepJob",
    "UpdateJob",
    "Write",
]


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job as it is stored."""

    job_id: str
    # Who submitted it.
    principal: str
    # A number of JobStatus.
    status: int
    # The sequence of its last event.
    sequence: int
    # How often it was started.
    attempt: int
    # How often the server died while it was being read or run.
    crashes: int
    # The reason given to CancelJob; None as long as it wasn't called.
    cancel_reason: str | None
    # The serialized Job, without what passes (queue position, progress).
    job: bytes
    # Its durable events that are kept, as the jobs layer packs them.
    events: bytes
    # Of a store that several servers share: how often the job has changed hands, and whether a server has it.
    fence: int = 0
    owned: bool = False


@dataclass(frozen=True, slots=True)
class DamagedJob:
    """A job of which something isn't as it was stored."""

    job_id: str
    # Who submitted it; None when that is damaged too.
    principal: str | None


@dataclass(frozen=True, slots=True)
class ExistingJob:
    """The job that has a request id already."""

    job_id: str
    request_hash: bytes


@dataclass(frozen=True, slots=True)
class StagedResult:
    """A result that is ready to be committed with its job's final status.

    What didn't fit in the database lies in a synced file, which counts only once the update is committed.
    """

    # The serialized Result; None when it lies in the file.
    message: bytes | None
    # The file's name; None when there is none.
    file: str | None
    # The bytes of the serialized Result at the file's end; 0 when it isn't there.
    message_size: int
    # The bytes of the parts and of that; 0 when there is no file.
    file_bytes: int = 0


class StoredResult(Protocol):
    """A committed result, opened for reading. Its methods may be called from any thread, and block."""

    @property
    def message(self) -> bytes:
        """The serialized Result."""

    def read(self, offset: int, size: int) -> bytes:
        """Bytes of the parts, which lie one behind the other in the order of their descriptions.

        Fewer than asked for only when the stored data ends before.
        """

    def read_checked(self, offset: int, size: int) -> bytes:
        """Return the same, after a comparison with the checksums that were stored with them.

        Raises:
            ServiceError: CHECKSUM_MISMATCH.
        """

    def close(self) -> None:
        """Give it back. Idempotent."""


@dataclass(slots=True, kw_only=True)
class _WriteBase:
    # The caller's own, handed back to the listener untouched.
    tag: object = None
    # Set by the store, before the listener is called: why the write wasn't committed.
    error: ServiceError | None = None


@dataclass(slots=True, kw_only=True)
class InsertJob(_WriteBase):
    """A new job, unless its (principal, request id) exists. It may have run already, see `final`."""

    job_id: str
    principal: str
    # None never collides.
    request_id: str | None
    request_hash: bytes
    backend_name: str
    # Nanoseconds since the epoch.
    create_time: int
    status: int
    labels: Mapping[str, str]
    job: bytes
    events: bytes
    # None for a final job, which isn't run again.
    spec: bytes | memoryview | None
    sequence: int = 1
    attempt: int = 0
    # Whether the status is final, and then what `UpdateJob` says of these.
    final: bool = False
    result: StagedResult | None = None
    sweep_time: int | None = None
    # On how many nodes it runs, and the memory that it needs on all of them together.
    nodes: int = 1
    required_bytes: int = 0
    # Set by the store: the job that was there before, in which case nothing was inserted.
    existing: ExistingJob | None = None


@dataclass(slots=True, kw_only=True)
class UpdateJob(_WriteBase):
    """A live job's newer state. It holds all of it, so a later update makes an earlier one needless."""

    job_id: str
    status: int
    sequence: int
    attempt: int
    crashes: int
    cancel_reason: str | None
    job: bytes
    events: bytes
    # Whether the status is final: the spec is then removed.
    final: bool = False
    result: StagedResult | None = None
    # For a final job: when the sweeper has something to do, in nanoseconds since the epoch; None for never.
    sweep_time: int | None = None
    # Whether it may wait some milliseconds for a later update that makes it needless. The listener isn't told
    # of those that were.
    lazy: bool = False
    # Of a store that several servers share: under which fence it is written, and whether the job is then
    # nobody's again.
    fence: int = 0
    released: bool = False
    # Set by the store: False when the stored job is final already or of a later attempt, or has another
    # fence, so nothing was changed.
    applied: bool = True
    # Set by the store, when nothing was changed because the job's cancellation, of which this update knows
    # nothing, was acknowledged before: its reason.
    cancelled_for: str | None = None


@dataclass(slots=True, kw_only=True)
class SweepJob(_WriteBase):
    """A final job's leftovers, thinned."""

    job_id: str
    events: bytes
    sweep_time: int | None
    drop_result: bool
    # The serialized Job, when it says something new: that its result has gone before its time.
    job: bytes | None = None
    # Whether nothing but the sweep time changes, since the job is damaged.
    set_aside: bool = False


@dataclass(slots=True, kw_only=True)
class DeleteJob(_WriteBase):
    """A final job's end, with all that belongs to it."""

    job_id: str
    # Whether it goes whatever its status is, which may be damaged.
    damaged: bool = False
    # Set by the store: False when there is no such final job.
    applied: bool = True


@dataclass(slots=True, kw_only=True)
class Reclaim(_WriteBase):
    """Gives some of the room that was freed back to the file system, where the store can do that."""

    # Set by the store: whether there is more to give back.
    more: bool = False


@dataclass(slots=True, kw_only=True)
class Barrier(_WriteBase):
    """Changes nothing, and never fails. It comes back after all that was handed over before it."""


@dataclass(slots=True, kw_only=True)
class Probe(_WriteBase):
    """Changes nothing, but is committed as all others are: it fails when they would."""


Write: TypeAlias = InsertJob | UpdateJob | SweepJob | DeleteJob | Reclaim | Barrier | Probe
Listener: TypeAlias = Callable[[Sequence[Write]], None]
# Told of each group: the seconds that it took, its writes, and how many of them failed.
Observer: TypeAlias = Callable[[float, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilter:
    """Which jobs to list. Empty parts don't filter. Times are in nanoseconds since the epoch."""

    statuses: tuple[int, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    backend_name: str = ""
    # Only this principal's jobs; None for everybody's.
    principal: str | None = None
    create_time_from: int | None = None
    create_time_before: int | None = None
    # Only jobs whose id sorts at or after, and before these; they may be beginnings of ids.
    from_job_id: str | None = None
    before_job_id: str | None = None
