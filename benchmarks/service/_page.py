"""The page in Chromium: how soon it shows a list of a thousand jobs, an event after its commit, and a hundred
thousand outcomes in another order.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
import uuid

import grpc
from basicaer.v1 import job_service_pb2 as pb
from basicaer.v1 import job_service_pb2_grpc as rpc
from playwright.sync_api import Browser, sync_playwright

from benchmarks._programs import bell_spec, endless_spec, uniform_spec
from benchmarks._report import Figure
from benchmarks._servers import CHANNEL_OPTIONS, free_port, real_server

JOBS = 1_000
VIEWS = 7
WATCHED = 15
QUBITS, SHOTS = 17, 500_000
SORTED = 9
# Notes when each event is first seen, by the clock that the server has too, and when it was committed.
_OBSERVER = """
window.seen = [];
new MutationObserver(() => {
  for (const time of document.querySelectorAll(".events time:not([data-seen])")) {
    time.dataset.seen = "";
    const now = performance.timeOrigin + performance.now();
    const more = Number(`0.${/\\.\\d{3}(\\d+)/.exec(time.dateTime)?.[1] ?? 0}`);
    window.seen.push(now - Date.parse(time.dateTime) - more);
  }
}).observe(document, { childList: true, subtree: true });
"""
# Presses on a column's name, and waits until its order is shown.
_SORT = """
async () => {
  const heading = document.querySelector(".rows-head [aria-sort]");
  const before = heading.ariaSort;
  const began = performance.now();
  heading.querySelector("button").click();
  while (heading.ariaSort === before) await new Promise(requestAnimationFrame);
  return performance.now() - began;
}
"""


def _first_view(browser: Browser, url: str) -> float:
    """Return how long a browser that has never been there takes to show the list, in seconds."""
    context = browser.new_context()
    view = context.new_page()
    start = time.perf_counter()
    view.goto(url, wait_until="commit")
    view.wait_for_selector("tbody tr")
    taken = time.perf_counter() - start
    context.close()
    return taken


def _delay(browser: Browser, url: str, stub: rpc.JobServiceStub) -> float:
    """Return how long after its commit the slowest event of a watched job is seen, in milliseconds."""
    request = pb.SubmitJobRequest(spec=endless_spec(), request_id=uuid.uuid4().hex)
    ahead = stub.SubmitJob(request).job.job_id
    waiting = stub.SubmitJob(pb.SubmitJobRequest(spec=bell_spec(), request_id=uuid.uuid4().hex)).job.job_id
    context = browser.new_context()
    context.add_init_script(_OBSERVER)
    view = context.new_page()
    view.goto(f"{url}/jobs/{waiting}")
    view.wait_for_selector(".events .status-queued")
    view.evaluate("window.seen.length = 0")
    stub.CancelJob(pb.CancelJobRequest(job_id=ahead))
    view.wait_for_selector(".events .status-done")
    slowest: float = view.evaluate("Math.max(...window.seen)")
    context.close()
    return slowest


def _sort(browser: Browser, url: str, stub: rpc.JobServiceStub) -> tuple[int, float]:
    """Return how many outcomes a job has, and how long the page takes to sort them, in milliseconds."""
    request = pb.RunJobRequest(spec=uniform_spec(QUBITS, SHOTS), request_id=uuid.uuid4().hex)
    first, *_ = stub.RunJob(request)
    context = browser.new_context()
    view = context.new_page()
    view.goto(f"{url}/jobs/{first.job.job_id}")
    view.wait_for_selector(".rows-row")
    taken = [view.evaluate(_SORT) for _ in range(SORTED)]
    outcomes = view.evaluate("Number(document.querySelector('.rows').ariaRowCount) - 1")
    context.close()
    return outcomes, statistics.median(taken)


def measure() -> list[Figure]:
    """Look at a server with many jobs, by a browser without a screen."""
    chromium = shutil.which("chromium")
    if chromium is None:
        raise RuntimeError("no Chromium: apt-get install $(make -s debian-packages)")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    options = ("--http-listen", f"127.0.0.1:{port}", "--workers", "1", "--drain-grace", "0s")
    with (
        tempfile.TemporaryDirectory() as folder,
        real_server(folder, *options) as (address, _),
        grpc.insecure_channel(address, options=CHANNEL_OPTIONS) as channel,
        sync_playwright() as playwright,
    ):
        stub = rpc.JobServiceStub(channel)
        for _ in range(JOBS):
            stub.SubmitJob(pb.SubmitJobRequest(spec=bell_spec(), request_id=uuid.uuid4().hex))
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        _first_view(browser, url)
        views = [_first_view(browser, url) for _ in range(VIEWS)]
        delays = [_delay(browser, url, stub) for _ in range(WATCHED)]
        outcomes, order = _sort(browser, url, stub)
        browser.close()
    view, delay = statistics.median(views), statistics.median(delays)
    return [
        Figure(
            f"the page's first view, {JOBS:,} jobs",
            f"{view * 1e3:.0f} ms (slowest of {VIEWS}: {max(views) * 1e3:.0f} ms)",
            "< 1 s",
            view < 1.0,
        ),
        Figure(
            "an event on the page, after its commit",
            f"{delay:.0f} ms (slowest of {WATCHED}: {max(delays):.0f} ms)",
            "< 100 ms",
            delay < 100,
        ),
        Figure(
            f"{outcomes:,} outcomes on the page, in another order", f"{order:.0f} ms", "< 300 ms", order < 300
        ),
    ]
