"""Commands about a server itself: its backends, its limits and load, and versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from basicaer.service import version as own_version
from basicaer.service.cli import _text
from basicaer.service.cli._connection import Server, connect, health_of, server_option
from basicaer.service.cli._errors import fail
from basicaer.service.cli._output import json_option, plain, print_json
from basicaer.service.cli._say import say

if TYPE_CHECKING:
    from basicaer.v1 import job_service_pb2

__all__ = ["backends", "health", "info", "version"]


_PREFIX = "SIMULATION_METHOD_"


@click.command()
@click.argument("name", required=False)
@server_option
@json_option
def backends(name: str | None, server: Server, as_json: bool) -> None:
    """List the backends; with NAME, one backend's options and gates."""
    from basicaer.v1 import job_pb2, job_service_pb2

    with connect(server) as connection:
        found = list(connection.call("ListBackends", job_service_pb2.ListBackendsRequest()).backends)
    if name is not None:
        names = ", ".join(backend.name for backend in found)
        found = [backend for backend in found if backend.name == name]
        if not found:
            fail(f"no backend is named {name}; the server has {names}")
    if as_json:
        print_json([plain(backend) for backend in found])
        return
    if name is None:
        rows = [(backend.name, str(backend.max_qubits), backend.description) for backend in found]
        say(*_text.table(("NAME", "MOST QUBITS", "COMPUTES"), rows), "")
        say("'basicaer backends NAME' shows one backend's options and gates.")
        return
    (backend,) = found
    say(f"{backend.name}: {backend.description}")
    say(f"at most {backend.max_qubits} qubits on this server", "")
    kinds = job_pb2.SimulationMethod.DESCRIPTOR.values_by_number
    methods = [
        kinds[number].name.removeprefix(_PREFIX).lower() for number in backend.methods if number in kinds
    ]
    if methods:
        say(f"methods: {', '.join(methods)}", "")
    options = [(option.name, option.default_value, option.description) for option in backend.options]
    say(*_text.table(("OPTION", "DEFAULT", "WHAT IT DOES"), options), "")
    gates = [
        (gate.name, str(gate.num_qubits or "any"), str(gate.num_parameters), gate.description)
        for gate in backend.gates
    ]
    say(*_text.table(("GATE", "QUBITS", "PARAMETERS", "WHAT IT DOES"), gates))


@click.command()
@server_option
@json_option
def health(server: Server, as_json: bool) -> None:
    """Ask whether a server takes jobs, by gRPC's health protocol; for probes.

    The exit status is 0 if it does, 1 while it starts or drains, 3 if nobody answers. It needs no token; at
    --health-listen it needs no TLS either.
    """
    status = health_of(server)
    if as_json:
        print_json({"status": status})
    else:
        say(status)
    if status != "SERVING":
        fail(f"{server.address} takes no jobs now: the server starts or drains")


@click.command()
@server_option
@json_option
def info(server: Server, as_json: bool) -> None:
    """Show a server's version, load and limits."""
    from basicaer.client.calls import time_from_message
    from basicaer.v1 import job_service_pb2

    with connect(server) as connection:
        found = connection.info
    if as_json:
        print_json({"queued_jobs": 0, "running_jobs": 0, **plain(found)})
        return
    limits = found.limits
    kept = _text.days(limits.result_retention.seconds) if limits.HasField("result_retention") else "for ever"
    tiers = {
        job_service_pb2.KERNEL_TIER_PLAIN: "plain: kernels are being compiled, small circuits run without",
        job_service_pb2.KERNEL_TIER_FULL: "full: all kernels are compiled",
    }
    load = f"{found.running_jobs:,} running, {found.queued_jobs:,} waiting"
    rows = [
        ("server", f"{server.address}, version {found.version}"),
        ("up since", f"{time_from_message(found.start_time):%Y-%m-%d %H:%M:%S} UTC"),
        ("jobs", f"{load} (at most {limits.max_queued_jobs:,})"),
        ("workers", f"{found.workers:,}"),
        ("tier", tiers.get(found.kernel_tier, "")),
        ("memory", _text.size(limits.max_memory_bytes)),
        ("programs in a job", f"{limits.max_programs:,}"),
        ("rows of inputs in a job", f"{limits.max_rows:,}"),
        ("shots", f"{limits.max_shots:,}"),
        ("program text", _text.size(limits.max_program_bytes)),
        ("instructions", f"{limits.max_instructions:,}"),
        ("request", _text.size(limits.max_message_bytes)),
        ("inline result", _text.size(limits.max_inline_result_bytes)),
        ("results are kept", kept),
    ]
    rows = [(name, value) for name, value in rows if value]
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        say(f"{name:<{width}}  {value}")
    for caller in found.callers:
        say(f"{caller.principal}  {caller.running_jobs:,} running  {caller.queued_jobs:,} waiting")
    for member in found.members:
        where = f"calls at {member.address}" if member.address else "no calls"
        runs = f"{member.running_jobs} of {member.workers} running" if member.workers else "quick jobs alone"
        used = f"{_text.size(member.running_bytes)} of {_text.size(member.max_memory_bytes)}"
        up = f"up {_text.days(member.uptime.seconds)}" if member.uptime.seconds >= 86_400 else ""
        say("  ".join(part for part in (member.name, where, runs, used, up) if part))
        for node in member.nodes:
            say(f"  {_node(node)}")


def _node(node: job_service_pb2.Node) -> str:
    """Return a line of a machine of a cluster that a worker drives."""
    where = f"Ray node {node.name} ({node.address})"
    if node.gone:
        return f"{where}  gone"
    kept = f"{node.running_jobs:,} running, {node.warm_processes:,} processes kept warm"
    used = f"{_text.size(node.reserved_bytes)} of {_text.size(node.memory_bytes)} set aside"
    return f"{where}  {node.cpus:,} CPUs  {kept}  {used}"


@click.command()
@json_option
def version(as_json: bool) -> None:
    """Show the version of this program."""
    if as_json:
        print_json({"version": own_version()})
    else:
        say(f"basicaer {own_version()}")
