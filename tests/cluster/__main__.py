"""`make cluster`: PostgreSQL, three servers, two workers, and one on two nodes of Ray, on this machine; a
circuit goes through them.

Everything lies in a folder of its own that is removed at the end. PostgreSQL is the system's, and runs as
another user when this one is root, whom it refuses.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import signal
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from tests.cluster.processes import Part, launch, parts
from tests.cluster.ray import RayCluster
from tests.postgresql import running

_CLI = [sys.executable, "-m", "basicaer.service.cli"]
_FINISHED = re.compile(r"job finished.*?job_id=(\w+)")


def _say(text: str) -> None:
    print(text, flush=True)


def _ran_at(processes: list[Part]) -> dict[str, str]:
    """Return which process has run each job, by what they log."""
    return {job_id: part.name for part in processes for job_id in _FINISHED.findall(part.log.read_text())}


def _call(*command: str) -> str:
    done = subprocess.run([*_CLI, *command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout


def main() -> int:
    """Start it, use it, stop it; 0 when all of that went well."""
    arguments = argparse.ArgumentParser(prog="make cluster", description=__doc__)
    arguments.add_argument("--servers", type=int, default=3)
    arguments.add_argument("--workers", type=int, default=2)
    arguments.add_argument("--ray-nodes", type=int, default=2, help="0 for no Ray")
    arguments.add_argument("--jobs", type=int, default=6, help="each a circuit of its own")
    arguments.add_argument("--shots", type=int, default=200_000)
    arguments.add_argument("circuit", type=Path)
    chosen = arguments.parse_args()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="basicaer-cluster-")))
        database = stack.enter_context(running())
        _say(f"PostgreSQL in {database.folder}")
        servers, workers = parts(folder, lambda _: database.base_url, chosen.servers, chosen.workers)
        if chosen.ray_nodes:
            nodes = stack.enter_context(RayCluster(chosen.ray_nodes))
            _say(f"Ray at {nodes.url}, {chosen.ray_nodes} nodes")
            command = ("work", "--database", database.base_url, "--executor", nodes.url, "--workers", "2")
            its = partial(launch, environment=nodes.environment)
            workers.append(Part(folder, "worker-ray", *command, launch=its))
        everything = [*servers, *workers]
        try:
            for part in everything:
                part.begin()
            for part in everything:
                part.ready()
                where = f"calls at {part.address}" if part.address else "no calls"
                _say(f"{part.name}: {where}")
            _say(f"\n$ basicaer run {chosen.circuit} --server {servers[0].address}")
            _say(_call("run", str(chosen.circuit), "--server", servers[0].address))
            for number in range(chosen.jobs):
                at = servers[number % len(servers)].address
                _call("run", str(chosen.circuit), "--shots", str(chosen.shots), "--server", at)
            _say(f"$ basicaer info --server {servers[-1].address}")
            _say(_call("info", "--server", servers[-1].address))
            _say("where the jobs ran, all of which each server tells of:")
            ran = _ran_at(everything)
            for job_id, name in sorted(ran.items()):
                _say(f"  {job_id}  {name}")
        finally:
            for part in everything:
                part.signal(signal.SIGTERM)
            statuses = {part.name: part.wait() for part in everything if part.process is not None}
    _say(f"\nstopped: {', '.join(f'{name} {status}' for name, status in statuses.items())}")
    return 0 if ran and not any(statuses.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
