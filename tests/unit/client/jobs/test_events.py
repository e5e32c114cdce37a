"""A job's events over a network that breaks: each comes once, and leaving them closes the stream."""

from __future__ import annotations

import threading
from typing import Any

import grpc
import pytest
from basicaer.client import BasicAerJob, EventsCompactedError, JobStatus
from basicaer.v1 import job_pb2, job_service_pb2

from tests.unit.client.jobs.conftest import DONE, QUEUED, RUNNING, Stream, in_turn


def test_events_come_once_each_across_breaks(peer: Any, job: BasicAerJob) -> None:
    def breaks(request: Any, context: grpc.ServicerContext) -> Stream:
        assert request.after_sequence == 0
        yield peer.first(RUNNING, 2)
        yield peer.event(QUEUED, 1)
        progress = job_pb2.Progress(fraction=0.5, shots_done=1, shots_total=2, programs_total=1)
        yield job_service_pb2.WatchJobResponse(event=job_pb2.Event(sequence=1, progress=progress))
        peer.abort(context, grpc.StatusCode.UNAVAILABLE)

    def overlaps(request: Any, context: grpc.ServicerContext) -> Stream:
        yield peer.first(DONE, 3)
        yield peer.event(QUEUED, 1)
        yield peer.event(RUNNING, 2)
        yield peer.event(DONE, 3)

    in_turn(peer, breaks, overlaps)
    events = list(job.events())
    assert [event.sequence for event in events if event.status] == [1, 2, 3]
    assert [event.progress.fraction for event in events if event.progress] == [0.5]
    assert job.done()


def test_events_that_are_gone_are_an_error_only_when_asked_for(peer: Any, job: BasicAerJob) -> None:
    def compacted(request: Any, context: grpc.ServicerContext) -> Stream:
        if request.HasField("after_sequence"):
            peer.abort(context, grpc.StatusCode.OUT_OF_RANGE, reason="EVENTS_COMPACTED")
        yield peer.first(DONE, 3)

    in_turn(peer, compacted)
    assert [(event.sequence, event.status) for event in job.events()] == [(3, JobStatus.DONE)]
    with pytest.raises(EventsCompactedError):
        list(job.events(after_sequence=1))


def test_leaving_the_events_closes_the_stream(peer: Any, job: BasicAerJob) -> None:
    closed = threading.Event()

    def stream(request: Any, context: grpc.ServicerContext) -> Stream:
        context.add_callback(closed.set)
        yield peer.first(QUEUED, 1)
        yield peer.event(QUEUED, 1)
        peer.hang(context)

    in_turn(peer, stream)
    events = job.events()
    assert next(events).status is JobStatus.QUEUED
    events.close()
    assert closed.wait(30)
