"""Whether a server may use what is in a data directory, and what to do when it may not.

SQLite opens a file that it can't write as one to read, and says so at the first write only; a folder that
can't be written is noticed by the first large result. A server that starts so would accept nothing, and say
that its disk is busy. So all is looked at before anything is opened.
"""

from __future__ import annotations

import errno
import os
import pwd
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from basicaer.service.errors import DataDirectoryError
from basicaer.service.store.sqlite._identity import DATABASE

__all__ = ["Obstacle", "check_rights", "make_directory", "obstacle", "user_name"]


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What is in the way, and what to do about it."""

    seen: str
    remedy: str


def obstacle(path: Path) -> Obstacle | None:
    """Why this user may not read and write a file or folder that is there, if so."""
    wanted = os.R_OK | os.W_OK | (os.X_OK if path.is_dir() else 0)
    if os.access(path, wanted, effective_ids=os.access in os.supports_effective_ids):
        return None
    with suppress(OSError):
        if os.statvfs(path).f_flag & os.ST_RDONLY:
            return Obstacle(
                f"{path} can't be written: its file system is mounted read-only",
                "Mount it for writing (the kernel's log says whether the disk has failed), or choose another"
                " --data-dir.",
            )
    user = user_name(os.geteuid())
    try:
        owner = user_name(path.stat().st_uid)
    except OSError:
        owner = "another user"
    what = "read and written" if not os.access(path, os.R_OK) else "written"
    if owner == user:
        return Obstacle(f"{path} can't be {what} by its owner, {user}", f"Allow it: chmod u+rwX {path}")
    return Obstacle(
        f"{path} can't be {what} by {user}, since it belongs to {owner}",
        f"Start the server as {owner}, or give {user} the data directory and all that is in it (chown -R).",
    )


def check_rights(directory: Path) -> None:
    """Look at a data directory and all that a server opens in it.

    Raises:
        DataDirectoryError: Something of it can't be read or written.
    """
    ours = ("lock", "store", "results", DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm")
    if (found := obstacle(directory)) is not None:
        raise _refusal(found)
    for path in (directory / name for name in ours):
        if path.exists() and path.name != "results" and not path.is_file():
            # Whoever opens a pipe waits until somebody writes to it.
            raise DataDirectoryError(f"{path} is not a file. Move it away, or choose another --data-dir.")
        if path.exists() and obstacle(path) is not None:
            # What is this user's own needn't be asked for.
            with suppress(OSError):
                path.chmod(0o700 if path.is_dir() else 0o600)
            if (found := obstacle(path)) is not None:
                raise _refusal(found)


def make_directory(directory: Path) -> None:
    """Make a data directory, unless it is there.

    Raises:
        DataDirectoryError: It can't be made.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        remedy = "Choose another --data-dir."
        if isinstance(error, FileExistsError):
            raise DataDirectoryError(f"{directory} is not a directory. {remedy}") from error
        if error.errno in (errno.EACCES, errno.EPERM) and os.geteuid():
            user = user_name(os.geteuid())
            remedy = (
                f"Make it as root and give it to {user} (chown {user} {directory}), or choose another"
                " --data-dir."
            )
        elif error.errno in (errno.ENOSPC, errno.EDQUOT):
            remedy = "Free some room, or choose another --data-dir."
        raise DataDirectoryError(f"{directory} can't be made: {error.strerror}. {remedy}") from error


def _refusal(found: Obstacle) -> DataDirectoryError:
    return DataDirectoryError(f"{found.seen}. {found.remedy}")


def user_name(number: int) -> str:
    """Return a user's name; in a container the number may have none."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)
