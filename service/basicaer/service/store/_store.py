"""What the jobs layer asks of a store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from basicaer.service.store._interface import (
    DamagedJob,
    ExistingJob,
    JobFilter,
    JobRecord,
    Listener,
    StagedResult,
    StoredResult,
    Write,
)
from basicaer.service.store._shared import SharedStore

__all__ = ["JobStore"]


class JobStore(Protocol):
    """Keeps jobs durably. All methods may be called from any thread; those without `async` block, except
    `write`.
    """

    @property
    def remote(self) -> bool:
        """Whether it may go away while nothing is written, so that somebody should ask now and then."""

    @property
    def shared(self) -> SharedStore | None:
        """What the servers that share it ask of it; None when it is one server's alone."""

    def open(self, listener: Listener) -> None:
        """Open or make the store, and remove what a crash left half-done.

        `listener` is called once for each group of committed (or failed) writes, in the order in which they
        were handed over, on the store's own thread. It must be quick and must not raise.

        Raises:
            DataDirectoryError: It is in use by another process, can't be reached, or isn't a store of this
                version.
        """

    def close(self) -> None:
        """Commit what was handed over, then let go of everything. Idempotent."""

    def write(self, write: Write) -> None:
        """Hands a write over, and returns at once."""

    def stage_result(
        self, job_id: str, attempt: int, message: Sequence[bytes], parts: Sequence[memoryview]
    ) -> StagedResult:
        """Make a result ready for `UpdateJob.result`; its files are synced when this returns. The message is
        in pieces.

        Raises:
            StoreBusyError: There is no room for it now.
            ServiceError: RESULT_TOO_LARGE: there never is.
        """

    def discard_result(self, staged: StagedResult) -> None:
        """Remove a staged result that will not be committed."""

    def live_jobs(self) -> Sequence[JobRecord | DamagedJob]:
        """All jobs that aren't final, the oldest first.

        Raises:
            DataDirectoryError: They can't be read.
        """

    def load_spec(self, job_id: str) -> bytes | None:
        """Return a live job's serialized spec; None when the job is final or gone.

        Raises:
            ServiceError: CHECKSUM_MISMATCH.
        """

    async def find(self, job_id: str) -> JobRecord | DamagedJob | None:
        """Return a job."""

    async def find_request(self, principal: str, request_id: str) -> ExistingJob | None:
        """Return the job that was made by a request id.

        Raises:
            ServiceError: CHECKSUM_MISMATCH.
        """

    async def list_jobs(
        self, job_filter: JobFilter, limit: int, most_bytes: int
    ) -> Sequence[JobRecord | DamagedJob]:
        """Return the newest `limit` jobs that pass the filter, the newest first; none after the one, of two
        or more, with which their serialized Jobs take more than `most_bytes`.
        """

    async def due_jobs(self, now: int, limit: int) -> Sequence[JobRecord | DamagedJob]:
        """Return final jobs whose sweep time has come; `now` is in nanoseconds since the epoch."""

    async def used_bytes(self) -> tuple[int, int]:
        """How much room jobs and small results take, and how much the files of large results do."""

    async def oldest_files(self, limit: int) -> Sequence[JobRecord | DamagedJob]:
        """Return the oldest jobs that have a result's file."""

    async def old_jobs(self, before_job_id: str, limit: int) -> Sequence[JobRecord | DamagedJob]:
        """Return the oldest final jobs whose ids sort before this."""

    async def open_result(self, job_id: str) -> StoredResult | None:
        """Return a job's result; None when it has none (any more).

        Raises:
            ServiceError: CHECKSUM_MISMATCH: its file is missing.
        """
