"""Jobs of very many messages, checked in processes of their own (see `_checking`).

A message of two bytes becomes an object of hundreds. Where there are hundreds of thousands of them, this
process would hold the interpreter's lock again and again while they are made, looked at and freed. So the
bytes go to another process, which answers what the jobs layer has to know, or what is wrong. It can be
killed, and its memory is bounded. The job is read again when it runs.

A request is [a JobSpec's bytes]. Its answer is [b"answer", b"job", a Job's bytes], or [b"answer", b"refused",
what is wrong with the job, as JSON], or what each process may answer (see `parsing._wire`).
"""

from __future__ import annotations

import json
from typing import Any

from basicaer.service.config import Config
from basicaer.service.errors import ServiceError
from basicaer.service.parsing import Patience, Processes, ProgramFault
from basicaer.v1 import error_reason_pb2, job_pb2
from basicaer.v1.diagnostic_pb2 import Diagnostics

__all__ = ["MOST_RESULT_BYTES", "Checkers", "decode_refusal", "encode_refusal", "takes_too_much_memory"]

MOST_RESULT_BYTES = "most_result_bytes"
"""Under which a checker is told what `accept` takes."""

_MODULE = "basicaer.service.execution._checking"
# What a check depends on.
_SETTINGS = (
    "max_inline_result_bytes",
    "max_instructions",
    "max_memory_bytes",
    "max_metadata_bytes",
    "max_nodes",
    "max_program_bytes",
    "max_programs",
    "max_rows",
    "max_shots",
)


class Checkers:
    """Checks jobs in up to `config.validation_workers` processes. Thread-safe."""

    def __init__(self, config: Config, most_memory: int) -> None:
        """`most_memory` is what a job may make a process take, in bytes."""
        settings = json.dumps(
            {
                **{name: getattr(config, name) for name in _SETTINGS},
                # Not the settings that it follows from: everybody sees what a process is started with.
                MOST_RESULT_BYTES: config.most_result_bytes,
            }
        )
        self._processes = Processes(
            "checker", _MODULE, config.validation_workers, most_memory, takes_too_much_memory, [settings]
        )

    def check(self, spec: bytes | memoryview, patience: Patience) -> job_pb2.Job:
        """See `Executor.check_apart`."""
        try:
            kind, answer = self._processes.ask([spec], patience)
        except ProgramFault as fault:
            raise ServiceError(
                fault.reason, fault.message, metadata=fault.metadata, field="programs"
            ) from None
        if bytes(kind) == b"refused":
            raise decode_refusal(bytes(answer))
        return job_pb2.Job.FromString(bytes(answer))

    def close(self) -> None:
        """End the processes; a `check` that waits for one raises GivenUpError. Idempotent."""
        self._processes.close()


def takes_too_much_memory(most: int, cause: str) -> ProgramFault:
    """Return the fault of a job that its checker runs out of memory at, or crashes at; `cause` tells how.

    `most` is what the process may take, in bytes.
    """
    return ProgramFault(
        f"checking the job takes more than {most >> 20:,} MiB of memory, or too deep a stack ({cause}); "
        "split it, or let instructions that are alike share an operation",
        reason=error_reason_pb2.ERROR_REASON_PROGRAM_TOO_LARGE,
        metadata={"limit": "checker_memory", "max": str(most)},
    )


def encode_refusal(error: ServiceError) -> bytes:
    """Return a refusal as JSON."""
    return json.dumps(
        {
            "reason": error.reason,
            "message": error.message,
            "metadata": error.metadata,
            "retry_after": error.retry_after,
            "field": error.field,
            "diagnostics": error.diagnostics and error.diagnostics.SerializeToString().hex(),
        }
    ).encode()


def decode_refusal(data: bytes) -> ServiceError:
    """Return the refusal of this JSON."""
    found: dict[str, Any] = json.loads(data)
    if found["diagnostics"] is not None:
        found["diagnostics"] = Diagnostics.FromString(bytes.fromhex(found["diagnostics"]))
    return ServiceError(found.pop("reason"), found.pop("message"), **found)
