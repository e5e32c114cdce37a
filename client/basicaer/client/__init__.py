"""The client of a BasicAer server: circuits in, jobs watched live, counts and amplitudes back.

    from basicaer.client import BasicAerProvider, Circuit

    circuit = Circuit(2, 2).h(0).cx(0, 1).measure([0, 1], [0, 1])
    with BasicAerProvider("127.0.0.1:50051") as provider:
        job = provider.get_backend("qasm_simulator").run(circuit, shots=1000)
        print(job.result().get_counts())

`AsyncBasicAerProvider` and its kin are the same for asyncio. The errors are drawn as a tree in `_errors`.
"""

from basicaer.client._diagnostics import Diagnostic, Diagnostics
from basicaer.client._errors import (
    BackendNotFoundError,
    BasicAerError,
    CallCancelledError,
    CallTimeoutError,
    ChecksumError,
    CircuitError,
    ClientClosedError,
    ETagMismatchError,
    EventLoopError,
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
    ResultTooLargeError,
    ResultUnavailableError,
    ServerError,
    ServerUnavailableError,
    TransportError,
    UnauthenticatedError,
)
from basicaer.client._moved import find_moved as _find_moved
from basicaer.client._status import JobEvent, JobStatus, Progress
from basicaer.client.circuit._channels import Channel, ReadoutError
from basicaer.client.circuit._circuit import Circuit
from basicaer.client.circuit._inputs import Input, Linear, Observable
from basicaer.client.circuit._values import Expression, Register, Variable
from basicaer.client.jobs._async_provider import AsyncBasicAerBackend, AsyncBasicAerJob, AsyncBasicAerProvider
from basicaer.client.jobs._externs import Extern
from basicaer.client.jobs._noise_model import NoiseModel
from basicaer.client.jobs._options import MatrixProductStateOptions, Options
from basicaer.client.jobs._programs import Program
from basicaer.client.jobs._provider import BasicAerBackend, BasicAerJob, BasicAerProvider
from basicaer.client.jobs._server_info import Limits, ServerInfo
from basicaer.client.results._chains import MatrixProductState
from basicaer.client.results._counts import Counts
from basicaer.client.results._experiment import ExperimentData, ExperimentHeader, ExperimentResult
from basicaer.client.results._methods import MatrixProductStateCuts
from basicaer.client.results._outputs import Output, Outputs
from basicaer.client.results._result import Result

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
    "Channel",
    "ChecksumError",
    "Circuit",
    "CircuitError",
    "ClientClosedError",
    "Counts",
    "Diagnostic",
    "Diagnostics",
    "ETagMismatchError",
    "EventLoopError",
    "EventsCompactedError",
    "ExperimentData",
    "ExperimentHeader",
    "ExperimentResult",
    "Expression",
    "Extern",
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
    "MatrixProductState",
    "MatrixProductStateCuts",
    "MatrixProductStateOptions",
    "NoiseModel",
    "NotFoundError",
    "Observable",
    "OptionInvalidError",
    "Options",
    "Output",
    "Outputs",
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
    "ReadoutError",
    "Register",
    "RequestError",
    "RequestIdReusedError",
    "ResourceExhaustedError",
    "Result",
    "ResultError",
    "ResultExpiredError",
    "ResultNotReadyError",
    "ResultTooLargeError",
    "ResultUnavailableError",
    "ServerError",
    "ServerInfo",
    "ServerUnavailableError",
    "TransportError",
    "UnauthenticatedError",
    "Variable",
]

_find_moved()
