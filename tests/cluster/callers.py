"""Callers of a cluster that is broken on purpose: what they ask for, and what they were told."""

from __future__ import annotations

import contextlib
import itertools
import random
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import grpc
from basicaer.service.jobs.model.states import FINAL, TRANSITIONS, name_of
from basicaer.v1 import circuit_pb2, job_pb2, job_service_pb2, job_service_pb2_grpc, result_pb2

from tests.cluster.processes import Part
from tests.conftest import open_channel
from tests.integration.conftest import Wire

# How long a watch lasts; how long it may be behind what its server reads; how long a caller tries to get
# something done at last (seconds). With what a busy machine, and all that is broken meanwhile, add.
PATIENCE, BEHIND, LIMIT = 15.0, 10.0, 240.0
# Of a call without an end of its own.
CALL = 20.0
DONE, CANCELLED = job_pb2.JOB_STATUS_DONE, job_pb2.JOB_STATUS_CANCELLED
SEED = 7
# How many of the jobs that have ended are deleted.
DELETED = 0.2
# The part of a result that is compared, for each kind of job that has one: "" is the counts.
KINDS = {"bell": "", "state": "0/statevector", "wide": "", "wider": ""}
# How often each comes, beside the others; and of those that take more memory than a worker without Ray has:
# 41 MiB, and 283, for which Ray starts a process.
WEIGHTS = {"endless": 4, "bell": 3, "state": 3}
WEIGHTS_WITH_RAY = {**WEIGHTS, "wide": 2, "wider": 1}
WORKER_MEMORY = "32MiB"


@dataclass
class Story:
    """What callers were told of one job."""

    job_id: str
    kind: str
    events: dict[int, bytes] = field(default_factory=dict)
    statuses: list[job_pb2.JobStatus.ValueType] = field(default_factory=list)
    cancelled: bool = False
    deleted: bool = False

    @property
    def status(self) -> job_pb2.JobStatus.ValueType:
        return self.statuses[-1] if self.statuses else job_pb2.JOB_STATUS_UNSPECIFIED

    @property
    def ended(self) -> bool:
        return self.status in FINAL


def _spec(kind: str) -> job_pb2.JobSpec:
    if kind == "endless":
        return Wire.endless()
    if kind == "bell":
        return Wire.bell(seed_simulator=SEED)
    # A state is read by its parts, so a worker has to run it.
    return Wire.state(14) if kind == "state" else _wide(20 if kind == "wide" else 24)


def _wide(qubits: int) -> job_pb2.JobSpec:
    """So many qubits in one state vector, of whose outcomes there are few."""
    count = qubits - 1
    circuit = circuit_pb2.Circuit(
        num_qubits=qubits,
        num_clbits=2,
        operations=[circuit_pb2.Operation(name=name) for name in ("ry", "cx", "measure")],
        body=circuit_pb2.Block(
            operations=[0] * qubits + [1] * count + [2] * 2,
            qubits=[*range(qubits), *(each for n in range(count) for each in (n, n + 1)), 0, count],
            clbits=[0, 1],
            parameters=[0.1] * qubits,
        ),
    )
    return job_pb2.JobSpec(
        backend_name="qasm_simulator",
        programs=[job_pb2.Program(circuit=circuit)],
        options=job_pb2.RunOptions(
            seed_simulator=SEED, shots=100, method=job_pb2.SIMULATION_METHOD_STATEVECTOR
        ),
    )


class _AbandonedError(Exception):
    """Nobody waits any more."""


