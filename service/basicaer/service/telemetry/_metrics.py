"""Every metric of a server, each with what it means; docs/metrics.md shows them with an alert each.

What happens is counted where it happens, in next to no time (see _tallies); how things stand (the queue, the
memory) is asked for when Prometheus scrapes. Labels have few values: never a job, a principal or an address.

A server counts whether somebody scrapes or not: one path, and the figures are there from the start.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterable, Iterator

from basicaer.service.telemetry._tallies import Counters, Histograms
from prometheus_client import CollectorRegistry, Gauge, ProcessCollector
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

__all__ = ["MethodMetrics", "Metrics"]

_CALL_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_JOB_SECONDS = (0.001, 0.01, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14400.0)
_COMMIT_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
_GROUP_WRITES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
# Methods whose open streams follow a job.
_WATCHING = ("WatchJob", "RunJob")
_READING = ("ReadResult",)


class MethodMetrics:
    """What is counted of one RPC, on the event loop alone."""

    __slots__ = ("_calls", "_seconds", "name", "open")

    def __init__(self, name: str, calls: Counters, seconds: Histograms) -> None:
        self.name = name
        self._calls = calls
        self._seconds = seconds.labels(name)
        # Calls under way; whoever handles them counts them.
        self.open = 0

    def answered(self, began: float) -> None:
        """Note that a call that began then (`time.perf_counter`) has its answer, or its first message."""
        self._seconds.observe(time.perf_counter() - began)

    def ended(self, code: str) -> None:
        """Count a call by its gRPC code."""
        self._calls.labels(self.name, code).inc()


class Metrics(Collector):
    """The metrics of one server. Each has one writer: the event loop, and of the store the store's thread."""

    def __init__(self, version: str = "") -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        build = Gauge(
            "basicaer_build_info",
            "Always 1; the labels tell the versions.",
            ["version", "python"],
            registry=registry,
        )
        build.labels(version, platform.python_version()).set(1)

        self.submissions = Counters(
            "basicaer_submissions",
            "Submissions, by what became of them: accepted, duplicate, validated, or the refusal's reason.",
            ["outcome"],
        )
        self.finished = Counters(
            "basicaer_jobs_finished", "Jobs that have ended, by their final status.", ["status"]
        )
        self._wait = Histograms(
            "basicaer_job_wait_seconds",
            "From a job's acceptance to the start of its last attempt.",
            _JOB_SECONDS,
        )
        self._run = Histograms(
            "basicaer_job_run_seconds", "From the start of a job's last attempt to its end.", _JOB_SECONDS
        )
        self._result_bytes = Counters("basicaer_result_bytes", "Bytes of the results that were stored.")
        self._result_read_bytes = Counters("basicaer_result_read_bytes", "Bytes that ReadResult has sent.")
        self.access_refusals = Counters(
            "basicaer_access_refusals", "Calls that weren't let in, by the cause.", ["cause"]
        )
        self._commits = Histograms(
            "basicaer_store_commit_seconds",
            "The time that a group of writes took to be on the disk.",
            _COMMIT_SECONDS,
        )
        self._groups = Histograms("basicaer_store_group_writes", "Writes in a group.", _GROUP_WRITES)
        self._failures = Counters("basicaer_store_failed_writes", "Writes that couldn't be committed.")
        self._calls = Counters(
            "basicaer_rpc_calls", "Calls that have ended, by method and gRPC code.", ["method", "code"]
        )
        self._call_seconds = Histograms(
            "basicaer_rpc_seconds",
            "From a call's arrival to its answer, or to the first message of a stream.",
            _CALL_SECONDS,
            ["method"],
        )
        self._tallies = [found for found in vars(self).values() if isinstance(found, Counters | Histograms)]
        registry.register(self)

        self.wait_seconds = self._wait.labels()
        self.run_seconds = self._run.labels()
        self.result_bytes = self._result_bytes.labels()
        self.result_read_bytes = self._result_read_bytes.labels()
        self._commit_seconds = self._commits.labels()
        self._group_writes = self._groups.labels()
        self._failed_writes = self._failures.labels()
        self._methods: dict[str, MethodMetrics] = {}
        self.gauge("basicaer_watchers", "Open streams that follow a job.", lambda: self._streams(_WATCHING))
        self.gauge("basicaer_readings", "Open streams that read a result.", lambda: self._streams(_READING))

    def collect(self) -> Iterator[Metric]:
        """Return what was counted; for the registry."""
        for tally in self._tallies:
            yield tally.family()

    def gauge(self, name: str, meaning: str, ask: Callable[[], float]) -> None:
        """Add a metric whose value is asked for at each scrape, on the scrape's thread."""
        Gauge(name, meaning, registry=self.registry).set_function(ask)

    def method(self, name: str) -> MethodMetrics:
        """Return what counts an RPC's calls."""
        if name not in self._methods:
            self._methods[name] = MethodMetrics(name, self._calls, self._call_seconds)
        return self._methods[name]

    def committed(self, seconds: float, writes: int, failed: int) -> None:
        """Note what the store did with a group of writes."""
        self._commit_seconds.observe(seconds)
        self._group_writes.observe(writes)
        if failed:
            self._failed_writes.inc(failed)

    @property
    def open_calls(self) -> int:
        """How many calls are under way."""
        return sum(method.open for method in self._methods.values())

    def _streams(self, methods: Iterable[str]) -> float:
        found: Iterable[MethodMetrics | None] = map(self._methods.get, methods)
        return sum(method.open for method in found if method is not None)
