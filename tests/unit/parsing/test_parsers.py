"""Parser processes: what they answer, when they are left, and what becomes of a text whose process ends."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from basicaer.service.parsing import (
    OPENQASM2,
    GivenUpError,
    ParsedText,
    Parsers,
    Patience,
    ProgramFault,
    TakesLongError,
    _wire,
    openqasm2,
)

HEAD = 'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[20];\ncreg c[20];\n'
# Too long for the caller's own thread.
LONG = HEAD + "h q[0];\nrz(0.25) q[1];\ncx q[0],q[1];\nmeasure q[1] -> c[1];\n" * 1000
# Takes a process half a minute.
SLOW = HEAD + "gate own(t) a { rz(t) a; x a; }\n" + "".join(f"own({n}) q[0];" for n in range(600_000))
# A hundred thousand gates.
MANY = HEAD + "gate g0 a { x a; }\n"
MANY += "".join(f"gate g{n + 1} a {{ {f'g{n} a;' * 10} }}\n" for n in range(5)) + "g5 q[0];"
LIMIT = 30.0

Parse = Callable[..., ParsedText]


@pytest.fixture
def parsers() -> Iterator[Parsers]:
    made = Parsers(1, 1 << 30)
    yield made
    made.close()


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as made:
        yield made


def parse(parsers: Parsers, text: str = LONG, patience: Patience | None = None, **limits: int) -> ParsedText:
    given: dict[str, Any] = {"max_bytes": 1 << 24, "max_instructions": 10_000_000, **limits}
    return parsers.parse(OPENQASM2, text, patience=patience or Patience(), **given)


def until(condition: Callable[[], Any]) -> Any:
    """What a condition gives as soon as that is something."""
    deadline = time.monotonic() + LIMIT
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found


def children() -> list[int]:
    """The parser processes of this one."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if parent == os.getpid() and b"basicaer.service.parsing._process" in command:
            found.append(int(folder.name))
    return found


def processor_time(process: int) -> int:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def busy(process: int) -> bool:
    """Whether it has been at something for longer than its start takes."""
    return processor_time(process) > 1.5 * os.sysconf("SC_CLK_TCK")


def submit_slow(
    parsers: Parsers, threads: ThreadPoolExecutor, patience: Patience | None = None
) -> tuple[Future[ParsedText], int]:
    """A text that is being parsed for long, and the process that does it."""
    future = threads.submit(parse, parsers, SLOW, patience)
    (process,) = until(children)
    until(lambda: busy(process))
    return future, process


def test_a_process_parses_as_a_thread_does(parsers: Parsers) -> None:
    message, columns, *_ = parse(parsers)
    expected = openqasm2.parse(LONG, max_bytes=1 << 24, max_instructions=10_000)
    assert columns is not None
    for column, name in zip(columns, ("operations", "qubits", "clbits", "parameters"), strict=True):
        assert isinstance(column, np.ndarray)
        assert column.flags.writeable
        assert column.flags.aligned
        np.testing.assert_array_equal(column, getattr(expected.body, name))
    expected.ClearField("body")
    assert message == expected


def test_a_program_without_instructions_has_empty_columns(parsers: Parsers) -> None:
    _, columns, *_ = parse(parsers, HEAD + " " * 50_000)
    assert columns is not None
    assert [len(column) for column in columns] == [0, 0, 0, 0]


def test_a_process_is_kept(parsers: Parsers) -> None:
    parse(parsers)
    (process,) = children()
    parse(parsers)
    assert children() == [process]


