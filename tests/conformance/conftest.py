"""Which runners the suite puts to the test: Python's, or those of `--runner`."""

from __future__ import annotations

import sys

import pytest

PYTHON_RUNNER = f"python={sys.executable} -m tests.conformance.python_runner"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds `--runner NAME=COMMAND`."""
    parser.addoption(
        "--runner",
        action="append",
        metavar="NAME=COMMAND",
        help="a client's runner for the conformance suite; may be repeated (default: Python's)",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Runs each test that takes a `runner_command` once for every runner."""
    if "runner_command" in metafunc.fixturenames:
        runners = metafunc.config.getoption("--runner", None) or [PYTHON_RUNNER]
        pairs = [runner.partition("=") for runner in runners]
        metafunc.parametrize(
            "runner_command", [command for *_, command in pairs], ids=[name for name, *_ in pairs]
        )
