"""What a part of the service needs to show what it does."""

from __future__ import annotations

from dataclasses import dataclass, field

from basicaer.service.telemetry._metrics import Metrics
from basicaer.service.telemetry._tracing import Tracing

__all__ = ["Telemetry"]


@dataclass(frozen=True, slots=True)
class Telemetry:
    """A server's metrics, and its traces when somebody collects them."""

    metrics: Metrics = field(default_factory=Metrics)
    tracing: Tracing | None = None