def test_what_holds_much_memory_is_not_kept(parsers: Parsers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("basicaer.service.parsing._processes._MOST_KEPT", 1 << 20)
    parse(parsers)
    assert children() == []


@pytest.mark.parametrize(
    "text",
    [
        LONG,
        MANY,
        # Statements on many bits.
        "qreg q[1000];" + "barrier q;" * 1000,
        "qreg q[5000]; reset q;",
        # Conditions.
        HEAD + "if (c==1) x q[0];\n" * 600,
        # Gates under the names of Qiskit's, which are compared with these.
        'include "qelib1.inc"; gate swap a,b { cx a,b; cx b,a; cx a,b; } qreg q[2]; swap q[0],q[1];',
        # A fault whose place takes halving to find.
        HEAD + "rx q[0];",
    ],
    ids=[
        "long",
        "expands",
        "barriers",
        "whole registers",
        "conditions",
        "redefines",
        "fault without a place",
    ],
)
def test_what_may_take_long_is_not_done_at_once(parsers: Parsers, text: str) -> None:
    with pytest.raises(TakesLongError):
        parsers.parse(OPENQASM2, text, max_bytes=1 << 20, max_instructions=100_000, patience=None)
    assert children() == []


def test_what_takes_a_moment_needs_no_process(parsers: Parsers) -> None:
    text = HEAD + "gate pair a,b { h a; cx a,b; }\n" + "pair q[0],q[1];\nmeasure q -> c;\n" * 20
    _, columns, *_ = parsers.parse(
        OPENQASM2, text, max_bytes=1 << 20, max_instructions=100_000, patience=None
    )
    assert columns is None
    with pytest.raises(ProgramFault, match="did you mean 'pair'"):
        parsers.parse(
            OPENQASM2, text + "pear q[0],q[1];", max_bytes=1 << 20, max_instructions=1000, patience=None
        )
    assert children() == []


def test_a_servers_own_limit_on_instructions_needs_no_process(parsers: Parsers) -> None:
    with pytest.raises(ProgramFault) as caught:
        parsers.parse(OPENQASM2, HEAD + "x q;", max_bytes=1000, max_instructions=10, patience=None)
    assert caught.value.metadata["limit"] == "max_instructions"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (LONG + "x q[99];", (4005, 5)),
        (LONG + "h q;rx q[0];", (4005, 5)),
        (LONG + "x " + "q" * 100_000 + ";", (4005, 3)),
    ],
)
def test_a_fault_is_the_same_from_a_process(parsers: Parsers, text: str, place: tuple[int, int]) -> None:
    with pytest.raises(ProgramFault) as expected:
        openqasm2.parse(text, max_bytes=1 << 24, max_instructions=10_000)
    with pytest.raises(ProgramFault) as caught:
        parse(parsers, text)
    assert vars(caught.value) == vars(expected.value)
    assert caught.value.where is not None
    assert caught.value.where[:2] == place


def test_an_instruction_is_located(parsers: Parsers) -> None:
    where = parsers.locate_instruction(OPENQASM2, LONG, 5, Patience())
    assert where is not None
    assert (where.line, where.column) == (10, 1)
    assert "rz(0.25) q[1];" in where.excerpt
    with pytest.raises(TakesLongError):
        parsers.locate_instruction(OPENQASM2, LONG, 5, None)


# --- Patience ---------------------------------------------------------------------------------------------


def test_what_nobody_waits_for_is_left(parsers: Parsers, threads: ThreadPoolExecutor) -> None:
    gone = threading.Event()
    future, _ = submit_slow(parsers, threads, Patience(gone.is_set))
    gone.set()
    with pytest.raises(GivenUpError):
        future.result(LIMIT)
    assert children() == []
    assert len(parse(parsers).message.operations) == 4


def test_what_takes_too_long_is_refused(parsers: Parsers) -> None:
    with pytest.raises(ProgramFault, match=r"took longer than 0\.5 s") as caught:
        parse(parsers, SLOW, Patience(seconds=0.5))
    metadata = caught.value.metadata
    assert (metadata["limit"], metadata["max"]) == ("max_check_time", "0.5")
    assert float(metadata["actual"]) >= 0.5
    assert children() == []
    parse(parsers)


def test_a_process_that_does_not_listen_is_left(parsers: Parsers) -> None:
    parse(parsers)
    (process,) = children()
    os.kill(process, signal.SIGSTOP)
    # More than a pipe holds, so that it can't even be sent.
    with pytest.raises(ProgramFault, match="took longer"):
        parse(parsers, LONG * 10, Patience(seconds=0.2))
    assert children() == []


