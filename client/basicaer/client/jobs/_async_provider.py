"""Where a program begins: a provider is a connection to one server, and has its backends and jobs.

The three stand together, since each gives the others.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import grpc
import numpy.typing as npt
from basicaer.client import _errors as errors
from basicaer.client._diagnostics import Diagnostics, diagnostics_from_message
from basicaer.client._status import JobStatus
from basicaer.client.jobs import _base, _requests
from basicaer.client.jobs._async_job import AsyncJobCalls
from basicaer.client.jobs._handles import Itself, reconnected
from basicaer.client.jobs._noise_model import NoiseModel
from basicaer.client.jobs._options import MatrixProductStateOptions
from basicaer.client.jobs._programs import metadata_left, program_list
from basicaer.client.jobs._server_info import Limits, ServerInfo
from basicaer.client.results._result import Result
from basicaer.client.transport._access import channel_credentials
from basicaer.client.transport._async_transport import AsyncTransport
from basicaer.client.transport._channel import ChannelOptions, resolve_address
from basicaer.v1 import job_pb2, job_service_pb2

__all__ = ["AsyncBasicAerBackend", "AsyncBasicAerJob", "AsyncBasicAerProvider"]


class AsyncBasicAerJob(AsyncJobCalls):
    """A job on a server, for the tasks of one event loop; none of its methods polls.

    Every method that asks the server may raise TransportError, which says nothing about the job, and
    JobNotFoundError.
    """

    _backend: AsyncBasicAerBackend

    def __init__(
        self, backend: AsyncBasicAerBackend, job_id: str | None, result: Result | None = None, **metadata: Any
    ) -> None:
        super().__init__(backend._transport, backend, job_id, result, **metadata)

    def backend(self) -> AsyncBasicAerBackend:
        """Return the backend that the job was made by."""
        return self._backend


class AsyncBasicAerBackend(_base.BackendBase):
    """A backend of a server: `run` submits programs to it."""

    def __init__(
        self, provider: AsyncBasicAerProvider, info: job_service_pb2.BackendInfo, limits: Limits
    ) -> None:
        super().__init__(info, limits, provider._transport.max_outage)
        self._provider = provider
        self._transport = provider._transport

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what copies and pickles are made of: the connection is shared, the options are a copy's
        own.
        """
        return type(self), (self._provider, self._info, self._limits), {"_options": self._options}

    @property
    def provider(self) -> AsyncBasicAerProvider:
        """The provider that the backend came from."""
        return self._provider

    async def run(
        self,
        programs: Any,
        *,
        shots: int | None = None,
        memory: bool | None = None,
        seed_simulator: int | None = None,
        initial_statevector: npt.ArrayLike | None = None,
        initial_unitary: npt.ArrayLike | None = None,
        chop_threshold: float | None = None,
        precision: str | None = None,
        max_parallel_threads: int | None = None,
        max_run_time: float | None = None,
        noise_model: NoiseModel | None = None,
        method: str | None = None,
        matrix_product_state: MatrixProductStateOptions | Mapping[str, Any] | None = None,
        nodes: int | None = None,
        labels: Mapping[str, str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> AsyncBasicAerJob:
        """Submit a program, or a list of them, as one job, and return it once the server has stored it.

        A program is a Circuit, OpenQASM 2 or 3 text, a Qiskit QuantumCircuit, a Program, or a message of
        `basicaer.v1`. For the options see `Options`; those left out are the backend's `options`. `labels`
        find the job again in `provider.jobs()`, `metadata` comes back with it, to others as far as it's JSON.
        The same `request_id` never makes a second job; one is made when it's None, and kept over retries.
        `timeout` is for the submission alone.

        Raises:
            CircuitError: What was given is no program.
            OptionInvalidError: An option is none, or can't have this value.
            ProgramInvalidError: The server can't run a program; with line and column.
            ResourceExhaustedError: The job is too large for the server, or comes at a bad time; see its
                children.
            RequestIdReusedError: The request id is that of another job.
            TransportError: The server can't be reached.
        """
        job = self.new_job(
            programs,
            shots=shots,
            memory=memory,
            seed_simulator=seed_simulator,
            initial_statevector=initial_statevector,
            initial_unitary=initial_unitary,
            chop_threshold=chop_threshold,
            precision=precision,
            max_parallel_threads=max_parallel_threads,
            max_run_time=max_run_time,
            noise_model=noise_model,
            method=method,
            matrix_product_state=matrix_product_state,
            nodes=nodes,
            labels=labels,
            metadata=metadata,
            request_id=request_id,
        )
        await job.submit(timeout)
        return job

    def new_job(
        self,
        programs: Any,
        *,
        labels: Mapping[str, str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        request_id: str | None = None,
        **options: Any,
    ) -> AsyncBasicAerJob:
        """Return a job that `job.submit()` will submit; the arguments are those of `run`.

        Raises:
            CircuitError: What was given is no program.
            OptionInvalidError: An option is none, or can't have this value.
        """
        job = AsyncBasicAerJob(self, None)
        job.metadata = dict(metadata or {})
        listed = program_list(programs)
        spec = self._spec(listed, labels, metadata, options)
        job._circuit_metadata = metadata_left(listed, spec.programs)
        job._request = _requests.submit_request(spec, request_id)
        return job

    async def validate(self, programs: Any, **options: Any) -> int:
        """Check what `run` would submit, without submitting it; return the bytes of memory that it needs.

        Raises:
            BasicAerError: As by `run`.
        """
        job = await self._validated(programs, options)
        return job.required_bytes

    async def check(self, programs: Any, **options: Any) -> Diagnostics:
        """Return what is wrong with the text of a program that `run` would submit, and what is doubtful.

        Raises:
            BasicAerError: As by `run`, but for mistakes of a text.
        """
        try:
            job = await self._validated(programs, options)
        except (errors.ProgramInvalidError, errors.ProgramTooLargeError) as error:
            if not error.diagnostics:
                raise
            return error.diagnostics
        return diagnostics_from_message(job.warnings)

    async def _validated(self, programs: Any, options: Mapping[str, Any]) -> job_pb2.Job:
        request = job_service_pb2.SubmitJobRequest(
            spec=self._spec(programs, None, None, options), validate_only=True
        )
        answer = await self._transport.call(self._transport.stub.SubmitJob, request)
        return answer.job


class AsyncBasicAerProvider(Itself):
    """A connection to a server, for the tasks of the event loop that uses it first. Close it, or use it in an
    `async with`.

    async with AsyncBasicAerProvider("127.0.0.1:50051") as provider:
        backend = await provider.get_backend("qasm_simulator")
        counts = (await (await backend.run(circuit, shots=1000)).result()).get_counts()

    In another loop its calls, and those of its backends and jobs, raise EventLoopError.
    """

    def __init__(
        self,
        address: str | None = None,
        *,
        timeout: float = _base.DEFAULT_TIMEOUT,
        max_outage: float | None = _base.DEFAULT_MAX_OUTAGE,
        token: str | None = None,
        credentials: grpc.ChannelCredentials | None = None,
        channel_options: ChannelOptions = (),
    ) -> None:
        """Make no call yet.

        `address` is HOST:PORT, by default that of the environment's BASICAER_SERVER, or 127.0.0.1:50051.
        `timeout` is how many seconds a call may take with its repetitions while the server is away;
        `max_outage` for how many a wait for a job endures that (None: without end).

        `token` says who calls, by default that of the environment's BASICAER_TOKEN or BASICAER_TOKEN_FILE.
        `credentials` encrypt the connection, by default with the authority of BASICAER_CA_FILE, or the
        system's if BASICAER_TLS=1, and with the client certificate of BASICAER_CERT_FILE and
        BASICAER_KEY_FILE. A token is never sent without encryption, other than within this machine.

        Raises:
            BasicAerError: A file can't be read, or the token would travel readably over the network.
        """
        self.address = resolve_address(address)
        self._settings = (timeout, max_outage, tuple(channel_options), credentials is not None)
        credentials = channel_credentials(self.address, token, credentials)
        self._transport = AsyncTransport(self.address, timeout, max_outage, credentials, channel_options)
        self._backends: list[AsyncBasicAerBackend] | None = None

    async def close(self) -> None:
        """Close the connection; jobs go on. Waits that are under way raise ClientClosedError."""
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def backends(
        self,
        name: str | None = None,
        filters: Callable[[AsyncBasicAerBackend], bool] | None = None,
        **attributes: Any,
    ) -> list[AsyncBasicAerBackend]:
        """Return the backends of that name and those attributes for which `filters` is true."""
        return _base.select_backends(await self._all_backends(), name, filters, attributes)

    async def get_backend(self, name: str | None = None, **attributes: Any) -> AsyncBasicAerBackend:
        """Return the one backend of that name and those attributes.

        Raises:
            BackendNotFoundError: There is none, or more than one.
        """
        fits = await self.backends(name, **attributes)
        return _base.only_backend(fits, name, await self._all_backends())

    async def jobs(
        self,
        limit: int | None = None,
        *,
        status: JobStatus | Sequence[JobStatus] | None = None,
        labels: Mapping[str, str] | None = None,
        backend_name: str | None = None,
        created_after: datetime | None = None,
        created_before: datetime | None = None,
        page_size: int = 50,
    ) -> AsyncIterator[AsyncBasicAerJob]:
        """Yield the server's jobs, the newest first, asking for a page when the one before is used up.

        A time without a zone is local; `created_after` is itself included, `created_before` is not.
        """
        request = _requests.list_request(
            status, labels, backend_name, created_after, created_before, page_size
        )
        left = limit
        while True:
            page = await self._transport.call(self._transport.stub.ListJobs, request)
            for message in page.jobs:
                if left is not None:
                    if left <= 0:
                        return
                    left -= 1
                yield await self._job(message)
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def retrieve_job(self, job_id: str) -> AsyncBasicAerJob:
        """Return the job of an id, whichever client submitted it.

        Raises:
            JobNotFoundError: There is no such job.
        """
        request = _requests.get_request(job_id)
        answer = await self._transport.call(self._transport.stub.GetJob, request)
        return await self._job(answer.job)

    async def server_info(self) -> ServerInfo:
        """Return the server's version, load and limits, as they are now."""
        request = job_service_pb2.GetServerInfoRequest()
        answer = await self._transport.call(self._transport.stub.GetServerInfo, request)
        return ServerInfo.from_message(answer)

    async def _all_backends(self) -> list[AsyncBasicAerBackend]:
        """Return all backends, asked for once."""
        if self._backends is None:
            server = await self.server_info()
            request = job_service_pb2.ListBackendsRequest()
            answer = await self._transport.call(self._transport.stub.ListBackends, request)
            self._backends = [AsyncBasicAerBackend(self, info, server.limits) for info in answer.backends]
        return self._backends

    async def _job(self, message: job_pb2.Job) -> AsyncBasicAerJob:
        available = await self._all_backends()
        fits = [backend for backend in available if backend.name == message.backend_name]
        backend = _base.only_backend(fits, message.backend_name, available)
        job = AsyncBasicAerJob(backend, message.job_id)
        job._accept(message)
        return job

    def __reduce__(self) -> tuple[Any, ...]:
        return reconnected, (type(self), self.address, *self._settings)

    def __repr__(self) -> str:
        return f"<AsyncBasicAerProvider({self.address!r})>"
