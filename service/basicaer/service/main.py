"""A whole server: assembles store, executor, jobs and edge, and ends it in order.

    start   bind the port, open the store, answer, load the kernels or have a process compile them; only then
            health says SERVING
    drain   health says NOT_SERVING; no new jobs; running ones may finish; then streams end with OK
    stop    calls in flight end and the store is closed; what is queued waits for the next server

`Service` is this for use in a program (and in tests); `run` is a process around it, with signals and log.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import resource
import time
from collections.abc import Callable

from basicaer import simulator as sim
from basicaer.service import version
from basicaer.service.access import Callers, server_credentials
from basicaer.service.config import LARGEST_IN_DATABASE, Config
from basicaer.service.doors.grpc import GrpcServer, ProbeServer, handlers
from basicaer.service.doors.service import JobService
from basicaer.service.doors.web import WebDoor
from basicaer.service.ending import Ending
from basicaer.service.errors import ServerFailedError, ServiceError
from basicaer.service.execution import new_executor
from basicaer.service.housekeeping import House, settle
from basicaer.service.jobs import JobManager
from basicaer.service.store import new_store
from basicaer.service.telemetry import Logs, Metrics, MetricsServer, Telemetry, Tracing
from basicaer.service.vital import Vital

__all__ = ["Service", "run"]

# How long calls in flight may take to end after their streams were told to (seconds).
_STOP_GRACE = 2.0
# By then the drain has told the jobs that still run (seconds).
_AFTER_GRACE = 0.5

_COMPILE_READERS = "from basicaer.service.doors.requests import compile_readers; compile_readers()"

_log = logging.getLogger(__name__)


class Service:
    """One server in this process, on one event loop. `start` it, or use it as an async context manager."""

    def __init__(self, config: Config, role: str = "serve") -> None:
        """Read the keys and certificates that the configuration names. In the role "work" it takes no calls:
        it runs what waits in the database.

        Raises:
            CredentialsFileError: One of them can't be used.
            DataDirectoryError: The file of tokens can't be used.
            SettingError: Traces or a database are wanted, and what they need isn't installed.
        """
        self._executor, config = new_executor(config, role)
        self._config = config
        self._credentials = server_credentials(config)
        # What this server can't do without.
        self.vital = Vital()
        self._callers = Callers(config, self.vital)
        self._metrics = metrics = Metrics(version())
        self._tracing = Tracing(config.trace_endpoint, version()) if config.trace_endpoint else None
        telemetry = Telemetry(metrics, self._tracing)
        store = new_store(
            config.database,
            config.data_dir,
            metrics.committed,
            self.vital,
            lease=config.lease_time,
            object_store=config.object_store,
            object_store_endpoint=config.object_store_endpoint,
            largest=LARGEST_IN_DATABASE,
        )
        self._manager = JobManager(
            store, self._executor, config, telemetry, self._on_storing, self.vital, role
        )
        self._service = service = JobService(
            self._manager, config, self._executor.backends(), version(), telemetry, sim.is_compiling
        )
        self._server: GrpcServer | ProbeServer = (
            ProbeServer(config)
            if role == "work"
            else GrpcServer(handlers(service, self._callers), self._callers, telemetry, config)
        )
        self._http: WebDoor | None = None
        if config.http_listen != "none":
            self._http = WebDoor(service, self._callers, config, self.vital)
        self._exporter: MetricsServer | None = None
        # Health is SERVING when all of this is well.
        self._ready, self._storing, self._failed = False, True, ""
        # Kernels that aren't there yet.
        self._apart = contextlib.ExitStack()
        self._telling: set[asyncio.Task[None]] = set()
        self.address = ""
        # HOST:PORT of the metrics; "" when they aren't served.
        self.metrics_address = ""
        self.health_address = ""
        # The URL of the page and of HTTP; "" when it isn't served.
        self.http_url = ""

    async def start(self) -> str:
        """Serve; return HOST:PORT once the server is ready for its first job.

        Raises:
            OSError: An address can't be bound.
            DataDirectoryError: The data directory, or the database, is another server's, or not one of ours.
        """
        loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        began = asyncio.Event()

        def on_begin() -> None:
            _log.info(
                "tier: plain; no compiled kernels for this processor: a process compiles them, small circuits"
                " run in Python meanwhile, and others wait for theirs"
            )
            loop.call_soon_threadsafe(began.set)

        # Before jobs of an earlier server go on.
        self._compiling = self._apart.enter_context(sim.compiling_apart(on_begin, _COMPILE_READERS))
        self.vital.listen(lambda what: loop.call_soon_threadsafe(self._on_failure, what))
        try:
            self.address = self._server.bind(self._config.listen, self._credentials)
            if self._config.metrics_listen:
                self._exporter = MetricsServer(self._config.metrics_listen, self._metrics)
                self.metrics_address = self._exporter.address
                self.vital.adopt(self._exporter.thread)
            if self._config.health_listen:
                self.health_address = self._server.bind_health(self._config.health_listen)
            if self._http is not None:
                self.http_url = self._http.bind()
            await self._manager.start(self.address)
            # Before a call comes: the loop must not wait while others are loaded.
            await asyncio.to_thread(self._service.warm_up)
            self._add_gauges()
        except BaseException:
            self._apart.close()
            await self._end_telemetry()
            await self._stop_doors(None)
            await self._callers.close()
            raise
        self._callers.start()
        self._look = self.vital.task("vital", self.vital.run())
        self.vital.thread("executor", self._executor.watch)
        await self._server.start()
        if self._http is not None:
            await self._http.start(int(self.address.rpartition(":")[2]))
        self._warming = asyncio.create_task(self._warm_up(began), name="warm-up")
        beginning = asyncio.create_task(began.wait())
        await asyncio.wait((self._warming, beginning), return_when=asyncio.FIRST_COMPLETED)
        beginning.cancel()
        await asyncio.wait((beginning,))
        self._ready = True
        await self._tell_health()
        return self.address

    async def _warm_up(self, began: asyncio.Event) -> None:
        """Load what jobs need. What a process has to compile for that, jobs may wait for as well."""
        start = time.monotonic()
        try:
            await asyncio.to_thread(self._load)
        except ServiceError as error:
            # Limits may be so narrow that they refuse even this; then the first job takes longer, no more.
            _log.warning("not warmed up: %s", error)
        except sim.SimulationCancelled:
            return
        except Exception:
            # Jobs load what they need by themselves, and tell what they can't.
            _log.exception("not warmed up")
            return
        if began.is_set():
            _log.info("tier: full; all kernels are compiled, after %.0f s", time.monotonic() - start)

    def _load(self) -> None:
        with sim.waiting_for_kernels():
            self._executor.warm_up(_tell_of_compiling)
            # Again, where this was interpreted at the start.
            self._service.warm_up()

    async def stop(self, grace: float | None = None) -> None:
        """Drain and stop; running jobs get `grace` seconds (else the configuration's)."""
        self._ready = False
        await self._tell_health()
        # A job that is interrupted, and waits for a kernel, sees that when nobody compiles it any more.
        most = self._config.drain_grace if grace is None else grace
        giving_up = asyncio.get_running_loop().call_later(most + _AFTER_GRACE, self._compiling.close)
        await self._manager.drain(grace)
        giving_up.cancel()
        self._compiling.close()
        await self._stop_doors(_STOP_GRACE)
        self._service.close()
        await self._callers.close()
        await self._manager.close()
        await self._warming
        await self.vital.cancel(self._look)
        await asyncio.to_thread(self._executor.close)
        # Nobody is left who would compile by himself.
        self._apart.close()
        await self._end_telemetry()

    async def failed(self) -> str:
        """Wait until a part that a server can't do without has ended by a defect; what that was.

        Health is NOT_SERVING from then on. `stop` the server, and start another.
        """
        await self._ended.wait()
        return self._failed

    @property
    def memory_bytes(self) -> int:
        """The memory that simulations may use together."""
        return self._config.max_memory_bytes

    @property
    def prepared_bytes(self) -> int:
        """About how much memory programs hold that are being checked, wait, or run."""
        return self._manager.prepared_bytes

    @property
    def last_large_request(self) -> float:
        """When a request of more than a mebibyte came last, by the monotonic clock."""
        return self._service.last_large_request

    @property
    def _serving(self) -> bool:
        return self._ready and self._storing and not self._failed

    def _on_storing(self, storing: bool) -> None:
        self._storing = storing
        self._tell_soon()

    def _on_failure(self, what: str) -> None:
        self._failed = what
        self._ended.set()
        self._tell_soon()

    def _tell_soon(self) -> None:
        task = asyncio.create_task(self._tell_health())
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _tell_health(self) -> None:
        await self._server.set_serving(self._serving)
        if self._http is not None:
            await self._http.set_serving(self._serving)

    async def _stop_doors(self, grace: float | None) -> None:
        doors = [self._server.stop(grace)]
        if self._http is not None:
            doors.append(self._http.stop(grace))
        await asyncio.gather(*doors)

    def _add_gauges(self) -> None:
        gauge, manager, config = self._metrics.gauge, self._manager, self._config
        gauge("basicaer_queued_jobs", "Jobs that wait.", lambda: manager.queued_jobs)
        gauge("basicaer_running_jobs", "Jobs that run.", lambda: manager.running_jobs)
        gauge(
            "basicaer_long_checks",
            "Jobs that are being checked which may take long: large ones, and long texts.",
            lambda: manager.long_checks,
        )
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
    config: Config,
    logs: Logs,
    announce: Callable[[str, str], None],
    *,
    until_stdin_closes: bool = False,
    role: str = "serve",
) -> None:
    """Serve until SIGTERM or SIGINT, then drain; a second signal ends the process at once, with status 128 +
    n.

    `logs` are closed before the process ends so. `announce` gets HOST:PORT when the server is ready, and the
    URL of HTTP, or "". With `until_stdin_closes`, the end of standard input is such a signal too: a server
    that belongs to another process ends with it, even when that one was killed. `role` is as in `Service`.

    Raises:
        OSError, DataDirectoryError, CredentialsFileError, SettingError: As `Service` and `Service.start`.
        ServerFailedError: A part of it that it can't do without has ended by a defect.
    """
    asyncio.run(_run(config, logs, announce, until_stdin_closes, role))


