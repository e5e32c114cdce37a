"""`python -m tests.chaos`: breaks a server for as long as asked; exits with 1 if a promise broke."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.chaos.driver import Options, run
from tests.chaos.faults import PLANTS


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument(
        "--seconds", type=float, default=60.0, help="how long servers are broken (default 60)"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the faults and the clients (default 1)")
    parser.add_argument("--clients", type=int, default=64, help="callers at once (default 64)")
    parser.add_argument("--plant", choices=sorted(PLANTS), help="a defect to be found")
    parser.add_argument("--keep", type=Path, help="keep the server's log in this folder, which must be new")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        directory = arguments.keep or Path(scratch) / "chaos"
        options = Options(directory, arguments.seconds, arguments.seed, arguments.clients, arguments.plant)
        report = asyncio.run(run(options))
    print("\n".join(report.lines()))
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
