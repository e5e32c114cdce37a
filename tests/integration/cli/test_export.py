"""`basicaer export` and `basicaer draw`: any circuit in a file as OpenQASM 3, or as a picture."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from basicaer.client import Circuit
from google.protobuf import json_format

from tests.integration.conftest import COMMAND


def export(text: str, tmp_path: Path, command: str = "export") -> subprocess.CompletedProcess[str]:
    file = tmp_path / "circuit"
    file.write_text(text)
    return subprocess.run([*COMMAND, command, str(file)], capture_output=True, text=True, timeout=60)


BELL = Circuit(2, 2).h(0).cx(0, 1).measure([0, 1], [0, 1])


@pytest.mark.parametrize(
    "text",
    [
        'OPENQASM 2.0; include "qelib1.inc"; qreg q[2]; creg c[2]; h q[0]; cx q[0],q[1]; measure q -> c;',
        'include "stdgates.inc"; qubit[2] q; bit[2] c; def f(qubit a) { h a; } f(q[0]); cx q[0], q[1]; '
        "c = measure q;",
        json_format.MessageToJson(BELL.to_message()),
    ],
    ids=["version 2", "version 3", "json"],
)
def test_a_circuit_in_any_form_is_printed(text: str, tmp_path: Path) -> None:
    done = export(text, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == BELL.to_openqasm3()
    again = export(done.stdout, tmp_path)
    assert again.stdout == done.stdout
    drawn = export(text, tmp_path, "draw")
    assert (drawn.returncode, drawn.stderr) == (0, "")
    assert drawn.stdout == f"{BELL.draw()}\n"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("OPENQASM 3.0;\nqubit q;\nx q;", ":3:1: "),
        ("OPENQASM 2.0;\nqreg q[2];\nx q[0];", ":3:1: "),
        ("{]", "is no circuit as JSON"),
        ('{"operations": [{"name": "save"}], "body": {"operations": [0]}}', "OpenQASM 3 has no 'save'"),
        ('{"operations": [{"name": "x"}], "body": {"operations": [1]}}', "isn't there"),
        ('{"operations": [{"name": "x"}], "body": {"operations": [0]}}', "not as long"),
        ('{"operations": [{"name": "x"}], "body": {"operations": [0], "qubits": [3]}}', "isn't valid"),
    ],
)
def test_what_is_wrong_is_told_in_a_line(text: str, wanted: str, tmp_path: Path) -> None:
    done = export(text, tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: ")
    assert wanted in done.stderr
    assert done.stderr.count("\n") == 1
