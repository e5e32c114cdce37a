"""A client of the shared server, and a job that runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from basicaer.client import BasicAerBackend, BasicAerJob, BasicAerProvider, JobStatus

from tests.acceptance.jobs import LIMIT, await_status, endless
from tests.conftest import ServerProcess


@pytest.fixture
def provider(server: ServerProcess) -> Iterator[BasicAerProvider]:
    """A client of the shared server."""
    with BasicAerProvider(server.address) as made:
        yield made


@pytest.fixture
def backend(provider: BasicAerProvider) -> BasicAerBackend:
    """The simulator of counts."""
    return provider.get_backend("qasm_simulator")


@pytest.fixture
def running(backend: BasicAerBackend) -> Iterator[BasicAerJob]:
    """A job that runs until the test is over."""
    job = backend.run(endless())
    await_status(job, JobStatus.RUNNING)
    yield job
    job.cancel()
    job.wait_for_final_state(LIMIT)