class Callers:
    """Submit, submit again, watch, cancel and delete, at any server."""

    def __init__(self, servers: Sequence[Part], count: int, weights: Mapping[str, int]) -> None:
        """`weights` says how often each kind of job comes."""
        self._servers = servers
        self._weights = weights
        self._over = threading.Event()
        self._abandoned = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._work, args=(number,)) for number in range(count)]
        self.stories: dict[str, Story] = {}
        self.violations: list[str] = []
        # What a result of each kind is: the first that was read.
        self._results: dict[str, bytes] = {}

    def violate(self, text: str) -> None:
        """Take note of a promise that broke."""
        with self._lock:
            self.violations.append(text)

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def abandon(self) -> None:
        """Wait for no job any more."""
        self._abandoned.set()
        self._over.set()

    def stop(self) -> None:
        """Begin no further jobs, and wait until those that there are have ended."""
        self._over.set()
        for thread in self._threads:
            # It may be over before they have begun.
            if thread.ident is not None:
                thread.join()

    def _work(self, number: int) -> None:
        with contextlib.suppress(_AbandonedError):
            self._call(number)

    def _call(self, number: int) -> None:
        chance = random.Random(number)
        for count in itertools.count():
            if self._over.is_set():
                return
            (kind,) = chance.choices(list(self._weights), list(self._weights.values()))
            story = self._submit(chance, kind, f"{number} {count}")
            if story is None:
                return
            if kind == "endless":
                self._over.wait(chance.uniform(0, 8))
                self._cancel(chance, story)
            self._follow(chance, story)
            self._submit(chance, kind, f"{number} {count}")
            if story.ended and chance.random() < DELETED:
                self._delete(chance, story)

    @contextlib.contextmanager
    def _stub(self, chance: random.Random) -> Iterator[job_service_pb2_grpc.JobServiceStub]:
        with open_channel(chance.choice(self._servers).address) as channel:
            yield job_service_pb2_grpc.JobServiceStub(channel)

    def _tries(self) -> Iterator[None]:
        """Until something is done at last; a moment after each that failed."""
        until = time.monotonic() + LIMIT
        while time.monotonic() < until:
            yield
            if self._abandoned.wait(0.1):
                raise _AbandonedError

    def _submit(self, chance: random.Random, kind: str, request_id: str) -> Story | None:
        request = job_service_pb2.SubmitJobRequest(spec=_spec(kind), request_id=request_id)
        for _ in self._tries():
            try:
                with self._stub(chance) as stub:
                    job_id = stub.SubmitJob(request, timeout=CALL).job.job_id
            except grpc.RpcError:
                continue
            story = self.stories.setdefault(request_id, Story(job_id, kind))
            if story.job_id != job_id:
                self.violate(f"a request id has made two jobs: {job_id} and {story.job_id}")
            return story
        self.violate("no server has taken a job")
        return None

    def _cancel(self, chance: random.Random, story: Story) -> None:
        for _ in self._tries():
            with contextlib.suppress(grpc.RpcError), self._stub(chance) as stub:
                request = job_service_pb2.CancelJobRequest(job_id=story.job_id)
                story.cancelled = stub.CancelJob(request, timeout=CALL).job.cancel_requested
                return
        self.violate("no server has cancelled a job")

    def _delete(self, chance: random.Random, story: Story) -> None:
        request = job_service_pb2.DeleteJobRequest(job_id=story.job_id)
        for _ in self._tries():
            try:
                with self._stub(chance) as stub:
                    stub.DeleteJob(request, timeout=CALL)
            except grpc.RpcError as error:
                # A call before this one whose answer was lost.
                if error.code() != grpc.StatusCode.NOT_FOUND:
                    continue
            story.deleted = True
            with self._stub(chance) as stub:
                self._look_for(stub, story)
            return
        self.violate("no server has deleted a job")

    def _look_for(self, stub: job_service_pb2_grpc.JobServiceStub, story: Story) -> None:
        """No server knows a job any more whose deletion was acknowledged; one that can't answer may not."""
        with contextlib.suppress(grpc.RpcError):
            stub.GetJob(job_service_pb2.GetJobRequest(job_id=story.job_id), timeout=CALL)
            self.violate(f"job {story.job_id} was deleted, and is told of")

    def _follow(self, chance: random.Random, story: Story) -> None:
        """Watch a job to its end, at one server after the other."""
        for _ in self._tries():
            cursor = max(story.events, default=0)
            try:
                with self._stub(chance) as stub:
                    self.watch(stub, story, cursor)
            except grpc.RpcError as error:
                if error.code() == grpc.StatusCode.NOT_FOUND:
                    self.violate(f"job {story.job_id} is lost")
                    return
            if story.ended:
                return
        self.violate(f"job {story.job_id} has not ended")

    def watch(self, stub: job_service_pb2_grpc.JobServiceStub, story: Story, cursor: int) -> None:
        """Compare what a server tells of a job with all that was told of it before.

        Raises:
            RpcError: The watch, or what was asked after it, has failed.
        """
        request = job_service_pb2.WatchJobRequest(job_id=story.job_id, after_sequence=cursor)
        try:
            for message in stub.WatchJob(request, timeout=PATIENCE):
                if message.event.WhichOneof("kind") == "status":
                    self._told(story, message.event)
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.DEADLINE_EXCEEDED:
                raise
            ended = time.time()
            job = stub.GetJob(job_service_pb2.GetJobRequest(job_id=story.job_id), timeout=CALL).job
            behind = ended - job.end_time.ToMicroseconds() / 1e6
            if not story.ended and job.status in FINAL and behind > BEHIND:
                self.violate(f"a watch was not told what its server knows: the end of job {story.job_id}")

    def _told(self, story: Story, event: job_pb2.Event) -> None:
        data = event.SerializeToString(deterministic=True)
        if event.sequence in story.events:
            if story.events[event.sequence] != data:
                self.violate(f"event {event.sequence} of job {story.job_id} was told in two ways")
            return
        if event.sequence != len(story.events) + 1:
            self.violate(f"job {story.job_id} has a gap before event {event.sequence}")
        before = story.status
        story.events[event.sequence] = data
        story.statuses.append(event.status.status)
        if before and event.status.status not in TRANSITIONS[before]:
            to = name_of(event.status.status)
            self.violate(f"job {story.job_id} went from {name_of(before)} to {to}")
        if story.cancelled and story.ended and story.status != CANCELLED:
            self.violate(f"job {story.job_id} was cancelled, and ended otherwise")

    def compare(self) -> None:
        """Look whether all servers tell the same of each job; each reads a part of the results."""
        servers = itertools.cycle(range(len(self._servers)))
        reads = {story.job_id: next(servers) for story in self.stories.values()}
        for number, server in enumerate(self._servers):
            with open_channel(server.address) as channel:
                stub = job_service_pb2_grpc.JobServiceStub(channel)
                for story in self.stories.values():
                    if story.deleted:
                        self._look_for(stub, story)
                        continue
                    self.watch(stub, story, 0)
                    if story.status == DONE and reads[story.job_id] == number:
                        self._read(stub, story)

    def _read(self, stub: job_service_pb2_grpc.JobServiceStub, story: Story) -> None:
        try:
            data = _result(stub, story)
        except grpc.RpcError as error:
            self.violate(f"the result of job {story.job_id} can't be read: {error}")
            return
        if self._results.setdefault(story.kind, data) != data:
            self.violate(f"job {story.job_id} has another result than others of its seed")


def _result(stub: job_service_pb2_grpc.JobServiceStub, story: Story) -> bytes:
    request = job_service_pb2.ReadResultRequest(job_id=story.job_id, part=KINDS[story.kind])
    chunks = stub.ReadResult(request, timeout=60)
    data = b"".join(message.chunk.data for message in chunks)
    if request.part:
        return data
    counts = result_pb2.Result.FromString(data).programs[0].counts
    return counts.SerializeToString(deterministic=True)
