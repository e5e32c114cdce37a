"""Plays a scenario of `scenarios.json` to a runner, through the proxy, and compares."""

from __future__ import annotations

import copy
import json
import math
import uuid
from pathlib import Path
from typing import Any

from tests.conformance.faults import Fault, Journal
from tests.conformance.proxy import Proxy
from tests.conformance.runners import Runner
from tests.conformance.web.proxy import WebProxy

__all__ = ["SCENARIOS", "play", "play_by_http"]

SCENARIOS: list[dict[str, Any]] = json.loads(Path(__file__).with_name("scenarios.json").read_text())
# Amplitudes are sums and products of a few rounded numbers.
TOLERANCE = 1e-12


def play(scenario: dict[str, Any], command: str, address: str, runner: type[Runner] = Runner) -> None:
    """Raises AssertionError at the first reply, or at the end the first request, that isn't as expected."""
    with Proxy(address, _faults(scenario)) as proxy:
        _play(scenario, command, proxy.address, runner)
        _check(proxy.journal, scenario.get("requests", []))


def play_by_http(scenario: dict[str, Any], command: str, url: str, runner: type[Runner] = Runner) -> None:
    """The same with a runner that is given a URL: HTTP has no codes, and may need other requests.

    Raises:
        AssertionError: As of `play`.
    """
    with WebProxy(url, _faults(scenario)) as proxy:
        _play({**scenario, "steps": _without_codes(scenario["steps"])}, command, proxy.address, runner)
        _check(proxy.journal, scenario.get("requests_by_http", scenario.get("requests", [])))


def _faults(scenario: dict[str, Any]) -> list[Fault]:
    return [Fault(**fault) for fault in scenario.get("faults", [])]


def _play(scenario: dict[str, Any], command: str, address: str, runner: type[Runner]) -> None:
    names = {"request_id": uuid.uuid4().hex}
    with runner(command, address) as running:
        for step in scenario["steps"]:
            reply = running.ask(_fill(step["do"], names))
            _compare(reply, _fill(step["expect"], names), "reply")
            names.setdefault("job_id", reply.get("job_id", ""))


def _check(journal: Journal, checks: list[dict[str, Any]]) -> None:
    for check in checks:
        _check_requests(journal.fields(check["in"], check["field"], check.get("where")), check)


def _without_codes(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = copy.deepcopy(steps)
    for step in made:
        step["expect"].get("error", {}).pop("code", None)
    return made


def _fill(value: Any, names: dict[str, str]) -> Any:
    """Puts the values of "$job_id" and "$request_id" in their places."""
    match value:
        case dict():
            return {key: _fill(item, names) for key, item in value.items()}
        case list():
            return [_fill(item, names) for item in value]
        case str() if value.startswith("$"):
            return names[value[1:]]
    return value


def _compare(actual: Any, expected: Any, where: str) -> None:
    """Objects may say more than is expected, lists may not; numbers are equal within TOLERANCE."""
    match expected:
        case dict() if "error" not in expected and isinstance(actual, dict) and "error" in actual:
            raise AssertionError(f"{where} is {actual}, expected {expected}")
        case dict():
            assert isinstance(actual, dict), f"{where} is {actual!r}, expected an object"
            for key, value in expected.items():
                assert key in actual, f"{where} has no {key!r}: {actual}"
                _compare(actual[key], value, f"{where}.{key}")
        case list():
            assert isinstance(actual, list), f"{where} is {actual!r}, expected a list"
            assert len(actual) == len(expected), f"{where} is {actual}, expected {expected}"
            for index, (item, value) in enumerate(zip(actual, expected, strict=True)):
                _compare(item, value, f"{where}[{index}]")
        case float():
            near = isinstance(actual, int | float) and math.isclose(actual, expected, abs_tol=TOLERANCE)
            assert near, f"{where} is {actual!r}, expected {expected!r}"
        case _:
            assert actual == expected, f"{where} is {actual!r}, expected {expected!r}"


def _check_requests(values: list[Any], check: dict[str, Any]) -> None:
    """`are`: the values in order. `same`: so many, all alike, and there."""
    where = f"{check['in']}.{check['field']}"
    if "are" in check:
        assert values == check["are"], f"{where} was {values} in the requests, expected {check['are']}"
    else:
        alike = len(values) == check["same"] and all(value and value == values[0] for value in values)
        assert alike, f"{where} was {values} in the requests, expected the same {check['same']} times"
