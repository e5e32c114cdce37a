"""One part of a stored result, read piece by piece off the loop."""

from __future__ import annotations

from basicaer.v1 import job_service_pb2

__all__ = ["ResultReading"]


class ResultReading:
    """A range of one part. `header` is the stream's first message; then call `next` until it returns None."""

    __slots__ = ("header",)

    header: job_service_pb2.ResultHeader

    async def next(self) -> job_service_pb2.ResultChunk | None:
        """The next chunk with its checksum, or None at the end.

        Raises:
            ServiceError: CHECKSUM_MISMATCH, when the part was read as a whole and its bytes are not those
            that were
                stored; RESULT_EXPIRED or JOB_NOT_FOUND, when it was removed in the meantime.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Gives the file back. Idempotent."""
        raise NotImplementedError
