"""What an executor gives, with the entries of its result as messages again."""

from __future__ import annotations

from dataclasses import replace

from basicaer.service.execution import ExecutionOutcome
from basicaer.v1 import result_pb2

__all__ = ["whole"]


def whole(outcome: ExecutionOutcome) -> ExecutionOutcome:
    """The same outcome, with the entries in its result."""
    if outcome.result is None:
        return outcome
    message = outcome.result.SerializeToString() + b"".join(outcome.entries)
    return replace(outcome, result=result_pb2.Result.FromString(message), entries=())
