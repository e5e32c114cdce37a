"""Each benchmark runs to its end, with sizes of a second. Whether figures hold is for `make bench` to say."""

from __future__ import annotations

import importlib
import resource
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from benchmarks import _readers
from benchmarks.__main__ import CLUSTER, PARTS, main
from benchmarks._report import Figure
from benchmarks.peers import __main__ as peers
from benchmarks.peers import _figures, _machine, _own
from benchmarks.peers._families import FAMILIES
from benchmarks.peers._process import ProgramError
from benchmarks.peers._reading import READERS
from benchmarks.peers.adapters import Dynamic
from benchmarks.peers.methods import __main__ as methods
from benchmarks.peers.methods import _choice_works, _gate_lists, _method_works, _noise_works, choice, device
from benchmarks.service import _blown_up, _run_job
from tests.s3 import BINARY, MISSING

FOLDER = Path(__file__).parents[2] / "benchmarks"
# Of each part, what makes it small.
SMALL: dict[str, dict[str, Any]] = {
    "import": {"ROUNDS": 1},
    "openqasm3": {"LINES": 500, "SHORT": 50, "ROUNDS": 1, "PEER_LINES": 20},
    "conversion": {"GATES": 200, "ROUNDS": 1},
    "expectations": {"QUBITS": (4,), "PRODUCTS": 3, "ROUNDS": 1},
    "spread": {"QUBITS": 16, "SIZES": (2,), "ROUNDS": 1, "PAPER_QUBITS": 20},
    "qiskit": {
        "BELL_ROUNDS": 1,
        "BATCH": 3,
        "BATCH_ROUNDS": 1,
        "VQE_QUBITS": 3,
        "VQE_STEPS": 4,
        "VQE_ROUNDS": 1,
    },
    "run_job": {"CALLERS": 2, "ROUNDS": 1, "JOBS_A_ROUND": 4, "LATENCIES_A_ROUND": 2, "WARM_UP_JOBS": 2},
    "watchers": {"COUNTS": (5,), "CONNECTIONS": 2, "SECONDS": 0.1, "BUSY_QUBITS": 4},
    "web": {"ROUNDS": 1, "JOBS_A_ROUND": 32, "STREAMS": 5, "TURNS": 1, "CALLS": 5},
    "page": {"JOBS": 3, "VIEWS": 1, "WATCHED": 1, "QUBITS": 5, "SHOTS": 500, "SORTED": 1},
    "overload": {"_WATCHERS": 40, "_JOBS": 20, "_CONNECTIONS": 2, "_SECONDS": 0.2, "_BUSY_QUBITS": 4},
    "state_stream": {"NUM_QUBITS": 10, "ROUNDS": 1},
    "busy": {"NUM_QUBITS": 20, "CALLS": 2},
    "texts": {"_LONG": 40 << 10, "_SECONDS": 0.2, "_WARM_UP": 0.1, "_SHORT": 2 << 10, "_TURNS": 1},
    "blown_up": {"_WARM_UP": 0.5, "_ALONE": 0.5, "play": partial(_blown_up.play, "free data", 100_000)},
    "cold": {"ROUNDS": 1, "IS_COLD": False},
    "cluster_run_job": {"ROUNDS": 1, "JOBS_A_ROUND": 16, "LATENCIES_A_ROUND": 2, "WARM_UP_JOBS": 16},
    "cluster_news": {"COUNTS": (5,), "CONNECTIONS": 2, "EVENTS": 3, "WARM_UP_EVENTS": 1},
    "cluster_claims": {"JOBS": 20, "ROUNDS": 1, "BATCHES": (2,), "WORKERS": 2},
    # A job of its own process takes that much.
    "cluster_ray_result": {"NUM_QUBITS": 24, "ROUNDS": 1},
}
# Those whose sizes are another one's.
SIZES_OF: dict[str, ModuleType] = {"cluster_run_job": _run_job}
# Of each benchmark that is a command of its own: what makes it small, and its arguments.
COMMANDS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "execution": ({"ROUNDS": 1, "LONG": 100, "FEW": 2, "MANY": 2}, []),
    "sweeps": ({"QUBITS": 3, "LAYERS": 1, "PRODUCTS": 3, "ROWS": 3, "STEPS": 2}, []),
    "runs": ({}, ["--seconds", "0.1", "--parallel", "1"]),
    "soak": ({}, ["--jobs", "100"]),
    "beside": ({}, [str(FOLDER.parent)]),
}
# What makes the comparison with peers small.
SMALL_PEERS: list[tuple[ModuleType, str, Any]] = [
    (_figures, "CHECKED_QUBITS", (4,)),
    (_figures, "SHOTS", 1000),
    (_figures, "SHOT_QUBITS", 4),
    (_figures, "REPETITION", Dynamic(data=2, rounds=1, shots=10, angle=0.3)),
    (_figures, "ROUNDS", 1),
    (_machine, "BYTES", 1 << 20),
    (_machine, "_BURST", 1000),
    (_machine, "_ROUNDS", 1),
    (_own, "FAMILIES", {"ghz": FAMILIES["ghz"]}),
    (_own, "PAIRS", 1),
    (_own, "PAIRED", (("ghz", 4, 1),)),
    (_own, "PEAK_QUBITS", (6, 8)),
    (_own, "CANCELLED_QUBITS", 22),
    (_own, "CANCEL_MOMENTS", (0.001, 0.002)),
    (_own, "STARTS", 1),
    (_own, "KERNELS", "diagonal"),
]


@pytest.fixture(autouse=True)
def _limits() -> Iterator[None]:
    """Some benchmarks change what their process may do."""
    kinds = (resource.RLIMIT_NOFILE, resource.RLIMIT_CORE)
    before = [(kind, resource.getrlimit(kind)) for kind in kinds]
    yield
    for kind, limits in before:
        resource.setrlimit(kind, limits)


