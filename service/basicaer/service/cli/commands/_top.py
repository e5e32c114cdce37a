"""`basicaer top`: a server's load and jobs, live."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click
from basicaer.service.cli import _text
from basicaer.service.cli._connection import Connection, Server, connect, server_option
from basicaer.service.cli._say import say
from basicaer.service.cli.commands._jobs import table_of
from basicaer.service.printable import printable

if TYPE_CHECKING:
    from basicaer.v1 import job_pb2, job_service_pb2

__all__ = ["top"]

_BAR_WIDTH = 20
_MOST_CALLERS = 4


@click.command()
@click.option(
    "--interval",
    type=click.FloatRange(min=0.2),
    default=1.0,
    show_default=True,
    help="Seconds between two looks.",
)
@click.option(
    "--limit", type=click.IntRange(1, 100), default=20, show_default=True, help="At most so many jobs."
)
@server_option
def top(interval: float, limit: int, server: Server) -> None:
    """Follow a server's load and jobs, live, until Ctrl-C.

    Above stands what runs, then what was submitted last. A caller sees its own jobs alone, an admin all of
    them, and how many of each caller run and wait. Where the output is no terminal, it is shown once.
    """
    with connect(server) as connection:
        if not sys.stdout.isatty():
            say(*_lines(connection, limit))
            return
        _follow(connection, interval, limit)


def _follow(connection: Connection, interval: float, limit: int) -> None:
    from basicaer.client import BasicAerError
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    def seen() -> Text:
        try:
            text = "\n".join(_lines(connection, limit))
        except BasicAerError as error:
            # It may be back at the next look.
            text = f"{connection.address}: {error}"
        return Text(printable(text, "\n"), no_wrap=True, overflow="ellipsis")

    with Live(seen(), console=Console(highlight=False), auto_refresh=False, screen=True) as live:
        try:
            while True:
                time.sleep(interval)
                live.update(seen(), refresh=True)
        except KeyboardInterrupt:
            # That is how one leaves.
            return


def _lines(connection: Connection, limit: int) -> list[str]:
    from basicaer.v1 import job_pb2, job_service_pb2

    info = connection.call("GetServerInfo", job_service_pb2.GetServerInfoRequest())
    running = connection.call(
        "ListJobs",
        job_service_pb2.ListJobsRequest(
            statuses=[job_pb2.JOB_STATUS_RUNNING, job_pb2.JOB_STATUS_VALIDATING], page_size=limit
        ),
    ).jobs
    newest = connection.call("ListJobs", job_service_pb2.ListJobsRequest(page_size=limit)).jobs
    shown: dict[str, job_pb2.Job] = {job.job_id: job for job in [*running, *newest]}
    jobs = list(shown.values())[:limit]
    return [*_load(connection.address, info), "", *(table_of(jobs) if jobs else ["no jobs"])]


def _load(address: str, info: job_service_pb2.GetServerInfoResponse) -> list[str]:
    from datetime import UTC, datetime

    from basicaer.client.calls import time_from_message

    up = _text.duration(
        max(1, round((datetime.now(UTC) - time_from_message(info.start_time)).total_seconds()))
    )
    blocks = _text.supports_blocks(sys.stdout)
    busy = _text.bar(info.running_jobs / max(info.workers, 1), _BAR_WIDTH, blocks=blocks)
    filled = _text.bar(info.queued_jobs / max(info.limits.max_queued_jobs, 1), _BAR_WIDTH, blocks=blocks)
    return [
        f"{address}, version {info.version}, up for {up}",
        f"running  {busy:<{_BAR_WIDTH}} {info.running_jobs:,}, {info.workers:,} workers",
        f"waiting  {filled:<{_BAR_WIDTH}} {info.queued_jobs:,} of {info.limits.max_queued_jobs:,}",
        *_callers(info),
    ]


def _callers(info: job_service_pb2.GetServerInfoResponse) -> list[str]:
    """Return a line of those who have the most jobs; none where callers have no names."""
    told = [
        f"{printable(load.principal)} {load.running_jobs:,} running, {load.queued_jobs:,} waiting"
        for load in info.callers[:_MOST_CALLERS]
    ]
    more = [f"{len(info.callers) - _MOST_CALLERS:,} more"] if len(info.callers) > _MOST_CALLERS else []
    return [f"callers  {'; '.join([*told, *more])}"] if told else []
