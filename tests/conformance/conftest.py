"""Which runners and programs the suite puts to the test: Python's, or those of `--runner` and `--program`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

PYTHON_RUNNER = f"python={sys.executable} -m tests.conformance.python_runner"
PYTHON_PROGRAM = (
    f"python={sys.executable} -m basicaer.service.cli run "
    f"{Path(__file__).parents[2]}/examples/shell/bell.qasm --server"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds `--runner NAME=COMMAND`, `--program NAME=COMMAND` and `--every-scenario`."""
    parser.addoption(
        "--every-scenario",
        action="store_true",
        help="play all scenarios over several servers, not only those in which they could differ",
    )
    parser.addoption(
        "--runner",
        action="append",
        metavar="NAME=COMMAND",
        help="a client's runner for the conformance suite; may be repeated (default: Python's)",
    )
    parser.addoption(
        "--program",
        action="append",
        metavar="NAME=COMMAND",
        help="an example's program, which takes a server's address; repeatable (default: `basicaer run`)",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Runs each test that takes a `runner_command` or a `program_command` once for every one of them."""
    for argument, option, default in (
        ("runner_command", "--runner", PYTHON_RUNNER),
        ("program_command", "--program", PYTHON_PROGRAM),
    ):
        if argument in metafunc.fixturenames:
            pairs = [given.partition("=") for given in metafunc.config.getoption(option, None) or [default]]
            metafunc.parametrize(
                argument, [command for *_, command in pairs], ids=[name for name, *_ in pairs]
            )
