"""The contract's paths: jobs from their beginning to their end, and problems."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from basicaer.v1 import job_pb2
from basicaer.v1 import job_service_pb2 as pb
from jsonschema import Draft202012Validator

from tests.conftest import ServerProcess
from tests.integration.conftest import Wire
from tests.integration.http.conftest import bell, spec
from tests.web import Answer, Web


def _problem(answer: Answer, status: int, reason: str, field: str | None = None) -> dict[str, Any]:
    found: dict[str, Any] = answer.json
    assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json")
    assert (found["status"], found["reason"]) == (status, reason)
    assert found["type"].endswith(f":{reason}")
    if field is not None:
        assert [one["field"] for one in found["fieldViolations"]] == [field]
    return found


def test_a_job_from_its_beginning_to_its_end(web: Web) -> None:
    submitted = web.call("POST", "/v1/jobs", bell(), Idempotency_Key="from-its-beginning").json
    job_id = submitted["job"]["jobId"]
    job = web.call("GET", f"/v1/jobs/{job_id}?wait=20s&if_sequence_after=2").json["job"]
    assert (job["status"], job["requestId"]) == ("JOB_STATUS_DONE", "from-its-beginning")
    listed = web.call("GET", "/v1/jobs?page_size=1000&statuses=JOB_STATUS_DONE").json["jobs"]
    assert job_id in [one["jobId"] for one in listed]
    result = web.call("GET", f"/v1/jobs/{job_id}/result").json
    counts = result["programs"][0]["counts"]
    assert sum(map(int, counts["counts"])) == 1024
    assert set(counts["outcomes"]) <= {"0", "3"}
    assert web.call("DELETE", f"/v1/jobs/{job_id}").json == {}
    _problem(web.call("GET", f"/v1/jobs/{job_id}"), 404, "JOB_NOT_FOUND")


def test_run_waits_for_the_result(web: Web) -> None:
    answer = web.call("POST", "/v1/jobs:run", bell(seed_simulator=5))
    assert answer.status == 200
    assert answer.json["job"]["status"] == "JOB_STATUS_DONE"
    assert answer.json["event"]["status"]["status"] == "JOB_STATUS_DONE"
    assert answer.json["result"]["programs"][0]["seedSimulator"] == "5"
    assert answer.headers["location"] == f"/v1/jobs/{answer.json['job']['jobId']}"


def test_run_waits_no_longer_than_is_preferred(web: Web) -> None:
    told = {"Idempotency_Key": "no-longer", "Prefer": "respond-async, wait=0"}
    answer = web.call("POST", "/v1/jobs:run", spec(Wire.endless()), **told)
    assert (answer.status, answer.headers["preference-applied"]) == (202, "wait=0")
    job_id = answer.json["job"]["jobId"]
    again = web.call("POST", "/v1/jobs:run", spec(Wire.endless()), **told)
    assert (again.json["job"]["jobId"], again.json["duplicate"]) == (job_id, True)
    stopped = web.call("POST", f"/v1/jobs/{job_id}:cancel", {"reason": "enough"})
    assert stopped.json["job"]["cancelRequested"]
    del told["Prefer"]
    ended = web.call("POST", "/v1/jobs:run", spec(Wire.endless()), **told)
    assert (ended.status, ended.json["job"]["status"]) == (200, "JOB_STATUS_CANCELLED")


def test_the_same_key_is_the_same_job(web: Web) -> None:
    first = web.call("POST", "/v1/jobs", bell(), Idempotency_Key="once")
    # As the header's own form has it, and as the contract has it.
    quoted = web.call("POST", "/v1/jobs", bell(), Idempotency_Key='"once"')
    named = web.call("POST", "/v1/jobs?requestId=once", bell())
    assert {one.json["job"]["jobId"] for one in (quoted, named)} == {first.json["job"]["jobId"]}
    assert [one.json.get("duplicate", False) for one in (first, quoted, named)] == [False, True, True]
    other = web.call("POST", "/v1/jobs", bell(shots=3), Idempotency_Key="once")
    _problem(other, 409, "REQUEST_ID_REUSED")
    both = web.call("POST", "/v1/jobs?request_id=a", bell(), Idempotency_Key="b")
    _problem(both, 400, "OPTION_INVALID", "request_id")


def test_a_check_stores_nothing(web: Web) -> None:
    assert not web.call("POST", "/v1/jobs?validate_only=true", bell()).json["job"].get("jobId")
    broken = web.call("POST", "/v1/jobs?validateOnly=true", spec(Wire.qasm("OPENQASM 2.0;\nqreg q[2]\n")))
    found = _problem(broken, 400, "PROGRAM_INVALID", "programs[0].openqasm2")
    assert found["diagnostics"]["diagnostics"][0]["message"]


def test_a_spec_may_be_protobufs_own_bytes(web: Web) -> None:
    # More than a JSON body may have.
    text = Wire.qasm().programs[0].openqasm2 + "// " + "x" * (3 << 20)
    body = Wire.qasm(text).SerializeToString()
    answer = web.call(
        "POST", "/v1/jobs:run", body, Content_Type="application/protobuf", Idempotency_Key="bytes"
    )
    assert answer.json["job"]["requestId"] == "bytes"
    assert answer.json["job"]["status"] == "JOB_STATUS_DONE"
    _problem(web.call("POST", "/v1/jobs", spec(Wire.qasm(text))), 413, "PROGRAM_TOO_LARGE")
    torn = web.call("POST", "/v1/jobs", body[:100], Content_Type="application/protobuf")
    _problem(torn, 400, "OPTION_INVALID")


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/v1/jobs?page_size=-1", "page_size"),
        ("/v1/jobs?page_size=many", "pageSize"),
        ("/v1/jobs?page_size=1&page_size=2", "page_size"),
        ("/v1/jobs?pages=1", "pages"),
        ("/v1/jobs?labels=a", "labels"),
        ("/v1/jobs?page_size[a]=1", "page_size"),
        ("/v1/jobs?statuses=DONE", "statuses[0]"),
        ("/v1/jobs?create_time_from=noon", "create_time_from"),
        ("/v1/jobs/x?wait=long", "wait"),
        ("/v1/jobs/x:watch?after_sequence=-1", "after_sequence"),
        ("/v1/jobs/x:watch?heartbeat_interval=0s", "heartbeat_interval"),
        ("/v1/jobs/x/result?part=result", "part"),
        ("/v1/jobs?%ff=1", "query"),
    ],
)
def test_a_parameter_is_refused_by_name(web: Web, path: str, field: str) -> None:
    answer = web.call("GET", path)
    found = _problem(answer, 400, "OPTION_INVALID")
    named = found["fieldViolations"][0]["field"]
    assert named.replace("_", "").lower() == field.replace("_", "").lower()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "body"),
        (b"{", "body"),
        (b"[]", "body"),
        (b'{"backendName": 3}', "backendName"),
        (b'{"backend": "x"}', None),
        (b'{"options": {"shots": NaN}}', "body"),
        (b'{"options": {"shots": 1e400}}', "options.shots"),
        (b'{"options": {"shots": ' + b"9" * 5000 + b"}}", "body"),
        (b'{"labels": {"a": "\\ud800"}}', None),
        (b'{"labels": {"a": 1, "\\ud800": "b"}}', "body"),
        (b'{"programs": [{"\\ud800": "b"}]}', "body"),
        (b'{"programs": [{"circuit": 1}]}', None),
        (b'{"metadata": ' + b'{"a":' * 3000 + b"1" + b"}" * 3000 + b"}", "body"),
        (b'{"metadata": ' + b"[" * 500_000, "body"),
        (b"\xff\xfe", "body"),
    ],
)
def test_a_body_that_is_no_job_is_refused(web: Web, body: bytes, field: str | None) -> None:
    answer = web.call("POST", "/v1/jobs", body, Content_Type="application/json")
    _problem(answer, 400, "OPTION_INVALID", field)


def test_a_body_of_too_many_values_is_refused(web: Web) -> None:
    body = json.dumps({"programs": [{}] * 250_000}).encode()
    answer = web.call("POST", "/v1/jobs", body, Content_Type="application/json")
    _problem(answer, 413, "PROGRAM_TOO_LARGE")


def test_a_body_of_another_kind_is_refused(web: Web) -> None:
    for kind in ("application/x-www-form-urlencoded", "text/plain", ""):
        answer = web.call("POST", "/v1/jobs", b"{}", Content_Type=kind)
        _problem(answer, 415, "OPTION_INVALID", "Content-Type")
    # A job's id is said by the path alone.
    answer = web.call("POST", "/v1/jobs/x:cancel", {"job_id": "y"})
    _problem(answer, 400, "OPTION_INVALID", "job_id")


def test_what_passes_says_when_to_call_again(web: Web) -> None:
    job_id = web.call("POST", "/v1/jobs", spec(Wire.endless())).json["job"]["jobId"]
    try:
        with web.events(f"/v1/jobs/{job_id}:watch?heartbeat_interval=0.1s") as frames:
            assert not isinstance(frames, Answer)
            next(frames)
            answer = web.call("GET", f"/v1/jobs/{job_id}:watch?heartbeat_interval=0.0001s")
        found = _problem(answer, 429, "QUEUE_FULL")
        assert (answer.headers["retry-after"], found["retryDelay"]) == ("1", "1s")
    finally:
        web.call("POST", f"/v1/jobs/{job_id}:cancel")


def test_paths_and_verbs_that_are_none(web: Web) -> None:
    nowhere = web.call("GET", "/v1/job")
    assert (nowhere.status, nowhere.json["type"]) == (404, "about:blank")
    assert web.call("GET", "/v1/jobs/").status == 404
    wrong = web.call("PUT", "/v1/jobs")
    assert (wrong.status, wrong.headers["allow"]) == (405, "GET, HEAD, OPTIONS, POST")
    assert web.call("HEAD", "/v1/info").body == b""


def test_health(web: Web) -> None:
    assert web.call("GET", "/healthz").status == 200
    assert web.call("GET", "/readyz").status == 200


def test_the_document_tells_of_every_route_and_answer(web: Web) -> None:
    document = web.call("GET", "/v1/openapi.json").json
    assert document["openapi"].startswith("3.1.")
    operations = {
        operation["operationId"]: operation
        for path in document["paths"].values()
        for operation in path.values()
    }
    methods = pb.DESCRIPTOR.services_by_name["JobService"].methods
    assert set(operations) == {*(method.name for method in methods), "ReadResultPart"}
    assert all(operation["description"] for operation in operations.values())
    # Every reference leads somewhere, and every variable of a path is told of.
    text = json.dumps(document)
    schemas = document["components"]["schemas"]
    assert {one.rpartition("/")[2] for one in re.findall(r'"\$ref": "([^"]+)"', text)} <= set(schemas)
    for path, verbs in document["paths"].items():
        for operation in verbs.values():
            told = {one["name"] for one in operation["parameters"] if one["in"] == "path"}
            assert told == set(re.findall(r"{(\w+)}", path))
    answers = {
        "GetServerInfoResponse": web.call("GET", "/v1/info").json,
        "ListBackendsResponse": web.call("GET", "/v1/backends").json,
        "RunJobResponse": web.call("POST", "/v1/jobs:run", bell()).json,
        "ListJobsResponse": web.call("GET", "/v1/jobs").json,
        "JobSpec": spec(Wire.endless()),
        "Problem": web.call("GET", "/v1/jobs/none").json,
    }
    for name, answer in answers.items():
        Draft202012Validator.check_schema(schemas[name])
        root = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        Draft202012Validator(root).validate(answer)


def test_jobs_are_the_same_by_both_doors(web: Web, web_server: ServerProcess) -> None:
    run = web.call("POST", "/v1/jobs:run", bell()).json
    with web_server.stub() as stub:
        job = stub.GetJob(pb.GetJobRequest(job_id=run["job"]["jobId"])).job
    assert job_pb2.JobStatus.Name(job.status) == run["job"]["status"]
    assert str(job.sequence) == run["job"]["sequence"]
