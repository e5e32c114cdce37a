"""Breaks a server on purpose, while clients use it, and counts the promises that broke with it.

The faults, their order and their pauses come from the seed alone; what they hit depends on the machine.
"""

from __future__ import annotations

import asyncio
import re
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

import grpc
from basicaer.v1 import job_pb2, job_service_pb2_grpc
from basicaer.v1 import job_service_pb2 as pb

from tests.chaos.clients import OPTIONS, Client, LibraryClient
from tests.chaos.damage import Audit, damage
from tests.chaos.hospital import Disk, Server
from tests.chaos.ledger import Known, Ledger
from tests.chaos.programs import programs
from tests.chaos.proxy import Proxy

__all__ = ["Options", "Report", "run"]

# What is done to a server, and how often, relative to the others.
_FAULTS = {
    "kill": 60,
    "kill between commit and publication": 35,
    "freeze": 6,
    "cut": 8,
    "delay": 4,
    "hold": 4,
    "full disk": 5,
    "failed sync": 4,
    "drain": 6,
    "clock jump": 6,
    "damaged row": 6,
    "damaged pages": 2,
}
# A stop beyond every lease and deadline, at these parts of a run that is long enough for it.
_LONG_FREEZES = (0.25, 0.75)
_LONG_FREEZE_SECONDS = 60.0
_LONG_RUN_SECONDS = 300.0
# Results are kept for longer than two jumps to opposite sides.
_FARTHEST_JUMP = 10 * 24 * 3600
# Library clients make every eighth client.
_LIBRARY = 8
_CONNECTIONS = 6
# How long the clients may take to end what they have begun, once nothing is broken any more.
_PEACE_SECONDS = 240.0
_TOLD = 20
# How a server tells of damage that was done here: to a job, and to a database's structure.
_TOLD_OF_DAMAGE = re.compile(
    r" ERROR basicaer\.service\.(?:jobs\.running\.recovery: not taken up: What is stored of|store\._mend:)"
    r" job '?(\w+)"
)
_DAMAGED_DATABASE = (
    "jobs.sqlite3 is damaged (",
    "jobs.sqlite3: jobs may be missing; the others are answered.",
    # Of a page that only a write has come to.
    " ERROR basicaer.service.store.sqlite._writer: the database is damaged: ",
)
# How a server ends that doesn't take a damaged store.
_REFUSED = "ERROR the server did not serve: DataDirectoryError("
_DISK_DEFECT = " basicaer.service.jobs._store_health: the store can't commit; "


@dataclass(frozen=True)
class Options:
    """What to do, and for how long."""

    directory: Path
    seconds: float = 60.0
    seed: int = 1
    clients: int = 64
    plant: str | None = None
    # Whether to stop at the first violation.
    impatient: bool = False


@dataclass(frozen=True)
class Report:
    """What came of it."""

    options: Options
    faults: Counter[str]
    counts: Counter[str]
    violations: list[str]
    bytes_stored: int

    def lines(self) -> list[str]:
        """For people; the last line is the sum."""
        faults = ", ".join(f"{number} {name}" for name, number in sorted(self.faults.items()))
        counts = ", ".join(f"{number:,} {name}" for name, number in sorted(self.counts.items()))
        some = [f"VIOLATION {text}" for text in self.violations[:_TOLD]]
        kills = sum(number for name, number in self.faults.items() if "kill" in name)
        return [
            *some,
            f"faults: {faults}",
            f"{self.bytes_stored / 2**20:.0f} MiB stored",
            f"seed {self.options.seed}, {self.options.seconds:g} s: {counts}, {kills} kills, "
            f"{len(self.violations)} violations",
        ]


