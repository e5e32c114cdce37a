"""Who gets in: the loop's side of a submission, around the checks and the commit that other threads make.

A call that is refused for whatever reason may be the repetition of one that was accepted and whose reply was
lost. So before a refusal leaves, the job of an earlier call with the same request id is looked for.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable
from typing import TypeAlias

from basicaer.service.config import Config
from basicaer.service.errors import ServiceError
from basicaer.service.execution._interface import GivenUpError, Patience, TakesLongError
from basicaer.service.store import JobStore
from basicaer.v1 import error_reason_pb2, job_pb2

from ._entry import JobEntry
from ._intake import Arrival, Intake, same_request, spec_hash
from ._refusals import RETRY_AFTER, draining, option_invalid
from ._registry import Registry
from ._scheduler import Scheduler
from ._tag import Tag
from ._threads import Threads

__all__ = ["Admission"]

_Check: TypeAlias = Callable[[Arrival, Patience | None], None]

_MAX_REQUEST_ID = 128
# Instructions and distinct operations of a small circuit.
_SMALL = 256


class Admission:
    """Lets jobs in, up to the limit of waiting ones, until it is shut."""

    def __init__(
        self, store: JobStore, intake: Intake, registry: Registry, scheduler: Scheduler, config: Config
    ) -> None:
        self._store = store
        self._intake = intake
        self._registry = registry
        self._scheduler = scheduler
        self._limit = config.max_queued_jobs
        self._limit_of_each = config.max_queued_jobs_per_principal
        self._max_check_time = config.max_check_time
        # Small circuits have a thread of their own: they don't wait for the parser, and one thread checks
        # many of them faster than several that take the interpreter's lock from each other. And long texts
        # have theirs, which only wait for parser processes, so that all else goes past them.
        self._small = Threads(1, "validation-small")
        self._threads = Threads(config.validation_workers, "validation")
        self._patient = Threads(config.validation_workers, "validation-long")
        # Calls that wait for their job's acceptance.
        self._arrivals: set[asyncio.Future[None]] = set()
        self._arrivals_of: Counter[str] = Counter()
        self._shut = False

    def shut(self) -> None:
        """Refuses new jobs from now on. Those that are being checked still get in."""
        self._shut = True

    def stop(self) -> None:
        """Refuses those too that are being checked, and ends the threads."""
        self._shut = True
        for future in self._arrivals:
            if not future.done():
                future.set_exception(draining())
        self._small.stop()
        self._threads.stop()
        self._patient.stop()

    async def admit(
        self, spec: job_pb2.JobSpec, request_id: str, principal: str
    ) -> tuple[JobEntry, bytes | None]:
        """Gets a job accepted: the job, and how it was then, serialized; or None when an earlier call had.

        Raises:
            ServiceError: As SubmitJob's comment lists.
        """
        if len(request_id) > _MAX_REQUEST_ID:
            raise option_invalid("request_id", f"A request id has at most {_MAX_REQUEST_ID} characters.")
        refusal = self._refusal(principal)
        if refusal is None:
            arrival = Arrival(spec, request_id, principal, asyncio.get_running_loop().create_future())
            try:
                await self._arrive(self._intake.accept, arrival)
            except ServiceError as error:
                refusal = error
            else:
                write = arrival.write
                assert write is not None
                if write.existing is not None:
                    job_id = same_request(write.existing, request_id, write.request_hash)
                    return await self._registry.find(job_id), None
                tag = write.tag
                assert isinstance(tag, Tag)
                assert tag.entry is not None
                return tag.entry, arrival.accepted
        existing = await self._store.find_request(principal, request_id) if request_id else None
        if existing is None:
            raise refusal
        request_hash = await asyncio.to_thread(spec_hash, spec)
        return await self._registry.find(same_request(existing, request_id, request_hash)), None

    async def check(self, spec: job_pb2.JobSpec) -> job_pb2.Job:
        """Checks a job, and lets it go again.

        Raises:
            ServiceError: As SubmitJob's comment lists.
        """
        arrival = Arrival(spec, "", "", asyncio.get_running_loop().create_future())
        await self._arrive(self._intake.check, arrival)
        assert arrival.job is not None
        return arrival.job

    async def _arrive(self, check: _Check, arrival: Arrival) -> None:
        self._arrivals.add(arrival.future)
        self._arrivals_of[arrival.principal] += 1
        try:
            threads = self._small if _is_small(arrival.spec) else self._threads
            threads.call(self._look, check, arrival)
            await arrival.future
        finally:
            arrival.spec = None
            self._arrivals.discard(arrival.future)
            self._arrivals_of[arrival.principal] -= 1
            if not self._arrivals_of[arrival.principal]:
                del self._arrivals_of[arrival.principal]

    def _look(self, check: _Check, arrival: Arrival) -> None:
        """On a thread: checks what takes a moment, and lets other threads check what takes longer."""
        try:
            check(arrival, None)
        except TakesLongError:
            self._patient.call(self._look_patiently, check, arrival)

    def _look_patiently(self, check: _Check, arrival: Arrival) -> None:
        # The future is cancelled when the caller goes away, and gets an error when the server stops.
        with contextlib.suppress(GivenUpError):
            check(arrival, Patience(arrival.future.done, self._max_check_time))

    def _refusal(self, principal: str) -> ServiceError | None:
        if self._shut:
            return draining()
        if self._scheduler.waiting_count + len(self._arrivals) >= self._limit:
            return _queue_full(
                f"{self._limit} jobs wait already, as many as the server allows; call again.",
                max_queued_jobs=self._limit,
            )
        own = self._scheduler.waiting_of(principal) + self._arrivals_of[principal]
        # Callers without a name aren't one caller.
        if principal and own >= self._limit_of_each:
            return _queue_full(
                f"{self._limit_of_each} of your jobs wait already, as many as the server allows each caller;"
                " call again.",
                max_queued_jobs_per_principal=self._limit_of_each,
            )
        return None


def _is_small(spec: job_pb2.JobSpec | None) -> bool:
    """Whether a spec is a small circuit, as far as shows at a glance."""
    if spec is None or len(spec.programs) != 1 or not spec.programs[0].HasField("circuit"):
        return False
    circuit = spec.programs[0].circuit
    return len(circuit.operations) + len(circuit.body.operations) <= _SMALL


def _queue_full(message: str, **limit: int) -> ServiceError:
    return ServiceError(
        error_reason_pb2.ERROR_REASON_QUEUE_FULL,
        message,
        metadata={name: str(value) for name, value in limit.items()},
        retry_after=RETRY_AFTER,
    )
