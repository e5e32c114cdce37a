"""The feed of what is committed, by which readers hear of jobs: of what this process has committed itself.
What other servers on the same store have is told by `sharing`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from basicaer.service.errors import ServiceError
from basicaer.service.jobs.model.entry import JobEntry
from basicaer.service.store import Barrier, DeleteJob, InsertJob, UpdateJob

__all__ = ["CommitListener", "CommittedFeed"]

_WriteT = TypeVar("_WriteT", Barrier, DeleteJob)


class CommitListener(Protocol):
    """Whoever wants to know. `waiting` is called on any thread, the rest on the event loop."""

    def waiting(self, entries: Sequence[JobEntry]) -> None:
        """Hear that new jobs were committed that are to be run: told first, so that they can start at
        once.
        """

    def committed(self, entry: JobEntry, write: InsertJob | UpdateJob) -> None:
        """Hear that a job's state is durable: its first, or one that is newer than all that were told of
        it.
        """

    def refused(self, entry: JobEntry, write: InsertJob) -> None:
        """Hear that a new job is none: it couldn't be committed, or its request id has a job already."""

    def lost(self, entry: JobEntry, write: UpdateJob, error: ServiceError) -> None:
        """Hear that an update was not taken: the job's stored state is damaged or gone, so nothing more will
        be told of it; or, where servers share a store, another one has decided about the job.
        """


class CommittedFeed(Protocol):
    """Tells what became of the writes that were handed to a store, each of which has its `Recipients`.

    - Nothing is told before it is durable, and each job's states come in their order.
    - An update that fails comes again until it, or a newer one, is committed; unless a thread waits for it.
    - Who waits for a write hears of it after the listener, in the order of the writes.
    - A listener that fails at one write hears of the next ones all the same.
    """

    async def open(self, listener: CommitListener) -> None:
        """Open the store, and tell from now on, on this event loop.

        Raises:
            DataDirectoryError: Another server uses the store, or it isn't one of ours.
        """

    async def commit(self, write: _WriteT) -> _WriteT:
        """Hands a write over, and waits until it is committed.

        Raises:
            ServiceError: STORE_BUSY: it couldn't be.
        """