def test_one_may_wait_for_a_process_in_vain(parsers: Parsers, threads: ThreadPoolExecutor) -> None:
    gone = threading.Event()
    future, process = submit_slow(parsers, threads, Patience(gone.is_set))
    with pytest.raises(ProgramFault, match="took longer"):
        parse(parsers, LONG, Patience(seconds=0.2))
    assert children() == [process]
    waiting = threads.submit(parse, parsers)
    gone.set()
    waiting.result(LIMIT)
    assert isinstance(future.exception(LIMIT), GivenUpError)


def test_closing_ends_everything(threads: ThreadPoolExecutor) -> None:
    parsers = Parsers(2, 1 << 30)
    future, _ = submit_slow(parsers, threads)
    parse(parsers)
    parsers.close()
    assert isinstance(future.exception(LIMIT), GivenUpError)
    assert children() == []
    with pytest.raises(GivenUpError):
        parse(parsers)
    parsers.close()


# --- Crashes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_process_that_ends_while_it_waits_is_replaced(parsers: Parsers, number: signal.Signals) -> None:
    parse(parsers)
    (process,) = children()
    os.kill(process, number)
    parse(parsers)
    assert children() != [process]


def test_a_text_whose_process_ends_gets_another(parsers: Parsers, threads: ThreadPoolExecutor) -> None:
    gone = threading.Event()
    future, process = submit_slow(parsers, threads, Patience(gone.is_set))
    os.kill(process, signal.SIGKILL)
    (other,) = until(lambda: [child for child in children() if child != process])
    assert not future.done()
    gone.set()
    assert isinstance(future.exception(LIMIT), GivenUpError)
    assert other not in children()


def test_a_text_that_two_processes_end_at_is_refused(parsers: Parsers, threads: ThreadPoolExecutor) -> None:
    future, process = submit_slow(parsers, threads)
    os.kill(process, signal.SIGSEGV)
    (other,) = until(lambda: [child for child in children() if child != process])
    os.kill(other, signal.SIGSEGV)
    fault = future.exception(LIMIT)
    assert isinstance(fault, ProgramFault)
    assert "SIGSEGV" in fault.message
    assert fault.metadata["limit"] == "parser_memory"
    assert "PROGRAM_TOO_LARGE" in repr(fault.to_service_error(0, "openqasm2"))
    parse(parsers)


def test_memory_is_bounded() -> None:
    parsers = Parsers(1, most_memory=64 << 20)
    long = HEAD + "gate own(t) a { rz(t) a; x a; }\n" + "".join(f"own({n}) q[0];" for n in range(100_000))
    try:
        with pytest.raises(ProgramFault, match="64 MiB") as caught:
            parse(parsers, long)
        parse(parsers)
    finally:
        parsers.close()
    assert caught.value.metadata == {"limit": "parser_memory", "max": str(64 << 20)}


def test_a_process_that_can_not_start_is_a_defect(parsers: Parsers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsers._processes, "_module", "basicaer.no_such_module")
    with pytest.raises(RuntimeError, match="exit status 1"):
        parse(parsers)


def test_a_defect_in_a_process_is_told(parsers: Parsers, monkeypatch: pytest.MonkeyPatch) -> None:
    encode = _wire.encode
    with monkeypatch.context() as patch:
        patch.setattr(
            _wire, "encode", lambda sections: encode([b"parse", b"openqasm2", b"no number", b"", b""])
        )
        with pytest.raises(RuntimeError, match="invalid literal for int"):
            parse(parsers)
    parse(parsers)


def test_no_more_is_taken_from_a_process_than_it_can_hold(parsers: Parsers) -> None:
    parse(parsers)
    parsers._processes._idle[0]._most_memory = 100
    with pytest.raises(ValueError, match="announces"):
        parse(parsers)
    assert children() == []
    parse(parsers)


def test_a_process_has_a_session_of_its_own_and_heeds_no_keys(parsers: Parsers) -> None:
    parse(parsers)
    (process,) = children()
    assert os.getsid(process) != os.getsid(0)
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(process, number)
    parse(parsers)
    assert children() == [process]


def test_no_settings_reach_a_process(parsers: Parsers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BASICAER_TOKEN_FILE", "secret")
    parse(parsers)
    (process,) = children()
    assert b"BASICAER_" not in Path(f"/proc/{process}/environ").read_bytes()
