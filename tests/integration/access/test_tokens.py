"""`basicaer token`, and what it does to a server that runs: its callers needn't wait for a restart."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from basicaer.client import BasicAerProvider, Circuit, UnauthenticatedError
from basicaer.service.access import TokenStore
from basicaer.service.errors import DataDirectoryError
from basicaer.v1 import job_service_pb2 as pb

from tests.conftest import ServerProcess, StartServer
from tests.integration.access.conftest import secret_part, stub_of
from tests.integration.conftest import COMMAND, Wire

Cli = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def server(start_server: StartServer) -> ServerProcess:
    """A server that wants tokens, and has none yet."""
    return start_server("--auth", "token", "--log-level", "debug")


@pytest.fixture
def cli(server: ServerProcess) -> Cli:
    """The command line beside that server, as its operator."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            env={
                **os.environ,
                "BASICAER_DATA_DIR": str(server.data_dir),
                "BASICAER_SERVER": server.address,
                **environment,
            },
        )

    return run


def _listed(cli: Cli) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(cli("token", "list", "--json").stdout)
    return found


def test_a_token_is_good_at_once_and_for_its_names_jobs(server: ServerProcess, cli: Cli) -> None:
    first = cli("token", "create", "ada").stdout.strip()
    second = cli("token", "create", "ada", "--expires", "none").stdout.strip()
    bell = Circuit(2, 2).h(0).cx(0, 1).measure([0, 1], [0, 1])
    with BasicAerProvider(server.address, token=first) as provider:
        job = provider.get_backend("qasm_simulator").run(bell, shots=100, seed_simulator=7)
        counts = job.result().get_counts()
        assert first not in repr(provider)
        assert first not in repr(vars(provider))
    with BasicAerProvider(server.address, token=second) as provider:
        assert provider.retrieve_job(job.job_id()).result().get_counts() == counts
    (newest, oldest) = _listed(cli)
    assert [newest["name"], newest["role"], newest["state"], newest["expire_time"]] == [
        "ada",
        "user",
        "valid",
        None,
    ]
    assert oldest["expire_time"] is not None
    assert oldest["token_id"] == first.split("_")[1]


def test_a_revoked_token_is_bad_at_once(server: ServerProcess, cli: Cli, wire: Wire) -> None:
    tokens = [cli("token", "create", name).stdout.strip() for name in ("ada", "bob")]
    with stub_of(server.address, tokens[0]) as ada, stub_of(server.address, tokens[1]) as bob:
        jobs = [wire.submit(stub, wire.endless()).job_id for stub in (ada, bob)]
        watches = [
            stub.WatchJob(pb.WatchJobRequest(job_id=job_id))
            for stub, job_id in zip((ada, bob), jobs, strict=True)
        ]
        for watch in watches:
            next(watch)
        revoked = cli("token", "revoke", "ada")
        assert revoked.returncode == 0
        assert revoked.stdout == f"{tokens[0].split('_')[1]} of ada is revoked\n"
        for call in (
            lambda: ada.GetJob(pb.GetJobRequest(job_id=jobs[0])),
            lambda: wire.run(ada, wire.bell()),
        ):
            with wire.fails() as failure:
                call()
            assert failure.metadata == {"cause": "revoked"}
        # What it watches ends too, and nobody else's does.
        with wire.fails() as failure:
            list(watches[0])
        assert (failure.code, failure.metadata) == (grpc.StatusCode.UNAUTHENTICATED, {"cause": "ended"})
        bob.CancelJob(pb.CancelJobRequest(job_id=jobs[1]))
        assert wire.statuses(list(watches[1]))[-1] == "CANCELLED"
    assert cli("token", "revoke", "ada").returncode == 1
    assert {one["name"]: one["state"] for one in _listed(cli)} == {"ada": "revoked", "bob": "valid"}


def test_a_watch_ends_when_its_token_expires(server: ServerProcess, wire: Wire) -> None:
    with TokenStore(server.data_dir) as store:
        _, token = store.create("ada", "user", 5.0)
    with stub_of(server.address, token) as stub:
        job = wire.submit(stub, wire.endless())
        with wire.fails() as failure:
            list(stub.WatchJob(pb.WatchJobRequest(job_id=job.job_id)))
    assert failure.metadata == {"cause": "ended"}
    with BasicAerProvider(server.address, token=token) as provider, pytest.raises(UnauthenticatedError):
        provider.server_info()


def test_the_last_use_is_noted(server: ServerProcess, cli: Cli) -> None:
    token = cli("token", "create", "ada").stdout.strip()
    before = time.time()
    with BasicAerProvider(server.address, token=token) as provider:
        provider.server_info()
    server.stop()
    with TokenStore(server.data_dir) as store:
        (noted,) = store.tokens()
    assert noted.last_used is not None
    assert before - 1 < noted.last_used < time.time() + 1
    assert "never" not in cli("token", "list").stdout.splitlines()[1].split("  ")[-1]


