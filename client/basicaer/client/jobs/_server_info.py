"""What a server tells of itself, in the client's own types."""

from __future__ import annotations

import dataclasses
import math
from datetime import datetime

from basicaer.client._times import seconds_from_message, time_from_message
from basicaer.v1 import job_service_pb2

__all__ = ["Limits", "ServerInfo"]


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """What a server allows; the names are those of `basicaer.v1.Limits`. `result_retention` is in seconds."""

    max_memory_bytes: int
    max_queued_jobs: int
    max_programs: int
    max_shots: int
    max_program_bytes: int
    max_instructions: int
    max_message_bytes: int
    max_inline_result_bytes: int
    result_retention: float | None
    max_rows: int
    max_metadata_bytes: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class ServerInfo:
    """A server's version, load and limits."""

    version: str
    start_time: datetime
    workers: int
    queued_jobs: int
    running_jobs: int
    limits: Limits

    @classmethod
    def from_message(cls, info: job_service_pb2.GetServerInfoResponse) -> ServerInfo:
        """Return the same in the client's own types."""
        limits = info.limits
        retention = seconds_from_message(limits.result_retention, math.inf)
        return cls(
            version=info.version,
            start_time=time_from_message(info.start_time),
            workers=info.workers,
            queued_jobs=info.queued_jobs,
            running_jobs=info.running_jobs,
            limits=Limits(
                max_memory_bytes=limits.max_memory_bytes,
                max_queued_jobs=limits.max_queued_jobs,
                max_programs=limits.max_programs,
                max_shots=limits.max_shots,
                max_program_bytes=limits.max_program_bytes,
                max_instructions=limits.max_instructions,
                max_message_bytes=limits.max_message_bytes,
                max_inline_result_bytes=limits.max_inline_result_bytes,
                result_retention=retention if limits.HasField("result_retention") else None,
                max_rows=limits.max_rows,
                max_metadata_bytes=limits.max_metadata_bytes,
            ),
        )
