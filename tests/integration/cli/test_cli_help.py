"""What `--help` says of each command and option, and how little it loads."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest
from basicaer.service.cli import cli

from tests.integration.conftest import COMMAND


@pytest.mark.parametrize("name", ["", *cli.commands])
def test_help_teaches(name: str) -> None:
    done = subprocess.run([*COMMAND, *name.split(), "--help"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: basicaer")


def test_every_option_says_what_it_does() -> None:
    for name, command in cli.commands.items():
        assert command.help, name
        for parameter in command.params:
            if isinstance(parameter, click.Option) and not parameter.hidden:
                assert parameter.help, (name, parameter.name)


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from basicaer.service.cli import cli; cli.main(['--help'], standalone_mode=False); "
        "print(sorted({'grpc', 'numpy', 'rich.progress', 'qiskit', 'numba'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]"
