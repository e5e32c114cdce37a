"""The Ray cluster that a worker is to drive: whether this machine may join it, and its nodes can run jobs."""

from __future__ import annotations

import importlib.metadata
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from basicaer.service import version
from basicaer.service.config import Config
from basicaer.service.doctor._finding import Finding
from basicaer.service.errors import SettingError, size_text

if TYPE_CHECKING:
    from basicaer.service.execution.ray.examination import Examination, NodeReport

__all__ = ["nodes", "ray"]

LEAST_RAY = (2, 60)
"""From which version on Ray asks for tokens as it is needed here."""
_INSTALL = "pip install --upgrade 'basicaer[ray]'"
_SET = (
    "Set RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN_PATH to a file with the cluster's token, here and for each"
    " 'ray start'."
)


def ray(config: Config) -> Iterator[Finding]:
    """Whether Ray is here, has a token, and lets this machine in; and then its nodes."""
    yield (here := _version())
    if here.remedy:
        return
    token = _token()
    yield token
    if token.remedy:
        return
    try:
        # Only now: it needs Ray.
        from basicaer.service.execution.ray.examination import examine_cluster

        found = examine_cluster(config.executor)
    except SettingError as error:
        yield Finding.failed("Ray", str(error), "Set --executor ray://HOST:PORT.")
        return
    yield from nodes(config.executor, found)


def nodes(executor: str, found: Examination) -> Iterator[Finding]:
    """Yield what there is to say of a cluster that was looked at."""
    check, address = "Ray", executor.partition("//")[2]
    port = address.rpartition(":")[2]
    outside = {
        "NOBODY": (
            "nobody answers",
            f"Start it with 'ray start --head --port {port}', and let this machine through to that port.",
        ),
        "REFUSED": (
            "the head refuses",
            "Put the cluster's own token into the file of RAY_AUTH_TOKEN_PATH, and use one version of Ray.",
        ),
        "NO_NODE": (
            "can't be joined",
            f"Make this machine a node of it, with the same token: ray start --address {address}",
        ),
    }
    if found.reached.name in outside:
        what, remedy = outside[found.reached.name]
        yield Finding.failed(check, f"{executor}: {what} ({found.fault})", remedy)
        return
    memory = [report.memory_bytes for report in found.nodes]
    if not memory:
        remedy = "ray start --memory BYTES --num-cpus N"
        yield Finding.failed(check, f"{executor}: no node has memory and a CPU for jobs", remedy)
        return
    largest = max(memory)
    seen = f"{executor}: {len(memory)} nodes with {size_text(sum(memory))}, at most {size_text(largest)}"
    if largest < found.least_bytes:
        seen += f"; a process needs {size_text(found.least_bytes)}"
        yield Finding.failed(check, seen, "ray start --memory BYTES")
    else:
        yield Finding.ok(check, seen)
    faults = [finding for report in found.nodes if (finding := _node(report)) is not None]
    yield from faults or [Finding.ok("Ray nodes", f"all have basicaer {version()}, and ask for a token")]


def _node(report: NodeReport) -> Finding | None:
    check, where = "Ray nodes", f"{report.address}"
    if report.node is None:
        return Finding.failed(
            check,
            f"{where} starts no process, or can't load basicaer: {report.fault}",
            f"Install basicaer {version()} with its extra 'ray' there, for the Python that runs 'ray start'.",
        )
    if report.node.version != version():
        return Finding.failed(
            check,
            f"{where} has basicaer {report.node.version}, and this is {version()}",
            f"pip install 'basicaer[ray]=={version()}' there, or here that node's version.",
        )
    if not report.node.asks_for_token:
        return Finding.failed(
            check, f"{where} was started without a token: whoever reaches it may run anything there", _SET
        )
    return None


def _version() -> Finding:
    check = "Ray version"
    try:
        found = importlib.metadata.version("ray")
    except importlib.metadata.PackageNotFoundError:
        return Finding.failed(check, "Ray is missing", _INSTALL)
    numbers = tuple(int(part) for part in found.split(".")[:2] if part.isdecimal())
    if numbers < LEAST_RAY:
        least = ".".join(map(str, LEAST_RAY))
        return Finding.failed(check, f"{found}; {least} or newer is needed", _INSTALL)
    return Finding.ok(check, found)


def _token() -> Finding:
    check = "Ray token"
    mode = os.environ.get("RAY_AUTH_MODE", "")
    if mode.lower() != "token":
        return Finding.failed(check, f"RAY_AUTH_MODE is {mode!r}: Ray runs whatever it is sent", _SET)
    if os.environ.get("RAY_AUTH_TOKEN"):
        return Finding.ok(check, "in RAY_AUTH_TOKEN")
    # Where Ray itself looks next.
    path = Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or Path.home() / ".ray" / "auth_token")
    try:
        text = path.read_text(encoding="utf-8")
        mode_of_file = path.stat().st_mode
    except (OSError, UnicodeDecodeError) as error:
        return Finding.failed(check, f"{path} can't be read: {error}", _SET)
    if not text.strip():
        return Finding.failed(check, f"{path} is empty", "Put the cluster's token into it.")
    if stat.S_IMODE(mode_of_file) & 0o007:
        return Finding.failed(check, f"everybody on this machine can read {path}", f"chmod 600 {path}")
    return Finding.ok(check, f"in {path}")
