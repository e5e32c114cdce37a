"""`basicaer work`: a process that runs the jobs of servers, and takes no calls."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

import click
from basicaer.service import process_name
from basicaer.service.cli._errors import fail
from basicaer.service.cli._say import say
from basicaer.service.cli._settings import UNITS, load_settings, settings_options
from basicaer.service.cli.commands._serve import log_options
from basicaer.service.errors import DataDirectoryError, ServerFailedError, SettingError

__all__ = ["work"]

_SETTINGS = (
    "database",
    "object_store",
    "object_store_endpoint",
    "lease_time",
    "executor",
    "max_nodes",
    "workers",
    "max_memory_bytes",
    "max_attempts",
    "max_overtakes",
    "max_run_time",
    "max_inline_result_bytes",
    "result_retention",
    "event_retention",
    "job_retention",
    "max_stored_bytes",
    "sweep_interval",
    "drain_grace",
    "progress_interval",
    "health_listen",
    "metrics_listen",
    "insecure_metrics",
    "trace_endpoint",
)


@click.command(epilog=UNITS)
@settings_options(*_SETTINGS)
@log_options
def work(
    config_file: Path | None, log_level: str, log_format: str, until_stdin_closes: bool, **flags: Any
) -> None:
    """Run the jobs that wait in a database, and keep on.

    The jobs come in at servers with the same --database; this process claims those that fit its memory, and
    has no port but those for metrics and health. The first line on stdout is "working as HOST:PID", printed
    when it is ready. SIGTERM or Ctrl-C drains: running jobs may finish, and others go back to where they
    waited.

    \b
        basicaer serve --database postgresql://basicaer@db/jobs --no-run-jobs
        basicaer work --database postgresql://basicaer@db/jobs
    """
    # What variables and a settings file say of doors is for those that take calls: a container has both.
    doors = {"listen": "127.0.0.1:0", "http_listen": "none", "run_jobs": True}
    config = load_settings(config_file, flags | doors).config
    if not config.database:
        raise click.UsageError("--database names the database whose jobs are to be run.")
    config = dataclasses.replace(config, auth=(), tls_certificate=None, tls_key=None, tls_client_ca=None)
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    from basicaer.service import main
    from basicaer.service.telemetry import Logs

    logs = Logs(log_level, log_format)
    try:
        main.run(config, logs, _announce, until_stdin_closes=until_stdin_closes, role="work")
    except (OSError, DataDirectoryError, ServerFailedError, SettingError) as error:
        fail(str(error))
    finally:
        logs.close()


def _announce(address: str, http_url: str) -> None:
    say(f"working as {process_name()}")