def _allow_files() -> None:
    """Let the process open as many files and connections as the system allows it to ask for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _tell_of_compiling(processor: str) -> None:
    _log.info(
        "no compiled kernels for this processor (%s): compiling them, once, which takes about half a minute",
        processor,
    )


async def _run(
    config: Config, logs: Logs, announce: Callable[[str, str], None], until_stdin_closes: bool, role: str
) -> None:
    stopping = asyncio.Event()
    _allow_files()
    settle()
    loop = asyncio.get_running_loop()

    def on_stdin() -> None:
        if not os.read(0, 4096):
            loop.remove_reader(0)
            stopping.set()

    if until_stdin_closes:
        loop.add_reader(0, on_stdin)
    with Ending(logs, config.drain_grace, lambda: loop.call_soon_threadsafe(stopping.set)) as ending:
        started = time.monotonic()
        service = Service(config, role)
        service.vital.adopt(logs.thread)
        service.vital.adopt(ending.thread)
        address = await service.start()
        _log.info(
            "basicaer %s %s, data in %s, %d workers, %.1f GiB for simulations; ready after %.2f s",
            version(),
            f"listens on {address}" if address else "works",
            "PostgreSQL" if config.database else config.data_dir,
            config.workers,
            service.memory_bytes / 2**30,
            time.monotonic() - started,
        )
        if service.http_url:
            _log.info("page and HTTP on %s", service.http_url)
        if service.metrics_address:
            _log.info("metrics on http://%s/metrics", service.metrics_address)
        # What exists now lives as long as the process: collections need not look at it each time.
        gc.freeze()
        house = House(lambda: service.prepared_bytes, lambda: service.last_large_request)
        keeping = service.vital.task("housekeeping", house.keep())
        announce(address, service.http_url)
        failed = await _first(stopping, service)
        await service.vital.cancel(keeping)
        if failed:
            ending.begin(0.0)
        await service.stop(0.0 if failed else None)
        if failed:
            raise ServerFailedError(failed)
        _log.info("stopped")


async def _first(stopping: asyncio.Event, service: Service) -> str:
    """Wait until the server is to stop, or a part of it has ended by itself; what that was, or ""."""
    asked = asyncio.create_task(stopping.wait())
    failed = asyncio.create_task(service.failed())
    try:
        await asyncio.wait((asked, failed), return_when=asyncio.FIRST_COMPLETED)
        return failed.result() if failed.done() else ""
    finally:
        asked.cancel()
        failed.cancel()
