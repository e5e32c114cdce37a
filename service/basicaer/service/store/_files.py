"""The files beside the database: the lock that keeps a second server out, and large results.

A result's file is written under a temporary name, synced, renamed, and its directory synced, before the
database may refer to it. So a file that the database doesn't know is a leftover of a crash, and is removed at
the next start.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Collection, Sequence
from pathlib import Path

from basicaer.service.errors import DataDirectoryError, StoreBusyError

__all__ = ["DirectoryLock", "ResultFile", "ResultFiles"]

_TEMPORARY = ".tmp"
# One write call at most; Linux takes no more than 2 GiB.
_WRITE_BYTES = 1 << 30


class DirectoryLock:
    """Held by the one process that uses a data directory; the kernel lets go of it when the process dies."""

    def __init__(self, path: Path) -> None:
        """Takes the lock.

        Raises:
            DataDirectoryError: Another process holds it, or the directory can't be written.
        """
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise DataDirectoryError(f"{path.parent} can't be written: {error.strerror}.") from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(self._descriptor, 32).decode("ascii", "replace").strip()
            os.close(self._descriptor)
            process = f" (process {holder})" if holder else ""
            raise DataDirectoryError(
                f"Another server{process} uses {path.parent}; stop it, or choose another data directory."
            ) from error
        os.ftruncate(self._descriptor, 0)
        os.write(self._descriptor, f"{os.getpid()}\n".encode("ascii"))

    def release(self) -> None:
        """Lets another process in."""
        os.close(self._descriptor)


class ResultFile:
    """An opened result: the parts' bytes, and the serialized Result. Reading goes on after the file was
    removed.
    """

    __slots__ = ("_descriptor", "message")

    def __init__(self, path: Path | None, message: bytes | None, message_size: int) -> None:
        """Opens it; `message` is None when it lies in the file's last `message_size` bytes.

        Raises:
            OSError: The file is missing or too short.
        """
        self._descriptor: int | None = None
        if path is not None:
            self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            if message is None:
                size = os.fstat(self._descriptor).st_size
                message = self.read(max(size - message_size, 0), message_size)
        self.message = message or b""

    def read(self, offset: int, size: int) -> bytes:
        """Up to `size` bytes from `offset`; fewer only at the file's end."""
        if self._descriptor is None:
            return b""
        data = os.pread(self._descriptor, size, offset)
        while 0 < len(data) < size:
            more = os.pread(self._descriptor, size - len(data), offset + len(data))
            if not more:
                break
            data += more
        return data

    def close(self) -> None:
        """Closes the file. Idempotent."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __del__(self) -> None:
        self.close()


class ResultFiles:
    """A directory of result files."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(exist_ok=True)

    def path(self, name: str) -> Path:
        """Where a file lies."""
        return self._directory / name

    def write(self, name: str, pieces: Sequence[bytes | memoryview]) -> None:
        """Writes the pieces, one behind the other, and syncs them.

        Raises:
            StoreBusyError: There is no room for them; nothing is left behind.
        """
        temporary = self._directory / (name + _TEMPORARY)
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
            try:
                for piece in pieces:
                    _write_all(descriptor, memoryview(piece).cast("B"))
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            temporary.rename(self._directory / name)
            self._sync()
        except OSError as error:
            self.remove(name + _TEMPORARY)
            raise StoreBusyError(error.strerror or str(error)) from error

    def remove(self, name: str) -> None:
        """Removes a file, if it is there."""
        with contextlib.suppress(OSError):
            (self._directory / name).unlink()

    def remove_all_but(self, names: Collection[str]) -> None:
        """Removes the leftovers of a crash."""
        for path in self._directory.iterdir():
            if path.name not in names:
                self.remove(path.name)

    def _sync(self) -> None:
        descriptor = os.open(self._directory, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _write_all(descriptor: int, data: memoryview) -> None:
    while data:
        data = data[os.write(descriptor, data[:_WRITE_BYTES]) :]
