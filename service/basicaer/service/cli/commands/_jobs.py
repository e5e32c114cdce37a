"""Commands about jobs that a server already has: find, follow, read, stop, remove."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
from basicaer.service.cli import _text
from basicaer.service.cli._connection import Server, connect, server_option
from basicaer.service.cli._errors import fail
from basicaer.service.cli._follow import check, follow, show_result
from basicaer.service.cli._live import open_view
from basicaer.service.cli._output import json_option, plain, print_json, top_option
from basicaer.service.cli._programs import pairs
from basicaer.service.cli._say import say
from basicaer.service.cli.results import picture_option

if TYPE_CHECKING:
    from basicaer.v1 import job_pb2

__all__ = ["cancel", "delete", "jobs", "result", "table_of", "watch"]

_HEADINGS = ("JOB", "STATUS", "BACKEND", "AGE", "SHOTS", "NOTE")
_STATUSES = ("QUEUED", "VALIDATING", "RUNNING", "DONE", "ERROR", "CANCELLED")
_PAGE = 100


@click.command()
@click.option(
    "--status",
    "statuses",
    multiple=True,
    type=click.Choice(_STATUSES, case_sensitive=False),
    help="Only jobs with this status. May be repeated.",
)
@click.option(
    "--label",
    "labels",
    multiple=True,
    callback=pairs,
    metavar="NAME=VALUE",
    help="Only jobs with this label. May be repeated.",
)
@click.option("--backend", metavar="NAME", help="Only jobs of this backend.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=20, show_default=True, help="At most so many jobs."
)
@server_option
@json_option
def jobs(
    statuses: tuple[str, ...],
    labels: dict[str, str],
    backend: str | None,
    limit: int,
    server: Server,
    as_json: bool,
) -> None:
    """List a server's jobs, the newest first."""
    from basicaer.v1 import job_pb2, job_service_pb2

    request = job_service_pb2.ListJobsRequest(
        statuses=[job_pb2.JobStatus.Value(f"JOB_STATUS_{status.upper()}") for status in statuses],
        labels=labels,
        backend_name=backend or "",
    )
    found: list[job_pb2.Job] = []
    with connect(server) as connection:
        while len(found) < limit:
            request.page_size = min(limit - len(found), _PAGE)
            page = connection.call("ListJobs", request)
            found += page.jobs
            request.page_token = page.next_page_token
            if not page.next_page_token:
                break
    if as_json:
        print_json([plain(job) for job in found])
    elif not found:
        say("no jobs")
    else:
        say(*table_of(found))


def table_of(jobs: Sequence[job_pb2.Job]) -> list[str]:
    """Return a list of jobs with its headings; with whose they are, where callers have names."""
    if not any(job.principal for job in jobs):
        return _text.table(_HEADINGS, map(_row_of, jobs))
    rows = ((*_row_of(job)[:-1], job.principal, _row_of(job)[-1]) for job in jobs)
    return _text.table((*_HEADINGS[:-1], "WHO", _HEADINGS[-1]), rows)


def _row_of(job: job_pb2.Job) -> tuple[str, ...]:
    from basicaer.client.calls import time_from_message
    from basicaer.v1 import job_pb2

    age = (datetime.now(UTC) - time_from_message(job.create_time)).total_seconds()
    status = job_pb2.JobStatus.Name(job.status).removeprefix("JOB_STATUS_")
    notes = [f"{name}={value}" for name, value in sorted(job.labels.items())]
    if job.HasField("progress"):
        notes.insert(0, f"{100 * job.progress.fraction:.0f} %")
    if job.HasField("queue_position"):
        notes.insert(0, f"{job.queue_position:,} ahead")
    if job.HasField("error"):
        notes.append(" ".join(job.error.message.split())[:60])
    age_text = _text.duration(max(round(age), 1))
    return job.job_id, status, job.backend_name, age_text, f"{job.shots:,}", " ".join(notes)


@click.command()
@click.argument("job_id")
@click.option(
    "--after",
    "after_sequence",
    type=click.IntRange(min=0),
    help="Begin after the event with this sequence.  [default: the job's first event]",
)
@server_option
@json_option
def watch(job_id: str, after_sequence: int | None, server: Server, as_json: bool) -> None:
    """Follow a job's events until it ends; with --json, one event a line.

    Ctrl-C ends the watching and leaves the job alone. The exit status is 1 if the job failed or was
    cancelled.
    """
    with connect(server) as connection:
        job = connection.job(job_id)
        if as_json:
            final = follow(job, None, after_sequence)
        else:
            with open_view(sys.stdout) as view:
                final = follow(job, view, after_sequence)
        check(job, final)


@click.command()
@click.argument("job_id")
@click.option("--wait", is_flag=True, help="Wait for a job that has not ended yet.")
@top_option
@click.option("--save", metavar="FILE.npz", help="Write counts and arrays to a file for numpy.")
@picture_option
@server_option
@json_option
def result(
    job_id: str, wait: bool, top: int, save: str | None, plot: str | None, server: Server, as_json: bool
) -> None:
    """Show what a job gave."""
    with connect(server) as connection:
        job = connection.job(job_id)
        if not wait and not job.in_final_state():
            fail(f"job {job_id} is {job.status().name} and has no result yet; --wait waits for it")
        show_result(job, as_json=as_json, top=top, save=save, plot=plot)


@click.command()
@click.argument("job_ids", metavar="JOB_ID...", nargs=-1, required=True)
@click.option("--reason", default="", help="Why, for whoever looks at the job later.")
@server_option
@json_option
def cancel(job_ids: tuple[str, ...], reason: str, server: Server, as_json: bool) -> None:
    """Stop jobs. A job that has ended already stays as it is."""
    from basicaer.v1 import job_service_pb2

    with connect(server) as connection:
        for job_id in job_ids:
            request = job_service_pb2.CancelJobRequest(job_id=job_id, reason=reason)
            job = plain(connection.call("CancelJob", request).job)
            if as_json:
                print_json(job)
                continue
            stopping = job.get("cancel_requested") and job["status"] not in ("DONE", "ERROR", "CANCELLED")
            say(f"{job_id} {'stops soon' if stopping else 'is ' + job['status']}")


@click.command()
@click.argument("job_ids", metavar="JOB_ID...", nargs=-1, required=True)
@server_option
@json_option
def delete(job_ids: tuple[str, ...], server: Server, as_json: bool) -> None:
    """Remove jobs that have ended, with their events and results."""
    from basicaer.v1 import job_service_pb2

    with connect(server) as connection:
        for job_id in job_ids:
            connection.call("DeleteJob", job_service_pb2.DeleteJobRequest(job_id=job_id))
            print_json({"job_id": job_id, "deleted": True}) if as_json else say(f"{job_id} is removed")
