"""A real PostgreSQL for tests, on a Unix socket in a folder of its own.

It is Debian's (`make debian-packages` names it), and belongs to another user when tests run as root, whom it
refuses. All that it has acknowledged is on the disk.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

LEAST_VERSION = 15
_CONNECTION = (
    "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'basicaer %' ORDER BY random() LIMIT 1"
)
_CHECKPOINTER = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'"
_STATE = """
SELECT pid, EXISTS (SELECT FROM pg_stat_activity WHERE pid = {})
FROM pg_stat_activity WHERE backend_type = 'checkpointer'
"""
START_LIMIT = 60.0


def _binaries() -> Path:
    """Where the newest one's programs are."""
    found = [
        path for path in Path("/usr/lib/postgresql").glob("*/bin") if int(path.parent.name) >= LEAST_VERSION
    ]
    if found:
        return max(found, key=lambda path: int(path.parent.name))
    if (initdb := shutil.which("initdb")) is not None:
        return Path(initdb).resolve().parent
    raise RuntimeError(
        f"tests of the store over PostgreSQL need its server, {LEAST_VERSION} or newer:"
        " apt-get install postgresql"
    )


def owner() -> pwd.struct_passwd | None:
    """Who it runs as, when that isn't who runs the tests."""
    if os.geteuid() != 0:
        return None
    with contextlib.suppress(KeyError):
        return pwd.getpwnam("postgres")
    return pwd.getpwnam("nobody")


def become(user: pwd.struct_passwd) -> list[str]:
    """What makes a command that user's, in front of it."""
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]


class PostgreSQL:
    """A database server, which may be stopped, killed and started again. With `primary`, a standby of that
    one, which follows it until it is promoted.
    """

    def __init__(self, primary: PostgreSQL | None = None) -> None:
        self._bin = _binaries()
        # Not pytest's folder, which is the tests' user's alone.
        self.folder = Path(tempfile.mkdtemp(prefix="basicaer-postgresql-"))
        self.log = self.folder / "log"
        self._data = self.folder / "data"
        self._prefix: list[str] = []
        if (user := owner()) is not None:
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self._prefix = [*become(user), "--pdeathsig=INT"]
        self._process: subprocess.Popen[bytes] | None = None
        if primary is None:
            command = [str(self._bin / "initdb"), "-D", str(self._data), "-U", "basicaer", "-A", "trust"]
            command += [
                "--encoding=UTF8",
                "--no-locale",
                "--data-checksums",
                "--no-sync",
                "--no-instructions",
            ]
        else:
            command = [str(self._bin / "pg_basebackup"), "-D", str(self._data), "-U", "basicaer"]
            command += ["-h", str(primary.folder), "--checkpoint=fast", "--write-recovery-conf", "--no-sync"]
        made = subprocess.run([*self._prefix, *command], cwd="/", capture_output=True, text=True, check=False)
        if made.returncode:
            raise RuntimeError(f"{command[0]} failed: {made.stderr}")
        self.start()

    @property
    def base_url(self) -> str:
        """Of its one database."""
        return f"postgresql://basicaer@/postgres?host={self.folder}"

    def url(self, directory: Path) -> str:
        """A store's URL that is another one for each directory."""
        return f"{self.base_url}&search_path=t{hashlib.sha256(str(directory).encode()).hexdigest()[:20]}"

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        settings = ["listen_addresses=", f"unix_socket_directories={self.folder}", "max_connections=100"]
        command = [str(self._bin / "postgres"), "-D", str(self._data)]
        command += [word for setting in settings for word in ("-c", setting)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen([*self._prefix, *command], cwd="/", stderr=log, stdout=log)
        ready = [str(self._bin / "pg_isready"), "-q", "-h", str(self.folder), "-d", "postgres"]
        until = time.monotonic() + START_LIMIT
        while subprocess.run(ready, check=False).returncode != 0:
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"PostgreSQL did not start: {self.log.read_text()[-2000:]}")
            time.sleep(0.02)

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """End it: by SIGINT in order, by SIGQUIT as a crash does."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(START_LIMIT)
            self._process = None

    def kill(self) -> None:
        """Kill all of its processes."""
        if self._process is not None:
            # It begins no others meanwhile.
            self._process.send_signal(signal.SIGSTOP)
            for child in psutil.Process(self._process.pid).children():
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()
            self._process.kill()
            self._process.wait(START_LIMIT)
            self._process = None

    def kill_connection(self) -> bool:
        """Kill the process of a connection with one of our servers, at which it ends all the others, and
        recovers; wait for that. Whether there was one.
        """
        found, before = self._ask(_CONNECTION), self._ask(_CHECKPOINTER)
        if not found:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(found), signal.SIGKILL)
        # One that is told to stop in the middle of this never does (15.18).
        until = time.monotonic() + START_LIMIT
        while time.monotonic() < until:
            checkpointer, _, is_there = self._ask(_STATE.format(found)).partition("|")
            if checkpointer not in (before, ""):
                return True
            # What was killed stays in the list; what has ended by itself before doesn't.
            if is_there == "f":
                return False
            time.sleep(0.02)
        raise RuntimeError(f"PostgreSQL did not recover: {self.log.read_text()[-2000:]}")

    def _ask(self, statement: str) -> str:
        """What `run` gives; nothing while it isn't there."""
        with contextlib.suppress(subprocess.CalledProcessError):
            return self.run(statement)
        return ""

    def run(self, statement: str) -> str:
        """What psql answers, rows as lines with "|" between the columns."""
        psql = [str(self._bin / "psql"), "-XAtq", "-h", str(self.folder), "-U", "basicaer", "-d", "postgres"]
        psql += ["-v", "ON_ERROR_STOP=1", "-c", statement]
        return subprocess.run(psql, capture_output=True, text=True, check=True).stdout.strip()

    def remove(self) -> None:
        """Stop it, and remove all that it has."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder)


@contextlib.contextmanager
def running(primary: PostgreSQL | None = None) -> Iterator[PostgreSQL]:
    """A new one, for as long as the block runs."""
    database = PostgreSQL(primary)
    try:
        yield database
    finally:
        database.remove()
