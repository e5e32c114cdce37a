"""The page in Chromium, as a person sees it.

browser   one Chromium for a module's tests
open_page `open_page(url)`: a view of its own; what goes wrong in its scripts fails the test
picture   `picture(view, name)`: keeps a screenshot in build/screenshots
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect, sync_playwright

from tests.conftest import ServerProcess
from tests.integration.conftest import Wire
from tests.web import Web

PICTURES = Path(__file__).parents[2] / "build" / "screenshots"
# A busy machine takes its time; what a person would wait for is a figure of the benchmarks.
PATIENCE = 30_000
WIDE, NARROW = ViewportSize(width=1280, height=860), ViewportSize(width=390, height=844)

OpenPage = Callable[[str], Page]
Picture = Callable[[Page, str], None]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Ends with its module: Playwright's loop would be in the way of others on this thread."""
    found = shutil.which("chromium")
    assert found, "no Chromium: apt-get install $(make -s debian-packages)"
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        # As root it has no sandbox; it sees no page but ours.
        chromium = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    contexts: list[BrowserContext] = []
    troubles: list[str] = []

    def note(message: Any) -> None:
        # Refusals that a test provokes are told there too.
        if message.type == "error" and "Failed to load resource" not in message.text:
            troubles.append(message.text)

    def opened(url: str) -> Page:
        context = browser.new_context(viewport=WIDE)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        view = context.new_page()
        view.on("pageerror", lambda error: troubles.append(str(error)))
        view.on("console", note)
        view.on("dialog", lambda dialog: troubles.append(f"a dialog: {dialog.message}"))
        view.goto(url)
        return view

    yield opened
    for context in contexts:
        for page in context.pages:
            # What a test answers in the server's place may be in the middle of that.
            page.unroute_all(behavior="wait")
        context.close()
    assert troubles == []


@pytest.fixture
def picture() -> Picture:
    PICTURES.mkdir(parents=True, exist_ok=True)

    def take(view: Page, name: str) -> None:
        view.screenshot(path=PICTURES / f"{name}.png", full_page=True)

    return take


@pytest.fixture(scope="session")
def page_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server whose page is looked at."""
    folder = tmp_path_factory.mktemp("page")
    server = ServerProcess(folder / "data", folder / "log")
    yield server
    server.kill()


@pytest.fixture
def web(page_server: ServerProcess) -> Web:
    """A client of its HTTP."""
    return Web(page_server.http_url)


@pytest.fixture
def wire() -> Wire:
    return Wire()


def run(web: Web, spec: dict[str, Any]) -> str:
    """Run a job; return its id."""
    answer = web.call("POST", "/v1/jobs:run", spec)
    assert answer.status == 200, answer.body
    found: str = answer.json["job"]["jobId"]
    return found


def program(text: str, backend: str = "qasm_simulator", **more: Any) -> dict[str, Any]:
    """Return a job of one program in OpenQASM 3."""
    head = 'OPENQASM 3.0; include "stdgates.inc"; '
    return {"backendName": backend, "programs": [{"openqasm3": head + text}], **more}


BELL = "qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;"
