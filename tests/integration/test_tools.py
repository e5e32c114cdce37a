"""What probes and general tools find: health, reflection, and buf curl with JSON."""

from __future__ import annotations

import base64
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from basicaer.v1 import job_service_pb2 as pb
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.conftest import ServerProcess, StartServer
from tests.integration.conftest import Wire

SERVICE = "basicaer.v1.JobService"
BUF = Path(sys.executable).with_name("buf")
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@pytest.mark.parametrize("name", ["", SERVICE])
def test_health_says_serving(server: ServerProcess, name: str) -> None:
    with server.channel() as channel:
        health = health_pb2_grpc.HealthStub(channel)
        assert health.Check(health_pb2.HealthCheckRequest(service=name)).status == SERVING


def test_health_says_not_serving_while_draining(start_server: StartServer, wire: Wire) -> None:
    server = start_server("--drain-grace", "60s")
    with server.stub() as stub, server.channel() as channel:
        job = wire.submit(stub, wire.endless())
        wire.wait_running(stub, job.job_id)
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        assert next(watch).status == SERVING
        server.signal(signal.SIGTERM)
        assert next(watch).status == NOT_SERVING
        with wire.fails() as failure:
            wire.submit(stub, wire.bell())
        assert (failure.code.name, failure.reason) == ("UNAVAILABLE", "DRAINING")
        assert failure.retry_after is not None
        stub.CancelJob(pb.CancelJobRequest(job_id=job.job_id))
    assert server.wait() == 0


def _curl(server: ServerProcess, *arguments: str) -> str:
    command = [str(BUF), "curl", "--protocol", "grpc", "--http2-prior-knowledge", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("protocol", ["grpc-v1", "grpc-v1alpha"])
def test_reflection_lists_the_services(server: ServerProcess, protocol: str) -> None:
    listed = _curl(server, "--reflect-protocol", protocol, "--list-services", f"http://{server.address}")
    assert SERVICE in listed.split()
    assert "grpc.health.v1.Health" in listed.split()


def _documents(text: str) -> list[dict[str, Any]]:
    decoder, documents, position = json.JSONDecoder(), [], 0
    while (rest := text[position:].lstrip()) != "":
        position = len(text) - len(rest)
        document, position = decoder.raw_decode(text, position)
        documents.append(document)
    return documents


def test_a_circuit_from_json_runs_and_its_events_stream(server: ServerProcess) -> None:
    request = {
        "spec": {
            "backendName": "qasm_simulator",
            "options": {"shots": 1000, "seedSimulator": 7},
            "programs": [
                {
                    "circuit": {
                        "numQubits": 2,
                        "numClbits": 2,
                        "operations": [{"name": "h"}, {"name": "cx"}, {"name": "measure"}],
                        "body": {"operations": [0, 1, 2, 2], "qubits": [0, 0, 1, 0, 1], "clbits": [0, 1]},
                    }
                }
            ],
        }
    }
    url = f"http://{server.address}/{SERVICE}/"
    first, *events = _documents(_curl(server, "-d", json.dumps(request), f"{url}RunJob"))
    job_id = first["job"]["jobId"]
    statuses = [event["event"].get("status", {}).get("status") for event in events]
    assert [status for status in statuses if status] == ["JOB_STATUS_RUNNING", "JOB_STATUS_DONE"]
    program = events[-1]["result"]["programs"][0]
    assert sum(int(count) for count in program["counts"]["counts"]) == 1000
    watched = _documents(
        _curl(server, "-d", json.dumps({"jobId": job_id, "afterSequence": 0}), f"{url}WatchJob")
    )
    assert len(watched) == 4


def test_an_error_names_its_reason_in_json(server: ServerProcess) -> None:
    command = [str(BUF), "curl", "--protocol", "grpc", "--http2-prior-knowledge", "-d", '{"jobId": "nobody"}']
    command.append(f"http://{server.address}/{SERVICE}/GetJob")
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    error = json.loads(done.stderr)
    assert error["code"] == "not_found"
    (detail,) = error["details"]
    assert detail["type"] == "google.rpc.ErrorInfo"
    assert b"JOB_NOT_FOUND" in base64.b64decode(detail["value"] + "==")
