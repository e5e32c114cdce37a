"""The client of a BasicAer server: circuits in, jobs watched live, counts and amplitudes back.

    from basicaer.client import BasicAerProvider, Circuit

    circuit = Circuit(2, 2).h(0).cx(0, 1).measure([0, 1], [0, 1])
    with BasicAerProvider("127.0.0.1:50051") as provider:
        job = provider.get_backend("qasm_simulator").run(circuit, shots=1000)
        print(job.result().get_counts())

`AsyncBasicAerProvider` and its kin are the same for asyncio. The errors are drawn as a tree in `_errors`.
"""

from basicaer.client._async_job import AsyncBasicAerJob
from basicaer.client._async_provider import AsyncBasicAerBackend, AsyncBasicAerProvider
from basicaer.client._circuit import Circuit
from basicaer.client._counts import Counts
from basicaer.client._errors import (
    BackendNotFoundError,
    BasicAerError,
    CallCancelledError,
    CallTimeoutError,
    ChecksumError,
    CircuitError,
    ClientClosedError,
    ETagMismatchError,
    EventsCompactedError,
    InvalidRequestError,
    JobCancelledError,
    JobError,
    JobExceedsMemoryError,
    JobFailedError,
    JobNotFinalError,
    JobNotFoundError,
    JobTimeoutError,
    NotFoundError,
    OptionInvalidError,
    PageTokenError,
    PartNotFoundError,
    PermissionDeniedError,
    PreconditionError,
    ProgramInvalidError,
    ProgramTooLargeError,
    ProtocolError,
    QueueFullError,
    RangeError,
    ReadOffsetError,
    RequestError,
    RequestIdReusedError,
    ResourceExhaustedError,
    ResultError,
    ResultExpiredError,
    ResultNotReadyError,
    ResultUnavailableError,
    ServerError,
    ServerUnavailableError,
    TransportError,
)
from basicaer.client._experiment import ExperimentData, ExperimentHeader, ExperimentResult
from basicaer.client._inputs import Input, Linear, Observable
from basicaer.client._job import BasicAerJob
from basicaer.client._options import Options
from basicaer.client._programs import Program
from basicaer.client._provider import BasicAerBackend, BasicAerProvider
from basicaer.client._result import Result
from basicaer.client._server_info import Limits, ServerInfo
from basicaer.client._status import JobEvent, JobStatus, Progress
from basicaer.client._values import Expression, Register, Variable

__all__ = [
    "AsyncBasicAerBackend",
    "AsyncBasicAerJob",
    "AsyncBasicAerProvider",
    "BackendNotFoundError",
    "BasicAerBackend",
    "BasicAerError",
    "BasicAerJob",
    "BasicAerProvider",
    "CallCancelledError",
    "CallTimeoutError",
    "ChecksumError",
    "Circuit",
    "CircuitError",
    "ClientClosedError",
    "Counts",
    "ETagMismatchError",
    "EventsCompactedError",
    "ExperimentData",
    "ExperimentHeader",
    "ExperimentResult",
    "Expression",
    "Input",
    "InvalidRequestError",
    "JobCancelledError",
    "JobError",
    "JobEvent",
    "JobExceedsMemoryError",
    "JobFailedError",
    "JobNotFinalError",
    "JobNotFoundError",
    "JobStatus",
    "JobTimeoutError",
    "Limits",
    "Linear",
    "NotFoundError",
    "Observable",
    "OptionInvalidError",
    "Options",
    "PageTokenError",
    "PartNotFoundError",
    "PermissionDeniedError",
    "PreconditionError",
    "Program",
    "ProgramInvalidError",
    "ProgramTooLargeError",
    "Progress",
    "ProtocolError",
    "QueueFullError",
    "RangeError",
    "ReadOffsetError",
    "Register",
    "RequestError",
    "RequestIdReusedError",
    "ResourceExhaustedError",
    "Result",
    "ResultError",
    "ResultExpiredError",
    "ResultNotReadyError",
    "ResultUnavailableError",
    "ServerError",
    "ServerInfo",
    "ServerUnavailableError",
    "TransportError",
    "Variable",
]
