"""What a server answers, as the client reads it: any bytes give a result, or an error of the client's own.

An input is a `google.rpc.Status`, which happens to have what a script needs: each of its details is a reply,
by its type's name, and is given to the call that comes next; its own code and message are those of failures.
The replies go past gRPC, which has nothing to do with what is in them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterator
from functools import partial
from random import Random
from types import SimpleNamespace
from typing import Any

import grpc
import numpy as np
from basicaer.client import BasicAerBackend, BasicAerError, BasicAerJob, Result, ServerUnavailableError
from basicaer.client._wire_errors import error_from_rpc
from basicaer.client.jobs._server_info import ServerInfo
from basicaer.client.transport._chunks import Download
from basicaer.client.transport._retry import Deadline
from basicaer.client.transport._watch import (
    Ask,
    Close,
    Ended,
    Failed,
    Notice,
    Open,
    Receive,
    Reply,
    WatchFlow,
)
from basicaer.v1 import circuit_pb2, job_pb2, job_service_pb2, result_pb2
from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2, status_pb2

from tests.clock import Clock
from tests.fuzz.inputs.mutation import mutate_bytes, mutate_message
from tests.fuzz.inputs.seeds import WORDS, golden
from tests.fuzz.targets import Target

__all__ = ["RESPONSES"]

_KINDS: dict[str, type[Message]] = {
    kind.DESCRIPTOR.name: kind
    for kind in (
        job_service_pb2.WatchJobResponse,
        job_service_pb2.GetJobResponse,
        job_service_pb2.GetServerInfoResponse,
        job_service_pb2.ReadResultResponse,
        job_service_pb2.ListBackendsResponse,
        result_pb2.Result,
        error_details_pb2.ErrorInfo,
        error_details_pb2.RetryInfo,
        status_pb2.Status,
    )
}
_CODES = tuple(grpc.StatusCode)
# The most that a result may make a client allocate and the target look at (bytes).
_LARGEST = 1 << 24
_DETAILS = "grpc-status-details-bin"


class _Failure(grpc.RpcError):
    """A call's failure, as gRPC's own classes have it."""

    def __init__(self, code: int, message: str, details: bytes) -> None:
        super().__init__()
        self._code, self._message, self._details = code, message, details

    def code(self) -> grpc.StatusCode:
        return _CODES[self._code % len(_CODES)]

    def details(self) -> str:
        return self._message

    def trailing_metadata(self) -> Any:  # pairs, of a class that gRPC keeps to itself
        return ((_DETAILS, self._details),)


class _Script:
    """Stands in for the client's `Transport`: answers with an input's replies, one after the other."""

    timeout, max_outage = 30.0, 30.0
    stub = SimpleNamespace(GetJob="GetJobResponse", CancelJob="GetJobResponse", DeleteJob="GetJobResponse")

    def __init__(self, script: status_pb2.Status, clock: Clock) -> None:
        self._script = script
        self._clock = clock
        self.replies = [(reply.type_url.rpartition("/")[2], reply.value) for reply in script.details]

    def failure(self, details: bytes = b"") -> BasicAerError:
        """Returns a failed call's error."""
        return error_from_rpc(_Failure(abs(self._script.code), self._script.message, details))

    def next(self) -> Any:
        """Returns the next reply as a message, or the error of the call that it ends."""
        if not self.replies:
            return ServerUnavailableError("away")
        name, value = self.replies.pop(0)
        if name in ("Status", "ErrorInfo", "RetryInfo", ""):
            return self.failure(value)
        try:
            return _KINDS[name].FromString(value) if name in _KINDS else self.failure()
        except DecodeError:
            # So does gRPC.
            return error_from_rpc(_Failure(13, "Exception deserializing response!", b""))

    def call(self, method: str, request: Message, timeout: float | None = None) -> Any:
        """As `Transport.call`, for one try."""
        reply = self.next()
        if isinstance(reply, BasicAerError):
            raise reply
        return reply if isinstance(reply, job_service_pb2.GetJobResponse) else _KINDS["GetJobResponse"]()

    def check(self) -> None:
        """As `Transport.check`; it is never closed."""

    def watch(self, flow: WatchFlow, stream: object = None) -> Generator[Notice, None, None]:
        """As `Transport.watch`."""
        steps = flow.run()
        reply: Reply = None
        opened = False
        while True:
            try:
                command = steps.send(reply)
            except StopIteration:
                return
            reply = None
            match command:
                case Open() | Ask() | Close():
                    opened = not isinstance(command, Close)
                case Receive(timeout):
                    assert timeout is not None
                    assert 0.0 <= timeout < 1e6, f"a wait of {timeout} s"
                    reply = self._reply() if opened else None
                    opened = opened and not isinstance(reply, Failed | Ended)
                    self._clock.pass_by(timeout if reply is None else 0.0)
                case notice:
                    yield notice

    def _reply(self) -> Reply:
        found = self.next()
        if isinstance(found, BasicAerError):
            return Failed(found)
        if isinstance(found, job_service_pb2.WatchJobResponse | job_service_pb2.GetJobResponse):
            return found
        return Ended()

    def read(self, job_id: str, part: str, deadline: Deadline) -> Any:
        """As `Transport.read`."""
        download = Download(job_id, part, deadline, self.max_outage)
        while not download.complete:
            failure: BasicAerError | None = None
            try:
                while self.replies and not download.complete:
                    name, value = self.replies.pop(0)
                    if name != "ReadResultResponse":
                        failure = self.failure(value)
                        break
                    _check_size(value)
                    download.feed(value)
            except BasicAerError as error:
                failure = error
            if not download.complete:
                self._clock.pass_by(download.failed(failure if self.replies else self.failure()))
        return download.array()


