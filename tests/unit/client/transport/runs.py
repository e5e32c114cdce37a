"""What a scripted server answers to RunJob."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import grpc
from basicaer.v1 import job_pb2, job_service_pb2, result_pb2

__all__ = [
    "BELL",
    "DONE",
    "QUEUED",
    "RUNNING",
    "Messages",
    "brief_run",
    "event",
    "first",
    "wait_until",
    "whole_run",
]

BELL = "OPENQASM 2.0; qreg q[2];"
QUEUED, RUNNING, DONE = job_pb2.JOB_STATUS_QUEUED, job_pb2.JOB_STATUS_RUNNING, job_pb2.JOB_STATUS_DONE
Messages = Iterator[job_service_pb2.RunJobResponse]


def first(peer: Any) -> job_service_pb2.RunJobResponse:
    """A run's first message."""
    return job_service_pb2.RunJobResponse(job=peer.job())


def event(
    peer: Any, status: int, sequence: int, result: result_pb2.Result | None = None
) -> job_service_pb2.RunJobResponse:
    """A run's later message."""
    return job_service_pb2.RunJobResponse(event=peer.event(status, sequence).event, result=result)


def whole_run(peer: Any, result: result_pb2.Result) -> Callable[[Any, grpc.ServicerContext], Messages]:
    """A run that goes well."""

    def run(request: Any, context: grpc.ServicerContext) -> Messages:
        yield first(peer)
        yield event(peer, RUNNING, 2)
        yield event(peer, DONE, 3, result)

    return run


def brief_run(peer: Any, result: result_pb2.Result) -> Callable[[Any, grpc.ServicerContext], Messages]:
    """A run that was over before it could be told of."""

    def run(request: Any, context: grpc.ServicerContext) -> Messages:
        assert request.brief
        message = event(peer, DONE, 3, result)
        message.job.CopyFrom(peer.job(DONE, 3))
        yield message

    return run


def wait_until(holds: Callable[[], bool]) -> None:
    """Returns when something holds; fails when it never comes to."""
    until = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.002)
