"""Parts of results as bytes: whole, in ranges, and as files of NumPy's."""

from __future__ import annotations

import base64
import io

import google_crc32c
import numpy as np
import pytest
from basicaer.v1 import result_pb2

from tests.conftest import ServerProcess
from tests.integration.conftest import Wire
from tests.integration.http.conftest import spec
from tests.web import Web

QUBITS = 17
PART = "0/statevector"


@pytest.fixture(scope="module")
def results(web_server: ServerProcess) -> str:
    """The path of a result with a large state."""
    web = Web(web_server.http_url)
    run = web.call("POST", "/v1/jobs:run", spec(Wire.state(QUBITS))).json
    assert "result" in run
    return f"/v1/jobs/{run['job']['jobId']}/result"


def test_the_result_describes_its_parts(web: Web, results: str) -> None:
    answer = web.call("GET", results)
    (array,) = answer.json["programs"][0]["arrays"]
    assert (array["part"], array["dtype"], array["sizeBytes"]) == (PART, "<c16", str(16 << QUBITS))
    assert "data" not in array
    same = web.call("GET", results, If_None_Match=answer.headers["etag"])
    assert (same.status, same.body) == (304, b"")
    raw = web.call("GET", results, Accept="application/protobuf")
    assert result_pb2.Result.FromString(raw.body).etag == raw.headers["etag"].strip('"')


def test_a_part_whole(web: Web, results: str) -> None:
    answer = web.call("GET", f"{results}/{PART}")
    state = np.frombuffer(answer.body, "<c16")
    assert state == pytest.approx(np.full(1 << QUBITS, 2 ** (-QUBITS / 2)))
    assert answer.headers["content-type"] == "application/octet-stream"
    checksum = base64.b64encode(google_crc32c.value(answer.body).to_bytes(4, "big")).decode()
    assert answer.headers["repr-digest"] == f"crc32c=:{checksum}:"
    head = web.call("HEAD", f"{results}/{PART}")
    assert head.body == b""
    assert head.headers["content-length"] == str(16 << QUBITS)
    same = web.call("GET", f"{results}/{PART}", If_None_Match=f'"x", {answer.headers["etag"]}')
    assert same.status == 304


@pytest.mark.parametrize(
    ("asked", "begin", "end"),
    [("0-15", 0, 16), ("1000000-", 1_000_000, None), ("-10", -10, None), ("5-99999999", 5, None)],
)
@pytest.mark.parametrize("suffix", ["", ".npy"])
def test_a_range(web: Web, results: str, asked: str, begin: int, end: int | None, suffix: str) -> None:
    path = f"{results}/{PART}{suffix}"
    whole = web.call("GET", path).body
    answer = web.call("GET", path, Range=f"bytes={asked}")
    assert (answer.status, answer.body) == (206, whole[begin:end])
    first = begin % len(whole)
    assert answer.headers["content-range"] == f"bytes {first}-{first + len(answer.body) - 1}/{len(whole)}"


def test_ranges_that_are_none(web: Web, results: str) -> None:
    path = f"{results}/{PART}"
    beyond = web.call("GET", path, Range=f"bytes={16 << QUBITS}-")
    assert (beyond.status, beyond.json["reason"]) == (416, "READ_OFFSET_OUT_OF_RANGE")
    for asked in ("bytes=5-3", "bytes=0-1,4-5", "lines=1-2", "bytes=-"):
        assert web.call("GET", path, Range=asked).status == 200
    # The part of another result isn't to be put together with what the caller has.
    assert web.call("GET", path, Range="bytes=0-1", If_Range='"another"').status == 200
    etag = web.call("HEAD", path).headers["etag"]
    assert web.call("GET", path, Range="bytes=0-1", If_Range=etag).status == 206


def test_a_part_as_a_file_of_numpys(web: Web, results: str) -> None:
    answer = web.call("GET", f"{results}/{PART}.npy")
    state = np.load(io.BytesIO(answer.body))
    assert (state.dtype, state.shape) == (np.dtype("<c16"), (1 << QUBITS,))
    assert state == pytest.approx(np.full(1 << QUBITS, 2 ** (-QUBITS / 2)))
    assert answer.headers["content-type"] == "application/x-npy"
    assert answer.headers["etag"] != web.call("HEAD", f"{results}/{PART}").headers["etag"]


def test_a_small_array_is_a_part_too(web: Web) -> None:
    run = web.call("POST", "/v1/jobs:run", spec(Wire.state(1))).json
    path = f"/v1/jobs/{run['job']['jobId']}/result/{PART}"
    inside = base64.b64decode(run["result"]["programs"][0]["arrays"][0]["data"])
    assert web.call("GET", path).body == inside
    assert np.load(io.BytesIO(web.call("GET", f"{path}.npy").body)).tobytes() == inside


def test_parts_that_are_none(web: Web, results: str) -> None:
    for part in ("0/unitary", "statevector", "0/statevector.npy.npy", "%2e%2e/x"):
        answer = web.call("GET", f"{results}/{part}")
        assert (answer.status, answer.json["reason"]) == (404, "PART_NOT_FOUND")
    job_id = web.call("POST", "/v1/jobs", spec(Wire.endless())).json["job"]["jobId"]
    answer = web.call("GET", f"/v1/jobs/{job_id}/result")
    assert (answer.status, answer.json["reason"]) == (409, "RESULT_NOT_READY")
    web.call("POST", f"/v1/jobs/{job_id}:cancel")
