"""`--plot`: what a result looks like in a file, and what is refused before there is a job."""

from __future__ import annotations

import json
import os
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from basicaer.client import BasicAerProvider, Circuit, Program

from tests.conftest import ServerProcess
from tests.integration.cli.conftest import Run

STATE = """OPENQASM 3.0; include "stdgates.inc";
qubit[2] q; h q[0]; s q[0]; cx q[0], q[1];"""


def _texts(path: Path) -> list[str]:
    """All texts of an SVG, in their order."""
    return [
        "".join(element.itertext()).strip()
        for element in ET.parse(path).iter("{http://www.w3.org/2000/svg}text")
    ]


def test_counts_are_bars_with_their_shares(run: Run, bell: str, tmp_path: Path) -> None:
    path = tmp_path / "bell.svg"
    done = run("run", bell, "--shots", "1000", "--seed", "7", "--json", "--plot", str(path))
    assert done.returncode == 0, done.stderr
    counts = json.loads(done.stdout)["programs"][0]["counts"]
    texts = _texts(path)
    assert "counts of 1,000 shots" in texts
    for outcome, count in counts.items():
        assert outcome in texts
        assert f"{count / 10:.1f} %" in texts


def test_the_same_result_gives_the_same_file(run: Run, bell: str, tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("one.svg", "two.svg")]
    for path in paths:
        assert run("run", bell, "--seed", "7", "--plot", str(path)).returncode == 0
    assert paths[0].read_bytes() == paths[1].read_bytes()


@pytest.mark.parametrize("ending", ["svg", "png", "pdf"])
@pytest.mark.parametrize("backend", ["statevector_simulator", "unitary_simulator"])
def test_states_and_matrices_are_drawn_in_each_format(
    run: Run, tmp_path: Path, backend: str, ending: str
) -> None:
    path = tmp_path / f"state.{ending}"
    done = run("run", "-", "--backend", backend, "--plot", str(path), input=STATE)
    assert done.returncode == 0, done.stderr
    assert path.read_bytes().startswith({"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}[ending])
    if ending == "svg":
        assert "phase" in _texts(path)


def test_the_top_ones_alone_are_drawn(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "many.svg"
    source = 'OPENQASM 3.0; include "stdgates.inc"; qubit[8] q; bit[8] c; h q; c = measure q;'
    assert run("run", "-", "--top", "5", "--plot", str(path), input=source).returncode == 0
    assert sum(len(text) == 8 and set(text) <= {"0", "1"} for text in _texts(path)) == 5


def test_a_sweep_is_curves(run: Run, server: ServerProcess, tmp_path: Path) -> None:
    ansatz = Circuit(1)
    ansatz.ry(ansatz.add_input("theta"), 0)
    inputs = {"theta": [0.1 * step for step in range(8)]}
    texts = _drawn(run, server, Program(ansatz, inputs=inputs, observables=["Z", "X"]), tmp_path)
    assert {"expectation values", "observable"} <= set(texts)


def test_names_are_only_names(run: Run, server: ServerProcess, tmp_path: Path) -> None:
    circuit = Circuit(1, name="<b>$x$</b>\x1b[31m").h(0)
    circuit.save_density_matrix(label="rho $\\frac$").save_probabilities(label="&amp;")
    texts = _drawn(run, server, Program(circuit), tmp_path)
    assert {"rho $\\frac$", "&amp;"} <= set(texts)


def _drawn(run: Run, server: ServerProcess, program: Program, folder: Path) -> list[str]:
    with BasicAerProvider(server.address) as provider:
        job = provider.get_backend("qasm_simulator").run([program, program])
        job.result()
    path = folder / "drawn.svg"
    done = run("result", job.job_id(), "--plot", str(path))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert b"\x1b" not in path.read_bytes()
    return [text.rpartition(": ")[2] for text in _texts(path)]


def test_detectors_are_rates(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "detectors.svg"
    source = "X 1\nM 0 1\nDETECTOR rec[-1]\nDETECTOR rec[-2]"
    assert run("run", "-", "--plot", str(path), input=source).returncode == 0
    assert "detectors: how often 1" in _texts(path)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--plot", "picture.gif"), "must end in .svg, .png, .pdf"),
        (("--plot", "nowhere/picture.svg"), "there is no folder 'nowhere'"),
        (
            ("--plot", "picture.svg", "--detach", "--server", "127.0.0.1:1"),
            "'basicaer result JOB' takes them later",
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused_first(
    run: Run, bell: str, arguments: tuple[str, ...], said: str
) -> None:
    done = run("run", bell, *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stdout == ""


def test_without_matplotlib_it_is_named(run: Run, server: ServerProcess, bell: str, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util as util\n"
        "find = util.find_spec\n"
        "util.find_spec = lambda name, *more: None if name == 'matplotlib' else find(name, *more)\n"
    )
    environment = {**os.environ, "BASICAER_SERVER": server.address, "PYTHONPATH": str(tmp_path)}
    done = run("run", bell, "--plot", str(tmp_path / "bell.svg"), env=environment)
    assert done.returncode == 2
    assert "pip install 'basicaer[plot]'" in done.stderr