def _check_size(message: bytes) -> None:
    """Leaves aside a header of so large an array that reading it would take this process' memory."""
    with contextlib.suppress(DecodeError):
        array = job_service_pb2.ReadResultResponse.FromString(message).header.array
        if _LARGEST < array.size_bytes < 1 << 60:
            raise ServerUnavailableError("left aside")


def _run(data: bytes) -> None:
    try:
        script = status_pb2.Status.FromString(data)
    except DecodeError:
        return
    with Clock().running() as clock:
        transport: Any = _Script(script, clock)
        info = job_service_pb2.GetServerInfoResponse()
        for name, value in transport.replies:
            with contextlib.suppress(DecodeError, BasicAerError):
                if name == "GetServerInfoResponse":
                    info = job_service_pb2.GetServerInfoResponse.FromString(value)
                    _look(ServerInfo.from_message(info))
                elif name == "Result":
                    _look_at(Result(result_pb2.Result.FromString(value)))
        for use in _uses(transport):
            with contextlib.suppress(BasicAerError):
                use()


def _uses(transport: Any) -> Iterator[Callable[[], object]]:
    """Whatever a program may do with a job, in an order in which each finds replies."""
    provider: Any = SimpleNamespace(_transport=transport)
    limits: Any = SimpleNamespace(max_shots=1, max_programs=1)
    backend = BasicAerBackend(provider, job_service_pb2.BackendInfo(name="qasm_simulator"), limits)
    replies = list(transport.replies)
    for number in range(5):
        transport.replies = list(replies)
        job = BasicAerJob(backend, "job")
        match number:
            case 0:
                yield job.status
                yield partial(_look_at_facts, job)
            case 1:
                yield partial(_look_at_events, job, timeout=200.0)
            case 2:
                yield partial(_look_at_events, job, 1)
            case 3:
                yield partial(job.wait_for_final_state, 200.0, 5, lambda *told: _look(*told))
                yield job.cancel
            case _:
                yield partial(_look_at_result, job)
        yield partial(_look_at_itself, job)


def _look(*things: object) -> None:
    for thing in things:
        assert repr(thing)


def _look_at_facts(job: BasicAerJob) -> None:
    _look(job.progress(), job.queue_position(), job.labels(), job.error())


def _look_at_events(
    job: BasicAerJob, after_sequence: int | None = None, timeout: float | None = None
) -> None:
    for event in job.events(after_sequence, timeout=timeout):
        _look(event)


def _look_at_result(job: BasicAerJob) -> None:
    _look_at(job.result(200.0))


def _look_at_itself(job: BasicAerJob) -> None:
    _look(job, job.metadata)


def _look_at(result: Result) -> None:
    """Uses all of a result."""
    _look(result, result.status, result.to_dict)
    for index in range(len(result.results)):
        for get in (result.get_counts, result.get_memory, result.get_statevector, result.get_unitary):
            with contextlib.suppress(BasicAerError):
                _look(get(index))
        with contextlib.suppress(BasicAerError):
            outputs = result.get_outputs(index)
            _look(outputs, outputs.counts)
            for output in outputs.values():
                _look(output, output.type, output.counts)
                with contextlib.suppress(BasicAerError):
                    _look(output.value)
                _look(output.values)
        with contextlib.suppress(BasicAerError):
            _look(result.get_expectation_values(index), result.data(index))
    with contextlib.suppress(BasicAerError):
        _look(result.to_dict())


def _reply(script: status_pb2.Status, *messages: Message) -> None:
    for message in messages:
        value = message.SerializeToString()
        script.details.add(type_url=f"type.googleapis.com/{message.DESCRIPTOR.name}", value=value)


