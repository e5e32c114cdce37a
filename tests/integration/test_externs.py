"""Extern functions and loops without an end, through a live server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from basicaer.client import (
    BasicAerProvider,
    CircuitError,
    Extern,
    JobFailedError,
    Program,
    ProgramInvalidError,
)

from tests.conftest import ServerProcess

VOTE = """OPENQASM 3.0;
include "stdgates.inc";
extern vote(bit[3]) -> bit;
extern weigh(int[4], bool) -> float;
qubit[3] q; output bit[3] c; output bit r; output float w;
h q[0]; x q[1];
c = measure q;
r = vote(c);
w = weigh(-2, r);
"""
MAJORITY = {0b011: 1, 0b101: 1, 0b110: 1, 0b111: 1}
EXTERNS = {"vote": Extern(MAJORITY, default=0), "weigh": Extern({(-2, 0): 0.25, (-2, 1): 2.5}, default=0)}


@pytest.fixture
def provider(server: ServerProcess) -> Iterator[BasicAerProvider]:
    with BasicAerProvider(server.address) as connection:
        yield connection


def test_tables_come_with_the_program(provider: BasicAerProvider) -> None:
    backend = provider.get_backend("qasm_simulator")
    result = backend.run(Program(VOTE, externs=EXTERNS), shots=1000, seed_simulator=1).result()
    shown = [key.split() for key in result.get_counts()]
    assert {registers[-1]: registers[-2] for registers in shown} == {"010": "0", "011": "1"}


def test_one_program_with_other_tables_is_another_program(provider: BasicAerProvider) -> None:
    backend = provider.get_backend("qasm_simulator")
    text = "extern f(int[4]) -> uint[4]; output uint[4] r; r = f(3);"
    for value in (1, 2, 1):
        for shots in (None, 5):
            program = Program(text, externs={"f": {3: value}}, shots=shots)
            assert list(backend.run(program, shots=5).result().get_counts()) == [f"{value:04b}"]


def test_what_is_missing_is_told_at_its_place(provider: BasicAerProvider) -> None:
    backend = provider.get_backend("qasm_simulator")
    with pytest.raises(ProgramInvalidError, match="'vote' is an extern function without a table") as caught:
        backend.run(VOTE)
    assert (caught.value.line, caught.value.column) == (8, 5)
    with pytest.raises(ProgramInvalidError, match="externs are of OpenQASM 3"):
        backend.run(Program('include "qelib1.inc"; qreg q[1]; h q[0];', externs=EXTERNS))
    with pytest.raises(CircuitError, match="'f' is no numbers"):
        backend.run(Program(VOTE, externs={"f": {0: "one"}}))  # type: ignore[dict-item]  # no number


def test_a_loop_without_an_end_ends_at_the_limit(provider: BasicAerProvider) -> None:
    backend = provider.get_backend("qasm_simulator")
    text = 'include "stdgates.inc"; qubit q; bit c; uint[8] n; while (true) { h q; c = measure q; n += 1; }'
    for program in (text, "output int[8] n; bit b = 1; qubit q; while (b) { n += 1; reset q; }"):
        job = backend.run(program, shots=10, max_run_time=1.0)
        with pytest.raises(JobFailedError, match="1 s") as caught:
            job.result()
        assert "TIME_LIMIT_EXCEEDED" in str(caught.value.reason)


def test_the_command_line_reads_tables_from_files(server: ServerProcess, tmp_path: Path) -> None:
    text, vote, weigh = (tmp_path / name for name in ("vote.qasm", "vote.json", "weigh.json"))
    text.write_text(VOTE)
    vote.write_text(json.dumps({"rows": [[key, value] for key, value in MAJORITY.items()], "default": 0}))
    weigh.write_text(json.dumps({"rows": [[-2, 0, 0.25], [-2, 1, 2.5]], "default": 0}))

    def run(*externs: str) -> subprocess.CompletedProcess[str]:
        arguments = [part for extern in externs for part in ("--extern", extern)]
        environment = {**os.environ, "BASICAER_SERVER": server.address}
        return subprocess.run(
            [sys.executable, "-m", "basicaer.service.cli", "run", str(text), "--json", *arguments],
            capture_output=True,
            text=True,
            timeout=90,
            env=environment,
        )

    done = run(f"vote={vote}", f"weigh={weigh}")
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["programs"][0]["counts"]) == 2
    weigh.write_text('{"rows": 3}')
    refused = run(f"vote={vote}", f"weigh={weigh}")
    assert refused.returncode == 2
    assert "--extern weigh" in refused.stderr
    assert run().returncode == 1
