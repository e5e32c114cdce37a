"""A job's events as one reader sees them: an object of a few hundred bytes, with no task and no queue of its
own.
"""

from __future__ import annotations

from basicaer.v1 import job_pb2, result_pb2

__all__ = ["PublishedEvent", "Watch"]


class PublishedEvent:
    """An event, made once and shared by all of a job's readers. Readers must not change `event`."""

    __slots__ = ("encoded", "event", "final")

    def __init__(self, event: job_pb2.Event, final: bool) -> None:
        self.event = event
        # Whether it is the event with the job's final status, after which a stream ends.
        self.final = final
        # For the edge: its serialized WatchJobResponse, so that 10,000 watchers cost one serialization.
        self.encoded: bytes | None = None


class Watch:
    """The events of one job after a cursor.

    Call `next` until it returns None, then `close`; closing early is fine and never touches the job.
    """

    __slots__ = ("duplicate", "job", "result")

    # The job as it was when the watch began; the stream's first message.
    job: job_pb2.Job
    # Only for JobManager.run: whether an earlier call with the same request id had made the job.
    duplicate: bool
    # Only for JobManager.run: set when the final event is returned, if there is a result of at most
    # `Config.max_inline_result_bytes`.
    result: result_pb2.Result | None

    async def next(self) -> PublishedEvent | None:
        """Waits for the next event: a durable one, progress, a queue position, or a heartbeat after silence.

        Durable events come in order, each exactly once; of passing ones a slow reader gets the newest alone.
        Returns None at the end: after the final event, or without it when the server is stopping or the job
        was deleted.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Forgets the watch. Idempotent."""
        raise NotImplementedError
