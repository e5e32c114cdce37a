"""The pictures of the documentation: `make pictures` takes them from build/screenshots into docs/pictures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PICTURES, OpenPage, program, run
from tests.conftest import ServerProcess
from tests.web import Web


@pytest.fixture
def shown(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server of a small lab."""
    server = ServerProcess(tmp_path / "data", tmp_path / "log", "--workers", "1")
    yield server
    server.kill()


def _take(view: Page, name: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    view.screenshot(path=PICTURES / f"docs-{name}.png")


def test_the_documentations_pictures(shown: ServerProcess, open_page: OpenPage) -> None:
    web = Web(shown.http_url)
    ghz = "qubit[5] q; bit[5] c; h q[0]; for int i in [0:3] { cx q[i], q[i + 1]; } c = measure q;"
    run(web, program(ghz, labels={"experiment": "ghz", "who": "ada"}))
    run(web, program("qubit[3] q; h q; t q[1];", "statevector_simulator", labels={"who": "ben"}))
    endless = "qubit q; bit c; while (!c) { reset q; c = measure q; }"
    limited = program(endless, options={"max_run_time": "0.1s"}, labels={"experiment": "until success"})
    run(web, limited)
    view = open_page(f"{shown.http_url}/write")
    view.get_by_label("Example").select_option("Grover's search (OpenQASM 2)")
    view.get_by_label("Labels").fill("experiment=grover, who=ada")
    view.get_by_label("Seed simulator").fill("7")
    expect(view.get_by_role("status")).to_have_text("valid")
    expect(view.get_by_role("img", name=re.compile("A circuit of 3 qubits"))).to_be_visible()
    _take(view, "write")
    view.get_by_role("button", name="Run", exact=True).click()
    expect(view.get_by_role("heading", name="Counts")).to_be_visible()
    expect(view.get_by_role("img", name=re.compile("A circuit of 3 qubits"))).to_be_visible()
    _take(view, "job")
    # One shot is soon done, and of many a part.
    slow = "qubit[18] q; bit[18] c; for int i in [0:2] { h q; c = measure q; }"
    web.call("POST", "/v1/jobs", program(slow, options={"shots": "3000"}, labels={"experiment": "walk"}))
    web.call("POST", "/v1/jobs", program(ghz, labels={"experiment": "ghz", "who": "ben"}))
    view.get_by_role("link", name="Jobs").click()
    expect(view.locator("tbody .status-running")).to_be_visible()
    view.wait_for_timeout(2500)
    _take(view, "jobs")
