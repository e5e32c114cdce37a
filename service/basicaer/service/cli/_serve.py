"""`basicaer serve`: every field of `Config` as an option, and the process around a server."""

from __future__ import annotations

import dataclasses
import math
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import click
from basicaer.service.cli._errors import fail
from basicaer.service.cli._units import (
    format_duration,
    format_size,
    parse_duration,
    parse_retention,
    parse_size,
)
from basicaer.service.config import Config
from basicaer.service.errors import DataDirectoryError

__all__ = ["serve"]

_ADDRESS = re.compile(r"(\[[0-9a-fA-F:.%]+\]|[^\s:/\[\]]+):([0-9]{1,5})")

_COUNT = click.IntRange(min=1)


def _address(text: str) -> str:
    match = _ADDRESS.fullmatch(text)
    if match is None or int(match[2]) > 65_535:
        raise click.BadParameter(f"{text!r} is not HOST:PORT, such as 127.0.0.1:50051 or [::]:0.")
    return text


class _Setting(NamedTuple):
    """An option for a field of `Config`. `default` says in words what has no constant to show."""

    field: str
    kind: Any
    help: str
    default: str = ""


_SETTINGS = (
    _Setting(
        "listen",
        _address,
        "Where to listen, as HOST:PORT. Port 0 takes any free one. 0.0.0.0 lets everyone in the network in: "
        "callers are not asked who they are.",
    ),
    _Setting(
        "data_dir",
        click.Path(path_type=Path, file_okay=False),
        "Where jobs and results are kept. It is made if it is not there; one server at a time may use it.",
        default=".basicaer",
    ),
    _Setting("workers", _COUNT, "Simulations that run at once.", default="the number of cores"),
    _Setting("validation_workers", _COUNT, "Programs that are parsed and checked at once."),
    _Setting(
        "max_memory_bytes",
        parse_size,
        "Memory that all running simulations may use together. A job that needs more is refused at "
        "submission; one that does not fit now waits.",
        default="80 % of what is free",
    ),
    _Setting("max_queued_jobs", _COUNT, "Waiting jobs; beyond them a submission is refused with QUEUE_FULL."),
    _Setting("max_queued_jobs_per_principal", _COUNT, "The same for the jobs of one caller with a name."),
    _Setting("max_programs", _COUNT, "Programs in a job."),
    _Setting("max_shots", _COUNT, "Shots of a program."),
    _Setting("max_program_bytes", parse_size, "A program's OpenQASM text."),
    _Setting("max_instructions", _COUNT, "A program's instructions, after all gates are expanded."),
    _Setting("max_message_bytes", parse_size, "A request message."),
    _Setting(
        "max_inline_result_bytes", parse_size, "The largest result that comes with the last event of RunJob."
    ),
    _Setting("prepared_cache_bytes", parse_size, "Checked programs of waiting jobs that are kept in memory."),
    _Setting("finished_cache_bytes", parse_size, "Recently finished jobs that are kept in memory."),
    _Setting("result_retention", parse_retention, "How long a result is kept after its job has ended."),
    _Setting("event_retention", parse_retention, "How long a final job's events are kept."),
    _Setting(
        "job_retention",
        parse_retention,
        "How long a final job is kept at all; then its id is unknown.",
    ),
    _Setting(
        "max_stored_bytes",
        parse_size,
        "What all jobs and results may take on the disk. Beyond it the oldest go.",
        default="no limit",
    ),
    _Setting("max_attempts", _COUNT, "How often a job is started, if the server dies each time."),
    _Setting(
        "max_run_time",
        parse_retention,
        "How long a job may run; then it ends with TIME_LIMIT_EXCEEDED.",
        default="no limit",
    ),
    _Setting(
        "max_overtakes",
        click.IntRange(min=0),
        "How many jobs may start before the first waiting one that needs more memory than is free.",
    ),
    _Setting(
        "drain_grace",
        parse_duration,
        "How long SIGTERM and Ctrl-C wait for running jobs. Those that are not done by then start anew with "
        "the next server.",
    ),
    _Setting("progress_interval", parse_duration, "How often progress and queue positions are told."),
    _Setting("sweep_interval", parse_duration, "How often expired results and old events are looked for."),
)


_METAVARS = {_address: "HOST:PORT", parse_size: "SIZE", parse_duration: "TIME", parse_retention: "TIME"}


def _default(setting: _Setting) -> str:
    if setting.default:
        return setting.default
    value: Any = next(field.default for field in dataclasses.fields(Config) if field.name == setting.field)
    if setting.kind is parse_size:
        return format_size(value)
    return format_duration(value) if setting.kind in (parse_duration, parse_retention) else str(value)


def _with_settings(command: Callable[..., None]) -> Callable[..., None]:
    for setting in reversed(_SETTINGS):
        command = click.option(
            f"--{setting.field.replace('_', '-')}",
            setting.field,
            type=setting.kind,
            metavar=_METAVARS.get(setting.kind),
            envvar=f"BASICAER_{setting.field.upper()}",
            show_envvar=True,
            help=f"{setting.help}  [default: {_default(setting)}]",
        )(command)
    return command


@click.command()
@_with_settings
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    envvar="BASICAER_LOG_LEVEL",
    show_envvar=True,
    help="What is logged to stderr, one line for each event.",
)
@click.option("--until-stdin-closes", is_flag=True, hidden=True)
def serve(log_level: str, until_stdin_closes: bool, **settings: Any) -> None:
    """Start a server and keep it up.

    The first line on stdout is "listening on HOST:PORT", printed when the server is ready. SIGTERM or Ctrl-C
    drains: no new jobs, running ones may finish, queued ones wait on the disk for the next server. A second
    signal ends the process at once, which loses nothing that was acknowledged.

    \b
        basicaer serve --listen 127.0.0.1:50051 --data-dir ~/basicaer
        basicaer run circuit.qasm --server 127.0.0.1:50051
    """
    chosen = {name: value for name, value in settings.items() if value is not None}
    chosen = {name: None if value == math.inf else value for name, value in chosen.items()}
    chosen.setdefault("data_dir", Path(".basicaer"))
    try:
        config = Config(**chosen)
    except (TypeError, ValueError) as error:
        raise click.UsageError(str(error)) from None
    # gRPC's core reports a taken port in three lines of its own, before we tell it in one.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    from basicaer.service import main

    main.configure_logging(log_level)
    try:
        main.run(config, _announce, until_stdin_closes=until_stdin_closes)
    except (OSError, DataDirectoryError) as error:
        fail(str(error))


def _announce(address: str) -> None:
    click.echo(f"listening on {address}")
