"""A data directory that can't be used as it is, at a start and later: who runs the server is told what is
wrong and how to go on, callers get typed errors, and all is well once it is mended.

Where nobody but root may make such a directory, a test is skipped. As root, a server runs without root's
right to go past permissions; a file system is mounted for the server alone, in a namespace of its own.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest
from basicaer.v1 import job_pb2, job_service_pb2, job_service_pb2_grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.conftest import ServerProcess, StartServer
from tests.integration.conftest import Wire

# As a user whom permissions bind.
BOUND = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search,-fowner")
ALONE = ("unshare", "-Urm")
# Mounts a file system at $1 with the options $2, then becomes the rest.
MOUNT = 'mount -t tmpfs -o "$2" none "$1" && shift 2 && exec "$@"'
NOBODY = 65534


def works(*command: str) -> bool:
    return bool(shutil.which(command[0])) and not subprocess.run(command, capture_output=True).returncode


def bound() -> None:
    if os.geteuid() or not works(*BOUND, "true"):
        pytest.skip("only root can give files to another user")


def mounts(tmp_path: Path) -> None:
    if not works(*ALONE, "sh", "-c", MOUNT, "sh", str(tmp_path), "size=1m", "true"):
        pytest.skip("this user can't mount file systems, not even for itself")


def start(directory: Path, *prefix: str) -> str:
    """What a server says that doesn't start."""
    command = [*prefix, sys.executable, "-m", "basicaer.service.cli", "serve", "--listen", "127.0.0.1:0"]
    done = subprocess.run(
        [*command, "--data-dir", str(directory)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    line = done.stderr.splitlines()[-1]
    assert line.startswith("error: ")
    return line


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a job, a result, and a log, as of a server that was killed."""
    folder = tmp_path_factory.mktemp("stopped")
    server = ServerProcess(folder / "data", folder / "log")
    with server.stub() as stub:
        Wire().run(stub, Wire.state(17))
    server.kill()
    return folder / "data"


@pytest.fixture
def directory(stopped: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(stopped, tmp_path / "data"))


# Opens the store in each directory that is named on the command line, and says what comes of it.
OPENS = """
import sys
from pathlib import Path
from basicaer.service.errors import DataDirectoryError
from basicaer.service.store import SQLiteStore
for name in sys.argv[1:]:
    try:
        SQLiteStore(Path(name)).open(lambda writes: None)
        print("opened")
    except DataDirectoryError as error:
        print(error)
"""


def test_what_belongs_to_another_user_is_told(stopped: Path, tmp_path: Path) -> None:
    bound()
    names = ("", "jobs.sqlite3", "jobs.sqlite3-wal", "jobs.sqlite3-shm", "lock", "store", "results")
    cases: dict[Path, tuple[Path, int]] = {}
    for name in names:
        for mode in (0o600, 0o444):
            directory = tmp_path / f"{name}-{mode:o}"
            shutil.copytree(stopped, directory)
            path = directory / name
            path.chmod(mode | (0o111 if mode & 0o044 else 0o100) if path.is_dir() else mode)
            os.chown(path, NOBODY, NOBODY)
            cases[directory] = (path, mode)
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    command = [*BOUND, sys.executable, "-c", OPENS, *map(str, cases)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    for line, (path, mode) in zip(told, cases.values(), strict=True):
        what = "read and written" if mode == 0o600 else "written"
        assert f"{path} can't be {what} by root, since it belongs to nobody. Start the server as" in line
    assert {file: file.read_bytes() for file in before} == before
    assert start(directory, *BOUND) == f"error: {told[-1]}"


def test_what_its_owner_has_closed_is_opened_or_told(
    directory: Path, start_server: StartServer, wire: Wire
) -> None:
    bound()
    for name in ("jobs.sqlite3", "store", "lock", "results"):
        (directory / name).chmod(0)
    directory.chmod(0o500)
    assert f"{directory} can't be written by its owner, root. Allow it: chmod u+rwX" in start(
        directory, *BOUND
    )
    directory.chmod(0o700)
    with start_server(data_dir=directory, prefix=BOUND).stub() as stub:
        assert wire.statuses(wire.run(stub, wire.state(17)))[-1] == "DONE"


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    bound()
    for mode in (0o755, 0o700):
        parent = tmp_path / f"{mode:o}"
        parent.mkdir(mode=mode)
        os.chown(parent, NOBODY, NOBODY)
        line = start(parent / "made" / "data", *BOUND)
        assert "can't be made: Permission denied. " in line
        assert "hoose another --data-dir" in line


def alone(place: Path, options: str) -> tuple[str, ...]:
    return (*ALONE, "sh", "-c", MOUNT, "sh", str(place), options)


def inside(server: ServerProcess, *command: str) -> None:
    enter = ("nsenter", "-t", str(server.process.pid), "-U", "-m", "--preserve-credentials")
    subprocess.run([*enter, *command], check=True)


def test_a_read_only_file_system_is_told(directory: Path, tmp_path: Path) -> None:
    mounts(tmp_path)
    place = tmp_path / "mounted"
    place.mkdir()
    copy = f'mount -t tmpfs none "$1" && cp -a {directory} "$1/data" && mount -o remount,ro "$1"'
    prefix = (*ALONE, "sh", "-c", f'{copy} && shift && exec "$@"', "sh", str(place))
    assert f"{place}/data can't be written: its file system is mounted read-only. Mount it" in start(
        place / "data", *prefix
    )
    assert f"{place}/new can't be made: Read-only file system. Choose another" in start(
        place / "new", *prefix
    )


def test_a_disk_that_is_full_at_the_first_start_is_told(tmp_path: Path) -> None:
    mounts(tmp_path)
    place = tmp_path / "mounted"
    place.mkdir()
    line = start(place, *alone(place, "size=16k"))
    assert "disk is full. Free some room on its disk, and start again; nothing of it is lost." in line
    line = start(place, *alone(place, "nr_inodes=3"))
    assert "Nothing of it is lost" in line
    assert "df -i" in line


def healthy(server: ServerProcess) -> bool:
    with server.channel() as channel:
        answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=5)
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def fill(server: ServerProcess, place: Path) -> None:
    inside(server, "sh", "-c", f"cat /dev/zero > {place}/fill || true")


def empty(server: ServerProcess, place: Path) -> None:
    inside(server, "rm", f"{place}/fill")


def forbid(server: ServerProcess, place: Path) -> None:
    """Lets it write nothing at all, not even where there is something already."""
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))


def allow(server: ServerProcess, place: Path) -> None:
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, unlimited)


Change = Callable[[ServerProcess, Path], None]
FAULTS: dict[str, tuple[Change, Change]] = {"full": (fill, empty), "not to be written": (forbid, allow)}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_file_system_that_fails_while_a_server_runs(
    start_server: StartServer, wire: Wire, tmp_path: Path, fault: str
) -> None:
    mounts(tmp_path)
    place = tmp_path / "mounted"
    place.mkdir()
    server = start_server(data_dir=place / "data", prefix=alone(place, "size=64m"))
    spoil, mend = FAULTS[fault]
    with server.stub() as stub:
        done = wire.run(stub, wire.state(17))[0].job.job_id
        spoil(server, place)
        for spec in (wire.bell(), wire.state(17)):
            with wire.fails() as failure:
                stub.SubmitJob(job_service_pb2.SubmitJobRequest(spec=spec), timeout=10)
            assert (failure.code, failure.reason) == (grpc.StatusCode.UNAVAILABLE, "STORE_BUSY")
        assert not healthy(server)
        # What is there is answered.
        assert stub.GetJob(job_service_pb2.GetJobRequest(job_id=done), timeout=5).job.job_id == done
        assert len(list(stub.ReadResult(job_service_pb2.ReadResultRequest(job_id=done), timeout=5))) > 1
        assert server.process.poll() is None
        mend(server, place)
        wire.until(lambda: healthy(server))
        assert wire.statuses(wire.run(stub, wire.state(17)))[-1] == "DONE"
    assert server.stop() == 0
    assert "Traceback" not in server.log.read_text()


@pytest.fixture
def spoiled(start_server: StartServer, tmp_path: Path) -> Iterator[ServerProcess]:
    """A server bound by permissions, whose results are opened again at the end."""
    bound()
    server = start_server(prefix=BOUND)
    yield server
    (server.data_dir / "results").chmod(0o700)


def test_results_that_nobody_may_open_for_a_while(spoiled: ServerProcess, wire: Wire) -> None:
    """A large result waits until it can be written, and one that can't be read isn't called lost."""
    with spoiled.stub() as stub:
        done = wire.run(stub, wire.state(17))[0].job.job_id
        whole = b"".join(_read(stub, done))
        results = spoiled.data_dir / "results"
        results.chmod(0)
        with wire.fails() as failure:
            _read(stub, done)
        assert (failure.code, failure.reason) == (grpc.StatusCode.UNAVAILABLE, "STORE_BUSY")
        assert "isn't lost" in failure.message
        assert wire.statuses(wire.run(stub, wire.bell()))[-1] == "DONE"
        waiting = wire.submit(stub, wire.state(17)).job_id
        wire.wait_running(stub, waiting)
        results.chmod(0o700)
        assert wire.wait_final(stub, waiting).status == job_pb2.JOB_STATUS_DONE
        assert b"".join(_read(stub, done)) == whole
    assert spoiled.stop() == 0
    assert "Traceback" not in spoiled.log.read_text()


def _read(stub: job_service_pb2_grpc.JobServiceStub, job_id: str) -> list[bytes]:
    request = job_service_pb2.ReadResultRequest(job_id=job_id, part="0/statevector")
    return [message.chunk.data for message in stub.ReadResult(request, timeout=10)]


def test_kernels_that_cannot_be_kept_are_told_and_no_reason_not_to_start(tmp_path: Path) -> None:
    """Nobody else's cache is written, no folder of one's own: what is compiled lasts for the process."""
    bound()
    program = tmp_path / "program.py"
    program.write_text(
        "from basicaer.simulator.methods.statevector.engine.machine._jit import compiled\n"
        "@compiled\n"
        "def twice(number):\n"
        "    return 2 * number\n"
        "print(twice(2), twice(0.5))\n"
    )
    cache = tmp_path / "__pycache__"
    cache.mkdir(mode=0o755)
    os.chown(cache, NOBODY, NOBODY)
    os.chown(tmp_path, NOBODY, NOBODY)
    tmp_path.chmod(0o755)
    done = subprocess.run(
        [*BOUND, sys.executable, program],
        env={"PATH": os.environ["PATH"], "XDG_CACHE_HOME": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "4 1.0\n"
    assert done.stderr.count("NUMBA_CACHE_DIR") == 1
