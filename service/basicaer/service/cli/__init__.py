"""The command `basicaer`: a server, and everything that a person does with one.

Commands import what they need when they run, so that `basicaer --help` is there at once: gRPC, numpy and rich
take longer to import than most commands take to work.
"""

from __future__ import annotations

import click
from basicaer.service.cli._errors import exit_status, leave
from basicaer.service.cli.commands._check import check
from basicaer.service.cli.commands._config import config
from basicaer.service.cli.commands._doctor import doctor
from basicaer.service.cli.commands._draw import draw
from basicaer.service.cli.commands._export import export
from basicaer.service.cli.commands._facts import backends, health, info, version
from basicaer.service.cli.commands._jobs import cancel, delete, jobs, result, watch
from basicaer.service.cli.commands._migrate import migrate
from basicaer.service.cli.commands._run import run
from basicaer.service.cli.commands._serve import serve
from basicaer.service.cli.commands._token import token
from basicaer.service.cli.commands._top import top
from basicaer.service.cli.commands._work import work

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
    check,
    serve,
    work,
    jobs,
    watch,
    result,
    cancel,
    delete,
    draw,
    export,
    backends,
    info,
    top,
    health,
    token,
    migrate,
    config,
    doctor,
    version,
):
    cli.add_command(_command)


def main() -> None:
    """Run the command line and exit with its status."""
    leave(exit_status(lambda: cli.main(prog_name="basicaer", standalone_mode=False)))
