"""The command `basicaer`: a server, and everything that a person does with one.

Commands import what they need when they run, so that `basicaer --help` is there at once: gRPC, numpy and rich
take longer to import than most commands take to work.
"""

from __future__ import annotations

import sys

import click
from basicaer.service.cli._config import config
from basicaer.service.cli._doctor import doctor
from basicaer.service.cli._errors import exit_status
from basicaer.service.cli._facts import backends, health, info, version
from basicaer.service.cli._jobs import cancel, delete, jobs, result, watch
from basicaer.service.cli._run import run
from basicaer.service.cli._serve import serve
from basicaer.service.cli._token import token

__all__ = ["cli", "main"]


class _InOrder(click.Group):
    """A group that lists its commands in the order in which a newcomer needs them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=_InOrder, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def cli() -> None:
    """Quantum-circuit simulation as a service.

    'run' works without any setup. For a team, one person keeps 'serve' up, and everyone else names it with
    --server or BASICAER_SERVER.
    """


for _command in (
    run,
    serve,
    jobs,
    watch,
    result,
    cancel,
    delete,
    backends,
    info,
    health,
    token,
    config,
    doctor,
    version,
):
    cli.add_command(_command)


def main() -> None:
    """Run the command line and exit with its status."""
    sys.exit(exit_status(lambda: cli.main(prog_name="basicaer", standalone_mode=False)))
