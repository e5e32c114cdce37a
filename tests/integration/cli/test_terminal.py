"""Nothing that a server, or another user of it, says reaches a terminal as more than text.

A hostile server answers every command, as a person sees it and as JSON.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable, Iterator
from concurrent import futures
from pathlib import Path
from typing import Any
from unittest import mock

import grpc
import pytest
from basicaer.service.cli import cli
from basicaer.service.cli._errors import exit_status
from basicaer.service.cli._live import open_view
from basicaer.service.cli._say import json_text, say
from basicaer.v1 import job_pb2, job_service_pb2_grpc
from basicaer.v1 import job_service_pb2 as pb
from grpc_health.v1 import health_pb2_grpc
from hypothesis import given
from hypothesis import strategies as st

from tests.integration.cli.hostile_server import DONE, FAILED, HOSTILE, Health, Server


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Server, str]]:
    server, servicer = grpc.server(futures.ThreadPoolExecutor(8)), Server()
    job_service_pb2_grpc.add_JobServiceServicer_to_server(servicer, server)
    health_pb2_grpc.add_HealthServicer_to_server(Health(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield servicer, f"127.0.0.1:{port}"
    server.stop(None).wait()


@pytest.fixture
def hostile_server(running: tuple[Server, str]) -> Iterator[tuple[Server, str]]:
    running[0].refusing, running[0].reason, running[0].job = None, "", DONE
    yield running
    running[0].refusing, running[0].information = None, pb.GetServerInfoResponse()


class _Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


def command(*arguments: str, stream: type[io.TextIOWrapper] = io.TextIOWrapper) -> tuple[int, str, str]:
    """Runs a command here; returns its status, and what it wrote to stdout and stderr."""
    written = io.BytesIO(), io.BytesIO()
    out = stream(written[0], encoding="utf-8")
    told = stream(written[1], encoding="utf-8", errors="backslashreplace")
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(told),
        mock.patch.dict("os.environ", TERM="dumb"),
    ):
        status = exit_status(
            lambda: cli.main(args=list(arguments), prog_name="basicaer", standalone_mode=False)
        )
    out.flush()
    told.flush()
    return status, written[0].getvalue().decode(), written[1].getvalue().decode()


def assert_harmless(text: str) -> None:
    for line in text.split("\n"):
        assert line.isprintable(), repr(line)
        assert not line.startswith("error: false")


COMMANDS: dict[str, tuple[str, ...]] = {
    "jobs": ("jobs", "--label", f"{HOSTILE}={HOSTILE}", "--backend", HOSTILE),
    "watch": ("watch", "a job"),
    "watch a hostile id": ("watch", HOSTILE),
    "result": ("result", HOSTILE, "--wait"),
    "cancel": ("cancel", HOSTILE, "--reason", HOSTILE),
    "delete": ("delete", HOSTILE),
    "backends": ("backends",),
    "backend": ("backends", HOSTILE),
    "no backend": ("backends", "none"),
    "info": ("info",),
    "health": ("health",),
    "doctor": ("doctor",),
    "check": ("check", "bell.qasm", "--backend", HOSTILE),
    "run": ("run", "bell.qasm", "--backend", HOSTILE, "--label", f"{HOSTILE}={HOSTILE}"),
    "run on no backend": ("run", "bell.qasm"),
    "detach": ("run", "bell.qasm", "--backend", HOSTILE, "--detach"),
}


def _refuse_the_program(server: Server) -> None:
    server.refusing, server.reason = grpc.StatusCode.INVALID_ARGUMENT, "PROGRAM_INVALID"


OUTCOMES: dict[str, Callable[[Server], None]] = {
    "done": lambda server: None,
    "failed": lambda server: setattr(server, "job", FAILED),
    "refused": lambda server: setattr(server, "refusing", grpc.StatusCode.FAILED_PRECONDITION),
    "invalid": _refuse_the_program,
    "missing": lambda server: setattr(server, "refusing", grpc.StatusCode.NOT_FOUND),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "bell.qasm").write_text("OPENQASM 2.0;\nqreg q[1];\nU(0,0,0) q[0];\n")
    monkeypatch.chdir(tmp_path)
    for name in ("BASICAER_SERVER", "BASICAER_TOKEN", "BASICAER_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize(
    ("name", "form"),
    [
        *((name, form) for name in COMMANDS for form in ("text", "json")),
        *((name, "terminal") for name in ("watch", "run", "check")),
    ],
)
def test_a_command_shows_no_control_characters(
    hostile_server: tuple[Server, str], folder: Path, name: str, form: str, outcome: str
) -> None:
    server, address = hostile_server
    OUTCOMES[outcome](server)
    arguments = [*COMMANDS[name], "--server", address, *(["--json"] if form == "json" else [])]
    if name == "doctor":
        arguments += ["--data-dir", str(folder / "data")]
    with mock.patch("basicaer.service.doctor._machine.kernels", _no_kernels):
        status, out, told = command(*arguments, stream=_Terminal if form == "terminal" else io.TextIOWrapper)
    assert status in (0, 1, 2)
    assert_harmless(out + told)
    assert "Traceback" not in told
    if form == "json":
        for line in out.splitlines():
            json.loads(line, parse_constant=lambda text: pytest.fail(f"{text} is no JSON"))


def _no_kernels() -> Any:
    from basicaer.service.doctor import Finding

    return Finding.ok("kernels", "not looked at, since that takes another process")


def test_json_is_the_true_text(hostile_server: tuple[Server, str], folder: Path) -> None:
    _, address = hostile_server
    _, out, _ = command("jobs", "--json", "--server", address)
    job = json.loads(out)[0]
    assert job["labels"] == {HOSTILE: HOSTILE}
    assert job["job_id"] == job["request_id"] == HOSTILE
    assert job["metadata"] == {HOSTILE: HOSTILE}
    _, out, _ = command("backends", "--json", "--server", address)
    assert json.loads(out)[0]["gates"][0]["description"] == HOSTILE
    _, out, _ = command("result", HOSTILE, "--json", "--server", address)
    document = json.loads(out)
    assert document["programs"][0]["name"] == HOSTILE
    assert document["programs"][0]["arrays"] == {HOSTILE: [0.0, 0.0]}


@pytest.mark.parametrize("line", ["jobs", "jobs --json", "info", "info --json", "watch x", "watch x --json"])
def test_times_and_numbers_that_are_none_are_no_traceback(
    hostile_server: tuple[Server, str], folder: Path, line: str
) -> None:
    server, address = hostile_server
    job = job_pb2.Job(status=job_pb2.JOB_STATUS_DONE, progress=job_pb2.Progress(fraction=float("nan")))
    job.create_time.seconds = -(2**63)
    job.metadata["none"] = float("-inf")
    information = pb.GetServerInfoResponse()
    information.start_time.seconds = 2**63 - 1
    information.limits.result_retention.seconds = -(2**63)
    server.job, server.information = pb.GetJobResponse(job=job), information
    status, out, told = command(*line.split(), "--server", address)
    assert status in (0, 1)
    assert_harmless(out + told)
    for document in out.splitlines() if "--json" in line else ():
        json.loads(document, parse_constant=lambda text: pytest.fail(f"{text} is no JSON"))


def test_a_table_stays_a_table(hostile_server: tuple[Server, str], folder: Path) -> None:
    _, address = hostile_server
    _, out, _ = command("jobs", "--server", address)
    lines = out.splitlines()
    assert len(lines) == 3
    column = lines[0].index("STATUS")
    assert [line[column : column + 4] for line in lines[1:]] == ["DONE", "DONE"]


def test_a_live_view_shows_no_control_characters(hostile_server: tuple[Server, str]) -> None:
    written = io.BytesIO()
    stream = _Terminal(written, encoding="utf-8")
    with mock.patch.dict("os.environ", TERM="dumb", NO_COLOR="1", COLUMNS="500"), open_view(stream) as view:
        view.line(HOSTILE)
    stream.flush()
    text = written.getvalue().decode()
    assert r"\x1b]0;gotcha\x07\x9b2J" in text
    assert ":warning:[red]" in text
    assert not {"\x07", "\x9b", "\u202e", "\u2028", "\x00"} & set(text)
    assert "\x1b]" not in text


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text(st.characters(exclude_categories=())),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.text(st.characters(exclude_categories=())), inner, max_size=4)
        ),
        max_leaves=10,
    )
)
def test_any_document_is_one_printable_line_that_means_it(document: Any) -> None:
    text = json_text(document)
    assert text.isprintable()
    read = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert json.dumps(read, sort_keys=True) == json.dumps(_worded(document), sort_keys=True)


def _worded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _worded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_worded(item) for item in value]
    if isinstance(value, float) and abs(value) == float("inf"):
        return "Infinity" if value > 0 else "-Infinity"
    return "NaN" if value != value else value


@given(st.lists(st.text(st.characters(exclude_categories=())), min_size=1))
def test_each_line_is_one_line(lines: list[str]) -> None:
    stream = io.StringIO()
    say(*lines, stream=stream)
    written = stream.getvalue()
    assert written.count("\n") == len(lines)
    assert all(line.isprintable() for line in written.split("\n"))