def _seeds() -> list[bytes]:
    job = job_pb2.Job(job_id="job", status=job_pb2.JOB_STATUS_RUNNING, sequence=2, labels={"a": "b"})
    job.metadata["depth"] = [1.0, {"x": True}]
    job.create_time.seconds = 1_800_000_000
    final = job_pb2.Job(job_id="job", status=job_pb2.JOB_STATUS_ERROR, sequence=4)
    final.error.message = "1/0"
    watch = job_service_pb2.WatchJobResponse
    events = [watch(job=job), *(watch(event=event) for event in golden(job_pb2.Event))]
    end = watch(event=job_pb2.Event(sequence=3, status=job_pb2.StatusChange(status=job_pb2.JOB_STATUS_DONE)))
    result = _result()
    data = result.SerializeToString()
    array = result_pb2.Array(dtype="|u1", size_bytes=len(data), crc32c=_crc(data))
    parts = [
        job_service_pb2.ReadResultResponse(header=job_service_pb2.ResultHeader(array=array, etag="e")),
        job_service_pb2.ReadResultResponse(chunk=job_service_pb2.ResultChunk(data=data, crc32c=_crc(data))),
    ]
    details = status_pb2.Status(code=8, message="full")
    details.details.add().Pack(error_details_pb2.ErrorInfo(reason="QUEUE_FULL", domain="basicaer.dev"))
    details.details.add().Pack(error_details_pb2.RetryInfo())
    info = job_service_pb2.GetServerInfoResponse(version="1", limits=job_service_pb2.Limits(max_shots=5))
    info.limits.result_retention.seconds = 86_400
    scripts = []
    for replies in (
        [*events, end, *parts],
        [job_service_pb2.GetJobResponse(job=job)] * 3,
        [watch(job=final)],
        [watch(job=job), details, watch(job=final), end],
        [watch(job=job), end, *parts],
        [*golden(result_pb2.Result), result, info],
    ):
        scripts.append(status_pb2.Status(code=14, message="away"))
        _reply(scripts[-1], *replies)
    return [script.SerializeToString() for script in scripts]


def _result() -> result_pb2.Result:
    """A result with all kinds of data in it."""
    program = result_pb2.ProgramResult(status=job_pb2.JOB_STATUS_DONE, shots=7, method="sampled")
    program.header.CopyFrom(result_pb2.ProgramHeader(name="bell", num_qubits=2, num_clbits=2))
    program.header.classical_registers.add(name="c", size=2)
    program.header.quantum_registers.append(circuit_pb2.Register(name="q", size=2))
    for kind, clbit in ((circuit_pb2.CLASSICAL_KIND_INT, 0), (circuit_pb2.CLASSICAL_KIND_BOOL, 1)):
        output = program.header.outputs.add(name=f"v{clbit}", clbit=clbit)
        output.type.kind, output.type.width = kind, 1
    program.counts.CopyFrom(result_pb2.Counts(words_per_outcome=1, outcomes=[0, 3], counts=[3, 4]))
    for name, array in (
        ("statevector", np.array([1, 0, 0, 0], "<c16")),
        ("memory", np.array([[3], [0]], "<u8")),
        ("unitary", np.eye(4, dtype="<c8")),
        ("expectation_values", np.array([0.5], "<f8")),
    ):
        part = f"0/{name}"
        described = program.arrays.add(name=name, part=part, dtype=array.dtype.str, shape=array.shape)
        described.size_bytes, described.data = array.nbytes, array.tobytes()
    return result_pb2.Result(job_id="job", success=True, programs=[program])


def _crc(data: bytes) -> int:
    import google_crc32c

    return int(google_crc32c.value(data))


def _mutate(data: bytes, random: Random) -> bytes:
    try:
        script = status_pb2.Status.FromString(data)
    except DecodeError:
        return mutate_bytes(data, random)
    if not script.details or not random.randrange(6):
        mutate_message(script, random, WORDS)
        return bytes(script.SerializeToString())
    for _ in range(random.randrange(1, 4)):
        _mutate_reply(script.details[random.randrange(len(script.details))], random)
    return bytes(script.SerializeToString())


def _mutate_reply(reply: Any, random: Random) -> None:
    kind = _KINDS.get(reply.type_url.rpartition("/")[2])
    if kind is not None and random.randrange(10):
        try:
            message = kind.FromString(reply.value)
        except DecodeError:
            pass
        else:
            mutate_message(message, random, WORDS)
            reply.value = message.SerializeToString()
            return
    reply.value = mutate_bytes(reply.value, random)


RESPONSES = Target(name="responses", run=_run, seeds=_seeds, mutate=_mutate, words=WORDS)
