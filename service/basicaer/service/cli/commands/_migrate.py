"""`basicaer migrate`: the jobs and tokens of one machine become those of a database."""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from basicaer.service.cli._bar import Bar
from basicaer.service.cli._errors import fail
from basicaer.service.cli._output import json_option, print_json
from basicaer.service.cli._say import say
from basicaer.service.cli._settings import load_settings, settings_options
from basicaer.service.config import LARGEST_IN_DATABASE
from basicaer.service.errors import DataDirectoryError, ServiceError, SettingError

if TYPE_CHECKING:
    from basicaer.service.store import MoveReport

__all__ = ["migrate"]

# Jobs that are named when they stay, unless --json.
_NAMED = 20


@click.command()
@settings_options("data_dir", "database", "object_store", "object_store_endpoint")
@json_option
def migrate(
    config_file: Path | None,
    data_dir: str | None,
    database: str | None,
    object_store: str | None,
    object_store_endpoint: str | None,
    as_json: bool,
) -> None:
    """Take a data directory's jobs, results and tokens over to a database.

    Stop the server of --data-dir first; servers of --database may run, and begin with the jobs as they come.
    Jobs keep their ids, owners, events, results and request ids, so that callers go on where they were, and
    tokens stay valid. What waited waits there; what ran starts anew.

    \b
        basicaer migrate --data-dir /var/lib/basicaer --database postgresql://basicaer@db/jobs
        basicaer serve --database postgresql://basicaer@db/jobs

    It can be broken off and begun again: what is there already is left alone. Everything is compared with its
    checksums on the way. A job that is damaged, or whose result needs --object-store, stays where it is and
    is named; the status is 1 then. Nothing is removed from the data directory, but a server doesn't start
    with it any more.
    """
    flags = {
        "data_dir": data_dir,
        "database": database,
        "object_store": object_store,
        "object_store_endpoint": object_store_endpoint,
    }
    config = load_settings(config_file, flags).config
    if not config.database:
        raise click.UsageError("--database names the database that the jobs are to be moved to.")
    from basicaer.service.access import migrate_tokens
    from basicaer.service.store import MoveReport, migrate_store

    report, bar = MoveReport(), Bar("migrate")
    try:
        migrate_store(
            config.data_dir,
            config.database,
            config.object_store,
            config.object_store_endpoint,
            LARGEST_IN_DATABASE,
            report,
            lambda fraction, jobs: bar.show(fraction, f"{fraction:4.0%} of {jobs:,} jobs"),
        )
        tokens = migrate_tokens(config.data_dir, config.database)
    except (DataDirectoryError, SettingError) as error:
        bar.clear()
        fail(str(error))
    except ServiceError as error:
        bar.clear()
        fail(f"{error.message} {report.moved:,} jobs were moved before; run it again to go on.")
    except (sqlite3.Error, OSError) as error:
        bar.clear()
        fail(f"{config.data_dir} can't be read: {error}. {report.moved:,} jobs were moved before.")
    bar.clear()
    if as_json:
        skipped = [{"job_id": job_id, "why": why} for job_id, why in report.skipped]
        print_json({"moved": report.moved, "there": report.there, "skipped": skipped, "tokens": tokens})
    else:
        _tell(report, tokens)
    if report.skipped:
        sys.exit(1)


def _tell(report: MoveReport, tokens: int) -> None:
    before = f", {report.there:,} were there before" if report.there else ""
    say(f"{report.moved:,} jobs moved to {report.shown}{before}; {tokens:,} tokens")
    for job_id, why in report.skipped[:_NAMED]:
        say(f"stays: {job_id}: {why}")
    if len(report.skipped) > _NAMED:
        say(f"stay: {len(report.skipped) - _NAMED:,} more; --json names all")
