"""`basicaer serve`: every setting as an option, and the process around a server."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from basicaer.service.cli._errors import fail
from basicaer.service.cli._say import say
from basicaer.service.cli._settings import UNITS, load_settings, settings_options
from basicaer.service.errors import (
    CredentialsFileError,
    DataDirectoryError,
    ServerFailedError,
    SettingError,
)

__all__ = ["log_options", "serve"]


def log_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add to a command what a process is told beside its settings."""
    for option in (
        click.option("--until-stdin-closes", is_flag=True, hidden=True),
        click.option(
            "--log-format",
            type=click.Choice(["text", "json"]),
            default="text",
            show_default=True,
            envvar="BASICAER_LOG_FORMAT",
            show_envvar=True,
            help="How a line looks: text for people, or a JSON object for machines.",
        ),
        click.option(
            "--log-level",
            type=click.Choice(["debug", "info", "warning", "error"]),
            default="info",
            show_default=True,
            envvar="BASICAER_LOG_LEVEL",
            show_envvar=True,
            help="What is logged to stderr, one line for each event.",
        ),
    ):
        command = option(command)
    return command


@click.command(epilog=UNITS)
@settings_options()
@log_options
def serve(
    config_file: Path | None, log_level: str, log_format: str, until_stdin_closes: bool, **flags: Any
) -> None:
    """Start a server and keep it up.

    The first line on stdout is "listening on HOST:PORT", printed when the server is ready; the second is
    "page: http://HOST:PORT", for browsers and HTTP, unless --http-listen is none. SIGTERM or Ctrl-C drains:
    no new jobs, running ones may finish, queued ones wait on the disk for the next server. A second signal
    ends the process at once, which loses nothing that was acknowledged.

    \b
        basicaer serve --listen 127.0.0.1:50051 --data-dir ~/basicaer
        basicaer run circuit.qasm --server 127.0.0.1:50051

    'basicaer config' shows what the settings are, and where each comes from.
    """
    config = load_settings(config_file, flags).config
    # gRPC's core reports a taken port in three lines of its own, before we tell it in one.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    from basicaer.service import main
    from basicaer.service.telemetry import Logs

    logs = Logs(log_level, log_format)
    try:
        main.run(config, logs, _announce, until_stdin_closes=until_stdin_closes)
    except (OSError, DataDirectoryError, CredentialsFileError, ServerFailedError, SettingError) as error:
        fail(str(error))
    finally:
        logs.close()


def _announce(address: str, http_url: str) -> None:
    say(f"listening on {address}")
    if http_url:
        say(f"page: {http_url}")
