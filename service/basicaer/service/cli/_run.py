"""`basicaer run`: one program from a file to a histogram, with the job's life shown on the way."""

from __future__ import annotations

import contextlib
import json
import sys
from typing import TYPE_CHECKING, Any, TextIO

import click
from basicaer.service.cli._connection import Server, connect, optional_server_option
from basicaer.service.cli._errors import INTERRUPTED, CommandError, fail
from basicaer.service.cli._follow import follow, show_result
from basicaer.service.cli._live import View, open_view
from basicaer.service.cli._output import json_option, print_json, top_option
from basicaer.service.cli._private import private_server

if TYPE_CHECKING:
    from basicaer.client import BasicAerJob

__all__ = ["pairs", "run"]


def pairs(ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """Return NAME=VALUE arguments as a dict (a callback of click)."""
    found = {}
    for value in values:
        name, equals, text = value.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"{value!r} is not of the form NAME=VALUE.", ctx, parameter)
        found[name] = text
    return found


@click.command()
@click.argument("file", type=click.File(encoding="utf-8"))
@click.option("--shots", type=int, help="How often the program is run.  [default: 1024]")
@click.option(
    "--backend",
    default="qasm_simulator",
    show_default=True,
    metavar="NAME",
    help="What to compute: counts, or the state or matrix of statevector_simulator and unitary_simulator.",
)
@click.option(
    "--seed", type=int, help="Makes the counts repeatable.  [default: a random one, shown at the end]"
)
@click.option("--memory", is_flag=True, help="Keep the outcome of each shot (in --json and --save).")
@click.option(
    "--option",
    "options",
    multiple=True,
    callback=pairs,
    metavar="NAME=VALUE",
    help="Any other option that 'basicaer backends' shows, such as precision=single. May be repeated.",
)
@click.option(
    "--label",
    "labels",
    multiple=True,
    callback=pairs,
    metavar="NAME=VALUE",
    help="Something to find the job by in 'basicaer jobs'. May be repeated.",
)
@optional_server_option
@click.option("--detach", is_flag=True, help="Print the job's id and leave; needs --server.")
@top_option
@click.option("--save", metavar="FILE.npz", help="Write counts and arrays to a file for numpy.")
@json_option
def run(
    file: TextIO,
    shots: int | None,
    backend: str,
    seed: int | None,
    memory: bool,
    options: dict[str, str],
    labels: dict[str, str],
    server: Server | None,
    detach: bool,
    top: int,
    save: str | None,
    as_json: bool,
) -> None:
    """Run the OpenQASM 2 program in FILE ("-" is standard input) and show what it gives.

    Ctrl-C cancels the job; with --server, 'basicaer run --detach' and then 'basicaer watch' lets it go on
    without you. Exit status: 0 done, 1 the job failed or was refused, 2 wrong usage, 3 no server, 130
    interrupted.

    \b
        basicaer run examples/shell/bell.qasm --shots 1000 --seed 7
        basicaer run examples/shell/bell.qasm --backend statevector_simulator
        basicaer run examples/shell/bell.qasm --json | jq .programs[0].counts
    """
    if detach and server is None:
        raise click.UsageError("--detach needs --server: a private server ends with this command.")
    arguments: dict[str, Any] = {name: _value(text) for name, text in options.items()}
    arguments |= {"shots": shots, "seed_simulator": seed, "memory": memory or None, "labels": labels}
    try:
        text = file.read()
    except UnicodeDecodeError as error:
        fail(f"{file.name} is not text in UTF-8: {error}")
    with contextlib.ExitStack() as stack:
        view = None if as_json or detach else stack.enter_context(open_view(sys.stdout))
        if server is None:
            if view is not None:
                view.line("starting a private server (--server HOST:PORT takes a running one)")
            # When it is away it has died, for want of memory perhaps, and nobody will start it again.
            own = Server(stack.enter_context(private_server()), private=True)
            connection = stack.enter_context(connect(own, max_outage=2.0))
        else:
            connection = stack.enter_context(connect(server))
        job = _submit(connection.provider.get_backend(backend), text, file.name, arguments)
        if detach:
            print_json({"job_id": job.job_id()}) if as_json else click.echo(job.job_id())
            return
        _wait(job, view, f"job {job.job_id()} on {connection.address}")
        if view is not None:
            # Give the terminal back before the histogram.
            view.__exit__(None, None, None)
            click.echo()
        show_result(job, as_json=as_json, top=top, save=save)


def _value(text: str) -> Any:
    """Return an option's value: a number, list or truth value when it reads like JSON, else the text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _submit(backend: Any, text: str, name: str, arguments: dict[str, Any]) -> BasicAerJob:
    """Submit the program; a mistake in it is told as compilers do, as FILE:LINE:COLUMN."""
    from basicaer.client import ProgramInvalidError

    try:
        job: BasicAerJob = backend.run(text, **arguments)
    except TypeError as error:
        raise click.UsageError(f"--option: {error}") from None
    except ProgramInvalidError as error:
        place = ":".join(str(part) for part in (name, error.line, error.column) if part is not None)
        raise CommandError(f"{place}: {error.message}") from error
    return job


def _wait(job: BasicAerJob, view: View | None, title: str) -> None:
    try:
        if view is None:
            job.wait_for_final_state()
            return
        view.line(title)
        follow(job, view)
    except KeyboardInterrupt:
        if view is not None:
            view.__exit__(None, None, None)
        stopped = job.cancel("interrupted by Ctrl-C")
        what = "was cancelled" if stopped else "had ended already"
        raise CommandError(f"interrupted; job {job.job_id()} {what}", status=INTERRUPTED) from None
