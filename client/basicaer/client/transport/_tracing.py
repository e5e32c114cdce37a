"""The caller's trace goes on in the server, when the caller's program traces with OpenTelemetry.

OpenTelemetry is never imported for it: a program that traces has done that itself. Without it, all of this is
one look-up.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

__all__ = ["submission_span", "trace_metadata"]

Metadata = tuple[tuple[str, str], ...]


def trace_metadata() -> Metadata | None:
    """Return W3C's `traceparent` (and `tracestate`) of the current span; None when there is none."""
    if "opentelemetry.trace" not in sys.modules:
        return None
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return tuple(carrier.items()) or None


@contextlib.contextmanager
def submission_span(backend: str) -> Iterator[None]:
    """Surrounds a submission with a span of the program's own tracer."""
    if "opentelemetry.trace" not in sys.modules:
        yield
        return
    from opentelemetry.trace import SpanKind, get_tracer

    tracer = get_tracer("basicaer.client")
    attributes = {"basicaer.backend": backend}
    with tracer.start_as_current_span("basicaer submit", kind=SpanKind.CLIENT, attributes=attributes):
        yield
