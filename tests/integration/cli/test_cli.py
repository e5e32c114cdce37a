"""The command as a person or a script uses it: a process with arguments, two outputs and an exit status."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import ServerProcess
from tests.integration.cli.conftest import Run
from tests.integration.conftest import BELL, COMMAND, EXAMPLES, Wire


def _one_line(text: str) -> str:
    assert text.startswith("error: "), text
    assert text.endswith("\n")
    assert text.count("\n") == 1, text
    return text


def test_run_shows_the_life_of_the_job_and_a_histogram(run: Run, bell: str) -> None:
    done = run("run", bell, "--shots", "1000", "--seed", "7")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "\x1b" not in done.stdout
    assert "\r" not in done.stdout
    lines = done.stdout.splitlines()
    first = [line.split()[0] for line in lines if line]
    assert first.index("queued") < first.index("running") < first.index("done") < first.index("outcome")
    rows = [line.split() for line in lines if re.match(r"\s*(00|11)\s", line)]
    assert len(rows) == 2
    assert sum(int(row[1]) for row in rows) == 1000
    assert int(rows[0][1]) >= int(rows[1][1])
    assert "seed 7" in lines[-1]
    assert max(map(len, lines)) <= 80


def test_the_same_seed_gives_the_same_counts(run: Run, bell: str) -> None:
    first, second = (run("run", bell, "--seed", "3", "--json") for _ in range(2))
    counts = [json.loads(done.stdout)["programs"][0]["counts"] for done in (first, second)]
    assert counts[0] == counts[1]


def test_run_reads_standard_input_and_prints_json(run: Run) -> None:
    done = run("run", "-", "--shots", "10", "--memory", "--json", "--label", "a=b", input=BELL)
    document = json.loads(done.stdout)
    assert document["status"] == "DONE"
    assert document["success"] is True
    (program,) = document["programs"]
    assert program["shots"] == 10
    assert sum(program["counts"].values()) == 10
    assert len(program["memory"]) == 10
    (job,) = json.loads(run("jobs", "--label", "a=b", "--json").stdout)[:1]
    assert job["job_id"] == document["job_id"]
    assert job["status"] == "DONE"
    assert job["shots"] == 10


def test_typed_outputs_are_columns_of_values(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "typed.qasm"
    path.write_text(
        """OPENQASM 3.0;
        output int[8] n; output bit[3] c; output bool ok; output float mean; output complex z;
        output array[uint[4], 2] m; output array[angle[2], 9] a;
        n = -3; c = "011"; ok = true; mean = n / 2.0; z = 1 - 2im; m[1] = 7; a[8] = 3 * pi / 2;
        """
    )
    done = run("run", str(path), "--shots", "9")
    assert done.returncode == 0, done.stderr
    heading, row = done.stdout.splitlines()[-4:-2]
    assert heading.split() == ["n", "c", "ok", "mean", "z", "m", "a", "count", "share"]
    assert row.startswith(
        "-3  011  true  -1.5  1-2i  [0, 7]  [0, 0, 0, 0, 0, 0, 0, 0, 4.71238898]      9  100.0"
    )
    (program,) = json.loads(run("run", str(path), "--shots", "2", "--json", "--memory").stdout)["programs"]
    values = {
        "n": -3,
        "c": "011",
        "ok": True,
        "mean": -1.5,
        "z": [1.0, -2.0],
        "m": [0, 7],
        "a": [0.0] * 8 + [1.5 * np.pi],
    }
    assert program["outputs"] == {
        "types": {
            "n": "int[8]",
            "c": "bit[3]",
            "ok": "bool",
            "mean": "float[64]",
            "z": "complex[float[64]]",
            "m": "array[uint[4], 2]",
            "a": "array[angle[2], 9]",
        },
        "counts": [{"values": values, "count": 2}],
        "memory": [values, values],
    }


INPUTS = """OPENQASM 3.0;
input int[64] n; input bit[4] b; input bool ok; input float f; input complex z; input array[int[8], 2] a;
output int[64] n_out; output bit[4] b_out; output bool ok_out; output float f_out; output complex z_out;
output int[8] last;
n_out = n; b_out = b; ok_out = ok; f_out = f; z_out = z; last = a[1];
"""


def test_inputs_have_their_values_from_the_command_line(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "inputs.qasm"
    path.write_text(INPUTS)
    given = ["n=-9007199254740993", 'b="0110"', "ok=true", "f=2.5", "z=1-2i", "a=[3,-4]"]
    arguments = [part for each in given for part in ("--input", each)]
    done = run("run", str(path), "--shots", "1", "--json", *arguments)
    assert done.returncode == 0, done.stderr
    (seen,) = json.loads(done.stdout)["programs"][0]["outputs"]["counts"]
    assert seen["values"] == {
        "n_out": -9007199254740993,
        "b_out": "0110",
        "ok_out": True,
        "f_out": 2.5,
        "z_out": [1.0, -2.0],
        "last": -4,
    }
    assert run("check", str(path), *arguments).returncode == 0
    wrong = run("run", str(path), *arguments, "--input", "n=1.5")
    assert wrong.returncode == 1
    assert "the input 'n' of type int[64] is 1.5" in wrong.stderr
    assert run("run", str(path), "--input", "n=one").returncode == 2


def test_a_state_shows_its_largest_amplitudes(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "state.qasm"
    path.write_text('OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[3];\nh q[0];\nry(0.2) q[2];\n')
    done = run("run", str(path), "--backend", "statevector_simulator", "--top", "2")
    assert done.returncode == 0, done.stderr
    assert re.search(r"^ *\|000>  \+0\.703574 \+ 0\.000000i +49\.5 %", done.stdout, re.MULTILINE)
    assert re.search(r"^… and 2 more, with probability 1\.0 %", done.stdout, re.MULTILINE)
    document = json.loads(run("run", str(path), "--backend", "statevector_simulator", "--json").stdout)
    assert np.allclose(document["programs"][0]["statevector"][1], [0.703574, 0])


def test_a_unitary_is_shown_and_saved(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "x.qasm"
    path.write_text('OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[1];\nx q[0];\n')
    target = tmp_path / "saved.npz"
    done = run("run", str(path), "--backend", "unitary_simulator", "--save", str(target))
    assert done.returncode == 0, done.stderr
    assert "+0.000+0.000i  +1.000+0.000i" in done.stdout
    with np.load(target) as saved:
        assert np.array_equal(saved["0/unitary"], [[0, 1], [1, 0]])


def test_many_outcomes_are_summed_up(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "wide.qasm"
    path.write_text('OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[6];\ncreg c[6];\nh q;\nmeasure q -> c;\n')
    done = run("run", str(path), "--shots", "5000", "--top", "4")
    assert len(re.findall(r"^ *[01]{6} ", done.stdout, re.MULTILINE)) == 4
    assert re.search(r"^… and 60 more, with [\d,]+ counts \(\d+\.\d %\)", done.stdout, re.MULTILINE)


def test_a_private_server_comes_and_goes(bell: str, tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("BASICAER_")}
    environment |= {"TMPDIR": str(tmp_path), "BASICAER_LISTEN": "192.0.2.1:1"}
    done = subprocess.run(
        [*COMMAND, "run", bell], capture_output=True, text=True, timeout=90, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert "private server" in done.stdout
    assert "done" in done.stdout
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("basicaer-")]


def _private_run(tmp_path: Path) -> tuple[subprocess.Popen[str], int]:
    """A run with a private server, and that server's process id, as soon as the job runs."""
    path = tmp_path / "slow.qasm"
    # 2^22 amplitudes and very many gates: more than a minute.
    gates = "rx(0.1) q; " * 2000
    path.write_text(
        f'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[22];\ncreg c[22];\n{gates}measure q -> c;\n'
    )
    environment = {key: value for key, value in os.environ.items() if not key.startswith("BASICAER_")}
    process = subprocess.Popen(
        [*COMMAND, "run", str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**environment, "TMPDIR": str(tmp_path)},
    )
    assert process.stdout is not None
    while not process.stdout.readline().startswith("running"):
        assert process.poll() is None
    (server,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return process, int(server)


def test_a_private_server_that_dies_is_noticed(tmp_path: Path) -> None:
    process, server = _private_run(tmp_path)
    os.kill(server, signal.SIGKILL)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 3
    _one_line(stderr)


def test_a_private_server_does_not_outlive_its_command(tmp_path: Path) -> None:
    process, server = _private_run(tmp_path)
    # A process that is not one's own child can't be waited for, other than by this.
    handle = os.pidfd_open(server)
    process.kill()
    process.communicate()
    try:
        ended, _, _ = select.select([handle], [], [], 30)
    finally:
        os.close(handle)
    assert ended


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.glob("*.qasm")))
def test_examples_run(run: Run, name: str) -> None:
    done = run("run", str(EXAMPLES / name), "--shots", "100", "--seed", "1", "--json")
    assert done.returncode == 0, done.stderr
    counts = json.loads(done.stdout)["programs"][0]["counts"]
    assert sum(counts.values()) == 100
    if name == "grover.qasm":
        solutions = {"010101010101", "101010101010"}
        assert sum(counts.get(solution, 0) for solution in solutions) >= 95


