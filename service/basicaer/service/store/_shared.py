"""What the servers that share a store ask of it, beside what one alone does: who else is there, which jobs
are theirs, and what the others have done.

A server has a lease of some seconds, which it renews; what it runs is its own as long as that lasts. Each
time that a job changes hands its fence grows, and every write of a run names the fence under which it runs:
so whoever was taken for dead, and isn't, changes nothing any more.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from basicaer.service.store._interface import DamagedJob, JobRecord, UpdateJob

__all__ = ["Capacity", "Claim", "Front", "Load", "Member", "News", "Seen", "SharedStore", "Waiting"]


class Claim(NamedTuple):
    """A job that is this server's from now on, under its record's fence."""

    record: JobRecord | DamagedJob
    job_id: str
    fence: int


class Seen(NamedTuple):
    """What is known of a job: the sequence of its last event, whether its cancellation was asked for, and the
    fence of who has it here, or -1 when it is somebody else's.
    """

    sequence: int
    cancelled: bool
    fence: int = -1


class Capacity(NamedTuple):
    """What one job may take of a server: memory on each of so many nodes, and on all of them."""

    node_bytes: int
    max_nodes: int
    bytes: int


class Front(NamedTuple):
    """The job that waits longest of those that a server could ever run."""

    job_id: str
    required_bytes: int


class Load(NamedTuple):
    """What a server runs now, and on which machines beside its own, as in `Member`."""

    running: int
    running_bytes: int
    nodes: bytes = b""


class Waiting(NamedTuple):
    """How many jobs wait, of all callers and of each."""

    all: int
    of: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A server. `number`, `seconds` and what it runs are the store's to say."""

    # "serve" takes calls, and may run jobs; "work" runs jobs alone.
    role: str
    name: str
    # HOST:PORT where it takes calls; "" when it takes none.
    address: str
    version: str
    # Jobs that it runs at once, 0 when it runs only quick ones; the memory that all of them may take, and on
    # how many nodes one may run.
    workers: int
    memory_bytes: int
    max_nodes: int = 1
    running: int = 0
    running_bytes: int = 0
    # A serialized basicaer.v1.Member that has the machines of its cluster, and nothing else.
    nodes: bytes = b""
    number: int = 0
    # For how long it has been there.
    seconds: float = 0.0


class News(Protocol):
    """Whoever hears what happens. All are called on the store's own thread, must be quick and not raise."""

    def changed(self, job_ids: Sequence[str]) -> None:
        """Hear of jobs whose stored state another server has changed, or removed."""

    def passing(self, job_id: str, progress: bytes) -> None:
        """Hear how far a job is that another server runs, as a serialized Progress."""

    def waiting(self) -> None:
        """Hear that jobs wait that waited not before."""

    def missed(self) -> None:
        """Hear that there may have been news that weren't heard."""

    def joined(self, number: int) -> None:
        """Hear that this server has a lease, under a number that it has not had before."""

    def lost(self) -> None:
        """Hear that the lease has ended, or is about to and can't be renewed: nothing that this server runs
        is certain to be its own any more.
        """


class SharedStore(Protocol):
    """See the module. Those methods that are coroutines may be awaited on any loop, and raise STORE_BUSY."""

    @property
    def number(self) -> int:
        """Under which number this server has its lease; 0 when it has none."""

    @property
    def doubtful(self) -> bool:
        """Whether the store was away a moment ago, so that other servers can't have renewed their leases."""

    def join(self, member: Member, load: Callable[[], Load], news: News) -> None:
        """Take a lease, and keep it until `leave`; `load` is asked on the store's thread."""

    async def leave(self) -> None:
        """Give back what has not begun, and the lease."""

    async def members(self) -> Sequence[Member]:
        """Return the servers that have a lease, the longest first."""

    async def claim(self, capacity: Capacity, free_bytes: int, most: int) -> Sequence[Claim]:
        """Take up to so many of the jobs that wait, which a server of this capacity can run and which need no
        more memory than is free together, in their order; none without a lease.
        """

    async def orphans(self, most: int) -> Sequence[Claim]:
        """Take up to so many of the jobs whose server has no lease any more."""

    async def mine(self) -> Sequence[Claim]:
        """Return the jobs that are this server's."""

    async def release(self, claims: Collection[tuple[str, int]]) -> None:
        """Let go of jobs, by their ids and fences, that go back to where they waited."""

    async def front(self, capacity: Capacity) -> Front | None:
        """Return the first job that waits and that a server of this capacity can run."""

    async def amend(self, seen: JobRecord, update: UpdateJob) -> bool:
        """Write a state that was made of `seen`, whoever has the job; False when it has another state, or
        other hands, by now.
        """

    async def newer(self, seen: Mapping[str, Seen]) -> tuple[Sequence[JobRecord | DamagedJob], set[str]]:
        """Return those of these jobs that have changed since they were seen so; and which aren't there any
        more.
        """

    async def positions(self, job_ids: Collection[str]) -> Mapping[str, int]:
        """How many jobs are before each of these that waits."""

    async def waiting(self) -> Waiting:
        """Count the jobs that wait."""

    async def remove_strays(self) -> None:
        """Remove what servers have staged, and didn't commit, whose lease has ended."""

    def tell_progress(self, progress: Mapping[str, bytes]) -> None:
        """Tell the other servers how far jobs are, soon; this is not kept. Thread-safe."""
