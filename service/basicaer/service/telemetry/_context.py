"""Whose call and which job the running code is about, for whatever is logged or traced on the way.

gRPC runs each call as a task, and each task has a context of its own; a thread has one too. So what is bound
in a call ends with it, and a thread binds anew for each job.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from opentelemetry.context import Context

__all__ = ["JOB_ID", "PRINCIPAL", "TraceContext", "bind", "bind_trace", "current_trace"]


class TraceContext(NamedTuple):
    """A span to which others belong, and when it began, in nanoseconds since the epoch."""

    context: Context
    began: int


JOB_ID: ContextVar[str] = ContextVar("job_id", default="")
PRINCIPAL: ContextVar[str] = ContextVar("principal", default="")
_TRACE: ContextVar[TraceContext | None] = ContextVar("trace", default=None)


def bind(principal: str, job_id: str = "") -> None:
    """Say whose call and which job this task or thread is about from now on."""
    PRINCIPAL.set(principal)
    JOB_ID.set(job_id)


def bind_trace(trace: TraceContext) -> None:
    """Say which span this task's work belongs to."""
    _TRACE.set(trace)


def current_trace() -> TraceContext | None:
    """Return the span that this task's work belongs to; None when nobody traces."""
    return _TRACE.get()
