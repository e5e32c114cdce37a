"""A command on a pseudo-terminal: what moves there, and what a signal ends."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import time
from pathlib import Path

import pytest
from basicaer.v1 import job_pb2
from basicaer.v1 import job_service_pb2 as pb

from tests.conftest import ServerProcess
from tests.integration.conftest import COMMAND, EXAMPLES, Wire


class Terminal:
    """A command on a pseudo-terminal."""

    def __init__(self, *arguments: str, server: str) -> None:
        environment = {**os.environ, "BASICAER_SERVER": server, "TERM": "xterm-256color", "COLUMNS": "100"}
        self._own, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [*COMMAND, *arguments], stdin=theirs, stdout=theirs, stderr=theirs, env=environment
        )
        os.close(theirs)
        self.text = ""

    def read_until(self, text: str) -> None:
        """Collects output until `text` has appeared, or the command has ended."""
        until = time.monotonic() + 60
        while text not in self.text and time.monotonic() < until:
            ready, _, _ = select.select([self._own], [], [], 0.1)
            try:
                piece = os.read(self._own, 65536) if ready else b""
            except OSError:  # how a terminal says that nobody is at its other end
                return
            self.text += piece.decode(errors="replace")

    def wait(self) -> int:
        """Reads to the end; returns the exit status."""
        self.read_until("\0")
        os.close(self._own)
        return self.process.wait(30)


def test_a_terminal_gets_a_bar_that_moves(server: ServerProcess) -> None:
    terminal = Terminal("run", str(EXAMPLES / "grover.qasm"), "--shots", "100", server=server.address)
    assert terminal.wait() == 0
    percentages = {int(number) for number in re.findall(r"(\d+)%", terminal.text)}
    assert 100 in percentages
    assert len(percentages) >= 3
    assert "\x1b[" in terminal.text
    assert "done" in terminal.text
    assert "010101010101" in terminal.text


def test_a_terminal_gets_mistakes_in_colours(server: ServerProcess, tmp_path: Path) -> None:
    path = tmp_path / "wrong.qasm"
    path.write_text("OPENQASM 3.0;\nqubit q;\nfoo q; // \x1b[2J\n")
    for command in ("check", "run"):
        terminal = Terminal(command, str(path), server=server.address)
        assert terminal.wait() == 1
        shown = terminal.text
        assert "\x1b[1;31merror: \x1b[0m" in shown
        assert "\x1b[1;32m^^^" in shown
        assert "\x1b[2J" not in shown
        plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
        assert "foo q; // \\x1b[2J" in plain
        assert f"{path}:3:1: error: the gate 'foo' isn't declared" in plain.replace("\r\n", "\n")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_cancels_the_job(
    server: ServerProcess, wire: Wire, tmp_path: Path, number: signal.Signals, status: int
) -> None:
    # 24 qubits and 6,000 gates, of which no two are alike: seconds of work on any machine.
    gates = (
        f"u3({0.1 + i / 7},{i / 11},{i / 13}) q[{i % 24}]; cx q[{i % 24}], q[{(i * 5 + 1 + i // 24) % 24}];"
        for i in range(3000)
        if i % 24 != (i * 5 + 1 + i // 24) % 24
    )
    long = tmp_path / "long.qasm"
    long.write_text('OPENQASM 2.0; include "qelib1.inc"; qreg q[24];' + "\n".join(gates))
    terminal = Terminal("run", str(long), "--shots", "7", server=server.address)
    terminal.read_until("running")
    terminal.process.send_signal(number)
    assert terminal.wait() == status
    assert "was cancelled" in terminal.text
    job_id = re.findall(r"job ([0-9a-zA-Z-]+) ", terminal.text)[0]
    with server.stub() as stub:
        assert stub.GetJob(pb.GetJobRequest(job_id=job_id)).job.cancel_requested
        assert wire.wait_final(stub, job_id).status == job_pb2.JOB_STATUS_CANCELLED


def test_ctrl_c_leaves_a_watched_job_alone(server: ServerProcess, wire: Wire) -> None:
    with server.stub() as stub:
        job_id = wire.submit(stub, wire.endless()).job_id
        terminal = Terminal("watch", job_id, server=server.address)
        terminal.read_until("running")
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.wait() == 130
        job = stub.GetJob(pb.GetJobRequest(job_id=job_id)).job
        assert job.status == job_pb2.JOB_STATUS_RUNNING
        stub.CancelJob(pb.CancelJobRequest(job_id=job_id))


def test_load_and_jobs_are_followed_until_ctrl_c(server: ServerProcess) -> None:
    terminal = Terminal("top", "--interval", "0.2", server=server.address)
    terminal.read_until("waiting")
    assert f"{server.address}, version" in terminal.text
    run = Terminal("run", str(EXAMPLES / "bell.qasm"), "--label", "seen=by-top", server=server.address)
    assert run.wait() == 0
    terminal.read_until("seen=by-top")
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.wait() == 0


def test_load_is_shown_once_where_there_is_no_terminal(server: ServerProcess) -> None:
    done = subprocess.run(
        [*COMMAND, "top", "--server", server.address], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"^running .* workers$", done.stdout, re.MULTILINE)
