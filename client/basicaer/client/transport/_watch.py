"""How to wait for a job, without doing any of it: the flow that the sync and the asyncio client both follow.

`WatchFlow.run` is a generator. It yields commands (open a stream, ask by long poll, receive, close) that its
driver carries out, and notices that are for the caller. It holds the cursor, the deadline, the backoff and
the choice between stream and long poll, so each of these exists once and can be tested without a network.

    stream ── breaks, ends early, falls silent ──▶ pause ──▶ stream again, after the last sequence seen
       └─ not offered, or broke three times on end ──▶ long poll, and a stream again after some answers,
                                                     or at once when an answer would leave out events
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from basicaer.client import _errors as errors
from basicaer.client._status import JobEvent, JobStatus, event_from_job, event_from_message
from basicaer.client._times import seconds_from_message
from basicaer.client.transport._retry import Backoff, Deadline
from basicaer.v1 import job_pb2, job_service_pb2
from google.protobuf import duration_pb2

__all__ = [
    "HEARTBEAT",
    "Ask",
    "Close",
    "Command",
    "Ended",
    "Failed",
    "Notice",
    "Open",
    "Receive",
    "Reply",
    "Tick",
    "WatchFlow",
    "duration",
]

# The server is to speak this often (seconds), and is taken for dead after so much more silence.
HEARTBEAT = 15.0
GRACE = 10.0
# Whatever a server says, a stream that is silent for longer is no use.
LONGEST_SILENCE = 3600.0
# A long poll's length: shorter than the 30 s after which common proxies cut an idle call.
LONG_POLL = 20.0
# Streams that may fail in a row before GetJob is tried instead.
STREAM_FAILURES = 3
# Answers of GetJob that are left aside because they leave out events, and a stream is tried instead. It would
# have to fail so often right after the server has answered, so it isn't a restart that breaks it.
DOUBTS = 5
# A failure that says the server is at fault, rather than away, is retried so many times in a row.
FAULTS = 5


@dataclass(frozen=True, slots=True)
class Open:
    """Command: begin this stream, dropping any earlier one."""

    request: job_service_pb2.WatchJobRequest
    timeout: float | None


@dataclass(frozen=True, slots=True)
class Ask:
    """Command: begin this long poll, dropping any earlier call."""

    request: job_service_pb2.GetJobRequest
    timeout: float


@dataclass(frozen=True, slots=True)
class Receive:
    """Command: reply with what comes next, or with None after so many seconds (never, when None)."""

    timeout: float | None


@dataclass(frozen=True, slots=True)
class Close:
    """Command: drop the stream or the long poll."""


@dataclass(frozen=True, slots=True)
class Ended:
    """Reply: the stream ended with OK."""


@dataclass(frozen=True, slots=True)
class Failed:
    """Reply: the stream or the long poll failed."""

    error: errors.BasicAerError


@dataclass(frozen=True, slots=True)
class Tick:
    """For the caller: the agreed time has passed in a status that isn't final."""

    status: JobStatus


# For the caller: an event, or a tick.
Notice = JobEvent | Tick
Command = Open | Ask | Receive | Close | JobEvent | Tick
Reply = job_service_pb2.WatchJobResponse | job_service_pb2.GetJobResponse | Ended | Failed | None


