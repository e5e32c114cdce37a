"""The command line: whatever is typed ends with a documented status, and in words instead of a traceback.

An input is the arguments, with zeros between, and behind two bytes of 255 what is in the file "input" of the
folder in which the command runs. An argument "env:NAME=VALUE" at the beginning is a variable. Commands that
ask a server ask a live one, whatever address is given; none starts another, and none leaves its folder.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import os
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any
from unittest import mock

from basicaer.service import main
from basicaer.service.access import Callers, server_credentials
from basicaer.service.cli import _connection, _private, cli
from basicaer.service.cli._errors import UNREACHABLE, exit_status
from basicaer.service.cli.commands import _doctor, _facts, _jobs, _token
from basicaer.service.config import Config
from basicaer.service.doors.grpc._server import server_options
from basicaer.service.doors.service import _limits
from basicaer.service.wire import Scanner
from basicaer.v1 import job_service_pb2

from tests.fuzz.inputs.mutation import mutate_bytes, mutate_text
from tests.fuzz.inputs.seeds import OPENQASM2_WORDS, qasm_texts
from tests.fuzz.server.live import Live, live
from tests.fuzz.targets import Target

__all__ = ["COMMAND"]

_STATUSES = (0, 1, 2)
# What might write or read outside of the folder, or wait for a person.
_OUTSIDE = ("/", "..", "~", "--until-stdin-closes")
_OPTIONS = sorted(
    {
        option
        for command in (*cli.commands.values(), *_token.token.commands.values())
        for parameter in command.params
        for option in parameter.opts
        if option.startswith("-")
    }
)
_WORDS = (
    *cli.commands,
    *(
        "create",
        "list",
        "revoke",
        "input",
        "-",
        "--",
        "-h",
        "--help",
        "=",
        "a=b",
        "shots=5",
        "precision=single",
    ),
    *("memory=1e999", "initial_statevector=[1,0]", "chop_threshold=NaN", "unitary_simulator", "DONE", "none"),
    *(
        "0",
        "-1",
        "1e3",
        "9" * 30,
        "1GiB",
        "5s",
        "127.0.0.1:1",
        "[::1]:1",
        "job",
        "\udcff",
        "é",
        "",
        " ",
        "\n",
    ),
    *("env:BASICAER_WORKERS=2", "env:BASICAER_CONFIG=input", "env:BASICAER_SERVER=x", "env:COLUMNS=1"),
    *_OPTIONS,
)


class _Stdin(io.StringIO):
    """Standard input at its end, which is no terminal."""

    name = "<stdin>"

    def fileno(self) -> int:
        raise io.UnsupportedOperation("fileno")


class _Desk:
    """The folder in which commands run, and the server that they ask."""

    def __init__(self) -> None:
        self.live: Live | None = None

    @contextlib.contextmanager
    def around(self) -> Iterator[None]:
        """Lets every command ask the live server, and `serve` do all but serve."""
        connect, health_of = _connection.connect, _connection.health_of
        credentials = _connection._credentials

        def ours(server: _connection.Server) -> _connection.Server:
            # The files that it names are read all the same.
            credentials(server)
            assert self.live is not None
            return dataclasses.replace(_connection.Server(self.live.address, private=True))

        with contextlib.ExitStack() as stack:
            self.live = stack.enter_context(live())
            for module in (_doctor, _facts, _jobs, _private):
                stack.enter_context(
                    mock.patch.object(
                        module, "connect", lambda server, **other: connect(ours(server), **other)
                    )
                )
            stack.enter_context(
                mock.patch.object(_facts, "health_of", lambda server: health_of(ours(server)))
            )
            private = contextlib.nullcontext(self.live.address)
            stack.enter_context(mock.patch.object(_private, "private_server", return_value=private))
            stack.enter_context(mock.patch.object(main, "run", _serve))
            stack.enter_context(mock.patch("basicaer.service.doctor._machine.kernels", _no_finding))
            yield


def _serve(config: Config, logs: Any, announce: Any, **_: Any) -> None:
    """What a server does before it takes a port."""
    server_credentials(config)
    server_options(config)
    _limits(config, Scanner([job_service_pb2.SubmitJobRequest.DESCRIPTOR], config))
    callers = Callers(config)
    if callers._tokens is not None:
        callers._tokens.close()


def _no_finding() -> Any:
    from basicaer.service.doctor import Finding

    return Finding.ok("kernels", "not looked at, since that takes another process")


_desk = _Desk()


def _run_command(data: bytes) -> None:
    head, _, content = data.partition(b"\xff\xff")
    arguments = [os.fsdecode(argument) for argument in head.split(b"\0")][:12]
    variables: dict[str, str] = {}
    while arguments and arguments[0].startswith("env:"):
        name, _, value = arguments.pop(0).removeprefix("env:").partition("=")
        if name.startswith("BASICAER_") or name == "COLUMNS":
            variables[name] = value
    if any(place in text for text in (*arguments, *variables.values()) for place in _OUTSIDE):
        return
    status, output = _call(arguments, variables, content)
    # The server is there, unless what should say where is no address.
    wrong_address = status == UNREACHABLE and "HOST:PORT" in output
    assert status in _STATUSES or wrong_address, f"the exit status {status}: {output}"
    assert "Traceback" not in output
    assert _desk.live is not None
    _desk.live.check()


def _call(arguments: list[str], variables: dict[str, str], content: bytes) -> tuple[int, str]:
    """Runs the command in a folder of its own; returns its status, and what it told on stderr."""
    # Both as Python has them by itself.
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="strict")
    told = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="backslashreplace")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BASICAER_")}
    before = Path.cwd()
    with (
        tempfile.TemporaryDirectory(prefix="basicaer-fuzz-") as folder,
        mock.patch.dict(os.environ, {**kept, **variables}, clear=True),
        mock.patch("sys.stdin", _Stdin()),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(told),
        warnings.catch_warnings(),
    ):
        # click leaves a file open whose command line turns out to be wrong; the process would end with it.
        warnings.simplefilter("ignore", ResourceWarning)
        Path(folder, "input").write_bytes(content)
        os.chdir(folder)
        try:
            status = exit_status(
                lambda: cli.main(args=arguments, prog_name="basicaer", standalone_mode=False)
            )
            out.flush()
        finally:
            os.chdir(before)
    told.flush()
    return status, told.buffer.getvalue().decode()


def _seeds() -> list[bytes]:
    bell = qasm_texts()[0].encode()
    lines = [
        "run input --shots 5 --seed 1",
        "run input --json --memory --label a=b",
        "run input --top 2 --save out --plot out.svg",
    ]
    lines += ["run input --backend statevector_simulator --option precision=single --server 127.0.0.1:1"]
    lines += ["run input --detach --server 127.0.0.1:1", "run input --backend unitary_simulator"]
    lines += [
        "jobs --limit 3 --status DONE --label a=b",
        "jobs --json",
        "watch job --after 1",
        "result job --wait",
    ]
    lines += [
        "cancel job job2 --reason why",
        "delete job",
        "backends",
        "backends qasm_simulator --json",
        "info",
    ]
    lines += [
        "health --json",
        "token create ada --data-dir d --expires 12h",
        "token list --data-dir d --json",
    ]
    lines += ["token revoke ada --data-dir d", "token create eve --out t --json", "config --workers 4 --json"]
    lines += [
        "config --config input",
        "version --json",
        "doctor --server x",
        "doctor --data-dir d --json",
        "--help",
    ]
    lines += [
        "serve --listen 127.0.0.1:0 --data-dir d --log-format json",
        "serve --auth token --config input",
    ]
    lines += ["info --ca-file input --token-file input", "env:BASICAER_MAX_SHOTS=9 config"]
    return [line.replace(" ", "\0").encode() + b"\xff\xff" + bell for line in lines]


def _mutate(data: bytes, random: Random) -> bytes:
    head, separator, content = data.partition(b"\xff\xff")
    if not random.randrange(4):
        text = content.decode(errors="replace")
        content = mutate_text(text, random, (*OPENQASM2_WORDS, "workers = 1\n")).encode(errors="replace")
    else:
        arguments = head.split(b"\0")
        for _ in range(random.randrange(1, 4)):
            place = random.randrange(len(arguments) + 1)
            match random.randrange(5):
                case 0 if len(arguments) > 1:
                    del arguments[min(place, len(arguments) - 1)]
                case 1 if place < len(arguments):
                    arguments[place] = mutate_bytes(arguments[place], random).replace(b"\0", b"")
                case 2 if place < len(arguments):
                    arguments[place] = os.fsencode(random.choice(_WORDS))
                case _:
                    arguments.insert(place, os.fsencode(random.choice(_WORDS)))
        head = b"\0".join(arguments)
    return head + separator + content


COMMAND = Target(
    name="command",
    run=_run_command,
    seeds=_seeds,
    mutate=_mutate,
    words=_WORDS,
    around=_desk.around,
)
