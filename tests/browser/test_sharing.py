"""A server that people share, and servers that share their jobs: whose jobs there are, and who runs them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from basicaer.service.access import TokenStore
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import OpenPage, Picture, program
from tests.browser.looks import looked_at
from tests.cluster.processes import Part
from tests.conftest import ServerProcess, StartServer
from tests.postgresql import PostgreSQL
from tests.web import Web

ENDLESS = "qubit q; bit c; while (!c) { reset q; c = measure q; }"
NAMES = ("ada", "ben", "root")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ServerProcess, dict[str, str]]]:
    """A server for two people and an admin, and their tokens: Ada has a job that runs and one that waits, Ben
    one that waits.
    """
    folder = tmp_path_factory.mktemp("shared")
    with TokenStore(folder / "data") as tokens:
        made = {name: tokens.create(name, "admin" if name == "root" else "user", None)[1] for name in NAMES}
    server = ServerProcess(folder / "data", folder / "log", "--auth", "token", "--workers", "1")
    for name in ("ada", "ada", "ben"):
        answer = Web(server.http_url, made[name]).call("POST", "/v1/jobs", program(ENDLESS))
        assert answer.status == 200, answer.body
    yield server, made
    server.kill()


Shared = tuple[ServerProcess, dict[str, str]]


def _signed_in(shared: Shared, open_page: OpenPage, name: str) -> Page:
    server, tokens = shared
    view = open_page(server.http_url)
    view.get_by_label("Token").fill(tokens[name])
    view.keyboard.press("Enter")
    expect(view.locator("tbody tr").first).to_be_visible()
    return view


def test_an_admin_sees_whose_jobs_there_are(shared: Shared, open_page: OpenPage, picture: Picture) -> None:
    view = _signed_in(shared, open_page, "root")
    expect(view.locator(".cell-who")).to_have_text(["token:ben", "token:ada", "token:ada"])
    looked_at(view, picture, "jobs-who")
    view.get_by_role("link", name="Server").click()
    rows = view.get_by_role("table", name="Jobs of each caller").locator("tbody tr")
    expect(rows).to_have_text([re.compile("token:ada11"), re.compile("token:ben01")])
    looked_at(view, picture, "server-callers")
    view.get_by_role("link", name="Jobs").click()
    view.locator("tbody tr", has_text="token:ben").get_by_role("link").click()
    expect(view.locator(".fact", has_text="Submitted by")).to_contain_text("token:ben")
    picture(view, "job-who")


def test_others_see_themselves_alone(shared: Shared, open_page: OpenPage) -> None:
    view = _signed_in(shared, open_page, "ben")
    expect(view.locator(".cell-who")).to_have_text(["token:ben"])
    view.get_by_role("link", name="Server").click()
    rows = view.get_by_role("table", name="Jobs of each caller").locator("tbody tr")
    expect(rows).to_have_text([re.compile("token:ben01")])
    expect(view.locator("main")).not_to_contain_text("ada")


def test_where_nobody_is_asked_nobody_has_a_name(page_server: ServerProcess, open_page: OpenPage) -> None:
    web = Web(page_server.http_url)
    job = web.call("POST", "/v1/jobs", program(ENDLESS)).json["job"]["jobId"]
    view = open_page(page_server.http_url)
    expect(view.locator("tbody tr", has_text=job[:12])).to_be_visible()
    assert view.locator(".cell-who").count() == 0
    view.get_by_role("link", name="Server").click()
    expect(view.get_by_role("heading", name="Backends")).to_be_visible()
    for name in ("Callers", "Servers and workers"):
        assert view.get_by_role("heading", name=name).count() == 0
    web.call("POST", f"/v1/jobs/{job}:cancel")


# Three processes start.
@pytest.mark.timeout(300)
def test_servers_and_workers_on_one_database(
    start_server: StartServer,
    new_postgresql: PostgreSQL,
    open_page: OpenPage,
    picture: Picture,
    tmp_path: Path,
) -> None:
    database = ("--database", new_postgresql.base_url, "--max-memory-bytes", "1GiB")
    server = start_server(*database, "--no-run-jobs")
    worker = Part(tmp_path, "worker", "work", *database, "--workers", "2")
    worker.begin()
    try:
        worker.ready()
        view = open_page(f"{server.http_url}/server")
        members = view.locator(".members li")
        expect(members).to_have_count(2)
        expect(view.get_by_text(re.compile("1 server and 1 worker on 1 node"))).to_be_visible()
        expect(members.nth(0)).to_contain_text(f"Takes calls at {server.address}")
        Web(server.http_url).call("POST", "/v1/jobs", program(ENDLESS))
        expect(members.nth(1)).to_contain_text("Runs jobs, and takes no calls")
        expect(members.nth(1)).to_contain_text("1 of 2 at once")
        # All of them together.
        expect(view.get_by_role("region", name="Running", exact=True)).to_contain_text("1of 2 at once")
        looked_at(view, picture, "server-members")
    finally:
        worker.kill()


def test_the_nodes_that_a_worker_drives(
    page_server: ServerProcess, open_page: OpenPage, picture: Picture
) -> None:
    view = open_page(page_server.http_url)
    gib = 1 << 30
    nodes = [
        {
            "name": "node-1.example.org",
            "address": "192.0.2.1",
            "cpus": 16,
            "memoryBytes": str(64 * gib),
            "reservedBytes": str(24 * gib),
            "warmProcesses": 8,
            "runningJobs": "3",
        },
        {"name": "node-2.example.org", "address": "192.0.2.2", "gone": True},
    ]

    def with_nodes(route: Route) -> None:
        answer = route.fetch()
        worker = {"name": "node-1:7", "version": "1.0", "workers": 16, "uptime": "60s", "nodes": nodes}
        route.fulfill(response=answer, json={**answer.json(), "members": [worker]})

    view.route("**/v1/info", with_nodes)
    view.get_by_role("link", name="Server").click()
    member = view.locator(".members > li")
    expect(member).to_contain_text("On 1 Ray node")
    expect(member.locator(".ray-nodes > li")).to_have_count(2)
    expect(member.locator(".ray-nodes > li").nth(0)).to_contain_text("24 GiB of 64 GiB")
    expect(member.locator(".ray-nodes > li").nth(0)).to_contain_text(
        "3 jobs running, 8 processes kept warm, 16 CPUs"
    )
    expect(member.locator(".ray-nodes > li").nth(1)).to_have_text("node-2.example.org 192.0.2.2 has left")
    looked_at(view, picture, "server-nodes")
