"""The image of deploy/Dockerfile, from its own root file system: `make image-test` builds it and runs this.

A container engine's part is played by the kernel's own namespaces: a read-only root with one writable volume,
process 1, a network of its own with nothing but a loopback, and the user that the image names. What an engine
adds to that (a control group's limits, seccomp) is not tested here.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme

IMAGE = os.environ.get("BASICAER_IMAGE", "")
if not IMAGE:
    pytest.skip("no image to test: run 'make image-test'", allow_module_level=True)

ROOT = Path(__file__).parents[2]
VOLUME = "var/lib/basicaer"
# A start with shipped kernels takes seconds, one that compiles a minute or two.
START_LIMIT = 300.0
# Mounts, as an engine makes them, and then the image's command as process 1 of its namespace.
ENTER = """
set -eu
root=$1 volume=$2; shift 2
mount --bind "$root" "$root"
mount --bind "$volume" "$root/var/lib/basicaer"
mount -t proc proc "$root/proc"
mount -t tmpfs -o size=64k tmpfs "$root/dev"
for device in null urandom; do
  touch "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
mount -o remount,bind,ro "$root"
ip link set lo up
exec env -i "$@"
"""


@dataclass(frozen=True, slots=True)
class Image:
    """What an engine knows of an image, and where its files are."""

    root: Path
    config: dict[str, Any]

    @property
    def user(self) -> int:
        return int(self.config["User"].partition(":")[0])

    def command(self, *arguments: str) -> list[str]:
        """The command of a container with these arguments, or those of the image."""
        return [*self.config["Entrypoint"], *(arguments or self.config["Cmd"])]


def _buildah(*arguments: str) -> str:
    environment = {"BUILDAH_ISOLATION": "chroot", "STORAGE_DRIVER": "vfs", **os.environ}
    done = subprocess.run(
        ["buildah", *arguments], env=environment, capture_output=True, text=True, timeout=300, check=True
    )
    return done.stdout.strip()


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    """The image, with its files in a container that is not run."""
    assert os.geteuid() == 0, "the test makes namespaces: run it as root"
    container = _buildah("from", "--pull-never", IMAGE)
    try:
        inspected = json.loads(_buildah("inspect", "--type", "image", IMAGE))
        yield Image(Path(_buildah("mount", container)), inspected["Docker"]["config"])
    finally:
        _buildah("rm", container)


class Container:
    """A command of the image that runs, with a volume; its output is in `log`."""

    def __init__(self, image: Image, volume: Path, log: Path, *arguments: str, **variables: str) -> None:
        self.image, self.log = image, log
        environment = [*image.config["Env"], *(f"{name}={value}" for name, value in variables.items())]
        root = str(image.root)
        command = ["unshare", "--mount", "--pid", "--net", "--ipc", "--uts", "--fork", "--kill-child"]
        command += ["sh", "-c", ENTER, "enter", root, str(volume), *environment]
        command += [str(shutil.which("chroot")), f"--userspec={image.config['User']}", "--groups=", root]
        # `exec` keeps the process: the image's command becomes process 1.
        command += ["/bin/sh", "-c", f'cd {image.config["WorkingDir"]} && exec "$@"', "sh"]
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [*command, *image.command(*arguments)], stdout=output, stderr=subprocess.STDOUT
            )

    @property
    def pid(self) -> int:
        """Process 1 of the container, by its number outside."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        assert len(children) == 1
        return int(children[0])

    def enter(self, *command: str, inside: bool, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the container's network, with its files or with those of this machine."""
        enter = ["nsenter", "--target", str(self.pid), "--net"]
        environment = {**os.environ, **variables}
        if inside:
            user = self.image.user
            enter += ["--mount", "--pid", "--root", f"--setuid={user}", f"--setgid={user}"]
            environment = dict(item.split("=", 1) for item in self.image.config["Env"]) | variables
            found = shutil.which("nsenter")
            assert found is not None
            enter[0] = found
        return subprocess.run(
            [*enter, *command], env=environment, capture_output=True, text=True, timeout=100, check=False
        )

    def health(self) -> subprocess.CompletedProcess[str]:
        """What the image's HEALTHCHECK answers."""
        kind, *command = self.image.config["Healthcheck"]["Test"]
        assert kind == "CMD"
        return self.enter(*command, inside=True)

    def wait_until_healthy(self) -> float:
        """Return after how many seconds it was healthy."""
        started = time.monotonic()
        while time.monotonic() - started < START_LIMIT:
            assert self.process.poll() is None, self.log.read_text()
            if "listening on" in self.log.read_text():
                health = self.health()
                assert (health.returncode, health.stdout) == (0, "SERVING\n"), health.stderr
                return time.monotonic() - started
            time.sleep(0.1)
        raise AssertionError(f"not ready in time: {self.log.read_text()}")

    def stop(self) -> int:
        """What `docker stop` does, with the exit status."""
        os.kill(self.pid, getattr(signal, self.image.config["StopSignal"]))
        return self.process.wait(110)


@contextlib.contextmanager
def _container(
    image: Image, volume: Path, log: Path, *arguments: str, **variables: str
) -> Iterator[Container]:
    container = Container(image, volume, log, *arguments, **variables)
    try:
        yield container
    finally:
        container.process.kill()
        container.process.wait()


@pytest.fixture
def volume(image: Image, tmp_path: Path) -> Path:
    """A new volume, which an engine gives the owner that the image's folder has."""
    made = tmp_path / "volume"
    made.mkdir(mode=0o750)
    owner = (image.root / VOLUME).stat()
    os.chown(made, owner.st_uid, owner.st_gid)
    # pytest keeps its folders to itself, and this one belongs to another.
    for folder in (tmp_path, *tmp_path.parents[:3]):
        if folder.stat().st_uid == os.geteuid() and folder.name.startswith(("pytest-", "test_")):
            folder.chmod(folder.stat().st_mode | 0o011)
    return made


def _cli(container: Container, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A caller's command, from this machine's installation."""
    done = container.enter(
        sys.executable, "-m", "basicaer.service.cli", *arguments, inside=False, **variables
    )
    assert done.returncode == 0, done.stderr
    return done


def test_what_an_engine_is_told(image: Image) -> None:
    config = image.config
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", config["User"])
    assert list(config["Volumes"]) == [f"/{VOLUME}"]
    assert config["StopSignal"] == "SIGTERM"
    assert list(config["ExposedPorts"]) == ["50051/tcp", "8050/tcp"]
    assert config["Entrypoint"][0].startswith("/"), "the exec form, whose process gets the signals"
    labels = {name.removeprefix("org.opencontainers.image."): text for name, text in config["Labels"].items()}
    assert {"title", "description", "licenses", "version", "revision"} <= labels.keys()
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*", labels["version"])
    assert (image.root / VOLUME).stat().st_uid == image.user


def test_nothing_is_in_it_that_a_server_does_not_run(image: Image) -> None:
    programs = {path.name for folder in image.root.glob("**/bin") for path in folder.iterdir()}
    programs |= {path.name for path in (image.root / "usr/sbin").iterdir()}
    unwanted = re.compile(
        r"pip[\d.]*|(.*-)?(gcc|g\+\+|cc|clang|ld|as|make|cpp)|apt.*|dpkg.*|perl.*|curl|wget|git|su|sudo"
    )
    assert sorted(name for name in programs if unwanted.fullmatch(name)) == []
    packages = image.root / "opt/basicaer/lib"
    assert [str(path) for path in packages.rglob("tests") if path.is_dir()] == []
    names = {path.name.partition("-")[0] for path in image.root.glob("**/site-packages/*")}
    names |= {path.name.partition("-")[0] for path in image.root.glob("**/dist-packages/*")}
    assert (
        names
        & {"pip", "setuptools", "wheel", "pytest", "hypothesis", "mypy", "ruff", "grpc_tools", "IPython"}
        == set()
    )
    assert not (packages / "python3.11/site-packages/basicaer/simulator/reference").exists()


def test_no_program_gives_more_rights(image: Image) -> None:
    files = (path for path in image.root.rglob("*") if path.is_file() and not path.is_symlink())
    assert [str(path) for path in files if path.stat().st_mode & 0o6000] == []


def test_without_tls_and_callers_it_refuses_to_start(image: Image, volume: Path, tmp_path: Path) -> None:
    with _container(image, volume, tmp_path / "log") as container:
        assert container.process.wait(60) == 2
    text = (tmp_path / "log").read_text()
    assert "--auth token" in text
    assert text.count("\n") == 1, text


def test_a_volume_of_somebody_else_is_told(image: Image, volume: Path, tmp_path: Path) -> None:
    os.chown(volume, 0, 0)
    volume.chmod(0o755)
    with _container(image, volume, tmp_path / "log") as container:
        assert container.process.wait(60) == 1
    assert f"can't be written to by user {image.user}" in (tmp_path / "log").read_text()


def test_a_life_with_tls_and_tokens(image: Image, volume: Path, tmp_path: Path) -> None:
    """Start, be healthy, let a caller in, run a circuit, drain."""
    authority = trustme.CA()
    made = authority.issue_cert("127.0.0.1")
    made.private_key_pem.write_to_path(str(volume / "tls.key"))
    made.cert_chain_pems[0].write_to_path(str(volume / "tls.crt"))
    authority.cert_pem.write_to_path(str(tmp_path / "ca.crt"))
    for name in ("tls.key", "tls.crt"):
        os.chown(volume / name, image.user, image.user)

    settings = {
        "BASICAER_AUTH": "token",
        "BASICAER_TLS_CERTIFICATE": f"/{VOLUME}/tls.crt",
        "BASICAER_TLS_KEY": f"/{VOLUME}/tls.key",
        "BASICAER_MAX_MEMORY_BYTES": "1GiB",
        "BASICAER_DRAIN_GRACE": "100s",
    }
    caller = {
        "BASICAER_SERVER": "127.0.0.1:50051",
        "BASICAER_CA_FILE": str(tmp_path / "ca.crt"),
        "BASICAER_TOKEN_FILE": str(tmp_path / "ada.token"),
    }
    with _container(image, volume, tmp_path / "log", **settings) as container:
        container.wait_until_healthy()
        token = f"/{VOLUME}/ada.token"
        made_token = container.enter(
            "basicaer", "token", "create", "ada", "--out", token, inside=True, **settings
        )
        assert made_token.returncode == 0, made_token.stderr
        shutil.copy(volume / "ada.token", tmp_path)
        # The kernels that came with the image are of this processor.
        assert "compiling" not in (tmp_path / "log").read_text()

        status = dict(
            line.split(":\t", 1)
            for line in Path(f"/proc/{container.pid}/status").read_text().splitlines()
            if ":\t" in line
        )
        assert status["Uid"].split() == [str(image.user)] * 4
        assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0
        assert status["NSpid"].split()[-1] == "1"
        assert status["Name"] == "basicaer"

        written = container.enter("touch", "/opt/basicaer/new", inside=True)
        assert "Read-only file system" in written.stderr

        bell = str(ROOT / "examples/shell/bell.qasm")
        done = json.loads(
            _cli(container, "run", bell, "--shots", "1000", "--seed", "7", "--json", **caller).stdout
        )
        assert sum(done["programs"][0]["counts"].values()) == 1000

        # Long enough to still run when the signal comes: some seconds on any machine.
        long = tmp_path / "long.qasm"
        long.write_text(
            'OPENQASM 2.0; include "qelib1.inc"; qreg q[23]; creg c[1];'
            + "".join(
                f"h q[{i % 23}]; rx(0.1) q[{i % 23}]; cx q[{i % 23}],q[{(i + 7) % 23}];" for i in range(4000)
            )
            + "measure q[0] -> c[0];"
        )
        job = _cli(container, "run", str(long), "--shots", "1", "--detach", **caller).stdout.split()[-1]
        deadline = time.monotonic() + 30
        while "RUNNING" not in _cli(container, "jobs", "--json", **caller).stdout:
            assert time.monotonic() < deadline
        assert container.stop() == 0
        log = (tmp_path / "log").read_text()
        assert "SIGTERM: draining" in log
        assert log.rstrip().endswith("stopped")

    # What ran when the signal came has ended, and its result is there after a start from the same volume.
    with _container(image, volume, tmp_path / "log", **settings) as container:
        container.wait_until_healthy()
        assert json.loads(_cli(container, "result", job, "--json", **caller).stdout)["success"]
        assert container.stop() == 0


def test_another_processor_compiles_into_the_volume_once(image: Image, volume: Path, tmp_path: Path) -> None:
    settings = {
        "BASICAER_INSECURE_NO_AUTH": "true",
        "BASICAER_INSECURE_NO_TLS": "true",
        "BASICAER_MAX_MEMORY_BYTES": "1GiB",
        # numba takes this for the processor's name, and so for that of another one.
        "NUMBA_CPU_NAME": "x86-64-v3",
    }
    told = "no compiled kernels for this processor (x86-64-v3)"
    for expected in (1, 0):
        with _container(image, volume, tmp_path / "log", **settings) as container:
            container.wait_until_healthy()
            assert (tmp_path / "log").read_text().count(told) == expected
            assert container.stop() == 0
