"""`make chaos-cluster`: breaks servers, workers and their database on purpose, and counts what broke.

Callers submit, watch, cancel and submit again through any server, while processes are killed, workers frozen
beyond their leases, and PostgreSQL crashes. What callers are told is compared; what is written, the database
itself looks at (`audit`).
"""

from __future__ import annotations

import argparse
import contextlib
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import grpc
from basicaer.v1 import job_pb2, job_service_pb2, job_service_pb2_grpc

from tests.cluster import audit
from tests.cluster.nursery import PLANTS
from tests.cluster.processes import Part, parts
from tests.conftest import open_channel
from tests.integration.conftest import Wire
from tests.postgresql import PostgreSQL, running

LEASE = 2.0
CALLERS = 6
# How long a watch may be behind what its server reads, and how long a job may take at last (seconds).
PATIENCE, LIMIT = 12.0, 60.0
FINAL = (job_pb2.JOB_STATUS_CANCELLED, job_pb2.JOB_STATUS_DONE, job_pb2.JOB_STATUS_ERROR)


@dataclass
class Story:
    """What callers were told of one job."""

    job_id: str
    events: dict[int, bytes] = field(default_factory=dict)
    status: int = 0
    cancelled: bool = False


class Chaos:
    """One run."""

    def __init__(self, folder: Path, database: PostgreSQL, seed: int, plant: str) -> None:
        self.database = database
        self.random = random.Random(seed)
        self.servers, self.workers = parts(
            folder, database.base_url, 3, 3, ("--lease-time", f"{LEASE:g}", "--max-attempts", "1000"), plant
        )
        self.stories: dict[str, Story] = {}
        self.violations: list[str] = []
        self.faults: Counter[str] = Counter()
        self.lock = threading.Lock()
        self.over = threading.Event()
        # The threads that start what was killed.
        self.starting: dict[Part, threading.Thread] = {}

    def violate(self, text: str) -> None:
        with self.lock:
            self.violations.append(text)

    def run(self, seconds: float) -> None:
        everything = [*self.servers, *self.workers]
        for part in everything:
            part.begin()
        for part in everything:
            part.ready()
        audit.install(self.database)
        callers = [threading.Thread(target=self.call, args=(number,)) for number in range(CALLERS)]
        for caller in callers:
            caller.start()
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.break_something()
            time.sleep(self.random.uniform(0.2, 1.5))
        self.over.set()
        for thread in (*callers, *self.starting.values()):
            thread.join()
        self.compare()
        self.violations += audit.findings(self.database)
        for part in everything:
            part.kill()

    def break_something(self) -> None:
        kind = self.random.choices(
            ("kill a server", "kill a worker", "freeze a worker", "crash the database"), (2, 4, 6, 1)
        )[0]
        self.faults[kind] += 1
        if kind == "crash the database":
            self.database.stop(signal.SIGQUIT)
            time.sleep(self.random.uniform(0, 1.0))
            self.database.start()
            return
        part = self.random.choice(self.servers if kind == "kill a server" else self.workers)
        starting = self.starting.get(part)
        if starting is not None and starting.is_alive():
            # It isn't back yet.
            self.faults[kind] -= 1
        elif kind == "freeze a worker":
            part.signal(signal.SIGSTOP)
            time.sleep(LEASE + 1.0)
            part.signal(signal.SIGCONT)
        else:
            part.kill()
            self.starting[part] = threading.Thread(target=self.start_again, args=(part,))
            self.starting[part].start()

    def start_again(self, part: Part) -> None:
        """Start a part until it is there, which it isn't while the database is away."""
        while True:
            part.begin()
            try:
                part.ready()
            except RuntimeError:
                time.sleep(0.2)
            else:
                return

    # What callers do

    @contextlib.contextmanager
    def stub(self, chance: random.Random) -> Iterator[job_service_pb2_grpc.JobServiceStub]:
        with open_channel(chance.choice(self.servers).address) as channel:
            yield job_service_pb2_grpc.JobServiceStub(channel)

    def call(self, number: int) -> None:
        chance = random.Random(number)
        count = 0
        while not self.over.is_set():
            count += 1
            endless = chance.random() < 0.4
            spec = Wire.endless() if endless else chance.choice((Wire.bell(), Wire.state(14)))
            story = self.submit(chance, spec, f"{number} {count}")
            if story is None:
                return
            if endless:
                time.sleep(chance.uniform(0, 8))
                self.cancel(chance, story)
            self.follow(chance, story)
            self.submit(chance, spec, f"{number} {count}")

    def submit(self, chance: random.Random, spec: job_pb2.JobSpec, request_id: str) -> Story | None:
        request = job_service_pb2.SubmitJobRequest(spec=spec, request_id=request_id)
        until = time.monotonic() + LIMIT
        while time.monotonic() < until:
            try:
                with self.stub(chance) as stub:
                    job_id = stub.SubmitJob(request, timeout=20).job.job_id
            except grpc.RpcError:
                time.sleep(0.1)
                continue
            story = self.stories.setdefault(request_id, Story(job_id))
            if story.job_id != job_id:
                self.violate(f"a request id has made two jobs: {job_id} and {story.job_id}")
            return story
        self.violate("no server has taken a job")
        return None

    def cancel(self, chance: random.Random, story: Story) -> None:
        until = time.monotonic() + LIMIT
        while time.monotonic() < until:
            with contextlib.suppress(grpc.RpcError), self.stub(chance) as stub:
                request = job_service_pb2.CancelJobRequest(job_id=story.job_id)
                story.cancelled = stub.CancelJob(request, timeout=20).job.cancel_requested
                return
            time.sleep(0.1)
        self.violate("no server has cancelled a job")

    def follow(self, chance: random.Random, story: Story) -> None:
        """Watch a job to its end, at one server after the other."""
        until = time.monotonic() + LIMIT
        while story.status not in FINAL and time.monotonic() < until:
            cursor = max(story.events, default=0)
            try:
                with self.stub(chance) as stub:
                    self.watch(stub, story, cursor)
            except grpc.RpcError as error:
                if error.code() == grpc.StatusCode.NOT_FOUND:
                    self.violate(f"job {story.job_id} is lost")
                    return
                time.sleep(0.1)
        if story.status not in FINAL:
            self.violate(f"job {story.job_id} has not ended")

    def watch(self, stub: job_service_pb2_grpc.JobServiceStub, story: Story, cursor: int) -> None:
        request = job_service_pb2.WatchJobRequest(job_id=story.job_id, after_sequence=cursor)
        try:
            for message in stub.WatchJob(request, timeout=PATIENCE):
                if message.event.WhichOneof("kind") == "status":
                    self.told(story, message.event)
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.DEADLINE_EXCEEDED:
                raise
            job = stub.GetJob(job_service_pb2.GetJobRequest(job_id=story.job_id), timeout=5)
            newest = max(story.events, default=0)
            time.sleep(1.5)
            if job.job.sequence > newest and job.job.status in FINAL:
                self.violate(f"a watch of job {story.job_id} was not told what its server knows")

    def told(self, story: Story, event: job_pb2.Event) -> None:
        data = event.SerializeToString(deterministic=True)
        if story.events.setdefault(event.sequence, data) != data:
            self.violate(f"event {event.sequence} of job {story.job_id} was told in two ways")
        if sorted(story.events) != list(range(1, len(story.events) + 1)):
            self.violate(f"job {story.job_id} has gaps: {sorted(story.events)}")
        story.status = event.status.status
        if story.cancelled and story.status in FINAL and story.status != job_pb2.JOB_STATUS_CANCELLED:
            self.violate(f"job {story.job_id} was cancelled, and ended otherwise")

    def compare(self) -> None:
        """All servers tell the same of each job."""
        for server in self.servers:
            with open_channel(server.address) as channel:
                stub = job_service_pb2_grpc.JobServiceStub(channel)
                for story in self.stories.values():
                    self.watch(stub, story, 0)


def main() -> int:
    """Break things for as long as asked; 1 if a promise broke."""
    parser = argparse.ArgumentParser(prog="make chaos-cluster", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plant", choices=sorted(PLANTS), default="", help="a defect to be found")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="basicaer-chaos-") as made, running() as database:
        chaos = Chaos(Path(made), database, chosen.seed, chosen.plant)
        try:
            chaos.run(chosen.seconds)
        finally:
            chaos.over.set()
            for part in (*chaos.servers, *chaos.workers):
                part.kill()
    for kind, count in chaos.faults.most_common():
        print(f"{count:5}  {kind}")
    print(f"{len(chaos.stories):5}  jobs")
    for text, count in Counter(chaos.violations).most_common(30):
        print(f"BROKEN {count:5}  {text}")
    print(f"{len(chaos.violations)} promises broke")
    return 1 if chaos.violations else 0


if __name__ == "__main__":
    sys.exit(main())
