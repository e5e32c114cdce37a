"""What these tests share: scrapes of a live server, and its log."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import ServerProcess

_LIMIT = 30.0


class Scrape:
    """All metrics at one moment."""

    def __init__(self, address: str) -> None:
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=_LIMIT) as answer:
            text = answer.read().decode()
        self.families = {family.name: family for family in text_string_to_metric_families(text)}

    def value(self, sample_name: str, **labels: str) -> float:
        """A sample's value; 0 when nothing was counted under these labels."""
        for family in self.families.values():
            for sample in family.samples:
                if sample.name == sample_name and sample.labels == labels:
                    return float(sample.value)
        return 0.0


def until(ask: Callable[[], Any]) -> Any:
    """What `ask` returns, once it is something."""
    end = time.monotonic() + _LIMIT
    while not (found := ask()):
        assert time.monotonic() < end, "it didn't happen"
        time.sleep(0.02)
    return found


def scrape_counted(address: str, calls: Mapping[tuple[str, str], int]) -> Scrape:
    """All metrics once so many calls of a method ended with a code; they are counted after their answer."""
    wanted = dict(calls)

    def counted() -> Scrape | None:
        found = Scrape(address)
        values = {
            (method, code): found.value("basicaer_rpc_calls_total", method=method, code=code)
            for method, code in wanted
        }
        return found if values == wanted else None

    found: Scrape = until(counted)
    return found


def metrics_address(server: ServerProcess) -> str:
    """Where a server that was started with --metrics-listen shows them."""
    found = until(lambda: re.search(r"metrics on http://([^\s/]+)/metrics", server.log.read_text()))
    return str(found[1])


def json_lines(server: ServerProcess) -> list[dict[str, Any]]:
    """The complete lines of a log in JSON."""
    return [json.loads(line) for line in server.log.read_text().splitlines(keepends=True) if line[-1] == "\n"]


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """For machines whose environment names one."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
