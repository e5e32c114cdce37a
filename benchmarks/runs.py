"""Very many `basicaer run --server`: `python -m benchmarks.runs [--seconds 240] [--parallel 8] [--kill 5]`.

Looks for a run that doesn't end. Each is a process of its own, whose threads are dumped when it takes
longer than it may (those of gRPC's core too, where there is gdb), and which is then killed and counted. With
--kill, the server is killed every so many seconds and started anew on its port and directory meanwhile; runs
then may fail, but not hang.
"""

from __future__ import annotations

import argparse
import collections
import itertools
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

# So long a run may take before it is late, and how long its dump is waited for (seconds).
_LATE, _LATE_WITH_KILLS, _DUMP = 10.0, 40.0, 5.0
# And that of gdb.
_NATIVE_DUMP = 60.0
_PROGRAM = 'OPENQASM 2.0; include "qelib1.inc"; qreg q[2]; creg c[2]; h q[0]; cx q[0],q[1]; measure q -> c;\n'
# The command, which tells where its threads are when it is late.
_RUN = (
    "import faulthandler, sys; faulthandler.dump_traceback_later(float(sys.argv.pop(1)), exit=False); "
    "from basicaer.service.cli import main; main()"
)


class _Server:
    """A server on one port, which may be killed and comes back."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        self._folder = folder
        self.start()

    def start(self) -> None:
        """Start it, and return when it listens."""
        command = [sys.executable, "-m", "basicaer.service.cli", "serve", "--listen", self.address]
        command += ["--data-dir", str(self._folder / "data")]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)
        assert self._process.stdout is not None
        self._process.stdout.readline()

    def stop(self, number: signal.Signals) -> None:
        """Send it a signal and wait for its end."""
        self._process.send_signal(number)
        self._process.communicate()


class _Runs:
    """What came out of the runs, for all threads."""

    def __init__(self, address: str, folder: Path, late: float) -> None:
        self._address, self._folder, self._late = address, folder, late
        self.statuses: collections.Counter[int] = collections.Counter()
        self.dumps: list[str] = []
        self.longest = 0.0

    def go(self, until: float) -> None:
        """Run one command after the other."""
        program = self._folder / "bell.qasm"
        forms = itertools.cycle(([], ["--json"], ["--shots", "5", "--memory", "--json"]))
        while time.monotonic() < until:
            arguments = ["run", str(program), "--server", self._address, *next(forms)]
            began = time.monotonic()
            process = subprocess.Popen(
                [sys.executable, "-c", _RUN, str(self._late), *arguments],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
            try:
                process.communicate(timeout=self._late + _DUMP)
                self.statuses[process.returncode] += 1
            except subprocess.TimeoutExpired:
                native = _native_threads(process.pid)
                process.kill()
                self.dumps.append(f"{' '.join(arguments)}\n{process.communicate()[1]}\n{native}")
            self.longest = max(self.longest, time.monotonic() - began)


def _native_threads(process: int) -> str:
    """Where a process' threads are in compiled code, if there is gdb to tell."""
    if not shutil.which("gdb"):
        return ""
    command = ["gdb", "-p", str(process), "-batch", "-ex", "thread apply all bt"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_NATIVE_DUMP, check=False)
    except subprocess.TimeoutExpired:
        return "gdb didn't end"
    return done.stdout


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.runs", description=__doc__)
    parser.add_argument("--seconds", type=float, default=240.0)
    parser.add_argument("--parallel", type=int, default=8)
    parser.add_argument(
        "--late", type=float, metavar="SECONDS", help="when a run is late, as on a busy machine"
    )
    parser.add_argument("--kill", type=float, default=0.0, metavar="SECONDS", help="kill the server so often")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="basicaer-runs-") as scratch:
        folder = Path(scratch)
        (folder / "bell.qasm").write_text(_PROGRAM)
        server = _Server(folder)
        late = arguments.late or (_LATE_WITH_KILLS if arguments.kill else _LATE)
        runs = _Runs(server.address, folder, late)
        until = time.monotonic() + arguments.seconds
        threads = [threading.Thread(target=runs.go, args=(until,)) for _ in range(arguments.parallel)]
        for thread in threads:
            thread.start()
        while arguments.kill and time.monotonic() + arguments.kill < until:
            time.sleep(arguments.kill)
            server.stop(signal.SIGKILL)
            server.start()
        for thread in threads:
            thread.join()
        server.stop(signal.SIGTERM)
    told = ", ".join(f"{count:,} with status {status}" for status, count in sorted(runs.statuses.items()))
    print(f"{sum(runs.statuses.values()):,} runs: {told}; the longest took {runs.longest:.1f} s")
    print(f"{len(runs.dumps)} hung")
    for dump in runs.dumps:
        print(dump)
    return 1 if runs.dumps else 0


if __name__ == "__main__":
    sys.exit(main())
