"""A server as a provider of Qiskit's backends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self

from basicaer.client import _base
from basicaer.client import _provider as plain
from basicaer.client._job import BasicAerJob as PlainJob
from basicaer.client.qiskit._backend import BasicAerBackend
from basicaer.client.qiskit._errors import translated
from basicaer.client.qiskit._job import BasicAerJob

__all__ = ["BasicAerProvider"]


class BasicAerProvider:
    """A connection to a server, for any number of threads. Close it, or use it in a `with`."""

    def __init__(self, address: str | None = None, **settings: Any) -> None:
        """Makes no call yet. The arguments are those of `basicaer.client.BasicAerProvider`."""
        self._client = plain.BasicAerProvider(address, **settings)
        self._backends: list[BasicAerBackend] | None = None

    @property
    def address(self) -> str:
        """The server's address."""
        return self._client.address

    @property
    def client(self) -> plain.BasicAerProvider:
        """The same connection without Qiskit: programs in OpenQASM, labels, the server's load."""
        return self._client

    def close(self) -> None:
        """Closes the connection; jobs go on."""
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
        """Returns the backends of that name for which `filters` is true.

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
        """Returns the one backend of that name and those attributes.

        Raises: QiskitBackendNotFoundError when there is none, or more than one.
        """
        with translated():
            return _base.only_backend(self.backends(name, **attributes), name, self._all_backends())

    def jobs(self, limit: int | None = None, **filters: Any) -> Iterator[BasicAerJob]:
        """Yields the server's jobs, the newest first.

        The arguments are those of `basicaer.client.BasicAerProvider.jobs`: status, labels, backend_name,
        times.
        """
        with translated():
            for job in self._client.jobs(limit, **filters):
                yield self._job(job)

    def retrieve_job(self, job_id: str) -> BasicAerJob:
        """Returns the job of an id, whichever client submitted it.

        Raises: JobError (JobNotFoundError) when there is none.
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


def _attribute(backend: BasicAerBackend, key: str) -> Any:
    if hasattr(backend, key):
        return getattr(backend, key)
    return getattr(backend.configuration(), key, None)
