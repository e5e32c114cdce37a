"""A whole server: assembles store, executor, jobs and edge, and ends it in order.

    start   bind the port, open the store, answer, warm up; only then health says SERVING
    drain   health says NOT_SERVING; no new jobs; running ones may finish; then streams end with OK
    stop    calls in flight end and the store is closed; what is queued waits for the next server

`Service` is this for use in a program (and in tests); `run` is a process around it, with signals and log.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import time
from collections.abc import Callable

from basicaer.service import version
from basicaer.service.access import Callers, server_credentials
from basicaer.service.config import Config
from basicaer.service.errors import ServiceError
from basicaer.service.execution import ThreadExecutor
from basicaer.service.jobs import JobManager
from basicaer.service.rpc import GrpcServer, JobService
from basicaer.service.store import SQLiteStore
from basicaer.service.telemetry import Logs, Metrics, MetricsServer, Telemetry, Tracing

__all__ = ["Service", "run"]

# How long calls in flight may take to end after their streams were told to (seconds).
_STOP_GRACE = 2.0

_log = logging.getLogger(__name__)


class Service:
    """One server in this process, on one event loop. `start` it, or use it as an async context manager."""

    def __init__(self, config: Config) -> None:
        """Read the keys and certificates that the configuration names.

        Raises:
            CredentialsFileError: One of them can't be used.
            DataDirectoryError: The file of tokens can't be used.
            SettingError: Traces are wanted, and OpenTelemetry isn't installed.
        """
        self._config = config
        self._credentials = server_credentials(config)
        self._callers = Callers(config)
        self._executor = ThreadExecutor(config)
        self._metrics = metrics = Metrics(version())
        self._tracing = Tracing(config.trace_endpoint, version()) if config.trace_endpoint else None
        telemetry = Telemetry(metrics, self._tracing)
        store = SQLiteStore(config.data_dir, observe=metrics.committed)
        self._manager = JobManager(store, self._executor, config, telemetry, self._on_storing)
        service = JobService(self._manager, config, self._executor.backends(), version(), telemetry)
        self._server = GrpcServer(service.handlers(self._callers), self._callers, telemetry, config)
        self._exporter: MetricsServer | None = None
        # Health is SERVING when all of this is well.
        self._ready, self._storing = False, True
        self._telling: asyncio.Task[None] | None = None
        self.address = ""
        # HOST:PORT of the metrics; "" when they aren't served.
        self.metrics_address = ""
        self.health_address = ""

    async def start(self) -> str:
        """Serve; return HOST:PORT once the server is ready for its first job.

        Raises:
            OSError: An address can't be bound.
            DataDirectoryError: The data directory is another server's, or not one of ours.
        """
        try:
            self.address = self._server.bind(self._config.listen, self._credentials)
            if self._config.metrics_listen:
                self._exporter = MetricsServer(self._config.metrics_listen, self._metrics)
                self.metrics_address = self._exporter.address
            if self._config.health_listen:
                self.health_address = self._server.bind_health(self._config.health_listen)
            await self._manager.start()
            self._add_gauges()
        except BaseException:
            await self._end_telemetry()
            await self._server.stop(None)
            await self._callers.close()
            raise
        self._callers.start()
        await self._server.start()
        try:
            await asyncio.to_thread(self._executor.warm_up, _tell_of_compiling)
        except ServiceError as error:
            # Limits may be so narrow that they refuse even this; then the first job takes longer, no more.
            _log.warning("not warmed up: %s", error)
        self._ready = True
        await self._tell_health()
        return self.address

    async def stop(self, grace: float | None = None) -> None:
        """Drain and stop; running jobs get `grace` seconds (else the configuration's)."""
        self._ready = False
        await self._tell_health()
        await self._manager.drain(grace)
        await self._server.stop(_STOP_GRACE)
        await self._callers.close()
        await self._manager.close()
        await asyncio.to_thread(self._executor.close)
        await self._end_telemetry()

    @property
    def _serving(self) -> bool:
        return self._ready and self._storing

    def _on_storing(self, storing: bool) -> None:
        self._storing = storing
        self._telling = asyncio.create_task(self._tell_health())

    async def _tell_health(self) -> None:
        await self._server.set_serving(self._serving)

    def _add_gauges(self) -> None:
        gauge, manager, config = self._metrics.gauge, self._manager, self._config
        gauge("basicaer_queued_jobs", "Jobs that wait.", lambda: manager.queued_jobs)
        gauge("basicaer_running_jobs", "Jobs that run.", lambda: manager.running_jobs)
        gauge("basicaer_max_queued_jobs", "Jobs that may wait.", lambda: config.max_queued_jobs)
        gauge("basicaer_workers", "Jobs that may run at once.", lambda: config.workers)
        gauge(
            "basicaer_admitted_bytes",
            "Memory that was set aside for the jobs that run.",
            lambda: manager.admitted_bytes,
        )
        gauge(
            "basicaer_memory_budget_bytes",
            "Memory that all jobs that run may use together.",
            lambda: config.max_memory_bytes,
        )
        gauge("basicaer_serving", "1 while health is SERVING, else 0.", lambda: self._serving)

    async def _end_telemetry(self) -> None:
        if self._exporter is not None:
            await asyncio.to_thread(self._exporter.close)
        if self._tracing is not None:
            await asyncio.to_thread(self._tracing.close)

    async def __aenter__(self) -> Service:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.stop(0.0)


def run(
    config: Config, logs: Logs, announce: Callable[[str], None], *, until_stdin_closes: bool = False
) -> None:
    """Serve until SIGTERM or SIGINT, then drain; a second signal ends the process at once, with status 128 +
    n.

    `logs` are closed before the process ends so. `announce` gets HOST:PORT when the server is ready. With
    `until_stdin_closes`, the end of standard input is such a signal too: a server that belongs to another
    process ends with it, even when that one was killed.

    Raises:
        OSError, DataDirectoryError, CredentialsFileError, SettingError: As `Service` and `Service.start`.
    """
    asyncio.run(_run(config, logs, announce, until_stdin_closes))


def _tell_of_compiling(processor: str) -> None:
    _log.info(
        "no compiled kernels for this processor (%s): compiling them, once, which takes about a minute",
        processor,
    )


async def _run(config: Config, logs: Logs, announce: Callable[[str], None], until_stdin_closes: bool) -> None:
    stopping = asyncio.Event()

    def on_signal(number: int) -> None:
        if stopping.is_set():
            _log.warning("%s again: leaving at once", signal.Signals(number).name)
            logs.close()
            # What was acknowledged is on the disk; nothing else is worth waiting for.
            os._exit(128 + number)
        _log.info("%s: draining for up to %g s", signal.Signals(number).name, config.drain_grace)
        stopping.set()

    def on_stdin() -> None:
        if not os.read(0, 4096):
            loop.remove_reader(0)
            stopping.set()

    loop = asyncio.get_running_loop()
    if until_stdin_closes:
        loop.add_reader(0, on_stdin)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal, number)
    started = time.monotonic()
    service = Service(config)
    address = await service.start()
    _log.info(
        "basicaer %s listens on %s, data in %s, %d workers, %.1f GiB for simulations; ready after %.2f s",
        version(),
        address,
        config.data_dir,
        config.workers,
        config.max_memory_bytes / 2**30,
        time.monotonic() - started,
    )
    if service.metrics_address:
        _log.info("metrics on http://%s/metrics", service.metrics_address)
    # What exists now lives as long as the process: collections need not look at it each time.
    gc.freeze()
    announce(address)
    await stopping.wait()
    await service.stop()
    _log.info("stopped")
