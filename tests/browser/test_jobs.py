"""Jobs as they go on: watched over a server's end, cancelled, and with names that mean ill."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import BELL, OpenPage, Picture, program, run
from tests.conftest import ServerProcess, StartServer
from tests.web import Web

# Runs until it is stopped.
ENDLESS = "qubit q; bit c; while (!c) { reset q; c = measure q; }"
HOSTILE = {
    "<script>alert(1)</script>": "<img src=x onerror=alert(2)>",
    "quote": "\"'><svg onload=alert(3)>",
    "long": "x" * 60,
}


# It starts a server twice.
@pytest.mark.timeout(300)
def test_a_server_that_is_killed_and_comes_back(
    start_server: StartServer, open_page: OpenPage, picture: Picture
) -> None:
    server = start_server("--http-listen", "127.0.0.1:0")
    job = Web(server.http_url).call("POST", "/v1/jobs", program(ENDLESS)).json["job"]["jobId"]
    view = open_page(f"{server.http_url}/jobs/{job}")
    expect(view.locator(".head .status")).to_have_text("running")
    server.kill()
    expect(view.get_by_text("The connection is lost.")).to_be_visible()
    picture(view, "job-lost")
    start_server("--http-listen", server.http_url.removeprefix("http://"), data_dir=server.data_dir)
    expect(view.get_by_text("attempt 2")).to_be_visible()
    expect(view.get_by_text("The connection is lost.")).not_to_be_visible()
    view.get_by_role("button", name="Cancel").click()
    expect(view.locator(".head .status")).to_have_text("cancelled")
    told = [each for each in view.locator(".events .status").all_text_contents() if each != "validating"]
    assert told == ["queued", "running", "queued", "running", "cancelled"]


def test_a_list_that_is_live(page_server: ServerProcess, web: Web, open_page: OpenPage) -> None:
    view = open_page(page_server.http_url)
    label = {"test": "live"}
    job = web.call("POST", "/v1/jobs", program(ENDLESS, labels=label)).json["job"]["jobId"]
    row = view.locator("tbody tr", has_text=job[:12])
    expect(row.locator(".status")).to_have_text("running")
    row.get_by_role("button", name=re.compile("Cancel")).click()
    expect(row.locator(".status")).to_have_text("cancelled")
    view.get_by_text("Failed", exact=True).click()
    expect(row).to_be_visible()
    view.get_by_text("Done", exact=True).click()
    expect(row).not_to_be_visible()


def test_names_that_mean_ill_are_only_text(
    page_server: ServerProcess, web: Web, open_page: OpenPage, picture: Picture
) -> None:
    job = run(web, program(BELL, labels=HOSTILE))
    view = open_page(page_server.http_url)
    row = view.locator("tbody tr", has_text=job[:12])
    for place in (row, view.locator("main")):
        for key, value in HOSTILE.items():
            expect(place.get_by_text(key)).to_be_visible()
            expect(place.get_by_text(value)).to_be_visible()
        picture(view, "hostile-labels")
        view.goto(f"{page_server.http_url}/jobs/{job}")
        expect(view.get_by_role("heading", name="Counts")).to_be_visible()
    assert view.locator("main img, main script").count() == 0


def test_a_job_that_is_not_there(page_server: ServerProcess, open_page: OpenPage) -> None:
    view = open_page(f"{page_server.http_url}/jobs/%3Cimg%3E")
    expect(view.get_by_role("alert")).to_be_visible()