class WatchFlow:
    """One wait for one job, from its present state, or from a cursor, to its final event.

    `after_sequence` None begins with the present state; a number replays the durable events after it, and
    `strict` says whether it's an error that they are no longer all kept. With `begun`, the driver has a
    stream open already, which has told of this job, and the flow begins with its events. `tick` is how many
    seconds may pass between two notices of a status that isn't final; None asks for no ticks. `max_outage` is
    for how many seconds the server may be out of reach.
    """

    def __init__(
        self,
        job_id: str,
        deadline: Deadline,
        *,
        after_sequence: int | None = None,
        strict: bool = False,
        tick: float | None = None,
        max_outage: float | None = None,
        backoff: Backoff | None = None,
        begun: job_pb2.Job | None = None,
    ) -> None:
        self._job_id = job_id
        self._begun = begun
        self._deadline = deadline
        self._cursor = after_sequence
        self._strict = strict
        self._tick = tick
        self._max_outage = max_outage
        self._backoff = backoff or Backoff()
        self._sequence = after_sequence or 0
        self._status: JobStatus | None = None
        self._tick_at = Deadline(tick)
        self._outage = Deadline(max_outage)
        self._streams = True
        self._stream_failures = 0
        self._faults = 0
        self._doubts = 0
        self._asks_before_stream = 2
        self._last_error: errors.BasicAerError | None = None

    def run(self) -> Generator[Command, Reply, None]:
        """Yield commands and notices until the job is final.

        Raises:
            JobTimeoutError: After `max_outage`, and whatever can't be mended by trying again, such as
                JobNotFoundError and ProtocolError.
            ServerUnavailableError: After `max_outage`, and whatever can't be mended by trying again, such as
                JobNotFoundError and ProtocolError.
        """
        while True:
            by_stream = self._streams and self._stream_failures < STREAM_FAILURES
            final = yield from (self._stream() if by_stream else self._long_poll())
            if final:
                return
            yield Close()
            yield from self._wait(
                self._backoff.pause(self._last_error.retry_after if self._last_error else None)
            )

    def _stream(self) -> Generator[Command, Reply, bool]:
        """Follows one stream to its end; returns whether the job is final."""
        snapshot, self._begun = self._begun, None
        if snapshot is None:
            request = job_service_pb2.WatchJobRequest(
                job_id=self._job_id, heartbeat_interval=duration(HEARTBEAT), after_sequence=self._cursor
            )
            yield Open(request, self._deadline.remaining())
        elif (yield from self._adopt(snapshot)):
            return True
        silence = HEARTBEAT + GRACE
        while True:
            reply = yield from self._receive(silence)
            match reply:
                case job_service_pb2.WatchJobResponse():
                    self._outage = Deadline(self._max_outage)
                    if reply.HasField("job"):
                        snapshot = reply.job
                        if self._cursor is None and (yield from self._adopt(snapshot)):
                            return True
                    if reply.HasField("event"):
                        if reply.event.HasField("heartbeat"):
                            interval = seconds_from_message(reply.event.heartbeat.interval, LONGEST_SILENCE)
                            silence = max(interval, HEARTBEAT) + GRACE
                        if not self._follows(reply.event):
                            return False
                        if (yield from self._event(reply.event)):
                            return True
                case Ended():
                    if snapshot is not None and self._ends_with(snapshot):
                        return (yield from self._adopt(snapshot))
                    self._stream_failed(None)
                    return False
                case Failed(error):
                    self._stream_failed(error)
                    return False
                case _:
                    self._stream_failed(
                        errors.CallTimeoutError(f"The server was silent for {silence:.0f} s.")
                    )
                    return False

    def _ends_with(self, snapshot: job_pb2.Job) -> bool:
        """Whether a stream that ended with this first message, without a final event, ends the wait."""
        if event_from_job(snapshot).status not in _FINAL:
            return False
        # Nothing was to come; or what was to come never does, and the job itself says how it ended.
        if snapshot.sequence <= self._sequence:
            return True
        return self._stream_failures == STREAM_FAILURES - 1 and not self._leaves_out(snapshot)

    def _long_poll(self) -> Generator[Command, Reply, bool]:
        """Ask by GetJob when streams don't work; return whether the job is final."""
        asks = self._asks_before_stream
        while True:
            wait = self._deadline.within(LONG_POLL) or 0.0
            request = job_service_pb2.GetJobRequest(
                job_id=self._job_id, wait=duration(wait), if_sequence_after=self._sequence
            )
            asked = Deadline(min(1.0, wait / 2))
            yield Ask(request, wait + GRACE)
            reply = yield from self._receive(wait + GRACE)
            if not isinstance(reply, job_service_pb2.GetJobResponse):
                error = (
                    reply.error
                    if isinstance(reply, Failed)
                    else errors.CallTimeoutError("GetJob fell silent.")
                )
                if isinstance(error, errors.ProtocolError):
                    raise error
                self._failed(error)
                # Away rather than without streams: begin with a stream again.
                self._stream_failures = 0
                return False
            self._outage = Deadline(self._max_outage)
            if self._leaves_out(reply.job):
                self._doubts += 1
                self._stream_failures = STREAM_FAILURES - 1
                return False
            moved = reply.job.sequence > self._sequence or self._status is None
            if moved and (yield from self._adopt(reply.job)):
                return True
            asks -= 1
            if asks <= 0 and self._streams:
                self._asks_before_stream = min(2 * self._asks_before_stream, 64)
                self._stream_failures = 0
                return False
            if not moved and not asked.expired:
                # A server that doesn't wait must not be asked in a circle.
                yield from self._wait(1.0)

    def _leaves_out(self, job: job_pb2.Job) -> bool:
        """Whether a stream must be tried for events that a job as it stands leaves out."""
        follows = self._cursor is None or job.sequence <= self._sequence + 1
        return self._streams and not follows and self._doubts < DOUBTS

    def _receive(self, limit: float) -> Generator[Command, Reply, Reply]:
        """Return the next reply, or None after `limit` seconds of silence; tick meanwhile."""
        until = Deadline(limit)
        while True:
            self._check_deadline()
            timeout = self._deadline.within(until.remaining())
            if self._tick is not None and self._status is not None:
                timeout = self._tick_at.within(timeout)
            reply = yield Receive(timeout)
            if reply is not None:
                return reply
            self._check_deadline()
            if self._tick is not None and self._status is not None and self._tick_at.expired:
                self._tick_at = Deadline(self._tick)
                yield Tick(self._status)
            if until.expired:
                return None

    def _wait(self, seconds: float) -> Generator[Command, Reply, None]:
        """Let time pass with no call open; a late reply of a dropped call is left aside."""
        until = Deadline(seconds)
        while (left := until.remaining() or 0.0) > 0:
            yield from self._receive(left)

    def _adopt(self, job: job_pb2.Job) -> Generator[Command, Reply, bool]:
        """Take a job as it stands in place of the events that led there; return whether it's final."""
        event = event_from_job(job)
        if 0 < job.sequence <= self._sequence:
            self._cursor = self._sequence
            return event.status in _FINAL
        self._cursor = self._sequence = job.sequence
        return (yield from self._publish(event))

    def _follows(self, event: job_pb2.Event) -> bool:
        """Whether a durable event is the next one; after a gap the stream is no good."""
        if not event.HasField("status") or event.sequence <= self._sequence + 1:
            return True
        self._stream_failed(
            errors.TransportError(f"Event {event.sequence} came after event {self._sequence}.")
        )
        return False

    def _event(self, message: job_pb2.Event) -> Generator[Command, Reply, bool]:
        """Publish an event that wasn't seen before; return whether it's the final one."""
        event = event_from_message(self._job_id, message)
        if event is None:
            return False
        if event.status is not None:
            if event.sequence <= self._sequence:
                return False
            self._cursor = self._sequence = event.sequence
            self._stream_failures = self._faults = self._doubts = 0
            self._backoff.reset()
        return (yield from self._publish(event))

    def _publish(self, event: JobEvent) -> Generator[Command, Reply, bool]:
        if event.status is not None:
            self._status = event.status
            self._tick_at = Deadline(self._tick)
        yield event
        return event.status in _FINAL

    def _stream_failed(self, error: errors.BasicAerError | None) -> None:
        """Note that a stream ended before its time; raise what another try can't mend."""
        self._stream_failures += 1
        if isinstance(error, errors.ProtocolError):
            self._streams = False  # UNIMPLEMENTED, or nonsense: GetJob may still do
            return
        if isinstance(error, errors.EventsCompactedError) and not self._strict:
            self._cursor = None
            return
        self._failed(error)

    def _failed(self, error: errors.BasicAerError | None) -> None:
        self._last_error = error
        self._check_deadline()
        if error is None:
            return
        if isinstance(error, errors.TransportError | errors.ResourceExhaustedError):
            if self._outage.expired:
                raise error
            return
        self._faults += 1
        if not isinstance(error, errors.ServerError) or self._faults >= FAULTS:
            raise error

    def _check_deadline(self) -> None:
        if self._deadline.expired:
            raise errors.JobTimeoutError(
                f"Timeout while waiting for job {self._job_id}."
            ) from self._last_error


_FINAL = (JobStatus.CANCELLED, JobStatus.DONE, JobStatus.ERROR)


def duration(seconds: float) -> duration_pb2.Duration:
    """Return seconds for the wire."""
    whole = int(seconds)
    return duration_pb2.Duration(seconds=whole, nanos=int((seconds - whole) * 1e9))
