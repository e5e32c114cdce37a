"""Every view, light and dark, wide and narrow: axe finds nothing, and a screenshot is kept."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from basicaer.service.access import TokenStore
from playwright.sync_api import expect

from tests.browser.conftest import BELL, OpenPage, Picture, program, run
from tests.browser.looks import looked_at
from tests.conftest import ServerProcess
from tests.web import Web

ENDLESS = "qubit q; bit c; while (!c) { reset q; c = measure q; }"
SWEPT = "input angle t; qubit[2] q; U(t, 0, 0) q[0]; ctrl @ U(pi, 0, 0) q[0], q[1];"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ServerProcess, dict[str, str]]]:
    """A server with jobs of all kinds, and the ids of some."""
    folder = tmp_path_factory.mktemp("lab")
    server = ServerProcess(folder / "data", folder / "log", "--workers", "1")
    web = Web(server.http_url)
    ids = {
        "counts": run(
            web, program("qubit[4] q; bit[4] c; h q; cx q[0], q[1]; c = measure q;", labels={"who": "ada"})
        ),
        "state": run(
            web, program("qubit[3] q; h q[0]; cx q[0], q[1]; t q[0]; ry(1) q[2];", "statevector_simulator")
        ),
        "unitary": run(web, program("qubit[3] q; h q[0]; cx q[0], q[1]; t q[1];", "unitary_simulator")),
        "sweep": run(
            web,
            {
                "backendName": "qasm_simulator",
                "programs": [
                    {
                        "openqasm3": SWEPT,
                        "inputs": {"names": ["t"], "values": [step / 4 for step in range(26)]},
                        "estimation": {
                            "observables": [
                                {"paulis": ["ZI"], "coefficients": [1.0]},
                                {"paulis": ["XX"], "coefficients": [1.0]},
                            ]
                        },
                    }
                ],
            },
        ),
    }
    failed = program(
        ENDLESS, options={"max_run_time": "0.05s"}, labels={"experiment": "repeat", "who": "ben"}
    )
    ids["failed"] = run(web, failed)
    running = web.call("POST", "/v1/jobs", program(ENDLESS, labels={"experiment": "repeat"}))
    ids["running"] = running.json["job"]["jobId"]
    ids["queued"] = web.call("POST", "/v1/jobs", program(BELL, labels={"who": "ada"})).json["job"]["jobId"]
    yield server, ids
    server.kill()


Lab = tuple[ServerProcess, dict[str, str]]


def test_the_list_and_the_server(lab: Lab, open_page: OpenPage, picture: Picture) -> None:
    view = open_page(lab[0].http_url)
    expect(view.locator("tbody tr")).to_have_count(len(lab[1]))
    looked_at(view, picture, "jobs")
    view.get_by_role("link", name="Server").click()
    expect(view.get_by_role("heading", name="unitary_simulator")).to_be_visible()
    looked_at(view, picture, "server")


def test_writing(lab: Lab, open_page: OpenPage, picture: Picture) -> None:
    view = open_page(f"{lab[0].http_url}/write")
    view.get_by_label("Example").select_option("Teleportation, with corrections")
    expect(view.get_by_role("status")).to_have_text("valid")
    expect(view.locator(".picture .bracket").first).to_be_visible()
    view.get_by_text("More options").click()
    looked_at(view, picture, "write")
    view.locator(".cm-content").click()
    view.keyboard.press("Control+End")
    view.keyboard.type("measure nothing;")
    expect(view.locator(".mistakes li").first).to_be_visible()
    looked_at(view, picture, "write-wrong")


@pytest.mark.parametrize(
    ("job", "seen"),
    [
        ("counts", "Counts"),
        ("state", "Qubits"),
        ("unitary", "Unitary"),
        ("sweep", "Expectation values"),
        ("failed", "Why it failed"),
        ("running", "Running"),
        ("queued", "Waiting"),
    ],
)
def test_jobs(lab: Lab, open_page: OpenPage, picture: Picture, job: str, seen: str) -> None:
    server, ids = lab
    view = open_page(f"{server.http_url}/jobs/{ids[job]}")
    expect(view.get_by_role("heading", name=seen, exact=True)).to_be_visible()
    looked_at(view, picture, f"job-{job}")


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ServerProcess, str]]:
    folder = tmp_path_factory.mktemp("guarded")
    with TokenStore(folder / "data") as tokens:
        _, text = tokens.create("ada", "user", None)
    server = ServerProcess(folder / "data", folder / "log", "--auth", "token")
    yield server, text
    server.kill()


def test_signing_in(guarded: tuple[ServerProcess, str], open_page: OpenPage, picture: Picture) -> None:
    server, token = guarded
    view = open_page(f"{server.http_url}/write")
    view.get_by_label("Token").fill("basicaer_wrong")
    view.get_by_role("button", name="Sign in").click()
    expect(view.get_by_role("alert")).to_contain_text("not one of this server's")
    looked_at(view, picture, "sign-in")
    view.get_by_label("Token").fill(token)
    view.keyboard.press("Enter")
    expect(view.get_by_role("status")).to_have_text("valid")
    # No script can read it, and no address has it.
    assert view.evaluate("document.cookie") == ""
    assert token not in view.url
    assert token not in view.evaluate("JSON.stringify([localStorage, sessionStorage])")
    view.get_by_role("link", name="Server").click()
    expect(view.get_by_text("token:ada")).to_be_visible()
    view.reload()
    expect(view.get_by_text("token:ada")).to_be_visible()
    looked_at(view, picture, "signed-in")
    view.get_by_role("button", name="Sign out").click()
    expect(view.get_by_role("heading", name="Sign in")).to_be_visible()
    view.reload()
    expect(view.get_by_role("heading", name="Sign in")).to_be_visible()


def test_by_the_keyboard_alone(lab: Lab, open_page: OpenPage) -> None:
    view = open_page(lab[0].http_url)
    expect(view.locator("tbody tr")).to_have_count(len(lab[1]))
    focused = "document.activeElement.textContent.trim()"

    def tab_to(text: str) -> None:
        for _ in range(40):
            view.keyboard.press("Tab")
            if view.evaluate(focused) == text:
                return
        raise AssertionError(f"the Tab key never came to {text!r}")

    view.keyboard.press("Tab")
    assert view.evaluate(focused) == "Skip to the content"
    tab_to("Write a circuit")
    view.keyboard.press("Enter")
    expect(view.get_by_role("status")).to_have_text("valid")
    view.locator(".cm-content").focus()
    view.keyboard.press("Escape")
    tab_to("Run")
    view.keyboard.press("Enter")
    expect(view.get_by_role("heading", name="Waiting")).to_be_visible()
    tab_to("Cancel")
    view.keyboard.press("Enter")
    expect(view.locator(".head .status")).to_have_text("cancelled")
