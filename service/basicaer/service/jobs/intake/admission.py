"""Who gets in: the loop's side of a submission, around the checks and the commit that other threads make.

A call that is refused for whatever reason may be the repetition of one that was accepted and whose reply was
lost. So before a refusal leaves, the job of an earlier call with the same request id is looked for.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import TypeAlias

from basicaer.service.config import Config
from basicaer.service.errors import ServiceError, option_invalid, queue_full
from basicaer.service.execution._interface import GivenUpError, Patience, TakesLongError
from basicaer.service.housekeeping import short_turns
from basicaer.service.jobs._registry import Registry
from basicaer.service.jobs.intake.arrivals import Arrivals
from basicaer.service.jobs.intake.intake import Arrival, Intake, same_request
from basicaer.service.jobs.intake.threads import Threads
from basicaer.service.jobs.model.entry import JobEntry
from basicaer.service.jobs.model.recipients import Recipients
from basicaer.service.jobs.model.refusals import draining
from basicaer.service.jobs.queue.interface import Backlog
from basicaer.service.store import JobStore
from basicaer.service.vital import Vital
from basicaer.service.wire import WireSpec
from basicaer.v1 import job_pb2

__all__ = ["Admission"]

_Check: TypeAlias = Callable[[Arrival, Patience | None], None]

_MAX_REQUEST_ID = 128
# Bytes of objects that a byte of a large spec makes, while it is checked.
_OBJECTS_PER_BYTE = 100


class Admission:
    """Lets jobs in, up to the limit of waiting ones, until it is shut."""

    def __init__(
        self,
        store: JobStore,
        intake: Intake,
        registry: Registry,
        backlog: Backlog,
        config: Config,
        vital: Vital,
        arrivals: Arrivals,
    ) -> None:
        self._store = store
        self._intake = intake
        self._registry = registry
        self._backlog = backlog
        self._limit = config.max_queued_jobs
        self._limit_of_each = config.max_queued_jobs_per_principal
        self._max_check_time = config.max_check_time
        # Small circuits have a thread of their own: they don't wait for the parser, and one thread checks
        # many of them faster than several that take the interpreter's lock from each other. And what takes
        # long has others: texts, which only wait for parser processes, and large circuits.
        self._small = Threads(1, "validation-small", vital)
        self._threads = Threads(config.validation_workers, "validation", vital)
        self._patient = Threads(config.validation_workers, "validation-long", vital)
        self._arrivals = arrivals
        # On the wire, of the large specs that are being checked.
        self.large_bytes = 0
        # The arrivals that threads check which may take long.
        self._long_checks: set[int] = set()
        self._shut = False

    def start(self) -> None:
        """Start the threads."""
        for threads in (self._small, self._threads, self._patient):
            threads.start()

    def shut(self) -> None:
        """Refuses new jobs from now on. Those that are being checked still get in."""
        self._shut = True

    def stop(self) -> None:
        """Refuses those too that are being checked, and ends the threads."""
        self._shut = True
        self._arrivals.refuse(draining())
        self._small.stop()
        self._threads.stop()
        self._patient.stop()

    async def admit(self, spec: WireSpec, request_id: str, principal: str) -> tuple[JobEntry, bytes | None]:
        """Get a job accepted: the job, and how it was then, serialized; or None when an earlier call had.

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
                assert isinstance(tag, Recipients)
                assert tag.entry is not None
                return tag.entry, arrival.accepted
        existing = await self._store.find_request(principal, request_id) if request_id else None
        if existing is None:
            raise refusal
        request_hash = await asyncio.to_thread(spec.identity)
        return await self._registry.find(same_request(existing, request_id, request_hash)), None

    async def check(self, spec: WireSpec) -> job_pb2.Job:
        """Check a job, and let it go again.

        Raises:
            ServiceError: As SubmitJob's comment lists.
        """
        arrival = Arrival(spec, "", "", asyncio.get_running_loop().create_future())
        await self._arrive(self._intake.check, arrival)
        assert arrival.job is not None
        return arrival.job

    @property
    def long_checks(self) -> int:
        """How many jobs are being checked that may take long."""
        return len(self._long_checks)

    async def _arrive(self, check: _Check, arrival: Arrival) -> None:
        spec = arrival.spec
        assert spec is not None
        large = _OBJECTS_PER_BYTE * spec.size if spec.is_large and not spec.is_apart else 0
        self.large_bytes += large
        try:
            with self._arrivals.one(arrival.principal, arrival.future):
                self._start(check, arrival, spec)
                await arrival.future
        finally:
            self.large_bytes -= large
            arrival.spec = None

    def _start(self, check: _Check, arrival: Arrival, spec: WireSpec) -> None:
        """Lets a thread check it, as what the spec has on the wire says that may take."""
        if spec.is_large:
            self._patient.call(self._look_patiently, check, arrival)
        else:
            threads = self._small if spec.is_small else self._threads
            threads.call(self._look, check, arrival)

    def _look(self, check: _Check, arrival: Arrival) -> None:
        """On a thread: checks what takes a moment, and lets other threads check what takes longer."""
        try:
            check(arrival, None)
        except TakesLongError:
            self._patient.call(self._look_patiently, check, arrival)

    def _look_patiently(self, check: _Check, arrival: Arrival) -> None:
        # The future is cancelled when the caller goes away, and gets an error when the server stops.
        self._long_checks.add(id(arrival))
        try:
            with short_turns(), contextlib.suppress(GivenUpError):
                check(arrival, Patience(arrival.future.done, self._max_check_time, self._arrivals.others))
        finally:
            self._long_checks.discard(id(arrival))

    def _refusal(self, principal: str) -> ServiceError | None:
        if self._shut:
            return draining()
        if self._backlog.waiting_count + len(self._arrivals) >= self._limit:
            return queue_full(
                f"{self._limit} jobs wait already, as many as the server allows; call again.",
                max_queued_jobs=self._limit,
            )
        own = self._backlog.waiting_of(principal) + self._arrivals.of(principal)
        # Callers without a name aren't one caller.
        if principal and own >= self._limit_of_each:
            return queue_full(
                f"{self._limit_of_each} of your jobs wait already, as many as the server allows each caller;"
                " call again.",
                max_queued_jobs_per_principal=self._limit_of_each,
            )
        return None
