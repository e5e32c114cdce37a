"""What a server's log tells of calls and jobs, and what it doesn't."""

from __future__ import annotations

import datetime
import re
from pathlib import Path

from basicaer.service.access import TokenStore
from basicaer.v1 import job_service_pb2 as pb

from tests.conftest import StartServer
from tests.integration.conftest import Wire
from tests.integration.telemetry.conftest import json_lines, until

SECRET_GATE = "swordfish"


def _metadata(token: str) -> tuple[tuple[str, str]]:
    return (("authorization", f"Bearer {token}"),)


def test_json_lines_tell_the_life_of_a_job(start_server: StartServer, wire: Wire, tmp_path: Path) -> None:
    with TokenStore(tmp_path / "data") as tokens:
        _, token = tokens.create("ada", "user", None)
    server = start_server("--auth", "token", "--log-format", "json", "--log-level", "debug")
    with server.stub() as stub:
        request = pb.RunJobRequest(spec=wire.bell(shots=10))
        request.spec.labels["label"] = SECRET_GATE
        job = next(iter(stub.RunJob(request, metadata=_metadata(token)))).job
        broken = pb.SubmitJobRequest(
            spec=wire.qasm(f'OPENQASM 2.0; include "qelib1.inc"; {SECRET_GATE} q[0];')
        )
        with wire.fails() as failure:
            stub.SubmitJob(broken, metadata=_metadata(token))
        assert SECRET_GATE in failure.message
        with wire.fails():
            stub.GetJob(pb.GetJobRequest(job_id="line\nbreak"), metadata=_metadata(token))
    assert server.stop() == 0
    lines = json_lines(server)
    for line in lines:
        assert {"time", "level", "logger", "message"} <= set(line)
        assert line["time"].endswith("Z")
        assert datetime.datetime.fromisoformat(line["time"]).utcoffset() == datetime.timedelta(0)
    told = {line["message"]: line for line in lines}
    for message, level in (("job accepted", "debug"), ("job started", "debug"), ("job finished", "info")):
        assert told[message]["level"] == level
        assert told[message]["job_id"] == job.job_id
        assert told[message]["principal"] == "token:ada"
    assert told["job finished"]["status"] == "DONE"
    assert told["job finished"]["attempt"] == 1
    assert told["job finished"]["seconds"] > 0
    assert told["job refused"]["reason"] == "PROGRAM_INVALID"
    assert told["job refused"]["principal"] == "token:ada"
    missing = next(line for line in lines if line.get("method") == "GetJob")
    assert missing["job_id"] == "line\nbreak"
    assert missing["reason"] == "JOB_NOT_FOUND"
    text = server.log.read_text()
    assert SECRET_GATE not in text
    assert token not in text
    assert token.rpartition("_")[2] not in text


def test_text_is_one_line_for_each_event(start_server: StartServer, wire: Wire) -> None:
    server = start_server("--log-level", "debug")
    with server.stub() as stub:
        job = wire.run(stub, wire.bell(shots=10))[0].job
        with wire.fails():
            stub.GetJob(pb.GetJobRequest(job_id="line\nbreak"))
    finished = until(lambda: re.search(r"^.*job finished.*$", server.log.read_text(), re.MULTILINE))
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO basicaer\.service\.jobs\._lifecycle: job finished "
        rf"job_id={job.job_id} attempt=1 status=DONE seconds=[\d.e-]+ waited=[\d.e-]+",
        finished[0],
    )
    assert server.stop() == 0
    assert all(re.match(r"\d{4}-\d\d-\d\dT", line) for line in server.log.read_text().splitlines())
    assert 'job_id="line\\nbreak"' in server.log.read_text()
