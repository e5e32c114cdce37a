"""`basicaer run`: one program from a file to a histogram, with the job's life shown on the way."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

import click
from basicaer.service.cli._connection import Server, optional_server_option
from basicaer.service.cli._diagnostics import mistakes_told, show
from basicaer.service.cli._errors import INTERRUPTED, TERMINATED, CommandError, Terminated
from basicaer.service.cli._follow import follow, show_result
from basicaer.service.cli._live import View, open_view
from basicaer.service.cli._output import json_option, print_json, top_option
from basicaer.service.cli._private import connect_or_start
from basicaer.service.cli._programs import (
    backend_option,
    extern_option,
    input_option,
    noise_of,
    pairs,
    program_of,
    read_text,
)
from basicaer.service.cli._say import say
from basicaer.service.cli.results import picture_option

if TYPE_CHECKING:
    from basicaer.client import BasicAerJob

__all__ = ["run"]


@click.command()
@click.argument("file", type=click.File(encoding="utf-8"))
@click.option("--shots", type=int, help="How often the program is run.  [default: 1024]")
@backend_option
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
@input_option
@extern_option
@click.option(
    "--noise",
    metavar="MODEL.json",
    help="Noise that comes with operations: the contract's NoiseModel as JSON, such as "
    '{"channels": [{"depolarizing": {"probability": 0.01}}], "rules": [{"operations": ["h"]}]}.',
)
@click.option(
    "--method",
    type=click.Choice(
        [
            "auto",
            "automatic",
            "statevector",
            "density_matrix",
            "stabilizer",
            "matrix_product_state",
            "superop",
        ]
    ),
    help="How the state is held: the server's choice (auto), all amplitudes, a density matrix (exact noise), "
    "stabilizers (Clifford gates, thousands of qubits), or a chain of tensors (little entanglement). "
    "What ran, and why, is told at the end.",
)
@click.option(
    "--nodes",
    type=int,
    metavar="NUMBER",
    help="Over how many nodes of a cluster the state is spread: a power of two, at most the server's "
    "--max-nodes.  [default: as few as it fits into]",
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
@picture_option
@json_option
def run(
    file: TextIO,
    shots: int | None,
    backend: str,
    seed: int | None,
    memory: bool,
    options: dict[str, str],
    inputs: dict[str, str],
    externs: dict[str, str],
    noise: str | None,
    method: str | None,
    nodes: int | None,
    labels: dict[str, str],
    server: Server | None,
    detach: bool,
    top: int,
    save: str | None,
    plot: str | None,
    as_json: bool,
) -> None:
    """Run the program in FILE ("-" is standard input) and show what it gives.

    It is OpenQASM 2 or 3, or in stim's language. Of detectors and observables it is shown how often they are
    1; --save has each shot's bits, eight a byte, and --memory adds the measurements.

    Ctrl-C, or SIGTERM, cancels the job; with --server, 'basicaer run --detach' and then 'basicaer watch'
    lets it go on without you. Exit status: 0 done, 1 the job failed or was refused, 2 wrong usage, 3 no
    server, 130 interrupted, 143 ended by SIGTERM.

    \b
        basicaer run examples/shell/bell.qasm --shots 1000 --seed 7
        basicaer run examples/shell/bell.qasm --backend statevector_simulator
        basicaer run examples/shell/bell.qasm --method stabilizer --noise model.json
        basicaer run examples/shell/bell.qasm --json | jq .programs[0].counts
        basicaer run examples/shell/repetition.stim --shots 100000
    """
    if detach and server is None:
        raise click.UsageError("--detach needs --server: a private server ends with this command.")
    if detach and (save or plot):
        raise click.UsageError(
            "--save and --plot wait for the result; 'basicaer result JOB' takes them later."
        )
    arguments: dict[str, Any] = {name: _value(text) for name, text in options.items()}
    arguments |= {"shots": shots, "seed_simulator": seed, "memory": memory or None, "labels": labels}
    if noise is not None:
        arguments["noise_model"] = noise_of(noise)
    if method is not None:
        arguments["method"] = "automatic" if method == "auto" else method
    if nodes is not None:
        arguments["nodes"] = nodes
    text = read_text(file)
    program = program_of(text, file.name, inputs, externs)
    with mistakes_told(text, file.name, sys.stderr), contextlib.ExitStack() as stack:
        stack.enter_context(_sigterm_interrupts())
        view = None if as_json or detach else stack.enter_context(open_view(sys.stdout))
        connection = stack.enter_context(connect_or_start(server, None if view is None else view.line))
        job = _submit(connection.provider.get_backend(backend), program, arguments)
        warnings = job.warnings()
        if detach:
            show(warnings, text, file.name, sys.stderr)
            print_json({"job_id": job.job_id()}) if as_json else say(job.job_id())
            return
        _wait(job, view, f"job {job.job_id()} on {connection.address}")
        if view is not None:
            # Give the terminal back before the histogram.
            view.__exit__(None, None, None)
            say()
        show(warnings, text, file.name, sys.stderr)
        show_result(job, as_json=as_json, top=top, save=save, plot=plot, tell_method=method is not None)


def _value(text: str) -> Any:
    """Return an option's value: a number, list or truth value when it reads like JSON, else the text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _submit(backend: Any, program: Any, arguments: dict[str, Any]) -> BasicAerJob:
    job: BasicAerJob
    try:
        job = backend.run(program, **arguments)
    except TypeError as error:
        raise click.UsageError(f"--option: {error}") from None
    except KeyboardInterrupt as cause:
        how, status = _interruption(cause)
        raise CommandError(
            f"interrupted by {how} while the job was submitted; if a server has taken it, it goes on, and "
            "'basicaer jobs' shows it",
            status=status,
        ) from None
    return job


def _wait(job: BasicAerJob, view: View | None, title: str) -> None:
    try:
        if view is None:
            job.wait_for_final_state()
            return
        view.line(title)
        follow(job, view)
    except KeyboardInterrupt as cause:
        if view is not None:
            view.__exit__(None, None, None)
        raise _cancelled(job, cause) from None


def _cancelled(job: BasicAerJob, cause: KeyboardInterrupt) -> CommandError:
    """Cancel a job that nobody waits for any more; return what is to be said of it."""
    from basicaer.client import BasicAerError

    how, status = _interruption(cause)
    try:
        what = "was cancelled" if job.cancel(f"interrupted by {how}") else "had ended already"
    except BasicAerError as error:
        what = f"goes on, since it couldn't be cancelled: {error.message}"
    return CommandError(f"interrupted by {how}; job {job.job_id()} {what}", status=status)


def _interruption(cause: KeyboardInterrupt) -> tuple[str, int]:
    """Return what interrupted the command, and its exit status then."""
    return ("SIGTERM", TERMINATED) if isinstance(cause, Terminated) else ("Ctrl-C", INTERRUPTED)


@contextlib.contextmanager
def _sigterm_interrupts() -> Iterator[None]:
    """Take SIGTERM as Ctrl-C is taken, where it would end the process and nobody else has a use for it."""
    if threading.current_thread() is not threading.main_thread() or (
        signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    ):
        yield
        return
    signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    raise Terminated
