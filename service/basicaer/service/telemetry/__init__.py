"""What the service shows of itself: log lines, metrics and traces.

It lies below every other part, knows none of them, and never fails or delays what it tells of.
"""

from basicaer.service.telemetry._context import TraceContext, bind, current_trace
from basicaer.service.telemetry._exporter import MetricsServer
from basicaer.service.telemetry._logs import Logs, event
from basicaer.service.telemetry._metrics import MethodMetrics, Metrics
from basicaer.service.telemetry._telemetry import Telemetry
from basicaer.service.telemetry._tracing import CallSpan, Tracing

__all__ = [
    "CallSpan",
    "Logs",
    "MethodMetrics",
    "Metrics",
    "MetricsServer",
    "Telemetry",
    "TraceContext",
    "Tracing",
    "bind",
    "current_trace",
    "event",
]
