"""A server as a provider of Qiskit's backends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self

from basicaer.client.jobs import _base
from basicaer.client.jobs import _provider as plain
from basicaer.client.jobs._handles import Itself
from basicaer.client.jobs._provider import BasicAerJob as PlainJob
from basicaer.client.qiskit._backend import BasicAerBackend, BasicAerJob
from basicaer.client.qiskit._errors import translated

__all__ = ["BasicAerProvider"]


class BasicAerProvider(Itself):
    """A connection to a server, for any number of threads. Close it, or use it in a `with`."""

    def __init__(self, address: str | None = None, **settings: Any) -> None:
        """Make no call yet. The arguments are those of `basicaer.client.BasicAerProvider`."""
        self._use(plain.BasicAerProvider(address, **settings))

    def _use(self, client: plain.BasicAerProvider) -> None:
        self._client = client
        self._backends: list[BasicAerBackend] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return _provider_of, (type(self), self._client)

    @property
    def address(self) -> str:
        """The server's address."""
        return self._client.address

    @property
    def client(self) -> plain.BasicAerProvider:
        """The same connection without Qiskit: programs in OpenQASM, labels, the server's load."""
        return self._client

    def close(self) -> None:
        """Close the connection; jobs go on."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def backends(
        self,
        name: str | None = None,
        filters: Callable[[BasicAerBackend], bool] | None = None,
        **attributes: Any,
    ) -> list[BasicAerBackend]:
        """Return the backends of that name for which `filters` is true.

        A further argument is an attribute of the backend or of its `configuration()`: `simulator=True`.
        """
        return [
            backend
            for backend in self._all_backends()
            if (name is None or backend.name == name)
            and all(_attribute(backend, key) == value for key, value in attributes.items())
            and (filters is None or filters(backend))
        ]

    def get_backend(self, name: str | None = None, **attributes: Any) -> BasicAerBackend:
        """Return the one backend of that name and those attributes.

        Raises:
            QiskitBackendNotFoundError: There is none, or more than one.
        """
        with translated():
            return _base.only_backend(self.backends(name, **attributes), name, self._all_backends())

    def jobs(self, limit: int | None = None, **filters: Any) -> Iterator[BasicAerJob]:
        """Yield the server's jobs, the newest first.

        The arguments are those of `basicaer.client.BasicAerProvider.jobs`: status, labels, backend_name,
        times.
        """
        with translated():
            for job in self._client.jobs(limit, **filters):
                yield self._job(job)

    def retrieve_job(self, job_id: str) -> BasicAerJob:
        """Return the job of an id, whichever client submitted it.

        Raises:
            JobError: There is none; it is a JobNotFoundError too.
        """
        with translated():
            return self._job(self._client.retrieve_job(job_id))

    def _job(self, job: PlainJob) -> BasicAerJob:
        return BasicAerJob(self.get_backend(job.backend().name), job)

    def _all_backends(self) -> list[BasicAerBackend]:
        if self._backends is None:
            with translated():
                self._backends = [BasicAerBackend(self, backend) for backend in self._client.backends()]
        return self._backends

    def __str__(self) -> str:
        return "BasicAer"

    def __repr__(self) -> str:
        return f"<BasicAerProvider({self.address!r})>"


def _provider_of(kind: type[BasicAerProvider], client: plain.BasicAerProvider) -> BasicAerProvider:
    """Return a provider of a connection that is there already."""
    made = kind.__new__(kind)
    made._use(client)
    return made


def _attribute(backend: BasicAerBackend, key: str) -> Any:
    if hasattr(backend, key):
        return getattr(backend, key)
    return getattr(backend.configuration(), key, None)