def test_a_mistake_is_told_with_its_place(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "bad.qasm"
    path.write_text('OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[1];\n  frob q[0];\n')
    done = run("run", str(path))
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"{path}:4:3: error: 'frob' is not defined in this scope",
        "    4 |   frob q[0];",
        "      |   ^^^^",
        f"error: {path}: 1 error",
    ]


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        (("run", "no-such-file.qasm"), 2, "no-such-file.qasm"),
        (("run", "-", "--shots", "many"), 2, "many"),
        (("run", "-", "--shots", "0"), 1, "shots"),
        (("run", "-", "--backend", "nothing"), 1, "qasm_simulator"),
        (("run", "-", "--option", "colour"), 2, "NAME=VALUE"),
        (("run", "-", "--option", "colour=red"), 2, "colour"),
        (("run", "-", "--option", "precision=half"), 1, "precision"),
        (("watch", "nobody"), 1, "job"),
        (("result", "nobody"), 1, "job"),
        (("cancel", "nobody"), 1, "job"),
        (("delete", "nobody"), 1, "job"),
        (("backends", "nothing"), 1, "qasm_simulator"),
        (("cancel",), 2, "JOB_ID"),
        (("jobs", "--status", "LOST"), 2, "LOST"),
        (("fly",), 2, "fly"),
        (("info", "--server", "127.0.0.1:1"), 3, "127.0.0.1:1"),
        (("run", "-", "--server", "127.0.0.1:1"), 3, "127.0.0.1:1"),
        (("run", "-", "--server", "no port"), 3, "no port"),
    ],
)
def test_errors_are_one_line_and_a_status(
    run: Run, arguments: tuple[str, ...], status: int, text: str
) -> None:
    done = run(*arguments, input=BELL)
    assert done.returncode == status, done.stderr
    assert text in _one_line(done.stderr)


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["jobs", "--label", b"a=\xff"], 2),
        (["cancel", b"\xff"], 2),
        (["watch", b"\xff"], 2),
        (["config", "--data-dir", b"\xff"], 0),
        (["token", "list", "--data-dir", ""], 2),
    ],
)
def test_bytes_that_are_no_text_are_told_apart(
    server: ServerProcess, tmp_path: Path, arguments: list[Any], status: int
) -> None:
    environment = {**os.environ, "BASICAER_SERVER": server.address, "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [*COMMAND, *arguments], capture_output=True, timeout=90, env=environment, cwd=tmp_path
    )
    assert done.returncode == status, done.stderr
    assert b"Traceback" not in done.stderr
    if status:
        _one_line(done.stderr.decode())
    else:
        assert b"\\udcff" in done.stdout


