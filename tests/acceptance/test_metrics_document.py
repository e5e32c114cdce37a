"""What docs/metrics.md tells is what a server has: every metric, an alert for each, log lines and checks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from basicaer.service.config import Config
from basicaer.service.main import Service
from prometheus_client.metrics_core import Metric

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "metrics.md").read_text()
SERVICE = ROOT / "service" / "basicaer" / "service"
ROWS = re.findall(r"^\| `(basicaer_\w+)` \| (\w+) \| ((?:`\w+` ?)*)\s*\| (.+) \|$", DOCUMENT, re.MULTILINE)
ALERTS = re.findall(r"^        expr: (.+)$", DOCUMENT, re.MULTILINE)


@pytest.fixture
def families(service: Service) -> list[Metric]:
    """The server's own metrics."""
    found = service._metrics.registry.collect()
    return [family for family in found if family.name.startswith("basicaer_")]


def _name(family: Metric) -> str:
    return f"{family.name}_total" if family.type == "counter" else family.name


def test_every_metric_is_documented_with_type_and_meaning(families: list[Metric]) -> None:
    assert {(_name(family), family.type, family.documentation) for family in families} == {
        (name, kind, meaning) for name, kind, _, meaning in ROWS
    }


def test_labels_are_documented(service: Service) -> None:
    told = {name.removesuffix("_total"): tuple(re.findall(r"\w+", text)) for name, _, text, _ in ROWS}
    for tally in service._metrics._tallies:
        assert told.pop(tally.name) == tally.label_names
    assert told.pop("basicaer_build_info") == ("version", "python")
    assert set(told.values()) == {()}


def test_every_metric_has_an_alert_and_no_other(families: list[Metric]) -> None:
    names = {_name(family) for family in families}
    used = {re.sub(r"_bucket$", "", name) for alert in ALERTS for name in re.findall(r"basicaer_\w+", alert)}
    assert used == names


def test_process_metrics(service: Service, config: Config) -> None:
    named = set(re.findall(r"`(process_\w+)`", DOCUMENT))
    samples = {sample.name for family in service._metrics.registry.collect() for sample in family.samples}
    assert named == {name for name in samples if name.startswith("process_")}


def test_the_lines_of_the_log_are_documented() -> None:
    told: set[str] = set()
    for path in (SERVICE / "jobs" / "_telemetry.py", SERVICE / "doors" / "call.py"):
        told |= set(re.findall(r"event\(\s*_log,\s*logging\.\w+,\s*\"([^\"]+)\"", path.read_text()))
    assert told == set(re.findall(r"^\| `((?:job|call) \w+)` \|", DOCUMENT, re.MULTILINE))


def test_the_checks_of_the_doctor_are_documented() -> None:
    sources = [*(SERVICE / "doctor").glob("_*.py"), SERVICE / "cli" / "commands" / "_doctor.py"]
    checks: set[str] = set()
    for path in sources:
        text = path.read_text()
        checks |= set(re.findall(r"Finding\.\w+\(\s*\"([^\"]+)\"", text))
        checks |= set(re.findall(r"\bcheck(?:, \w+)* = \"([^\"]+)\"", text))
    table = DOCUMENT.partition("| check |")[2]
    rows = re.findall(r"^\| ((?:`[\w ]+`(?:, )?)+) \|", table, re.MULTILINE)
    assert checks == {name for row in rows for name in re.findall(r"`([^`]+)`", row)}
