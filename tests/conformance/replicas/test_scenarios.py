"""The scenarios through a load balancer, which sends each call to another of three servers on one database.

A client finds out nothing of that: what one server has accepted, any other tells of. Those played by default
are those in which servers could differ; `--every-scenario` plays all.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.cluster.balancer import Backend, Balancer, balancing
from tests.conformance.replicas.runner import UnvalidatedRunner
from tests.conformance.scenarios import SCENARIOS, play, play_by_http
from tests.conftest import ServerProcess
from tests.postgresql import PostgreSQL

# Of which the start of all servers is a part.
pytestmark = pytest.mark.timeout(400)

SERVERS = 3
PYTHON_RUNNER = f"{sys.executable} -m tests.conformance.python_runner"
WEB_RUNNER = f"{sys.executable} -m tests.conformance.web.runner"
# Jobs that are watched, read, cancelled and submitted again at a server that hasn't accepted them; and an
# error with its details, which a proxy could lose.
TELLING = {
    "bell_counts",
    "watch_resumes",
    "submission_is_repeated",
    "read_resumes",
    "cancel",
    "a_bad_program",
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "scenario" in metafunc.fixturenames:
        every = metafunc.config.getoption("--every-scenario", False)
        played = [each for each in SCENARIOS if every or each["name"] in TELLING]
        metafunc.parametrize("scenario", played, ids=[each["name"] for each in played])


@pytest.fixture(scope="module")
def balancer(tmp_path_factory: pytest.TempPathFactory, postgresql: PostgreSQL) -> Iterator[Balancer]:
    """What callers know of the service."""
    folder = tmp_path_factory.mktemp("replicas")
    database = postgresql.url(folder)
    with contextlib.ExitStack() as stack:

        def start(number: int) -> Backend:
            options = ("--database", database, "--http-listen", "127.0.0.1:0")
            server = ServerProcess(folder / f"data-{number}", folder / f"log-{number}", *options)
            stack.callback(server.kill)
            return Backend(server.address, server.http_url.removeprefix("http://").rstrip("/"))

        with ThreadPoolExecutor(SERVERS) as pool:
            backends = list(pool.map(start, range(SERVERS)))
        yield stack.enter_context(balancing(folder, backends))


def test_scenario(scenario: dict[str, Any], runner_command: str, balancer: Balancer) -> None:
    play(scenario, runner_command, balancer.address, UnvalidatedRunner)


def test_scenario_by_http(scenario: dict[str, Any], balancer: Balancer) -> None:
    play_by_http(scenario, WEB_RUNNER, balancer.http_url, UnvalidatedRunner)


def test_every_server_is_asked(balancer: Balancer) -> None:
    (bell,) = (scenario for scenario in SCENARIOS if scenario["name"] == "bell_counts")
    before = balancer.calls()
    for _ in range(SERVERS):
        play(bell, PYTHON_RUNNER, balancer.address, UnvalidatedRunner)
    after = balancer.calls()
    assert len(after) == SERVERS
    assert all(after[name] > before[name] for name in after)