class _Nemesis:
    """Does one bad thing after another."""

    def __init__(
        self, options: Options, server: Server, proxy: Proxy, disk: Disk, ledger: Ledger, audit: Audit
    ) -> None:
        self._random = Random(options.seed)
        self._audit = audit
        began = time.monotonic()
        self._long_freezes = [
            began + part * options.seconds for part in _LONG_FREEZES if options.seconds >= _LONG_RUN_SECONDS
        ]
        self._server = server
        self._proxy = proxy
        self._disk = disk
        self._ledger = ledger
        self.faults: Counter[str] = Counter()

    async def rage(self, stopping: asyncio.Event) -> None:
        """Goes on until `stopping`."""
        while not stopping.is_set():
            if self._long_freezes and time.monotonic() > self._long_freezes[0]:
                del self._long_freezes[0]
                await self._freeze(_LONG_FREEZE_SECONDS)
                self.faults["long freeze"] += 1
            (fault,) = self._random.choices(list(_FAULTS), list(_FAULTS.values()))
            pause, strength = self._random.uniform(0.1, 1.6), self._random.random()
            if fault == "kill between commit and publication":
                await self.restart(signal.SIGKILL, die_after=1 + int(strength * 200))
                # It may be idle, or die of something else before.
                await self._until_dead(pause * 3)
            else:
                await asyncio.sleep(pause)
                await self._do(fault, strength)
            self.faults[fault] += 1

    async def _do(self, fault: str, strength: float) -> None:
        match fault:
            case "kill":
                await self.restart(signal.SIGKILL)
            case "drain":
                await self.restart(signal.SIGTERM)
            case "freeze":
                await self._freeze(strength)
            case "clock jump":
                if self._server.clock.can_jump:
                    self._server.clock.jump(round((2 * strength - 1) * _FARTHEST_JUMP))
                    if strength < 0.5:
                        await self.restart(signal.SIGKILL)
            case "damaged row":
                await self.restart(signal.SIGKILL, meanwhile=self._damage_row)
            case "damaged pages":
                ended = [known for known in self._ended() if not known.damaged]
                await self.restart(signal.SIGKILL, meanwhile=self._copy)
                await self._audit.run(ended, self._random)
            case "cut":
                self._proxy.cut(self._random, max(strength, 0.2))
            case "delay":
                self._proxy.delay = strength / 10
                await asyncio.sleep(strength)
                self._proxy.delay = 0.0
            case "hold":
                self._proxy.hold()
                await asyncio.sleep(strength)
                self._proxy.release()
            case "full disk":
                pid = self._server.pid
                if pid is not None:
                    self._disk.fill(pid)
                    await asyncio.sleep(0.2 + strength)
                    if strength < 0.3:
                        # A server must start, and let itself be read, on a full disk too.
                        await self.restart(signal.SIGKILL)
                        await asyncio.sleep(strength)
                    self._disk.free(self._server.pid)
            case "failed sync":
                self._server.signal(signal.SIGUSR1)
                await asyncio.sleep(0.1 + strength / 2)
                await self.restart(signal.SIGKILL)

    async def _freeze(self, seconds: float) -> None:
        self._server.signal(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        self._server.signal(signal.SIGCONT)

    def _ended(self) -> list[Known]:
        """The jobs whose end was told, and that nobody has tried to delete."""
        return [known for known in self._ledger.by_job.values() if known.final and not known.delete_tried]

    def _damage_row(self) -> None:
        # The library's clients read each result once, and take it for the truth.
        bare = [known for known in self._ended() if not known.damaged and not _is_of_library(known)]
        if bare:
            known = self._random.choice(bare)
            known.damaged = True
            damage(self._disk.directory / "data", self._random, known.job_id)
            self._ledger.counts["jobs damaged"] += 1

    def _copy(self) -> None:
        self._audit.copy(self._disk.directory / "data")

    async def restart(
        self,
        number: signal.Signals,
        *,
        die_after: int | None = None,
        meanwhile: Callable[[], None] | None = None,
    ) -> None:
        """Ends the server in one way or another, does `meanwhile`, and begins the next."""
        if self._server.pid is not None:
            self._server.signal(number)
            status = await self._server.ended()
            if number == signal.SIGTERM and status != 0:
                self._ledger.violation(f"a drained server ended with the status {status}")
        if meanwhile is not None:
            meanwhile()
        address = await self._server.start(die_after=die_after)
        while address is None and die_after is None:
            address = await self._server.start()
        if address is not None:
            self._proxy.target = address

    async def _until_dead(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await asyncio.shield(asyncio.ensure_future(self._server.ended()))
        except TimeoutError:
            self._server.signal(signal.SIGKILL)
            await self._server.ended()
        await self.restart(signal.SIGKILL)


def _is_of_library(known: Known) -> bool:
    return int(known.request_id.partition("-")[0]) % _LIBRARY == _LIBRARY - 1


async def run(options: Options) -> Report:
    """Starts everything, breaks it, mends it, and checks what is left."""
    disk = Disk(options.directory / "disk")
    data = disk.directory / "data"
    log = options.directory / "server.log"
    config = {
        "listen": "127.0.0.1:0",
        "data_dir": str(data),
        "workers": 2,
        # Every job is present at many crashes.
        "max_attempts": 1_000_000,
        "drain_grace": 0.2,
        # Readers of finished jobs shall meet the store, too.
        "finished_cache_bytes": 1 << 20,
    }
    ledger = Ledger()
    server, proxy = Server(log, config, options.plant), Proxy()
    copies = options.directory / "copies"
    auditor = Server(copies.with_suffix(".log"), config | {"data_dir": str(copies)}, may_refuse=True)
    # On this thread, since Qiskit's native part must be loaded by one that lives on.
    all_programs = programs()
    await asyncio.gather(server.open(), auditor.open())
    await proxy.start()
    nemesis = _Nemesis(options, server, proxy, disk, ledger, Audit(copies, auditor, ledger))
    channels = [grpc.aio.insecure_channel(proxy.address, options=OPTIONS) for _ in range(_CONNECTIONS)]
    clients: list[Client | LibraryClient] = [
        LibraryClient(number, proxy.address, ledger, all_programs, options.seed)
        if number % _LIBRARY == _LIBRARY - 1
        else Client(number, channels[number % _CONNECTIONS], ledger, all_programs, options.seed)
        for number in range(options.clients)
    ]
    try:
        await nemesis.restart(signal.SIGKILL)
        stopping = asyncio.Event()
        work = [asyncio.create_task(client.work(stopping)) for client in clients]
        rage = asyncio.create_task(nemesis.rage(stopping))
        until = time.monotonic() + options.seconds
        while time.monotonic() < until and not (options.impatient and ledger.violations):
            for task in (rage, *work):
                if task.done():
                    task.result()
            await asyncio.sleep(0.2)
        stopping.set()
        await rage
        await nemesis.restart(signal.SIGKILL)
        done, late = await asyncio.wait(work, timeout=5.0 if ledger.violations else _PEACE_SECONDS)
        for task in late:
            if not ledger.violations:
                ledger.violation(f"a client hangs in {[client.doing for client in clients if client.doing]}")
            task.cancel()
        for task in done:
            task.result()
        await asyncio.gather(*work, return_exceptions=True)
        await _settle(server, ledger, channels[0])
    finally:
        for channel in channels:
            await channel.close()
        await proxy.stop()
        await asyncio.gather(server.close(), auditor.close())
        for text in _defects(log):
            told = _TOLD_OF_DAMAGE.search(text)
            # Of a damaged row the log has the id that stands there.
            if told is None or (told[1] in ledger.by_job and not ledger.is_damaged(told[1])):
                ledger.violations.append(text)
        honest = (_REFUSED, *_DAMAGED_DATABASE)
        ledger.violations += [
            text
            for text in _defects(copies.with_suffix(".log"))
            if not _TOLD_OF_DAMAGE.search(text) and not any(part in text for part in honest)
        ]
        used = disk.used()
        try:
            if not ledger.violations or not options.impatient:
                ledger.check_store(data)
        finally:
            disk.remove()
    return Report(options, nemesis.faults, ledger.counts, ledger.violations, used)


async def _settle(server: Server, ledger: Ledger, channel: grpc.aio.Channel) -> None:
    """Stops the last server in peace, once it has nothing left to do."""
    stub = job_service_pb2_grpc.JobServiceStub(channel)
    live = pb.ListJobsRequest(
        statuses=[job_pb2.JOB_STATUS_QUEUED, job_pb2.JOB_STATUS_VALIDATING, job_pb2.JOB_STATUS_RUNNING]
    )
    until = time.monotonic() + (5.0 if ledger.violations else _PEACE_SECONDS)

    async def unended() -> list[job_pb2.Job]:
        jobs = (await stub.ListJobs(live, timeout=30)).jobs
        # Whether a damaged one has ended may be what is damaged.
        return [job for job in jobs if not ledger.is_damaged(job.job_id)]

    left = await unended()
    while left and time.monotonic() < until:
        request = pb.GetJobRequest(job_id=left[0].job_id, if_sequence_after=left[0].sequence)
        request.wait.FromSeconds(1)
        await stub.GetJob(request, timeout=30)
        left = await unended()
    if left:
        ledger.violation(f"{len(left)} jobs never end, such as {left[0].job_id}")
    server.signal(signal.SIGTERM)
    status = await server.ended()
    if status != 0:
        ledger.violation(f"the last server ended with the status {status}")


def _defects(log: Path) -> list[str]:
    """What the servers call defects of their own. That the disk doesn't work is this driver's doing."""
    found: list[str] = []
    traceback = False
    for line in log.read_text(errors="replace").splitlines():
        # A traceback's lines are indented, and its last one isn't.
        if traceback and found:
            found[-1] += f"\n{line}"
            traceback = line.startswith(" ")
        elif (" ERROR " in line and _DISK_DEFECT not in line) or line.startswith("ERROR"):
            found.append(f"in the log: {line}")
        elif line.startswith("Traceback"):
            found.append(f"in the log: {line}")
            traceback = True
    return found
