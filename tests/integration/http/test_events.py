"""Server-sent events: a job's durable events, each once, whatever becomes of connections and servers."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from basicaer.service.config import Config
from basicaer.service.main import Service
from basicaer.v1 import job_service_pb2 as pb
from google.protobuf import json_format

from tests.conftest import ServerProcess, StartServer
from tests.integration.conftest import Wire
from tests.integration.http.conftest import bell, spec
from tests.web import Answer, Frame, Web


def _all(web: Web, path: str, **headers: str) -> list[Frame]:
    with web.events(path, **headers) as frames:
        assert not isinstance(frames, Answer), frames
        return list(frames)


def _statuses(frames: list[Frame]) -> list[str]:
    changes = [frame.json["event"] for frame in frames if frame.data and "event" in frame.json]
    return [one["status"]["status"].removeprefix("JOB_STATUS_") for one in changes if "status" in one]


def test_durable_events_are_those_of_watch_job(web: Web, web_server: ServerProcess) -> None:
    job_id = web.call("POST", "/v1/jobs:run", bell()).json["job"]["jobId"]
    first, *frames = _all(web, f"/v1/jobs/{job_id}:watch?after_sequence=0")
    with web_server.stub() as stub:
        seen = list(stub.WatchJob(pb.WatchJobRequest(job_id=job_id, after_sequence=0)))
    assert [json_format.Parse(frame.data, pb.WatchJobResponse()) for frame in [first, *frames]] == seen
    assert [frame.identity for frame in frames] == ["1", "2", "3"]
    # Who loses the connection right after the job has seen none of its events.
    assert (first.identity, first.json["job"]["sequence"]) == ("0", "3")


def test_a_source_that_connects_again_goes_on(web: Web) -> None:
    job_id = web.call("POST", "/v1/jobs:run", bell()).json["job"]["jobId"]
    # Its address still says where it first began.
    again = _all(web, f"/v1/jobs/{job_id}:watch?after_sequence=0", Last_Event_ID="1")
    assert [frame.identity for frame in again] == ["1", "2", "3"]
    assert _statuses(again) == ["RUNNING", "DONE"]
    # All was told: EventSource connects no more.
    assert web.call("GET", f"/v1/jobs/{job_id}:watch", Last_Event_ID="3").status == 204
    beyond = web.call("GET", f"/v1/jobs/{job_id}:watch", Last_Event_ID="4")
    assert (beyond.status, beyond.json["reason"]) == (410, "EVENTS_COMPACTED")
    broken = web.call("GET", f"/v1/jobs/{job_id}:watch", Last_Event_ID="x")
    assert (broken.status, broken.json["reason"]) == (400, "OPTION_INVALID")


def test_heartbeats_are_comments(web: Web) -> None:
    job_id = web.call("POST", "/v1/jobs", spec(Wire.endless())).json["job"]["jobId"]
    with web.events(f"/v1/jobs/{job_id}:watch?heartbeat_interval=0.1s") as frames:
        assert not isinstance(frames, Answer)
        assert "job" in next(frames).json
        beat = next(frame for frame in frames if frame.comment)
        assert (beat.comment, beat.data, beat.identity) == ("heartbeat", "", None)
        web.call("POST", f"/v1/jobs/{job_id}:cancel")
        assert _statuses(list(frames))[-1] == "CANCELLED"


def test_run_as_events_ends_with_the_result(web: Web) -> None:
    with web.events("/v1/jobs:run", "POST", bell()) as frames:
        assert not isinstance(frames, Answer)
        found = list(frames)
    assert _statuses(found) == ["RUNNING", "DONE"]
    assert found[-1].json["result"]["success"]


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(
        listen="127.0.0.1:0", http_listen="127.0.0.1:0", data_dir=tmp_path / "data", drain_grace=0.0
    )


async def test_a_watch_that_is_left_is_let_go(service: Service) -> None:
    web, watches = Web(service.http_url), service._service._watches
    submitted = await asyncio.to_thread(web.call, "POST", "/v1/jobs", spec(Wire.endless()))
    job_id = submitted.json["job"]["jobId"]

    def watch_and_leave() -> int:
        with web.events(f"/v1/jobs/{job_id}:watch") as frames:
            assert not isinstance(frames, Answer)
            next(frames)
            return watches._open.total()

    assert await asyncio.to_thread(watch_and_leave) == 1
    await asyncio.to_thread(Wire.until, lambda: not watches._open.total())
    # The end of a watch never touches the job.
    cancelled = await asyncio.to_thread(web.call, "POST", f"/v1/jobs/{job_id}:cancel")
    assert cancelled.json["job"]["cancelRequested"]


def test_a_watch_goes_on_after_a_crash(start_server: StartServer) -> None:
    options = ("--http-listen", "127.0.0.1:0")
    first = start_server(*options)
    web = Web(first.http_url)
    job_id = web.call("POST", "/v1/jobs", spec(Wire.endless())).json["job"]["jobId"]
    seen: list[Any] = []
    with web.events(f"/v1/jobs/{job_id}:watch?after_sequence=0") as frames:
        assert not isinstance(frames, Answer)
        while "RUNNING" not in _statuses(seen):
            seen.append(next(frames))
        first.kill()
    second = start_server(*options)
    web = Web(second.http_url)
    last = next(frame.identity for frame in reversed(seen) if frame.identity)
    with web.events(f"/v1/jobs/{job_id}:watch?after_sequence=0", Last_Event_ID=last) as frames:
        assert not isinstance(frames, Answer)
        job = next(frames)
        assert job.json["job"]["jobId"] == job_id
        web.call("POST", f"/v1/jobs/{job_id}:cancel")
        seen += frames
    durable = [int(frame.identity) for frame in seen[1:] if frame.identity]
    assert durable == list(range(1, len(durable) + 1))
    assert _statuses(seen)[-1] == "CANCELLED"


def test_streams_end_when_the_server_drains(start_server: StartServer) -> None:
    server = start_server("--http-listen", "127.0.0.1:0", "--drain-grace", "0")
    web = Web(server.http_url)
    job_id = web.call("POST", "/v1/jobs", spec(Wire.endless())).json["job"]["jobId"]
    with web.events(f"/v1/jobs/{job_id}:watch") as frames:
        assert not isinstance(frames, Answer)
        next(frames)
        assert server.stop() == 0
        # A whole end, without a final event: watch again.
        assert "CANCELLED" not in _statuses(list(frames))
    log = server.log.read_text()
    assert "ERROR" not in log
    assert "Traceback" not in log
