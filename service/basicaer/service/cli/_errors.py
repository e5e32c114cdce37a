"""From whatever goes wrong to one line on stderr and an exit status.

0    it worked
1    the job failed or was cancelled, or the server refused the request
2    the command line is wrong
3    the server can't be reached
130  interrupted by Ctrl-C
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from typing import NoReturn

import click

__all__ = ["FAILED", "INTERRUPTED", "UNREACHABLE", "USAGE", "CommandError", "exit_status", "fail"]

FAILED = 1
USAGE = 2
UNREACHABLE = 3
INTERRUPTED = 130


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


def _client_status(error: Exception) -> int | None:
    """Return the exit status for an error of the client; None for a defect, whose traceback helps."""
    # Only now: a command that works never needs the errors, and `--help` must not load gRPC for them.
    from basicaer.client import BasicAerError, TransportError

    if isinstance(error, TransportError):
        return UNREACHABLE
    return FAILED if isinstance(error, BasicAerError) else None


def _fail(message: str, status: int) -> int:
    print("error:", " ".join(message.split()), file=sys.stderr)
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
