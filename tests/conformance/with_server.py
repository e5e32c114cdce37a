"""Runs a command against a server that is started for it.

    python -m tests.conformance.with_server COMMAND …

The command finds the server at BASICAER_SERVER, and at BASICAER_FLAKY_SERVER behind a proxy that loses the
answer to every second submission and cuts every second watch, and read of a state vector. It must have got
past each of these at least once.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.conformance.faults import Fault
from tests.conformance.proxy import Proxy
from tests.conftest import ServerProcess

FAULTS = [
    Fault("SubmitJob", after=0, action="drop"),
    Fault("WatchJob", after=2, action="drop"),
    Fault("ReadResult", after=2, action="drop", where={"part": "0/statevector"}),
]


def main(command: list[str]) -> int:
    """Returns the command's exit status, or 1 if it never resumed what was cut."""
    with tempfile.TemporaryDirectory() as folder:
        server = ServerProcess(Path(folder, "data"), Path(folder, "log"))
        try:
            with Proxy(server.address, FAULTS) as proxy:
                addresses = {"BASICAER_SERVER": server.address, "BASICAER_FLAKY_SERVER": proxy.address}
                status = subprocess.run(command, env=os.environ | addresses, check=False).returncode
        finally:
            server.stop()
    missing = _not_seen(proxy)
    if status == 0 and missing:
        print(f"{command[0]} passed without having {', '.join(missing)}", file=sys.stderr)
        return 1
    return status


def _not_seen(proxy: Proxy) -> list[str]:
    ids = proxy.journal.fields("SubmitJob", "requestId")
    seen = {
        "repeated a submission": len(set(ids)) < len(ids),
        "resumed a watch": any(
            value not in (None, "0") for value in proxy.journal.fields("WatchJob", "afterSequence")
        ),
        "resumed a read": any(
            value is not None for value in proxy.journal.fields("ReadResult", "readOffset")
        ),
    }
    return [what for what, done in seen.items() if not done]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