def test_every_benchmark_is_here() -> None:
    assert SMALL.keys() == PARTS.keys()
    assert COMMANDS.keys() == {path.stem for path in FOLDER.glob("[a-z]*.py")}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("part", SMALL)
def test_a_part_gives_its_figures(monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    if part == "cluster_ray_result" and not BINARY.exists():
        pytest.skip(MISSING)
    module = SIZES_OF.get(part) or importlib.import_module(PARTS[part].__module__)
    for name, value in SMALL[part].items():
        monkeypatch.setattr(module, name, value)
    figures = PARTS[part]()
    assert figures
    assert all(isinstance(figure, Figure) and figure.name and figure.measured for figure in figures)


def test_readers_are_measured_beside_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the peers, this environment has those of Qiskit, and one of them lacks what it needs."""
    monkeypatch.setenv("BASICAER_PEERS_PYTHON", sys.executable)
    text = 'OPENQASM 3.0;\ninclude "stdgates.inc";\nqubit[2] q;\nh q[0];\ncx q[0], q[1];\n'
    figures = {figure.name: figure.measured for figure in _readers.beside_peers({"a pair": text}, 1)}
    assert len(figures) == len(READERS) - 1
    assert "times as fast" in figures["a pair beside qiskit.qasm3.loads_experimental"]
    assert "its process ended" in figures["a pair beside qdk.openqasm.analyze"]
    assert "refused" in figures["a pair beside qiskit.qasm3.loads"]


def test_the_report_has_a_row_for_each_figure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    held, missed = Figure("one", "1 s", "2 s", True), Figure("other", "3 s", "2 s", False)
    monkeypatch.setitem(PARTS, "import", lambda: [held])
    monkeypatch.setitem(PARTS, "texts", lambda: [held, missed])
    assert main(["import"]) == 0
    assert main(["import", "texts"]) == 1
    assert capsys.readouterr().out.splitlines() == [held.row(), held.row(), held.row(), missed.row()]
    assert main(["nothing"]) == 2
    for part in CLUSTER:
        monkeypatch.setitem(PARTS, part, lambda: [held])
    assert main(["cluster"]) == 0
    assert capsys.readouterr().out.splitlines() == [held.row()] * len(CLUSTER)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_prints_its_figures(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    module = importlib.import_module(f"benchmarks.{name}")
    constants, arguments = COMMANDS[name]
    for constant, value in constants.items():
        monkeypatch.setattr(module, constant, value)
    for constant, value in SMALL["run_job"].items():
        monkeypatch.setattr(_run_job, constant, value)
    monkeypatch.setattr(sys, "argv", [name, *arguments])
    run: Callable[[], int | None] = module.main
    assert run() in (None, 0, 1)
    assert len(capsys.readouterr().out.splitlines()) > 1


def test_methods_are_measured_beside_their_peers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gates = _gate_lists.ghz(6)
    works = (
        lambda: _method_works.stabilizer_beside_aer(6, gates, 10),
        lambda: _method_works.stabilizer_beside_stim(6, gates, 10),
        lambda: _method_works.memory_experiment("repetition_code:memory", 3, 100),
        lambda: _method_works.feed_forward(6, 2, ("h", "x"), 10),
        lambda: _method_works.chain(6, gates),
        lambda: _noise_works.density_matrix(3),
        lambda: _noise_works.density_matrix(3, single=True),
        lambda: _noise_works.damping(3),
        lambda: _noise_works.pair_noise(3),
        lambda: _noise_works.trajectories(3, 0.01),
        lambda: _noise_works.trajectories(3, 0.01, branching=True),
        lambda: _noise_works.few_qubits(3, 10),
        lambda: _noise_works.damped_shots(3, 10),
    )
    monkeypatch.setattr(
        methods, "WORKS", [_method_works.Work("small", "peer", 0.0, work, 1) for work in works]
    )
    monkeypatch.setattr(sys, "argv", ["methods"])
    assert methods.main() == 0
    assert capsys.readouterr().out.count("| small ") == len(works)


def test_the_choice_of_a_method_is_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    small = [work for work in _choice_works.works() if work.name.startswith(("GHZ, 10", "misread layers, 6"))]
    monkeypatch.setattr(choice, "works", lambda: small)
    monkeypatch.setattr(choice, "ROUNDS", 1)
    monkeypatch.setattr(sys, "argv", ["choice"])
    assert choice.main() == 0
    assert f"of {len(small)} within" in capsys.readouterr().out


def test_the_noise_of_a_device_is_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(device, "WIDTH", 5)
    monkeypatch.setattr(device, "USED", 2)
    monkeypatch.setattr(device, "ROUNDS", 3)
    assert device.main() == 0
    assert capsys.readouterr().out.count("2 of 5 qubits") == 2


@pytest.mark.parametrize("part", peers.PARTS)
def test_programs_are_measured_beside_each_other(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], part: str
) -> None:
    """Ours alone, since the peers have an environment of their own."""
    for module, name, value in SMALL_PEERS:
        monkeypatch.setattr(module, name, value)
    arguments = ["--peers", "", "--peers-python", sys.executable, "--parts", part, "--precision", "double"]
    arguments += ["--families", "ghz", "--sizes", "4", "--repeats", "1", "--threads", "1"]
    monkeypatch.setattr(sys, "argv", ["peers", *arguments])
    failures: list[str] = []
    # They would stand in a table, in the figures' place.
    monkeypatch.setattr(ProgramError, "__init__", lambda _, text: failures.append(text))
    assert peers.main() == 0
    assert failures == []
    assert "\n### " in capsys.readouterr().out
