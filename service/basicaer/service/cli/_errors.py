"""From whatever goes wrong to one line on stderr and an exit status.

0    it worked
1    the job failed or was cancelled, or the server refused the request
2    the command line is wrong
3    the server can't be reached
130  interrupted by Ctrl-C
143  ended by SIGTERM
"""

from __future__ import annotations

import atexit
import io
import os
import sys
import threading
from collections.abc import Callable
from typing import NoReturn

import click
from basicaer.service.cli._say import say

__all__ = [
    "FAILED",
    "INTERRUPTED",
    "TERMINATED",
    "UNREACHABLE",
    "USAGE",
    "CommandError",
    "Terminated",
    "exit_status",
    "fail",
    "leave",
]

FAILED = 1
USAGE = 2
UNREACHABLE = 3
INTERRUPTED = 130
TERMINATED = 143
# So long what is to happen at the end of a process may take (seconds).
_LAST_WORDS = 5.0


class Terminated(KeyboardInterrupt):
    """SIGTERM, for a command that takes it as it takes Ctrl-C."""


class CommandError(Exception):
    """A failure that is told in one line; `status` becomes the exit status."""

    def __init__(self, message: str, *, status: int = FAILED) -> None:
        super().__init__(message)
        self.status = status


def exit_status(command: Callable[[], object]) -> int:
    """Run a command, tell what goes wrong on stderr, and return the exit status."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A file may have any name; what of it is no text is shown as an escape, as on stderr.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        command()
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else "basicaer"
        return _fail(f"{error.format_message()} Try '{path} --help'.", USAGE)
    except click.ClickException as error:
        return _fail(error.format_message(), error.exit_code)
    except CommandError as error:
        return _fail(str(error), error.status)
    except Terminated:
        return _fail("ended by SIGTERM", TERMINATED)
    except (click.Abort, KeyboardInterrupt):
        return _fail("interrupted", INTERRUPTED)
    except click.exceptions.Exit as error:
        return error.exit_code
    except BrokenPipeError:
        _close_stdout()
        return FAILED
    except UnicodeEncodeError as error:
        return _fail(f"{error.object!r} is not text in UTF-8", USAGE)
    except Exception as error:
        status = _client_status(error)
        if status is None:
            raise
        return _fail(str(error), status)
    return 0


def leave(status: int) -> NoReturn:
    """End the process, soon and for sure.

    All that a command has begun it has ended by now, other than by the interpreter's end, which waits for
    threads and for gRPC's channels; theirs is known to hang (grpc issues 5084 and 20026), when nothing that
    anybody waits for is left. So functions of `atexit` run, since other libraries may have something to
    write, for a few seconds at most; then what was printed is flushed, and the process ends without more.
    """
    timer = threading.Timer(_LAST_WORDS, os._exit, (status,))
    timer.daemon = True
    timer.start()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            # Nobody reads it any more.
            status = status or FAILED
    os._exit(status)


def _client_status(error: Exception) -> int | None:
    """Return the exit status for an error of the client; None for a defect, whose traceback helps."""
    # Only now: a command that works never needs the errors, and `--help` must not load gRPC for them.
    from basicaer.client import BasicAerError, TransportError

    if isinstance(error, TransportError):
        return UNREACHABLE
    if isinstance(error.__cause__, UnicodeEncodeError):
        # An argument that is no text; nothing was sent.
        return USAGE
    return FAILED if isinstance(error, BasicAerError) else None


def _fail(message: str, status: int) -> int:
    say(f"error: {' '.join(message.split())}", stream=sys.stderr)
    return status


def _close_stdout() -> None:
    """Leave nothing to flush to a pipe that nobody reads, or the interpreter complains at its end."""
    try:
        sys.stdout.close()
    except BrokenPipeError:
        return


def fail(message: str, status: int = FAILED) -> NoReturn:
    """Raise a `CommandError`."""
    raise CommandError(message, status=status)
