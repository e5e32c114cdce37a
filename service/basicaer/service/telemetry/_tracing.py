"""Traces: a span for each call of the service, and for what becomes of its job, sent to an OTLP collector.

The caller's span, if it has one, comes with the call as W3C's `traceparent`; ours are its descendants:

    basicaer.v1.JobService/RunJob        the call, to its last message
    ├── submit                           checked, committed and accepted
    ├── queue wait                       from there to the start of the last attempt
    ├── simulation                       to its end
    └── commit                           until the result and the final status are on the disk

OpenTelemetry is imported when tracing is on, and only then. Spans are sent by a thread of its own.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from basicaer.service.errors import SettingError
from basicaer.service.telemetry._context import TraceContext, bind_trace

if TYPE_CHECKING:
    from opentelemetry.trace import Span

__all__ = ["CallSpan", "Tracing"]

_HEADERS = ("traceparent", "tracestate")


class Tracing:
    """Makes spans and sends them, until it is closed."""

    def __init__(self, endpoint: str, version: str) -> None:
        """`endpoint` is an OTLP collector, such as http://127.0.0.1:4317.

        Raises:
            SettingError: OpenTelemetry isn't installed.
        """
        try:
            from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
            from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
        except ImportError as error:
            raise SettingError(
                "trace_endpoint", f"needs {error.name}; install it with pip install 'basicaer[otel]'"
            ) from None
        # A provider of our own and no global one: several servers may be in a process, and its program's
        # traces are its own.
        resource = Resource.create({"service.name": "basicaer", "service.version": version})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        exporter = OTLPSpanExporter(endpoint=endpoint, insecure=endpoint.startswith("http://"))
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("basicaer.service", version)
        self._propagator = TraceContextTextMapPropagator()

    def call(self, method: str, metadata: Iterable[tuple[str, str | bytes]]) -> CallSpan:
        """Begin the span of a call with this metadata; the task's work belongs to it from now on."""
        from opentelemetry.trace import SpanKind, set_span_in_context

        carrier = {key: str(value) for key, value in metadata if key in _HEADERS}
        span = self._tracer.start_span(
            f"basicaer.v1.JobService/{method}",
            self._propagator.extract(carrier),
            start_time=(began := time.time_ns()),
            kind=SpanKind.SERVER,
            attributes={"rpc.system": "grpc", "rpc.service": "basicaer.v1.JobService", "rpc.method": method},
        )
        bind_trace(TraceContext(set_span_in_context(span), began))
        return CallSpan(span)

    def span(
        self, name: str, trace: TraceContext, start: int, end: int, **attributes: str | int | float
    ) -> None:
        """Tell of something that has happened below `trace`; times in nanoseconds since the epoch."""
        span = self._tracer.start_span(name, trace.context, start_time=start, attributes=attributes)
        span.end(max(start, end))

    def close(self) -> None:
        """Send what is left, and end. Blocks for as long as the collector takes, or its time is up."""
        self._provider.shutdown()


class CallSpan:
    """The span of a call under way."""

    __slots__ = ("_span",)

    def __init__(self, span: Span) -> None:
        self._span = span

    def end(self, code: str) -> None:
        """End it, with the call's gRPC code."""
        from opentelemetry.trace import StatusCode

        self._span.set_attribute("rpc.grpc.status", code)
        if code in ("INTERNAL", "UNKNOWN", "DATA_LOSS", "UNAVAILABLE"):
            # What is the server's fault; a refusal isn't.
            self._span.set_status(StatusCode.ERROR, code)
        self._span.end()
