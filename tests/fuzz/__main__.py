"""`python -m tests.fuzz TARGET`: gives it inputs for as long as asked; exits with 1 if one isn't handled."""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

from tests.fuzz.inputs.coverage import hunt
from tests.fuzz.targets import TARGETS, find


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target", choices=TARGETS, help="what is given the inputs")
    parser.add_argument("--seconds", type=int, default=60, help="for how long (default 60)")
    parser.add_argument("--seed", type=int, default=1, help="of the mutations (default 1)")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="give it this input alone, once")
    arguments = parser.parse_args()
    if arguments.replay is not None:
        target = find(arguments.target)
        with target.around():
            target.run(arguments.replay.read_bytes())
        print(f"{target.name} handles it")
        return 0
    found = hunt(arguments.target, arguments.seconds, arguments.seed)
    print(f"{arguments.target}: {found.runs:,} inputs")
    if found.finding is None:
        return 0
    path = Path(f"finding-{arguments.target}-{hashlib.sha256(found.finding).hexdigest()[:12]}")
    path.write_bytes(found.finding)
    print(f"{found.text}\n\nreplay it with: python -m tests.fuzz {arguments.target} --replay {path}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
