"""A server that puts hostile text wherever the contract has a text.

Its texts are put in by the descriptors, so that a new field has them too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

import google_crc32c
import grpc
from basicaer.v1 import diagnostic_pb2, error_reason_pb2, job_pb2, job_service_pb2_grpc, result_pb2
from basicaer.v1 import job_service_pb2 as pb
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc

AnyMessage = TypeVar("AnyMessage", bound=Message)

# Sets a terminal's title, colours, clears (C0 and C1), turns text round, ends lines, and begins a false one.
HOSTILE = "\x1b]0;gotcha\x07\x9b2J\x1b[31m\x7f\u202eevil\u2066\u2028\u2029\r\nerror: false\t\x00\x85\u200b"
HOSTILE += ":warning:[red]"
TOLD = [
    diagnostic_pb2.Diagnostic(line=2, column=1, end_column=1 << 31),
    diagnostic_pb2.Diagnostic(line=1 << 31),
]
DONE = pb.GetJobResponse(
    job=job_pb2.Job(status=job_pb2.JOB_STATUS_DONE, sequence=3, attempt=1, shots=5, warnings=TOLD)
)
FAILED = pb.GetJobResponse(
    job=job_pb2.Job(status=job_pb2.JOB_STATUS_ERROR, sequence=3, error=job_pb2.JobError())
)


def hostile(message: AnyMessage, depth: int = 0) -> AnyMessage:
    """Puts the text wherever a message has room for one, and returns it."""
    for field in message.DESCRIPTOR.fields:
        if field.containing_oneof is not None and message.WhichOneof(field.containing_oneof.name):
            continue
        inner = field.message_type
        if inner is None:
            if field.cpp_type == field.CPPTYPE_STRING and field.type != field.TYPE_BYTES:
                if field.is_repeated:
                    getattr(message, field.name).append(HOSTILE)
                elif not (field.name == "dtype" and getattr(message, field.name)):
                    setattr(message, field.name, HOSTILE)
        elif inner.GetOptions().map_entry:
            entries = getattr(message, field.name)
            if inner.fields_by_name["value"].message_type is None:
                entries[HOSTILE] = HOSTILE
            else:
                entries[HOSTILE].string_value = HOSTILE
        elif field.is_repeated:
            for item in getattr(message, field.name):
                hostile(item, depth + 1)
        elif message.HasField(field.name) or inner.full_name == "google.protobuf.Struct":
            hostile(getattr(message, field.name), depth + 1)
    return message


def _result() -> result_pb2.Result:
    numbers = bytes(16)
    array = result_pb2.Array(
        dtype="<f8", shape=[2], size_bytes=16, crc32c=google_crc32c.value(numbers), data=numbers
    )
    header = result_pb2.ProgramHeader(num_qubits=2, num_clbits=1)
    header.classical_registers.add(size=1)
    good = result_pb2.ProgramResult(
        status=job_pb2.JOB_STATUS_DONE,
        header=header,
        shots=5,
        counts=result_pb2.Counts(words_per_outcome=1, outcomes=[0, 1], counts=[2, 3]),
        arrays=[array],
    )
    error = job_pb2.JobError(reason=error_reason_pb2.ERROR_REASON_SIMULATION_FAILED)
    bad = result_pb2.ProgramResult(status=job_pb2.JOB_STATUS_ERROR, error=error, header=header)
    return hostile(result_pb2.Result(success=True, programs=[good, bad]))


class Server(job_service_pb2_grpc.JobServiceServicer):
    """Says what it shouldn't; with `refusing`, in the errors of all calls but those that begin a command.

    Its methods have the contract's names.
    """

    def __init__(self) -> None:
        self.refusing: grpc.StatusCode | None = None
        self.reason = ""
        self.job = DONE
        self.information = pb.GetServerInfoResponse()

    def _refuse(self, context: Any) -> None:
        if self.refusing is None:
            return
        info = error_details_pb2.ErrorInfo(reason=self.reason or HOSTILE, domain="basicaer.dev")
        info.metadata[HOSTILE] = HOSTILE
        info.metadata["line"] = "7"
        info.metadata["job_id"] = HOSTILE
        told = hostile(diagnostic_pb2.Diagnostics(diagnostics=TOLD, left_out=3))
        status = status_pb2.Status(code=self.refusing.value[0], message=HOSTILE)
        for detail in (info, told):
            status.details.add().Pack(detail)
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
        context.abort(self.refusing, HOSTILE)

    def _job(self) -> job_pb2.Job:
        found = job_pb2.Job()
        found.CopyFrom(self.job.job)
        if not found.HasField("create_time"):
            found.create_time.FromSeconds(1_700_000_000)
        return hostile(found)

    def _event(self) -> job_pb2.Event:
        change = job_pb2.StatusChange(status=self.job.job.status, attempt=1)
        if self.job.job.HasField("error"):
            change.error.SetInParent()
        return hostile(job_pb2.Event(sequence=4, status=change))

    def GetServerInfo(self, request: Any, context: Any) -> pb.GetServerInfoResponse:
        return hostile(pb.GetServerInfoResponse.FromString(self.information.SerializeToString()))

    def ListBackends(self, request: Any, context: Any) -> pb.ListBackendsResponse:
        info = pb.BackendInfo(max_qubits=3, gates=[pb.GateInfo()], options=[pb.OptionInfo()])
        return pb.ListBackendsResponse(backends=[hostile(info)])

    def ListJobs(self, request: Any, context: Any) -> pb.ListJobsResponse:
        self._refuse(context)
        return pb.ListJobsResponse(jobs=[self._job(), self._job()])

    def GetJob(self, request: Any, context: Any) -> pb.GetJobResponse:
        self._refuse(context)
        return pb.GetJobResponse(job=self._job())

    def CancelJob(self, request: Any, context: Any) -> pb.CancelJobResponse:
        self._refuse(context)
        return pb.CancelJobResponse(job=self._job())

    def DeleteJob(self, request: Any, context: Any) -> pb.DeleteJobResponse:
        self._refuse(context)
        return pb.DeleteJobResponse()

    def WatchJob(self, request: Any, context: Any) -> Iterator[pb.WatchJobResponse]:
        self._refuse(context)
        waiting = self._job()
        waiting.status, waiting.sequence = job_pb2.JOB_STATUS_QUEUED, 1
        waiting.ClearField("error")
        yield pb.WatchJobResponse(job=waiting)
        running = job_pb2.StatusChange(status=job_pb2.JOB_STATUS_RUNNING)
        for sequence in (1, 2, 3):
            yield pb.WatchJobResponse(event=job_pb2.Event(sequence=sequence, status=running))
        yield pb.WatchJobResponse(event=self._event())

    def RunJob(self, request: Any, context: Any) -> Iterator[pb.RunJobResponse]:
        self._refuse(context)
        waiting = self._job()
        waiting.ClearField("error")
        waiting.status = job_pb2.JOB_STATUS_RUNNING
        yield pb.RunJobResponse(job=waiting)
        yield pb.RunJobResponse(event=self._event(), result=_result())

    def SubmitJob(self, request: Any, context: Any) -> pb.SubmitJobResponse:
        self._refuse(context)
        return pb.SubmitJobResponse(job=self._job())

    def ReadResult(self, request: Any, context: Any) -> Iterator[pb.ReadResultResponse]:
        self._refuse(context)
        data = _result().SerializeToString()
        crc32c = google_crc32c.value(data)
        array = result_pb2.Array(dtype="|u1", shape=[len(data)], size_bytes=len(data), crc32c=crc32c)
        yield pb.ReadResultResponse(header=hostile(pb.ResultHeader(array=array)))
        yield pb.ReadResultResponse(chunk=pb.ResultChunk(data=data, crc32c=crc32c))


class Health(health_pb2_grpc.HealthServicer):  # type: ignore[misc]  # grpc_health has no types
    """Is well."""

    def Check(self, request: Any, context: Any) -> health_pb2.HealthCheckResponse:
        return health_pb2.HealthCheckResponse(status=1)
