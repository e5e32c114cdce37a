"""Lines of the log, without a server."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from basicaer.service.telemetry import Logs, bind, event
from grpc._cython.cygrpc import ExecuteBatchError

log = logging.getLogger("basicaer.test")


class Stream:
    """A terminal that somebody may stop."""

    def __init__(self) -> None:
        self.text = ""
        self.flows = threading.Event()
        self.flows.set()
        self.touched = threading.Event()

    def write(self, data: bytes) -> None:
        self.touched.set()
        self.flows.wait()
        self.text += data.decode()


Lines = Callable[[str, Callable[[], Any]], list[str]]


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers.clear()
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def lines() -> Lines:
    """What a function's logging has written."""

    def written(style: str, work: Callable[[], Any]) -> list[str]:
        stream = Stream()
        logs = Logs("info", style, stream.write)
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        logs.close()
        logs.close()
        return stream.text.splitlines()

    return written


def test_what_is_bound_is_told(lines: Lines) -> None:
    def work() -> None:
        log.info("before")
        bind("token:ada", "job-1")
        log.info("bound %d", 1)
        event(log, logging.INFO, "its own", job_id="job-2", empty="", number=2)

    before, bound, own = map(json.loads, lines("json", work))
    assert not {"job_id", "principal"} & set(before)
    assert (bound["message"], bound["job_id"], bound["principal"]) == ("bound 1", "job-1", "token:ada")
    assert (own["job_id"], own["principal"], own["number"]) == ("job-2", "token:ada", 2)
    assert "empty" not in own


def test_a_tracebacks_lines_are_one_field(lines: Lines) -> None:
    def work() -> None:
        try:
            raise ZeroDivisionError("a defect")
        except ZeroDivisionError:
            log.exception("failed")

    (line,) = lines("json", work)
    assert json.loads(line)["exception"].endswith("ZeroDivisionError: a defect")
    first, *rest = lines("text", work)
    assert first.endswith("ERROR basicaer.test: failed")
    assert rest[-1] == "ZeroDivisionError: a defect"


@pytest.mark.parametrize("style", ["text", "json"])
def test_nobody_can_forge_a_line(lines: Lines, style: str) -> None:
    forged = "x\n2026-01-01T00:00:00.000Z ERROR forged\r\x1b[31m\u2028 \ud800"

    def work() -> None:
        bind("jwt:" + forged, forged)
        log.info("about %s", forged)

    (line,) = lines(style, work)
    assert "\x1b" not in line
    assert "\ud800" not in line


def test_levels(lines: Lines) -> None:
    def work() -> None:
        log.debug("hidden")
        event(log, logging.DEBUG, "hidden")

    assert lines("text", work) == []


def test_a_reader_that_stops_holds_nothing_up() -> None:
    stream = Stream()
    stream.flows.clear()
    logs = Logs("info", "json", stream.write)
    log.info("first")
    stream.touched.wait()
    for number in range(10_010):
        log.info("line %d", number)
    stream.flows.set()
    logs.close()
    found = [json.loads(line) for line in stream.text.splitlines()]
    missing = [line for line in found if "are missing" in line["message"]]
    assert [line["message"].split()[0] for line in missing] == ["10"]
    assert sum(line["message"].startswith("line ") for line in found) == 10_000


def test_a_reader_that_never_comes_back_keeps_nobody() -> None:
    stream = Stream()
    stream.flows.clear()
    logs = Logs("info", "json", stream.write)
    log.info("first")
    logs.close()
    stream.flows.set()


def test_a_reader_that_is_gone_stops_nothing() -> None:
    def gone(data: bytes) -> None:
        raise BrokenPipeError

    logs = Logs("info", "text", gone)
    log.info("first")
    logs.close()


def test_a_caller_who_left_is_no_error_of_grpcs(lines: Lines) -> None:
    theirs = logging.getLogger("grpc._cython.cygrpc")

    def work() -> None:
        for error in (ExecuteBatchError("Failed execute_batch"), ValueError("another")):
            try:
                raise error
            except Exception as raised:
                theirs.exception("%s raised in core", type(raised).__name__)

    text = "\n".join(lines("text", work))
    assert "ExecuteBatchError" not in text
    assert "ValueError raised in core" in text


HOSTILE = "\x1b]0;gotcha\x07\x9b31m\u202e\u2028\ud800\r\n\x7f\x85end"


def test_a_text_line_has_nothing_that_a_terminal_obeys(lines: Lines) -> None:
    def work() -> None:
        log.info("told %s", HOSTILE)
        event(log, logging.INFO, "field", reason=HOSTILE, plain="\x9b31m", turned="\u202e")
        bind(HOSTILE, HOSTILE)
        try:
            raise ValueError(HOSTILE)
        except ValueError:
            log.exception("defect")

    found = lines("text", work)
    assert [line.split()[1] for line in found[:3]] == ["INFO", "INFO", "ERROR"]
    for line in found:
        assert line.replace("\t", "").isprintable(), line
    assert found[0].endswith(r"told \x1b]0;gotcha\x07\x9b31m\u202e\u2028\ud800\r\n\x7f\x85end")


def test_a_json_line_keeps_the_text_and_is_ascii(lines: Lines) -> None:
    def work() -> None:
        event(log, logging.INFO, HOSTILE, reason=HOSTILE)

    (line,) = lines("json", work)
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["message"] == json.loads(line)["reason"] == HOSTILE