def test_run_detach_then_watch_result_delete(run: Run, bell: str) -> None:
    job_id = run("run", bell, "--shots", "50", "--detach").stdout.strip()
    watched = run("watch", job_id)
    assert watched.returncode == 0
    assert [line.split()[0] for line in watched.stdout.splitlines()][:2] == ["queued", "running"]
    events = [json.loads(line) for line in run("watch", job_id, "--json").stdout.splitlines()]
    assert [event["status"] for event in events] == ["QUEUED", "RUNNING", "DONE"]
    after = [json.loads(line) for line in run("watch", job_id, "--json", "--after", "2").stdout.splitlines()]
    assert after == events[2:]
    shown = run("result", job_id)
    assert shown.returncode == 0
    assert "50 shots" in shown.stdout
    assert json.loads(run("result", job_id, "--json").stdout)["programs"][0]["shots"] == 50
    assert run("delete", job_id).returncode == 0
    assert run("result", job_id).returncode == 1


def test_detach_needs_a_server(bell: str) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("BASICAER_")}
    done = subprocess.run(
        [*COMMAND, "run", bell, "--detach"], capture_output=True, text=True, timeout=90, env=environment
    )
    assert done.returncode == 2
    assert "--server" in _one_line(done.stderr)


def test_cancel_and_what_is_seen_of_it(run: Run, server: ServerProcess, wire: Wire) -> None:
    with server.stub() as stub:
        job_id = wire.submit(stub, wire.endless()).job_id
        wire.wait_running(stub, job_id)
        assert "RUNNING" in run("jobs", "--status", "running").stdout
        early = run("result", job_id)
        assert early.returncode == 1
        assert "--wait" in _one_line(early.stderr)
        cancelled = run("cancel", job_id, "--reason", "superseded")
        assert cancelled.returncode == 0
        assert job_id in cancelled.stdout
        wire.wait_final(stub, job_id)
    watched = run("watch", job_id)
    assert watched.returncode == 1
    assert "cancelled" in watched.stdout
    assert job_id in _one_line(watched.stderr)
    result = run("result", job_id)
    assert result.returncode == 1
    assert result.stdout == ""
    _one_line(result.stderr)


def test_facts(run: Run, server: ServerProcess) -> None:
    assert server.address in run("info").stdout
    info = json.loads(run("info", "--json").stdout)
    assert info["limits"]["max_queued_jobs"] == 10_000
    listed = run("backends").stdout
    assert all(name in listed for name in ("qasm_simulator", "statevector_simulator", "unitary_simulator"))
    one = run("backends", "qasm_simulator").stdout
    assert re.search(r"^shots\s+1024", one, re.MULTILINE)
    assert re.search(r"^cx\s+2\s+0", one, re.MULTILINE)
    assert len(json.loads(run("backends", "--json").stdout)) == 4
    assert run("version").stdout.startswith("basicaer ")
    assert json.loads(run("version", "--json").stdout)["version"]


def test_a_reader_that_leaves_is_no_failure(run: Run, server: ServerProcess) -> None:
    environment = {**os.environ, "BASICAER_SERVER": server.address}
    process = subprocess.Popen(
        [*COMMAND, "backends", "qasm_simulator"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()
    process.wait(30)
