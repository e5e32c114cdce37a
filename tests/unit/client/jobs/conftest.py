"""A job on a peer, whose watches a test scripts one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from basicaer.client import BasicAerJob, BasicAerProvider
from basicaer.v1 import job_pb2, job_service_pb2

QUEUED, RUNNING = job_pb2.JOB_STATUS_QUEUED, job_pb2.JOB_STATUS_RUNNING
DONE, ERROR, CANCELLED = job_pb2.JOB_STATUS_DONE, job_pb2.JOB_STATUS_ERROR, job_pb2.JOB_STATUS_CANCELLED
Stream = Iterator[job_service_pb2.WatchJobResponse]
Watch = Callable[[Any, grpc.ServicerContext], Stream]


@pytest.fixture
def job(peer: Any, provider: BasicAerProvider) -> BasicAerJob:
    """A handle of a job on the peer."""
    return BasicAerJob(provider.get_backend("qasm_simulator"), "0199-job")


def in_turn(peer: Any, *streams: Watch) -> None:
    """Answers the first watch with the first stream, and so on; the last one answers all that follow."""
    rest = list(streams)

    def watch(request: Any, context: grpc.ServicerContext) -> Stream:
        stream = rest.pop(0) if len(rest) > 1 else rest[0]
        yield from stream(request, context)

    peer.on("WatchJob", watch)
