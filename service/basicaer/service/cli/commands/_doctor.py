"""`basicaer doctor`: what is wrong with a deployment, and how to mend it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from basicaer.service import version as own_version
from basicaer.service.cli._bar import Bar
from basicaer.service.cli._connection import Connection, Server, connect, named_server_option
from basicaer.service.cli._errors import fail
from basicaer.service.cli._output import json_option, print_json
from basicaer.service.cli._say import say
from basicaer.service.cli._settings import UNITS, load_settings, settings_options

if TYPE_CHECKING:
    from basicaer.service.doctor import Finding

__all__ = ["doctor"]

_SHOTS = 1000
_MARKS = {"ok": "ok     ", "warning": "warning", "failed": "FAILED "}


@click.command(epilog=UNITS)
@named_server_option("Ask this server too, with a circuit from end to end.")
@settings_options()
@json_option
def doctor(server: Server | None, config_file: Path | None, as_json: bool, **flags: Any) -> None:
    """Check a deployment, and say what is wrong and how to mend it.

    Checked is this machine, with the settings that 'serve' would have with the same options: the data
    directory and its disk, each job and result in it, memory, huge pages, clock, TLS files, who may call,
    compiled kernels; with --database, also that database, its clock, each job in it, and the servers and
    workers that share it; with --executor, also Ray here, its token, and each node of the cluster. Run it as
    the user whom the server runs as. With --server, also whether that one answers, is healthy, of this
    version, and runs a circuit. The exit status is 1 when something failed; a warning doesn't count.

    \b
        basicaer doctor --config basicaer.toml
        basicaer doctor --server 127.0.0.1:50051 --json
        basicaer doctor --database postgresql://basicaer@db/jobs --executor ray://head:6379
    """
    findings = []
    for finding in _examine(server, config_file, flags):
        findings.append(finding)
        if not as_json:
            say(f"{_MARKS[finding.verdict]}  {finding.check}: {finding.seen}")
            if finding.remedy:
                say(f"         {finding.remedy}")
    failed = [finding.check for finding in findings if finding.verdict == "failed"]
    if as_json:
        checks = [
            {"check": one.check, "verdict": one.verdict, "seen": one.seen, "remedy": one.remedy}
            for one in findings
        ]
        print_json({"healthy": not failed, "checks": checks})
    if failed:
        fail(f"something is wrong with: {', '.join(dict.fromkeys(failed))}")


def _examine(server: Server | None, config_file: Path | None, flags: dict[str, Any]) -> Iterator[Finding]:
    # Only now: the checks need most of the service.
    from basicaer.client import BasicAerError
    from basicaer.service.doctor import Finding, examine

    try:
        config = load_settings(config_file, flags).config
    except click.UsageError as error:
        yield Finding.failed("settings", error.message, "'basicaer config' shows what holds, and why.")
    else:
        yield Finding.ok("settings", "they fit together")
        bar = Bar("store  ")

        def progress(done: int, total: int) -> None:
            if done < total:
                bar.show(done / total, f"{done:,} of {total:,} jobs")
            else:
                bar.clear()

        yield from examine(config, progress)
    if server is None:
        return
    check = "server"
    try:
        with connect(server) as connection:
            yield Finding.ok(check, f"{server.address} answers")
            check = "circuit"
            yield _version(connection)
            yield from _health(connection)
            yield from _members(connection)
            yield from _circuit(connection)
    except BasicAerError as error:
        yield Finding.failed(
            check, str(error), "Its log tells more; 'basicaer doctor' there checks its machine."
        )


def _version(connection: Connection) -> Finding:
    from basicaer.service.doctor import Finding

    theirs, ours = connection.info.version, own_version()
    if theirs == ours:
        return Finding.ok("version", ours)
    remedy = "They understand each other within one contract; use one version on both sides all the same."
    return Finding.warning("version", f"the server has {theirs}, and this is {ours}", remedy)


def _health(connection: Connection) -> Iterator[Finding]:
    from basicaer.service.doctor import Finding

    for service in ("", "basicaer.v1.JobService"):
        status = connection.health(service)
        name = service or "the whole server"
        if status == "SERVING":
            yield Finding.ok("health", f"{name} is SERVING")
        else:
            yield Finding.failed(
                "health",
                f"{name} is {status}",
                "It is starting, draining, or can't write its disk; its log says which.",
            )


def _members(connection: Connection) -> Iterator[Finding]:
    from basicaer.service.doctor import Part, cluster

    members = connection.info.members
    if members:
        yield from cluster(
            [Part(one.name, one.address, one.version, one.workers, one.max_memory_bytes) for one in members]
        )


def _circuit(connection: Connection) -> Iterator[Finding]:
    """Run a Bell pair, look at its counts, and remove it again."""
    from basicaer.client import Circuit
    from basicaer.service.doctor import SKEW, Finding
    from basicaer.v1 import job_service_pb2

    bell = Circuit(2, 2).h(0).cx(0, 1).measure([0, 1], [0, 1])
    backend = connection.provider.get_backend("qasm_simulator")
    called, began = time.time(), time.monotonic()
    job = backend.run(bell, shots=_SHOTS)
    accepted = time.time()
    counts = job.result().get_counts()
    seconds = time.monotonic() - began
    found = connection.call("GetJob", job_service_pb2.GetJobRequest(job_id=job.job_id())).job
    connection.call("DeleteJob", job_service_pb2.DeleteJobRequest(job_id=job.job_id()))
    if set(counts) == {"00", "11"} and sum(counts.values()) == _SHOTS:
        yield Finding.ok("circuit", f"a Bell pair gave {counts['00']} and {counts['11']} in {seconds:.3f} s")
    else:
        yield Finding.failed(
            "circuit",
            f"a Bell pair gave {counts}",
            "The processor or the compiled kernels are wrong: remove numba's cache and start again.",
        )
    made = found.create_time.ToNanoseconds() / 1e9
    skew = max(called - made, made - accepted, 0.0)
    if skew > SKEW:
        yield Finding.warning(
            "clocks", f"the server's differs from this one by {skew:.0f} s", "Run chrony on both machines."
        )
    else:
        yield Finding.ok("clocks", "this one and the server's agree")