def test_a_token_in_a_file_is_its_owners_alone(server: ServerProcess, cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "token"
    made = cli("token", "create", "ada", "--out", str(path))
    assert (made.returncode, made.stdout) == (0, "")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert cli("info", "--token-file", str(path)).returncode == 0
    assert cli("info", BASICAER_TOKEN_FILE=str(path)).returncode == 0
    assert cli("info", BASICAER_TOKEN=path.read_text().strip()).returncode == 0
    refused = cli("info")
    assert refused.returncode == 1
    assert "--token-file" in refused.stderr
    again = cli("token", "create", "ada", "--out", str(path))
    assert again.returncode == 1
    assert str(path) in again.stderr
    assert len(_listed(cli)) == 1


def test_the_command_line_shows_who(server: ServerProcess, cli: Cli, wire: Wire) -> None:
    """An admin sees whose jobs there are, and everybody else what is their own."""
    ada = cli("token", "create", "ada").stdout.strip()
    ben = cli("token", "create", "ben").stdout.strip()
    root = cli("token", "create", "root", "--role", "admin").stdout.strip()
    with stub_of(server.address, ada) as stub:
        job = wire.submit(stub, wire.endless())
        wire.wait_running(stub, job.job_id)
        for token in (ada, root):
            headings, row, *more = cli("jobs", BASICAER_TOKEN=token).stdout.splitlines()
            assert ("WHO" in headings, "token:ada" in row, more) == (True, True, [])
            assert "token:ada  1 running  0 waiting" in cli("info", BASICAER_TOKEN=token).stdout
            assert "callers  token:ada 1 running, 0 waiting\n" in cli("top", BASICAER_TOKEN=token).stdout
        assert json.loads(cli("jobs", "--json", BASICAER_TOKEN=root).stdout)[0]["principal"] == "token:ada"
        for command in ("jobs", "info", "top"):
            assert "ada" not in cli(command, BASICAER_TOKEN=ben).stdout
        stub.CancelJob(pb.CancelJobRequest(job_id=job.job_id))


def test_the_file_of_tokens_is_closed_to_others_and_holds_none(server: ServerProcess, cli: Cli) -> None:
    token = cli("token", "create", "ada").stdout.strip()
    for path in server.data_dir.glob("tokens.sqlite3*"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert token.encode() not in path.read_bytes()
        assert secret_part(token).encode() not in path.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        (("token", "create", "a b"), 2, "a b"),
        (("token", "create", "ada", "--expires", "soon"), 2, "soon"),
        (("token", "create", "ada", "--role", "king"), 2, "king"),
        (("token", "revoke", "nobody"), 1, "nobody"),
        (("token",), 2, ""),
    ],
)
def test_wrong_usage_is_one_line(tmp_path: Path, arguments: tuple[str, ...], status: int, text: str) -> None:
    environment = {**os.environ, "BASICAER_DATA_DIR": str(tmp_path)}
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60, env=environment)
    assert done.returncode == status
    assert text in done.stderr


def test_a_file_that_is_not_ours_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tokens.sqlite3").write_bytes(b"something else" * 100)
    with pytest.raises(DataDirectoryError, match=r"tokens\.sqlite3"):
        TokenStore(tmp_path)


def test_secrets_reach_neither_log_nor_error_nor_configuration(
    server: ServerProcess, cli: Cli, wire: Wire
) -> None:
    token = cli("token", "create", "ada").stdout.strip()
    wrong = token[:-4] + "zzzz"
    outputs = [
        cli("config", BASICAER_TOKEN=token).stdout,
        cli("config", "--json", BASICAER_TOKEN=token).stdout,
    ]
    outputs += [cli("token", "list", *options).stdout for options in ((), ("--json",))]
    done = cli("info", BASICAER_TOKEN=wrong)
    outputs += [done.stdout, done.stderr]
    done = cli("info", "--server", "192.0.2.1:1", BASICAER_TOKEN=token)
    assert done.returncode == 1
    assert "BASICAER_CA_FILE" in done.stderr
    outputs += [done.stdout, done.stderr]
    with stub_of(server.address, wrong) as stub, wire.fails() as failure:
        stub.GetServerInfo(pb.GetServerInfoRequest())
    outputs += [failure.message, str(failure.metadata)]
    with (
        pytest.raises(UnauthenticatedError) as caught,
        BasicAerProvider(server.address, token=wrong) as provider,
    ):
        provider.server_info()
    outputs += [str(caught.value), repr(caught.value), repr(caught.value.__cause__), repr(provider)]
    server.stop()
    outputs.append(server.log.read_text())
    assert "refused" in outputs[-1]
    for output in outputs:
        for secret in (token, wrong):
            assert secret not in output
            assert secret_part(secret)[:20] not in output


@pytest.mark.parametrize("arguments", [["list"], ["create", "ada"], ["revoke", "ada"]])
def test_a_damaged_file_is_told_in_a_line(tmp_path: Path, arguments: list[str]) -> None:
    with TokenStore(tmp_path) as store:
        for _ in range(50):
            store.create("ada", "user", None)
    path = tmp_path / "tokens.sqlite3"
    data = path.read_bytes()
    path.write_bytes(data[:4096] + b"\xff" * (len(data) - 4096))
    done = subprocess.run(
        [*COMMAND, "token", *arguments, "--data-dir", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {path} can't be used")
    assert done.stderr.count("\n") == 1


def test_a_file_whose_damage_is_no_text_is_refused(tmp_path: Path) -> None:
    TokenStore(tmp_path).close()
    path = tmp_path / "tokens.sqlite3"
    path.write_bytes(path.read_bytes().replace(b"tabletokens", b"tablet\xe5kens"))
    with pytest.raises(DataDirectoryError, match="damaged"), TokenStore(tmp_path) as store:
        store.tokens()


def test_a_lifetime_has_an_end_or_none() -> None:
    done = subprocess.run(
        [*COMMAND, "token", "create", "ada", "--expires", "999999999999d"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert "a century" in done.stderr
